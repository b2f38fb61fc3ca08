"""Job ``import_csv``: a police CSV becomes incidents and a table of refused rows."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from ..contract.tools.incidents import ImportIncidents
from ..ground.artefacts import check_folder
from ..ground.context import JobContext
from ..ground.errors import ParameterError
from ..intake.exactness import describe_exactness, find_exactness
from ..intake.importing import (
    Layout,
    count_refusals,
    make_empty_error,
    no_collector,
    plan_output,
    refuse_known,
    survey,
    write_incidents,
    write_refused,
)
from ..intake.opening import Way, open_input
from ..intake.placecheck import Frame, is_geographic
from ..intake.profiles import (
    Profile,
    Variant,
    choose_profile,
    choose_variant,
    find_column,
    join_names,
    read_profiles,
    require_column,
)
from ..intake.profiles.guess import guess_profile
from ..intake.profiles.own import read_format, write_format
from ..intake.project import read_imported
from ..intake.repeats import IN_LAYER, KnownRows, describe_shared_ids
from ..intake.straycheck import describe_strays
from ..intake.table import Table
from ..intake.timecheck import describe_far_times
from ..intake.timereading import TimeRules
from ..intake.timesearch import SAMPLE_ROWS
from ..intake.timezones import find_zone

#: Behind the name of a user's own format.
_SAVED = "a saved format"
_DEFAULT_CRS = "EPSG:4326"


def run(parameters: ImportIncidents, context: JobContext, now: np.datetime64 | None = None) -> dict[str, Any]:
    """Import a CSV.

    Returns
    -------
    dict
        ``rows`` of the file, ``imported``, ``merged`` and ``refused`` with ``reasons``; ``fields`` (name and type:
        datetime, integer, real or text), ``output`` (the file of the incidents); ``crs``, ``profile``,
        ``encoding``, ``delimiter``, ``first``, ``last``, ``exactness``, ``notes``.
    """
    if parameters.save_profile:
        check_folder(parameters.save_profile, "save_profile")
    file = read_input(parameters, context)
    reading = read_layout(parameters, file)
    profile, layout, notes = reading.profile, reading.layout, reading.notes
    if reading.format:
        context.log(f"Format: {reading.format}.")
    context.log(f"{file.describe_way()}, coordinates in {layout.crs}.")
    if layout.id is None and (shared := _describe_shared_ids(file, layout)):
        context.warn(f"{shared}.")
    with no_collector(), context.step(0.0, 0.5):
        learnt = survey(file, layout, context, now)
    notes += learnt.notes
    for note in notes:
        context.log(note.rstrip(".") + ".")
    reasons = count_refusals(file, learnt, context)
    for warning in learnt.when.warnings:
        context.warn(f"{warning}.")
    kept = learnt.find_kept()
    times = learnt.when.times.time[kept]
    exactness = find_exactness(times, "month" if learnt.when.times.months else "")
    context.log(f"{describe_exactness(times, exactness)}.")
    if far := describe_far_times(times, learnt.lines[kept]):
        context.warn(f"{far}.")
    if strays := describe_strays(learnt.x[kept], learnt.y[kept], learnt.lines[kept], layout.crs):
        context.warn(f"{strays}.")
    merged = 0 if learnt.extra is None else int(learnt.extra.sum())
    if merged:
        context.log(
            f"{merged:,} rows were merged into another of the same {file.header[layout.id or 0]}: the first one stays."
        )
    output = parameters.output or str(Path(parameters.folder) / "incidents.gpkg")
    with no_collector(), context.step(0.5, 1.0):
        plan = plan_output(file, layout, learnt, context)
        if parameters.known:
            known = KnownRows(parameters.known, layout.crs, list(plan.types))
            if there := refuse_known(file, layout, learnt, plan, known, context):
                reasons[IN_LAYER] = there
                context.log(f"{there:,} rows are in the layer already and are not appended again.")
        fields = write_incidents(file, layout, learnt, plan, output, context)
        if parameters.refused:
            write_refused(file, learnt, parameters.refused, context)
    if parameters.inspection:
        from ..report.inspection import write_inspection

        # What was written is what a layer will show.
        look = *read_imported(output, layout.crs), reasons, context
        write_inspection(parameters.inspection, *look, parameter="inspection", name=file.name)
    if parameters.save_profile:
        write_format(make_format(parameters, file, reading), parameters.save_profile)
        context.log(f"The format was saved as {parameters.save_profile}: name it as PROFILE_FILE to read such files.")
    times = learnt.when.times.time[learnt.find_kept()]
    context.progress(1.0)
    return {
        "rows": len(learnt.reason),
        "imported": len(times),
        "merged": merged,
        "refused": sum(reasons.values()),
        "reasons": reasons,
        "fields": fields,
        "output": output,
        "crs": layout.crs,
        "profile": profile.id if profile else "columns",
        "encoding": file.encoding,
        "delimiter": file.delimiter,
        "first": str(times.min()) if len(times) else "",
        "last": str(times.max()) if len(times) else "",
        "exactness": exactness,
        "notes": [note.rstrip(".") + "." for note in notes],
    }


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
    profile, variant = _profile(parameters, file)
    if not file.has_header and profile is not None and profile.number is not None:
        raise ParameterError(
            f"{file.name} has no header, so no profile can tell its columns",
            parameter="profile",
            value=parameters.profile,
            remedy="Choose 'Columns named by hand' (profile 'columns') and name the columns field_1, field_2, …",
        )
    layout = _layout(parameters, file, profile, variant)
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
    category, number = (None if each is None else file.header[each] for each in (layout.category, layout.id))
    variant = Variant(
        title=_SAVED,
        signature=tuple(dict.fromkeys([x, y, *time, *end, *filter(None, (category, number))])),
        x=x,
        y=y,
        time=tuple(time),
        end=tuple(end),
        category=category,
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


def _profile(parameters: ImportIncidents, file: Table) -> tuple[Profile | None, Variant | None]:
    if parameters.profile_file:
        own = read_format(parameters.profile_file)
        others = [key for key in ("x", "y", "time", "end", "category", "id_field") if getattr(parameters, key)]
        return own, choose_variant(own, file.header, others)
    by_hand = parameters.x is not None and parameters.y is not None and bool(parameters.time)
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
            named = (parameters.x, parameters.y, parameters.time, parameters.date_order, parameters.end)
            guessed = guess_profile(file.header, rows, *named)
            if guessed is None:
                raise
            return guessed
    profile = read_profiles()[parameters.profile]
    return profile, choose_variant(profile, file.header)


def _read_sample(file: Table) -> list[list[str]]:
    return [fields for _, fields in islice(file.read_records(), SAMPLE_ROWS)]


def _describe_shared_ids(file: Table, layout: Layout) -> str:
    return describe_shared_ids(file.header, _read_sample(file), (layout.x, layout.y, *layout.time))


def _layout(parameters: ImportIncidents, file: Table, profile: Profile | None, variant: Variant | None) -> Layout:
    x = parameters.x or (variant.x if variant else "")
    y = parameters.y or (variant.y if variant else "")
    time = join_names(parameters.time, file.header) or (list(variant.time) if variant else [])
    category = parameters.category or (variant.category if variant else None)
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
