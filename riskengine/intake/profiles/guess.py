"""Columns told by their names alone, for a file that no profile knows: longitude, latitude, time, category."""

from __future__ import annotations

from collections.abc import Sequence

from . import Profile, Variant, reduce_name

#: Names as `reduce_name` writes them, the likeliest first. X and Y are not among them: they do not tell their CRS.
_NAMES: dict[str, tuple[str, ...]] = {
    "x": ("longitude", "lon", "lng", "long", "longitud", "lonwgs84", "xlon", "pointx"),
    "y": ("latitude", "lat", "latitud", "latwgs84", "ylat", "pointy"),
    "time": (
        *("occurred", "datetime", "occurredat", "occurredon", "occurrencedate", "occurreddate", "incidentdatetime"),
        *("incidentdate", "crimedatetime", "eventdate", "dateoccurred", "dateocc", "occdate", "offensedate"),
        *("timestamp", "fechahecho", "fechahechos", "fecha", "date", "month"),
    ),
    "clock": ("time", "timeofday", "hour", "timeocc", "occtime", "timeoccurred", "incidenttime", "hora", "horahecho"),
    "category": (
        *("category", "crimetype", "primarytype", "offense", "offence", "offensetype", "crime", "type", "delito"),
        *("crimecategory", "offensedescription", "description"),
    ),
}


def guess_profile(header: Sequence[str]) -> tuple[Profile, Variant] | None:
    """Guess what the columns are, as a profile; None unless longitude, latitude and time are all told."""
    columns = {reduce_name(name): name for name in reversed(header)}
    roles = {role: next((columns[name] for name in names if name in columns), None) for role, names in _NAMES.items()}
    x, y, time, clock = (roles[role] for role in ("x", "y", "time", "clock"))
    if x is None or y is None or time is None:
        return None
    times = (
        (time, clock) if clock is not None and reduce_name(time).endswith(("date", "fecha", "fechahecho")) else (time,)
    )
    said = ", ".join([f"longitude {x!r}", f"latitude {y!r}", "time " + " and ".join(map(repr, times))])
    note = f"No known format: the columns were told by their names ({said}; category {roles['category']!r})"
    variant = Variant(
        title="told by their names", signature=(x, y, *times), x=x, y=y, time=times, category=roles["category"]
    )
    profile = Profile(
        id="guessed", title="columns", crs="EPSG:4326", bbox=None, date_order=None, notes=(note,), variants=(variant,)
    )
    return profile, variant
