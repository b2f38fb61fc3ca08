"""Where events happen: each unit's share of all, from its own past and that of similar, more frequent categories."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ...contract.warnings import SIMILAR
from ...ground.context import JobContext
from ...maps.panel import Panel
from ..base import counts_events, mark_events

Array = NDArray[np.float64]

#: Weights of the similar categories that are tried, events.
_TRIED = np.geomspace(1.0, 10_000.0, 81)
#: Past spans that the weight is judged on, of as many events each; and the share of all events before the first.
_SPANS, _WARM = 40, 0.25
#: Where the likelihood does not depend on it, as of a single unit.
_USUAL, _LEAST_GAIN = 100.0, 1e-9


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
        return np.asarray(some.sum(axis=0, dtype=np.float64)[self._panel.mask])


def weigh_similar(similar: Array) -> Array:
    """Compute each unit's share of the events of similar categories, shape (N,); without any all units are alike."""
    # Half an event each: where nothing has ever happened, something may.
    return np.asarray((similar + 0.5) / (similar + 0.5).sum())


def compute_shares(past: Array, weights: Array, shrinkage: float) -> Array:
    """Compute each unit's share of the events, shape (N,): they add up to 1, and none is 0.

    Parameters
    ----------
    past, weights : ndarray, shape (N,)
        Events of the unit so far, and its share of those of similar categories.
    shrinkage : float
        Events' worth of the latter.
    """
    return np.asarray((past + shrinkage * weights) / (past.sum() + shrinkage))


def choose_shrinkage(places: PlacesRead, totals: Array, delay: int, context: JobContext) -> float:
    """Choose how many events' worth of similar categories would have made past events likeliest where they were.

    The history is cut into spans of as many events each. Where the events of a span were is forecast from what was
    known when it began.

    Parameters
    ----------
    totals : ndarray, shape (T,)
        Events of all units.
    delay : int
        Bins after which a count is known.
    """
    reached = np.cumsum(totals)
    cuts = np.unique(np.searchsorted(reached, np.linspace(_WARM, 1.0, _SPANS, endpoint=False) * reached[-1], "right"))
    cuts = cuts[cuts > delay]
    ends = [*cuts[1:].tolist(), len(totals)]
    gain = np.zeros(len(_TRIED))
    for number, (past, similar) in enumerate(places.sum_before(cuts - delay)):
        context.progress(number / len(cuts), "Learning where events happen")
        happened = places.sum_between(int(cuts[number]), ends[number])
        where = np.flatnonzero(happened)
        weights = weigh_similar(similar)[where]
        shares = (past[where] + _TRIED[:, None] * weights) / (past.sum() + _TRIED[:, None])
        gain += np.log(shares / weights) @ happened[where]
    return float(_TRIED[gain.argmax()]) if np.ptp(gain) > _LEAST_GAIN else _USUAL
