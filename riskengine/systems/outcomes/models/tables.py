"""The tables of rates as models: of the category, of its descriptions, and of their kinds of location."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from ....contract.outcomes import TextRole
from ....ground.context import JobContext
from ..rows import Floats, Rows
from .base import Predictor, limit_probabilities
from .rates import NESTED, NestedRates


class RateTable(Predictor):
    """The smoothed rate of the category.

    Attributes
    ----------
    rates_ : NestedRates
    """

    FIELDS: ClassVar[tuple[TextRole, ...]] = NESTED[:1]

    def fit(self, rows: Rows, context: JobContext | None = None) -> Self:
        """Count."""
        roles = tuple(role for role in self.FIELDS if role in self.reading.groups)
        self.rates_ = NestedRates.learn(rows, roles)
        return self

    def predict(self, rows: Rows) -> Floats:
        """Look up the rate of each row; of fields never seen together, that of those that were."""
        return limit_probabilities(self.rates_.find(rows)[0][-1])

    def find_unseen(self, rows: Rows) -> dict[TextRole, NDArray[np.bool_]]:
        """Find by field the rows whose value was never seen, or not within those of the fields before it."""
        return self.rates_.find_unseen(rows)

    def count_alike(self, rows: Rows) -> NDArray[np.int64]:
        """Count the rows learned from that shared with each row as many of the table's fields as were seen."""
        return self.rates_.count_alike(rows)

    def state(self) -> dict[str, NDArray[Any]]:
        """Return its rates as arrays."""
        return self.rates_.state("rates")

    def restore(self, state: Mapping[str, NDArray[Any]]) -> Self:
        """Take what `state` gave."""
        self.rates_ = NestedRates.restore("rates", state, self.FIELDS)
        return self


class DescriptionTable(RateTable):
    """The same of category and description."""

    FIELDS: ClassVar[tuple[TextRole, ...]] = NESTED[:2]


class LocationTable(RateTable):
    """The same of category, description and kind of location."""

    FIELDS: ClassVar[tuple[TextRole, ...]] = NESTED[:3]
