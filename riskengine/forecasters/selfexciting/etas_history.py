"""A history as the fit of a self-exciting process reads it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ...ground.context import JobContext
from ...maps.panel import Panel
from ..base import counts_events, mark_events
from ..cell_features import count_slots, read_slot

Array = NDArray[np.float64]

#: Cells of all maps that are read at once.
_CHUNK = 4_000_000
#: Maps at the start that only fill the states: this share of the history, at most so many days.
_WARM_SHARE, _WARM_DAYS = 1 / 3, 365.0
_DAY = 86_400.0


@dataclass
class Counted:
    """A history as the fit reads it.

    Attributes
    ----------
    heatmaps : Panel
    threshold : int
    days : ndarray, shape (T,)
        Length of each bin.
    slot : ndarray of int, shape (T,)
        Its time of the week.
    pace : ndarray, shape (slots,)
        How busy each time of the week is in the study area, mean 1.
    warm : int
        First map that the likelihood counts.
    when, cell, count : ndarray, shape (N,)
        Occupied cells of the observed maps from `warm` on: map, flat cell, incidents.
    standin : dict of int to ndarray
        Expected counts in place of the maps that were not observed.
    """

    heatmaps: Panel
    threshold: int
    days: Array
    slot: NDArray[np.int64]
    pace: Array
    warm: int
    when: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    cell: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    count: Array = field(default_factory=lambda: np.zeros(0))
    standin: dict[int, Array] = field(default_factory=dict)

    def maps(self, low: int, high: int) -> Array:
        """Read maps low to high - 1, unobserved ones replaced by their stand-in, shape (high - low, H, W)."""
        counts = read_counts(self.heatmaps, self.threshold, low, high)
        for number in range(low, high):
            if not self.heatmaps.observed[number]:
                counts[number - low] = self.standin.get(number, 0.0)
        return counts

    @property
    def scored(self) -> NDArray[np.bool_]:
        """Say which maps the likelihood counts, shape (T,)."""
        return np.asarray(self.heatmaps.observed & (np.arange(len(self.days)) >= self.warm))


@dataclass
class Column:
    """One part of the intensity, up to its coefficient.

    Attributes
    ----------
    at : ndarray, shape (N,)
        In the occupied cells.
    total : ndarray, shape (T,)
        Its sum over the study area in each map; 0 for maps that are not scored.
    """

    at: Array
    total: Array


def read_counts(heatmaps: Panel, threshold: int, low: int, high: int) -> Array:
    """Read incidents, or events, of some maps; 0 outside the study area."""
    which = slice(low, high)
    if counts_events(heatmaps, threshold):
        return mark_events(heatmaps, threshold, which).astype(np.float64)
    return np.where(heatmaps.mask, heatmaps.counts[which], 0).astype(np.float64)


def measure_bins(edges: NDArray[np.datetime64]) -> Array:
    """Measure each bin, in days."""
    return np.asarray(np.diff(edges.astype("datetime64[s]").astype(np.int64)) / _DAY)


def read_history(history: Panel, threshold: int, context: JobContext) -> Counted:
    """Read occupied cells, lengths of bins and the rhythm of the week."""
    days = measure_bins(history.edges)
    number = count_slots(history)
    slot = np.array([read_slot(start, number) for start in history.edges[:-1]], dtype=np.int64)
    warm = min(int(len(days) * _WARM_SHARE), int(np.searchsorted(np.cumsum(days), _WARM_DAYS)))
    counted = Counted(history, threshold, days, slot, np.ones(number), max(warm, 1))
    step = max(_CHUNK // history.mask.size, 1)
    totals = np.zeros(len(days))
    when, cell, count = [], [], []
    for low in range(0, len(days), step):
        context.progress(low / len(days), "reading the maps")
        maps = read_counts(history, threshold, low, min(low + step, len(days)))
        totals[low : low + step] = maps.reshape(len(maps), -1).sum(axis=1)
        occupied = maps.reshape(len(maps), -1)
        rows, cells = np.nonzero(occupied)
        when.append(rows + low)
        cell.append(cells)
        count.append(occupied[rows, cells])
    counted.when, counted.cell, counted.count = np.concatenate(when), np.concatenate(cell), np.concatenate(count)
    kept = counted.scored[counted.when]
    counted.when, counted.cell, counted.count = counted.when[kept], counted.cell[kept], counted.count[kept]
    counted.pace = _pace(totals, counted)
    return counted


def _pace(totals: Array, counted: Counted) -> Array:
    """Measure how busy each time of the week is, mean 1 and drawn a little to 1."""
    observed = counted.heatmaps.observed
    exposure = np.bincount(counted.slot[observed], counted.days[observed], minlength=len(counted.pace))
    seen = np.bincount(counted.slot[observed], totals[observed], minlength=len(counted.pace))
    expected = exposure * seen.sum() / max(exposure.sum(), 1e-9)
    pace = (seen + 10.0) / (expected + 10.0)
    return np.asarray(pace / pace.mean())
