"""Where lines meet without sharing a vertex: crossings, ends that touch a line, ends that nearly reach one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

#: Points no farther apart are one: three streets that meet in one point cross in three that differ by a rounding.
#: Metres.
SAME = 1e-3
#: An end this near to a line lies on it: coordinates are stored with seven digits of a degree, or in centimetres.
#: Metres.
ON_LINE = 0.02
#: What a meeting is, in the order of the codes of `Meetings.kind`.
CROSSING, TOUCH, GAP = 0, 1, 2


@dataclass(frozen=True, eq=False)
class Meetings:
    """M places where two lines meet without a common vertex, or nearly meet.

    Attributes
    ----------
    kind : ndarray of int8, shape (M,)
        `CROSSING`; `TOUCH`: a vertex of `one` lies on `other`; `GAP`: an end of `one` lies near `other`.
    one, other : ndarray of int64, shape (M,)
        Lines by position.
    x, y : ndarray, shape (M,)
        Where a node would be, metres: of a gap, the place on `other`.
    from_x, from_y : ndarray, shape (M,)
        Of a gap and a touch the vertex of `one`; of a crossing the same as x and y.
    apart : ndarray, shape (M,)
        Metres between the vertex of `one` and that place; 0 for crossings.
    """

    kind: NDArray[np.int8]
    one: NDArray[np.int64]
    other: NDArray[np.int64]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    from_x: NDArray[np.float64]
    from_y: NDArray[np.float64]
    apart: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.kind)

    def select(self, which: NDArray[np.bool_]) -> Meetings:
        """Select by mask."""
        return Meetings(**{name: values[which] for name, values in vars(self).items()})


class _Vertices:
    """Which places are vertices of which lines, by their exact coordinates."""

    def __init__(self, lines: NDArray[np.object_]) -> None:
        places, self.owner = shapely.get_coordinates(lines, return_index=True)
        self.at, self.number = np.unique(places @ np.array([1, 1j]), return_inverse=True)
        self._pairs = np.unique(self.owner * len(self.at) + self.number)

    def find(self, places: NDArray[np.complex128]) -> NDArray[np.int64]:
        """Numbers of places; -1 where no line has a vertex."""
        found = np.minimum(np.searchsorted(self.at, places), len(self.at) - 1)
        return np.where(self.at[found] == places, found, -1)

    def belong(self, lines: NDArray[np.int64], numbers: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether lines have these vertices."""
        wanted = lines * len(self.at) + numbers
        found = np.minimum(np.searchsorted(self._pairs, wanted), len(self._pairs) - 1)
        return np.asarray((numbers >= 0) & (self._pairs[found] == wanted))

    def count_lines(self) -> NDArray[np.int64]:
        """How many lines have each vertex."""
        return np.asarray(np.bincount(self._pairs % len(self.at), minlength=len(self.at)))


def find_meetings(lines: NDArray[np.object_], near: float = 0.0, levels: NDArray[np.int64] | None = None) -> Meetings:
    """Find where lines meet without a common vertex.

    Parameters
    ----------
    lines : ndarray of LineString, shape (L,)
        Metres.
    near : float
        How far from another line a free end may be to be told, metres. A free end is one that no other line shares.
    levels : ndarray of int64, shape (L,), optional
        Of several lines near an end, one of its own level is told.

    Returns
    -------
    Meetings
        Each place once for each pair of lines. A free end that touches a line is told as a touch, whatever `near` is.
    """
    vertices, tree = _Vertices(lines), shapely.STRtree(lines)
    crossing = _find_crossings(lines, vertices, tree)
    levels = np.zeros(len(lines), dtype=np.int64) if levels is None else levels
    ending = _find_ends(lines, levels, vertices, tree, max(near, ON_LINE))
    made = {name: np.concatenate([getattr(crossing, name), getattr(ending, name)]) for name in vars(crossing)}
    return Meetings(**made)


def list_shared_vertices(lines: NDArray[np.object_]) -> NDArray[np.bool_]:
    """Say of the vertices of all lines, one line after the other, which lie in several lines, or twice in one."""
    vertices = _Vertices(lines)
    several = vertices.count_lines() > 1
    twice = np.bincount(vertices.number, minlength=len(several)) > 1
    return np.asarray((several | twice)[vertices.number])


def _find_crossings(lines: NDArray[np.object_], vertices: _Vertices, tree: shapely.STRtree) -> Meetings:
    one, other = tree.query(lines, predicate="intersects")
    one, other = one[one < other], other[one < other]
    shared = shapely.intersection(lines[one], lines[other])
    # What two lines have in common is points, or stretches of both, of which the ends matter.
    parts, owner = shapely.get_parts(shared, return_index=True)
    linear = shapely.get_type_id(parts) == shapely.GeometryType.LINESTRING
    ends = [shapely.get_point(parts[linear], place) for place in (0, -1)]
    points = np.concatenate([parts[~linear], *ends])
    owner = np.concatenate([owner[~linear], owner[linear], owner[linear]])
    keep = shapely.get_type_id(points) == shapely.GeometryType.POINT
    places = shapely.get_coordinates(points[keep]) @ np.array([1, 1j])
    one, other = one[owner[keep]], other[owner[keep]]
    places = _move_to_vertices(places, one, other, vertices)
    number = vertices.find(places)
    of_one, of_other = vertices.belong(one, number), vertices.belong(other, number)
    # A vertex of the second line alone: then that line is the one that touches.
    turned = of_other & ~of_one
    one, other = np.where(turned, other, one), np.where(turned, one, other)
    told = ~(of_one & of_other)
    kind = np.where(of_one | of_other, TOUCH, CROSSING).astype(np.int8)
    x, y = places.real[told], places.imag[told]
    found = Meetings(kind[told], one[told], other[told], x, y, x, y, np.zeros(int(told.sum())))
    return found.select(_find_first(found))


