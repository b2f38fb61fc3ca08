"""Coordinates that stand for "unknown": the import of a file and the reading of a layer refuse the same ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .texts import tr

#: What is refused, by the name that `find_placeholders` gives it.
NEAR_ZERO = tr("coordinates next to (0, 0)")
MINUS_ONE = tr("coordinates (-1, -1)")
ONE_ZERO = tr("one coordinate is 0, far from the others")

#: West, south, east, north.
Box = tuple[float, float, float, float]

#: Closer to (0, 0), and closer to 0 beside a real coordinate, than this; degrees, and metres or feet.
_NEAR, _NIL = (0.01, 1.0), (0.0001, 1.0)
#: A zero so near to the box of the real places may be one of them: London and Quito have them.
_MARGIN = (1.0, 100_000.0)
#: Beyond so many widths of the middle half of the data a place is not of the same city.
_FAR = 3.0


def choose_wide_box(x: Any, y: Any, quantile: Callable[[Any, Any], Any], margin: float = 0.0) -> Box:
    """Choose the box around the middle half of the places, wider by `_FAR` times its size and `margin` on each side."""
    (west, east), (south, north) = quantile(x, [0.25, 0.75]), quantile(y, [0.25, 0.75])
    far = _FAR * max(east - west, north - south) + margin
    return west - far, south - far, east + far, north + far


def find_placeholders(
    x: Any, y: Any, geographic: bool, quantile: Callable[[Any, Any], Any], box: Box | None = None
) -> dict[str, Any]:
    """Find placeholders that are not exactly (0, 0), which no city is.

    Each is one only where the other places do not surround it; without others, what is next to (0, 0) and (-1, -1)
    are.

    Parameters
    ----------
    x, y : ndarray of float
        May be NaN.
    geographic : bool
        Degrees, x being the longitude.
    quantile : callable
        ``numpy.quantile``: this room imports the standard library alone.
    box : tuple of float, optional
        Where places are expected; by default around the middle half of those that are none.

    Returns
    -------
    dict of str to ndarray of bool
        The rows of each reason.
    """
    unit = 0 if geographic else 1
    zero = (x == 0) & (y == 0)
    near = (abs(x) <= _NEAR[unit]) & (abs(y) <= _NEAR[unit]) & ~zero
    minus_one = (x == -1) & (y == -1)
    one_zero = ((abs(x) <= _NIL[unit]) ^ (abs(y) <= _NIL[unit])) & ~near & (x == x) & (y == y)
    real = (abs(x) < float("inf")) & (abs(y) < float("inf")) & ~(zero | near | minus_one | one_zero)
    if box is None and not real.any():
        return {NEAR_ZERO: near, MINUS_ONE: minus_one & ~near}
    west, south, east, north = box or choose_wide_box(x[real], y[real], quantile, _MARGIN[unit])
    away = (x < west) | (x > east) | (y < south) | (y > north)
    return {NEAR_ZERO: near & away, MINUS_ONE: minus_one & away & ~near, ONE_ZERO: one_zero & away}
