"""Which columns of a file hold what: named by hand, by a known or saved format, or told by what they hold."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from ..contract.tools.incidents import ImportIncidents
from ..ground.context import JobContext
from ..ground.errors import ParameterError
from .crshint import describe_units
from .importing import Layout, make_empty_error
from .opening import Way, open_input
from .placecheck import Frame, is_geographic, parse_numbers
from .points import holds_points
from .profiles import (
    Profile,
    Variant,
    choose_profile,
    choose_variant,
    find_column,
    join_names,
    read_profiles,
    require_column,
)
from .profiles.guess import guess_profile
from .profiles.own import read_format
from .repeats import describe_shared_ids
from .table import Table
from .timereading import TimeRules
from .timesearch import SAMPLE_ROWS
from .timezones import find_zone

#: Behind the name of a user's own format.
_SAVED = "a saved format"
_DEFAULT_CRS = "EPSG:4326"


@dataclass(frozen=True)
class Reading:
    """How a file is read: its format, where there is one, its columns, and what its reader should know."""

    profile: Profile | None
    format: str
    layout: Layout
    notes: list[str]


def read_input(parameters: ImportIncidents, context: JobContext) -> Table:
    """Open what is to be imported: one table, of however many files."""
    own = read_format(parameters.profile_file) if parameters.profile_file else None
    encoding = parameters.encoding or (own.encoding if own else None)
    delimiter = parameters.delimiter or (own.delimiter if own else None)
    way = Way(encoding, delimiter, parameters.header)
    return open_input([parameters.path, *parameters.more], parameters.files, way, context)


def read_layout(parameters: ImportIncidents, file: Table) -> Reading:
    """Find out which columns hold what: by hand, by the format, or by what they hold.

    Raises
    ------
    ParameterError
        If that cannot be told, or a column that is named is not there.
    """
    y = _name_point_column(parameters, file)
    profile, variant = _profile(parameters, file, y)
    if not file.has_header and profile is not None and profile.number is not None:
        raise ParameterError(
            f"{file.name} has no header, so no profile can tell its columns",
            parameter="profile",
            value=parameters.profile,
            remedy="Choose 'Columns named by hand' (profile 'columns') and name the columns field_1, field_2, …",
        )
    layout = _layout(parameters, file, profile, variant, y)
    notes = [*file.notes, *(profile.notes if profile else ()), *(variant.notes if variant else ())]
    return Reading(profile, _title(profile, variant), layout, notes)


def _title(profile: Profile | None, variant: Variant | None) -> str:
    if profile is None or variant is None:
        return ""
    # The only way of a known format says nothing more.
    only = profile.number is not None and len(profile.variants) == 1
    return profile.title if only else f"{profile.title}, {variant.title}"


def make_format(parameters: ImportIncidents, file: Table, reading: Reading) -> Profile:
    """Make a format of how a file was read, named like the file that it is to be saved as."""
    layout, own = reading.layout, reading.profile
    name = Path(parameters.save_profile or "").stem
    x, y, *time = (file.header[column] for column in (layout.x, layout.y, *layout.time))
    end = [file.header[column] for column in layout.end]
    category, detail, number = (
        None if each is None else file.header[each] for each in (layout.category, layout.category_detail, layout.id)
    )
    variant = Variant(
        title=_SAVED,
        signature=tuple(dict.fromkeys([x, y, *time, *end, *filter(None, (category, detail, number))])),
        x=x,
        y=y,
        time=tuple(time),
        end=tuple(end),
        category=category,
        category_detail=detail,
        category_names=layout.category_names,
        id=number,
    )
    rules = layout.rules
    return Profile(
        id=name,
        title=name,
        crs=layout.crs,
        zone=_choose_zone(parameters, own),
        bbox=layout.frame.bbox,
        date_order=rules.usual_order if rules.date_order == "auto" else rules.date_order,
        encoding=parameters.encoding or (own.encoding if own else None),
        delimiter=parameters.delimiter or (own.delimiter if own else None),
        variants=(variant,),
    )


def _profile(parameters: ImportIncidents, file: Table, y: str | None) -> tuple[Profile | None, Variant | None]:
    if parameters.profile_file:
        own = read_format(parameters.profile_file)
        others = [key for key in ("x", "y", "time", "end", "category", "id_field") if getattr(parameters, key)]
        return own, choose_variant(own, file.header, others)
    by_hand = parameters.x is not None and y is not None and bool(parameters.time)
    if parameters.profile == "columns" or (parameters.profile == "auto" and by_hand):
        return None, None
    if parameters.profile == "auto":
        try:
            return choose_profile(file.header)
        except ParameterError:
            rows = _read_sample(file)
            if not rows:
                # Whatever its columns are called.
                raise make_empty_error(file) from None
            named = (parameters.x, y, parameters.time, parameters.date_order, parameters.end)
            guessed = guess_profile(file.header, rows, *named)
            if guessed is None:
                if not file.has_header:
                    raise _make_headless_error(file, rows) from None
                raise
            return guessed
    profile = read_profiles()[parameters.profile]
    return profile, choose_variant(profile, file.header)


def _make_headless_error(file: Table, rows: list[list[str]]) -> ParameterError:
    """Make the error of a file of which nothing tells what its columns hold."""
    columns = [
        parse_numbers(texts)[0] for texts in zip(*(row for row in rows if len(row) == len(file.header)), strict=True)
    ]
    numbers = [column for column in columns if np.isfinite(column).any()]
    hint = describe_units(numbers[0], numbers[1]) if len(numbers) > 1 else ""
    return ParameterError(
        f"{file.name} has no header and no format tells its columns; they are called {', '.join(file.header)}, and the"
        f" first row is {', '.join(rows[0])}",
        parameter="profile",
        value="auto",
        remedy=". ".join(
            filter(None, ("Give X_FIELD, Y_FIELD and TIME_FIELD of these, and the CRS of the coordinates", hint))
        ),
    )


def _name_point_column(parameters: ImportIncidents, file: Table) -> str | None:
    """The column of Y: that of X where it alone is named and holds points."""
    if parameters.y or not parameters.x:
        return parameters.y
    column = find_column(parameters.x, file.header)
    rows = _read_sample(file) if column is not None else []
    there = column is not None and holds_points([row[column] for row in rows if len(row) > column])
    return parameters.x if there else None


def _read_sample(file: Table) -> list[list[str]]:
    return [fields for _, fields in islice(file.read_records(), SAMPLE_ROWS)]


def describe_ids(file: Table, layout: Layout) -> str:
    """Describe that several rows seem to be of one incident, with the remedy; empty where they do not."""
    return describe_shared_ids(file.header, _read_sample(file), (layout.x, layout.y, *layout.time))


def _layout(
    parameters: ImportIncidents, file: Table, profile: Profile | None, variant: Variant | None, by_hand: str | None
) -> Layout:
    x = parameters.x or (variant.x if variant else "")
    y = by_hand or (variant.y if variant else "")
    time = join_names(parameters.time, file.header) or (list(variant.time) if variant else [])
    category = parameters.category or (variant.category if variant else None)
    detail = variant.category_detail if variant and category == variant.category else None
    for name, value in (("x", x), ("y", y), ("time", time)):
        if not value:
            raise ParameterError(
                f"No column is named for {name}; the file has {', '.join(file.header)}",
                parameter=name,
                remedy=f"Name the column of {name}",
            )
    end = join_names(parameters.end, file.header) or (list(variant.end) if variant else [])
    if not parameters.end and any(find_column(name, file.header) is None for name in end):
        # A file of a known format that does not say when a span ends.
        end = []
    if parameters.occurred != "start" and not end:
        raise ParameterError(
            f"OCCURRED is {parameters.occurred!r}, but END_FIELD is empty",
            parameter="occurred",
            value=parameters.occurred,
            remedy="Name the column that holds the end of the span",
        )
    number = parameters.id_field or (variant.id if variant else None)
    zone = _choose_zone(parameters, profile)
    usual_order = (variant.date_order if variant else None) or (profile.date_order if profile else None)
    order = parameters.date_order
    if order == "auto" and parameters.profile_file and usual_order:
        # Who saved it has settled it.
        order = usual_order
    own_crs = (variant.crs if variant else None) or (profile.crs if profile else _DEFAULT_CRS)
    crs = parameters.crs or own_crs
    box = (variant.bbox if variant else None) or (profile.bbox if profile else None)
    named_by_hand = parameters.x or parameters.y
    known_area = box if crs == own_crs and not named_by_hand else None
    return Layout(
        x=require_column(x, file.header, "x"),
        y=require_column(y, file.header, "y"),
        time=tuple(require_column(name, file.header, "time") for name in time),
        category=require_column(category, file.header, "category") if category else None,
        category_names=variant.category_names if variant else {},
        category_detail=require_column(detail, file.header, "category") if detail else None,
        crs=crs,
        frame=Frame(is_geographic(crs), known_area),
        rules=TimeRules(
            order,
            usual_order,
            find_zone(zone) if zone else None,
            profile.zone if profile else None,
            parameters.occurred,
            parameters.seed,
        ),
        end=tuple(require_column(name, file.header, "end") for name in end),
        id=require_column(number, file.header, "id_field") if number else None,
    )


def _choose_zone(parameters: ImportIncidents, profile: Profile | None) -> str | None:
    """The zone that times are converted into; a known format's own is but a suggestion."""
    own = profile.zone if profile and profile.number is None else None
    return parameters.time_zone or own
