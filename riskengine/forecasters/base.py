"""The contract every forecaster keeps, so that one backtest can score them all."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..contract.forecasters import LONG_RUN
from ..contract.texts import count_text
from ..ground.context import JobContext
from ..ground.damage import ArraySpec, check_arrays
from ..ground.errors import DataError, ParameterError
from ..maps.panel import Panel
from .expected import Counts, expect_counts, expect_window

if TYPE_CHECKING:
    from typing_extensions import Self

Maps = NDArray[np.float32]

#: What no learned number of days, metres or times is below or above: a file that says otherwise is damaged.
LEAST, MOST, MOST_METRES = 1e-9, 1e9, 1e6


class Forecaster(ABC):
    """Forecasts the probability of an incident per cell and bin.

    A forecaster is handed a `history` and knows nothing else: whatever lies after its last map does not exist.
    `fit` learns parameters (kept in attributes that end in ``_``); `predict` applies them to any history, which may
    be longer than the one fitted on. Maps that were not observed teach nothing and are read by nobody.
    """

    #: Name in metric tables and reports.
    name: str = ""
    #: Maps of a history that `fit` needs at least.
    least_maps: int = 1
    #: Attributes that hold what `fit` learned, kept in model files, and what each must be to be read from one.
    LEARNED: ClassVar[Mapping[str, ArraySpec]] = {}

    @property
    def is_long_run(self) -> bool:
        """Whether it is a long-run mean, once fitted: nothing recent weighs more than what is long past."""
        return self.name in LONG_RUN

    @abstractmethod
    def fit(self, history: Panel, context: JobContext | None = None) -> Self:
        """Learn from `history`; returns the forecaster itself."""

    @abstractmethod
    def predict(self, history: Panel, steps: int = 1, context: JobContext | None = None) -> Maps:
        """Forecast the bins that follow `history`: where counts are known late, the first of them are over already.

        Parameters
        ----------
        history : Panel
            Everything known at the origin.
        steps : int
            Bins to forecast.
        context : JobContext, optional
            Takes the progress, and says whether to stop.

        Returns
        -------
        ndarray of float32, shape (steps, H, W)
            Probability of at least one incident per cell and bin; NaN outside the study area.
        """

    def predict_each(self, heatmaps: Panel, first: int, context: JobContext | None = None) -> Maps:
        """Forecast each map from `first` on, one step ahead, from nothing but the maps before it.

        The same as calling `predict` on ``heatmaps.before(t)`` for every t >= `first`; forecasters override it where
        one pass over the stack is cheaper.

        Returns
        -------
        ndarray of float32, shape (T - first, H, W)
        """
        context = context or JobContext()
        risk = np.full((len(heatmaps) - first, *heatmaps.mask.shape), np.nan, dtype=np.float32)
        for number, origin in enumerate(range(first, len(heatmaps))):
            with context.step(number / len(risk), (number + 1) / len(risk)):
                context.progress(0.0)
                risk[number] = self.predict(heatmaps.before(origin), 1, context)[0]
        return risk

    def predict_ahead(self, heatmaps: Panel, first: int, horizon: int = 1, context: JobContext | None = None) -> Maps:
        """Forecast each map from `first` on, `horizon` bins ahead: map t from the maps before t - horizon + 1.

        Returns
        -------
        ndarray of float32, shape (T - first, H, W)
        """
        check_steps(horizon)
        if horizon == 1:
            return self.predict_each(heatmaps, first, context)
        context = context or JobContext()
        risk = np.full((len(heatmaps) - first, *heatmaps.mask.shape), np.nan, dtype=np.float32)
        for number, target in enumerate(range(first, len(heatmaps))):
            with context.step(number / len(risk), (number + 1) / len(risk)):
                context.progress(0.0)
                origin = max(target - horizon + 1, 0)
                risk[number] = self.predict(heatmaps.before(origin), target - origin + 1, context)[-1]
        return risk

    def forecast_known(self, panel: Panel, first: int, horizon: int = 1, context: JobContext | None = None) -> Maps:
        """Forecast each bin from `first` on from what was known `horizon` bins before its end: delays are obeyed.

        Bin t from ``panel.before(t - horizon + 1)``. A count that is known late makes the way to look ahead as much
        longer, which is how the forecasters see it.

        Returns
        -------
        ndarray of float32, shape (T - first, ...)
        """
        check_steps(horizon)
        return self.predict_ahead(panel.drop_delay(), first, horizon + panel.delay, context)

    def predict_counts(self, history: Panel, steps: int = 1, context: JobContext | None = None) -> Counts:
        """Forecast how many incidents the bins after `history` will have, with an interval of 95 %.

        They are those of which `predict` gives the probabilities (`expect_counts`).
        """
        return expect_counts(self.predict(history, steps, context), history, getattr(self, "threshold", 1))

    def predict_window(self, history: Panel, steps: int = 1, context: JobContext | None = None) -> NDArray[np.float32]:
        """Forecast the incidents of the next `steps` bins as one window, which begins when the last count is known.

        Counts that are known late leave bins that are over and nobody knows yet: they are no part of it.

        Returns
        -------
        ndarray of float32, shape (...)
            Expected incidents by unit; NaN outside the study area.
        """
        check_steps(steps)
        risk = self.predict(history, history.delay + steps, context)[history.delay :]
        return expect_window(risk, history, getattr(self, "threshold", 1))

    def predict_windows(self, panel: Panel, first: int, length: int, context: JobContext | None = None) -> Maps:
        """Forecast windows of `length` bins one after the other from bin `first` on, each from what was known then.

        The same as calling `predict_window` on ``panel.before(start)`` for each window's first bin; forecasters
        override it where one pass over the panel is cheaper.

        Returns
        -------
        ndarray of float32, shape (windows, ...)
        """
        context = context or JobContext()
        starts = range(first, len(panel) - length + 1, length)
        expected = np.empty((len(starts), *panel.mask.shape), dtype=np.float32)
        for number, start in enumerate(starts):
            with context.step(number / len(starts), (number + 1) / len(starts)):
                context.progress(0.0)
                expected[number] = self.predict_window(panel.before(start), length, context)
        return expected

    def settings(self) -> dict[str, Any]:
        """Return the arguments it was made with, JSON-able; with `state` all that a model file keeps."""
        return {
            name: getattr(self, name) for name in inspect.signature(type(self).__init__).parameters if name != "self"
        }

    def state(self) -> dict[str, NDArray[Any]]:
        """Return what `fit` learned, as arrays by name."""
        return {name: np.asarray(getattr(self, name)) for name in self.LEARNED}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> Self:
        """Take over what another forecaster of the same settings learned (its `state`).

        Raises
        ------
        Damaged
            If it is not as `LEARNED` says.
        """
        check_arrays(self.LEARNED, state)
        for name in self.LEARNED:
            array = np.asarray(state[name])
            setattr(self, name, array if array.ndim else array.item())
        return self


def mark_events(
    heatmaps: Panel, threshold: int = 1, which: slice | NDArray[np.bool_] | NDArray[np.intp] = slice(None)
) -> NDArray[np.uint8]:
    """Mark events, shape (T, H, W): 1 where a cell of the study area counts at least `threshold` incidents.

    `which` picks some of the maps.
    """
    if threshold > 1 and heatmaps.binary:
        raise ParameterError(
            f"threshold is {threshold}, but the maps only say whether there was an incident",
            parameter="threshold",
            value=threshold,
            remedy="Use threshold 1, or rasterize counts instead of binary maps",
        )
    maps: NDArray[np.uint8] = ((heatmaps.counts[which] >= threshold) & heatmaps.mask).astype(np.uint8)
    return maps


def counts_events(heatmaps: Panel, threshold: int) -> bool:
    """Say whether events are counted instead of incidents: above a threshold of 1, and in binary maps."""
    return heatmaps.binary or threshold > 1


def check_history(heatmaps: Panel, least: int) -> None:
    """Refuse a history nobody can forecast from.

    Raises
    ------
    DataError
        If the study area is empty, values are negative or missing, there are fewer than `least` observed maps, or
        no incident at all.
    """
    counts: NDArray[Any] = heatmaps.counts
    if not heatmaps.mask.any():
        raise DataError(
            "No cell lies inside the study area",
            parameter="heatmaps",
            remedy="Choose a study area that overlaps the incidents",
        )
    lowest, something = 0.0, False
    # Map by map: a stack may be a file larger than the memory. Of whole numbers from 0 one incident says it all.
    for band, seen in zip(counts, heatmaps.observed, strict=True):
        if something and counts.dtype.kind == "u":
            break
        inside = band[heatmaps.mask]
        if inside.dtype.kind == "f" and not np.isfinite(inside).all():
            raise DataError(
                "The maps hold values that are no numbers inside the study area",
                parameter="heatmaps",
                remedy="Make the stack again with Rasterize hotspot grids",
            )
        if inside.dtype.kind in "if":
            lowest = min(lowest, inside.min())
        something = something or bool(seen and inside.any())
    if lowest < 0:
        raise DataError(
            f"The maps hold negative counts ({lowest})",
            parameter="heatmaps",
            value=lowest,
            remedy="Make the stack again with Rasterize hotspot grids",
        )
    observed = int(heatmaps.observed.sum())
    if observed < least:
        raise DataError(
            f"The history holds {count_text(observed, 'observed map')}; at least {least} are needed",
            parameter="heatmaps",
            value=observed,
            remedy="Use a longer period or shorter bins, or a shorter sequence_length",
        )
    if not something:
        raise DataError(
            "No incident lies in the history, so there is nothing to learn from",
            parameter="heatmaps",
            remedy="Check the category filter, the period and the extent of the hotspot grids",
        )


def check_steps(steps: int) -> None:
    """Refuse a horizon of no bins."""
    if steps < 1:
        raise ParameterError(
            f"steps is {steps}; it must be at least 1",
            parameter="steps",
            value=steps,
            remedy="Give a whole number from 1",
        )
