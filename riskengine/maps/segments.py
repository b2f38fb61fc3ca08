"""Street segments as units of space: lines, of which an incident belongs to the nearest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.spatial import cKDTree

from ..contract.tools.areas import CountAreas
from ..ground.errors import DataError
from .shapes import TOUCH, Geometries, Pairs, Shapes, gather_rows, spread
from .support import Kind

#: Distances that differ by less are the same: at a crossing all streets are equally near. Metres.
_EQUAL = 0.01


@dataclass(frozen=True)
class Segments(Shapes):
    """Lines with ids.

    See `Shapes` for their attributes; the geometries are lines of one or several parts.

    Attributes
    ----------
    tolerance : float
        An incident farther than this from all of them belongs to none, metres.
    """

    tolerance: float = CountAreas.tolerance

    kind: ClassVar[Kind] = "segments"

    @cached_property
    def side(self) -> float:
        """Length of the median segment, metres."""
        return float(np.median(self.measure_sizes()))

    def measure_sizes(self) -> NDArray[np.float64]:
        """Measure the segments, metres."""
        return np.asarray(shapely.length(self.geometries), dtype=np.float64)

    def find_centres(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Find the middle of each segment, on it; of one in several parts, of the longest."""
        parts, owner = shapely.get_parts(shapely.line_merge(self.geometries), return_index=True)
        # Of each owner's parts the longest comes last, and stays.
        order = np.lexsort((shapely.length(parts), owner))
        longest = np.empty(len(self.ids), dtype=object)
        longest[owner[order]] = parts[order]
        middle = shapely.line_interpolate_point(longest, 0.5, normalized=True)
        return shapely.get_x(middle), shapely.get_y(middle)

    def find_neighbours(self) -> csr_array:
        """Find which segments share an end; ends up to `TOUCH` apart do. Streets that cross without a node do not."""
        parts, owner = shapely.get_parts(self.geometries, return_index=True)
        ends = np.r_[shapely.get_point(parts, 0), shapely.get_point(parts, -1)]
        pairs = cKDTree(shapely.get_coordinates(ends)).query_pairs(TOUCH, output_type="ndarray")
        one, other = np.tile(owner, 2)[pairs.T]
        apart = one != other
        one, other = one[apart], other[apart]
        touch = np.ones(2 * len(one), dtype=bool)
        return csr_array((touch, (np.r_[one, other], np.r_[other, one])), shape=(len(self.ids), len(self.ids)))

    def match(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> Pairs:
        """Find the nearest segments of each point, within the tolerance; several where they are equally near."""
        places, place = np.unique(x + 1j * y, return_inverse=True)
        points = shapely.points(places.real, places.imag)
        found, nearest = self._tree.query_nearest(points, max_distance=self.tolerance, return_distance=True)
        # A rounding error apart is not apart: ask again for all within the smallest distance.
        reach = np.full(len(places), -1.0)
        reach[found[0]] = nearest
        near = np.flatnonzero(reach >= 0)
        several, segment = self._tree.query(points[near], predicate="dwithin", distance=reach[near] + _EQUAL)
        return spread(near[several], segment, place, len(places))


@dataclass(frozen=True)
class SegmentFaults:
    """What was wrong with a layer of lines, and what was done.

    Attributes
    ----------
    empty : list of str
        Ids without a line, or with one of no length; left out.
    joined : list of str
        Ids that stand on several rows; their parts are one segment.
    """

    empty: list[str]
    joined: list[str]


def make_segments(
    ids: Sequence[str],
    geometries: Geometries,
    crs: str,
    tolerance: float,
    parameter: str = "areas",
    names: Sequence[str] | None = None,
) -> tuple[Segments, SegmentFaults]:
    """Make segments of the rows of a layer of lines; see `areas.make_areas`.

    Raises
    ------
    DataError
        If no row has a line.
    """
    shapes = np.asarray(geometries, dtype=object)
    linear = np.isin(shapely.get_type_id(shapes), (1, 2, 5)) & (shapely.length(shapes) > 0)
    rows = gather_rows(ids, names, shapes, linear)
    if not rows.ids:
        raise DataError(
            "The layer of areas has no line",
            parameter=parameter,
            value=len(ids),
            remedy="Choose a layer of lines, such as street segments, or of polygons",
        )
    return Segments(rows.ids, rows.geometries, crs, rows.names, tolerance), SegmentFaults(rows.empty, rows.joined)
