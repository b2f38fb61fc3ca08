"""Smoothed counts: how many recent incidents lie around a place, weighted by a Gaussian of their distance.

A kernel density is the same at every place that asks, so for many places the incidents are smoothed once on a grid
and read off between its cells; for a few places the kernels are summed, which is exact.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from scipy.spatial import cKDTree

Floats = NDArray[np.float64]

#: Kernels end at this many bandwidths to each side: in a square, as a filter along rows and columns has it.
REACH = 4.0
#: Cells per bandwidth.
FINENESS = 4
#: Up to this many places the kernels are summed instead: below it, making the grids costs more.
FEW = 32


def compute_smoothed_counts(
    tree: cKDTree, x: Floats, y: Floats, bandwidths: tuple[float, ...], asked: int = 0
) -> tuple[Floats, Floats]:
    """Compute Gaussian-weighted counts around places that lie close together, and how steeply they change.

    Parameters
    ----------
    tree : cKDTree
        Over the incidents, metres.
    x, y : ndarray, shape (n,)
        Places in one tile (the grid spans them all).
    bandwidths : tuple of float
        Metres.
    asked : int
        How many places are asked for in all, where these are a part: a few at the edge of many are read off a grid as
        their neighbours are, so that no seam shows.

    Returns
    -------
    count : ndarray, shape (n, len(bandwidths))
        Sum over the incidents of exp(-d²/2h²).
    slope : ndarray, shape (n, len(bandwidths))
        Length of its gradient times the bandwidth, in the same unit.
    """
    if max(len(x), asked) <= FEW:
        return _summed(tree, x, y, bandwidths)
    count, slope = zip(*(_gridded(tree, x, y, bandwidth) for bandwidth in bandwidths), strict=True)
    return np.stack(count).T, np.stack(slope).T


def _summed(tree: cKDTree, x: Floats, y: Floats, bandwidths: tuple[float, ...]) -> tuple[Floats, Floats]:
    count = np.zeros((len(x), len(bandwidths)))
    slope = np.zeros((len(x), len(bandwidths)))
    points = np.asarray(tree.data)
    for row, (east, north) in enumerate(zip(x, y, strict=True)):
        near = points[tree.query_ball_point((east, north), REACH * max(bandwidths), p=np.inf, return_sorted=False)]
        away = near - (east, north)
        square, farther = (away * away).sum(axis=1), np.abs(away).max(axis=1)
        for column, bandwidth in enumerate(bandwidths):
            weight = np.exp(square / (-2 * bandwidth * bandwidth))
            weight[farther > REACH * bandwidth] = 0.0
            count[row, column] = weight.sum()
            slope[row, column] = np.hypot(*(weight @ away)) / bandwidth
    return count, slope


def _gridded(tree: cKDTree, x: Floats, y: Floats, bandwidth: float) -> tuple[Floats, Floats]:
    cell = bandwidth / FINENESS
    # All that reaches the outermost cells that are read. Whole multiples of the cell: a place is told the same
    # whichever places are asked with it.
    pad = REACH * FINENESS + 4
    west, south = np.floor(x.min() / cell) - pad, np.floor(y.min() / cell) - pad
    columns = int(np.floor(x.max() / cell) + pad - west) + 1
    rows = int(np.floor(y.max() / cell) + pad - south) + 1
    points = np.asarray(tree.data)
    smooth = _smoothed(points[:, 0] / cell - west, points[:, 1] / cell - south, rows, columns)
    across, up = x / cell - west, y / cell - south
    column, row = across.astype(np.int64), up.astype(np.int64)
    right, above = (across - column).astype(np.float32), (up - row).astype(np.float32)
    at = row * columns + column

    def between(first: int, second: int, share: NDArray[np.float32]) -> NDArray[np.float32]:
        """Between two cells, given by their distance from the place's own in the flat grid."""
        low: NDArray[np.float32] = smooth.take(at + first)
        high: NDArray[np.float32] = smooth.take(at + second)
        return low + share * (high - low)

    # The slope from the cells around: the grid is four times finer than the kernel.
    south_, here, north, beyond = (between(step * columns, step * columns + 1, right) for step in (-1, 0, 1, 2))
    count = here + above * (north - here)
    upward = (north - south_) + above * ((beyond - here) - (north - south_))
    west_, middle, east, beyond = (between(step, step + columns, above) for step in (-1, 0, 1, 2))
    sideward = (east - west_) + right * ((beyond - middle) - (east - west_))
    return count, np.hypot(sideward, upward) * (FINENESS / 2)


def _smoothed(across: Floats, up: Floats, rows: int, columns: int) -> NDArray[np.float32]:
    """The kernels' sum at every cell; the incidents' places in cells from the lower left one."""
    inside = (across >= 0) & (across < columns - 1) & (up >= 0) & (up < rows - 1)
    across, up = across[inside], up[inside]
    column, row = across.astype(np.int64), up.astype(np.int64)
    right, above = across - column, up - row
    at = row * columns + column
    # Each incident is shared between the four cells around it, so that its place is not rounded to a cell.
    shares = ((1 - right) * (1 - above), right * (1 - above), (1 - right) * above, right * above)
    grid = np.bincount(
        np.concatenate((at, at + 1, at + columns, at + columns + 1)), np.concatenate(shares), rows * columns
    )
    grid = grid.reshape(rows, columns).astype(np.float32)
    # Sharing and reading between cells widen the kernel by a sixth of a squared cell each: taken off here.
    sigma = float(np.sqrt(FINENESS**2 - 1 / 3))
    smooth = gaussian_filter(grid, sigma, truncate=REACH, mode="constant") * np.float32(2 * np.pi * FINENESS**2)
    flat: NDArray[np.float32] = smooth.ravel()
    return flat
