"""Intervals of measures that are no means, such as the AUC: days are drawn anew, and all models get the same draws.

What happens on one day resembles itself, so days are drawn with all their rows. A resample is nothing but a number of
times that each day counts, and every measure here is computed from sums over days: a thousand resamples cost little
more than one. The interval is the measure with Student's t times the standard deviation of the resamples, with one
degree of freedom fewer than there are days, as that of a mean (`riskengine.measures.clustered`); quantiles of the
resamples would not do for the calibration error, which is larger in a resample than in the rows it was drawn from.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from .alarmcurves import BINS, compute_calibration_error
from .clustered import Interval, compute_clustered_mean
from .metrics import auc, average_precision
from .pairs import Levels, auc_within, find_levels, find_mixed, share_ordered

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

RESAMPLES = 1000
#: Levels of probability that a resample tells apart; the measure itself tells all.
_LEVELS = 2000
NOTHING = Interval(float("nan"), float("nan"), float("nan"))


@dataclass(frozen=True)
class Resampling:
    """Draws of clusters, such as days, for measures of N rows.

    Attributes
    ----------
    cluster : ndarray of int, shape (N,)
        Of each row, 0 to D - 1.
    clusters : int
        D, also where some have no row.
    seed : int
        Of the draws: the same for all rows and measures.
    resamples : int
    """

    cluster: Ints
    clusters: int
    seed: int = 0
    resamples: int = RESAMPLES

    @cached_property
    def drawn(self) -> Array:
        """How often each cluster was drawn, shape (resamples, D)."""
        if not self.clusters:
            return np.zeros((self.resamples, 0))
        random = np.random.default_rng(self.seed)
        even = np.full(self.clusters, 1 / self.clusters)
        return random.multinomial(self.clusters, even, self.resamples).astype(np.float64)

    def select(self, rows: NDArray[Any]) -> Resampling:
        """Select rows by mask or position; the draws stay."""
        selected = replace(self, cluster=self.cluster[rows])
        selected.__dict__["drawn"] = self.drawn
        return selected

    def bound(self, measured: float, resampled: Array, lowest: float = 0.0, highest: float = 1.0) -> Interval:
        """Set the interval of a measure from what it is in the resamples; NaN where it cannot be had."""
        known = resampled[np.isfinite(resampled)]
        days = len(np.unique(self.cluster))
        if not np.isfinite(measured) or days < 2 or len(known) < self.resamples / 2:
            return Interval(measured, float("nan"), float("nan"))
        reach = float(stats.t.ppf(0.975, days - 1) * known.std(ddof=1))
        return Interval(measured, max(measured - reach, lowest), min(measured + reach, highest))

    def mean(self, values: NDArray[Any]) -> Interval:
        """Compute a mean over rows, as of losses or of their differences; no draws are needed."""
        return compute_clustered_mean(values, self.cluster) if len(values) else NOTHING

    def auc(self, predicted: Array, happened: NDArray[Any], group: NDArray[Any] | None = None) -> Interval:
        """Compute the AUC; with groups, that of pairs within them."""
        measured = auc(predicted, happened) if group is None else auc_within(predicted, happened, group)
        drawing = self
        if group is not None:
            # Of groups without both there are no pairs in any resample, but there may be as many of them as rows.
            mixed = find_mixed(group, happened)
            drawing, predicted, happened, group = self.select(mixed), predicted[mixed], happened[mixed], group[mixed]
        levels = find_levels(predicted, group, _LEVELS)
        drawn = share_ordered(*drawing._draw_levels(levels, happened), levels.start)
        return self.bound(measured, drawn)

    def average_precision(self, predicted: Array, happened: NDArray[Any]) -> Interval:
        """Compute the average precision."""
        levels = find_levels(predicted, most=_LEVELS)
        events, others = self._draw_levels(levels, happened)
        caught = np.cumsum(events[:, ::-1], axis=1)
        raised = caught + np.cumsum(others[:, ::-1], axis=1)
        precision = caught / np.maximum(raised, 1)
        with np.errstate(invalid="ignore"):
            drawn = (events[:, ::-1] * precision).sum(axis=1) / events.sum(axis=1)
        return self.bound(average_precision(predicted, happened), drawn)

    def calibration_error(self, predicted: Array, happened: NDArray[Any]) -> Interval:
        """Compute the expected calibration error in ten bins of equal width."""
        if not len(predicted):
            return NOTHING
        group = np.minimum((predicted * BINS).astype(np.int64), BINS - 1)
        excess = self._draw(group, BINS, predicted - happened)
        number = self._draw(np.zeros_like(group), 1)[:, 0]
        drawn = np.abs(excess).sum(axis=1) / np.where(number > 0, number, np.nan)
        return self.bound(compute_calibration_error(predicted, happened), drawn)

    def _draw(self, column: Ints, columns: int, values: NDArray[Any] | None = None) -> Array:
        """Sum values, or count rows, by column in each resample, shape (resamples, columns)."""
        sums = np.bincount(self.cluster * columns + column, values, self.clusters * columns)
        return np.asarray(self.drawn @ sums.reshape(self.clusters, columns).astype(np.float64))

    def _draw_levels(self, levels: Levels, happened: ArrayLike) -> tuple[Array, Array]:
        """Events and non-events at each level in each resample."""
        o = np.asarray(happened, dtype=np.float64)
        columns = len(levels.start)
        return self._draw(levels.level, columns, o), self._draw(levels.level, columns, 1 - o)


def number_clusters(values: NDArray[Any], seed: int = 0, resamples: int = RESAMPLES) -> Resampling:
    """Number the clusters of rows, such as their days, and draw them."""
    distinct, number = np.unique(values, return_inverse=True)
    return Resampling(number.reshape(-1).astype(np.int64), len(distinct), seed, resamples)


def correlate_ranks(first: Array, second: Array, seed: int = 0, resamples: int = RESAMPLES) -> Interval:
    """Compute Spearman's rank correlation of units, with the middle 95 % of what resamples of the units give.

    Pairs with NaN are left out; NaN with fewer than four, or where one does not vary; quantiles, for it is skewed.
    """
    known = np.isfinite(first) & np.isfinite(second)
    a, b = first[known], second[known]
    if len(a) < 4 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return NOTHING
    drawn = np.random.default_rng(seed).integers(0, len(a), (resamples, len(a)))
    resampled = _correlate(stats.rankdata(a[drawn], axis=1), stats.rankdata(b[drawn], axis=1))
    low, high = np.nanquantile(resampled, [0.025, 0.975])
    return Interval(float(_correlate(stats.rankdata(a)[None], stats.rankdata(b)[None])[0]), float(low), float(high))


def _correlate(first: Array, second: Array) -> Array:
    """Pearson's correlation along the last axis; NaN where one does not vary."""
    a, b = first - first.mean(axis=-1, keepdims=True), second - second.mean(axis=-1, keepdims=True)
    spread = np.sqrt((a**2).sum(axis=-1) * (b**2).sum(axis=-1))
    return np.asarray((a * b).sum(axis=-1) / np.where(spread > 0, spread, np.nan))
