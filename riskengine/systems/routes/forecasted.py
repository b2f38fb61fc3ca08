"""The default forecast as a risk of routes: which cells will have how many incidents in the weeks after an origin."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...contract.forecasters import DEFAULT_CATCH, title_of
from ...forecasters.catalogue import make_forecaster
from ...ground.context import JobContext
from ...intake.incidents import Incidents
from ...maps.area import choose_area, mask_cells
from ...maps.grid import Grid, choose_automatic_cell, make_grid
from ...maps.heatmaps import Heatmaps
from ...maps.panel import count_incidents
from .results import Floats

#: Weeks that are forecast as one: about a month.
WINDOW = 4
_WEEK = np.timedelta64(7, "D").astype("timedelta64[s]")


@dataclass(frozen=True, eq=False)
class CellField:
    """A risk of the cells of a grid; not known outside the study area."""

    title: str
    unit: str
    grid: Grid
    values: NDArray[np.floating]
    notes: tuple[str, ...] = ()

    @property
    def step(self) -> float:
        """Half of a cell."""
        return self.grid.cell / 2

    def look_up(self, x: Floats, y: Floats) -> Floats:
        """The value of the cell in which each place lies."""
        cell = self.grid.locate(x, y)
        return np.where(cell >= 0, self.values.ravel()[cell], np.nan).astype(np.float64)


def forecast_cells(past: Incidents, origin: np.datetime64, months: int, crs: str, context: JobContext) -> CellField:
    """Forecast the incidents of each cell in the four weeks after an origin, from those of so many months before it.

    Cells are as large as *Rasterize hotspot grids* makes them by itself; weeks count back from the origin, so that none
    is cut by it.
    """
    origin = origin.astype("datetime64[s]")
    begin = (origin.astype("datetime64[M]") - months).astype("datetime64[s]")
    weeks = int((origin - begin) // _WEEK)
    edges = origin - np.arange(weeks, -1, -1) * _WEEK
    known = past.between(edges[0], origin)
    # How each month's area was drawn, and its model weighed, need not be said.
    quiet = JobContext(cancelled=context.cancelled)
    area = choose_area(known.x, known.y, known.fid, None, None, "hull", quiet)
    grid = make_grid(area.extent, crs, choose_automatic_cell(area.extent))
    mask = mask_cells(area, grid, known.x, known.y)
    counts, _ = count_incidents(known, grid, edges, mask)
    panel = Heatmaps(counts, edges, mask, grid, "1 weeks")
    model = make_forecaster(DEFAULT_CATCH, window=WINDOW).fit(panel, quiet)
    expected = model.predict_window(panel, WINDOW, quiet)
    return CellField(f"forecast by {title_of(DEFAULT_CATCH)}", "incidents per cell", grid, expected)
