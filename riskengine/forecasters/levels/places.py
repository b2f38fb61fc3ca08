"""Where events happen: each unit's share of all, from its own past and that of similar, more frequent categories."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ...contract.warnings import SIMILAR
from ...maps.panel import Panel
from ..base import counts_events, mark_events

Array = NDArray[np.float64]

#: Weights of the similar categories that are tried, events.
_TRIED = np.geomspace(1.0, 10_000.0, 81)
#: Past spans that the weight is judged on, of as many events each; and the share of all events before the first.
_SPANS, _WARM = 40, 0.25
#: Of a history too short to judge by.
_USUAL = 100.0


class PlacesRead:
    """Events, and those of similar categories, of each unit of a panel: summed up on the way from its first bin.

    Bins that were not observed count nothing.

    Parameters
    ----------
    panel : Panel
    threshold : int
    """

    def __init__(self, panel: Panel, threshold: int = 1) -> None:
        self._panel, self._threshold = panel, threshold
        self._marks = counts_events(panel, threshold)
        names = panel.extras.channel_names
        self._similar = panel.extras.channels[names.index(SIMILAR)] if SIMILAR in names else None

    def sum_before(self, origins: NDArray[np.int64]) -> Iterator[tuple[Array, Array]]:
        """Give for each of the growing `origins` what each unit counted before it, and of similar categories."""
        units, begin = int(self._panel.mask.sum()), 0
        past, similar = np.zeros(units), np.zeros(units)
        for origin in origins:
            past += self.sum_between(begin, int(origin))
            if self._similar is not None:
                similar += self._sum(self._similar, begin, int(origin))
            begin = max(begin, int(origin))
            yield past, similar

    def sum_between(self, begin: int, end: int) -> Array:
        """Sum the events of each unit from bin `begin` to before `end`, shape (N,)."""
        if self._marks and end > begin:
            seen = np.arange(begin, end)[self._panel.observed[begin:end]]
            marks = mark_events(self._panel, self._threshold, seen)
            return np.asarray(marks[:, self._panel.mask].sum(axis=0, dtype=np.float64))
        return self._sum(self._panel.counts, begin, end)

    def _sum(self, counts: NDArray[np.generic], begin: int, end: int) -> Array:
        observed = self._panel.observed[begin:end]
        if end <= begin or not observed.any():
            return np.zeros(int(self._panel.mask.sum()))
        some = counts[begin:end] if observed.all() else counts[begin:end][observed]
        return np.asarray(some[:, self._panel.mask].sum(axis=0, dtype=np.float64))


def compute_shares(past: Array, similar: Array, shrinkage: float) -> Array:
    """Compute each unit's share of the events, shape (N,): they add up to 1, and none is 0.

    Parameters
    ----------
    past, similar : ndarray, shape (N,)
        Events of the unit so far, and those of similar categories. Without the latter all units are alike.
    shrinkage : float
        Events' worth of the latter's shares.
    """
    # Half an event each: where nothing has ever happened, something may.
    weights = (similar + 0.5) / (similar + 0.5).sum()
    return np.asarray((past + shrinkage * weights) / (past.sum() + shrinkage))


def choose_shrinkage(places: PlacesRead, totals: Array, delay: int) -> float:
    """Choose the weight of similar categories with which past events would have been likeliest where they were.

    The history is cut into spans of as many events each; where the events of a span were is forecast from what was
    known when it began.

    Parameters
    ----------
    totals : ndarray, shape (T,)
        Events of all units.
    delay : int
        Bins after which a count is known.
    """
    reached = np.cumsum(totals)
    wanted = np.linspace(_WARM, 1.0, _SPANS + 1) * reached[-1]
    cuts = np.unique(np.searchsorted(reached, wanted[:-1], side="right"))
    cuts = cuts[cuts > delay]
    ends = [*cuts[1:], len(totals)]
    likelihood = np.zeros(len(_TRIED))
    for (past, similar), begin, end in zip(places.sum_before(cuts - delay), cuts, ends, strict=True):
        happened = places.sum_between(int(begin), int(end))
        where = happened > 0
        for number, shrinkage in enumerate(_TRIED):
            shares = compute_shares(past, similar, shrinkage)
            likelihood[number] += happened[where] @ np.log(shares[where])
    return float(_TRIED[likelihood.argmax()]) if len(cuts) and np.ptp(likelihood) > 0 else _USUAL
