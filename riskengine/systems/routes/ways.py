"""The efficient ways of a pair of places: from where they begin on a street to what each costs."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ...contract.routes import BETWEEN, LEAST, ONLY, SHORTEST, Wanted
from ...ground.context import JobContext
from ...streets.graph import MICRO, make_graph
from ...streets.network import Network
from .corridor import Terminal, Weighed, weigh_graph
from .front import Front, find_front
from .places import OnStreet, StreetFinder
from .results import EdgeExposure, PairOfPlaces, Way, Ways

Floats = NDArray[np.float64]

#: Places no farther apart are one, metres.
_SAME = 1.0
#: Why a pair has no way, whatever its places are.
SAME_PLACE = "Start and end are the same place"
SAME_STREET = "Start and end are nearest to the same place on a street"
NOT_CONNECTED = "No way along the streets leads from start to end"


@dataclass(frozen=True)
class WayPlan:
    """How ways are looked for.

    Attributes
    ----------
    detour : float
        Per cent by which a way may be longer than the shortest.
    farthest : float
        Metres from a place to a street.
    unlit_factor : float
        Unlit streets count as so many times their exposure.
    time_limit : float
        Seconds for a pair.
    wanted : {"all", "ends"}
    """

    detour: float = 25.0
    farthest: float = 250.0
    unlit_factor: float = 1.0
    time_limit: float = 60.0
    wanted: Wanted = "all"


class WayFinder:
    """Finds ways in a network; made once for many pairs.

    Parameters
    ----------
    network : Network
    exposure : EdgeExposure
    plan : WayPlan
    closed : ndarray of bool, shape (E,), optional
        Edges that no way may use.
    """

    def __init__(
        self, network: Network, exposure: EdgeExposure, plan: WayPlan, closed: NDArray[np.bool_] | None = None
    ) -> None:
        self.network, self.exposure, self.plan = network, exposure, plan
        forward, backward = network.forward, network.backward
        if closed is not None:
            forward, backward = forward & ~closed, backward & ~closed
        self._forward, self._backward = forward, backward
        graph = make_graph(network, forward, backward)
        # Streets without length, such as what is left between two cuts, would lead in circles.
        graph = replace(graph, metres=np.maximum(graph.metres, MICRO))
        unlit = network.lit == 0
        self.cost = exposure.exposure * np.where(unlit, plan.unlit_factor, 1.0)
        self._weighed: Weighed = weigh_graph(graph, self.cost[graph.edge], *_draw_to_scale(network))
        self._streets = StreetFinder(network, forward | backward)

    def find(self, pair: PairOfPlaces, context: JobContext | None = None) -> Ways:
        """Find the efficient ways of a pair; without any, say why."""
        if np.hypot(pair.start[0] - pair.end[0], pair.start[1] - pair.end[1]) <= _SAME:
            return Ways(pair, (), reason=SAME_PLACE)
        found: list[OnStreet] = []
        for what, (x, y) in (("start", pair.start), ("end", pair.end)):
            street = self._streets.find(x, y, self.plan.farthest)
            if street is None:
                return Ways(pair, (), reason=f"The {what} is more than {self.plan.farthest:g} m from every street")
            found.append(street)
        start, end = found
        moved = (start.apart, end.apart)
        direct = self._go_along(start, end)
        straight = float(np.hypot(start.x - end.x, start.y - end.y))
        if straight == 0:
            return Ways(pair, (), reason=SAME_STREET, moved=moved)
        front = find_front(
            self._weighed,
            self._leave(start, outward=True),
            self._leave(end, outward=False),
            self.plan.detour / 100,
            direct,
            self.plan.time_limit,
            context,
        )
        if not len(front.metres):
            return Ways(pair, (), reason=NOT_CONNECTED, moved=moved)
        wanted = range(len(front.metres))
        if self.plan.wanted == "ends":
            wanted = range(0, len(front.metres), max(len(front.metres) - 1, 1))
        ways = tuple(self._describe(front, number, start, end) for number in wanted)
        cap = front.shortest * (1 + self.plan.detour / 100)
        return Ways(pair, ways, front.exact, cap, moved=moved)

    def _leave(self, place: OnStreet, outward: bool) -> Terminal:
        """The nodes at the ends of a place's street, as its one-way signs allow, from the place or to it."""
        edge, network = place.edge, self.network
        nodes, shares = (int(network.tail[edge]), int(network.head[edge])), (place.share, 1 - place.share)
        ends = self._list_ends(place, outward)
        metres, cost = float(network.metres[edge]), float(self.cost[edge])
        return Terminal(
            [nodes[end] for end in ends], [shares[end] * metres for end in ends], [shares[end] * cost for end in ends]
        )

    def _list_ends(self, place: OnStreet, outward: bool) -> list[int]:
        """Ends of a place's street by which ways begin, or end: 0 for its tail, 1 for its head."""
        # From the place to the tail one goes backward; from the tail to the place forward.
        backward, forward = self._backward[place.edge], self._forward[place.edge]
        allowed = (backward, forward) if outward else (forward, backward)
        away = np.array([place.share, 1 - place.share]) * self.network.metres[place.edge]
        # Who stands on a node need not go along the street, whichever way it may be used.
        return [end for end in (0, 1) if allowed[end] or away[end] < MICRO]

    def _go_along(self, start: OnStreet, end: OnStreet) -> tuple[float, float] | None:
        """Metres and cost of the way along the street of both places, where it may be gone along."""
        if start.edge != end.edge:
            return None
        allowed = self._forward if end.share >= start.share else self._backward
        if not allowed[start.edge]:
            return None
        share = abs(end.share - start.share)
        return share * float(self.network.metres[start.edge]), share * float(self.cost[start.edge])

    def _describe(self, front: Front, number: int, start: OnStreet, end: OnStreet) -> Way:
        network, graph = self.network, self._weighed.graph
        arcs = front.arcs[number]
        edges, reverse = graph.edge[arcs], graph.reverse[arcs]
        parts = np.ones(len(arcs))
        if front.first[number] < 0:
            edges, reverse = np.array([start.edge]), np.array([end.share < start.share])
            parts = np.array([abs(end.share - start.share)])
            traces = [_cut(network.trace(start.edge), start.share, end.share)]
        else:
            ahead = self._list_ends(start, outward=True)[front.first[number]]
            behind = self._list_ends(end, outward=False)[front.last[number]]
            edges = np.r_[start.edge, edges, end.edge]
            parts = np.r_[abs(ahead - start.share), parts, abs(end.share - behind)]
            inner = [
                network.trace(int(edge))[::-1] if back else network.trace(int(edge))
                for edge, back in zip(graph.edge[arcs].tolist(), reverse.tolist(), strict=True)
            ]
            traces = [
                _cut(network.trace(start.edge), start.share, ahead),
                *inner,
                _cut(network.trace(end.edge), behind, end.share),
            ]
        metres = network.metres[edges] * parts
        total = float(metres.sum())
        share = metres / total if total else metres
        lit = network.lit[edges]
        minutes = float((metres / 1000 / network.speed[edges]).sum() * 60)
        exposure, cost = (float((each[edges] * parts).sum()) for each in (self.exposure.exposure, self.cost))
        kept = parts > 0
        kind = self._name(front, number)
        return Way(
            _join(traces),
            edges[kept],
            parts[kept],
            total,
            minutes,
            exposure,
            cost,
            float((self.exposure.above[edges] * share).sum()),
            float((self.exposure.outside[edges] * share).sum()),
            float(((lit == 0) * share).sum()) if (network.lit >= 0).any() else float("nan"),
            kind,
        )

    @staticmethod
    def _name(front: Front, number: int) -> str:
        last = len(front.metres) - 1
        if last == 0:
            return ONLY
        return SHORTEST if number == 0 else LEAST if number == last else BETWEEN


