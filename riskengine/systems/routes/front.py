"""The exact front of length and exposure between two places: every way that no other beats in both.

Near places: by labels alone. Far ones in two phases, after Ulungu and Teghem (1995): first the ways that some weighted
sum finds, by Dijkstra's algorithm in SciPy; then labels in the triangles between neighbours of them, where all that is
left must lie. Lengths and costs are whole numbers of small units, so that sums are exact and ties are ties.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...ground.context import JobContext
from ...streets.graph import MICRO
from .corridor import ROUNDING, Corridor, Terminal, Weighed, open_corridor
from .labels import Clock, Found, Founds, Sums, search_all, search_triangle

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Arcs of a corridor up to which labels alone are faster than weighted sums.
_SMALL = 20_000


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
    corridor = open_corridor(weighed, start, end, detour, direct)
    if corridor is None:
        nothing = np.zeros(0)
        return Front(nothing, nothing, [], [], [], True, np.inf)
    clock = Clock(time_limit, context or JobContext())
    costs = _sum_weights(corridor, corridor.cost)
    cheapest = _trace(corridor, costs)
    founds: Founds = {cheapest.arcs: cheapest}
    if len(corridor.length) <= _SMALL:
        longest = min(cheapest.length, corridor.cap)
        exact = search_all(corridor, costs, _follow_shortest(corridor), longest, founds, clock)
        if not exact:
            # What labels have found so far is of the front, but may lack both of its ends.
            _search_by_triangles(corridor, costs, cheapest, founds, clock)
    else:
        exact = _search_by_triangles(corridor, costs, cheapest, founds, clock)
    return _make_front(weighed, corridor, list(founds.values()), exact)


def _search_by_triangles(corridor: Corridor, costs: Sums, cheapest: Found, founds: Founds, clock: Clock) -> bool:
    """Both phases; False if the time was up before all triangles were searched."""
    shortest = _trace(corridor, _sum_weights(corridor, corridor.length))
    founds[shortest.arcs] = shortest
    exact = True
    gaps = [(shortest, cheapest)]
    while gaps:
        left, right = gaps.pop()
        if left.length > corridor.cap or left.cost <= right.cost or right.length <= left.length:
            continue
        weight = (left.cost - right.cost, right.length - left.length)
        both = _sum_weights(corridor, weight[0] * corridor.length + weight[1] * corridor.cost)
        middle = _trace(corridor, both)
        sums = [weight[0] * each.length + weight[1] * each.cost for each in (middle, left)]
        if sums[0] < sums[1] * (1 - ROUNDING) and middle.arcs not in (left.arcs, right.arcs):
            founds[middle.arcs] = middle
            gaps += [(middle, right), (left, middle)]
        elif clock.is_up() or not search_triangle(corridor, costs, both, left, right, founds, clock):
            exact = False
    return exact


def _sum_weights(corridor: Corridor, weights: Floats) -> Sums:
    return Sums(weights, *corridor.bound(weights))


def _trace(corridor: Corridor, sums: Sums) -> Found:
    """The way with the least sum; of parallel arcs the lightest, and where they weigh the same the shortest."""
    node, arcs = corridor.start, []
    while node != corridor.end:
        after = int(sums.following[node])
        among = range(corridor.first[node], corridor.first[node + 1])
        leading = [arc for arc in among if corridor.head[arc] == after]
        if len(leading) > 1:
            leading.sort(key=lambda arc: (sums.weights[arc], corridor.length[arc], corridor.cost[arc]))
        arcs.append(leading[0])
        node = after
    chosen = np.array(arcs, dtype=np.int64)
    return Found(float(corridor.length[chosen].sum()), float(corridor.cost[chosen].sum()), tuple(arcs))


def _follow_shortest(corridor: Corridor) -> float:
    """A cost that every way of the front but the shortest lies below: a little more than some shortest way's."""
    node, cost = corridor.start, 0.0
    first, head, length = corridor.first, corridor.head, corridor.length
    while node != corridor.end:
        # Lengths are exact, so that the arcs of a shortest way are those that keep the sum.
        among = range(first[node], first[node + 1])
        arc = next(arc for arc in among if length[arc] + corridor.to_end[head[arc]] == corridor.to_end[node])
        cost += corridor.cost[arc]
        node = int(head[arc])
    return cost + 1.0


def _make_front(weighed: Weighed, corridor: Corridor, founds: list[Found], exact: bool) -> Front:
    founds = [each for each in founds if each.length <= corridor.cap]
    founds.sort(key=lambda each: (each.length, each.cost))
    kept: list[Found] = []
    for each in founds:
        if not kept or each.cost < kept[-1].cost:
            kept.append(each)
    origins = [corridor.origin[np.array(each.arcs, dtype=np.int64)] for each in kept]
    first, last = [], []
    for origin in origins:
        joins = -1 - origin[origin < 0]
        along = len(joins) == 1
        first.append(-1 if along else int(joins[0]))
        last.append(-1 if along else int(joins[1]) - corridor.entries)
    return Front(
        np.array([each.length for each in kept]) * MICRO,
        np.array([each.cost for each in kept]) * weighed.unit,
        [origin[origin >= 0] for origin in origins],
        first,
        last,
        exact,
        corridor.shortest * MICRO,
    )
