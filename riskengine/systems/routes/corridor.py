"""The part of a network that ways within the cap can reach, cut out with start and end as nodes of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from ...streets.graph import MICRO, Graph, make_matrix

Floats = NDArray[np.float64]
Ints = NDArray[np.signedinteger[Any]]

#: Bits of the unit of cost below the dearest arc: sums of a million arcs are exact.
_BITS = 32
#: Shares by which a sum may be wrong by rounding.
ROUNDING = 1e-12
#: Metres of a street for each metre of a straight line in a projected CRS, at least.
_STRETCH = 0.995
#: Most shortest ways are no longer than so many times the straight line: where to look first.
_USUAL = 1.4


@dataclass(frozen=True, eq=False)
class Weighed:
    """A graph with the cost of its arcs; made once for many pairs.

    Attributes
    ----------
    graph : Graph
    x, y : ndarray, shape (N,)
        Of the nodes, metres.
    length : ndarray of float64, shape (A,)
        Whole micrometres.
    cost : ndarray of float64, shape (A,)
        Whole units.
    unit : float
        Of the cost.
    two_way : bool
        Whether every street may be used in both directions.
    """

    graph: Graph
    x: Floats
    y: Floats
    length: Floats
    cost: Floats
    unit: float
    two_way: bool


def weigh_graph(graph: Graph, cost: Floats, x: Floats, y: Floats) -> Weighed:
    """Give the arcs of a graph their cost, shape (A,), 0 or more; and its nodes their places, metres, shape (N,)."""
    dearest = float(cost.max(initial=0.0))
    unit = 2.0 ** (np.floor(np.log2(dearest)) - _BITS) if dearest > 0 else 1.0
    two_way = 2 * len(np.unique(graph.edge)) == len(graph.edge)
    return Weighed(graph, x, y, np.rint(graph.metres / MICRO), np.rint(cost / unit), unit, two_way)


@dataclass(frozen=True)
class Terminal:
    """Where ways begin or end: nodes, and how far off on the street between, metres and cost; one or two of them."""

    nodes: Sequence[int]
    metres: Sequence[float]
    cost: Sequence[float]


def open_corridor(
    weighed: Weighed, start: Terminal, end: Terminal, detour: float, direct: tuple[float, float] | None
) -> Corridor | None:
    """Cut out what ways within the cap can reach; None where there is no way.

    No street is shorter than the straight line, so that all ways of a length lie in an ellipse. How long the shortest
    way is becomes known within it, and the ellipse is widened where it was too small.
    """
    from_start, from_end = (_measure_straight(weighed, each) for each in (start, end))
    off = max([*start.metres, *end.metres, 0.0])
    least = np.inf if direct is None else float(np.rint(direct[0] / MICRO))
    if not start.nodes or not end.nodes:
        limit = 0.0
    else:
        apart = float(from_start[end.nodes[0]])
        sums = from_start + from_end
        limit = (_USUAL * apart + 2 * off) * (1 + detour)
    while True:
        inside = np.flatnonzero(sums <= limit / _STRETCH + 4 * off) if limit else np.zeros(0, dtype=np.int64)
        part = _Part(weighed, inside)
        back = part.measure(end, turned=True)
        first = [part.number[node] for node in start.nodes]
        found = (back[at] + np.rint(m / MICRO) for at, m in zip(first, start.metres, strict=True) if at >= 0)
        shortest = min([*found, least])
        needed = shortest * (1 + detour) * MICRO
        if needed <= limit or len(inside) == len(weighed.x) or not limit:
            break
        limit = needed * (1 + ROUNDING) if np.isfinite(shortest) else limit * 2
    if np.isinf(shortest):
        return None
    cap = np.floor(shortest * (1 + detour) * (1 + ROUNDING))
    ahead = part.measure(start, turned=False)
    return Corridor(weighed, start, end, direct, part, ahead, back, cap, shortest)


def _measure_straight(weighed: Weighed, terminal: Terminal) -> Floats:
    """Metres in a straight line from a terminal to all nodes, shape (N,)."""
    if not terminal.nodes:
        return np.zeros(0)
    node = terminal.nodes[0]
    return np.asarray(np.sqrt((weighed.x - weighed.x[node]) ** 2 + (weighed.y - weighed.y[node]) ** 2))


class _Part:
    """Some nodes of a graph, and the arcs between them."""

    def __init__(self, weighed: Weighed, nodes: Ints) -> None:
        graph = weighed.graph
        self.nodes = nodes
        self.number = np.full(graph.nodes, -1, dtype=np.int32)
        self.number[nodes] = np.arange(len(nodes), dtype=np.int32)
        counts = graph.first[nodes + 1] - graph.first[nodes]
        ends = np.cumsum(counts)
        arcs = np.arange(int(ends[-1]) if len(ends) else 0) + np.repeat(graph.first[nodes] - (ends - counts), counts)
        head = self.number[graph.head[arcs]]
        kept = np.flatnonzero(head >= 0)
        self.arcs, self.head = arcs[kept], head[kept]
        self.tail = np.repeat(np.arange(len(nodes), dtype=np.int32), counts)[kept]
        self.length = weighed.length[self.arcs]
        self.two_way = weighed.two_way
        self._made: dict[bool, csr_array] = {}

    def _make_matrix(self, turned: bool) -> csr_array:
        if turned not in self._made:
            self._made[turned] = make_matrix(self.tail, self.head, self.length, len(self.nodes), turned)
        return self._made[turned]

    def measure(self, terminal: Terminal, turned: bool) -> Floats:
        """Micrometres from a terminal to all nodes, or from them to it, shape (M,)."""
        size = len(self.nodes)
        found = np.full(size, np.inf)
        matrix = self._make_matrix(turned and not self.two_way)
        for node, metres in zip(terminal.nodes, terminal.metres, strict=True):
            if (at := int(self.number[node])) >= 0:
                found = np.minimum(found, dijkstra(matrix, indices=at) + np.rint(metres / MICRO))
        return found


class Corridor:
    """M inner nodes, then start and end as nodes of their own, and the arcs of which ways within the cap can be made.

    Attributes
    ----------
    tail, head : ndarray of int32, shape (A,)
        Ordered by tail.
    length, cost : ndarray, shape (A,)
        Whole units of `Weighed`.
    origin : ndarray of int64, shape (A,)
        Arcs of the graph; from -1 down what joins the terminals.
    from_start, to_end : ndarray, shape (M + 2,)
        Least lengths.
    cap, shortest : float
        Lengths.
    """

    def __init__(
        self,
        weighed: Weighed,
        start: Terminal,
        end: Terminal,
        direct: tuple[float, float] | None,
        part: _Part,
        ahead: Floats,
        back: Floats,
        cap: float,
        shortest: float,
    ) -> None:
        self.weighed, self.cap, self.shortest = weighed, cap, shortest
        # Arcs of which a way within the cap can be made; nodes that none of them touches are left out.
        kept = np.flatnonzero(ahead[part.tail] + part.length + back[part.head] <= cap)
        used = np.zeros(len(part.nodes), dtype=bool)
        used[part.tail[kept]] = used[part.head[kept]] = True
        used[[at for node in (*start.nodes, *end.nodes) if (at := part.number[node]) >= 0]] = True
        number = np.cumsum(used, dtype=np.int32) - 1
        size = int(used.sum())
        self.start, self.end, self.size = size, size + 1, size + 2
        of_node = np.full(weighed.graph.nodes, -1, dtype=np.int32)
        of_node[part.nodes[used]] = np.arange(size)
        extra = _join_terminals(weighed.unit, of_node, start, end, direct, self.start, self.end)
        arcs = part.arcs[kept]
        # Ways begin at the start and stop at the end: no arc leads back there.
        tail = np.r_[number[part.tail[kept]], extra[0]].astype(np.int32)
        order = np.argsort(tail, kind="stable")
        self.tail = tail[order]
        self.head = np.r_[number[part.head[kept]], extra[1]].astype(np.int32)[order]
        self.length = np.r_[part.length[kept], extra[2]][order]
        self.cost = np.r_[weighed.cost[arcs], extra[3]][order]
        self.origin = np.r_[arcs, -1 - np.arange(len(extra[0]))][order]
        self.entries = len(start.nodes)
        self.from_start = np.r_[ahead[used], 0.0, shortest]
        self.to_end = np.r_[back[used], shortest, 0.0]
        self.first = np.searchsorted(self.tail, np.arange(self.size + 1, dtype=np.int32)).astype(np.int32)
        self.turned = np.argsort(self.head, kind="stable")
        self.first_back = np.searchsorted(self.head[self.turned], np.arange(self.size + 1)).astype(np.int32)

    def bound(self, weights: Floats) -> tuple[Floats, Floats, Ints]:
        """Least sums from the start and to the end, shape (M + 2,) each; and the next node on the way to the end."""
        shape = (self.size, self.size)
        ahead = csr_array((weights, self.head, self.first), shape=shape)
        back = csr_array((weights[self.turned], self.tail[self.turned], self.first_back), shape=shape)
        to_end, following = dijkstra(back, indices=self.end, return_predecessors=True)
        return dijkstra(ahead, indices=self.start), to_end, following


def _join_terminals(
    unit: float,
    number: Ints,
    start: Terminal,
    end: Terminal,
    direct: tuple[float, float] | None,
    first: int,
    last: int,
) -> tuple[list[int], list[int], list[float], list[float]]:
    """Arcs from the start, then arcs to the end, then that along the street of both; those outside lead nowhere."""
    rows: list[tuple[int, int, float, float]] = []
    for node, metres, cost in zip(start.nodes, start.metres, start.cost, strict=True):
        rows.append((first, int(number[node]), metres, cost))
    for node, metres, cost in zip(end.nodes, end.metres, end.cost, strict=True):
        rows.append((int(number[node]), last, metres, cost))
    if direct is not None:
        rows.append((first, last, *direct))
    # A node beyond the cap is no part of any way: the arc is kept, so that numbers stay, and leads to its own tail.
    tail = [each[0] if each[0] >= 0 else last for each in rows]
    head = [each[1] if each[1] >= 0 else first for each in rows]
    return (
        tail,
        head,
        [float(np.rint(each[2] / MICRO)) for each in rows],
        [float(np.rint(each[3] / unit)) for each in rows],
    )
