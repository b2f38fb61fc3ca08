"""The level with recent crime, boosted: trees on the same columns correct the level's probability."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit
from threadpoolctl import threadpool_limits

from ...contract.forecasters import title_of
from ...contract.texts import count_text
from ...ground.context import JobContext
from ...ground.damage import ArraySpec
from ...maps.panel import Panel
from ..rates import LARGEST, SMALLEST
from ..trees import Trees, fit_trees
from .base import Array, Way
from .columnreader import ColumnReader
from .pastforecasts import PastForecasts, Rows
from .termcolumns import TermColumns

if TYPE_CHECKING:
    from typing_extensions import Self

#: Share of the rows, at their end, on which the number of trees is chosen.
_CHOOSING = 0.25


class LevelBoosting(ColumnReader):
    """Level × calendar × place, corrected by gradient-boosted trees on the columns of `LevelTerms` and on times.

    The trees are added to the logit of the level's probability, so that with none it is the level.

    Parameters
    ----------
    trees : int
        At most; how many there are is chosen on past bins.
    leaves : int
        Of a tree, at most.
    learning_rate : float
    half_life, shrinkage, proven, threshold
        See `LearnedLevel`.
    seed : int

    Attributes
    ----------
    trees_ : Trees
    columns_ : int
    """

    name = "level_boosting"
    LEARNED: ClassVar[Mapping[str, ArraySpec]] = {**ColumnReader.LEARNED, "columns_": ArraySpec("i", (), 0, 10_000)}

    trees_: Trees
    columns_: int

    def __init__(
        self,
        trees: int = 100,
        leaves: int = 6,
        learning_rate: float = 0.05,
        half_life: float = 60.0,
        shrinkage: float | None = None,
        proven: bool = True,
        threshold: int = 1,
        seed: int = 0,
    ) -> None:
        super().__init__(half_life, shrinkage, proven, threshold)
        self.trees = trees
        self.leaves = leaves
        self.learning_rate = learning_rate
        self.seed = seed

    @property
    def corrects(self) -> bool:
        """Whether there are trees."""
        return len(self.trees_.roots) > 0

    def _forget(self) -> None:
        self.columns_ = 0
        nothing = np.zeros(0, dtype=np.int32)
        self.trees_ = Trees(nothing, nothing, np.zeros(0, np.float32), nothing, nothing, np.zeros(0, np.float32), 0.0)

    def _learn(self, history: Panel, past: PastForecasts, context: JobContext) -> None:
        read = self._read(history.drop_delay(), history.edges)
        table = read.make_with_times(past.ways, past.expected)
        self.columns_ = table.shape[-1]
        everything = np.ones(len(past.ways), dtype=bool)

        def learn(rows: Rows) -> Callable[[Rows], Array]:
            trees = self._grow(table, past, rows, context)
            return lambda others: _apply(trees, table[others], past.expected[others])

        # As in `cellwise`: threads that share a table this small wait for each other.
        with threadpool_limits(1):
            gain, proven = past.judge(past.cross(learn)) if self.proven else (0.0, True)
            if proven:
                self.trees_ = self._grow(table, past, everything, context)
        what = count_text(len(self.trees_.roots), "tree")
        context.log(
            f"{title_of(self.name)}: {what if proven else 'no trees, for past folds prove no gain'}"
            f"{f' ({gain:+.4f} in log-loss)' if self.proven else ''}"
        )

    def _grow(self, table: NDArray[np.float32], past: PastForecasts, rows: Rows, context: JobContext) -> Trees:
        columns = table[rows].reshape(-1, table.shape[-1])
        chosen_from = round(int(rows.sum()) * (1 - _CHOOSING)) * table.shape[1]
        return fit_trees(
            columns,
            _to_logit(past.expected[rows]).ravel(),
            past.events[rows].ravel(),
            chosen_from,
            self.trees,
            self.leaves,
            self.learning_rate,
            self.seed,
            # Told fold by fold it would go back.
            JobContext(cancelled=context.cancelled),
        )

    def _correct(self, read: TermColumns, ways: Sequence[Way], expected: Array) -> Array:
        return _apply(self.trees_, read.make_with_times(ways, expected), expected)

    def state(self) -> dict[str, NDArray[Any]]:
        """Return what `fit` learned, as arrays by name."""
        return {**super().state(), **self.trees_.state()}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> Self:
        """Take over what another forecaster of the same settings learned."""
        super().restore(state)
        self.trees_ = Trees.restore(state, self.columns_)
        return self


def _apply(trees: Trees, table: NDArray[np.float32], expected: Array) -> Array:
    logits = _to_logit(expected) + trees(table.reshape(-1, table.shape[-1])).reshape(expected.shape)
    # −log(1 − p) of the corrected p.
    return np.asarray(np.logaddexp(0.0, logits))


def _to_logit(expected: Array) -> Array:
    return np.asarray(logit(np.clip(-np.expm1(-expected), SMALLEST, LARGEST)))
