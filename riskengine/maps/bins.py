"""Time bins: half-open, on the calendar, in local civil time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..contract.choices import BinUnit
from ..contract.texts import count_text
from ..ground.errors import ParameterError

Times = NDArray[np.datetime64]

#: A GeoTIFF cannot have more bands than this.
MAX_BINS = 65_535
_CODE = {"hours": "h", "days": "D", "weeks": "D", "months": "M", "quarters": "M"}
#: Steps of its numpy code in a unit.
_STEPS = {"weeks": 7, "quarters": 3}
#: The years that a date can have for every program: the first, and that after the last.
CALENDAR = (np.datetime64("0001"), np.datetime64("10000"))
# 1970-01-05 was a Monday: weeks are counted from it, so they start on Mondays.
_MONDAY = 4


def make_bin_edges(
    first: np.datetime64,
    last: np.datetime64,
    unit: BinUnit,
    length: int = 1,
    noun: str = "map",
    holder: str = "a GeoTIFF holds",
) -> Times:
    """Make the edges of the bins that hold everything from `first` to `last`, both included.

    Hours and days count from midnight of the first day, weeks start on Mondays, months on the first, quarters in
    January, April, July and October.

    Parameters
    ----------
    first, last : datetime64
    unit : {"hours", "days", "weeks", "months", "quarters"}
    length : int
        Units in a bin, e.g. 2 with "hours" for two-hour maps.
    noun, holder : str
        What a sentence calls a bin, and what holds so many at most.

    Returns
    -------
    ndarray of datetime64[s], shape (bins + 1,)
    """
    if unit not in _CODE:
        raise ParameterError(
            f"bin_unit is {unit!r}",
            parameter="bin_unit",
            value=unit,
            remedy="Use hours, days, weeks, months or quarters",
        )
    if length < 1:
        raise ParameterError(
            f"bin_length is {length}; it must be at least 1",
            parameter="bin_length",
            value=length,
            remedy="Give a whole number from 1",
        )
    code = _CODE[unit]
    day = first.astype("datetime64[D]")
    start = day.astype(f"datetime64[{code}]")
    step = length * _STEPS.get(unit, 1)
    if unit == "weeks":
        start = day - np.timedelta64(int(day.astype(np.int64) - _MONDAY) % 7, "D")
    elif unit == "quarters":
        # Months are counted from a January.
        start = start - np.timedelta64(int(start.astype(np.int64)) % 3, "M")
    span = int((last.astype(f"datetime64[{code}]") - start).astype(np.int64))
    bins = span // step + 1
    if bins > MAX_BINS:
        raise ParameterError(
            f"{count_text(bins, noun)} of {length} {unit} lie between {first} and {last}; {holder} at most"
            f" {MAX_BINS:,}",
            parameter="bin_unit",
            value=f"{length} {unit}",
            remedy="Choose longer bins or a shorter period",
        )
    return _run(start, code, step, bins)


def _run(start: np.datetime64, code: str, step: int, bins: int) -> Times:
    steps = (np.arange(bins + 1) * step).astype(f"timedelta64[{code}]")
    edges: Times = (start + steps).astype("datetime64[s]")
    return edges


def bin_text(unit: str, length: int) -> str:
    """How a bin is written in files and reports, e.g. ``2 hours``; quarters as their months."""
    unit, length = ("months", 3 * length) if unit == "quarters" else (unit, length)
    return f"{length} {unit}"


def read_bin_text(text: str) -> tuple[int, str]:
    """Read what `bin_text` wrote.

    Raises
    ------
    ValueError
    """
    number, unit = text.split()
    if not 1 <= int(number) <= 100_000:
        raise ValueError(f"{text!r} is no length of a bin")
    return int(number), unit


def multiply_bin(bin_length: str, number: int) -> str:
    """Write so many bins as one: 13 of ``1 weeks`` are ``13 weeks``."""
    length, unit = read_bin_text(bin_length)
    return bin_text(unit, length * number)


def make_next_edges(edges: Times, bin_length: str, steps: int) -> Times:
    """Make the edges of the `steps` bins that follow `edges`, shape (steps + 1,)."""
    number, unit = read_bin_text(bin_length)
    code = _CODE.get(unit, "s")
    step = number * _STEPS.get(unit, 1)
    return _run(edges[-1].astype(f"datetime64[{code}]"), code, step, steps)


def locate(time: Times, edges: Times) -> NDArray[np.int64]:
    """Number of the bin each time falls in, half-open; -1 outside."""
    position = np.searchsorted(edges, time, side="right") - 1
    position[(position >= len(edges) - 1) | np.isnat(time)] = -1
    return position.astype(np.int64)


def number_bins(time: Times, edges: Times, bin_length: str) -> NDArray[np.int64]:
    """Number of the bin each time falls in: below 0 before the first edge, from T on after the last, as bins go on.

    Parameters
    ----------
    time : ndarray of datetime64, no NaT
    edges : ndarray of datetime64[s], shape (T + 1,)
    bin_length : str
        As `bin_text` writes it.
    """
    length, unit = read_bin_text(bin_length)
    whole, step = f"datetime64[{_CODE.get(unit, 's')}]", length * _STEPS.get(unit, 1)

    def count_steps(since: np.datetime64) -> NDArray[np.int64]:
        # Both floor, also below zero.
        moved: NDArray[np.int64] = (time.astype(whole) - since.astype(whole)).astype(np.int64)
        return moved // step

    number = np.searchsorted(edges, time, side="right").astype(np.int64) - 1
    last = len(edges) - 1
    number = np.where(number < 0, count_steps(edges[0]), number)
    return np.where(number >= last, last + count_steps(edges[-1]), number)


def read_moment(text: str) -> np.datetime64:
    """Read the time that a tag holds; NaT where it holds none."""
    try:
        moment = np.datetime64(text.removesuffix("Z") or "NaT", "s")
    except ValueError:
        return np.datetime64("NaT", "s")
    return moment if CALENDAR[0] <= moment < CALENDAR[1] else np.datetime64("NaT", "s")