def advise(reason: str) -> str:
    """What to do about a pair without a way, by the reason that its `Ways` tell."""
    if reason in (SAME_PLACE, SAME_STREET):
        return "Choose two places that are farther from each other"
    if reason == NOT_CONNECTED:
        return (
            "Choose another place, or join the streets: run Split at crossings, or set a snap tolerance. Closed or "
            "one-way streets, or polygons to avoid, may lie between them, too"
        )
    return "Choose a place nearer to a street that can be used, or raise Farthest street"


def find_ways(
    network: Network,
    exposure: EdgeExposure,
    pair: PairOfPlaces,
    plan: WayPlan,
    context: JobContext | None = None,
    closed: NDArray[np.bool_] | None = None,
) -> Ways:
    """Find the efficient ways of one pair; of many, make a `WayFinder` once."""
    return WayFinder(network, exposure, plan, closed).find(pair, context)


def _draw_to_scale(network: Network) -> tuple[Floats, Floats]:
    """Nodes so near to each other that no street is shorter than the straight line, as it may be on a map."""
    apart = np.hypot(
        network.x[network.tail] - network.x[network.head], network.y[network.tail] - network.y[network.head]
    )
    drawn = apart > 0
    scale = min(float(((network.metres[drawn] + MICRO) / apart[drawn]).min(initial=1.0)), 1.0)
    return network.x * scale, network.y * scale


def _cut(trace: Floats, low: float, high: float) -> Floats:
    """The vertices of a line between two shares of its length, in the direction from the first to the second."""
    steps = np.hypot(*np.diff(trace, axis=0).T)
    along = np.r_[0.0, np.cumsum(steps)]
    whole = along[-1] or 1.0
    ends = np.array([low, high]) * whole
    inner = trace[(along > ends.min()) & (along < ends.max())]
    at = np.c_[np.interp(ends, along, trace[:, 0]), np.interp(ends, along, trace[:, 1])]
    return np.concatenate([at[:1], inner if low <= high else inner[::-1], at[1:]])


def _join(traces: list[Floats]) -> Floats:
    """One line of several that follow each other; a vertex that is twice there once."""
    joined = np.concatenate(traces)
    new = np.r_[True, (np.abs(np.diff(joined, axis=0)) > 1e-9).any(axis=1)]
    return joined[new] if new.sum() > 1 else joined[:2]
