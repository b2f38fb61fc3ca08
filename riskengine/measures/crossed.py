"""Intervals over blocks of time and positions of the grid at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from .clustered import Interval
from .compare import LEAST_BLOCKS, Difference, number_time_blocks

Sums = NDArray[np.float64]

#: A week is long enough to be a block by itself.
_SHORTEST = 1
#: Rounding alone gives equal differences a standard error of this share of their mean.
_NO_SPREAD = 1e-12


def compare_crossed(part: Sums, whole: Sums, block: int, level: float = 0.95) -> Difference:
    """Interval of sum(part) / sum(whole), as of the difference of two hit rates, over times and grid positions.

    Parameters
    ----------
    part, whole : ndarray, shape (T, P)
        By bin, in time order, and position of the grid.
    block : int
        Bins in a block of time at most.
    """
    times, places = part.shape
    blocks = number_time_blocks(times, block, _SHORTEST)
    total = float(whole.sum())
    mean = float(part.sum()) / total if total else float("nan")
    if len(blocks) < LEAST_BLOCKS or not total:
        return Difference(mean, float("-inf"), float("inf"), level, min(len(blocks), LEAST_BLOCKS - 1), _tell(places))
    departure = part - mean * whole
    joined = np.array([departure[each].sum(axis=0) for each in blocks])
    error, free = _measure_error(joined, total)
    if error <= _NO_SPREAD * abs(mean):
        # Blocks all alike say nothing of how far others would lie apart, but for forecasts that are the same.
        limit = 0.0 if not part.any() else float("inf")
        return Difference(
            mean, -limit, limit, level, len(blocks) if not limit else LEAST_BLOCKS - 1, _tell(places)
        )
    reach = float(student.ppf((1 + level) / 2, free)) * error
    return Difference(mean, mean - reach, mean + reach, level, len(blocks), _tell(places))


def compute_crossed_rate(part: Sums, whole: Sums, block: int) -> Interval:
    """Compute a ratio of sums, as the hit rate n / N, with its interval as `compare_crossed`, held within [0, 1]."""
    found = compare_crossed(part, whole, block)
    if not np.isfinite(found.low):
        return Interval(found.mean, float("nan"), float("nan"))
    return Interval(found.mean, max(found.low, 0.0), min(found.high, 1.0))


def _tell(places: int) -> int:
    return places if places > 1 else 0


def _measure_error(departure: Sums, total: float) -> tuple[float, float]:
    """Standard error over both kinds of blocks, and its degrees of freedom."""
    times, places = departure.shape
    by_time = float((departure.sum(axis=1) ** 2).sum()) * times / (times - 1)
    if places < 2:
        return float(np.sqrt(by_time)) / total, times - 1
    by_place = float((departure.sum(axis=0) ** 2).sum()) * places / (places - 1)
    both = float((departure**2).sum()) * departure.size / (departure.size - 1)
    return float(np.sqrt(max(by_time + by_place - both, by_time, by_place))) / total, times - 1
