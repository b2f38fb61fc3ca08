"""Incidents that lie far from all others in time: mostly years with a wrong digit, which make maps of decades."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..contract.texts import count_text

#: Fewer incidents have no others that they could be far from.
_FEWEST = 5
#: An incident is far if it lies so many times the span of the middle 98 % from it, and that span counts as a month
#: at least.
_SPANS = 10
_LEAST_SPAN = np.timedelta64(30, "D")
#: Or so long before the middle half, and so many times its span: one of a hundred may be old, and then several are.
_LONG_BEFORE = np.timedelta64(20 * 365, "D")
_HALF_SPANS = 3
_SHOWN = 3


def find_far_times(time: NDArray[np.datetime64]) -> NDArray[np.bool_]:
    """Find the times that lie more than ten times the middle 98 % away from it, or decades before the others.

    Parameters
    ----------
    time : ndarray of datetime64[s]
        Without NaT.
    """
    count = len(time)
    if count < _FEWEST:
        return np.zeros(count, dtype=bool)
    ordered = np.sort(time)
    # Of a few incidents one at each end is left out, or a single wrong year would widen the middle to itself.
    out = max(count // 100, 1)
    first, last = ordered[out], ordered[-1 - out]
    far = _SPANS * max(last - first, _LEAST_SPAN)
    early, late = ordered[count // 4], ordered[-1 - count // 4]
    before = early - max(_LONG_BEFORE, _HALF_SPANS * (late - early))
    return np.asarray((time < first - far) | (time > last + far) | (time < before), dtype=bool)


def describe_far_times(time: NDArray[np.datetime64], lines: NDArray[np.int64]) -> str:
    """Describe them in a sentence, with the first few and their lines; empty if there are none."""
    far = find_far_times(time)
    count = int(far.sum())
    if not count:
        return ""
    others = time[~far]
    first, last = others.min(), others.max()
    gap = np.where(time < first, first - time, time - last)
    years = int(gap[far].max() / np.timedelta64(86400, "s") / 365.25)
    side = "before" if (time[far] < first).all() else "after" if (time[far] > last).all() else "away from"
    away = f"{'up to ' if count > 1 else ''}{count_text(years, 'year')} {side}" if years else f"far {side}"
    shown = ", ".join(f"{str(time[row])[:10]} (line {lines[row]})" for row in np.flatnonzero(far)[:_SHOWN]) + (
        " and others" if count > _SHOWN else ""
    )
    lie = count_text(count, "incident lies", "incidents lie")
    return (
        f"{lie} {away} all others, which are from {str(first)[:10]} to {str(last)[:10]}: {shown}. If the "
        "year is wrong, correct it in the file or leave them out, for example with Select period. "
        "Rasterize hotspot grids leaves them out unless START or END says otherwise"
    )
