"""What is wrong with a street network: found, counted, named, and shown as points."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ..contract.routes import FAULTS
from ..contract.texts import count_text
from ..ground.context import JobContext
from .meetings import CROSSING, TOUCH, Meetings, find_meetings
from .network import Network

#: A free end that misses another street by no more is told, metres: wider than what snapping usually joins.
NEARLY = 2.0
#: Faults that make ways impossible or longer than they are; the others are what many networks rightly have.
_GRAVE = ("crossing", "tjunction", "gap", "component")
#: Those that Split at crossings repairs.
_SPLIT = ("crossing", "tjunction")


@dataclass(frozen=True, eq=False)
class Faults:
    """F places where something is wrong with a network.

    Attributes
    ----------
    kind : ndarray of str, shape (F,)
        Keys of `contract.routes.FAULTS`, in their order.
    x, y : ndarray, shape (F,)
        Metres in the CRS of the network; NaN for lines without a place.
    row, other : ndarray of int64, shape (F,)
        Rows of the layer by position; -1 for none.
    metres : ndarray, shape (F,)
        How long, or how far apart; NaN for none.
    kept_apart : int
        Crossings of bridges and tunnels with what lies below or above: no faults.
    metres_apart : float
        Length of all that is not connected with the largest part, metres.
    """

    kind: NDArray[np.str_]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    row: NDArray[np.int64]
    other: NDArray[np.int64]
    metres: NDArray[np.float64]
    kept_apart: int = 0
    metres_apart: float = 0.0

    def __len__(self) -> int:
        return len(self.kind)

    def count(self, kind: str) -> int:
        """How many there are of a kind."""
        return int((self.kind == kind).sum())

    @property
    def components(self) -> int:
        """How many parts of the network are not connected with each other."""
        return self.count("component") + 1

    def describe(self) -> list[str]:
        """Say what was found, a sentence a kind; what matters for ways first."""
        kinds = sorted(FAULTS, key=lambda each: each not in _GRAVE)
        return [sentence for kind in kinds for sentence in self._say(kind)]

    def describe_left(self) -> list[str]:
        """Say what still makes ways impossible or longer after the streets were split."""
        return [sentence for kind in _GRAVE for sentence in self._say(kind, split=True)]

    def _say(self, kind: str, split: bool = False) -> Iterator[str]:
        number = self.count(kind)
        if kind == "crossing" and self.kept_apart and not split:
            what = count_text(self.kept_apart, "crossing")
            yield f"{what} of bridges and tunnels with other streets, kept apart"
        if not number:
            return
        if kind == "component":
            length = f"{self.metres_apart / 1000:,.1f} km"
            yield (
                f"{count_text(number, 'part')} of the network, {length} in all, not connected with the largest: no way "
                f"leads from or to them{'' if split else '. Split at crossings, or a snap tolerance, may join them'}"
            )
        else:
            remedy = "" if split and kind in _SPLIT else _REMEDIES.get(kind, "")
            yield f"{count_text(number, *_NOUNS[kind])}{remedy}"


#: One and many of each kind.
_NOUNS = {
    "empty": ("line without length, left out", "lines without length, left out"),
    "parts": ("line of several parts, each taken by itself", "lines of several parts, each taken by itself"),
    "crossing": ("crossing without a node", "crossings without a node"),
    "tjunction": ("end that touches a street without a node", "ends that touch a street without a node"),
    "gap": ("end that nearly meets another street", "ends that nearly meet another street"),
    "dangle": ("dangling end", "dangling ends"),
    "loop": ("loop, which begins and ends in one node", "loops, which begin and end in one node"),
    "parallel": ("line beside another between the same nodes", "lines beside another between the same nodes"),
    "outside": ("line outside the risk", "lines outside the risk"),
}
_REMEDIES = {
    "crossing": ": ways cannot turn there. Split at crossings joins them",
    "tjunction": ": ways cannot turn there. Split at crossings joins them",
    "gap": f", {NEARLY:g} m apart or less: a snap tolerance joins them",
    "dangle": ", most of them dead ends of streets",
}


#: A kind, and for each fault place, row, other row, metres.
_Found = tuple[str, NDArray[np.float64], NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]


def find_faults(
    network: Network,
    levels: NDArray[np.int64] | None = None,
    empty: NDArray[np.int64] | None = None,
    parted: NDArray[np.int64] | None = None,
    context: JobContext | None = None,
) -> Faults:
    """Look a network over.

    Only edges that may be used are looked at: a motorway without a node on a footpath is no fault for walkers.

    Parameters
    ----------
    network : Network
    levels : ndarray of int64, shape (rows,), optional
        Of rows of different levels crossings are no faults.
    empty, parted : ndarray of int64, optional
        Rows without a length, and rows of several parts, by position.
    context : JobContext, optional
    """
    context = context or JobContext()
    used = np.flatnonzero(network.usable)
    context.progress(0.1, "Looking for faults of the network")
    row = network.line[used]
    of_row = None if levels is None else levels[row]
    meetings = find_meetings(network.shapes[used], NEARLY, of_row) if len(used) else None
    context.progress(0.7)
    found: list[_Found] = []
    nowhere = np.full(1, np.nan)
    for kind, rows in (("empty", empty), ("parts", parted)):
        for each in [] if rows is None else np.asarray(rows).tolist():
            place = nowhere[[0, 0]] if kind == "empty" else _find_middle(network, each)
            found.append((kind, place[None], np.array([each]), np.array([-1]), nowhere))
    kept_apart = 0
    if meetings is not None:
        alike = np.ones(len(meetings), dtype=bool)
        if of_row is not None:
            alike = of_row[meetings.one] == of_row[meetings.other]
        kept_apart = int((~alike & (meetings.kind == CROSSING)).sum())
        found += _list_meetings(meetings.select(alike), row)
    found += _list_ends(network, used, meetings)
    parts, apart = _list_components(network, used)
    found += parts
    found += _list_repeated(network, used)
    context.progress(1.0)
    order = {kind: place for place, kind in enumerate(FAULTS)}
    found = [each for each in found if len(each[1])]
    found.sort(key=lambda each: order[each[0]])
    if not found:
        none = np.zeros(0)
        return Faults(none.astype(str), none, none, none.astype(int), none.astype(int), none, kept_apart, apart)
    kinds = np.concatenate([np.full(len(each[1]), each[0]) for each in found])
    place, metres = (np.concatenate([each[part] for each in found]) for part in (1, 4))
    row, other = (np.concatenate([each[part] for each in found]) for part in (2, 3))
    return Faults(kinds, place[:, 0], place[:, 1], row, other, metres, kept_apart, apart)


def _find_middle(network: Network, row: int) -> NDArray[np.float64]:
    edges = np.flatnonzero(network.line == row)
    return np.array(network.trace(int(edges[0]))[0]) if len(edges) else np.full(2, np.nan)


def _list_meetings(meetings: Meetings, row: NDArray[np.int64]) -> Iterator[_Found]:
    for kind in range(3):
        some = meetings.select(meetings.kind == kind)
        at = np.c_[some.x, some.y] if kind == CROSSING else np.c_[some.from_x, some.from_y]
        name = "crossing" if kind == CROSSING else "tjunction" if kind == TOUCH else "gap"
        yield name, at, row[some.one], row[some.other], np.where(kind == CROSSING, np.nan, some.apart)


def _list_ends(network: Network, used: NDArray[np.int64], meetings: Meetings | None) -> Iterator[_Found]:
    """Nodes of one edge alone; those that touch or nearly meet a street are told as such."""
    ends = np.r_[network.tail[used], network.head[used]]
    degree = np.bincount(ends, minlength=network.nodes)
    edge = np.tile(used, 2)
    lonely = np.flatnonzero(degree[ends] == 1)
    node, edge = ends[lonely], edge[lonely]
    at = np.c_[network.x[node], network.y[node]]
    if meetings is not None:
        told = {*zip(meetings.from_x.tolist(), meetings.from_y.tolist(), strict=True)}
        keep = np.array([(x, y) not in told for x, y in at.tolist()], dtype=bool)
        at, edge = at[keep], edge[keep]
    yield "dangle", at, network.line[edge], np.full(len(at), -1), np.full(len(at), np.nan)


def _list_components(network: Network, used: NDArray[np.int64]) -> tuple[list[_Found], float]:
    """Parts that are not connected with the largest by length, ways in either direction; and their metres."""
    if not len(used):
        return [], 0.0
    pairs = network.tail[used], network.head[used]
    joined = coo_array((np.ones(len(used)), pairs), shape=(network.nodes, network.nodes))
    label = connected_components(joined, directed=False)[1][network.tail[used]]
    length = np.bincount(label, weights=network.metres[used])
    small = np.flatnonzero((length > 0) & (np.arange(len(length)) != length.argmax()))
    order = np.argsort(label, kind="stable")
    first = used[order[np.searchsorted(label[order], small)]]
    at = np.c_[network.x[network.tail[first]], network.y[network.tail[first]]]
    small_length = np.asarray(length[small], dtype=np.float64)
    other = np.full(len(at), -1, dtype=np.int64)
    return [("component", at, network.line[first], other, small_length)], float(small_length.sum())


def _list_repeated(network: Network, used: NDArray[np.int64]) -> Iterator[_Found]:
    """Edges that begin and end in one node, and edges beside another between the same two."""
    tail, head = network.tail[used].astype(np.int64), network.head[used].astype(np.int64)
    loop = tail == head
    key = np.minimum(tail, head) * network.nodes + np.maximum(tail, head)
    order = np.argsort(key, kind="stable")
    same = np.r_[False, key[order][1:] == key[order][:-1]]
    beside = np.zeros(len(used), dtype=bool)
    beside[order[same]] = True
    before = np.full(len(used), -1)
    before[order[1:]] = network.line[used[order[:-1]]]
    for kind, which in (("loop", loop), ("parallel", beside & ~loop)):
        edge = used[which]
        middle = shapely.get_coordinates(shapely.line_interpolate_point(network.shapes[edge], 0.5, normalized=True))
        other = before[which] if kind == "parallel" else np.full(len(edge), -1)
        yield kind, middle, network.line[edge], other, network.metres[edge]
