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

#: Kernels end at this many bandwidths.
REACH = 4.0
#: Cells per bandwidth.
FINENESS = 4
#: Up to this many places the kernels are summed instead: below it, making the grids costs more.
FEW = 32
#: Summed kernels are worked on in pieces of this many numbers.
_PIECE = 2_000_000


def smoothed_counts(tree: cKDTree, x: Floats, y: Floats, bandwidths: tuple[float, ...]) -> tuple[Floats, Floats]:
    """Gaussian-weighted counts around places that lie close together, and how steeply they change.

    Parameters
    ----------
    tree : cKDTree
        Over the incidents, metres.
    x, y : ndarray, shape (n,)
        Places in one tile (the grid spans them all).
    bandwidths : tuple of float
        Metres.

    Returns
    -------
    count : ndarray, shape (n, len(bandwidths))
        Sum over the incidents of exp(-d²/2h²).
    slope : ndarray, shape (n, len(bandwidths))
        Length of its gradient times the bandwidth, in the same unit.
    """
    if len(x) <= FEW:
        return _summed(tree, x, y, bandwidths)
    count = np.empty((len(x), len(bandwidths)))
    slope = np.empty((len(x), len(bandwidths)))
    for column, bandwidth in enumerate(bandwidths):
        count[:, column], slope[:, column] = _gridded(tree, x, y, bandwidth)
    return count, slope


def _summed(tree: cKDTree, x: Floats, y: Floats, bandwidths: tuple[float, ...]) -> tuple[Floats, Floats]:
    count = np.zeros((len(x), len(bandwidths)))
    slope = np.zeros((len(x), len(bandwidths)))
    points = np.asarray(tree.data)
    for row, (east, north) in enumerate(zip(x, y, strict=True)):
        near = points[tree.query_ball_point((east, north), REACH * max(bandwidths), return_sorted=False)]
        away = near - (east, north)
        square = (away * away).sum(axis=1)
        for column, bandwidth in enumerate(bandwidths):
            weight = np.exp(square / (-2 * bandwidth * bandwidth))
            weight[square > (REACH * bandwidth) ** 2] = 0.0
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
    smooth = _smoothed(np.asarray(tree.data) / cell - (west, south), rows, columns)
    across, up = x / cell - west, y / cell - south
    column, row = across.astype(np.int64), up.astype(np.int64)
    right, above = (across - column).astype(np.float32), (up - row).astype(np.float32)
    at = row * columns + column

    def along(step: int, rising: bool) -> NDArray[np.float32]:
        """Between two cells side by side (or one above the other), `step` cells away across that direction."""
        low, high, share = (step * columns, step * columns + 1, right) if rising else (step, step + columns, above)
        first = smooth.take(at + low)
        return first + share * (smooth.take(at + high) - first)

    below, here, over, beyond = (along(step, True) for step in (-1, 0, 1, 2))
    count = here + above * (over - here)
    # The slope from the cells around: the grid is four times finer than the kernel.
    north = (over - below) + above * ((beyond - here) - (over - below))
    left, middle, next_, farther = (along(step, False) for step in (-1, 0, 1, 2))
    east = (next_ - left) + right * ((farther - middle) - (next_ - left))
    return count, np.hypot(east, north) * (FINENESS / 2)


def _smoothed(points: Floats, rows: int, columns: int) -> NDArray[np.float32]:
    """The kernels' sum at every cell; `points` in cells from the lower left one."""
    inside = (points >= 0).all(axis=1) & (points < (columns - 1, rows - 1)).all(axis=1)
    points = points[inside]
    whole = points.astype(np.int64)
    right, above = (points - whole).T
    at = whole[:, 1] * columns + whole[:, 0]
    # Each incident is shared between the four cells around it, so that its place is not rounded to a cell.
    shares = ((1 - right) * (1 - above), right * (1 - above), (1 - right) * above, right * above)
    grid = np.bincount(
        np.concatenate((at, at + 1, at + columns, at + columns + 1)), np.concatenate(shares), rows * columns
    )
    peak = np.float32(2 * np.pi * FINENESS**2)
    grid = grid.reshape(rows, columns).astype(np.float32)
    return (gaussian_filter(grid, FINENESS, truncate=REACH, mode="constant") * peak).ravel()
