"""Risk at a finer display resolution: bilinear or cubic, with the study area's border kept."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..contract.choices import Interpolation
from ..contract.tools.risk import FACTOR
from ..ground.errors import ParameterError

#: Cells on either side that a kernel reaches.
_REACH = 2
#: Largest factor.
MOST = 20
_BESIDE = ((-1, 0), (1, 0), (0, -1), (0, 1))
_DIAGONAL = ((-1, -1), (-1, 1), (1, -1), (1, 1))


def check_factor(factor: int) -> None:
    """Refuse a factor that makes nothing finer, or more cells than a display has use for.

    Raises
    ------
    ParameterError
    """
    if not FACTOR.allow(factor):
        raise ParameterError(
            f"factor is {factor}; it must lie between {FACTOR.low} and {FACTOR.high}",
            parameter="factor",
            value=factor,
            remedy="5 turns cells of 500 m into 100 m",
        )


def _kernel(distance: NDArray[np.float64], method: Interpolation) -> NDArray[np.float64]:
    """Weight of a cell at a distance in cells; cubic is Keys' convolution with a = -1/2, as GDAL's."""
    d: NDArray[np.float64] = np.abs(distance)
    if method == "bilinear":
        weights: NDArray[np.float64] = np.maximum(1 - d, 0.0)
        return weights
    near = 1.5 * d**3 - 2.5 * d**2 + 1
    far = -0.5 * d**3 + 2.5 * d**2 - 4 * d + 2
    return np.where(d <= 1, near, np.where(d < 2, far, 0.0))


def _finer_rows(values: NDArray[np.float64], factor: int, method: Interpolation) -> NDArray[np.float64]:
    """`factor` rows for each but the `_REACH` outer ones, at the centres of the finer cells."""
    rows = len(values) - 2 * _REACH
    fine = np.zeros((rows, factor, values.shape[1]))
    offset = (np.arange(factor) + 0.5) / factor - 0.5
    for step in range(-_REACH, _REACH + 1):
        weight = _kernel(offset - step, method)
        for phase in np.flatnonzero(weight):
            fine[:, phase] += weight[phase] * values[_REACH + step : _REACH + step + rows]
    return fine.reshape(rows * factor, -1)


def _grown(values: NDArray[np.float64], steps: Sequence[tuple[int, int]]) -> NDArray[np.float64]:
    """Empty cells get the mean of the filled ones among their neighbours, `steps` (rows, columns) away."""
    known = np.isfinite(values)
    padded, weight = (np.pad(array, 1) for array in (np.where(known, values, 0.0), known.astype(np.float64)))
    rows, columns = values.shape
    total, number = np.zeros_like(values), np.zeros_like(values)
    for down, right in steps:
        part = slice(1 + down, 1 + down + rows), slice(1 + right, 1 + right + columns)
        total += padded[part]
        number += weight[part]
    reached = ~known & (number > 0)
    return np.where(reached, total / np.maximum(number, 1), values)


def upsample(risk: NDArray[np.float64], factor: int, method: Interpolation = "bilinear") -> NDArray[np.float32]:
    """A map with `factor` times as many rows and columns, for display.

    Cells outside the study area take part in nothing: before interpolating they repeat their neighbours inside, and
    afterwards they are NaN again, at the outline of the coarse cells. No value leaves the range of the map, so a
    probability stays one where the cubic kernel overshoots.

    Parameters
    ----------
    risk : ndarray, shape (H, W)
        NaN outside the study area.
    factor : int
        From 2 to 20.
    method : {'bilinear', 'cubic'}

    Returns
    -------
    ndarray of float32, shape (H * factor, W * factor)

    Raises
    ------
    ParameterError
        For another factor.
    """
    check_factor(factor)
    inside = np.isfinite(risk)
    values = np.pad(np.where(inside, risk, np.nan), _REACH, constant_values=np.nan)
    for _ in range(_REACH):
        # Beside a straight border the nearest cell is repeated; only into corners is the way diagonal.
        beside = _grown(values, _BESIDE)
        values = np.where(np.isfinite(beside), beside, _grown(values, _DIAGONAL))
    values = np.nan_to_num(values, nan=0.0)
    fine = _finer_rows(np.ascontiguousarray(_finer_rows(values, factor, method).T), factor, method).T
    if inside.any():
        fine = np.clip(fine, risk[inside].min(), risk[inside].max())
    outline = np.repeat(np.repeat(inside, factor, axis=0), factor, axis=1)
    return np.where(outline, fine, np.nan).astype(np.float32)
