"""Gaussian smoothing within a study area, as two small matrix products."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, gaussian_filter1d

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
