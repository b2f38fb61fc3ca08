"""Gaussian smoothing within a study area: of a grid as two small matrix products, of other units as a sparse one."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, gaussian_filter1d
from scipy.sparse import csr_array
from scipy.spatial import cKDTree

from ..maps.grid import Grid
from ..maps.panel import Panel
from ..maps.support import Support

Array = NDArray[np.float64]

#: Beyond so many rows or columns a running kernel is faster than a matrix of that size.
_MATRIX = 256
_TRUNCATE = 3.0


def smooth(layers: Array, sigma: float) -> Array:
    """Smooth maps, shape (..., H, W), by a Gaussian of `sigma` cells; nothing lies beyond the grid.

    The same as :func:`scipy.ndimage.gaussian_filter` with ``mode="constant"`` and ``truncate=3``.
    """
    if not sigma:
        return layers
    height, width = layers.shape[-2:]
    if max(height, width) > _MATRIX:
        return np.asarray(
            gaussian_filter(layers, sigma, mode="constant", truncate=_TRUNCATE, axes=(layers.ndim - 2, layers.ndim - 1))
        )
    return _kernel(height, sigma) @ layers @ _kernel(width, sigma).T


@lru_cache(maxsize=64)
def _kernel(size: int, sigma: float) -> Array:
    """Make the matrix, shape (size, size), that smooths a column."""
    return np.asarray(gaussian_filter1d(np.eye(size), sigma, axis=0, mode="constant", truncate=_TRUNCATE))


class Smoother:
    """Gaussian smoothing that keeps what is inside a study area inside.

    Parameters
    ----------
    mask : ndarray of bool, shape (H, W)
    sigma : float
        Standard deviation in cells; 0 leaves maps as they are.
    """

    def __init__(self, mask: NDArray[np.bool_], sigma: float) -> None:
        self.mask = mask
        self.sigma = sigma
        self._inside = np.maximum(smooth(mask.astype(np.float64), sigma), 1e-9)

    def mean(self, layers: Array) -> Array:
        """Average the surrounding cells that lie inside, weighted by the kernel, shape (..., cells), of maps that are
        0 outside: even maps stay even."""
        return np.asarray((smooth(layers, self.sigma) / self._inside)[..., self.mask])

    def spread(self, layers: Array) -> Array:
        """Spread every cell over its surroundings inside, shape (..., cells): totals stay what they are."""
        return np.asarray(smooth(np.where(self.mask, layers / self._inside, 0.0), self.sigma)[..., self.mask])


class UnitSmoother:
    """The same for units of any shape: what lies around a unit is weighted by the distance of the middles.

    On squares of a grid it gives what `Smoother` gives, to rounding.

    Parameters
    ----------
    support : Support
    mask : ndarray of bool, shape (N,)
    sigma : float
        Standard deviation in sides; 0 leaves counts as they are.
    local : bool
        A side is that of squares as large as the two units: the kernel is narrow downtown, where areas are small,
        and wide where they are large. Otherwise it is `support.side` everywhere.
    """

    def __init__(self, support: Support, mask: NDArray[np.bool_], sigma: float, local: bool = True) -> None:
        self.mask = mask
        size = support.measure_sizes()[mask]
        if not sigma:
            self._around = self._shares = csr_array(np.eye(len(size)))
            return
        reach = int(_TRUNCATE * sigma + 0.5)
        one, other, apart_x, apart_y = find_pairs(support, mask, reach, local)
        kernel = csr_array(
            (np.exp(-(apart_x**2 + apart_y**2) / (2 * sigma**2)), (one, other)), shape=(len(size), len(size))
        )
        self._around = _divide(kernel, kernel.sum(axis=1))
        # What a unit spreads falls on those around it as their sizes are.
        caught = csr_array(kernel.multiply(size[None, :]))
        self._shares = csr_array(_divide(caught, caught.sum(axis=1)).T)

    def mean(self, layers: Array) -> Array:
        """Average the surrounding units, weighted by the kernel, shape (..., units)."""
        return _multiply(self._around, layers[..., self.mask])

    def spread(self, layers: Array) -> Array:
        """Spread every unit over its surroundings by their sizes, shape (..., units): totals stay what they are."""
        return _multiply(self._shares, layers[..., self.mask])

    def __deepcopy__(self, memo: object) -> UnitSmoother:
        # It never changes.
        return self


AnySmoother = Smoother | UnitSmoother


def make_smoother(panel: Panel, sigma: float, local: bool = True) -> AnySmoother:
    """Make the smoother of a panel's units; `sigma` in sides (see `UnitSmoother`)."""
    if isinstance(panel.support, Grid):
        return Smoother(panel.mask, sigma)
    return UnitSmoother(panel.support, panel.mask, sigma, local)


def find_pairs(
    support: Support, mask: NDArray[np.bool_], reach: float, local: bool, metres: float = 0.0
) -> tuple[NDArray[np.int64], NDArray[np.int64], Array, Array]:
    """Find the pairs of units whose middles lie at most `reach` sides and `metres` apart, east and north.

    Returns
    -------
    one, other : ndarray of int, shape (P,)
        Numbers among the units of the mask; each pair in both orders, and each unit with itself.
    apart_x, apart_y : ndarray, shape (P,)
        How far apart they lie, in sides.
    """
    x, y = (each[mask] for each in support.find_centres())
    side = np.sqrt(support.measure_sizes()[mask]) if local else np.full(len(x), support.side)
    # A rounding error decides about no neighbour; the larger of two units finds the smaller.
    wide = (reach + 1e-6) * side + metres
    found = cKDTree(np.c_[x, y]).query_ball_point(np.c_[x, y], wide, p=np.inf)
    one = np.repeat(np.arange(len(x)), [len(each) for each in found])
    other = np.concatenate([np.asarray(each, dtype=np.int64) for each in found])
    key = np.unique(np.r_[one * len(x) + other, other * len(x) + one])
    one, other = key // len(x), key % len(x)
    between = np.sqrt(side[one] * side[other])
    apart_x, apart_y = (x[other] - x[one]) / between, (y[other] - y[one]) / between
    kept = np.maximum(abs(apart_x), abs(apart_y)) <= reach + 1e-6 + metres / between
    return one[kept], other[kept], apart_x[kept], apart_y[kept]


def _divide(matrix: csr_array, rows: Array) -> csr_array:
    return csr_array(matrix.multiply(1 / np.maximum(rows, 1e-300)[:, None]))


def _multiply(matrix: csr_array, layers: Array) -> Array:
    flat = layers.reshape(-1, layers.shape[-1])
    return np.asarray((matrix @ flat.T).T).reshape(layers.shape)
