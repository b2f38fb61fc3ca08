"""How exact times are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def find_exactness(time: NDArray[np.datetime64]) -> str:
    """Find to what the times are exact: ``minute``, ``hour``, ``day`` or ``month``."""
    month = time.astype("datetime64[M]")
    if len(np.unique(month)) > 1 and (time == month).mean() >= 0.98:
        return "month"
    for unit, name in (("D", "day"), ("h", "hour")):
        if (time == time.astype(f"datetime64[{unit}]")).mean() >= 0.98:
            return name
    return "minute"
