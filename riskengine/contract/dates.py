"""Dates and spans as people say them, for reports, names of layers, layouts and log lines: the last day is included.

Tools hand each other half-open spans in ISO 8601; only what is read by people is made here.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
#: Windows that people have a name for; 13 weeks are a quarter but for a day or two.
_WINDOWS = {
    "1 hours": "hour",
    "1 days": "day",
    "1 weeks": "week",
    "1 months": "month",
    "13 weeks": "quarter",
    "3 months": "quarter",
    "1 quarters": "quarter",
    "12 months": "year",
}
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def format_moment(moment: object, unit: str = "") -> str:
    """Format a time of any type whose text is ISO: ``Tue 31 Dec 2024``, and within a day ``Tue 31 Dec 2024, 05:00``.

    Parameters
    ----------
    moment : object
    unit : str
        How exact times are, or how long bins: with months, the first of one stands for it, ``Dec 2024``.
    """
    when = _read(moment)
    if _are_months(unit, when):
        return _format_months(when, when)
    day = _format_day(when)
    return day if _is_midnight(when) else f"{day}, {when:%H:%M}"


def format_last(end: object, unit: str = "") -> str:
    """Format the end of a half-open span as the last day, or month, included: ``up to Tue 31 Dec 2024``."""
    when = _read(end)
    if _are_months(unit, when):
        last = when - timedelta(1)
        return _format_months(last, last)
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


def format_days(first: object, last: object, unit: str = "") -> str:
    """Format the days from that of the moment `first` to that of the moment `last`: ``Mon 1 Jan – Wed 8 Aug 2018``.

    Where only months are known, they are said: ``Jan – Aug 2018``.
    """
    if _are_months(unit, _read(first), _read(last)):
        return _format_months(_read(first), _read(last))
    start, end = (datetime.combine(_read(moment).date(), datetime.min.time()) for moment in (first, last))
    return format_span(start, end + timedelta(1))


def format_days_up_to(days: float, moment: object) -> str:
    """Format so many days up to a moment, whose midnight ends the day before: ``365 days to Wed 8 Aug 2018``."""
    last = _read(moment) - timedelta(seconds=1)
    return f"{days:g} {'day' if days == 1 else 'days'} to {_format_day(last)}"


def format_window(days: float, reference: object, exactness: str, first: object, last: object) -> str:
    """Format a window of so many days that ends with its reference time: ``365 days to Tue 31 Dec 2024``.

    Where only days are known, that of the reference time is the last; where only months are, those are said that the
    incidents from `first` to `last` are of: ``Jan – Dec 2024``.
    """
    if exactness == "month":
        return format_days(first, last, exactness)
    end = _read(reference)
    return format_days_up_to(days, end + timedelta(seconds=1) if exactness == "day" else end)


def format_bin_length(length: str) -> str:
    """Format a length of bins: ``1 day``, not ``1 days``."""
    number, _, unit = length.partition(" ")
    return f"{number} {unit.removesuffix('s')}" if number == "1" else length


def count_bins(number: int, length: str) -> str:
    """Say how many bins there are: ``58 days``, ``1 month``, ``12 bins of 2 hours``."""
    size, _, unit = length.partition(" ")
    if size != "1":
        return f"{number:,} {'bin' if number == 1 else 'bins'} of {length}"
    return f"{number:,} {unit.removesuffix('s')}{'' if number == 1 else 's'}"


def name_window(length: str) -> str:
    """Name what is forecast as a whole, of a length such as ``13 weeks``: ``quarter``; else ``window of 2 weeks``."""
    number, _, unit = length.partition(" ")
    # Bins of seven days are weeks that begin on any day.
    if unit == "days" and int(number) % 7 == 0:
        length = " ".join((str(int(number) // 7), "weeks"))
    return _WINDOWS.get(length) or f"window of {format_bin_length(length)}"


def count_windows(number: int, length: str) -> str:
    """Say how many windows there are: ``1 week``, ``4 quarters``, ``3 windows of 2 weeks``."""
    noun, _, rest = name_window(length).partition(" ")
    return f"{number:,} {noun}{'' if number == 1 else 's'} {rest}".rstrip()


def label_moments(moments: Sequence[object]) -> list[str]:
    """Label the ticks of a time axis: no finer than they need, the year or the day only where it changes."""
    whens = [_read(moment) for moment in moments]
    months = all(when.day == 1 and _is_midnight(when) for when in whens)
    days = all(map(_is_midnight, whens))
    labels = []
    for number, when in enumerate(whens):
        before = whens[number - 1] if number else None
        year = "" if before is not None and before.year == when.year else f" {when.year}"
        day = f"{when.day} {_MONTHS[when.month - 1]}{year}"
        if months:
            labels.append(f"{_MONTHS[when.month - 1]}{year}")
        elif days:
            labels.append(day)
        else:
            same = before is not None and before.date() == when.date()
            labels.append(f"{when:%H:%M}" if same else f"{day}, {when:%H:%M}")
    return labels


def _read(moment: object) -> datetime:
    text = str(moment)
    return datetime.fromisoformat(text[:19]).replace(tzinfo=None)


def _are_months(unit: str, *whens: datetime) -> bool:
    return "month" in unit and all(when.day == 1 and _is_midnight(when) for when in whens)


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
