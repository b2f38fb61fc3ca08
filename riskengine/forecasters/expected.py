"""Expected counts with their intervals, from probabilities: counts vary more than a Poisson process has them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.stats import binom, nbinom, poisson

from ..maps.panel import Panel

Array = NDArray[np.float64]

#: Two-sided level of the intervals.
LEVEL = 0.95
#: A probability above this says little of how many there will be: the unit's own mean says more.
SURE = 0.95
#: Bins, at the end of a history, that dispersion and own means are taken from, and the fewest for a dispersion.
_RECENT, _FEWEST = 52, 4
_MOST_DISPERSION = 50.0
#: Expected counts among which those of given probabilities are found.
_MEANS = np.geomspace(1e-8, 1e4, 1200)


@dataclass(frozen=True)
class Counts:
    """Expected counts of each bin and unit, float32 of shape (steps, ...); NaN outside the study area.

    Attributes
    ----------
    mean : ndarray
    low, high : ndarray
        Prediction interval (`LEVEL`), both ends included: whole numbers.
    """

    mean: NDArray[np.float32]
    low: NDArray[np.float32]
    high: NDArray[np.float32]


def expect_counts(risk: NDArray[np.floating], history: Panel, threshold: int = 1) -> Counts:
    """Turn probabilities of at least `threshold` incidents into expected counts.

    Counts are negative binomial, with a variance of φ times the mean: r = mean / (φ - 1), no incident has probability
    φ^-r. The mean is that of which `risk` is the probability, with the φ of bins without an incident (`match_zeros`);
    where the risk is above `SURE`, it is at least the unit's mean of the last bins. Intervals have the φ of all counts
    (`measure_dispersion`). Of binary counts events are expected instead of incidents.

    Parameters
    ----------
    risk : ndarray, shape (steps, ...)
    history : Panel
        What was known at the origin.
    threshold : int
    """
    mask = history.mask
    inside = np.asarray(risk[:, mask], dtype=np.float64)
    if history.binary:
        return _spread(inside, binom.ppf((1 - LEVEL) / 2, 1, inside), binom.ppf((1 + LEVEL) / 2, 1, inside), mask)
    seen = _read_recent(history)
    mean, dispersion = _expect_means(inside, seen, threshold), measure_dispersion(seen)
    low, high = (_find_quantile(share, mean, dispersion) for share in ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
    return _spread(mean, low, high, mask)


def expect_window(risk: NDArray[np.floating], history: Panel, threshold: int = 1) -> NDArray[np.float32]:
    """Add up the incidents that are expected in all bins of a forecast, of the shape of the units.

    The means are those of `expect_counts`, without the work of intervals.
    """
    inside = np.asarray(risk[:, history.mask], dtype=np.float64)
    if not history.binary:
        inside = _expect_means(inside, _read_recent(history), threshold)
    whole = np.full(history.mask.shape, np.nan, dtype=np.float32)
    whole[history.mask] = inside.sum(axis=0)
    return whole


def spread_window(expected: NDArray[np.floating], history: Panel, steps: int) -> Counts:
    """Give the incidents that are expected in `steps` bins as one window their interval, of shape (1, ...).

    They vary as windows of the past did (`measure_dispersion`), where there were enough of them, else as bins.

    Parameters
    ----------
    expected : ndarray, shape (...)
        As `Forecaster.predict_window` gives them.
    """
    mean = np.asarray(expected[history.mask], dtype=np.float64)[None]
    tails = (1 - LEVEL) / 2, (1 + LEVEL) / 2
    if history.binary:
        low, high = (binom.ppf(share, steps, np.minimum(mean / steps, 1)) for share in tails)
        return _spread(mean, low, high, history.mask)
    dispersion = measure_dispersion(_read_windows(history, steps))
    low, high = (_find_quantile(share, mean, dispersion) for share in tails)
    return _spread(mean, low, high, history.mask)


def _read_windows(history: Panel, steps: int) -> Array:
    """Counts of the last windows of so many bins, those without a gap, shape (W, N); of bins where they are few."""
    last = len(history)
    starts = [start for start in range(last - steps, -1, -steps) if history.observed[start : start + steps].all()]
    if len(starts) < _FEWEST:
        return _read_recent(history)
    sums = [history.counts[each : each + steps].sum(axis=0, dtype=np.float64) for each in starts[:_RECENT]]
    return np.array(sums)[:, history.mask]


def _read_recent(history: Panel) -> Array:
    """Counts of the last observed bins, shape (T, N)."""
    recent = np.flatnonzero(history.observed)[-_RECENT:]
    return np.asarray(history.counts[recent][:, history.mask], dtype=np.float64)


def _expect_means(inside: Array, seen: Array, threshold: int) -> Array:
    of_zeros = match_zeros(seen)
    mean = _find_means(inside, of_zeros, threshold)
    own = seen.mean(axis=0) if len(seen) else np.zeros(inside.shape[1])
    return np.where(inside > SURE, np.maximum(_find_means(np.minimum(inside, SURE), of_zeros, threshold), own), mean)


def measure_dispersion(seen: NDArray[Any]) -> float:
    """Measure how many times as much as a Poisson process' the counts of a unit vary over time, at least once.

    What all units go up and down by together is no part of it.

    Parameters
    ----------
    seen : ndarray, shape (T, N)
    """
    if not _tells(seen):
        return 1.0
    bins, units = seen.shape
    expected = _expect(seen)
    free = (bins - 1) * (units - 1) / (bins * units)
    return float(np.clip(((seen - expected) ** 2).sum() / expected.sum() / free, 1.0, _MOST_DISPERSION))


def match_zeros(seen: NDArray[Any]) -> float:
    """Find the dispersion with which as many counts are 0 as there are, at the means of units and of bins.

    One week with a hundred incidents in one unit makes all counts vary more (`measure_dispersion`), but tells nothing
    of how many incidents there are where one is likely.

    Parameters
    ----------
    seen : ndarray, shape (T, N)
    """
    if not _tells(seen):
        return 1.0
    step = np.log(_MEANS[1] / _MEANS[0])
    place = np.rint(np.log(np.maximum(_expect(seen), _MEANS[0]) / _MEANS[0]) / step).astype(np.intp)
    number = np.bincount(place.ravel().clip(max=len(_MEANS) - 1), minlength=len(_MEANS))
    hit = int((seen > 0).sum())

    def exceed(dispersion: float) -> float:
        return float(number @ _reach(dispersion, 1)) - hit

    if exceed(1.0) <= 0:
        return 1.0
    if exceed(_MOST_DISPERSION) >= 0:
        return _MOST_DISPERSION
    return float(brentq(exceed, 1.0, _MOST_DISPERSION, xtol=1e-4))


def _tells(seen: NDArray[Any]) -> bool:
    bins, units = seen.shape
    return bins >= _FEWEST and units >= 2 and bool(seen.any())


def _expect(seen: NDArray[Any]) -> Array:
    return np.asarray(np.outer(seen.mean(axis=1), seen.mean(axis=0)) / seen.mean())


def _reach(dispersion: float, threshold: int) -> Array:
    """Probability of at least `threshold` incidents, of each of `_MEANS`."""
    if dispersion <= 1:
        return np.asarray(poisson.sf(threshold - 1, _MEANS))
    return np.asarray(nbinom.sf(threshold - 1, _MEANS / (dispersion - 1), 1 / dispersion))


def _find_means(risk: Array, dispersion: float, threshold: int) -> Array:
    reached = _reach(dispersion, threshold)
    # Where it is all but certain, the probability no longer grows.
    grows = np.r_[True, np.diff(reached) > 0]
    return np.asarray(np.exp(np.interp(np.log(np.maximum(risk, 1e-12)), np.log(reached[grows]), np.log(_MEANS[grows]))))


def _find_quantile(share: float, mean: Array, dispersion: float) -> Array:
    if dispersion <= 1:
        return np.asarray(poisson.ppf(share, mean))
    return np.asarray(nbinom.ppf(share, mean / (dispersion - 1), 1 / dispersion))


def _spread(mean: Array, low: Array, high: Array, mask: NDArray[np.bool_]) -> Counts:
    spread = []
    for each in (mean, low, high):
        whole = np.full((len(each), *mask.shape), np.nan, dtype=np.float32)
        whole[:, mask] = each
        spread.append(whole)
    return Counts(*spread)
