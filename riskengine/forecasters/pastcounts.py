"""What a history says of each unit, read by weighing its bins: sums, the city's level, the time of the week."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..maps.bins import make_next_edges
from ..maps.panel import Panel
from .base import counts_events, mark_events
from .cell_features import count_slots, measure_bin, read_slots
from .weekday import weigh_times_of_week

Array = NDArray[np.float64]

#: The city's level is that of so many days before the origin.
YEAR = 365.25
_DAY = 86_400.0


class PastCounts:
    """The counts of a history in the units of the study area; bins that were not observed are never read.

    Where events are what is forecast (above a threshold of 1, and for binary counts) it holds events.

    Parameters
    ----------
    history : Panel
    threshold : int

    Attributes
    ----------
    seen : ndarray of float32, shape (T, N)
    observed : ndarray of bool, shape (T,)
    totals : ndarray, shape (T,)
        Of all units.
    middles : ndarray, shape (T,)
        Of the bins, days.
    bin_days : float
    """

    def __init__(self, history: Panel, threshold: int = 1) -> None:
        self.events = counts_events(history, threshold)
        counts = mark_events(history, threshold) if self.events else history.counts
        self.observed = history.observed
        self.seen = np.asarray(counts[:, history.mask], dtype=np.float32)
        self.seen[~self.observed] = 0.0
        self.totals = self.seen.sum(axis=1, dtype=np.float64)
        self.bin_days = measure_bin(history)
        self.middles = find_middles(history.edges)
        self._slot_count = count_slots(history)
        self._slots = read_slots(history.edges[:-1], self._slot_count)

    def __len__(self) -> int:
        return len(self.seen)

    @property
    def units(self) -> int:
        """How many units there are."""
        return int(self.seen.shape[1])

    def count_bins(self, days: float) -> int:
        """Count the bins of so many days, at least one."""
        return max(round(days / self.bin_days), 1)

    def sum(self, weights: Array) -> tuple[Array, float, float]:
        """Sum the bins by weight, shape (origin,): of each unit, and the weights and their squares."""
        weights = weights * self.observed[: len(weights)]
        first = int(np.argmax(weights > 0)) if weights.any() else len(weights)
        sums = weights[first:].astype(np.float32) @ self.seen[first : len(weights)]
        return sums.astype(np.float64), float(weights.sum()), float((weights**2).sum())

    def compute_level(self, origin: int, start: np.datetime64, half_life: float | None = None) -> float:
        """Compute the mean count of a unit in the bin from `start` on, were it as in the 365 days before `origin`.

        Bins of a day or less have their own level for each time of the week. With a half-life (days) the later of
        these days weigh more.
        """
        recent = np.arange(max(origin - self.count_bins(YEAR), 0), max(origin, 0))
        recent = recent[self.observed[recent]]
        weights = np.ones(len(recent))
        if half_life is not None and len(recent):
            weights = 0.5 ** ((self.middles[origin - 1] - self.middles[recent]) / half_life)
        # Half an incident: no history makes a level zero.
        level = (weights @ self.totals[recent] + 0.5) / (weights.sum() * self.units + 1.0)
        if self._slot_count > 1 and len(recent):
            weekly = weigh_times_of_week(self.totals[recent], self._slots[recent], self._slot_count)
            level *= weekly[int(read_slots(np.asarray([start]), self._slot_count)[0])]
        return float(level)


def find_middles(edges: NDArray[np.datetime64]) -> Array:
    """Find the middles of bins, days since 1970, shape (T,)."""
    days = edges.astype("datetime64[s]").astype(np.int64) / _DAY
    return np.asarray((days[1:] + days[:-1]) / 2)


def make_edges_to(history: Panel, steps: int) -> NDArray[np.datetime64]:
    """Make the edges of a history's bins and of the `steps` that follow."""
    following: NDArray[np.datetime64] = make_next_edges(history.edges, history.bin, steps)
    return np.concatenate([history.edges[:-1], following])


def shrink(sums: Array, weight: float, squares: float, events: bool = False) -> Array:
    """Shrink each unit's rate towards the mean of all (empirical Bayes, a gamma prior by moments).

    Of a unit whose rate is r, the weighted mean of its counts varies by r Σw² / (Σw)². What the means of the units
    vary beyond that is how different the units are; it is the share of its own mean that each keeps.

    Parameters
    ----------
    sums : ndarray, shape (N,)
        Weighted sum of the counts of each unit.
    weight, squares : float
        Sum of the weights and of their squares.
    events : bool
        Events were summed instead of incidents: a share s of bins varies by s (1 - s).

    Returns
    -------
    ndarray, shape (N,)
        Rates; above 0.
    """
    own = sums / max(weight, 1e-12)
    # Half an incident, as for the level.
    mean = max(float(own.mean()), 0.5 / (weight * len(own) + 1.0))
    noise = mean * (max(1 - mean, 0.0) if events else 1.0) * squares / max(weight, 1e-12) ** 2
    differing = max(float(own.var()) - noise, 0.0)
    kept = differing / (differing + noise) if differing > 0 else 0.0
    shrunk: Array = mean + kept * (own - mean)
    return np.maximum(shrunk, 1e-9)
