"""Columns told without a profile: longitude, latitude and category by their names, the time by its values."""

from __future__ import annotations

from collections.abc import Sequence

from ..points import holds_points
from ..timesearch import describe_choice, describe_end, find_times
from . import Profile, Variant, find_column, reduce_name

#: Names as `reduce_name` writes them, the likeliest first. X and Y are not among them: they do not tell their CRS.
_NAMES: dict[str, tuple[str, ...]] = {
    "x": ("longitude", "lon", "lng", "long", "longitud", "lonwgs84", "xlon", "pointx"),
    "y": ("latitude", "lat", "latitud", "latwgs84", "ylat", "pointy"),
    "category": (
        *("category", "crimetype", "primarytype", "offense", "offence", "offensetype", "crime", "type", "delito"),
        *("crimecategory", "offensedescription", "description"),
    ),
}


def guess_profile(
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    x: str | None = None,
    y: str | None = None,
    time: Sequence[str] = (),
    order: str = "auto",
    end: Sequence[str] = (),
) -> tuple[Profile, Variant] | None:
    """Guess what the columns are, as a profile; None unless longitude, latitude and time are all told.

    Parameters
    ----------
    header : sequence of str
    rows : sequence of rows
        The first of the file.
    x, y, time
        What the user has named already.
    order : str
        Order of dates, as for `parse_times`.
    end : sequence of str
        Columns of the end of a span, which the user has named.
    """
    columns = {reduce_name(name): name for name in reversed(header)}
    roles = {role: next((columns[name] for name in names if name in columns), None) for role, names in _NAMES.items()}
    told = [
        f"{title} {roles[role]!r}" for role, title, given in (("x", "longitude", x), ("y", "latitude", y)) if not given
    ]
    category = roles["category"]
    if not (x or y) and (roles["x"] is None or roles["y"] is None):
        x = y = _find_points(header, rows)
        told = [f"points {x!r}"]
    x, y = x or roles["x"], y or roles["y"]
    if x is None or y is None:
        return None
    kind = f"category {category!r}" if category else "no category"
    said = "; ".join([", ".join(told), kind]) if told else kind
    notes = [f"No known format: the columns were told by their names ({said})"]
    if not time:
        places = [header[number] for name in (x, y) if (number := find_column(name, header)) is not None]
        readings = find_times(header, rows, [*places, *end], order)
        if not readings:
            return None
        time = readings[0].columns
        notes.append(describe_choice(readings))
        if not end and (said := describe_end(readings)):
            notes.append(said)
    variant = Variant(
        title="told by their names", signature=(x, y, *time), x=x, y=y, time=tuple(time), category=category
    )
    profile = Profile(
        id="guessed",
        title="columns",
        crs="EPSG:4326",
        bbox=None,
        date_order=None,
        notes=tuple(notes),
        variants=(variant,),
    )
    return profile, variant


def _find_points(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str | None:
    """Find the first column that holds points."""
    fitting = [row for row in rows if len(row) == len(header)]
    return next(
        (name for number, name in enumerate(header) if holds_points([row[number] for row in fitting])),
        None,
    )
