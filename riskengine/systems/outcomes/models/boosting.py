"""Boosted trees that take categories as they are: without places, and with coordinates and past local rates."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

from ....ground.context import JobContext
from ....measures.metrics import log_loss
from ..rows import Floats, Rows
from .base import Reading
from .columns import ColumnMaker, Columns, order_rows
from .fields import FieldModel
from .ratecolumns import RateColumns
from .trees import CategoryTrees, flatten_category_trees

#: Of scikit-learn's boosting; chosen on the days of Chicago's 2018 that forecasts learn from, never on those forecast.
SETTINGS: Mapping[str, Any] = {
    "max_iter": 280,
    "learning_rate": 0.03,
    "max_leaf_nodes": 31,
    "min_samples_leaf": 20,
    "l2_regularization": 10.0,
    "max_features": 0.2,
    "early_stopping": False,
}
#: Fewer rows are learned from by one thread, and by one of these: fields and places of some cities say much, of others
#: little, so that each is judged by rows that it did not learn from.
_FEW_ROWS = 20_000
_FEW: tuple[Mapping[str, Any], ...] = (
    {"max_iter": 150, "learning_rate": 0.05, "max_leaf_nodes": 8, "max_features": 0.3},
    {"max_iter": 100, "learning_rate": 0.05, "max_leaf_nodes": 4, "max_features": 0.3},
)
#: Parts of few rows, each judged by a model of the others.
_PARTS = 4


class Boosting(FieldModel):
    """Boosted trees of all fields but coordinates.

    Attributes
    ----------
    columns_ : ColumnMaker
    trees_ : CategoryTrees
    """

    PLACES: ClassVar[bool] = False
    SETTINGS: ClassVar[Mapping[str, Any]] = SETTINGS

    def __init__(self, reading: Reading, settings: Mapping[str, Any] | None = None) -> None:
        super().__init__(reading)
        self.settings = settings

    def _make_columns(self) -> ColumnMaker:
        return RateColumns(self.reading, self.rates_, self.PLACES)

    def _fit(self, rows: Rows, context: JobContext) -> bool:
        self.columns_ = self._make_columns()
        context.progress(0.0, "Encoding fields")
        table = self.columns_.learn(rows)
        if not table.shape[1]:
            return False
        with context.step(0.0, 0.8):
            chosen = self.settings or self._choose_settings(rows, table, context)
        settings = {**chosen, "random_state": self.reading.seed}
        with context.step(0.8 if len(rows) < _FEW_ROWS else 0.2, 1.0):
            self.trees_ = grow_category_trees(table, rows.outcomes, self.columns_.categories, settings, context)
        return True

    def _choose_settings(self, rows: Rows, table: Columns, context: JobContext) -> Mapping[str, Any]:
        """Choose those by which few rows are foretold best that were not learned from."""
        if len(rows) >= _FEW_ROWS:
            return self.SETTINGS
        part = np.empty(len(rows), dtype=np.int64)
        part[order_rows(table, rows.outcomes)] = np.arange(len(rows)) % _PARTS
        losses = []
        for number, few in enumerate(_FEW):
            with context.step(number / len(_FEW), (number + 1) / len(_FEW)):
                losses.append(self._judge({**self.SETTINGS, **few}, rows, part, context))
        return {**self.SETTINGS, **_FEW[int(np.argmin(losses))]}

    def _judge(self, settings: Mapping[str, Any], rows: Rows, part: NDArray[np.int64], context: JobContext) -> float:
        """Judge settings: the log-loss of rows foretold by models of the other parts."""
        foretold = np.empty(len(rows))
        for number in range(min(_PARTS, len(rows))):
            with context.step(number / _PARTS, (number + 1) / _PARTS):
                model = type(self)(self.reading, settings).fit(rows.select(part != number), context)
            foretold[part == number] = model.predict(rows.select(part == number))
        return log_loss(foretold, rows.outcomes)

    def _predict(self, rows: Rows) -> Floats:
        return np.asarray(expit(self.trees_(self.columns_.make(rows))))

    def _state(self) -> dict[str, NDArray[Any]]:
        return self.columns_.state() | self.trees_.state()

    def _restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        self.columns_ = self._make_columns().restore(state)
        self.trees_ = CategoryTrees.restore(state, self.columns_.width)


class BoostingPlace(Boosting):
    """The same with coordinates and past local rates."""

    PLACES: ClassVar[bool] = True


class _Watched(HistGradientBoostingClassifier):  # type: ignore[misc]
    """Asks before every tree whether it is to go on, for which scikit-learn has no way of its own."""

    look: Callable[[], None]

    def _get_loss(self, sample_weight: Any) -> Any:
        loss = super()._get_loss(sample_weight)
        compute = loss.gradient_hessian

        def look_and_compute(*args: Any, **named: Any) -> Any:
            self.look()
            return compute(*args, **named)

        loss.gradient_hessian = look_and_compute
        return loss


def grow_category_trees(
    table: Columns, outcome: NDArray[np.bool_], categories: int, settings: Mapping[str, Any], context: JobContext
) -> CategoryTrees:
    """Grow trees whose sum is the logit of an outcome; in whichever order the rows come, they are the same.

    Parameters
    ----------
    table : ndarray, shape (rows, columns)
    outcome : ndarray of bool, shape (rows,)
        Both kinds occur.
    categories : int
        How many of the first columns are levels.
    settings : mapping
        Of scikit-learn's `HistGradientBoostingClassifier`.
    """
    order = order_rows(table, outcome)
    model = _Watched(**settings, categorical_features=list(range(categories)))
    grown = itertools.count()
    model.look = lambda: context.progress(next(grown) / model.max_iter, "Growing trees")
    # Of few rows threads gain nothing, and beside other work they wait for each other: fifteen times slower.
    with threadpool_limits(1 if len(table) < _FEW_ROWS else None):
        model.fit(table[order], outcome[order])
    return flatten_category_trees(model)
