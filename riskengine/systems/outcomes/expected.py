"""How sure a probability is, and which share of several incidents will have the outcome."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.special import expit, logit

from ...contract.outcomes import SMOOTHING
from .models.base import limit_probabilities
from .rows import Floats

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


def compute_share_range(mean: Floats, variance: Floats, slope: Floats, drift: float) -> tuple[Floats, Floats]:
    """Compute the range in which the shares of groups of incidents will lie, 95 of 100.

    Parameters
    ----------
    mean : ndarray, shape (G,)
        Of the probabilities of each group.
    variance : ndarray, shape (G,)
        Of the share around it, by chance alone: the sum of p (1 - p) over the square of the number.
    slope : ndarray, shape (G,)
        The mean of p (1 - p): by how much the share moves with the level of the logit.
    drift : float

    Returns
    -------
    low, high : ndarray, shape (G,)
        Of the beta distribution with this mean and variance.
    """
    mean = limit_probabilities(mean)
    most = mean * (1 - mean)
    share = np.clip((variance + (drift * slope) ** 2) / most, 1e-9, 0.999)
    size = 1 / share - 1
    low, high = (stats.beta.ppf(end, mean * size, (1 - mean) * size) for end in (0.025, 0.975))
    return low, high
