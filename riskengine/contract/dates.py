"""Dates and spans as people say them, for reports, names of layers, layouts and log lines: the last day is included.

Tools hand each other half-open spans in ISO 8601; only what is read by people is made here.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def format_moment(moment: object) -> str:
    """Format a time of any type whose text is ISO: ``Tue 31 Dec 2024``, and within a day ``Tue 31 Dec 2024, 05:00``."""
    when = _read(moment)
    day = _format_day(when)
    return day if _is_midnight(when) else f"{day}, {when:%H:%M}"


def format_last(end: object) -> str:
    """Format the end of a half-open span as the last day that is included: ``up to Tue 31 Dec 2024``."""
    when = _read(end)
    return _format_day(when - timedelta(1)) if _is_midnight(when) else format_moment(when)


def format_span(start: object, end: object) -> str:
    """Format the half-open span [`start`, `end`), its last day included.

    ``Tue 31 Dec 2024``, ``Mon 23 – Sun 29 Dec 2024``, ``Dec 2024``, ``Oct – Dec 2024``, and within days
    ``Tue 31 Dec 2024, 20:00 – 22:00``.
    """
    first, after = _read(start), _read(end)
    if not (_is_midnight(first) and _is_midnight(after) and after > first):
        begin = f"{_format_day(first)}, {first:%H:%M}"
        if first.date() == after.date():
            return f"{begin} – {after:%H:%M}"
        # 00:00 of the next day is the end of this one.
        return (
            f"{begin} – 24:00"
            if first.date() + timedelta(1) == after.date() and _is_midnight(after)
            else (f"{begin} – {_format_day(after)}, {after:%H:%M}")
        )
    last = after - timedelta(1)
    if first.day == 1 and after.day == 1:
        return _format_months(first, last)
    if first == last:
        return _format_day(first)
    if first.year != last.year:
        return f"{_format_day(first)} – {_format_day(last)}"
    if first.month != last.month:
        return f"{_format_short(first)} {_MONTHS[first.month - 1]} – {_format_day(last)}"
    return f"{_format_short(first)} – {_format_day(last)}"


def format_bin_length(length: str) -> str:
    """Format a length of bins: ``1 day``, not ``1 days``."""
    number, _, unit = length.partition(" ")
    return f"{number} {unit.removesuffix('s')}" if number == "1" else length


def _read(moment: object) -> datetime:
    text = str(moment)
    return datetime.fromisoformat(text[:19]).replace(tzinfo=None)


def _is_midnight(when: datetime) -> bool:
    return (when.hour, when.minute, when.second) == (0, 0, 0)


def _format_short(day: date) -> str:
    return f"{_DAYS[day.weekday()]} {day.day}"


def _format_day(day: date) -> str:
    return f"{_format_short(day)} {_MONTHS[day.month - 1]} {day.year}"


def _format_months(first: date, last: date) -> str:
    end = f"{_MONTHS[last.month - 1]} {last.year}"
    if (first.year, first.month) == (last.year, last.month):
        return end
    begin = _MONTHS[first.month - 1]
    return f"{begin} – {end}" if first.year == last.year else f"{begin} {first.year} – {end}"
