"""One time from one to five columns: a date, a date and a time of day, or year, month, day, hour and minute."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..contract.texts import count_text
from ..ground.errors import ParameterError
from .timenames import find_month
from .times import MISSING, ParsedTimes, add_time_of_day, is_missing, join_sentences, parse_times
from .timeshapes import ABSENT

#: Columns that a time may be spread over.
MOST_COLUMNS = 5

_BARE = re.compile(r"\d{5,13}(?:[.,]\d+)?")
_YEAR = re.compile(r"(?:19|20|21)\d\d(?:\.0*)?")
_UTC = re.compile(r".*\d ?(?:Z|UTC|GMT|[+-]00(?::?00)?)", re.IGNORECASE)
_FRACTION = re.compile(r"0?[.,]\d+")
#: Unit of bare numbers: least and largest value, seconds in one, the number's own zero, and what is said of it.
_UNITS = (
    (
        *(18264.0, 73050.0, 86400.0, np.datetime64("1899-12-30", "s")),
        "The times are numbers from {low} to {high}: they were read as a spreadsheet's days since 1899-12-30",
    ),
    (
        *(1e8, 4.1e9, 1.0, np.datetime64("1970-01-01", "s")),
        "The times are numbers from {low} to {high}: they were read as seconds since 1970, which are counted in UTC",
    ),
    (
        *(1e11, 4.1e12, 1e-3, np.datetime64("1970-01-01", "s")),
        "The times are numbers from {low} to {high}: they were read as milliseconds since 1970, which are counted in "
        "UTC",
    ),
)

Texts = NDArray[Any] | Sequence[Any]


def join_times(columns: Sequence[Texts], order: str = "auto", undecided: str | None = None) -> ParsedTimes:
    """Read the time of every row from the columns that it is spread over.

    Parameters
    ----------
    columns : sequence of one to five columns of texts
        A date with or without its time of day; a date and a time of day; a date, an hour and a minute; or, where the
        first column holds years, as many of year, month, day, hour and minute as there are columns.
    order, undecided
        As for `parse_times`.

    Raises
    ------
    ParameterError
        If there are more columns than these.
    """
    if len(columns) > 1 and holds_years(columns[0]):
        # Beyond the day, years and dates go on in the same way.
        date, rest = _join_date(columns[:3]), list(columns[3:])
        dates = parse_times(date, "ymd")
    else:
        dates, rest = read_dates(columns[0], order, undecided), list(columns[1:])
    if len(rest) > 2:
        raise ParameterError(
            f"The time is spread over {count_text(len(columns), 'column')}, but the first holds no years",
            parameter="time",
            remedy="Name year, month, day, hour and minute in this order; or date and time of day; or one column",
        )
    if not rest:
        return dates
    dates = _round_up(dates, columns[0])
    return add_time_of_day(dates, write_clock(rest[0]) if len(rest) == 1 else _join_clock(rest[0], rest[1]))


def find_flat_clock(times: NDArray[np.datetime64]) -> list[int]:
    """Find the one time of day of all these, in seconds, or two an hour apart, as a summer time makes of one."""
    clocks = np.unique((times - times.astype("datetime64[D]")).astype(np.int64))
    flat = len(clocks) == 1 or (len(clocks) == 2 and clocks[1] - clocks[0] == 3600)
    return [int(clock) for clock in clocks] if flat else []


def is_utc(texts: Texts) -> bool:
    """Whether most of the different texts given say that they are UTC."""
    given = [text for text in set(texts) if not is_missing(text)]
    return 2 * sum(_UTC.fullmatch(str(text).strip()) is not None for text in given) > len(given)


def write_clock(texts: Texts) -> Texts:
    """The texts as times of day if all are fractions of a day, as spreadsheets count them: 0.75 is 18:00."""
    given = {text for text in texts if not is_missing(text)}
    if not any(_FRACTION.fullmatch(str(text).strip()) for text in given):
        return texts
    if not all(_FRACTION.fullmatch(str(text).strip()) or str(text).strip() in ("0", "1") for text in given):
        return texts
    seconds = {text: round(86400 * float(str(text).replace(",", "."))) for text in given}
    clocks = {text: f"{day // 3600}:{day // 60 % 60:02d}:{day % 60:02d}" for text, day in seconds.items()}
    return [clocks.get(text, "") for text in texts]


def _round_up(dates: ParsedTimes, texts: Texts) -> ParsedTimes:
    """The next day of dates that are midnights east of Greenwich, written in UTC: 23:00 of the day before."""
    clocks = find_flat_clock(dates.time[~np.isnat(dates.time)])
    if not clocks or clocks[0] <= 43200 or not is_utc(texts):
        return dates
    said = "The dates are midnights written in UTC: each was read as the day that begins then"
    note = join_sentences(said, dates.note)
    return replace(dates, time=dates.time + np.timedelta64(86400, "s"), note=note, whole=False)


def holds_years(texts: Texts) -> bool:
    """Whether most of the different texts given are years, which alone are no dates."""
    given = [text for text in set(texts) if not is_missing(text)]
    return bool(given) and 2 * sum(_YEAR.fullmatch(str(text).strip()) is not None for text in given) > len(given)


def read_dates(texts: Texts, order: str = "auto", undecided: str | None = None) -> ParsedTimes:
    """Read a column of dates as `parse_times` does, or of bare numbers if the whole column says what they count.

    One number alone may be anything. Where most texts are numbers and nine tenths of these lie in one range, they are
    a spreadsheet's days, or seconds or milliseconds since 1970.
    """
    parsed = parse_times(texts, order, undecided)
    number = np.full(len(parsed.time), np.nan)
    for row in np.flatnonzero((parsed.reason != "") & (parsed.reason != MISSING)):
        text = str(texts[int(row)]).strip()
        if _BARE.fullmatch(text):
            number[row] = float(text.replace(",", "."))
    bare = ~np.isnan(number)
    if 2 * bare.sum() <= (parsed.reason != MISSING).sum():
        return parsed
    for low, high, seconds, zero, note in _UNITS:
        fits = bare & (number >= low) & (number <= high)
        if 10 * fits.sum() < 9 * bare.sum():
            continue
        # A half second more keeps 08:45 from becoming 08:44:59, since a day's fractions are never exact.
        since = np.where(fits, number * seconds + (0.5 if seconds > 1 else 0.0), 0.0)
        time = np.where(fits, zero + np.floor(since).astype("timedelta64[s]"), parsed.time)
        said = note.format(low=f"{number[fits].min():.15g}", high=f"{number[fits].max():.15g}")
        return replace(
            parsed,
            time=time.astype("datetime64[s]"),
            reason=np.where(fits, "", parsed.reason),
            note=join_sentences(said, parsed.note),
            whole=parsed.whole and (seconds > 1 or not (since[fits] % 1).any()),
            # A spreadsheet counts by its own clock, the others in UTC.
            offset=parsed.offset if seconds > 1 else np.where(fits, 0, _offsets(parsed)),
        )
    return parsed


def _offsets(parsed: ParsedTimes) -> NDArray[np.int64]:
    return np.full(len(parsed.time), ABSENT) if parsed.offset is None else parsed.offset


def _join_date(parts: Sequence[Texts]) -> list[str]:
    """Dates as texts from year and month, and the day where there is one; empty where a part is."""
    year, month = _tidy(parts[0], _plain), _tidy(parts[1], find_month)
    if len(parts) == 2:
        return [f"{y}-{m}" if y and m else "" for y, m in zip(year, month, strict=True)]
    day = _tidy(parts[2], _plain)
    return [f"{y}-{m}-{d}" if y and m and d else "" for y, m, d in zip(year, month, day, strict=True)]


def _join_clock(hours: Texts, minutes: Texts) -> list[str]:
    """Times of day as texts from hours and minutes; empty without an hour, and full hours without a minute."""
    hour, minute = _tidy(hours, _plain), _tidy(minutes, _plain)
    return [f"{h}:{m or 0}" if h else "" for h, m in zip(hour, minute, strict=True)]


def _tidy(texts: Texts, make: Callable[[str], str]) -> list[str]:
    """The texts made plain, each distinct one once."""
    known = {text: "" if is_missing(text) else make(str(text).strip()) for text in set(texts)}
    return [known[text] for text in texts]


def _plain(text: str) -> str:
    """A whole number without the point that tables of real numbers give it."""
    head, point, tail = text.partition(".")
    return head if point and not tail.strip("0") else text
