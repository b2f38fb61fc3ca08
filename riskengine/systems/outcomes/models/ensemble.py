"""The mean of the logits of models that err differently."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from ....contract.outcomes import TextRole
from ....ground.context import JobContext
from ..rows import Floats, Rows
from .base import Predictor, Reading, make_predictor

#: Its members: a table, a sum and trees.
MEMBERS = ("rate_location", "logistic", "boosting_place")


class Ensemble(Predictor):
    """Every member learns from the same rows, and each counts alike.

    Attributes
    ----------
    members_ : dict of str to Predictor
    """

    def __init__(self, reading: Reading) -> None:
        super().__init__(reading)
        self.members_ = {name: make_predictor(name, reading) for name in MEMBERS}

    def fit(self, rows: Rows, context: JobContext | None = None) -> Self:
        """Fit the members, one after the other."""
        context = context or JobContext()
        for number, member in enumerate(self.members_.values()):
            with context.step(number / len(MEMBERS), (number + 1) / len(MEMBERS)):
                member.fit(rows, context)
        return self

    def predict(self, rows: Rows) -> Floats:
        """Predict by the mean of the members' logits; of values never seen each says its parent's rate."""
        logits = [logit(member.predict(rows)) for member in self.members_.values()]
        return np.asarray(expit(np.mean(logits, axis=0)))

    def find_unseen(self, rows: Rows) -> Mapping[TextRole, NDArray[np.bool_]]:
        """Find by field the rows whose value was never seen."""
        return self.members_[MEMBERS[-1]].find_unseen(rows)

    def count_alike(self, rows: Rows) -> NDArray[np.int64]:
        """Count the rows learned from of each row's kind."""
        return self.members_[MEMBERS[-1]].count_alike(rows)

    def state(self) -> dict[str, NDArray[Any]]:
        """Return what the members learned as arrays."""
        members = self.members_.items()
        return {f"{name}.{key}": array for name, member in members for key, array in member.state().items()}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> Self:
        """Take what `state` gave."""
        for name, member in self.members_.items():
            start = f"{name}."
            member.restore({key.removeprefix(start): array for key, array in state.items() if key.startswith(start)})
        return self
