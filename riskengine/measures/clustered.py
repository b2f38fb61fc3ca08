"""A mean over rows that are not independent: its interval is taken over clusters (here spatial blocks) of them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats


class Interval(NamedTuple):
    """A mean with the bounds of its 95 % interval; the bounds are nan with fewer than two clusters."""

    mean: float
    low: float
    high: float


def compute_clustered_mean(values: NDArray[Any], cluster: NDArray[np.int64]) -> Interval:
    """Compute the mean of all rows, with a 95 % interval over clusters.

    The mean is a ratio of two sums over clusters; its variance is that of the linearised ratio (Cochran 1977,
    section 6.3), and the interval Student's t with one degree of freedom fewer than there are clusters.

    Parameters
    ----------
    values : ndarray, shape (n,)
    cluster : ndarray of int, shape (n,)

    Examples
    --------
    >>> compute_clustered_mean(np.array([1.0, 1.0, 3.0, 3.0]), np.array([0, 0, 1, 1])).mean
    2.0
    """
    _, cluster = np.unique(cluster, return_inverse=True)
    return compute_clustered_ratio(np.bincount(cluster, values), np.bincount(cluster))


def compute_clustered_ratio(above: NDArray[Any], below: NDArray[Any]) -> Interval:
    """Compute the ratio of two sums over clusters, with its 95 % interval; see `compute_clustered_mean`.

    Parameters
    ----------
    above, below : ndarray, shape (clusters,)

    Examples
    --------
    >>> compute_clustered_ratio(np.array([2.0, 6.0]), np.array([2, 2])).mean
    2.0
    """
    mean = float(above.sum() / below.sum())
    if len(below) < 2:
        return Interval(mean, float("nan"), float("nan"))
    departure = above - mean * below
    error = np.sqrt((departure**2).sum() * len(below) / (len(below) - 1)) / below.sum()
    reach = float(stats.t.ppf(0.975, len(below) - 1) * error)
    return Interval(mean, mean - reach, mean + reach)
