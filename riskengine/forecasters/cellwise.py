"""Forecasters of one cell and bin at a time: regression and boosted trees on lagged and neighbouring counts."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from math import gcd
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit
from threadpoolctl import threadpool_limits

from ..contract.forecasters import title_of
from ..contract.texts import count_text
from ..ground.context import JobContext
from ..ground.damage import ArraySpec
from ..ground.errors import DataError
from ..maps.bins import make_next_edges
from ..maps.panel import Panel
from .base import Forecaster, Maps, check_history, check_steps, counts_events, mark_events
from .cell_features import CellFeatures
from .regression import LEAST_DEVIATION, fold_scaling, limit_logits, regress
from .trees import Trees, fit_trees

if TYPE_CHECKING:
    from typing_extensions import Self

#: Rows of a training table, at most: of a longer history every second, third, … map is a target.
MOST_ROWS = 1_000_000
#: Maps at the start that only fill the summaries, as a share of the history and at most so many days.
_WARM_SHARE, _WARM_DAYS = 0.25, 120.0
#: A column's values, and the weights of standardised ones, are never larger.
_MOST_COLUMN, _MOST_WEIGHT = 1e12, 1e6
#: Rows of a table that are forecast together.
_BATCH = 32_768


class Cellwise(Forecaster):
    """What both have in common: the table, and the way through time.

    Parameters
    ----------
    threshold : int
        Incidents in a cell and bin that count as an event. Above 1, and for binary maps, events are counted instead
        of incidents.
    """

    LEARNED: ClassVar[Mapping[str, ArraySpec]] = {
        "mean_": ArraySpec("f", ("columns",), -_MOST_COLUMN, _MOST_COLUMN),
        "scale_": ArraySpec("f", ("columns",), LEAST_DEVIATION, _MOST_COLUMN),
        "weights_": ArraySpec("f", ("columns",), -_MOST_WEIGHT, _MOST_WEIGHT),
        "intercept_": ArraySpec("f", (), -_MOST_WEIGHT, _MOST_WEIGHT),
    }

    threshold: int
    mean_: NDArray[np.float64]
    scale_: NDArray[np.float64]
    weights_: NDArray[np.float64]
    intercept_: float

    @property
    def least_maps(self) -> int:  # type: ignore[override]
        """Enough for a month of daily maps, or a dozen longer ones."""
        return 12

    def fit(self, history: Panel, context: JobContext | None = None) -> Self:
        """Learn from all maps of `history` but the first, which fill the summaries."""
        context = context or JobContext()
        check_history(history, self.least_maps)
        with context.step(0.0, 0.5):
            columns, offset, events, first = self._table(history, context)
        # Threads that share a table this small wait for each other by spinning: beside another busy process, two
        # were measured twenty times slower than one.
        with context.step(0.5, 1.0), threadpool_limits(1):
            self._learn(columns, offset, events, first, context)
        return self

    def predict(self, history: Panel, steps: int = 1, context: JobContext | None = None) -> Maps:
        """Forecast the bins after `history`; later bins from the expected counts of the earlier ones."""
        check_steps(steps)
        context = context or JobContext()
        return self._roll(self._state(history, len(history), context), history, steps, context)

    def _roll(self, state: CellFeatures, history: Panel, steps: int, context: JobContext) -> Maps:
        """Forecast the bins after `history`, which `state` was shown; it is shown the expected counts."""
        starts = make_next_edges(history.edges, history.bin, steps)
        events = counts_events(history, self.threshold)
        risk = np.full((steps, *history.mask.shape), np.nan, dtype=np.float32)
        for step in range(steps):
            context.progress(step / steps)
            columns, rate = state.columns(starts[step])
            risk[step][history.mask] = self._risk(columns, _offset(rate, events))
            expected = np.zeros(history.mask.shape)
            p = risk[step][history.mask].astype(np.float64)
            expected[history.mask] = p if events else -np.log1p(-p)
            if step + 1 < steps:
                # What the channels will hold is unknown: their level stays the recent one.
                state.update(starts[step], expected)
        return risk

    def predict_each(self, heatmaps: Panel, first: int, context: JobContext | None = None) -> Maps:
        """Forecast every map from `first` on, one step ahead, in one pass over the stack."""
        context = context or JobContext()
        state = self._state(heatmaps, first, context)
        risk = np.full((len(heatmaps) - first, *heatmaps.mask.shape), np.nan, dtype=np.float32)
        batch = max(_BATCH // int(heatmaps.mask.sum()), 1)
        for low in range(0, len(risk), batch):
            tables, offsets = [], []
            for number in range(low, min(low + batch, len(risk))):
                context.progress(number / len(risk))
                columns, rate = state.columns(heatmaps.edges[first + number])
                tables.append(columns)
                offsets.append(_offset(rate, counts_events(heatmaps, self.threshold)))
                self._show(state, heatmaps, first + number)
            rows = self._risk(np.concatenate(tables), np.concatenate(offsets))
            risk[low : low + len(tables), heatmaps.mask] = rows.reshape(len(tables), -1)
        return risk

    def predict_ahead(self, heatmaps: Panel, first: int, horizon: int = 1, context: JobContext | None = None) -> Maps:
        """Forecast every map from `first` on, `horizon` bins ahead; the maps are read once for all origins."""
        check_steps(horizon)
        if horizon == 1:
            return self.predict_each(heatmaps, first, context)
        context = context or JobContext()
        risk = np.full((len(heatmaps) - first, *heatmaps.mask.shape), np.nan, dtype=np.float32)
        known = max(first - horizon + 1, 0)
        state = self._state(heatmaps, known, context)
        for number, target in enumerate(range(first, len(heatmaps))):
            origin = max(target - horizon + 1, 0)
            if known < origin:
                self._show(state, heatmaps, known)
                known += 1
            with context.step(number / len(risk), (number + 1) / len(risk)):
                risk[number] = self._roll(state.copy(), heatmaps.before(origin), target - origin + 1, context)[-1]
        return risk

    def _show(self, state: CellFeatures, heatmaps: Panel, number: int) -> None:
        seen: NDArray[Any] | None = None
        if heatmaps.observed[number]:
            one = slice(number, number + 1)
            events = counts_events(heatmaps, self.threshold)
            seen = mark_events(heatmaps, self.threshold, one)[0] if events else heatmaps.counts[number]
        state.update(heatmaps.edges[number], seen, [stack[number] for stack in heatmaps.extras.channels])

    def _state(self, heatmaps: Panel, until: int, context: JobContext) -> CellFeatures:
        state = CellFeatures(heatmaps, len(heatmaps.extras.channel_names))
        if len(state.names) != len(self.weights_):
            raise DataError(
                f"The model was fitted with {count_text(len(self.weights_), 'column')} per cell, the maps give"
                f" {len(state.names)}",
                parameter="extras",
                value=[*heatmaps.extras.channel_names, *heatmaps.extras.static_names],
                remedy="Give the same further layers, and bins of the same length, as when the model was fitted",
            )
        for number in range(until):
            if number % 32 == 0:
                context.check_cancelled()
            self._show(state, heatmaps, number)
        return state

    def _table(
        self, history: Panel, context: JobContext
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.uint8], int]:
        """Compute columns, offsets and events of the training maps in time order, and the rows of their first 80 %."""
        maps, cells = len(history), int(history.mask.sum())
        state = CellFeatures(history, len(history.extras.channel_names))
        # Maps that were not observed fill no summary: the warm-up counts those that were.
        seen = np.flatnonzero(history.observed)
        warm = int(min(len(seen) * _WARM_SHARE, _WARM_DAYS / state.bin_days)) or 1
        thin = max(-(-(len(seen) - warm) * cells // MOST_ROWS), 1)
        # Every seventh day would always be the same weekday.
        while gcd(thin, state.slots) > 1:
            thin += 1
        targets = [int(number) for number in seen[warm:] if (seen[-1] - number) % thin == 0]
        if not targets:
            raise DataError(
                f"The history holds {count_text(len(seen), 'observed map')}: none is left to learn from after the"
                f" {warm} that fill"
                " the summaries",
                parameter="heatmaps",
                value=len(seen),
                remedy="Use a longer period or shorter bins, or a simpler model",
            )
        wanted = set(targets)
        columns = np.empty((len(targets) * cells, len(state.names)), dtype=np.float32)
        offset = np.empty(len(targets) * cells, dtype=np.float32)
        events = np.empty(len(targets) * cells, dtype=np.uint8)
        row = 0
        for number in range(maps):
            if number % 16 == 0:
                context.progress(number / maps, f"{title_of(self.name)}: reading map {number + 1} of {maps}")
            if number in wanted:
                table, rate = state.columns(history.edges[number])
                columns[row : row + cells] = table
                offset[row : row + cells] = _offset(rate, counts_events(history, self.threshold))
                one = slice(number, number + 1)
                events[row : row + cells] = mark_events(history, self.threshold, one)[0][history.mask]
                row += cells
            self._show(state, history, number)
        return columns, offset, events, round(len(targets) * 0.8) * cells

    @abstractmethod
    def _learn(
        self,
        columns: NDArray[np.float32],
        offset: NDArray[np.float32],
        events: NDArray[np.uint8],
        first: int,
        context: JobContext,
    ) -> None:
        """Fit to a table whose rows from `first` on are its last fifth."""

    @abstractmethod
    def _risk(self, columns: NDArray[np.float32], offset: NDArray[np.float32]) -> NDArray[np.float32]:
        """Forecast a table's rows."""

    def _regress(
        self,
        columns: NDArray[np.float32],
        offset: NDArray[np.float32],
        events: NDArray[np.uint8],
        strength: float,
        context: JobContext,
    ) -> None:
        fit = regress(columns, offset, events, strength, f"{title_of(self.name)}: regression", context)
        self.mean_, self.scale_, self.weights_, self.intercept_ = fit

    def _linear(self, columns: NDArray[np.float32], offset: NDArray[np.float32]) -> NDArray[np.float64]:
        weights, shift = fold_scaling(self.mean_, self.scale_, self.weights_, self.intercept_)
        # Row by row, so that a row's sum does not depend, in its last digit, on how many rows there are.
        return limit_logits(np.einsum("ij,j->i", columns, weights) + offset + shift)


