"""Texts to times: the only place of Crime Risk where a date is read from text.

Times are naive local civil time, as the police wrote them down: the wall clock is kept, and the time-zone offset
beside it (`timezones.settle_zone` may use it).  Which of day and month comes first is decided by the whole column,
never row by row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..contract.texts import count_text
from ..ground.errors import DataError, ParameterError
from .timeshapes import ABSENT, CLOCKS, DATES, read_shapes

MISSING = "no time given"
EXPECTED = "time not understood, expected one like 2019-02-01 23:00"
IMPOSSIBLE = "no such date"
YEAR = "year out of range"
EPOCH = "a bare number is not taken for a time"
PLACEHOLDER = "the date is a placeholder"
MIXED = "day and month are the other way round than in most rows"
#: Said where offsets are not used.
OFFSETS_DROPPED = "Time-zone offsets were dropped and the wall clock kept"
CLOCK = "time of day not understood, expected one like 23:00"

_NOTHING = frozenset(("", "-", "na", "n/a", "nan", "nat", "null", "none", "unknown", "nil"))
_ORDERS = ("auto", "ymd", "dmy", "mdy")
_WORDS = {"ymd": "year-month-day", "dmy": "day first", "mdy": "month first"}
#: What spreadsheets and databases write where they have no date.
_PLACEHOLDERS = np.array(["1899-12-30", "1899-12-31", "1900-01-01"], dtype="datetime64[D]")
_FIRST_YEAR, _LAST_YEAR = 1900, 2199


@dataclass(frozen=True)
class ParsedTimes:
    """A column of times.

    Attributes
    ----------
    time : ndarray of datetime64[s]
        NaT where the text is missing or refused.
    reason : ndarray of object
        Why a row is refused, ``''`` where it is fine.  A kind, or a kind followed by ``: 'the text'``.
    order : str
        How dates such as 02/03/2019 were read: ``ymd`` if there were none, else ``dmy`` or ``mdy``.
    note : str
        What a reader of the results should know; may be empty.
    whole : bool
        False if the texts say more than `time` keeps: offsets or fractions of a second.
    offset : ndarray of int64 or None
        Seconds east of UTC in which `time` is written, `ABSENT` where the text does not say; None if none does.
    months : bool
        True if all that were read are months without a day.
    """

    time: NDArray[np.datetime64]
    reason: NDArray[np.object_]
    order: str
    note: str
    whole: bool = True
    offset: NDArray[np.int64] | None = None
    months: bool = False


def join_sentences(*sentences: str) -> str:
    """Join what is to be said, empty or not, into one note."""
    return ". ".join(sentence for sentence in sentences if sentence)


def kind_of_reason(reason: str) -> str:
    """The part of a reason that is the same for every row refused for it."""
    return reason.split(": '", 1)[0]


def is_missing(text: object) -> bool:
    """Whether a text stands for no time at all."""
    return str(text).strip().lower() in _NOTHING


def parse_times(texts: NDArray[Any] | Sequence[Any], order: str = "auto", undecided: str | None = None) -> ParsedTimes:
    """Read a column of texts as times.

    Understood are ISO 8601 with or without time, fractions and offset; months alone (the first of the
    month is meant); compact 20190201 and 20190201T230000; numbers with day or month first and years of
    two or four digits, with 24 hours or AM/PM; English month names; and what QGIS and Qt make of a
    date.  Bare numbers are refused: one says neither unit nor origin (`timejoin.read_dates` asks the column).

    Parameters
    ----------
    texts : sequence
        Texts, None or NaN.  Anything else is read through its text.
    order : {'auto', 'ymd', 'dmy', 'mdy'}
        Order of dates like 02/03/2019.  ``auto`` decides over the whole column: a number above 12
        gives day or month away.  If both kinds occur the majority wins and the rows that contradict
        it are refused.  If nothing decides, dates with AM/PM are read month first (only American
        exports combine the two) and all others day first; `ParsedTimes.note` says so.
    undecided : {'dmy', 'mdy'}, optional
        What ``auto`` takes where nothing decides, for a source whose habit is known.

    Returns
    -------
    ParsedTimes

    Examples
    --------
    >>> parsed = parse_times(["01/31/2015 11:43:40 PM", "02/03/2015 01:00:00 AM", "?"])
    >>> parsed.time.astype(str).tolist()
    ['2015-01-31T23:43:40', '2015-02-03T01:00:00', 'NaT']
    >>> parsed.order
    'mdy'
    """
    if order not in _ORDERS:
        raise ParameterError(
            f"Date order {order!r} is not known",
            parameter="order",
            value=order,
            remedy="Use one of " + ", ".join(_ORDERS),
        )
    codes, words = _unique(texts)
    weight = np.bincount(codes, minlength=len(words))
    missing = _is_missing(words)
    fields = read_shapes(words, DATES)
    numeric = fields["a"] != ABSENT
    chosen, notes, contrary = _decide(fields, numeric, weight, order, undecided)

    year, month, day = fields["year"], fields["month"], fields["day"]
    parts = [fields["a"], fields["b"], fields["c"]]
    for name, target in (("y", year), ("m", month), ("d", day)):
        target[numeric] = parts[chosen.index(name)][numeric]
    year_digits = np.where(numeric, fields["c_digits" if chosen != "ymd" else "a_digits"], fields["year_digits"])
    short = (year != ABSENT) & (year_digits == 2)
    # As POSIX has it: 69 to 99 are the last century.
    year[short] += np.where(year[short] >= 69, 1900, 2000)
    only_month = (day == ABSENT) & (month != ABSENT)
    day[only_month] = 1

    understood = month != ABSENT
    fine = understood & (month >= 1) & (month <= 12) & (day >= 1) & ~contrary
    safe_month = np.where(fine, (year - 1970) * 12 + month - 1, 0).astype("datetime64[M]")
    date = safe_month.astype("datetime64[D]") + (np.where(fine, day, 1) - 1)
    fine &= date.astype("datetime64[M]") == safe_month
    seconds, clock_fine = _clock(fields)
    fine &= clock_fine
    placeholder = fine & np.isin(date, _PLACEHOLDERS)
    beyond = fine & ~placeholder & ((year < _FIRST_YEAR) | (year > _LAST_YEAR))
    fine &= ~placeholder & ~beyond
    time = np.where(fine, date.astype("datetime64[s]") + seconds.astype("timedelta64[s]"), np.datetime64("NaT"))

    kind = np.full(len(words), "", dtype=object)
    kind[~fine] = EXPECTED
    kind[understood & ~fine] = IMPOSSIBLE
    kind[contrary] = MIXED
    kind[placeholder] = PLACEHOLDER
    kind[beyond] = YEAR
    bare = ~fine & np.array([word.removeprefix("-").replace(".", "", 1).isdigit() for word in words], dtype=bool)
    kind[bare] = EPOCH
    reason = _with_text(kind, words)
    reason[missing] = MISSING

    months = bool(fine.any() and only_month[fine].all())
    if months:
        notes.append("The dates are months only: every incident is set to the first of its month")
    elif only_month[fine].any():
        rows = int(weight[fine & only_month].sum())
        notes.append(f"{rows} of the dates are months only and set to the first of the month")
    zoned = bool((fields["zone"][fine] != ABSENT).any())
    whole = not zoned and not (fields["fraction"][fine] > 0).any()
    offset = fields["zone"][codes] if zoned else None
    note = join_sentences(*notes)
    return ParsedTimes(time.astype("datetime64[s]")[codes], reason[codes], chosen, note, whole, offset, months)


def add_time_of_day(dates: ParsedTimes, texts: NDArray[Any] | Sequence[Any]) -> ParsedTimes:
    """Set the time of day of `dates` from a column of its own.

    Understood are 23:00:00, 14:32, 2:30 PM, 1432 and, if hardly a number of the column is above 24, bare
    hours.  A missing time of day, and a date that a spreadsheet wrote in its stead (1899-12-30),
    leave midnight, and the note says for how many; anything else refuses the row.  An offset of the dates is
    dropped: they are days, and their times of day are local unless these carry one themselves.
    """
    codes, words = _unique(texts)
    weight = np.bincount(codes, minlength=len(words))
    if len(codes) != len(dates.time):
        raise DataError(
            f"{count_text(len(dates.time), 'date')} and {count_text(len(codes), 'time of day', 'times of day')} do not"
            f" go together",
            parameter="time",
            remedy="Choose two columns of the same table",
        )
    fields = read_shapes(words, CLOCKS)
    number = fields["number"]
    if (number != ABSENT).any():
        given = number != ABSENT
        # A few 99, for hours that nobody knows, make no hours and minutes of the others.
        hours = 20 * weight[given & (number > 24)].sum() <= weight[given].sum()
        fields["hour"][given] = number[given] if hours else number[given] // 100
        fields["minute"][given] = 0 if hours else number[given] % 100
    seconds, fine = _clock(fields)
    # A column of dates without any clock, such as 1899-12-30, says nothing about the time of day.
    absent = _is_missing(words) | ((fields["hour"] == ABSENT) & (fields["dated"] != ABSENT))
    fine &= (fields["hour"] != ABSENT) | absent
    seconds[absent] = 0
    midnight = dates.time.astype("datetime64[D]").astype("datetime64[s]")
    time = np.where(fine[codes], midnight + seconds[codes].astype("timedelta64[s]"), np.datetime64("NaT"))
    kind = np.full(len(words), "", dtype=object)
    kind[~fine] = CLOCK
    reason = np.where(dates.reason != "", dates.reason, _with_text(kind, words)[codes])
    lacking = int((absent[codes] & ~np.isnat(time)).sum())
    note = join_sentences(dates.note, OFFSETS_DROPPED if dates.offset is not None else "")
    if lacking:
        all_lack = lacking == int((~np.isnat(time)).sum())
        rows = "All incidents" if all_lack else f"{lacking} of the incidents"
        note = join_sentences(note, f"{rows} had no time of day and were set to midnight")
    # A clock that the dates had themselves is not in the result, so their column is kept.
    whole = dates.whole and not (dates.time[~np.isnat(dates.time)] != midnight[~np.isnat(dates.time)]).any()
    # What spreadsheets export as 1899-12-30T14:30:00Z is a time of day, and its Z says nothing.
    zone = np.where(fields["dated"] == ABSENT, fields["zone"], ABSENT)
    offset = zone[codes] if (zone != ABSENT).any() else None
    return replace(dates, time=time.astype("datetime64[s]"), reason=reason, note=note, whole=whole, offset=offset)


def _unique(texts: NDArray[Any] | Sequence[Any]) -> tuple[NDArray[np.intp], list[str]]:
    """Codes into the distinct texts, stripped; a column of a million times has few thousand days."""
    column = np.asarray(texts, dtype=object) if not isinstance(texts, np.ndarray) else texts
    codes, distinct = pd.factorize(column.astype(object), use_na_sentinel=True)
    words = [str(text).strip(" \t\r\n\v\f\"'\ufeff\u200b") for text in distinct]
    if (codes < 0).any():
        codes = np.where(codes < 0, len(words), codes)
        words.append("")
    return codes, words


def _is_missing(words: list[str]) -> NDArray[np.bool_]:
    return np.array([is_missing(word) for word in words], dtype=bool)


def _with_text(kind: NDArray[np.object_], words: list[str]) -> NDArray[np.object_]:
    reason = kind.copy()
    for row in np.flatnonzero(kind != ""):
        text = words[row] if len(words[row]) <= 60 else words[row][:57] + "..."
        reason[row] = f"{kind[row]}: '{text}'"
    return reason


def _decide(
    fields: dict[str, NDArray[np.int64]],
    numeric: NDArray[np.bool_],
    weight: NDArray[np.intp],
    order: str,
    undecided: str | None,
) -> tuple[str, list[str], NDArray[np.bool_]]:
    """The order of the numeric dates, what to say about it, and the rows that contradict it."""
    contrary = np.zeros(len(numeric), dtype=bool)
    if order != "auto":
        if order == "ymd":
            # 02/03/2019 cannot begin with its year.
            contrary = numeric & (fields["c_digits"] == 4)
        else:
            month = fields["b" if order == "dmy" else "a"]
            day = fields["a" if order == "dmy" else "b"]
            contrary = numeric & (month > 12) & (day <= 12)
        return order, [], contrary
    if not numeric.any():
        return "ymd", [], contrary
    first, second = fields["a"], fields["b"]
    day_first = numeric & (first > 12) & (first <= 31) & (second <= 12)
    month_first = numeric & (second > 12) & (second <= 31) & (first <= 12)
    days, months = int(weight[day_first].sum()), int(weight[month_first].sum())
    if days and months:
        chosen = "dmy" if days > months else "mdy"
        contrary = month_first if chosen == "dmy" else day_first
        note = (
            f"Dates are mixed: {days} can only be read day first and {months} only month first. They were read "
            f"{_WORDS[chosen]}, the {min(days, months)} others refused; rows that could be either may be wrong"
        )
        return chosen, [note], contrary
    if days or months:
        chosen = "dmy" if days else "mdy"
        return chosen, [f"Dates are read {_WORDS[chosen]}, as numbers above 12 show"], contrary
    if undecided in ("dmy", "mdy"):
        return undecided, [f"Dates are read {_WORDS[undecided]}, as this source writes them"], contrary
    american = (fields["half"][numeric] != ABSENT).any()
    chosen = "mdy" if american else "dmy"
    why = "because they come with AM or PM" if american else "as most countries write them"
    other = "dmy" if american else "mdy"
    note = (
        f"Nothing in the dates tells day from month (no number above 12). They were read {_WORDS[chosen]}, {why}; "
        f"choose the date order {other!r} if that is wrong"
    )
    return chosen, [note], contrary


def _clock(fields: dict[str, NDArray[np.int64]]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Seconds since midnight, and whether there is such a time; absent parts count as zero."""
    hour, minute, second = (np.maximum(fields[name], 0) for name in ("hour", "minute", "second"))
    half = fields["half"]
    fine = (minute <= 59) & (second <= 59) & ((hour <= 23) | ((hour == 24) & (minute == 0) & (second == 0)))
    # 14:30 PM does occur in exports and can only mean 14:30; 0:30 PM cannot mean anything else than 12:30.
    hour = np.where((half == 0) & (hour == 12), 0, hour)
    hour = np.where((half == 1) & (hour < 12), hour + 12, hour)
    fine &= (half != 0) | (hour <= 12)
    return hour * 3600 + minute * 60 + second, fine
