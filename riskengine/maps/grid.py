"""The square grid that incidents are counted on."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from rasterio.features import geometry_mask
from rasterio.transform import Affine
from scipy.sparse import csr_array

from ..contract.texts import count_text
from ..ground.errors import ParameterError
from .sparsecounts import is_sparse_smaller
from .support import Kind, Support

#: More cells than this in one stack (columns x rows x bins) are refused.
MAX_CELLS = 10**8
#: The same where nearly all of them are empty and counts are kept sparse: what is left is the time that bands take.
MOST_SPARSE_CELLS = 5 * 10**8
#: The same of a raster that was made finer: 2 GB as written.
MOST_FINE_CELLS = 5 * 10**8
#: Automatic cell size: this many cells on the shortest side, as sfhotspot does.
CELLS_ON_SHORT_SIDE = 50


@dataclass(frozen=True)
class Grid(Support):
    """A north-up grid of square cells.

    Attributes
    ----------
    west, north : float
        Upper-left corner, metres.
    cell : float
        Side of a cell, metres.
    columns, rows : int
    crs : str
        WKT or authority code of a projected CRS in metres.
    """

    west: float
    north: float
    cell: float
    columns: int
    rows: int
    crs: str

    kind: ClassVar[Kind] = "grid"

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns)."""
        return self.rows, self.columns

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """(west, south, east, north), metres."""
        return self.west, self.north - self.rows * self.cell, self.west + self.columns * self.cell, self.north

    @property
    def transform(self) -> Affine:
        """Affine transform from (column, row) to (x, y)."""
        return Affine(self.cell, 0.0, self.west, 0.0, -self.cell, self.north)

    @property
    def side(self) -> float:
        """The side of a cell, metres."""
        return self.cell

    def locate(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.int64]:
        """Flat cell number of each point, row by row; -1 outside.

        A point on an inner edge belongs to the cell east and south of it; the outer east and south edges
        belong to the last cells, so that a grid fitted to its points holds them all.
        """
        # Coordinates of millions of metres are rounded to a billionth of one.
        slack = 4 * np.finfo(float).eps * max(map(abs, self.bounds)) / self.cell
        column = _cell_number((x - self.west) / self.cell, self.columns, slack)
        row = _cell_number((self.north - y) / self.cell, self.rows, slack)
        inside = (column >= 0) & (column < self.columns) & (row >= 0) & (row < self.rows)
        flat = np.full(len(x), -1, dtype=np.int64)
        flat[inside] = row[inside].astype(np.int64) * self.columns + column[inside].astype(np.int64)
        return flat

    def centres(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """x of the columns' and y of the rows' centres, metres."""
        x = np.asarray(self.west + (np.arange(self.columns) + 0.5) * self.cell, dtype=np.float64)
        y = np.asarray(self.north - (np.arange(self.rows) + 0.5) * self.cell, dtype=np.float64)
        return x, y

    def measure_sizes(self) -> NDArray[np.float64]:
        """Measure the cells, square metres."""
        return np.full(self.shape, self.cell**2)

    def find_centres(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Find x and y of the cells' centres, metres."""
        x, y = np.meshgrid(*self.centres())
        return x, y

    def find_neighbours(self) -> csr_array:
        """Find which cells touch, also at a corner."""
        number = np.arange(self.rows * self.columns).reshape(self.shape)
        pairs = [
            (
                number[: self.rows - down, max(-right, 0) : self.columns - max(right, 0)].ravel(),
                number[down:, max(right, 0) : self.columns + min(right, 0)].ravel(),
            )
            for down, right in ((0, 1), (1, -1), (1, 0), (1, 1))
        ]
        one, other = (np.concatenate(each) for each in zip(*pairs, strict=True))
        touch = np.ones(2 * len(one), dtype=bool)
        return csr_array((touch, (np.r_[one, other], np.r_[other, one])), shape=(number.size, number.size))

    def mask(self, polygons: list[dict[str, Any]] | None) -> NDArray[np.bool_]:
        """True for the cells whose centre lies inside one of the GeoJSON `polygons` (all, when None)."""
        if polygons is None:
            return np.ones(self.shape, dtype=bool)
        if not polygons:
            raise ParameterError(
                "polygons is an empty list",
                parameter="polygons",
                remedy="Give at least one polygon, or leave it out for the whole extent",
            )
        inside: NDArray[np.bool_] = geometry_mask(polygons, self.shape, self.transform, invert=True)
        return inside


def _cell_number(position: NDArray[np.float64], cells: int, slack: float) -> NDArray[np.float64]:
    # A point on the outer edge may be a rounding error beyond it.
    edge = max(1e-9 * cells, slack)
    return np.where(np.abs(position - cells) <= edge, cells - 1, np.floor(position + (np.abs(position) <= edge) * edge))


def _cells_across(side: float, cell: float) -> int:
    # A rounding error is not worth another row of cells.
    return max(math.ceil(side / cell - 1e-9), 1)


def round_cell(cell: float) -> float:
    """The nearest of 1, 2, 2.5, 5 times a power of ten: a cell size one would have chosen by hand."""
    power = 10.0 ** math.floor(math.log10(cell))
    return min((step * power for step in (1.0, 2.0, 2.5, 5.0, 10.0)), key=lambda size: abs(math.log(size / cell)))


def choose_automatic_cell(extent: tuple[float, float, float, float]) -> float:
    """Choose the cell size in metres: a fiftieth of the shorter side, rounded; 100 m where the extent is a point."""
    west, south, east, north = extent
    sides = [side for side in (east - west, north - south) if side > 0]
    return max(round_cell(min(sides) / CELLS_ON_SHORT_SIDE), 1.0) if sides else 100.0


def make_grid(
    extent: tuple[float, float, float, float],
    crs: str,
    cell: float | None = None,
    columns: int | None = None,
    rows: int | None = None,
    bins: int = 1,
    incidents: int | None = None,
) -> Grid:
    """Fit a grid to an extent.

    Parameters
    ----------
    extent : (west, south, east, north)
        Metres.
    crs : str
    cell : float, optional
        Side of a cell in metres; the grid is then aligned to whole multiples of it.
    columns, rows : int, optional
        Number of cells instead of their size, of which one suffices. Cells are square: the larger of the two sizes
        that fit is taken and the grid is centred on the extent.
    bins : int
        Number of maps the stack will have, for the size check.
    incidents : int, optional
        How many are to be counted at most: where they are few, counts are kept sparse, and cells may be more.

    Raises
    ------
    ParameterError
        For sizes <= 0, a cell size together with columns or rows, or a stack of more cells than are allowed.
    """
    west, south, east, north = extent
    if not all(map(math.isfinite, extent)) or east < west or north < south:
        raise ParameterError(
            f"The extent {extent} is empty or not finite",
            parameter="extent",
            value=extent,
            remedy="Choose another extent",
        )
    for name, number in (("cell_size", cell), ("columns", columns), ("rows", rows)):
        if number is not None and not number > 0:
            raise ParameterError(
                f"{name} is {number:g}; it must be greater than 0",
                parameter=name,
                value=number,
                remedy="Give a positive number, or leave it empty for an automatic choice",
            )
    if cell is not None and (columns or rows):
        raise ParameterError(
            f"Both a cell size ({cell:g} m) and a number of columns or rows are given",
            parameter="cell_size",
            value=cell,
            remedy="Give one or the other",
        )
    if columns or rows:
        sizes = [side / cells for side, cells in ((east - west, columns), (north - south, rows)) if cells]
        cell = max(sizes) or choose_automatic_cell(extent)
        width = columns or _cells_across(east - west, cell)
        height = rows or _cells_across(north - south, cell)
        west, north = (west + east - width * cell) / 2, (south + north + height * cell) / 2
    else:
        cell = cell or choose_automatic_cell(extent)
        west, north = math.floor(west / cell) * cell, math.ceil(north / cell) * cell
        width, height = _cells_across(east - west, cell), _cells_across(north - south, cell)
    cells = width * height * bins
    few = incidents is not None and is_sparse_smaller(incidents, (bins, height, width), np.dtype(np.uint8))
    most = MOST_SPARSE_CELLS if few else MAX_CELLS
    if cells > most:
        raise ParameterError(
            f"The grid would have {count_text(width, 'column')} x {count_text(height, 'row')} x"
            f" {count_text(bins, 'map')} = {count_text(cells, 'cell')} (about {cells * 2 / 1e9:.1f} GB);"
            f" the limit is {most:,}",
            parameter="cell_size",
            value=cell,
            remedy="Choose a larger cell size, longer time bins or a smaller extent",
        )
    return Grid(west, north, cell, width, height, crs)
