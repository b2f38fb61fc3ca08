"""Setting labels: the ways of the front between two that are known, on the few arcs that can be part of one.

As C. Hernández Ulloa et al., A simple and fast bi-objective search algorithm (BOA*), ICAPS 2020: labels come in the
order of the length they will have at least, so that at each node only a cheaper one than all before is of use.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from heapq import heappop, heappush

import numpy as np
from numpy.typing import NDArray

from ...ground.context import JobContext
from .corridor import ROUNDING, Corridor

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Labels between two looks at the clock and at whether the user has cancelled.
_LABELS = 4096


@dataclass(frozen=True, eq=False)
class Found:
    """A way in a corridor: length, cost, arcs."""

    length: float
    cost: float
    arcs: tuple[int, ...]


Founds = dict[tuple[int, ...], Found]


@dataclass(frozen=True, eq=False)
class Sums:
    """Weights of arcs, and their least sums from the start and to the end.

    Attributes
    ----------
    weights : ndarray, shape (A,)
    ahead, back : ndarray, shape (M + 2,)
    following : ndarray of int, shape (M + 2,)
        The next node on the way to the end with the least sum.
    """

    weights: Floats
    ahead: Floats
    back: Floats
    following: Ints


class Clock:
    """Says when the time is up, and listens to cancel."""

    def __init__(self, limit: float, context: JobContext) -> None:
        self._deadline, self._context = time.monotonic() + limit, context

    def is_up(self) -> bool:
        """Whether the time is up; raises `Cancelled` when asked to stop."""
        self._context.check_cancelled()
        return time.monotonic() > self._deadline


def search_all(corridor: Corridor, costs: Sums, dearest: float, longest: float, founds: Founds, clock: Clock) -> bool:
    """Add all ways of the front, cheaper than `dearest` and no longer than `longest`; False if the time was up."""
    tail, head = corridor.tail, corridor.head
    useful = costs.ahead[tail] + corridor.cost + costs.back[head] < dearest
    useful &= corridor.from_start[tail] + corridor.length + corridor.to_end[head] <= longest
    arcs = np.flatnonzero(useful)
    leaving: list[list[tuple[int, float, float, int]]] = [[] for _ in range(corridor.size)]
    columns = (tail[arcs], head[arcs], corridor.length[arcs], corridor.cost[arcs], arcs)
    for one, other, more, dearer, arc in zip(*(each.tolist() for each in columns), strict=True):
        leaving[one].append((other, more, dearer, arc))
    to_end, to_cost = corridor.to_end.tolist(), costs.back.tolist()
    start, end, best = corridor.start, corridor.end, dearest
    parents, taken = [-1], [-1]
    least = [np.inf] * corridor.size
    heap = [(to_end[start], to_cost[start], 0.0, 0.0, start, 0)]
    count = 0
    while heap:
        _, total, length, cost, node, label = heappop(heap)
        count += 1
        if count % _LABELS == 0 and clock.is_up():
            return False
        if cost >= least[node] or total >= best:
            continue
        least[node] = cost
        if node == end:
            best = cost
            _keep(founds, label, parents, taken, length, cost)
            continue
        for other, more, dearer, arc in leaving[node]:
            new_cost = cost + dearer
            if new_cost >= least[other]:
                continue
            ahead = new_cost + to_cost[other]
            if ahead >= best:
                continue
            new_length = length + more
            reach = new_length + to_end[other]
            if reach <= longest:
                parents.append(label)
                taken.append(arc)
                heappush(heap, (reach, ahead, new_length, new_cost, other, len(parents) - 1))
    return True


def search_triangle(
    corridor: Corridor, costs: Sums, both: Sums, left: Found, right: Found, founds: Founds, clock: Clock
) -> bool:
    """Add the ways of the front between two neighbours, of which no weighted sum finds any; False if time was up.

    Such a way is shorter than the right one, cheaper than the left one, and its weighted sum lies below that of the
    corner of both, which only few arcs can keep.
    """
    a, b = left.cost - right.cost, right.length - left.length
    longest, best = min(right.length, corridor.cap), left.cost
    corner = (a * longest + b * best) * (1 + ROUNDING)
    tail, head = corridor.tail, corridor.head
    useful = both.ahead[tail] + both.weights + both.back[head] <= corner
    useful &= costs.ahead[tail] + corridor.cost + costs.back[head] < best
    useful &= corridor.from_start[tail] + corridor.length + corridor.to_end[head] <= longest
    arcs = np.flatnonzero(useful)
    nodes, dense = np.unique(np.r_[tail[arcs], head[arcs]], return_inverse=True)
    # Start and end are the last nodes of a corridor.
    if len(nodes) < 2 or (nodes[-2], nodes[-1]) != (corridor.start, corridor.end):
        return True
    leaving: list[list[tuple[int, float, float, float, int]]] = [[] for _ in nodes]
    ends = dense[: len(arcs)], dense[len(arcs) :]
    columns = (*ends, corridor.length[arcs], corridor.cost[arcs], both.weights[arcs], arcs)
    for one, other, more, dearer, heavier, arc in zip(*(each.tolist() for each in columns), strict=True):
        leaving[one].append((other, more, dearer, heavier, arc))
    to_end, to_cost, to_both = (each[nodes].tolist() for each in (corridor.to_end, costs.back, both.back))
    start, end = len(nodes) - 2, len(nodes) - 1
    parents, taken = [-1], [-1]
    least = [np.inf] * len(nodes)
    heap = [(to_end[start], to_cost[start], 0.0, 0.0, 0.0, start, 0)]
    count = 0
    while heap:
        _, total, length, cost, weight, node, label = heappop(heap)
        count += 1
        if count % _LABELS == 0 and clock.is_up():
            return False
        if cost >= least[node] or total >= best:
            continue
        least[node] = cost
        if node == end:
            best = cost
            # Whatever follows is longer: the triangle shrinks.
            corner = min(corner, (a * longest + b * cost) * (1 + ROUNDING))
            _keep(founds, label, parents, taken, length, cost)
            continue
        if weight + to_both[node] > corner:
            continue
        for other, more, dearer, heavier, arc in leaving[node]:
            new_cost = cost + dearer
            if new_cost >= least[other]:
                continue
            ahead, sums = new_cost + to_cost[other], weight + heavier
            if ahead >= best or sums + to_both[other] > corner:
                continue
            new_length = length + more
            reach = new_length + to_end[other]
            if reach <= longest:
                parents.append(label)
                taken.append(arc)
                heappush(heap, (reach, ahead, new_length, new_cost, sums, other, len(parents) - 1))
    return True


def _keep(founds: Founds, label: int, parents: list[int], taken: list[int], length: float, cost: float) -> None:
    arcs = []
    while parents[label] >= 0:
        arcs.append(taken[label])
        label = parents[label]
    way = tuple(reversed(arcs))
    founds.setdefault(way, Found(length, cost, way))
