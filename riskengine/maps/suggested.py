"""The parameters that suit incidents: what tools would choose, or what their data ask for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..intake.findings import SNAPPED
from ..intake.incidents import Incidents
from ..intake.inspection import Inspection
from .grid import choose_automatic_cell, round_cell
from .period import Period, select_period


@dataclass(frozen=True)
class Suggested:
    """Parameters of grids.

    Attributes
    ----------
    crs : str
        In which metres are measured.
    bin_unit : {"days", "months"}
    automatic_cell, cell : float
        What is chosen of the extent without strays; the same, or so large that shared points fall into their own
        cells. Metres.
    period : Period
        The months that hold enough incidents.
    """

    crs: str
    bin_unit: Literal["days", "months"]
    automatic_cell: float
    cell: float
    period: Period

    @property
    def lines(self) -> list[str]:
        """As ``NAME=value``, as Processing takes them."""
        return [
            f"CRS={self.crs}",
            f"BIN_UNIT={self.bin_unit}",
            f"CELL_SIZE={self.cell:g}",
            f"START={self.period.start}",
            f"END={self.period.end}",
        ]


def suggest_parameters(incidents: Incidents, inspection: Inspection, crs: str) -> Suggested:
    """Suggest parameters for grids of incidents that were inspected."""
    near = np.ones(len(incidents), dtype=bool)
    near[inspection.strays.rows] = False
    x, y = incidents.x[near], incidents.y[near]
    automatic = choose_automatic_cell((float(x.min()), float(y.min()), float(x.max()), float(y.max())))
    cell, spacing = automatic, inspection.places.spacing
    if inspection.places.repeats >= SNAPPED and np.isfinite(spacing):
        while cell < spacing:
            cell = round_cell(2 * cell)
    unit: Literal["days", "months"] = "months" if inspection.exactness == "month" else "days"
    return Suggested(crs, unit, automatic, cell, select_period(incidents.time))