class Logistic(Cellwise):
    """Regularised logistic regression on lagged, smoothed and neighbouring counts.

    The logit of the long-run rate (times that of the time of the week) is an offset with coefficient one; the weights
    of all other columns are held near zero, so that with little history the forecast is the long-run mean.

    Parameters
    ----------
    strength : float
        Precision of the Gaussian prior of the standardised weights.
    threshold : int
        Incidents in a cell and bin that count as an event.

    Attributes
    ----------
    weights_, intercept_ : ndarray, float
        Of the standardised columns.
    mean_, scale_ : ndarray
        Of the columns, over the training maps.

    Examples
    --------
    >>> Logistic().fit(history).predict(history, steps=7)  # doctest: +SKIP
    """

    name = "logistic"

    def __init__(self, strength: float = 30.0, threshold: int = 1) -> None:
        self.strength = strength
        self.threshold = threshold

    def _learn(
        self,
        columns: NDArray[np.float32],
        offset: NDArray[np.float32],
        events: NDArray[np.uint8],
        first: int,
        context: JobContext,
    ) -> None:
        self._regress(columns, offset, events, self.strength, context)

    def _risk(self, columns: NDArray[np.float32], offset: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(expit(self._linear(columns, offset)), dtype=np.float32)


class Boosting(Cellwise):
    """The logistic regression, and gradient-boosted trees that correct its logit.

    The number of trees is chosen on the last fifth of the history, then all of it is fitted. Where trees gain nothing
    there, there are none.

    Parameters
    ----------
    trees : int
        At most.
    leaves : int
        Of a tree, at most.
    learning_rate : float
    strength : float
        As that of `Logistic`.
    threshold : int
    seed : int

    Attributes
    ----------
    trees_ : Trees
    """

    name = "boosting"

    def __init__(
        self,
        trees: int = 150,
        leaves: int = 8,
        learning_rate: float = 0.05,
        strength: float = 30.0,
        threshold: int = 1,
        seed: int = 0,
    ) -> None:
        self.trees = trees
        self.leaves = leaves
        self.learning_rate = learning_rate
        self.strength = strength
        self.threshold = threshold
        self.seed = seed

    def _learn(
        self,
        columns: NDArray[np.float32],
        offset: NDArray[np.float32],
        events: NDArray[np.uint8],
        first: int,
        context: JobContext,
    ) -> None:
        self._regress(columns, offset, events, self.strength, context)
        logits = self._linear(columns, offset)
        self.trees_: Trees = fit_trees(
            _with_logit(columns, logits),
            logits,
            events,
            first,
            self.trees,
            self.leaves,
            self.learning_rate,
            self.seed,
            context,
        )

    def _risk(self, columns: NDArray[np.float32], offset: NDArray[np.float32]) -> NDArray[np.float32]:
        logits = self._linear(columns, offset)
        z = limit_logits(logits + self.trees_(_with_logit(columns, logits)))
        return np.asarray(expit(z), dtype=np.float32)

    def state(self) -> dict[str, NDArray[Any]]:
        """Return what `fit` learned, as arrays by name."""
        return {**super().state(), **self.trees_.state()}

    def restore(self, state: Any) -> Self:
        """Take over what another forecaster of the same settings learned."""
        super().restore(state)
        # The last column is the regression's logit.
        self.trees_ = Trees.restore(state, len(self.weights_) + 1)
        return self


def _with_logit(columns: NDArray[np.float32], logits: NDArray[np.float64]) -> NDArray[np.float32]:
    """Add the regression's logit as the table's last column."""
    return np.column_stack([columns, logits.astype(np.float32)])


def _offset(rate: NDArray[np.float64], events: bool) -> NDArray[np.float32]:
    """Compute the logit of the probability of at least one incident at this rate."""
    p = np.clip(rate if events else -np.expm1(-rate), 1e-6, 1 - 1e-6)
    return np.asarray(logit(p), dtype=np.float32)
