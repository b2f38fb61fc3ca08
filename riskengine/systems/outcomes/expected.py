"""How sure a probability is, and which share of several incidents will have the outcome."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.special import expit, logit

from ...contract.outcomes import SMOOTHING
from .models.base import limit_probabilities
from .rows import Floats
from .shift import LEAST_ROWS, fit_shift

_REACH = float(stats.norm.ppf(0.975))


def compute_limits(probability: Floats, alike: NDArray[np.int64], drift: float) -> tuple[Floats, Floats]:
    """Compute the 95 % interval of each incident's probability.

    It is as wide as if the probability were the rate of the incidents alike that the model knew, and of `SMOOTHING`
    more, and as the level may have moved since then.

    Parameters
    ----------
    probability : ndarray, shape (N,)
    alike : ndarray of int64, shape (N,)
        Incidents of the same category, description and location, as far as these were seen, that the model knew.
    drift : float
        By how much the level of the test was off, of the logit.
    """
    p = limit_probabilities(probability)
    reach = _REACH * np.sqrt(1 / ((alike + SMOOTHING) * p * (1 - p)) + drift**2)
    return expit(logit(p) - reach), expit(logit(p) + reach)


def compute_share_range(
    mean: Floats, number: NDArray[np.int64], spread: Floats, drift: float
) -> tuple[Floats, Floats]:
    """Compute the range in which the shares of groups of incidents will lie, 95 of 100.

    Parameters
    ----------
    mean : ndarray, shape (G,)
        Of the probabilities of each group.
    number : ndarray of int64, shape (G,)
        Incidents of each.
    spread : ndarray, shape (G,)
        The mean of p (1 - p): chance, and by how much the share moves with the level of the logit.
    drift : float

    Returns
    -------
    low, high : ndarray, shape (G,)
        Of the beta distribution with the share's mean and variance, in whole incidents: none of 30 can have it.
    """
    mean = limit_probabilities(mean)
    part = (spread / number + (drift * spread) ** 2) / (mean * (1 - mean))
    size = 1 / np.clip(part, 1e-9, 0.999) - 1
    low, high = (stats.beta.ppf(end, mean * size, (1 - mean) * size) for end in (0.025, 0.975))
    return np.floor(low * number) / number, np.ceil(high * number) / number


def measure_drift(probability: Floats, happened: NDArray[np.bool_], category: NDArray[np.int32]) -> float:
    """Measure by how much the levels of categories were off in a test, of the logit: the root of the mean square.

    What chance alone would give is taken off. A category in which few incidents had the outcome, or few had not, tells
    no level.

    Parameters
    ----------
    probability : ndarray, shape (T,)
        What a model said that did not know the test.
    happened : ndarray of bool, shape (T,)
    category : ndarray of int32, shape (T,)
    """
    squares, weights = 0.0, 0.0
    codes, number = np.unique(category, return_counts=True)
    for code in codes[number >= LEAST_ROWS].tolist():
        own = category == code
        shift = fit_shift(probability[own], happened[own])
        if shift:
            weight = float((probability[own] * (1 - probability[own])).sum())
            squares += weight * shift**2 - 1
            weights += weight
    return math.sqrt(max(squares, 0.0) / weights) if weights else 0.0
