"""Risk classes of areas by shares of their size: the densest first, in whole areas."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..maps.risk import CLASS_NODATA

#: Sums of sizes that differ by rounding alone are equal.
_ROUNDING = 1e-9


@dataclass(frozen=True)
class DensestClasses:
    """Classes that hold the densest areas.

    Attributes
    ----------
    classes : ndarray of uint8, shape (M,)
        0 for the rest, up to ``len(shares)`` for the smallest share; 255 for NaN.
    limits : ndarray of float64, shape (len(shares),)
        Density of the last area within each share, the largest share first, so that they rise; NaN if there is none.
    ties : int
        Areas left outside a share although they are as dense as its last one.
    """

    classes: NDArray[np.uint8]
    limits: NDArray[np.float64]
    ties: int


def classify_densest(
    density: NDArray[np.float64], size: NDArray[np.float64], shares: Sequence[float]
) -> DensestClasses:
    """Find the densest areas that make up each share of the size: as many whole ones as fit, and at least one.

    Of equally dense ones those that come first are taken.

    Parameters
    ----------
    density, size : ndarray, shape (M,)
        Areas of one map, or those of all maps one after the other.
    shares : sequence of float
        Rising, per cent.
    """
    valid = np.flatnonzero(~np.isnan(density))
    order = valid[np.argsort(-density[valid], kind="stable")]
    used = np.cumsum(size[order])
    classes = np.full(len(density), CLASS_NODATA, dtype=np.uint8)
    classes[valid] = 0
    limits, ties = np.full(len(shares), np.nan), 0
    for number, share in enumerate(reversed(shares), 1):
        if not len(order):
            break
        within = max(int(np.searchsorted(used, share / 100 * used[-1] * (1 + _ROUNDING), side="right")), 1)
        classes[order[:within]] = number
        limits[number - 1] = density[order[within - 1]]
        ties += int((density[order[within:]] == limits[number - 1]).sum())
    return DensestClasses(classes, limits, ties)
