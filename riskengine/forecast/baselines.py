"""What every model must beat: a constant, and the past of each cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..context import JobContext
from ..heatmaps import Heatmaps
from .base import Forecaster, Maps, check_history, check_steps, incident_maps

if TYPE_CHECKING:
    from typing_extensions import Self


class _PastOnly(Forecaster):
    """Learns nothing that outlives the call: its forecast is a statistic of the history handed in."""

    def fit(self, history: Heatmaps, context: JobContext | None = None) -> Self:
        """Check `history`; the counting is done by `predict`."""
        check_history(history, self.least_maps)
        self.maps_ = len(history)
        return self

    def _repeat(self, values: np.ndarray, history: Heatmaps, steps: int) -> Maps:
        check_steps(steps)
        risk = np.where(history.mask, values, np.nan).astype(np.float32)
        return np.repeat(risk[None], steps, axis=0)


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

    def predict(self, history: Heatmaps, steps: int = 1) -> Maps:
        maps = incident_maps(history, self.threshold)[history.observed]
        cells = maps.shape[0] * int(history.mask.sum())
        # Half an event and half a non-event: never exactly 0 or 1, which no finite history justifies.
        return self._repeat(np.asarray((maps.sum(dtype=np.int64) + 0.5) / (cells + 1.0)), history, steps)


class PriorCounts(_PastOnly):
    """Each cell's mean count per bin as the rate of a Poisson process: p = 1 - exp(-rate).

    Parameters
    ----------
    shrinkage : float
        Bins' worth of the study area's mean rate mixed into every cell, so that a cell without incidents so far
        does not get probability 0. With 0 it is the plain mean.
    threshold : int
        Incidents in a cell and bin that count as an event. Above 1, and for binary maps, the rate of events replaces
        the rate of incidents: their share is the probability (`PriorShare`).

    Examples
    --------
    >>> PriorCounts().fit(history).predict(history, steps=7)  # doctest: +SKIP
    """

    name = "prior_counts"

    def __init__(self, shrinkage: float = 0.5, threshold: int = 1) -> None:
        self.shrinkage = shrinkage
        self.threshold = threshold

    def predict(self, history: Heatmaps, steps: int = 1) -> Maps:
        if history.binary or self.threshold > 1:
            return PriorShare(self.shrinkage, self.threshold).predict(history, steps)
        counts = history.counts[history.observed]
        rate = _shrunk(counts.sum(axis=0, dtype=np.float64), len(counts), history, self.shrinkage)
        return self._repeat(-np.expm1(-rate), history, steps)


class PriorShare(_PastOnly):
    """Each cell's share of past bins with an event, a little shrunk towards the study area's.

    Unlike `PriorCounts` it assumes no Poisson process, which several incidents at one place and time violate.

    Parameters
    ----------
    shrinkage : float
        Bins' worth of the study area's mean share mixed into every cell.
    threshold : int
        Incidents in a cell and bin that count as an event.
    """

    name = "prior_share"

    def __init__(self, shrinkage: float = 0.5, threshold: int = 1) -> None:
        self.shrinkage = shrinkage
        self.threshold = threshold

    def predict(self, history: Heatmaps, steps: int = 1) -> Maps:
        maps = incident_maps(history, self.threshold)[history.observed]
        return self._repeat(
            _shrunk(maps.sum(axis=0, dtype=np.float64), len(maps), history, self.shrinkage), history, steps
        )


def _shrunk(total: np.ndarray, maps: int, history: Heatmaps, shrinkage: float) -> np.ndarray:
    mean = total[history.mask].mean() / max(maps, 1)
    shrunk: np.ndarray = (total + shrinkage * mean) / max(maps + shrinkage, 1e-9)
    return shrunk
