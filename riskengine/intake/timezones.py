"""Offsets in texts, and counts in UTC, brought to the wall clock of the place."""

from __future__ import annotations

import datetime
import difflib
import re
import zoneinfo
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..contract.texts import count_text
from ..ground.errors import ParameterError
from .times import OFFSETS_DROPPED, ParsedTimes, join_sentences
from .timeshapes import ABSENT

_FIXED = re.compile(r"(?:UTC|GMT)?\s*([+-])(\d{1,2})(?::?(\d{2}))?", re.IGNORECASE)
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_DAY = 86400


def find_zone(name: str) -> datetime.tzinfo:
    """Find a time zone by its name in the tz database, or by its offset.

    Parameters
    ----------
    name : str
        Such as ``America/New_York`` or ``UTC-05:00``; case, and spaces for underscores, do not matter.

    Raises
    ------
    ParameterError
        With the names that are close.
    """
    plain = name.strip()
    fixed = _FIXED.fullmatch(plain)
    if fixed:
        sign, hours, minutes = fixed.groups()
        length = datetime.timedelta(hours=int(hours), minutes=int(minutes or 0))
        if length <= datetime.timedelta(hours=14):
            return datetime.timezone(-length if sign == "-" else length)
    known = {_reduce(each): each for each in zoneinfo.available_timezones()}
    if _reduce(plain) in known:
        return zoneinfo.ZoneInfo(known[_reduce(plain)])
    cities = {key.rpartition("/")[2]: each for key, each in sorted(known.items(), reverse=True)}
    keys = [cities[key] for key in difflib.get_close_matches(_reduce(plain).rpartition("/")[2], cities, 3, 0.75)]
    keys += [known[key] for key in difflib.get_close_matches(_reduce(plain), known, 3, 0.75)]
    close = list(dict.fromkeys(keys))[:3]
    raise ParameterError(
        f"There is no time zone {name!r}",
        parameter="time_zone",
        value=name,
        remedy=f"Did you mean {' or '.join(close)}" if close else "Give one such as America/New_York or UTC-05:00",
    )


def settle_zone(
    times: ParsedTimes, zone: datetime.tzinfo | None, usual: str | None, guess: Callable[[], str]
) -> tuple[ParsedTimes, str]:
    """Settle in which zone times with an offset, or counted in UTC, are kept.

    Parameters
    ----------
    times : ParsedTimes
    zone : tzinfo or None
        Into which they are converted; without one they stay as they are written.
    usual : str or None
        The zone of a source that is known, for the warning that the times may be hours off.
    guess : callable
        Names the zone where there is no `usual`; only asked where it is needed. Empty if nobody knows.

    Returns
    -------
    times : ParsedTimes
        With what was done in its note.
    warning : str
        May be empty.
    """
    offset = times.offset
    told = ~np.isnat(times.time) & (offset != ABSENT) if offset is not None else np.zeros(len(times.time), dtype=bool)
    if offset is None or not told.any():
        why = "none of the times read carries an offset or counts in UTC, so all are local as they are written"
        return times, f"TIME_ZONE={zone} changes nothing: {why}" if zone else ""
    if (times.time[told] == times.time[told].astype("datetime64[D]")).all():
        # A day that begins at midnight in UTC is that day, not the evening before it.
        why = ", since they are dates without a time of day" if zone else ""
        return _say(times, OFFSETS_DROPPED + why), ""
    utc = times.time[told] - offset[told].astype("timedelta64[s]")
    if zone:
        local = compute_offsets(utc, zone)
        moved = times.time.copy()
        moved[told] = utc + local.astype("timedelta64[s]")
        said = (
            f"{count_text(len(utc), 'time was', 'times were')} converted into the time zone {zone}"
            f" ({_describe_offsets(local)})"
        )
        rest = int((~np.isnat(times.time) & ~told).sum())
        said += f", {rest} others carry no offset and were taken as they are written" if rest else ""
        return _say(replace(times, time=moved, whole=False), said), ""
    place = usual or guess()
    shift = compute_offsets(utc, find_zone(place)) - offset[told] if place else None
    if shift is not None and not shift.any():
        return _say(times, f"{OFFSETS_DROPPED}, which is that of {place}"), ""
    given = "count in UTC" if not offset[told].any() else f"carry offsets ({_describe_offsets(offset[told])})"
    warning = f"The times {given}, and were kept as they are written. "
    if shift is None:
        warning += "If they are not the local time of the place, convert them: TIME_ZONE=America/New_York, for example"
    else:
        warning += (
            f"The time zone of the place is {'' if usual else 'probably '}{place}, where clocks show "
            f"{_describe_shift(shift)}. Unless the publisher writes local times with a wrong offset, convert them: "
            f"TIME_ZONE={place}"
        )
    return _say(times, OFFSETS_DROPPED), warning


