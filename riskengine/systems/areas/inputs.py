"""What the study reads: incidents by month, areas with what is known of them, mobility, and the cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import shapely
from numpy.typing import NDArray

from ...contract.dates import format_moment
from ...contract.texts import count_text
from ...ground.errors import DataError
from ...intake.incidents import Incidents
from ...maps.areas import Areas
from ...maps.grid import Grid
from ...maps.heatmaps import Heatmaps
from .mobility import Mobility

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

#: Side of the cells that negatives are drawn from, metres.
CELL = 500.0
#: Months that a classifier learns from.
TRAINING = 12
#: Months before, whose incidents are the density.
DENSITY = 3


@dataclass(frozen=True, eq=False)
class Inputs:
    """Everything that is read, before anything is drawn.

    Attributes
    ----------
    x, y : ndarray, shape (n,)
        Of the incidents, metres.
    month : ndarray of int, shape (n,)
        Number of each incident's month.
    area : ndarray of int, shape (n,)
        Number of the area each lies in; those in none are not among them.
    months : ndarray of datetime64[M], shape (T,)
        All of them, from the first incident to the last.
    areas : Areas
    covariates : ndarray, shape (N, C)
    names : tuple of str
        Of the covariates.
    mobility : Mobility or None
    cells : Cells
    """

    x: Floats
    y: Floats
    month: Integers
    area: Integers
    months: NDArray[np.datetime64]
    areas: Areas
    covariates: Floats
    names: tuple[str, ...]
    mobility: Mobility | None
    cells: Cells

    @cached_property
    def places(self) -> Integers:
        """Number of each incident's exact coordinate, shape (n,): equal where x and y are equal."""
        return np.unique(np.column_stack([self.x, self.y]), axis=0, return_inverse=True)[1].ravel().astype(np.int64)

    @cached_property
    def counts(self) -> Integers:
        """Incidents by month and cell, shape (T, cells)."""
        number = self.cells.locate(self.x, self.y)
        made = np.zeros((len(self.months), len(self.cells)), dtype=np.int64)
        np.add.at(made, (self.month[number >= 0], number[number >= 0]), 1)
        return made

    def name_month(self, month: int) -> str:
        """Name a month as people say it."""
        return format_moment(self.months[month].astype("datetime64[s]"), "month")

    def make_panel(self) -> Heatmaps:
        """Make the panel of the cells that the forecasters read."""
        grid = self.cells.grid
        counts = np.zeros((len(self.months), grid.rows * grid.columns), dtype=np.uint16)
        counts[:, self.cells.flat] = np.minimum(self.counts, np.iinfo(np.uint16).max)
        mask = np.zeros(grid.shape, dtype=bool)
        mask.ravel()[self.cells.flat] = True
        edges = np.append(self.months, self.months[-1] + 1).astype("datetime64[s]")
        return Heatmaps(counts=counts.reshape(-1, *grid.shape), edges=edges, mask=mask, support=grid, bin="1 months")


@dataclass(frozen=True, eq=False)
class Cells:
    """Square cells that touch an area.

    Attributes
    ----------
    grid : Grid
    flat : ndarray of int, shape (cells,)
        Their numbers in a flat array of the grid.
    x, y : ndarray, shape (cells,)
        Their middles, metres.
    area : ndarray of int, shape (cells,)
        Number of the area that the middle lies in, or else of the nearest.
    """

    grid: Grid
    flat: Integers
    x: Floats
    y: Floats
    area: Integers

    def __len__(self) -> int:
        return len(self.flat)

    def locate(self, x: Floats, y: Floats) -> Integers:
        """Find the number of the cell of each point; -1 in none."""
        number = np.full(self.grid.rows * self.grid.columns, -1, dtype=np.int64)
        number[self.flat] = np.arange(len(self.flat))
        flat = self.grid.locate(x, y)
        return np.where(flat < 0, -1, number[flat])


def make_cells(areas: Areas, side: float = CELL) -> Cells:
    """Make the published cells: from the south-western corner of the areas' bounds on, one more column to the west."""
    west, south, east, north = shapely.total_bounds(areas.geometries)
    # Boxes are laid to the west of each of the author's steps, which are as many as fit and one more.
    columns, rows = (int(np.ceil((end + side - start) / side)) for start, end in ((west, east), (south, north)))
    grid = Grid(west - side, south + rows * side, side, columns, rows, areas.crs)
    x, y = (each.ravel() for each in grid.find_centres())
    boxes = shapely.box(x - side / 2, y - side / 2, x + side / 2, y + side / 2)
    tree = shapely.STRtree(areas.geometries)
    flat = np.unique(tree.query(boxes, predicate="intersects")[0])
    x, y = x[flat], y[flat]
    nearest = tree.query_nearest(shapely.points(x, y), all_matches=False)[1]
    inside = areas.locate(x, y)
    return Cells(grid, flat, x, y, np.where(inside < 0, nearest, inside))


def make_inputs(incidents: Incidents, area: Integers, areas: Areas, covariates: Floats, names: Sequence[str]) -> Inputs:
    """Bring incidents to months.

    Parameters
    ----------
    incidents : Incidents
    area : ndarray of int, shape (n,)
        Number of the area of each.
    areas : Areas
    covariates : ndarray, shape (N, C)
        Finite.
    names : sequence of str, length C
    """
    month = incidents.time.astype("datetime64[M]")
    months = np.arange(month.min(), month.max() + 1)
    number = (month - months[0]).astype(np.int64)
    cells = make_cells(areas)
    return Inputs(incidents.x, incidents.y, number, area, months, areas, covariates, tuple(names), None, cells)


def choose_tests(inputs: Inputs, wanted: int) -> Integers:
    """Choose the last `wanted` months to test: each needs twelve to learn from, and those need three before them.

    Raises
    ------
    DataError
        If there are too few months.
    """
    least = TRAINING + DENSITY
    total = len(inputs.months)
    if total < least + wanted:
        span = f"{inputs.name_month(0)} to {inputs.name_month(-1)}"
        raise DataError(
            f"The incidents are of {count_text(total, 'month')} ({span}), and testing {wanted} takes {least + wanted}:"
            f" each month tested needs {TRAINING} to learn from, and the first of these {DENSITY} before it",
            parameter="tests",
            value=wanted,
            remedy="Give incidents of more months, or test fewer",
        )
    return np.arange(total - wanted, total)
