"""What all models of many fields share: where a category or description was never seen, its parent's rate holds."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ....contract.outcomes import TextRole
from ....ground.context import JobContext
from ....ground.damage import ArraySpec, check_arrays
from ..rows import Floats, Rows
from .base import Predictor, limit_probabilities
from .rates import NESTED, NestedRates


class FieldModel(Predictor):
    """A model of many fields over a table of category and description, which it falls back on.

    Attributes
    ----------
    rates_ : NestedRates
    learned_ : bool
        Whether there was more to learn than rates: outcomes of both kinds, and a field.
    """

    def fit(self, rows: Rows, context: JobContext | None = None) -> Self:
        """Learn; where outcomes are all alike, rates are all that there is to learn."""
        self.rates_ = NestedRates.learn(rows, [role for role in NESTED[:2] if role in self.reading.groups])
        happened = rows.outcomes
        self.learned_ = bool(happened.any() and not happened.all()) and self._fit(rows, context or JobContext())
        return self

    def predict(self, rows: Rows) -> Floats:
        """Predict; a category never seen takes the rate of all incidents, a description its category's."""
        rates, depth = self.rates_.find(rows)
        if not self.learned_:
            return limit_probabilities(rates[-1])
        return limit_probabilities(np.where(depth < len(self.rates_.roles), rates[-1], self._predict(rows)))

    def find_unseen(self, rows: Rows) -> dict[TextRole, NDArray[np.bool_]]:
        """Find by field the rows whose value was never seen, or not within that of the field before."""
        return self.rates_.find_unseen(rows)

    def count_alike(self, rows: Rows) -> NDArray[np.int64]:
        """Count the rows learned from that shared with each row as many of the table's fields as were seen."""
        return self.rates_.count_alike(rows)

    def state(self) -> dict[str, NDArray[Any]]:
        """Return what it learned as arrays."""
        learned = {"learned": np.asarray(self.learned_, dtype=np.int64)}
        return self.rates_.state("rates") | learned | (self._state() if self.learned_ else {})

    def restore(self, state: Mapping[str, NDArray[Any]]) -> Self:
        """Take what `state` gave."""
        self.rates_ = NestedRates.restore("rates", state, NESTED[:2])
        check_arrays({"learned": ArraySpec("i", (), 0, 1)}, state)
        self.learned_ = bool(state["learned"])
        if self.learned_:
            self._restore(state)
        return self

    @abstractmethod
    def _fit(self, rows: Rows, context: JobContext) -> bool:
        """Learn from rows with outcomes of both kinds; whether there was a field to learn from."""

    @abstractmethod
    def _predict(self, rows: Rows) -> Floats:
        """Predict the probability of rows."""

    @abstractmethod
    def _state(self) -> dict[str, NDArray[Any]]:
        """Return what `_fit` learned."""

    @abstractmethod
    def _restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Take what `_state` gave."""