def _move_to_vertices(
    places: NDArray[np.complex128], one: NDArray[np.int64], other: NDArray[np.int64], vertices: _Vertices
) -> NDArray[np.complex128]:
    """Move places to a vertex of either line that is the same but for a rounding, and places alike to the first."""
    if not len(places):
        return places
    at = np.c_[places.real, places.imag]
    # A crossing that was cut may leave several vertices within a rounding.
    tree = cKDTree(np.c_[vertices.at.real, vertices.at.imag])
    number = tree.query(at, k=[1, 2, 3, 4], distance_upper_bound=SAME)[1]
    number = np.where(number < len(vertices.at), number, -1)
    of_one, of_other = (vertices.belong(line[:, None], number) for line in (one, other))
    moved = unite_places(_take_first(places, number, of_one | of_other, vertices))
    return _take_first(moved, number, of_one & of_other, vertices)


def _take_first(
    places: NDArray[np.complex128], number: NDArray[np.int64], good: NDArray[np.bool_], vertices: _Vertices
) -> NDArray[np.complex128]:
    """Put the first good vertex of each place, of several candidates, in its place."""
    chosen = number[np.arange(len(places)), good.argmax(axis=1)]
    return np.where(good.any(axis=1), vertices.at[chosen], places)


def unite_places(places: NDArray[np.complex128]) -> NDArray[np.complex128]:
    """Put the first of places that are the same but for a rounding in the place of the others."""
    pairs = cKDTree(np.c_[places.real, places.imag]).query_pairs(SAME, output_type="ndarray")
    if not len(pairs):
        return places
    joined = coo_array((np.ones(len(pairs)), pairs.T), shape=(len(places), len(places)))
    _, label = connected_components(joined, directed=False)
    _, first = np.unique(label, return_index=True)
    return np.asarray(places[first[label]])


def _find_ends(
    lines: NDArray[np.object_], levels: NDArray[np.int64], vertices: _Vertices, tree: shapely.STRtree, near: float
) -> Meetings:
    """Free ends near another line: that line, of several the nearest of their level, else the nearest."""
    line = np.tile(np.arange(len(lines)), 2)
    points = np.concatenate([shapely.get_point(lines, 0), shapely.get_point(lines, -1)])
    number = vertices.find(shapely.get_coordinates(points) @ np.array([1, 1j]))
    # An end where the same line begins is a loop's.
    free = np.flatnonzero((vertices.count_lines()[number] == 1) & ~np.tile(shapely.is_closed(lines), 2))
    end, other = tree.query(points[free], predicate="dwithin", distance=near)
    end = free[end]
    foreign = other != line[end]
    end, other = end[foreign], other[foreign]
    apart = shapely.distance(points[end], lines[other])
    order = np.lexsort((other, apart, levels[line[end]] != levels[other], end))
    end, other, apart = end[order], other[order], apart[order]
    _, first = np.unique(end, return_index=True)
    end, other, apart = end[first], other[first], apart[first]
    # What lies just on the line is told as a touch already.
    told = apart > 0
    end, other, apart = end[told], other[told], apart[told]
    along = shapely.line_locate_point(lines[other], points[end])
    on_line = shapely.get_coordinates(shapely.line_interpolate_point(lines[other], along))
    place = _prefer_vertices(on_line @ np.array([1, 1j]), points[end], other, vertices, near)
    at = shapely.get_coordinates(points[end])
    moved = np.hypot(place.real - at[:, 0], place.imag - at[:, 1])
    kind = np.where(apart <= ON_LINE, TOUCH, GAP).astype(np.int8)
    found = Meetings(kind, line[end], other, place.real, place.imag, at[:, 0], at[:, 1], moved)
    return found.select(~_find_mirrored(found))


def _find_mirrored(found: Meetings) -> NDArray[np.bool_]:
    """Which gaps between two free ends were told from the other end already."""
    here, there = found.from_x + 1j * found.from_y, found.x + 1j * found.y
    known = {pair: row for row, pair in enumerate(zip(here.tolist(), there.tolist(), strict=True))}
    mirrored = [known.get(pair, row) < row for row, pair in enumerate(zip(there.tolist(), here.tolist(), strict=True))]
    return np.array(mirrored, dtype=bool)


def _prefer_vertices(
    places: NDArray[np.complex128],
    points: NDArray[np.object_],
    lines: NDArray[np.int64],
    vertices: _Vertices,
    near: float,
) -> NDArray[np.complex128]:
    """Take the nearest vertex of the line in the place of a point on it, where it is as near as was asked for."""
    if not len(places):
        return places
    at = shapely.get_coordinates(points)
    _, nearest = cKDTree(np.c_[vertices.at.real, vertices.at.imag]).query(
        at, k=min(8, len(vertices.at)), distance_upper_bound=near
    )
    made = places.copy()
    for column in reversed(range(nearest.shape[1])):
        number = np.where(nearest[:, column] < len(vertices.at), nearest[:, column], -1)
        there = vertices.belong(lines, number)
        made[there] = vertices.at[number[there]]
    return made


def _find_first(found: Meetings) -> NDArray[np.bool_]:
    """Of several meetings of two lines in one place the first."""
    key = np.stack([found.one, found.other, found.x, found.y])
    _, first = np.unique(key, axis=1, return_index=True)
    return np.isin(np.arange(len(found)), first)
