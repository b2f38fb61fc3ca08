"""Medians by group, which one value far from all others does not move."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def compute_medians(group: NDArray[Any], values: NDArray[np.float64], groups: int) -> NDArray[np.float64]:
    """Compute the median of each group's values.

    Parameters
    ----------
    group : ndarray of int, shape (N,)
        Of each value, 0 to G - 1; others count for nothing.
    values : ndarray of float64, shape (N,)
        NaN for none.
    groups : int
        G.

    Returns
    -------
    ndarray, shape (G,)
        NaN for a group without a value.
    """
    used = np.isfinite(values) & (group >= 0) & (group < groups)
    order = np.lexsort((values[used], group[used]))
    ranked = values[used][order]
    number = np.bincount(group[used], minlength=groups)
    end = np.cumsum(number)
    some, first = number > 0, end - number
    found = np.full(groups, np.nan)
    # Of an even number the two in the middle.
    found[some] = (ranked[((first + end - 1) // 2)[some]] + ranked[((first + end) // 2)[some]]) / 2
    return found
