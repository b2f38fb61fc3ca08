"""What every model must beat: a constant, and the past of each cell."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..ground.context import JobContext
from ..maps.panel import Panel
from .base import Forecaster, Maps, check_history, check_steps, counts_events, mark_events

if TYPE_CHECKING:
    from typing_extensions import Self


class _PastOnly(Forecaster):
    """Learns nothing that outlives the call: its forecast is a statistic of the sum of the maps handed in."""

    threshold: int

    def fit(self, history: Panel, context: JobContext | None = None) -> Self:
        """Check `history`; the counting is done by `predict`."""
        check_history(history, self.least_maps)
        mark_events(history, self.threshold, slice(0))
        self.maps_ = len(history)
        return self

    def predict(self, history: Panel, steps: int = 1, context: JobContext | None = None) -> Maps:
        check_steps(steps)
        seen = self._seen(history, history.observed)
        return np.repeat(self._masked(seen.sum(axis=0, dtype=np.float64), len(seen), history)[None], steps, axis=0)

    def predict_each(self, heatmaps: Panel, first: int, context: JobContext | None = None) -> Maps:
        """Forecast every map from `first` on, one step ahead, in one pass over the stack."""
        context = context or JobContext()
        risk = np.empty((len(heatmaps) - first, *heatmaps.mask.shape), dtype=np.float32)
        past = heatmaps.observed.copy()
        past[first:] = False
        seen = self._seen(heatmaps, past)
        total, maps = seen.sum(axis=0, dtype=np.float64), len(seen)
        for number, origin in enumerate(range(first, len(heatmaps))):
            context.progress(number / len(risk))
            risk[number] = self._masked(total, maps, heatmaps)
            if heatmaps.observed[origin]:
                total += self._seen(heatmaps, slice(origin, origin + 1))[0]
                maps += 1
        return risk

    def predict_ahead(self, heatmaps: Panel, first: int, horizon: int = 1, context: JobContext | None = None) -> Maps:
        """Forecast every map from `first` on, `horizon` bins ahead: a forecast holds for all bins after its origin."""
        check_steps(horizon)
        origins = np.maximum(np.arange(first, len(heatmaps)) - horizon + 1, 0)
        if not len(origins):
            return np.empty((0, *heatmaps.mask.shape), dtype=np.float32)
        each = self.predict_each(heatmaps.before(int(origins[-1]) + 1), int(origins[0]), context)
        risk: Maps = each[origins - origins[0]]
        return risk

    def _seen(self, heatmaps: Panel, which: slice | NDArray[np.bool_]) -> NDArray[Any]:
        """Return what is summed, shape (T, H, W): the events."""
        return mark_events(heatmaps, self.threshold, which)

    def _masked(self, total: NDArray[np.float64], maps: int, heatmaps: Panel) -> Maps:
        return np.where(heatmaps.mask, self._risk(total, maps, heatmaps), np.nan).astype(np.float32)

    @abstractmethod
    def _risk(self, total: NDArray[np.float64], maps: int, heatmaps: Panel) -> NDArray[np.float64]:
        """Forecast from the sum of the `maps` maps seen; of `heatmaps` only the study area is read."""


class ConstantForecaster(_PastOnly):
    """The same probability everywhere: the share of cells and bins with an incident so far.

    Parameters
    ----------
    threshold : int
        Incidents in a cell and bin that count as an event.

    Examples
    --------
    >>> ConstantForecaster().fit(history).predict(history)  # doctest: +SKIP
    """

    name = "constant"

    def __init__(self, threshold: int = 1) -> None:
        self.threshold = threshold

    def _risk(self, total: NDArray[np.float64], maps: int, heatmaps: Panel) -> NDArray[np.float64]:
        # Half an event and half a non-event: never exactly 0 or 1, which no finite history justifies.
        return np.asarray((total.sum() + 0.5) / (maps * int(heatmaps.mask.sum()) + 1.0))


class PriorShare(_PastOnly):
    """Each cell's share of past bins with an event, a little shrunk towards the study area's.

    Unlike `PriorCounts` it assumes no Poisson process, which several incidents at one place and time violate.

    Parameters
    ----------
    shrinkage : float
        Bins' worth of the study area's mean share mixed into every cell, so that a cell without incidents so far
        does not get probability 0. With 0 it is the plain mean.
    threshold : int
        Incidents in a cell and bin that count as an event.
    """

    name = "prior_share"

    def __init__(self, shrinkage: float = 0.5, threshold: int = 1) -> None:
        self.shrinkage = shrinkage
        self.threshold = threshold

    def _risk(self, total: NDArray[np.float64], maps: int, heatmaps: Panel) -> NDArray[np.float64]:
        mean = total[heatmaps.mask].mean() / max(maps, 1)
        shrunk: NDArray[np.float64] = (total + self.shrinkage * mean) / max(maps + self.shrinkage, 1e-9)
        return shrunk


class PriorCounts(PriorShare):
    """Each cell's mean count per bin as the rate of a Poisson process: p = 1 - exp(-rate).

    Parameters
    ----------
    shrinkage : float
        Bins' worth of the study area's mean rate mixed into every cell.
    threshold : int
        Incidents in a cell and bin that count as an event. Above 1, and for binary maps, the rate of events replaces
        the rate of incidents: their share is the probability (`PriorShare`).

    Examples
    --------
    >>> PriorCounts().fit(history).predict(history, steps=7)  # doctest: +SKIP
    """

    name = "prior_counts"

    def _seen(self, heatmaps: Panel, which: slice | NDArray[np.bool_]) -> NDArray[Any]:
        if counts_events(heatmaps, self.threshold):
            return super()._seen(heatmaps, which)
        counts: NDArray[Any] = heatmaps.counts[which]
        return counts

    def _risk(self, total: NDArray[np.float64], maps: int, heatmaps: Panel) -> NDArray[np.float64]:
        rate = super()._risk(total, maps, heatmaps)
        return rate if counts_events(heatmaps, self.threshold) else -np.expm1(-rate)
