"""Permutation importance: how much worse a classifier does when a feature's values are dealt out anew."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...ground.context import JobContext
from .classifiers import Fitted, compute_f1
from .inputs import Floats

#: Times that each feature is shuffled, as scikit-learn does.
_REPEATS = 5


@dataclass(frozen=True, eq=False)
class Importance:
    """By how much the weighted F1 falls.

    Attributes
    ----------
    names : tuple of str
    falls : ndarray, shape (months, features)
    """

    names: tuple[str, ...]
    falls: Floats

    def join(self, other: Importance) -> Importance:
        """Join the months of another one."""
        return Importance(self.names, np.vstack([self.falls, other.falls]))

    @property
    def ordered(self) -> list[tuple[str, float]]:
        """Features with their mean fall, the most important one first."""
        mean = self.falls.mean(axis=0)
        return [(self.names[number], float(mean[number])) for number in np.argsort(-mean, kind="stable")]


def compute_importance(
    fitted: Fitted,
    features: Floats,
    happened: NDArray[np.bool_],
    names: tuple[str, ...],
    seed: int,
    context: JobContext,
) -> Importance:
    """Compute the importance of each feature on a test."""
    random = np.random.default_rng(seed)
    whole = compute_f1(happened, fitted.predict(features) > 0.5)
    falls = np.zeros((1, features.shape[1]))
    for column in range(features.shape[1]):
        context.check_cancelled()
        for _ in range(_REPEATS):
            shuffled = features.copy()
            shuffled[:, column] = random.permutation(shuffled[:, column])
            falls[0, column] += (whole - compute_f1(happened, fitted.predict(shuffled) > 0.5)) / _REPEATS
    return Importance(names, falls)
