"""How the units of a support are drawn on a map: cells of a grid as an image, areas as polygons, segments as lines.

A map's axes are in kilometres from the south-western corner of the units.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import shapely
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.path import Path
from numpy.typing import NDArray

from ..maps.grid import Grid
from ..maps.shapes import Shapes
from ..maps.support import Support

#: More shapes than these are drawn as one picture: a line of text for each would make a report of megabytes.
MANY_SHAPES = 500
#: Outlines are drawn to this part of a kilometre of the map's longer side: no reader sees more.
_FINEST = 1 / 1000
#: Between areas that can be told apart, and between those that cannot, where it closes the seams; points.
_BORDER, _SEAM = 0.4, 0.15
_BORDER_COLOUR = "#ffffff"
_LINE_WIDTH, _THIN = 1.4, 0.8


class Canvas(ABC):
    """A map of the units of a support.

    Attributes
    ----------
    width, height : float
        Kilometres.
    dotted : bool
        Whether units are few enough for a dot in each, as `holds_dots` says.
    """

    width: float
    height: float
    dotted: bool = True

    def measure_height(self, width: float) -> float:
        """Measure how high the map is where it is so wide."""
        return width * self.height / self.width

    @abstractmethod
    def fill(self, axes: Axes, values: NDArray[Any], **colours: Any) -> ScalarMappable:
        """Colour each unit by its value; those that are masked stay as the ground is.

        Parameters
        ----------
        values : masked ndarray, shape of the units
        colours
            ``cmap``, ``vmin``, ``vmax`` as matplotlib has them.
        """

    @abstractmethod
    def find_middles(self, chosen: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Find x and y of the middles of some units, kilometres, in the order of the units."""

    @abstractmethod
    def measure_side(self, width: float, height: float) -> float:
        """Measure about how long the side of a unit is on axes of so many inches, points."""


class _GridCanvas(Canvas):
    def __init__(self, grid: Grid) -> None:
        west, south, east, north = (edge / 1000 for edge in grid.bounds)
        self._grid = grid
        self.width, self.height = east - west, north - south

    def measure_height(self, width: float) -> float:
        return width * self._grid.rows / self._grid.columns

    def fill(self, axes: Axes, values: NDArray[Any], **colours: Any) -> ScalarMappable:
        extent = (0.0, self.width, 0.0, self.height)
        return axes.imshow(values, extent=extent, interpolation="nearest", **colours)

    def find_middles(self, chosen: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        rows, columns = np.nonzero(chosen)
        cell = self._grid.cell / 1000
        return np.asarray((columns + 0.5) * cell), np.asarray(self._grid.rows * cell - (rows + 0.5) * cell)

    def measure_side(self, width: float, height: float) -> float:
        return 72 * min(width / self._grid.columns, height / self._grid.rows)


class _ShapesCanvas(Canvas):
    """Areas or segments."""

    def __init__(self, support: Shapes) -> None:
        west, south, east, north = shapely.total_bounds(support.geometries)
        self._support, self._corner = support, np.array([west, south])
        self.width, self.height = (max(each, support.side) / 1000 for each in (east - west, north - south))
        self.dotted = holds_dots(support)
        finest = 1000 * max(self.width, self.height) * _FINEST
        self._geometries = shapely.simplify(support.geometries, finest)

    def measure_side(self, width: float, height: float) -> float:
        return 72 * min(width / self.width, height / self.height) * self._support.side / 1000

    def find_middles(self, chosen: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        x, y = self._bring(np.column_stack(self._support.find_centres()))[chosen].T
        return x, y

    def fill(self, axes: Axes, values: NDArray[Any], **colours: Any) -> ScalarMappable:
        limits = {name: colours.pop(name) for name in ("vmin", "vmax") if name in colours}
        # Without blended colours a picture of thousands of shapes is half as large.
        style: dict[str, Any] = {**colours, "antialiaseds": self.dotted, "rasterized": not self.dotted}
        shapes: LineCollection | PathCollection
        if self._support.kind == "segments":
            lines, owner = self._lines
            # The riskiest are drawn last, for lines lie over each other.
            order = np.argsort(np.ma.filled(values.astype(np.float64), -np.inf)[owner], kind="stable")
            width = _LINE_WIDTH if self.dotted else _THIN
            shapes = LineCollection(
                [lines[number] for number in order], array=values[owner[order]], linewidths=width, **style
            )
        else:
            edge, width = (_BORDER_COLOUR, _BORDER) if self.dotted else ("face", _SEAM)
            shapes = PathCollection(self._paths, array=values, edgecolors=edge, linewidths=width, **style)
        shapes.set_clim(**limits)
        axes.add_collection(shapes)
        axes.set_aspect("equal")
        axes.set_xlim(0, self.width)
        axes.set_ylim(0, self.height)
        return shapes

    @cached_property
    def _lines(self) -> tuple[list[NDArray[np.float64]], NDArray[np.int64]]:
        """The parts of all segments, and the number of the segment of each."""
        parts, owner = shapely.get_parts(self._geometries, return_index=True)
        return [self._bring(shapely.get_coordinates(part)) for part in parts], owner

    @cached_property
    def _paths(self) -> list[Path]:
        """The rings of each area as one path; holes stay open, since they turn the other way."""
        parts, owner = shapely.get_parts(shapely.orient_polygons(self._geometries), return_index=True)
        rings, part = shapely.get_rings(parts, return_index=True)
        coordinates, ring = shapely.get_coordinates(rings, return_index=True)
        vertices, codes = self._bring(coordinates), np.full(len(coordinates), Path.LINETO, dtype=Path.code_type)
        begins = np.flatnonzero(np.diff(ring, prepend=-1))
        codes[begins], codes[np.r_[begins[1:], len(codes)] - 1] = Path.MOVETO, Path.CLOSEPOLY
        limits = np.searchsorted(owner[part[ring]], np.arange(len(self._geometries) + 1))
        return [Path(vertices[first:after], codes[first:after]) for first, after in pairwise(limits)]

    def _bring(self, coordinates: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray((coordinates - self._corner) / 1000)


def holds_dots(support: Support) -> bool:
    """Whether units are few enough for a dot in each; cells of a grid always are."""
    return isinstance(support, Grid) or math.prod(support.shape) <= MANY_SHAPES


def make_canvas(support: Support) -> Canvas:
    """Make the map of a support."""
    if isinstance(support, Grid):
        return _GridCanvas(support)
    assert isinstance(support, Shapes)
    return _ShapesCanvas(support)
