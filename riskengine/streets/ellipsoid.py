"""Lengths on the ellipsoid WGS 84.

T. Vincenty, Direct and inverse solutions of geodesics on the ellipsoid, Survey Review 23 (1975), for all segments at
once. Street segments are short, where it always converges; no other package of the engine measures on an ellipsoid.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_AXIS, _FLATTENING = 6378137.0, 1 / 298.257223563
_ROUNDS, _ENOUGH = 50, 1e-12


def measure_distances(from_lon: Floats, from_lat: Floats, to_lon: Floats, to_lat: Floats) -> Floats:
    """Measure metres between places in degrees, shape (N,) each; NaN for places on opposite sides of the earth."""
    axis = _AXIS * (1 - _FLATTENING)
    one, other = (np.arctan((1 - _FLATTENING) * np.tan(np.radians(lat))) for lat in (from_lat, to_lat))
    turn = np.radians(to_lon - from_lon)
    sin_one, cos_one, sin_other, cos_other = np.sin(one), np.cos(one), np.sin(other), np.cos(other)
    between = turn.copy()
    with np.errstate(invalid="ignore", divide="ignore"):
        for _ in range(_ROUNDS):
            sin_b, cos_b = np.sin(between), np.cos(between)
            sin_sigma = np.hypot(cos_other * sin_b, cos_one * sin_other - sin_one * cos_other * cos_b)
            cos_sigma = sin_one * sin_other + cos_one * cos_other * cos_b
            sigma = np.arctan2(sin_sigma, cos_sigma)
            sin_alpha = np.where(sin_sigma > 0, cos_one * cos_other * sin_b / sin_sigma, 0.0)
            cos2_alpha = 1 - sin_alpha**2
            middle = np.where(cos2_alpha > 0, cos_sigma - 2 * sin_one * sin_other / cos2_alpha, 0.0)
            c = _FLATTENING / 16 * cos2_alpha * (4 + _FLATTENING * (4 - 3 * cos2_alpha))
            inner = sigma + c * sin_sigma * (middle + c * cos_sigma * (2 * middle**2 - 1))
            before, between = between, turn + (1 - c) * _FLATTENING * sin_alpha * inner
            if not (np.abs(between - before) > _ENOUGH).any():
                break
        u = cos2_alpha * (_AXIS**2 - axis**2) / axis**2
        a = 1 + u / 16384 * (4096 + u * (-768 + u * (320 - 175 * u)))
        b = u / 1024 * (256 + u * (-128 + u * (74 - 47 * u)))
        last = b / 6 * middle * (4 * sin_sigma**2 - 3) * (4 * middle**2 - 3)
        delta = b * sin_sigma * (middle + b / 4 * (cos_sigma * (2 * middle**2 - 1) - last))
    return np.asarray(axis * a * (sigma - delta))
