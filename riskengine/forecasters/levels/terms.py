"""The level with recent crime: a log-linear correction by groups of columns, each kept where the past proves it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from ...contract.forecasters import title_of
from ...contract.texts import list_names
from ...ground.context import JobContext
from ...ground.damage import ArraySpec
from ...maps.panel import Panel
from ..pastcounts import YEAR
from ..regression import LEAST_DEVIATION
from .base import Array, Way
from .cityclock import LEAST_YEARS, measure_days
from .columnreader import MOST_COLUMN, ColumnReader
from .loglink import correct, fit_weights
from .pastforecasts import PastForecasts, Rows
from .termcolumns import TermColumns

#: Strengths of the pull on the weights that are tried: precisions of their Gaussian prior, of standardised columns.
_STRENGTHS = (20.0, 200.0)
_MOST_WEIGHT = 10.0
_MOST_DEVIATIONS = np.float32(4.0)


class LevelTerms(ColumnReader):
    """Level × calendar × place, times e^(weighted sum of columns).

    The columns come in groups (`termcolumns.GROUPS`, and one for each further category). One group after the other is
    added, the one with which past folds gain most first, as long as the gain is proven: the weights are judged on
    a fold that they were not learned from. Where no group is, nothing is corrected.

    Parameters
    ----------
    half_life, shrinkage, proven, threshold
        See `LearnedLevel`. Without proof all groups are taken.

    Attributes
    ----------
    mean_, scale_, weights_ : ndarray, shape (columns,)
        Of the columns, standardised; a weight of 0 for those that are left out.

    Examples
    --------
    >>> LevelTerms().fit(history).predict(history, steps=7)  # doctest: +SKIP
    """

    name = "level_terms"
    LEARNED: ClassVar[Mapping[str, ArraySpec]] = {
        **ColumnReader.LEARNED,
        "mean_": ArraySpec("f", ("columns",), -MOST_COLUMN, MOST_COLUMN),
        "scale_": ArraySpec("f", ("columns",), LEAST_DEVIATION, MOST_COLUMN),
        "weights_": ArraySpec("f", ("columns",), -_MOST_WEIGHT, _MOST_WEIGHT),
    }

    mean_: Array
    scale_: Array
    weights_: Array

    @property
    def corrects(self) -> bool:
        """Whether any column has a weight."""
        return bool(self.weights_.any())

    def _forget(self) -> None:
        self.mean_ = self.weights_ = np.zeros(0)
        self.scale_ = np.ones(0)

    def _learn(self, history: Panel, past: PastForecasts, context: JobContext) -> None:
        read = self._read(history.drop_delay(), history.edges)
        columns = read.make(past.ways, past.expected)
        flat = columns.reshape(-1, columns.shape[-1])
        self.mean_ = flat.mean(axis=0, dtype=np.float64)
        deviation = flat.std(axis=0, dtype=np.float64)
        self.scale_ = np.where(deviation > LEAST_DEVIATION, deviation, 1.0)
        columns = self._standardise(columns)
        groups = np.array(read.groups)
        # As in `cellwise`: threads that share a table this small wait for each other.
        with threadpool_limits(1):
            strengths = dict.fromkeys(groups, _STRENGTHS[-1])
            # In fewer years a season is a trend as well.
            if measure_days(history.edges).sum() < LEAST_YEARS * YEAR:
                columns[..., groups == "hours"] = 0.0
            if self.proven:
                strengths = self._choose(columns, groups, past, read.describe, context)
            pulls = np.array([strengths.get(group, 0.0) for group in groups])
            self.weights_ = np.zeros(len(groups))
            if strengths:
                rows = np.ones(len(past.ways), dtype=bool)
                self.weights_[pulls > 0] = np.clip(_fit(columns, past, pulls, rows), -_MOST_WEIGHT, _MOST_WEIGHT)
        names = list_names([read.describe(group) for group in strengths]) or "none"
        context.log(f"{title_of(self.name)}: terms that past folds prove: {names}")

    def _choose(
        self,
        columns: NDArray[np.float32],
        groups: NDArray[np.str_],
        past: PastForecasts,
        say: Callable[[str], str],
        context: JobContext,
    ) -> dict[str, float]:
        """Choose groups and the strength of each, one after the other, as long as past folds prove a gain."""
        chosen: dict[str, float] = {}
        open_ = [(str(group), strength) for group in dict.fromkeys(groups) for strength in _STRENGTHS]
        current = past.expected
        number, most = 0, 2 * len(open_)
        while open_:
            found = []
            for group, strength in open_:
                context.progress(min(number / most, 0.95), f"{title_of(self.name)}: trying {say(group)}")
                number += 1
                pulls = np.array([{**chosen, group: strength}.get(each, 0.0) for each in groups])
                corrected = past.cross(partial(_learn_terms, columns, past, pulls))
                found.append((*past.judge(corrected, current), group, strength, corrected))
            proven = [each for each in found if each[1]]
            if not proven:
                break
            *_, group, strength, current = min(proven, key=lambda each: each[0])
            chosen[group] = strength
            # Who does not even look better beside what is chosen will not later.
            open_ = [each[2:4] for each in found if each[0] < 0 and each[2] != group]
        return chosen

    def _standardise(self, columns: NDArray[np.float32]) -> NDArray[np.float32]:
        """Standardise columns as they were in what was learned from; what lies far beyond it says no more."""
        z = (columns - self.mean_.astype(np.float32)) / self.scale_.astype(np.float32)
        return np.clip(z, -_MOST_DEVIATIONS, _MOST_DEVIATIONS)

    def _correct(self, read: TermColumns, ways: Sequence[Way], expected: Array) -> Array:
        self._check_columns(len(read.groups), len(self.weights_))
        # Row by row, so that a row's sum does not depend, in its last digit, on how many rows there are.
        sums = np.einsum("ijk,k->ij", self._standardise(read.make(ways, expected)), self.weights_.astype(np.float32))
        return correct(expected, sums.astype(np.float64))


def _fit(columns: NDArray[np.float32], past: PastForecasts, pulls: Array, rows: Rows) -> Array:
    some = columns[rows][..., pulls > 0]
    return fit_weights(
        some.reshape(-1, some.shape[-1]), past.expected[rows].ravel(), past.events[rows].ravel(), pulls[pulls > 0]
    )


def _learn_terms(
    columns: NDArray[np.float32], past: PastForecasts, pulls: Array, rows: Rows
) -> Callable[[Rows], Array]:
    weights = _fit(columns, past, pulls, rows)
    return lambda others: correct(past.expected[others], columns[others][..., pulls > 0] @ weights)
