"""Shares of counts: how sure a share is that so many of so many make."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

#: The normal distribution's 97.5th percentile.
_Z = 1.959963984540054


def compute_share_limits(part: ArrayLike, whole: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Compute the bounds of the 95 % interval of a share (Wilson 1927), which never leave 0 to 1.

    Parameters
    ----------
    part, whole : array_like
        So many of so many; of none the bounds are NaN.

    Examples
    --------
    >>> low, high = compute_share_limits(1, 10)
    >>> f"{float(low):.4f} {float(high):.4f}"
    '0.0179 0.4042'
    """
    part, whole = np.asarray(part, dtype=np.float64), np.asarray(whole, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = part / whole
        middle = (share + _Z**2 / (2 * whole)) / (1 + _Z**2 / whole)
        reach = _Z * np.sqrt(share * (1 - share) / whole + (_Z / (2 * whole)) ** 2) / (1 + _Z**2 / whole)
    # Rounding alone would take the bounds of none and of all beyond 0 and 1.
    return np.where(part == 0, np.minimum(share, 0.0), middle - reach), np.where(
        part == whole, np.maximum(share, 1.0), middle + reach
    )
