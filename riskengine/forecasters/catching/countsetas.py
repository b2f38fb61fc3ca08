"""Prior counts and the self-exciting process, multiplied: what was always busy and is busy now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...ground.context import JobContext
from ...maps.panel import Panel
from ..base import check_history
from ..baselines import PriorCounts
from ..selfexciting.etas import SelfExciting
from .rates import Array, RateForecaster, find_rates_of, read_rates

if TYPE_CHECKING:
    from typing_extensions import Self


class CountsEtas(RateForecaster):
    """Square root of prior counts times the self-exciting process, at the level of the latter.

    Parameters
    ----------
    window : int
        Bins that are forecast as one.
    flagged : float
        Share of the study area that is to catch the most.
    threshold : int
        Incidents in a cell and bin that count as an event.

    Attributes
    ----------
    etas_ : SelfExciting
    """

    name = "counts_etas"
    least_maps = SelfExciting.least_maps

    etas_: SelfExciting

    def __init__(self, window: int = 1, flagged: float = 0.05, threshold: int = 1) -> None:
        self.window = window
        self.flagged = flagged
        self.threshold = threshold

    def fit(self, history: Panel, context: JobContext | None = None) -> Self:
        """Fit the self-exciting process; the counting is done by `predict`."""
        check_history(history, self.least_maps)
        self.etas_ = SelfExciting(self.threshold).fit(history, context)
        return self

    def find_rates(self, history: Panel, steps: int = 1, context: JobContext | None = None) -> Array:
        counts = PriorCounts(threshold=self.threshold).predict(history)[0, history.mask]
        rates = find_rates_of(self.etas_, history, steps, context or JobContext())
        mixed = np.sqrt(read_rates(counts) * rates)
        return np.asarray(mixed * (rates.sum(axis=1) / mixed.sum(axis=1))[:, None])

    def state(self) -> dict[str, NDArray[Any]]:
        """Return what the self-exciting process learned."""
        return self.etas_.state()

    def restore(self, state: Mapping[str, NDArray[Any]]) -> Self:
        """Take over what another one of the same settings learned."""
        self.etas_ = SelfExciting(self.threshold).restore(state)
        return self
