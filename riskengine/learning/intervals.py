"""Intervals that hold what they promise, as far as held-out rows can tell.

Conformalised quantile regression (Romano, Patterson & Candès 2019, NeurIPS 32): how far held-out truths lie outside
the bounds says by how much to widen (or narrow) them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def compute_widening(out: NDArray[np.floating], truth: Floats, interval: float) -> float:
    """Compute what to add to both bounds so that a share `interval` of the truths lies between them.

    Parameters
    ----------
    out : ndarray, shape (n, 3) or (n, 1)
        Held-out scores with bounds; of scores alone the bounds start at the score.
    truth : ndarray, shape (n,)
    interval : float
    """
    lower, upper = (out[:, 1], out[:, 2]) if out.shape[1] == 3 else (out[:, 0], out[:, 0])
    outside = np.maximum(lower - truth, truth - upper)
    level = min(1.0, np.ceil((len(truth) + 1) * interval) / len(truth))
    return float(np.quantile(outside, level, method="higher"))


def compute_cross_widening(
    out: NDArray[np.floating], truth: Floats, fold: NDArray[np.int64], interval: float
) -> NDArray[np.float64]:
    """Compute the widening for each row from the other folds' rows alone: what an honest coverage needs."""
    result = np.empty(len(truth))
    for number in np.unique(fold):
        here = fold == number
        result[here] = compute_widening(out[~here], truth[~here], interval)
    return result