def compute_offsets(utc: NDArray[np.datetime64], zone: datetime.tzinfo) -> NDArray[np.int64]:
    """Compute the offsets of a zone, in seconds east of UTC, at these moments (datetime64[s], without NaT)."""
    seconds = utc.astype("datetime64[s]").astype(np.int64)
    days, codes = np.unique(seconds // _DAY, return_inverse=True)
    first = np.array([_find_offset(day * _DAY, zone) for day in days.tolist()], dtype=np.int64)
    last = np.array([_find_offset((day + 1) * _DAY, zone) for day in days.tolist()], dtype=np.int64)
    offsets = first[codes]
    # The clocks change on two days of a year.
    change = np.flatnonzero((first != last)[codes])
    moments, places = np.unique(seconds[change], return_inverse=True)
    offsets[change] = np.array([_find_offset(moment, zone) for moment in moments.tolist()], dtype=np.int64)[places]
    return offsets


class ClockChange(NamedTuple):
    """A change of the clocks: from `wall` on by `seconds`, forward where they are above zero.

    Forward, the times from `wall` on for so many seconds never were; back, those before `wall` came twice.
    """

    wall: np.datetime64
    seconds: int


def find_clock_changes(zone: str, first: np.datetime64, last: np.datetime64) -> list[ClockChange]:
    """Find when clocks of a zone changed between two moments of the wall clock, to the hour."""
    utc = np.arange(first.astype("datetime64[h]"), last.astype("datetime64[h]")).astype("datetime64[s]")
    offsets = compute_offsets(utc, find_zone(zone))
    change = np.flatnonzero(np.diff(offsets))
    return [
        ClockChange(utc[row + 1] + np.timedelta64(int(offsets[row]), "s"), int(offsets[row + 1] - offsets[row]))
        for row in change.tolist()
    ]


def _find_offset(moment: int, zone: datetime.tzinfo) -> int:
    offset = (_EPOCH + datetime.timedelta(seconds=moment)).astimezone(zone).utcoffset()
    return round(offset.total_seconds()) if offset is not None else 0


def _say(times: ParsedTimes, said: str) -> ParsedTimes:
    return replace(times, note=join_sentences(times.note, said))


def _reduce(name: str) -> str:
    return "_".join(name.casefold().split())


def _describe_offsets(offsets: NDArray[np.int64]) -> str:
    ends = [
        f"UTC{'-' if seconds < 0 else '+'}{abs(seconds) // 3600:02d}:{abs(seconds) // 60 % 60:02d}"
        for seconds in (int(offsets.min()), int(offsets.max()))
    ]
    return ends[0] if ends[0] == ends[1] else f"{ends[0]} to {ends[1]}"


def _describe_shift(shift: NDArray[np.int64]) -> str:
    """How far the local clock is from the times, such as ``4 to 5 hours less``."""
    low, high = int(shift.min()) / 3600, int(shift.max()) / 3600
    if low < 0 < high:
        return f"up to {count_text(-low, 'hour')} less or {count_text(high, 'hour')} more"
    least, most = sorted((abs(low), abs(high)))
    span = f"{most:g}" if least == most else f"{least:g} to {most:g}"
    return f"{span} {'hour' if most == 1 and least in (0, 1) else 'hours'} {'less' if low < 0 else 'more'}"
