"""What coordinates that are no degrees could be, told by the numbers themselves and never by another place."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_MOST_FEET = 1.2e7
#: West, east, south, north of the numbers that a kind of coordinates has.
_RANGES = (
    ("metres of a UTM zone or of a grid like it (find the zone of the place)", (1e5, 9e5, 0.0, 1e7)),
    ("metres of the British National Grid", (0.0, 7e5, 0.0, 1.3e6)),
    ("feet of a US State Plane zone", (1e5, _MOST_FEET, 0.0, _MOST_FEET)),
    ("metres of Web Mercator", (-20_037_509.0, 20_037_509.0, -20_048_967.0, 20_048_967.0)),
)
#: In Web Mercator so little is a thousand kilometres around (0, 0), where nobody lives.
_LEAST_MERCATOR = 1e6
_MILLION = 1e6


def describe_units(x: NDArray[np.float64], y: NDArray[np.float64]) -> str:
    """Describe what the coordinates could be, as the end of a sentence; empty where they are like nothing known."""
    fine = np.isfinite(x) & np.isfinite(y)
    if not fine.any():
        return ""
    east, north = float(np.median(x[fine])), float(np.median(y[fine]))
    whole = bool((x[fine] == np.round(x[fine])).all() and (y[fine] == np.round(y[fine])).all())
    degrees = abs(east) <= 180 * _MILLION and abs(north) <= 90 * _MILLION
    if whole and degrees and max(abs(east), abs(north)) > _MOST_FEET:
        return (
            f"Numbers such as {east:.0f}, {north:.0f} may be millionths of a degree ({east / _MILLION:.2f},"
            f" {north / _MILLION:.2f}): divide them by 1,000,000 then"
        )
    kinds = [
        kind
        for kind, (west, most_east, south, most_north) in _RANGES
        if west <= east <= most_east and south <= north <= most_north
        if "Mercator" not in kind or max(abs(east), abs(north)) >= _LEAST_MERCATOR
    ]
    return f"Numbers such as {east:.10g}, {north:.10g} fit {', or '.join(kinds)}" if kinds else ""
