"""Areas as units of space: any polygons, named, with what is wrong with them counted and said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import csr_array

from ..ground.errors import DataError
from .shapes import TOUCH, Geometries, Pairs, Shapes, gather_rows, spread
from .support import Kind

#: Two areas overlap where they share more than this part of the smaller one: less is how borders were drawn.
OVERLAP = 0.01
#: An area this much smaller than the median one, and thin, is a sliver: left from an overlay, no place.
_SLIVER_SHARE = 1e-3
#: Thin: its area is below this share of that of the circle with its outline.
_SLIVER_ROUNDNESS = 0.1


@dataclass(frozen=True)
class Areas(Shapes):
    """Polygons with ids.

    See `Shapes` for their attributes; the geometries are polygons of one or several parts.
    """

    kind: ClassVar[Kind] = "areas"

    @cached_property
    def side(self) -> float:
        """Of a square as large as the median area, metres."""
        return float(np.sqrt(np.median(self.measure_sizes())))

    def measure_sizes(self) -> NDArray[np.float64]:
        """Measure the areas, square metres."""
        return np.asarray(shapely.area(self.geometries), dtype=np.float64)

    def find_centres(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Find the middle of each area, metres: its centroid, or a point on it where the centroid lies outside."""
        middle = shapely.centroid(self.geometries)
        outside = ~shapely.contains(self.geometries, middle)
        middle[outside] = shapely.point_on_surface(self.geometries[outside])
        return shapely.get_x(middle), shapely.get_y(middle)

    def find_neighbours(self) -> csr_array:
        """Find which areas touch, also at a corner; borders up to `TOUCH` apart do."""
        return self._neighbours

    @cached_property
    def _neighbours(self) -> csr_array:
        # Every fit of a backtest asks.
        one, other = self._tree.query(self.geometries, predicate="dwithin", distance=TOUCH)
        kept = one != other
        one, other = one[kept], other[kept]
        return csr_array((np.ones(len(one), dtype=bool), (one, other)), shape=(len(self.ids), len(self.ids)))

    def match(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> Pairs:
        """Find all areas that each point lies in or on."""
        # One test for each place: published incidents share them. Polygons asked for points are prepared, once each.
        places, place = np.unique(x + 1j * y, return_inverse=True)
        tree = shapely.STRtree(shapely.points(places.real, places.imag))
        areas, found = tree.query(self.geometries, predicate="intersects")
        return spread(found, areas, place, len(places))


@dataclass(frozen=True)
class AreaFaults:
    """What was wrong with a layer of areas, and what was done: nothing is lost in silence.

    Attributes
    ----------
    repaired : list of str
        Ids of invalid polygons that were made valid.
    empty : list of str
        Ids without a polygon; left out.
    joined : list of str
        Ids that stand on several rows; their parts are one area.
    slivers : list of str
        Ids of thin and tiny areas; kept.
    overlapping : list of (str, str)
        Pairs that share more than `OVERLAP` of the smaller; an incident in both counts in the first.
    """

    repaired: list[str]
    empty: list[str]
    joined: list[str]
    slivers: list[str]
    overlapping: list[tuple[str, str]]


def make_areas(
    ids: Sequence[str],
    geometries: Geometries,
    crs: str,
    parameter: str = "areas",
    names: Sequence[str] | None = None,
) -> tuple[Areas, AreaFaults]:
    """Make areas of the rows of a layer, and find what is wrong with them.

    Parameters
    ----------
    ids : sequence of str, length N
    geometries : ndarray of shapely geometries, shape (N,)
        Metres; None for none.
    names : sequence of str, length N, optional
        What people call them; by default their ids.

    Raises
    ------
    DataError
        If no row has a polygon.
    """
    shapes = np.asarray(geometries, dtype=object)
    bad = ~shapely.is_valid(shapes) & ~shapely.is_missing(shapes)
    shapes[bad] = [_keep_polygons(each) for each in shapely.make_valid(shapes[bad])]
    polygonal = np.isin(shapely.get_type_id(shapes), (3, 6)) & ~shapely.is_empty(shapes)
    rows = gather_rows(ids, names, shapes, polygonal)
    if not rows.ids:
        raise DataError(
            "The layer of areas has no polygon",
            parameter=parameter,
            value=len(ids),
            remedy="Choose a layer of polygons, such as beats, wards or census areas",
        )
    areas = Areas(rows.ids, rows.geometries, crs, rows.names)
    repaired = [str(ids[number]) for number in np.flatnonzero(bad).tolist()]
    return areas, AreaFaults(repaired, rows.empty, rows.joined, _find_slivers(areas), _find_overlaps(areas))


def _keep_polygons(geometry: shapely.Geometry) -> shapely.Geometry:
    """The polygons of what an invalid one was made into; lines and points have no area."""
    parts = [each for each in shapely.get_parts(geometry) if shapely.get_type_id(each) in (3, 6)]
    return shapely.union_all(parts) if parts else shapely.Polygon()


def _find_slivers(areas: Areas) -> list[str]:
    size, outline = areas.measure_sizes(), shapely.length(areas.geometries)
    thin = 4 * np.pi * size < _SLIVER_ROUNDNESS * outline**2
    tiny = size < _SLIVER_SHARE * np.median(size)
    return [areas.ids[number] for number in np.flatnonzero(thin & tiny)]


def _find_overlaps(areas: Areas) -> list[tuple[str, str]]:
    shapes, size = areas.geometries, areas.measure_sizes()
    one, other = shapely.STRtree(shapes).query(shapes)
    one, other = one[one < other], other[one < other]
    first = size[one] <= size[other]
    small, large = np.where(first, one, other), np.where(first, other, one)
    # What overlaps by more than OVERLAP does so still when a strip of a quarter of that is taken off along the outline.
    # Neighbours that share a border, or whose borders differ by how they were drawn, then meet no more, and need not be
    # cut with one another.
    cut, place = np.unique(small, return_inverse=True)
    inner = shapely.buffer(shapes[cut], -0.25 * OVERLAP * size[cut] / shapely.length(shapes[cut]))
    shapely.prepare(shapes)
    kept = shapely.intersects(shapes[large], inner[place])
    one, other, small, large = one[kept], other[kept], small[kept], large[kept]
    real = shapely.area(shapely.intersection(shapes[small], shapes[large])) > OVERLAP * size[small]
    return [(areas.ids[a], areas.ids[b]) for a, b in zip(one[real], other[real], strict=True)]
