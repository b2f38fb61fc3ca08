"""Street networks of a few streets, and their efficient ways found by trying every way there is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from riskengine.streets.network import Network
from riskengine.systems.routes.results import EdgeExposure

Floats = NDArray[np.float64]


def make_streets(
    places: Sequence[Sequence[float]],
    ends: Sequence[tuple[int, int]],
    metres: Sequence[float] | Floats | None = None,
    forward: Sequence[bool] | None = None,
    backward: Sequence[bool] | None = None,
    lit: Sequence[int] | None = None,
) -> Network:
    """Straight streets between places, metres; used both ways and as long as they are drawn where nothing is given."""
    at = np.array(places, dtype=float).reshape(-1, 2)
    tail, head = np.array(ends, dtype=np.int32).reshape(-1, 2).T
    number = len(tail)
    yes = np.ones(number, dtype=bool)
    return Network(
        at[:, 0].copy(),
        at[:, 1].copy(),
        tail,
        head,
        np.hypot(*(at[tail] - at[head]).T) if metres is None else np.array(metres, dtype=float),
        yes if forward is None else np.array(forward, dtype=bool),
        yes if backward is None else np.array(backward, dtype=bool),
        np.full(number, 4.8),
        np.full(number, -1, dtype=np.int8) if lit is None else np.array(lit, dtype=np.int8),
        np.arange(number),
        2 * np.arange(number + 1),
        np.stack([at[tail], at[head]], axis=1).reshape(-1, 2),
        "EPSG:32618",
        number,
    )


def expose(network: Network, exposure: Sequence[float] | Floats) -> EdgeExposure:
    """The exposure of the streets, nothing above a percentile and nothing outside."""
    nothing = np.zeros(network.edges)
    return EdgeExposure(np.array(exposure, dtype=float), nothing, nothing, 1.0, 1.0, 25.0, "made by hand", "")


@dataclass(frozen=True, eq=False)
class SmallCase:
    """A question asked of a small network: from node to node, with a cap on detour, a share."""

    network: Network
    cost: Floats
    start: int
    end: int
    detour: float


def draw_cases(number: int, seed: int = 1) -> Iterator[SmallCase]:
    """Draw small networks with parallel and one-way streets, loops, streets without cost, and ties."""
    random = np.random.default_rng(seed)
    for each in range(number):
        yield _draw_lattice(random) if each % 3 == 0 else _draw_any(random, whole=each % 3 == 1)


def _draw_lattice(random: np.random.Generator) -> SmallCase:
    """Equal blocks, so that many ways are as long as each other, and costs that are often equal or nothing."""
    across, up = int(random.integers(3, 6)), int(random.integers(3, 5))
    nodes = [(100.0 * column, 100.0 * row) for row in range(up) for column in range(across)]
    ends = [(n, n + 1) for n in range(across * up) if (n + 1) % across]
    ends += [(n, n + across) for n in range(across * (up - 1))]
    longer = random.integers(0, 4, len(ends))
    metres = 100.0 + 10 * longer
    # What is long is cheap, more often than not: then there are many efficient ways.
    cost = np.maximum(6.0 - 2 * longer + random.integers(-3, 6, len(ends)), 0)
    start, end = 0, len(nodes) - 1 - int(random.integers(0, 3))
    oneway = random.random(len(ends)) < random.choice([0, 0.25])
    network = make_streets(nodes, ends, metres, backward=~oneway)
    return SmallCase(network, cost, start, end, float(random.choice([0, 0.25, 0.5, 1.0])))


def _draw_any(random: np.random.Generator, whole: bool) -> SmallCase:
    """Streets between places drawn by chance; whole numbers or any numbers."""
    nodes = int(random.integers(2, 9))
    number = int(random.integers(nodes - 1, 3 * nodes + 1))
    ends = random.integers(0, nodes, (number, 2))
    start, end = random.choice(nodes, 2, replace=False).tolist()
    if whole:
        # So near to each other that streets between them may be of any length.
        places = random.uniform(0, 5, (nodes, 2))
        metres = random.integers(1, 7, number) * 10.0
        cost = np.maximum(8 - metres // 10 + random.integers(-3, 4, number), 0)
    else:
        places = random.uniform(0, 1000, (nodes, 2))
        straight = np.hypot(*(places[ends[:, 0]] - places[ends[:, 1]]).T)
        metres = np.round(straight * random.uniform(1, 1.6, number), 6)
        cost = random.exponential(1, number) * straight.max() / (metres + 100) * (random.random(number) < 0.9)
    way = random.choice([0, 0, 0, 0, 1, 2], number)
    network = make_streets(places.tolist(), [(a, b) for a, b in ends.tolist()], metres, way != 1, way != 2)
    return SmallCase(network, cost, start, end, float(random.choice([0, 0.25, 1.0, 2.0])))


def try_all_ways(case: SmallCase) -> list[tuple[float, float]]:
    """Metres and cost of the efficient ways within the cap, found by going every way that passes no node twice."""
    network = case.network
    leaving: list[list[tuple[int, float, float]]] = [[] for _ in range(network.nodes)]
    for edge in range(network.edges):
        tail, head = int(network.tail[edge]), int(network.head[edge])
        step = float(network.metres[edge]), float(case.cost[edge])
        if network.forward[edge]:
            leaving[tail].append((head, *step))
        if network.backward[edge]:
            leaving[head].append((tail, *step))
    found: list[tuple[float, float]] = []

    def go_on(node: int, metres: float, cost: float, passed: frozenset[int]) -> None:
        if node == case.end:
            found.append((round(metres, 6), round(cost, 6)))
            return
        for other, longer, dearer in leaving[node]:
            if other not in passed:
                go_on(other, metres + longer, cost + dearer, passed | {other})

    go_on(case.start, 0.0, 0.0, frozenset({case.start}))
    cap = min((metres for metres, _ in found), default=0.0) * (1 + case.detour)
    best: list[tuple[float, float]] = []
    for metres, cost in sorted(found):
        if metres <= cap + 1e-9 and (not best or cost < best[-1][1]):
            best.append((metres, cost))
    return best
