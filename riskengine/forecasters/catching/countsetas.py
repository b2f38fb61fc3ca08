"""Prior counts and the self-exciting process, multiplied: what was always busy and is busy now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...ground.context import JobContext
from ...maps.panel import Panel
from ..base import check_history
from ..baselines import PriorCounts
from ..selfexciting.etas import Coarse
from .rates import RateForecaster, find_rates_of, read_rates

if TYPE_CHECKING:
    from typing_extensions import Self

Array = NDArray[np.float64]


class CountsEtas(RateForecaster):
    """Square root of prior counts times the self-exciting process, at the level of the latter.

    Parameters
    ----------
    threshold : int
        Incidents in a cell and bin that count as an event.

    Attributes
    ----------
    etas_ : Coarse
        The self-exciting process, searched for coarsely.
    """

    name = "counts_etas"
    least_maps = Coarse.least_maps

    etas_: Coarse

    def __init__(self, threshold: int = 1) -> None:
        self.threshold = threshold

    def fit(self, history: Panel, context: JobContext | None = None) -> Self:
        """Fit the self-exciting process; the counting is done by `predict`."""
        check_history(history, self.least_maps)
        self.etas_ = Coarse(self.threshold).fit(history, context)
        return self

    def find_rates(self, history: Panel, steps: int = 1, context: JobContext | None = None) -> Array:
        excited = find_rates_of(self.etas_, history, steps, context or JobContext())
        return self._mix(history, excited)

    def find_rates_after(self, history: Panel, known: Sequence[int], steps: int, context: JobContext) -> list[Array]:
        """Find the rates after each of several ascending numbers of bins, reading the maps once."""
        rates = self.etas_.predict_after(history, known, steps, context)
        mixed = zip(known, rates, strict=True)
        return [self._mix(history.cut(each), read_rates(risk[:, history.mask])) for each, risk in mixed]

    def _mix(self, history: Panel, excited: Array) -> Array:
        counts = read_rates(PriorCounts(threshold=self.threshold).predict(history)[0, history.mask])
        mixed = np.sqrt(counts * excited)
        return np.asarray(mixed * (excited.sum(axis=1) / mixed.sum(axis=1))[:, None])

    def state(self) -> dict[str, NDArray[Any]]:
        """Return what the self-exciting process learned."""
        return self.etas_.state()

    def restore(self, state: Mapping[str, NDArray[Any]]) -> Self:
        """Take over what another one of the same settings learned."""
        self.etas_ = Coarse(self.threshold).restore(state)
        return self
