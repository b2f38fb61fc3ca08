"""Models of each unit's rate: regressions and trees on weighted means of the unit and its neighbours."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
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
from ..learning.calibration import Calibration, fit_calibration
from ..maps.panel import Panel
from .base import Maps, check_history, mark_events
from .ratecolumns import RateColumns
from .rates import LARGEST, LEAST_EVENTS, SMALLEST, OnceRead, choose_targets, to_probability
from .regression import LEAST_DEVIATION, fold_scaling, regress_few
from .trees import Trees, grow_trees

if TYPE_CHECKING:
    from typing_extensions import Self

#: Past bins that are learned from, at most.
_MOST_TARGETS = 400
#: Of fewer years than this the time of the year is no column: in London's it was the lockdown.
_SEASON_YEARS = np.timedelta64(4 * 365, "D")
_MOST_COLUMN, _MOST_WEIGHT = 1e12, 1e6
#: Of Poisson models: no expected count is beyond e to this.
_MOST_LOG = 12.0
_CALIBRATED: Mapping[str, ArraySpec] = {
    "slope_": ArraySpec("f", (), 0.0, 5.0),
    "shift_": ArraySpec("f", (), -5.0, 5.0),
}
_LINEAR: Mapping[str, ArraySpec] = {
    "mean_": ArraySpec("f", ("columns",), -_MOST_COLUMN, _MOST_COLUMN),
    "scale_": ArraySpec("f", ("columns",), LEAST_DEVIATION, _MOST_COLUMN),
    "weights_": ArraySpec("f", ("columns",), -_MOST_WEIGHT, _MOST_WEIGHT),
    "intercept_": ArraySpec("f", (), -_MOST_WEIGHT, _MOST_WEIGHT),
}


@dataclass
class Rows:
    """A table to learn from, its rows in order of time.

    Attributes
    ----------
    columns : ndarray of float32, shape (rows, columns)
        Complete.
    rate : ndarray, shape (rows,)
        The weighted mean that a model corrects.
    level : ndarray, shape (rows,)
        Its mean over the units of a bin.
    mean : ndarray, shape (rows,)
        What that of the counts turned out to be, above 0.
    events : ndarray of 0/1, shape (rows,)
    counts : ndarray of float32, shape (rows,)
        Of incidents, or of events where these are what is counted.
    of_events : bool
    """

    columns: NDArray[np.float32]
    rate: NDArray[np.float64]
    level: NDArray[np.float64]
    mean: NDArray[np.float64]
    events: NDArray[np.uint8]
    counts: NDArray[np.float32]
    of_events: bool


class RateModel(OnceRead):
    """What the models have in common: the table, and the way through time.

    A past bin is a target, its columns are what was known as long before it as the history's delay makes it. A gap in
    a covariate is filled with the mean of what was learned from.

    Parameters
    ----------
    threshold : int
        Incidents in a unit and bin that count as an event. Above 1, and for binary counts, events are counted instead
        of incidents.

    Attributes
    ----------
    fill_ : ndarray, shape (columns,)
        Takes the place of a value that is not known.
    seasons_ : int
        1 where the history was long enough to tell a season from a year that was unlike others.
    """

    LEARNED: ClassVar[Mapping[str, ArraySpec]] = {
        "fill_": ArraySpec("f", ("columns",), -_MOST_COLUMN, _MOST_COLUMN),
        "seasons_": ArraySpec("i", (), 0, 1),
    }

    threshold: int
    seasons: bool | None
    seasons_: int
    fill_: NDArray[np.float64]

    @property
    def least_maps(self) -> int:  # type: ignore[override]
        """A year of months, or as many shorter bins."""
        return 12

    def fit(self, history: Panel, context: JobContext | None = None) -> Self:
        """Learn from the bins of `history` but the first, which only fill the means."""
        context = context or JobContext()
        check_history(history, self.least_maps)
        with context.step(0.0, 0.5):
            rows = self._make_rows(history, context)
        # As in `cellwise`: threads that share a table this small wait for each other.
        with context.step(0.5, 1.0), threadpool_limits(1):
            self._learn(rows, context)
        return self

    def _make_rows(self, history: Panel, context: JobContext) -> Rows:
        targets = choose_targets(history, _MOST_TARGETS)
        if not len(targets):
            raise DataError(
                f"The history holds {count_text(int(history.observed.sum()), 'observed map')}: none is left to learn"
                " from after those that fill the means",
                parameter="heatmaps",
                value=len(history),
                remedy="Use a longer period or shorter bins, or a simpler model",
            )
        long_enough = history.edges[-1] - history.edges[0] >= _SEASON_YEARS
        self.seasons_ = int(long_enough if self.seasons is None else self.seasons)
        maker = RateColumns(history, history.edges, self.threshold, bool(self.seasons_))
        units = maker.past.units
        columns = np.empty((len(targets) * units, len(maker.names)), dtype=np.float32)
        rate = np.empty(len(columns))
        for number, target in enumerate(targets):
            context.progress(number / len(targets), f"{title_of(self.name)}: reading what was known")
            part = slice(number * units, (number + 1) * units)
            columns[part], rate[part] = maker.make_table(int(target) - history.delay, int(target))
        known = np.isfinite(columns)
        self.fill_ = np.where(known, columns, 0).sum(axis=0, dtype=np.float64) / np.maximum(known.sum(axis=0), 1)
        events = mark_events(history, self.threshold, targets)[:, history.mask].ravel()
        level = np.repeat(rate.reshape(len(targets), units).mean(axis=1), units)
        mean = np.repeat(np.maximum(maker.past.totals[targets] / units, 1e-9), units)
        return Rows(self._fill(columns), rate, level, mean, events, maker.past.seen[targets].ravel(), maker.past.events)

    def _fill(self, columns: NDArray[np.float32]) -> NDArray[np.float32]:
        gaps = ~np.isfinite(columns)
        if gaps.any():
            columns[gaps] = np.broadcast_to(self.fill_.astype(np.float32), columns.shape)[gaps]
        return columns

    def _forecast(
        self, panel: Panel, edges: NDArray[np.datetime64], ways: list[tuple[int, int]], context: JobContext | None
    ) -> Maps:
        """Forecast bins (the second of each of `ways`) from what was known before another (the first)."""
        context = context or JobContext()
        maker = RateColumns(panel, edges, self.threshold, bool(self.seasons_))
        if len(maker.names) != len(self.fill_):
            raise DataError(
                f"The model was fitted with {count_text(len(self.fill_), 'column')} per unit, the panel gives"
                f" {len(maker.names)}",
                parameter="extras",
                value=[*panel.extras.channel_names, *panel.extras.static_names],
                remedy="Give the same further layers, and bins of the same length, as when the model was fitted",
            )
        risk = np.full((len(ways), *panel.mask.shape), np.nan, dtype=np.float32)
        for number, (origin, target) in enumerate(ways):
            context.progress(number / len(ways))
            columns, rate = maker.make_table(origin, target)
            forecast = self._forecast_rows(self._fill(columns), rate, maker.past.events)
            risk[number][panel.mask] = np.clip(forecast, SMALLEST, LARGEST)
        return risk

    @abstractmethod
    def _learn(self, rows: Rows, context: JobContext) -> None:
        """Learn from a table."""

    @abstractmethod
    def _forecast_rows(
        self, columns: NDArray[np.float32], rate: NDArray[np.float64], of_events: bool
    ) -> NDArray[np.floating]:
        """Forecast the probability of an event in each row."""


class _Linear(RateModel):
    """A weighted sum of the columns is added to the calibrated rate, or to its logarithm."""

    LEARNED: ClassVar[Mapping[str, ArraySpec]] = {**RateModel.LEARNED, **_CALIBRATED, **_LINEAR}

    mean_: NDArray[np.float64]
    scale_: NDArray[np.float64]
    weights_: NDArray[np.float64]
    intercept_: float

    def __init__(self, strength: float = 1.0, seasons: bool | None = None, threshold: int = 1) -> None:
        self.strength = strength
        self.seasons = seasons
        self.threshold = threshold

    def _add(self, columns: NDArray[np.float32], offset: NDArray[np.float64]) -> NDArray[np.float64]:
        slopes, shift = fold_scaling(self.mean_, self.scale_, self.weights_, self.intercept_)
        # Row by row, so that a row's sum does not depend, in its last digit, on how many rows there are.
        return np.asarray(np.einsum("ij,j->i", columns, slopes) + offset + shift, dtype=np.float64)


class RatesLogistic(_Linear):
    """Regularised logistic regression; with little to learn from it is the calibrated weighted mean.

    Parameters
    ----------
    strength : float
        Precision of the Gaussian prior of the standardised weights.
    seasons : bool, optional
        Whether the time of the year is a column; by default where the history holds four years.
    threshold : int

    Attributes
    ----------
    slope_, shift_ : float
        Calibration of the weighted mean, which is the offset.
    mean_, scale_, weights_, intercept_ : ndarray, float
        Of the columns, standardised.

    Examples
    --------
    >>> RatesLogistic().fit(history).predict(history, steps=2)  # doctest: +SKIP
    """

    name = "rates_logistic"

    def _learn(self, rows: Rows, context: JobContext) -> None:
        self.slope_, self.shift_ = _calibrate(to_probability(rows.rate, rows.of_events), rows.events)
        offset = self._offset(rows.rate, rows.of_events)
        fit = regress_few(rows.columns, offset, rows.events, self.strength, "log_loss", title_of(self.name), context)
        self.mean_, self.scale_, self.weights_, self.intercept_ = fit

    def _offset(self, rate: NDArray[np.float64], of_events: bool) -> NDArray[np.float64]:
        return np.asarray(self.slope_ * logit(to_probability(rate, of_events)) + self.shift_)

    def _forecast_rows(
        self, columns: NDArray[np.float32], rate: NDArray[np.float64], of_events: bool
    ) -> NDArray[np.floating]:
        return np.asarray(expit(self._add(columns, self._offset(rate, of_events))))


class PoissonRegression(_Linear):
    """Regularised Poisson regression of the counts; its probabilities are calibrated.

    Parameters
    ----------
    strength : float
        Precision of the Gaussian prior of the standardised weights.
    seasons : bool, optional
        Whether the time of the year is a column; by default where the history holds four years.
    threshold : int

    Attributes
    ----------
    slope_, shift_ : float
        Of the calibration.
    mean_, scale_, weights_, intercept_ : ndarray, float
        Of the columns, standardised; the logarithm of the weighted mean is the offset.
    """

    name = "poisson"

    def _learn(self, rows: Rows, context: JobContext) -> None:
        # With the mean that each bin turned out to have, as `PoissonBoosting`.
        offset = np.log(rows.rate / rows.level * rows.mean)
        fit = regress_few(rows.columns, offset, rows.counts, self.strength, "poisson", title_of(self.name), context)
        self.mean_, self.scale_, self.weights_, self.intercept_ = fit
        expected = self._expect_rows(rows.columns, rows.rate)
        self.slope_, self.shift_ = _calibrate(to_probability(expected, rows.of_events), rows.events)

    def _expect_rows(self, columns: NDArray[np.float32], rate: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(np.exp(np.minimum(self._add(columns, np.log(rate)), _MOST_LOG)))

    def _forecast_rows(
        self, columns: NDArray[np.float32], rate: NDArray[np.float64], of_events: bool
    ) -> NDArray[np.floating]:
        expected = self._expect_rows(columns, rate)
        return Calibration(float(self.slope_), float(self.shift_))(to_probability(expected, of_events))


class _Boosted(RateModel):
    """Trees on the columns."""

    #: Columns of the trees beside those of the table.
    _MORE: ClassVar[int] = 0

    def __init__(
        self,
        trees: int = 100,
        leaves: int = 8,
        learning_rate: float = 0.06,
        seasons: bool | None = None,
        threshold: int = 1,
        seed: int = 0,
    ) -> None:
        self.trees = trees
        self.leaves = leaves
        self.learning_rate = learning_rate
        self.seasons = seasons
        self.threshold = threshold
        self.seed = seed

    def state(self) -> dict[str, NDArray[Any]]:
        """Return what `fit` learned, as arrays by name."""
        return {**super().state(), **self.trees_.state()}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> Self:
        """Take over what another forecaster of the same settings learned."""
        super().restore(state)
        self.trees_: Trees = Trees.restore(state, len(self.fill_) + self._MORE)
        return self


class RatesBoosting(_Boosted):
    """Gradient-boosted trees of the events (scikit-learn's, kept as plain arrays).

    The logarithm of the weighted mean is one more column, which brings in the level.

    Parameters
    ----------
    trees : int
    leaves : int
        Of a tree, at most.
    learning_rate : float
    seasons : bool, optional
        Whether the time of the year is a column; by default where the history holds four years.
    threshold : int
    seed : int

    Attributes
    ----------
    trees_ : Trees
    """

    name = "rates_boosting"
    _MORE = 1

    def _learn(self, rows: Rows, context: JobContext) -> None:
        table = _append_rate(rows.columns, rows.rate)
        self.trees_ = grow_trees(table, rows.events, None, self.trees, self.leaves, self.learning_rate, self.seed)

    def _forecast_rows(
        self, columns: NDArray[np.float32], rate: NDArray[np.float64], of_events: bool
    ) -> NDArray[np.floating]:
        return np.asarray(expit(self.trees_(_append_rate(columns, rate))))


class PoissonBoosting(_Boosted):
    """Gradient-boosted trees of the counts under Poisson's loss; their probabilities are calibrated.

    They tell how a unit's rate differs from the city's, whose level is that of the weighted mean.

    Parameters
    ----------
    trees : int
    leaves : int
        Of a tree, at most.
    learning_rate : float
    seasons : bool, optional
        Whether the time of the year is a column; by default where the history holds four years.
    threshold : int
    seed : int

    Attributes
    ----------
    trees_ : Trees
    slope_, shift_ : float
        Of the calibration.
    """

    name = "poisson_boosting"
    LEARNED: ClassVar[Mapping[str, ArraySpec]] = {**RateModel.LEARNED, **_CALIBRATED}

    def _learn(self, rows: Rows, context: JobContext) -> None:
        # Of counts over the mean of their bin, each weighing as much as it, Poisson's loss is that with an offset: what
        # all units went up and down by is nothing that trees could take for something else.
        share = rows.counts / rows.mean
        self.trees_ = grow_trees(rows.columns, share, rows.mean, self.trees, self.leaves, self.learning_rate, self.seed)
        expected = self._expect_rows(rows.columns, rows.level)
        self.slope_, self.shift_ = _calibrate(to_probability(expected, rows.of_events), rows.events)

    def _expect_rows(self, columns: NDArray[np.float32], level: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(np.exp(np.minimum(self.trees_(columns) + np.log(level), _MOST_LOG)))

    def _forecast_rows(
        self, columns: NDArray[np.float32], rate: NDArray[np.float64], of_events: bool
    ) -> NDArray[np.floating]:
        expected = self._expect_rows(columns, np.full(len(rate), rate.mean()))
        return Calibration(float(self.slope_), float(self.shift_))(to_probability(expected, of_events))


def _append_rate(columns: NDArray[np.float32], rate: NDArray[np.float64]) -> NDArray[np.float32]:
    """Append the logarithm of the weighted mean, which brings in the level."""
    return np.concatenate([columns, np.log(rate)[:, None].astype(np.float32)], axis=1)


def _calibrate(risk: NDArray[Any], events: NDArray[np.uint8]) -> tuple[float, float]:
    """Find slope and shift of a calibration; none where there is too little to learn them from."""
    if min(events.sum(), len(events) - events.sum()) < LEAST_EVENTS:
        return 1.0, 0.0
    found = fit_calibration(risk, events, gathered=True)
    return found.slope, found.shift
