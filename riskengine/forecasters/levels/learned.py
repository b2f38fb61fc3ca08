"""Corrections of the level that are learned on past forecasts; where these prove nothing, the level stays as it is."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...contract.forecasters import title_of
from ...contract.texts import count_text
from ...ground.context import JobContext
from ...maps.panel import Panel
from ..base import Maps, counts_events
from .base import Array, Way
from .models import Level
from .pastforecasts import PastForecasts, forecast_past

if TYPE_CHECKING:
    from typing_extensions import Self

#: Units times bins that are forecast at once, at most.
_MOST_ROWS = 200_000


class LearnedLevel(Level):
    """Level × calendar × place, times a correction.

    Parameters
    ----------
    half_life, shrinkage, threshold
        Of the level.
    proven : bool
        Whether a correction is kept only where past folds prove it: the interval of what it changes in their log-loss,
        by weeks, lies below 0. Else the level stays as it is.
    """

    proven: bool

    def __init__(
        self, half_life: float = 60.0, shrinkage: float | None = None, proven: bool = True, threshold: int = 1
    ) -> None:
        super().__init__(half_life, shrinkage, threshold)
        self.proven = proven

    def fit(self, history: Panel, context: JobContext | None = None) -> Self:
        """Learn the level, then what corrects it, on past bins that it forecasts from what was known before them."""
        context = context or JobContext()
        super().fit(history, context)
        self._begin(history, context)
        context.progress(0.3, f"{title_of(self.name)}: forecasting the past")
        past = self._forecast_past(history)
        if past.enough or not self.proven:
            with context.step(0.5, 1.0):
                self._learn(history, past, context)
        else:
            context.log(
                f"{title_of(self.name)}: {count_text(int(past.events.sum()), 'past event')} are too few to learn from:"
                f" it is {title_of(Level.name)} alone"
            )
        return self

    def compute_intensity(
        self,
        panel: Panel,
        edges: NDArray[np.datetime64],
        ways: Sequence[Way],
        context: JobContext | None = None,
    ) -> Array:
        expected = super().compute_intensity(panel, edges, ways, context)
        if not self.corrects:
            return expected
        step = max(_MOST_ROWS // expected.shape[1], 1)
        read = self._read(panel, edges)
        for begin in range(0, len(ways), step):
            part = slice(begin, begin + step)
            expected[part] = self._correct(read, ways[part], expected[part])
        return expected

    def predict_windows(self, panel: Panel, first: int, length: int, context: JobContext | None = None) -> Maps:
        """Forecast windows one after the other; the counts are read once."""
        if not self.corrects or counts_events(panel, self.threshold):
            return super().predict_windows(panel, first, length, context)
        starts = range(first, len(panel) - length + 1, length)
        ways = [(max(start - panel.delay, 0), start + step) for start in starts for step in range(length)]
        expected = self.compute_intensity(panel, panel.edges, ways, context)
        return self._spread(expected.reshape(len(starts), length, -1).sum(axis=1), panel)

    def _forecast_past(self, history: Panel) -> PastForecasts:
        return forecast_past(self._make_level, history, self.threshold)

    def _make_level(self) -> Level:
        return Level(self.half_life, self.shrinkage, self.threshold)

    @property
    @abstractmethod
    def corrects(self) -> bool:
        """Whether anything was learned that changes the level's forecast."""

    @abstractmethod
    def _begin(self, history: Panel, context: JobContext) -> None:
        """Forget what was learned, and learn what a correction reads."""

    @abstractmethod
    def _learn(self, history: Panel, past: PastForecasts, context: JobContext) -> None:
        """Learn a correction from past forecasts, and keep it where it deserves that."""

    @abstractmethod
    def _read(self, panel: Panel, edges: NDArray[np.datetime64]) -> Any:
        """Read a panel once."""

    @abstractmethod
    def _correct(self, read: Any, ways: Sequence[Way], expected: Array) -> Array:
        """Correct the expected events of some ways, shape (ways, N)."""
