"""The count that is expected of each area and bin, until every forecaster says it with its interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import poisson

#: Of the interval.
LEVEL = 0.95
_LESS_THAN_ONE = 1 - 1e-9


@dataclass(frozen=True)
class Counts:
    """Expected counts with their prediction interval; all of shape (steps, N)."""

    mean: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


def derive_counts(risk: NDArray[np.float32]) -> Counts:
    """Derive the counts that a probability of at least one stands for, were they Poisson's."""
    mean = -np.log1p(-np.minimum(risk.astype(np.float64), _LESS_THAN_ONE))
    tail = (1 - LEVEL) / 2
    return Counts(mean, poisson.ppf(tail, mean), poisson.ppf(1 - tail, mean))
