"""The study area where nobody gave one: a concave hull of the incidents, without the strays far from all others."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from ..contract.tools.grids import SelectStudyArea

Points = NDArray[np.float64]

#: How concave, from 0 (as tight as can be) to 1 (convex): at 0.1 the outlines of Baltimore, Chicago and London are met
#: best; below, the hull grows bays where a park or a railway lies; above, it takes in the lake and the harbour.
RATIO = SelectStudyArea.ratio
#: A step is this share of the side of the square that would hold the middle halves of the places east and north ...
_STEP_SHARE = 0.1
#: ... or so many times the distance within which nearly all places have a few neighbours, where they are sparse.
_STEP_DISTANCES = 2.0
_NEIGHBOURS = 3
_NEARLY_ALL = 0.95
#: The hull is widened by this share of a step: incidents of next year lie a little beyond those of this one.
_BUFFER_STEPS = 0.25
#: An edge of the hull shorter than this many steps is never dug into.
_EDGE_STEPS = 2.0
#: What belongs together is a part of the city from this share of all places on; what is less is stray.
_PART_SHARE = 0.002
#: A geocoder's default place may hold a hundred incidents; it is one place, and no part of a city.
_PART_PLACES = 3
#: Places nearer to each other than this share of that side are one.
_SAME_PLACE = 0.005
#: That side where all incidents lie in one place, metres.
_LEAST_SIDE = 1000.0


@dataclass(frozen=True)
class Hull:
    """A hull of incidents.

    Attributes
    ----------
    shape : shapely Polygon or MultiPolygon
        Metres; several parts where the city has islands, and no holes: in a park something could have been recorded.
    inside : ndarray of bool, shape (N,)
        Which of the points it was drawn from lie in it; the others are stray.
    ratio : float
        How concave.
    buffer : float
        By how much it was widened, metres.
    """

    shape: Any
    inside: NDArray[np.bool_]
    ratio: float
    buffer: float

    @property
    def polygons(self) -> list[dict[str, Any]]:
        """Its parts as GeoJSON."""
        return [json.loads(text) for text in shapely.to_geojson(shapely.get_parts(self.shape)).tolist()]

    @property
    def square_km(self) -> float:
        """Its area in km²."""
        return float(self.shape.area) / 1e6


def draw_hull(x: Points, y: Points, ratio: float = RATIO, buffer: float | None = None) -> Hull:
    """Draw the concave hull of all points but the strays.

    Occupied squares that touch each other, a step wide, are a part; a part with fewer places than `_PART_SHARE` of all
    is stray. Places are counted, not incidents, so that many at one wrong place are no city.

    Parameters
    ----------
    x, y : ndarray of float64, shape (N,)
        Metres; at least one point.
    ratio : float
        GEOS' measure of concaveness, in [0, 1]; few points make the hull less concave than asked.
    buffer : float, optional
        Metres to widen it by; by default a quarter of a step.
    """
    points = np.unique(np.column_stack([x, y]), axis=0)
    side = _measure_side(points)
    near = side * _SAME_PLACE
    places = np.unique(np.round(points / near), axis=0) * near
    step = _choose_step(places, side)
    part = _find_parts(places, step)
    sizes = np.bincount(part)
    least = min(max(_PART_PLACES, _PART_SHARE * len(places)), sizes.max())
    shapes = []
    for number in np.flatnonzero(sizes >= least):
        mine = places[part == number]
        longest = float(np.ptp(mine, axis=0).max())
        fitting = min(max(ratio, _EDGE_STEPS * step / longest), 1.0) if longest else 1.0
        shapes.append(shapely.concave_hull(shapely.multipoints(mine), fitting))
    # A single place or a line has no area of its own.
    wide = step * _BUFFER_STEPS if buffer is None else max(buffer, near)
    shape = shapely.union_all(shapely.buffer(shapes, wide))
    shapely.prepare(shape)
    return Hull(shape, shapely.contains_xy(shape, x, y), ratio, wide)


def _measure_side(points: Points) -> float:
    """Measure the side of a square as large as the middle halves of x and y span, metres: no stray is in them."""
    middle = np.subtract(*np.quantile(points, [0.75, 0.25], axis=0))
    return float(np.sqrt(middle.prod())) or float(middle.max()) or float(np.ptp(points, axis=0).max()) or _LEAST_SIDE


def _choose_step(places: Points, side: float) -> float:
    """Choose the distance within which a city goes on, metres."""
    nearest = min(_NEIGHBOURS, len(places) - 1)
    if not nearest:
        return _STEP_SHARE * side
    away = cKDTree(places).query(places, [nearest + 1])[0]
    return max(_STEP_SHARE * side, _STEP_DISTANCES * float(np.quantile(away, _NEARLY_ALL)))


def _find_parts(places: Points, step: float) -> NDArray[np.int64]:
    """Find the number of the part that each place belongs to."""
    squares, square = np.unique(np.floor(places / step), axis=0, return_inverse=True)
    # Squares that touch in a corner are neighbours, too.
    pairs = cKDTree(squares).query_pairs(1.5, output_type="ndarray")
    graph = coo_matrix((np.ones(len(pairs), dtype=bool), pairs.T), shape=(len(squares), len(squares)))
    part: NDArray[np.int64] = connected_components(graph, directed=False)[1].astype(np.int64)[square.ravel()]
    return part
