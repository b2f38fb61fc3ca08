"""What forecasters of the catch share: events read sparsely, and a rate of each unit that holds for every next bin."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from ...ground.context import JobContext
from ...maps.panel import Panel
from ...maps.sparsecounts import read_csr
from ..base import Forecaster, Maps, check_steps, counts_events
from ..cell_features import measure_bin

Array = NDArray[np.float64]

#: Half-life of the study area's level, days.
_LEVEL_DAYS = 365.0
#: No history makes an event certain, or impossible.
SMALLEST, LARGEST = 1e-7, 1 - 1e-7


def read_events(history: Panel, threshold: int = 1) -> csr_array:
    """Read what is counted, shape (T, N) of the units inside: incidents, or events where these are what is forecast.

    Bins that were not observed hold what they hold: whoever reads them gives them no weight.
    """
    counts = read_csr(history)
    if counts_events(history, threshold):
        counts = csr_array(counts >= threshold)
    return csr_array(counts, dtype=np.float64)


class RateForecaster(Forecaster):
    """Forecasts by the rate of each unit in each of the next bins."""

    threshold: int

    @abstractmethod
    def find_rates(self, history: Panel, steps: int = 1, context: JobContext | None = None) -> Array:
        """Find the incidents, or events, that are expected in the bins after `history`, shape (steps, N).

        N are the units inside. Where all bins expect the same, it may be a view of one.
        """

    def find_rates_after(self, history: Panel, known: Sequence[int], steps: int, context: JobContext) -> list[Array]:
        """Find the rates after each of several ascending numbers of bins, as `find_rates` of the bins before."""
        return [self.find_rates(history.cut(each), steps, context) for each in known]

    def predict(self, history: Panel, steps: int = 1, context: JobContext | None = None) -> Maps:
        check_steps(steps)
        rates = self.find_rates(history, steps, context)
        risk = rates if counts_events(history, self.threshold) else -np.expm1(-rates)
        whole = np.full((steps, *history.mask.shape), np.nan, dtype=np.float32)
        whole[:, history.mask] = np.clip(risk, SMALLEST, LARGEST)
        return whole

    def predict_window(self, history: Panel, steps: int = 1, context: JobContext | None = None) -> NDArray[np.float32]:
        """Forecast the incidents of the next `steps` bins as one window: the sum of their rates."""
        check_steps(steps)
        if self.threshold > 1:
            return super().predict_window(history, steps, context)
        whole = np.full(history.mask.shape, np.nan, dtype=np.float32)
        whole[history.mask] = self.find_rates(history, history.delay + steps, context)[history.delay :].sum(axis=0)
        return whole


def find_rates_of(member: Forecaster, history: Panel, steps: int, context: JobContext) -> Array:
    """Find what a forecaster of any kind expects in the bins after `history`, shape (steps, N)."""
    if isinstance(member, RateForecaster):
        return member.find_rates(history, steps, context)
    return read_rates(member.predict(history, steps, context)[:, history.mask])


def find_rates_after(
    member: Forecaster, history: Panel, known: Sequence[int], steps: int, context: JobContext
) -> list[Array]:
    """Find what a forecaster of any kind expects after each of several ascending numbers of bins."""
    if isinstance(member, RateForecaster):
        return member.find_rates_after(history, known, steps, context)
    return [find_rates_of(member, history.cut(each), steps, context) for each in known]


def read_rates(risk: NDArray[np.float32]) -> Array:
    """Turn probabilities of at least one into rates."""
    return np.asarray(-np.log1p(-np.minimum(risk.astype(np.float64), LARGEST)))


def find_level(history: Panel, totals: Array) -> float:
    """Find the incidents, or events, of a bin in the whole study area: with a half-life of a year.

    Half an incident, as in the constant forecast: no history makes the rate zero.

    Parameters
    ----------
    history : Panel
    totals : ndarray, shape (known,)
        Of the study area in each of its first bins, no more than are known.
    """
    age = np.arange(len(totals) - 1, -1, -1) * measure_bin(history)
    weights = np.where(history.observed[: len(totals)], 0.5 ** (age / _LEVEL_DAYS), 0.0)
    return float((weights @ totals + 0.5) / max(float(weights.sum()), 0.5))
