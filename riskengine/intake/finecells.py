"""Whether cells are finer than places are exact: rounded coordinates, and points that stand for many addresses."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..contract.texts import format_amount
from .exactness import ALL
from .findings import list_snapped, measure_places
from .incidents import Incidents

#: Metres that people round coordinates to.
_STEPS = (1000.0, 500.0, 250.0, 200.0, 100.0, 50.0, 25.0, 20.0, 10.0)
#: Whole numbers are met but for rounding, metres.
_SAME = 0.01
#: Fewer places tell nothing.
_FEWEST = 5


def describe_fine_cells(incidents: Incidents, cell: float) -> str:
    """Describe in a sentence that cells of so many metres are finer than places are exact; empty if they are not."""
    if not len(incidents):
        return ""
    step = measure_rounding(incidents.x, incidents.y)
    if cell < step:
        return (
            f"Cells of {format_amount(cell)} m are finer than the data: coordinates are rounded to"
            f" {format_amount(step)} m. Use larger cells."
        )
    found = list_snapped(measure_places(incidents), cell)
    return next((each.sentence for each in found if each.kind == "fine cells"), "")


def measure_rounding(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Measure to how many metres nearly all coordinates are rounded, 10 at least; 0 where they are not."""
    places = np.unique(np.column_stack([x, y]), axis=0)
    if len(places) < _FEWEST:
        return 0.0
    for step in _STEPS:
        away = np.abs(places - np.round(places / step) * step)
        if float((away <= _SAME).all(axis=1).mean()) >= ALL:
            return step
    return 0.0
