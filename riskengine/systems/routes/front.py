"""The exact front of length and exposure between two places: every way that no other beats in both.

In two phases, after Ulungu and Teghem (1995). First the ways that some weighted sum finds, by Dijkstra's algorithm in
SciPy, each giving bounds for the second phase: between two neighbours of them every way that is left lies in a
triangle. There labels are set as by Ulloa et al., A simple and fast bi-objective search algorithm (BOA*, ICAPS 2020),
on the few arcs that can be part of a way in the triangle. Costs are whole numbers of a small unit, so that sums are
exact and ties are ties.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heappop, heappush

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from ...ground.context import JobContext
from ...streets.graph import MICRO, Graph

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Bits of the unit of cost below the dearest arc: sums of a million arcs are exact.
_BITS = 32
#: Shares by which a weighted sum may be wrong by rounding.
_ROUNDING = 1e-12
#: Metres of a street for each metre of a straight line in a projected CRS, at least.
_STRETCH = 0.995
#: Arcs of a corridor up to which labels alone are faster than weighted sums.
_SMALL = 20_000
#: Labels between two looks at the clock and at whether the user has cancelled.
_LABELS = 4096


@dataclass(frozen=True, eq=False)
class Weighed:
    """A graph with the cost of its arcs; made once for many pairs.

    Attributes
    ----------
    graph : Graph
    places : ndarray of complex128, shape (N,)
        Of the nodes, as x + iy, metres.
    length : ndarray of float64, shape (A,)
        Whole micrometres.
    cost : ndarray of float64, shape (A,)
        Whole units.
    unit : float
        Of the cost.
    """

    graph: Graph
    places: NDArray[np.complex128]
    length: Floats
    cost: Floats
    unit: float


def weigh_graph(graph: Graph, cost: Floats, x: Floats, y: Floats) -> Weighed:
    """Give the arcs of a graph their cost, shape (A,), 0 or more; and its nodes their places, metres, shape (N,)."""
    dearest = float(cost.max(initial=0.0))
    unit = 2.0 ** (np.floor(np.log2(dearest)) - _BITS) if dearest > 0 else 1.0
    return Weighed(graph, x + 1j * y, np.rint(graph.metres / MICRO), np.rint(cost / unit), unit)


@dataclass(frozen=True)
class Terminal:
    """Where ways begin or end: nodes, and how far off on the street between, metres and cost; one or two of them."""

    nodes: Sequence[int]
    metres: Sequence[float]
    cost: Sequence[float]


@dataclass(frozen=True, eq=False)
class Front:
    """K ways that no other beats, from the shortest to the least exposed.

    Attributes
    ----------
    metres, cost : ndarray, shape (K,)
    arcs : list of ndarray of int64
        Of the graph, from start to end. The node where a way joins the network is the tail of its first arc; a way
        along the street of both places has none.
    first, last : list of int
        Which of the terminals' nodes each way begins and ends with; -1 for a way along the street of both places.
    exact : bool
    shortest : float
        Metres of the shortest way; infinite where there is none.
    """

    metres: Floats
    cost: Floats
    arcs: list[Ints]
    first: list[int]
    last: list[int]
    exact: bool
    shortest: float


def find_front(
    weighed: Weighed,
    start: Terminal,
    end: Terminal,
    detour: float,
    direct: tuple[float, float] | None = None,
    time_limit: float = np.inf,
    context: JobContext | None = None,
) -> Front:
    """Find all efficient ways that are at most so much longer than the shortest.

    Parameters
    ----------
    weighed : Weighed
    start, end : Terminal
    detour : float
        Share by which a way may be longer than the shortest.
    direct : tuple of float, optional
        Metres and cost of the way along the street that both places are on.
    time_limit : float
        Seconds; after them the front is what weighted sums have found.
    context : JobContext, optional

    Returns
    -------
    Front
        Without a way where there is none.
    """
    search = _open_corridor(weighed, start, end, detour, direct)
    if search is None:
        nothing = np.zeros(0)
        return Front(nothing, nothing, [], [], [], True, np.inf)
    return search.run(time_limit, context or JobContext())


def _open_corridor(
    weighed: Weighed, start: Terminal, end: Terminal, detour: float, direct: tuple[float, float] | None
) -> _Search | None:
    """Cut out what ways within the cap can reach; None where there is no way.

    No street is shorter than the straight line, so that all ways of a length lie in an ellipse. How long the shortest
    way is becomes known within it, and the ellipse is widened where it was too small.
    """
    from_start = np.abs(weighed.places - weighed.places[start.nodes[0]]) if start.nodes else np.zeros(0)
    from_end = np.abs(weighed.places - weighed.places[end.nodes[0]]) if end.nodes else np.zeros(0)
    off = max([*start.metres, *end.metres, 0.0])
    least = np.inf if direct is None else float(np.rint(direct[0] / MICRO))
    if not start.nodes or not end.nodes:
        limit = 0.0
    else:
        apart = float(from_start[end.nodes[0]])
        sums = from_start + from_end
        limit = (1.25 * apart + 2 * off) * (1 + detour)
    while True:
        inside = np.flatnonzero(sums <= limit / _STRETCH + 4 * off) if limit else np.zeros(0, dtype=np.int64)
        part = _Part(weighed, inside)
        back = part.measure(end, turned=True)
        first = [part.number[node] for node in start.nodes]
        found = (back[at] + np.rint(m / MICRO) for at, m in zip(first, start.metres, strict=True) if at >= 0)
        shortest = min([*found, least])
        needed = shortest * (1 + detour) * MICRO
        if needed <= limit or len(inside) == len(weighed.places) or not limit:
            break
        limit = needed * (1 + _ROUNDING) if np.isfinite(shortest) else limit * 2
    if np.isinf(shortest):
        return None
    cap = np.floor(shortest * (1 + detour) * (1 + _ROUNDING))
    ahead = part.measure(start, turned=False)
    return _Search(weighed, start, end, direct, part, ahead, back, cap, shortest)


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

    def measure(self, terminal: Terminal, turned: bool) -> Floats:
        """Micrometres from a terminal to all nodes, or from them to it, shape (M,)."""
        size = len(self.nodes)
        found = np.full(size, np.inf)
        matrix = _make_matrix(self.tail, self.head, self.length, size, turned)
        for node, metres in zip(terminal.nodes, terminal.metres, strict=True):
            if (at := int(self.number[node])) >= 0:
                found = np.minimum(found, dijkstra(matrix, indices=at) + np.rint(metres / MICRO))
        return found


def _make_matrix(tail: Ints, head: Ints, weights: Floats, size: int, turned: bool) -> csr_array:
    """The matrix of arcs that are ordered by their tails; SciPy takes parallel arcs and zeros as they are."""
    if turned:
        order = np.argsort(head, kind="stable")
        tail, head, weights = head[order], tail[order], weights[order]
    first = np.searchsorted(tail, np.arange(size + 1, dtype=tail.dtype)).astype(np.int32)
    return csr_array((weights, head, first), shape=(size, size))


@dataclass(frozen=True, eq=False)
class _Point:
    """A way in the front: length, cost, and arcs of the corridor."""

    length: float
    cost: float
    arcs: tuple[int, ...]


class _Search:
    """The corridor: M inner nodes, then start and end as nodes of their own."""

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
        #: Of the graph; from -1 down what joins the terminals.
        self.origin = np.r_[arcs, -1 - np.arange(len(extra[0]))][order]
        self.entries = len(start.nodes)
        self.first = np.searchsorted(self.tail, np.arange(self.size + 1, dtype=np.int32)).astype(np.int32)
        self.turned = np.argsort(self.head, kind="stable")
        self.first_back = np.searchsorted(self.head[self.turned], np.arange(self.size + 1)).astype(np.int32)

    def run(self, time_limit: float, context: JobContext) -> Front:
        """Both phases, and the front."""
        deadline = time.monotonic() + time_limit
        bounds = _Bounds(self.size, self.start, self.end)
        bounds.length = self._bound(self.length)
        bounds.cost = self._bound(self.cost)
        shortest, cheapest = self._trace(self.length, bounds.length), self._trace(self.cost, bounds.cost)
        points = {shortest.arcs: shortest}
        exact = True
        gaps = [(shortest, cheapest)]
        if len(self.length) <= _SMALL:
            # The weighted sums would take longer than the labels that they save.
            nothing = np.zeros(self.size)
            both = nothing, nothing, np.zeros(0, dtype=np.int64)
            inner = _Triangle(self, bounds, (0.0, 0.0), np.zeros(len(self.length)), both, shortest, cheapest)
            if cheapest.length <= self.cap:
                points[cheapest.arcs] = cheapest
            exact, gaps = inner.search(points, deadline, context), []
        while gaps:
            context.check_cancelled()
            left, right = gaps.pop()
            if left.length > self.cap or left.cost <= right.cost:
                continue
            if right.length <= self.cap:
                points[right.arcs] = right
            weight = (left.cost - right.cost, right.length - left.length)
            if weight[1] <= 0:
                # The cheapest way is as short as the shortest.
                points[right.arcs] = right
                continue
            weights = weight[0] * self.length + weight[1] * self.cost
            both = self._bound(weights)
            found = self._trace(weights, both)
            best = weight[0] * found.length + weight[1] * found.cost
            level = weight[0] * left.length + weight[1] * left.cost
            if best < level * (1 - _ROUNDING) and found.arcs not in (left.arcs, right.arcs):
                gaps += [(found, right), (left, found)]
                continue
            # No weighted sum finds anything between them: what is left lies in the triangle.
            inner = _Triangle(self, bounds, weight, weights, both, left, right)
            if time.monotonic() > deadline or not inner.search(points, deadline, context):
                exact = False
        return self._make_front(list(points.values()), exact)

    def _bound(self, weights: Floats) -> tuple[Floats, Floats, Ints]:
        """Least sums from the start and to the end, shape (M + 2,) each; and the next node on the way to the end."""
        shape = (self.size, self.size)
        ahead = csr_array((weights, self.head, self.first), shape=shape)
        back = csr_array((weights[self.turned], self.tail[self.turned], self.first_back), shape=shape)
        to_end, following = dijkstra(back, indices=self.end, return_predecessors=True)
        return dijkstra(ahead, indices=self.start), to_end, following

    def _trace(self, weights: Floats, bound: tuple[Floats, Floats, Ints]) -> _Point:
        """The way from start to end with the least sum."""
        _, _, following = bound
        node, arcs = self.start, []
        while node != self.end:
            after = int(following[node])
            leading = [arc for arc in range(self.first[node], self.first[node + 1]) if self.head[arc] == after]
            # Of parallel arcs the lightest; where they weigh the same, the shortest.
            if len(leading) > 1:
                leading.sort(key=lambda arc: (weights[arc], self.length[arc], self.cost[arc]))
            arcs.append(leading[0])
            node = after
        chosen = np.array(arcs, dtype=np.int64)
        return _Point(float(self.length[chosen].sum()), float(self.cost[chosen].sum()), tuple(arcs))

    def _make_front(self, points: list[_Point], exact: bool) -> Front:
        points = [point for point in points if point.length <= self.cap]
        points.sort(key=lambda point: (point.length, point.cost))
        kept: list[_Point] = []
        for point in points:
            if not kept or point.cost < kept[-1].cost:
                kept.append(point)
        origins = [self.origin[np.array(point.arcs, dtype=np.int64)] for point in kept]
        first, last = [], []
        for origin in origins:
            joins = -1 - origin[origin < 0]
            along = len(joins) == 1
            first.append(-1 if along else int(joins[0]))
            last.append(-1 if along else int(joins[1]) - self.entries)
        return Front(
            np.array([point.length for point in kept]) * MICRO,
            np.array([point.cost for point in kept]) * self.weighed.unit,
            [origin[origin >= 0] for origin in origins],
            first,
            last,
            exact,
            self.shortest * MICRO,
        )


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


class _Bounds:
    """Least sums of length and of cost through each node."""

    length: tuple[Floats, Floats, Ints]
    cost: tuple[Floats, Floats, Ints]

    def __init__(self, size: int, start: int, end: int) -> None:
        self.size, self.start, self.end = size, start, end


class _Triangle:
    """What is left between two neighbouring ways: shorter than the right one, cheaper than the left one."""

    def __init__(
        self,
        search: _Search,
        bounds: _Bounds,
        weight: tuple[float, float],
        weights: Floats,
        both: tuple[Floats, Floats, Ints],
        left: _Point,
        right: _Point,
    ) -> None:
        self.search_, self.weight, self.left = search, weight, left
        self.longest = min(right.length, search.cap)
        self.right_cost = right.cost if right.length <= search.cap else -np.inf
        self.nadir = (weight[0] * self.longest + weight[1] * left.cost) * (1 + _ROUNDING)
        tail, head = search.tail, search.head
        useful = bounds.length[0][tail] + search.length + bounds.length[1][head] <= self.longest
        useful &= bounds.cost[0][tail] + search.cost + bounds.cost[1][head] < left.cost
        useful &= both[0][tail] + weights + both[1][head] <= self.nadir
        self.arcs = np.flatnonzero(useful)
        self.weights, self.bounds, self.both = weights, bounds, both

    def search(self, points: dict[tuple[int, ...], _Point], deadline: float, context: JobContext) -> bool:
        """Add the ways of the front in here; False if the time was up before."""
        arcs, search = self.arcs, self.search_
        if not len(arcs):
            return True
        nodes, dense = np.unique(np.r_[search.tail[arcs], search.head[arcs]], return_inverse=True)
        tail, head = dense[: len(arcs)], dense[len(arcs) :]
        if nodes[-1] != search.end or search.start not in nodes[-2:]:
            return True
        start, end = len(nodes) - 2, len(nodes) - 1
        leaving: list[list[tuple[int, float, float, float, int]]] = [[] for _ in nodes]
        columns = zip(
            tail.tolist(),
            head.tolist(),
            search.length[arcs].tolist(),
            search.cost[arcs].tolist(),
            self.weights[arcs].tolist(),
            arcs.tolist(),
            strict=True,
        )
        for one, other, length, cost, weight, arc in columns:
            leaving[one].append((other, length, cost, weight, arc))
        to_length = self.bounds.length[1][nodes].tolist()
        to_cost = self.bounds.cost[1][nodes].tolist()
        to_both = self.both[1][nodes].tolist()
        longest, best, nadir = self.longest, self.left.cost, self.nadir
        a, b = self.weight
        # Labels: length and cost so far, the label before, the arc that led here.
        parents: list[int] = [-1]
        taken: list[int] = [-1]
        least = [np.inf] * len(nodes)
        heap = [(to_length[start], to_cost[start], 0.0, 0.0, 0.0, start, 0)]
        count = 0
        while heap:
            _, total, length, cost, both, node, label = heappop(heap)
            count += 1
            if count % _LABELS == 0:
                context.check_cancelled()
                if time.monotonic() > deadline:
                    return False
            if cost >= least[node] or total >= best:
                continue
            least[node] = cost
            if node == end:
                best = cost
                # Whatever follows is longer: the triangle shrinks.
                nadir = min(nadir, (a * longest + b * cost) * (1 + _ROUNDING))
                made = self._trace(label, parents, taken, length, cost)
                points.setdefault(made.arcs, made)
                continue
            if both + to_both[node] > nadir:
                continue
            for other, more, dearer, heavier, arc in leaving[node]:
                new_cost = cost + dearer
                ahead = new_cost + to_cost[other]
                if new_cost >= least[other] or ahead >= best:
                    continue
                new_length = length + more
                reach = new_length + to_length[other]
                weighed = both + heavier
                if reach > longest or weighed + to_both[other] > nadir:
                    continue
                parents.append(label)
                taken.append(arc)
                heappush(heap, (reach, ahead, new_length, new_cost, weighed, other, len(parents) - 1))
        return True

    @staticmethod
    def _trace(label: int, parents: list[int], taken: list[int], length: float, cost: float) -> _Point:
        arcs = []
        while parents[label] >= 0:
            arcs.append(taken[label])
            label = parents[label]
        return _Point(length, cost, tuple(reversed(arcs)))
