"""Sums of past counts in which the later weigh more, at many origins and for many half-lives in one pass."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

#: Half-lives that are shorter than this share of a bin say no more than the last bin does: they are left out.
LEAST_BINS = 0.4
#: Bins that weigh less than this share of the latest are not read.
_TRIFLE = 1e-7


def sum_recent(counts: NDArray[Any], origins: NDArray[np.int64], half_lives: NDArray[np.floating]) -> Array:
    """Sum the counts before each origin, the weights halving every half-life.

    Parameters
    ----------
    counts : ndarray, shape (T, N)
    origins : ndarray of int, shape (R,)
        Growing, each once; counts from bin `origin` on are not read.
    half_lives : ndarray, shape (H,)
        Bins; the last bin before an origin has the weight 1. Infinite: all weigh alike.

    Returns
    -------
    ndarray, shape (R, H, N)
    """
    kept = 0.5 ** (1.0 / np.asarray(half_lives, dtype=np.float64))
    longest = len(counts) if kept.max() == 1 else int(np.ceil(np.log(_TRIFLE) / np.log(kept.max())))
    sums = np.empty((len(origins), len(kept), counts.shape[1]))
    state, begin = np.zeros(sums.shape[1:]), 0
    for number, origin in enumerate(origins):
        if origin > begin:
            low = max(begin, int(origin) - longest)
            weights = kept[:, None] ** np.arange(origin - low - 1, -1, -1)
            state = state * kept[:, None] ** (origin - begin) + weights @ counts[low:origin]
            begin = int(origin)
        sums[number] = state
    return sums
