"""Cutting street lines where they cross, touch or share a vertex, so that ways can turn there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from .meetings import CROSSING, GAP, SAME, TOUCH, Meetings, find_meetings, list_shared_vertices

Complex = NDArray[np.complex128]


@dataclass(frozen=True, eq=False)
class SplitLines:
    """P pieces of lines, and how they came to be.

    Attributes
    ----------
    pieces : ndarray of LineString, shape (P,)
        In the CRS of the lines.
    line : ndarray of int64, shape (P,)
        Which line each is of, by position.
    crossings, touches, snapped : int
        Crossings joined, ends joined to a street they touch, ends moved to a street they missed.
    kept_apart : int
        Crossings and touches of different levels, which stay as they are.
    """

    pieces: NDArray[np.object_]
    line: NDArray[np.int64]
    crossings: int
    touches: int
    snapped: int
    kept_apart: int


def split_lines(
    lines: NDArray[np.object_],
    levels: NDArray[np.int64],
    to_metres: Callable[[Complex], Complex],
    from_metres: Callable[[Complex], Complex],
    tolerance: float = 0.0,
    crossings: bool = True,
) -> SplitLines:
    """Cut lines where they meet; pieces that meet have the very same coordinates there.

    Parameters
    ----------
    lines : ndarray of LineString, shape (L,)
        In any CRS.
    levels : ndarray of int64, shape (L,)
        Lines of different levels, such as a bridge and the street below it, are joined only at vertices they share.
    to_metres, from_metres : callable
        Bring places, as x + iy, to a CRS in metres and back.
    tolerance : float
        Free ends that miss another line by no more are moved to it, metres.
    crossings : bool
        Whether lines that cross are joined, too, or only ends.
    """
    lines, origin = _cut_self_crossings(lines) if crossings else (lines, np.arange(len(lines)))
    metric = _move(lines, to_metres)
    levels = levels[origin]
    found = find_meetings(metric, tolerance, levels)
    if not crossings:
        found = found.select(found.kind != CROSSING)
    joined = levels[found.one] == levels[found.other]
    kept_apart = int((~joined & (found.kind != GAP)).sum())
    # A line that is hardly longer than the way to the other one would be left without length.
    movable = shapely.length(metric[found.one]) > 2 * found.apart
    found = found.select(joined & movable & ((found.kind != GAP) | (found.apart <= tolerance)))
    pieces, owner = _Cutter(lines, metric, from_metres).cut(found)
    return SplitLines(
        pieces,
        origin[owner],
        int((found.kind == CROSSING).sum()),
        int((found.kind == TOUCH).sum()),
        int((found.kind == GAP).sum()),
        kept_apart,
    )


def _cut_self_crossings(lines: NDArray[np.object_]) -> tuple[NDArray[np.object_], NDArray[np.int64]]:
    """Lines that meet themselves in pieces that do not; the pieces and whose they are."""
    crossed = np.flatnonzero(~shapely.is_simple(lines))
    if not len(crossed):
        return lines, np.arange(len(lines))
    cut = lines.copy()
    cut[crossed] = shapely.node(lines[crossed])
    # Nodes leave out what a line goes along twice, such as there and back.
    lost = crossed[shapely.length(cut[crossed]) < shapely.length(lines[crossed]) * (1 - 1e-9)]
    cut[lost] = [shapely.multilinestrings([*_list_simple_stretches(line)]) for line in lines[lost]]
    pieces, owner = shapely.get_parts(cut, return_index=True)
    return pieces, owner


def _list_simple_stretches(line: shapely.LineString) -> Iterator[shapely.LineString]:
    """Stretches of a line between vertices, each as long as can be without meeting itself."""
    places = shapely.get_coordinates(line)
    first, last = 0, len(places) - 1
    while first < last:
        simple, not_simple = first + 1, last + 1
        while not_simple - simple > 1:
            middle = (simple + not_simple) // 2
            if shapely.LineString(places[first : middle + 1]).is_simple:
                simple = middle
            else:
                not_simple = middle
        yield shapely.LineString(places[first : simple + 1])
        first = simple


def _move(lines: NDArray[np.object_], move: Callable[[Complex], Complex]) -> NDArray[np.object_]:
    moved = move(shapely.get_coordinates(lines) @ np.array([1, 1j]))
    return np.asarray(shapely.set_coordinates(lines.copy(), np.c_[moved.real, moved.imag]))


class _Cutter:
    """Vertices of all lines one after the other, in both CRSs, and where they are cut."""

    def __init__(
        self, lines: NDArray[np.object_], metric: NDArray[np.object_], from_metres: Callable[[Complex], Complex]
    ) -> None:
        places, self.line = shapely.get_coordinates(lines, return_index=True)
        self.own = places @ np.array([1, 1j])
        self.metric = shapely.get_coordinates(metric) @ np.array([1, 1j])
        self.lines, self.from_metres = metric, from_metres
        self.first = np.searchsorted(self.line, np.arange(len(lines)))
        self.last = np.searchsorted(self.line, np.arange(len(lines)), side="right") - 1
        steps = np.abs(np.diff(self.metric))
        steps[self.line[1:] != self.line[:-1]] = 0.0
        self.along = np.r_[0.0, np.cumsum(steps)]
        # The own coordinates of places in metres: a vertex keeps its own to the last digit.
        self.known = dict(zip(self.metric[::-1].tolist(), self.own[::-1].tolist(), strict=True))

    def cut(self, found: Meetings) -> tuple[NDArray[np.object_], NDArray[np.int64]]:
        """Cut at the meetings and at all vertices that lines share; pieces and whose they are."""
        place, start = found.x + 1j * found.y, found.from_x + 1j * found.from_y
        self._learn(place)
        is_cut = list_shared_vertices(self.lines)
        moved = self._move_ends(found, place, start)
        # Where a node comes to lie on each line: a crossing on both, all else on the second.
        line = np.r_[found.other, found.one[found.kind == CROSSING]]
        at = np.r_[place, place[found.kind == CROSSING]]
        key, is_vertex, vertex = self._locate(line, at)
        is_cut[vertex[is_vertex]] = True
        is_cut[self._find_touching(found, start)] = True
        own = np.r_[moved, np.array([self.known[each] for each in at[~is_vertex].tolist()], dtype=complex)]
        whose = np.r_[self.line, line[~is_vertex]]
        keys = np.r_[np.arange(len(self.own), dtype=float), key[~is_vertex]]
        cuts = np.r_[is_cut, np.ones(int((~is_vertex).sum()), dtype=bool)]
        return _make_pieces(own, whose, keys, cuts)

    def _learn(self, places: Complex) -> None:
        """Find the own coordinates of places that are no vertices."""
        new = np.array(sorted({each for each in places.tolist() if each not in self.known}, key=abs), dtype=complex)
        if len(new):
            self.known.update(zip(new.tolist(), self.from_metres(new).tolist(), strict=True))

    def _move_ends(self, found: Meetings, place: Complex, start: Complex) -> Complex:
        """Own coordinates of all vertices, ends that missed or all but missed another line moved to it."""
        own: Complex = self.own.copy()
        moves = {each: to for each, to in zip(start.tolist(), place.tolist(), strict=True) if each != to}
        for here in moves:
            there, seen = moves[here], {here}
            # What an end is moved to may be moved itself.
            while there in moves and there not in seen:
                seen.add(there)
                there = moves[there]
            own[self.metric == here] = self.known[there]
        return own

    def _locate(
        self, line: NDArray[np.int64], at: Complex
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.int64]]:
        """Where places lie on lines: a key between those of two vertices; or which vertex they are."""
        along = shapely.line_locate_point(self.lines[line], shapely.points(at.real, at.imag))
        position = self.along[self.first[line]] + along
        segment = np.searchsorted(self.along, position, side="right") - 1
        segment = np.clip(segment, self.first[line], np.maximum(self.last[line] - 1, self.first[line]))
        length = self.along[segment + 1] - self.along[segment]
        share = np.clip((position - self.along[segment]) / np.where(length > 0, length, 1.0), 0.0, 1.0)
        near = segment + (share > 0.5)
        is_vertex = np.abs(self.metric[near] - at) <= SAME
        return segment + np.clip(share, 1e-9, 1 - 1e-9), is_vertex, near

    def _find_touching(self, found: Meetings, start: Complex) -> NDArray[np.int64]:
        """Vertices in the middle of a line that lie on another one: they are nodes, too."""
        inner = found.kind == TOUCH
        wanted = set(zip(found.one[inner].tolist(), start[inner].tolist(), strict=True))
        lines = {line for line, _ in wanted}
        rows = [row for line in sorted(lines) for row in range(self.first[line], self.last[line] + 1)]
        return np.array(
            [row for row in rows if (int(self.line[row]), complex(self.metric[row])) in wanted], dtype=np.int64
        )


def _make_pieces(
    own: Complex, line: NDArray[np.int64], key: NDArray[np.float64], cut: NDArray[np.bool_]
) -> tuple[NDArray[np.object_], NDArray[np.int64]]:
    """Cut vertices in the order of their keys into pieces; a vertex that is cut at ends one and begins the next."""
    order = np.lexsort((key, line))
    own, line, cut = own[order], line[order], cut[order]
    # A place that was found twice on one line is one.
    same = np.r_[False, (own[1:] == own[:-1]) & (line[1:] == line[:-1])]
    cut[:-1] |= same[1:] & cut[1:]
    own, line, cut = own[~same], line[~same], cut[~same]
    begins = np.r_[True, line[1:] != line[:-1]]
    inner = cut & ~begins & ~np.r_[begins[1:], True]
    piece = np.cumsum(begins | inner) - 1
    # The vertex that begins a piece within a line ends the piece before it, too.
    rows = np.repeat(np.arange(len(own)), 1 + inner)
    number = piece[rows]
    number[np.flatnonzero(np.diff(rows) == 0)] -= 1
    sizes = np.bincount(number)
    whole = np.repeat(sizes > 1, sizes)
    _, dense = np.unique(number[whole], return_inverse=True)
    rows = rows[whole]
    pieces = shapely.linestrings(np.c_[own[rows].real, own[rows].imag], indices=dense)
    _, first = np.unique(dense, return_index=True)
    return np.asarray(pieces, dtype=object), line[rows[first]]
