"""Incidents that lie far from all others in space: mostly a geocoder's default place, or a digit that is wrong."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..contract.texts import count_text
from .inspection import find_strays

#: Fewer incidents have no others that they could be far from.
_FEWEST = 5
#: Metres within which a place may still be part of a city, however narrow the middle half of it is.
_NEAR = 20_000.0
_EARTH_RADIUS = 6_371_009.0
_SHOWN = 5


def describe_strays(x: NDArray[np.float64], y: NDArray[np.float64], lines: NDArray[np.int64], crs: str) -> str:
    """Describe the places far from all others in a sentence, with the farthest and their lines; empty if none is.

    Parameters
    ----------
    x, y : ndarray of float64, shape (N,)
        In units of `crs`, without NaN.
    lines : ndarray of int64, shape (N,)
        Where the file has them.
    """
    if len(x) < _FEWEST:
        return ""
    strays = find_strays(*_measure_roughly(x, y, crs))
    far = strays.distance > _NEAR
    rows, distance = strays.rows[far], strays.distance[far]
    count = len(rows)
    if not count:
        return ""
    shown = ", ".join(f"line {lines[row]} ({x[row]:.10g}, {y[row]:.10g})" for row in rows[:_SHOWN])
    more = " and others" if count > _SHOWN else ""
    return (
        f"{count_text(count, 'incident lies', 'incidents lie')} far from all others,"
        f" {'up to ' if count > 1 else ''}{distance[0] / 1000:,.0f} km from their middle: {shown}{more}."
        f" {'It is kept, and does' if count == 1 else 'They are kept, and do'} not decide the extent of grids"
    )


def _measure_roughly(
    x: NDArray[np.float64], y: NDArray[np.float64], crs: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Make metres of places: exact near the middle, and good enough to say how far away the others are."""
    from rasterio.crs import CRS

    known = CRS.from_user_input(crs)
    # Radians of a CRS in degrees.
    _, unit = known.units_factor
    if not known.is_geographic:
        return x * unit, y * unit
    metres = unit * _EARTH_RADIUS
    return x * metres * np.cos(np.median(y) * unit), y * metres
