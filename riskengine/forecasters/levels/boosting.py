"""The level with recent crime, boosted: trees on the same columns correct the level."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from ...contract.forecasters import title_of
from ...contract.texts import count_text
from ...ground.context import JobContext
from ...ground.damage import ArraySpec
from ...maps.panel import Panel
from ..trees import Trees, grow_trees
from .base import Array, Way
from .columnreader import ColumnReader
from .loglink import correct
from .pastforecasts import PastForecasts, Rows
from .termcolumns import TermColumns

if TYPE_CHECKING:
    from typing_extensions import Self

#: Shares of the most trees that are tried.
_SHARES = (0.1, 0.2, 0.5, 1.0)


class LevelBoosting(ColumnReader):
    """Level × calendar × place, corrected by gradient-boosted trees on the columns of `LevelTerms` and on times.

    The trees give the logarithm of what the level's expected events are multiplied by, under Poisson's loss.

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
        number = self.trees
        # As in `cellwise`: threads that share a table this small wait for each other.
        with threadpool_limits(1):
            if self.proven:
                number = self._choose(table, past, context)
            if number:
                self.trees_ = self._grow(table, past, np.ones(len(past.ways), dtype=bool), number)
        said = count_text(number, "tree") if number else "no trees, for past folds prove no gain"
        context.log(f"{title_of(self.name)}: {said}")

    def _choose(self, table: NDArray[np.float32], past: PastForecasts, context: JobContext) -> int:
        """Choose the fewest trees that past folds prove, and do not prove to be too few; none where none are."""
        tried = sorted({max(round(self.trees * share), 1) for share in _SHARES})
        corrected = {number: past.expected.copy() for number in tried}
        folds = np.unique(past.fold)
        for place, fold in enumerate(folds):
            context.progress(place / (len(folds) + 1), f"{title_of(self.name)}: choosing the number of trees")
            rows = past.fold == fold
            grown = self._grow(table, past, ~rows, self.trees)
            for number in tried:
                first = replace(grown, roots=grown.roots[:number])
                corrected[number][rows] = _apply(first, table[rows], past.expected[rows])
        judged = [(*past.judge(corrected[number]), number) for number in tried]
        proven = [each for each in judged if each[1]]
        if not proven:
            return 0
        best = corrected[min(proven)[2]]
        # More trees than the past asks for are what a season makes of them: the fewest that are not proven worse.
        return next(number for *_, number in proven if not past.judge(best, corrected[number])[1])

    def _grow(self, table: NDArray[np.float32], past: PastForecasts, rows: Rows, number: int) -> Trees:
        # Of counts over what is expected, each weighing as much as it, Poisson's loss is that with an offset.
        weights = (past.expected if past.counted else -np.expm1(-past.expected))[rows].ravel()
        outcome = past.counts[rows].ravel() / weights
        columns = table[rows].reshape(-1, table.shape[-1])
        if not outcome.any():
            return self.trees_
        grown = grow_trees(columns, outcome, weights, number, self.leaves, self.learning_rate, self.seed)
        # The level is not theirs to tell.
        return replace(grown, start=0.0)

    def _correct(self, read: TermColumns, ways: Sequence[Way], expected: Array) -> Array:
        table = read.make_with_times(ways, expected)
        self._check_columns(table.shape[-1], self.columns_)
        return _apply(self.trees_, table, expected)

    def state(self) -> dict[str, NDArray[Any]]:
        """Return what `fit` learned, as arrays by name."""
        return {**super().state(), **self.trees_.state()}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> Self:
        """Take over what another forecaster of the same settings learned."""
        super().restore(state)
        self.trees_ = Trees.restore(state, self.columns_)
        return self


def _apply(trees: Trees, table: NDArray[np.float32], expected: Array) -> Array:
    return correct(expected, trees(table.reshape(-1, table.shape[-1])).reshape(expected.shape))
