"""How exact times are: to the minute, the hour, the day or the month. Nothing is counted in finer bins than that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from ..contract.choices import Exactness

#: From fine to coarse.
EXACTNESS: tuple[Exactness, ...] = get_args(Exactness)
#: Share that makes "all" of imperfect data.
ALL = 0.98
#: Fewer times may share one time of day by chance; midnight is none.
_FEWEST = 4
_HOUR, _DAY = 3600, 86_400
#: Hours in a unit of bins, a month being its 31 days.
_HOURS = {"hours": 1, "days": 24, "weeks": 168, "months": 744}
#: The least hours of a bin that times of an exactness fill evenly; any bin does for finer ones.
_LEAST_HOURS = {"day": _HOURS["days"], "month": _HOURS["months"]}


@dataclass(frozen=True)
class Clock:
    """What times tell of how they were recorded.

    Attributes
    ----------
    exactness : {"minute", "hour", "day", "month"}
    share : float
        Share of the times that show it: set to the first of a month, to one time of day, or to full hours.
    clocks : tuple of int
        The one time of day of all, or the two that a summer time makes of one, in seconds; empty for finer times.
    """

    exactness: Exactness
    share: float
    clocks: tuple[int, ...] = ()


def measure_exactness(time: NDArray[np.datetime64]) -> Clock:
    """Measure how exact times are; a few that say otherwise do not count.

    Month: midnights of the first of more than one month. Day: all at midnight, or four and more at one other time of
    day, or at two an hour apart, as midnights written in UTC are. Hour: full hours.

    Parameters
    ----------
    time : ndarray of datetime64[s]
        At least one, without NaT.
    """
    month = time.astype("datetime64[M]")
    first = measure_months(time)
    if first >= ALL and month.min() != month.max():
        return Clock("month", first, (0,))
    seconds = time.astype("datetime64[s]").astype(np.int64) % _DAY
    counts = np.bincount(seconds, minlength=_DAY)
    clocks, share = _find_clocks(counts)
    if share >= ALL and (clocks == (0,) or len(time) >= _FEWEST):
        return Clock("day", share, clocks)
    hours = float(counts[::_HOUR].sum()) / len(time)
    return Clock("hour", hours) if hours >= ALL else Clock("minute", 1.0)


def _find_clocks(counts: NDArray[np.int64]) -> tuple[tuple[int, ...], float]:
    """The most frequent time of day, with that an hour before or after it if that is needed, and their share."""
    total = int(counts.sum())
    most = int(counts.argmax())
    share = float(counts[most]) / total
    if share >= ALL:
        return (most,), share
    other = max((most - _HOUR) % _DAY, (most + _HOUR) % _DAY, key=lambda clock: counts[clock])
    return (min(most, other), max(most, other)), float(counts[most] + counts[other]) / total


def measure_months(time: NDArray[np.datetime64]) -> float:
    """Measure the share of times at midnight of the first of a month, as months without a day are written."""
    return float((time == time.astype("datetime64[M]")).mean())


def find_exactness(time: NDArray[np.datetime64], word: str = "") -> Exactness:
    """Find how exact times are; of what their source says and what they show the coarser counts.

    Parameters
    ----------
    time : ndarray of datetime64[s]
        At least one, without NaT.
    word : str
        What came with them; anything that is no exactness says nothing.
    """
    shown = measure_exactness(time).exactness
    return max([shown, *(each for each in EXACTNESS if each == word)], key=EXACTNESS.index)


def is_too_fine(bin: str, exactness: str) -> bool:
    """Whether a bin such as ``2 hours`` is finer than times are exact; False where either is unknown."""
    number, _, unit = bin.partition(" ")
    if unit not in _HOURS or not number.isdigit():
        return False
    return int(number) * _HOURS[unit] < _LEAST_HOURS.get(exactness, 0)


def describe_exactness(time: NDArray[np.datetime64], exactness: str) -> str:
    """Describe in a sentence how exact times are, without its full stop."""
    said = f"The times are exact to the {exactness}"
    if exactness == "month":
        return f"{said}: neither the day nor the time of day is known"
    if exactness == "day":
        clocks = measure_exactness(time).clocks
        # A layer may have said so of times that look finer.
        return f"{said}: all are at {name_clocks(clocks)}, so no time of day is known" if clocks else said
    return said


def name_clocks(clocks: tuple[int, ...]) -> str:
    """Name times of day, e.g. ``04:00 or 05:00``."""
    return " or ".join(f"{clock // _HOUR:02d}:{clock % _HOUR // 60:02d}" for clock in clocks)
