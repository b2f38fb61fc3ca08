"""Which columns hold the time of an incident, told by their values and, where these leave a choice, by their names.

A file may say several times of each row: when it happened, when it was reported, when the row was changed; in one
column or in many.  Every way to read a time is a reading with a score, and the best one wins.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..contract.texts import count_text
from .timejoin import find_flat_clock, holds_years, is_utc, join_times, read_dates, write_clock
from .timenames import find_month, is_end, names_time, strip_part, tell_part, tell_role
from .times import MISSING, add_time_of_day, is_missing, parse_times

#: Rows that are looked at.
SAMPLE_ROWS = 2000

#: So much of what a column gives must be understood before it counts.
_UNDERSTOOD = 0.8
#: A column that calls itself a date may have many bad ones: its rows are refused with a reason then.
_UNDERSTOOD_IF_NAMED = 0.2
#: What a reading is worth by how much it tells, and by whose time its name says it is.
_WORTH = {"moment": 1.0, "joined": 0.98, "parts": 0.96, "utc": 0.9, "date": 0.7, "month": 0.4}
_ROLES = {"event": 1.5, "": 1.0, "reported": 0.5}
#: Below this share of the best score a reading is not worth a word.
_WORTH_SAYING = 0.2

_MONTH_ONLY = re.compile(r"\d{4}[-/.]\d{1,2}|\d{1,2}[-/.]\d{4}|[^\W\d]+\.?[-/., ]+\d{4}")
_BARE = re.compile(r"\d{5,13}(?:[.,]\d+)?")
_WHOLE = re.compile(r"\d{1,4}(?:\.0*)?")
_NUMBER = re.compile(r"\d+(?:[.,]\d*)?")
_LIMITS = {"year": (1900, 2199), "month": (1, 12), "day": (1, 31), "hour": (0, 24), "minute": (0, 59)}


@dataclass(frozen=True)
class Reading:
    """A way to read the time.

    Attributes
    ----------
    columns : tuple of str
        As `join_times` takes them.
    score : float
    says : str
        What the columns hold and what their names add.
    kind : str
        A key of `_WORTH`.
    flat : str
        The one time of day that all rows have where it says nothing, such as ``05:00``.
    """

    columns: tuple[str, ...]
    score: float
    says: str
    kind: str
    flat: str = ""


# Two columns are the same only if they are one: with it they can be keys.
@dataclass(frozen=True, eq=False)
class _Column:
    name: str
    position: int
    texts: list[str]


def find_times(
    header: Sequence[str], rows: Sequence[Sequence[str]], taken: Sequence[str] = (), order: str = "auto"
) -> list[Reading]:
    """Find the ways in which the time may be read, the best first.

    Parameters
    ----------
    header : sequence of str
    rows : sequence of rows
        The first of the file; only those as wide as the header count.
    taken : sequence of str
        Columns that hold something else.
    order : str
        Order of dates, as for `parse_times`.
    """
    fitting = [row for row in rows if len(row) == len(header)]
    # Of columns of one name only the first can be named.
    columns = [
        _Column(name, number, [row[number] for row in fitting])
        for number, name in enumerate(header)
        if fitting and name not in taken and name not in header[:number]
    ]
    dates = {column: reading for column in columns if (reading := _read_date(column, order))}
    rest = [column for column in columns if column not in dates]
    clocks = {column: kind for column in rest if (kind := _tell_clock(column))}
    named = [column.name for column in dates]
    readings = [_add_clock(column, reading, named, clocks, rest, order) for column, reading in dates.items()]
    readings += _read_parts(rest)
    if not readings:
        # The reasons for which its rows are refused say more than that there is no time.
        readings = [
            Reading((column.name,), 0.0, f"{column.name!r} (by its name alone)", "date")
            for column in rest
            if names_time(column.name) and tell_part(column.name) in ("", "day") and tell_role(column.name) != "life"
        ]
    return sorted(readings, key=lambda reading: -reading.score)


def describe_choice(readings: Sequence[Reading]) -> str:
    """Describe which reading was taken, why, and what else could have been."""
    best = readings[0]
    said = f"The time is read from {best.says}"
    end = _find_end(readings)
    others = [each.says for each in readings[1:] if each is not end and each.score >= _WORTH_SAYING * best.score][:3]
    if others:
        said += f". It could also have been {'; or '.join(others)}. To choose, name the column of the time"
    if best.flat and best.flat != "00:00":
        said += f". All times of day are {best.flat}, so they say nothing, and no other column says more"
    return said


def describe_end(readings: Sequence[Reading]) -> str:
    """Describe the end of the span whose start is the time taken; empty if the file names none."""
    end = _find_end(readings)
    if end is None:
        return ""
    names = " and ".join(map(repr, end.columns))
    return (
        f"The end of the span in which it happened is by name in {names}: END_FIELD={','.join(end.columns)} keeps both"
    )


def _find_end(readings: Sequence[Reading]) -> Reading | None:
    """The best reading of the end of the same event."""
    if is_end(readings[0].columns[0]):
        return None
    role = tell_role(readings[0].columns[0])
    return next((each for each in readings if is_end(each.columns[0]) and tell_role(each.columns[0]) == role), None)


def _read_date(column: _Column, order: str) -> Reading | None:
    """A column by itself, if it holds dates."""
    role = tell_role(column.name)
    if role == "life":
        return None
    texts = column.texts
    given = [text.strip() for text in texts if not is_missing(text)]
    bare = sum(_BARE.fullmatch(text) is not None for text in given) > len(given) / 2
    # A case number may look like a day of a spreadsheet, and a code of eight digits like a date.
    named = names_time(column.name)
    if not given or (bare and not named):
        return None
    parsed = read_dates(texts, order)
    fine = parsed.time[~np.isnat(parsed.time)]
    least = _UNDERSTOOD_IF_NAMED if named else _UNDERSTOOD
    if (
        not len(fine)
        or len(fine) < least * len(given)
        or (bare and fine.min() > np.datetime64("now") + np.timedelta64(366, "D"))
    ):
        return None
    flat = _name_clock(find_flat_clock(fine))
    utc = is_utc(given)
    if all(_MONTH_ONLY.fullmatch(text) for text in given):
        kind, what = "month", "months"
    elif flat:
        kind, what = "date", "dates" if flat == "00:00" else f"dates whose time of day is always {flat}"
    else:
        kind, what = ("utc", "dates and times of day in UTC") if utc else ("moment", "dates and times of day")
    if bare:
        what += " as numbers"
    share = len(fine) / len(texts)
    score = share * _WORTH[kind] * _ROLES[role] * (0.8 if is_end(column.name) else 1.0)
    # So many rows, since nobody has read the others yet.
    said = f"{column.name!r} ({what} {_say_share(share, len(texts))}{_say_role(role)})"
    return Reading((column.name,), score, said, kind, flat if len(fine) > 3 or flat == "00:00" else "")


def _name_clock(clocks: Sequence[int]) -> str:
    return " or ".join(f"{clock // 3600:02d}:{clock % 3600 // 60:02d}" for clock in clocks)


def _tell_clock(column: _Column) -> str:
    """What a column holds of the time of day: ``clock``, ``hour``, or nothing."""
    given = [text.strip() for text in column.texts if not is_missing(text)]
    if not given or (len(given) > 2 and len(set(given)) == 1):
        return ""
    numbers = sum(_NUMBER.fullmatch(text) is not None for text in given) > len(given) / 2
    # Numbers count and measure all sorts of things.
    if numbers and tell_part(column.name) not in ("hour", "clock"):
        return ""
    some_day = parse_times(["2000-01-01"] * len(given))
    understood = int((add_time_of_day(some_day, write_clock(given)).reason == "").sum())
    if understood < _UNDERSTOOD * len(given):
        return ""
    return "hour" if numbers and _within(given, "hour") else "clock"


def _add_clock(
    column: _Column,
    date: Reading,
    named: Sequence[str],
    clocks: dict[_Column, str],
    rest: Sequence[_Column],
    order: str,
) -> Reading:
    """A date with the time of day that a column of the same time has, if it has none itself."""
    alone = read_dates(column.texts, order)
    known = ~np.isnat(alone.time)
    if date.kind == "month" or not find_flat_clock(alone.time[known]):
        return date
    role, stem = tell_role(column.name), strip_part(column.name)
    stems = {strip_part(name) for name in named} - {stem}
    fits = [
        (strip_part(other.name) != stem, kind == "hour", abs(other.position - column.position), other)
        for other, kind in clocks.items()
        # The time of day of another event is worse than none, and so is one that belongs to another date.
        if strip_part(other.name) not in stems
        and (tell_role(other.name) in (role, "") or (role == "" and tell_role(other.name) == "event"))
    ]
    if not fits:
        return date
    clock = min(fits, key=lambda fit: fit[:3])[3]
    columns, what = [column, clock], "times of day"
    if clocks[clock] == "hour":
        minutes = [
            each
            for each in rest
            if tell_part(each.name) == "minute"
            and strip_part(each.name) in (strip_part(clock.name), stem)
            and _within(each.texts, "minute")
        ]
        columns, what = [column, clock, *minutes[:1]], "hours and minutes" if minutes else "hours"
    joined = join_times([each.texts for each in columns], order)
    fine = ~np.isnat(joined.time)
    # Where the dates have these hours already, nothing is gained, and minutes may be lost.
    if (
        fine.sum() < _UNDERSTOOD * known.sum()
        or (joined.time[fine].astype("datetime64[h]") == alone.time[fine].astype("datetime64[h]")).all()
    ):
        return date
    others = " and ".join(repr(each.name) for each in columns[1:])
    return Reading(
        tuple(each.name for each in columns),
        date.score / _WORTH[date.kind] * _WORTH["joined"],
        f"{date.says} with the time of day from {others} ({what} of the same row)",
        "joined",
    )


def _read_parts(columns: Sequence[_Column]) -> list[Reading]:
    """Years with the months, days, hours and minutes of the same time, each in a column of its own."""
    parts: dict[str, list[_Column]] = {part: [] for part in _LIMITS}
    for column in columns:
        part = tell_part(column.name)
        part = "hour" if part == "clock" else part
        if part == "year":
            fits = holds_years(column.texts)
        else:
            fits = part in _LIMITS and (_within(column.texts, part) or (part == "hour" and _tell_clock(column) != ""))
        if fits:
            parts[part].append(column)
    readings = []
    for year in parts["year"]:
        stem, role = strip_part(year.name), tell_role(year.name)
        found = [year]
        for part in ("month", "day", "hour", "minute"):
            same = [each for each in parts[part] if strip_part(each.name) == stem]
            alike = same or [each for each in parts[part] if tell_role(each.name) == role and len(parts[part]) == 1]
            if not alike:
                break
            found.append(min(alike, key=lambda each: abs(each.position - year.position)))
        if len(found) < 2:
            continue
        joined = join_times([each.texts for each in found])
        given = int((joined.reason != MISSING).sum())
        fine = int((joined.reason == "").sum())
        if not given or fine < _UNDERSTOOD * given or role == "life":
            continue
        kind = {2: "month", 3: "date"}.get(len(found), "parts")
        named = ", ".join(repr(each.name) for each in found)
        share = fine / len(year.texts)
        what = ", ".join(("year", "month", "day", "hour", "minute")[: len(found)])
        readings.append(
            Reading(
                tuple(each.name for each in found),
                share * _WORTH[kind] * _ROLES[role],
                f"{named} ({what} {_say_share(share, len(year.texts))}{_say_role(role)})",
                kind,
            )
        )
    return readings


def _within(texts: Sequence[str], part: str) -> bool:
    """Whether nearly all texts given are whole numbers that this part of a time may have, or names of months."""
    low, high = _LIMITS[part]
    given = [text.strip() for text in texts if not is_missing(text)]
    plain = [find_month(text) for text in given] if part == "month" else given
    fine = sum(_WHOLE.fullmatch(text) is not None and low <= float(text) <= high for text in plain)
    return bool(given) and fine >= 0.95 * len(given)


def _say_share(share: float, rows: int) -> str:
    """In how many rows; only the first of the file are looked at."""
    if share == 1.0:
        return f"in all of the first {count_text(rows, 'row')}" if rows > 1 else "in the first row"
    return f"in {min(max(round(100 * share), 1), 99)} % of the first {count_text(rows, 'row')}"


def _say_role(role: str) -> str:
    return {"event": ", by its name when it happened", "reported": ", by its name when it was written down"}.get(
        role, ""
    )
