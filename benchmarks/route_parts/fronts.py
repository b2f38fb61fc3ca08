"""Whether fronts are exact, and how long one takes beside one full Dijkstra of SciPy on the same graph."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from common import ROOT, require_data, say
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree

from route_parts.held_out import CITIES, read_city_incidents

sys.path.insert(0, str(ROOT / "tests"))
from kit.smallstreets import SmallCase, draw_cases, try_all_ways
from kit.tempe import is_golden, read_tempe

from riskengine.contract.tools.saferoutes import SafeRoutes
from riskengine.ground.context import JobContext
from riskengine.jobs.models import model_of
from riskengine.streets.building import build_network
from riskengine.streets.graph import make_graph
from riskengine.streets.network import Network
from riskengine.streets.reading import read_streets
from riskengine.systems.routes.corridor import Terminal, weigh_graph
from riskengine.systems.routes.exposure import measure_exposure
from riskengine.systems.routes.fields.kernel import make_kernel_field
from riskengine.systems.routes.front import Front, find_front
from riskengine.systems.routes.pairs import draw_pairs
from riskengine.systems.routes.ways import WayFinder, WayPlan

#: Small networks compared with all of their ways.
NETWORKS = 600
#: Straight metres between the places of a pair, and how many pairs.
DISTANCES = ((1000.0, 4000.0, 200), (4000.0, 8000.0, 60), (8000.0, 12_000.0, 20))
#: The year before it is the risk.
_ORIGIN = np.datetime64("2014-01-01T00:00:00")
_DETOUR, _SEED = 0.25, 7


def check_fronts(data: Path) -> dict[str, Any]:
    """Compare fronts with brute force, and with the golden values of Tempe: ``optimal``, the share that is equal."""
    equal = [_list_ways(_ask(case)) == try_all_ways(case) for case in draw_cases(NETWORKS, _SEED)]
    require_data(data, "streets", "tempe_small.gpkg")
    golden = {"–".join(pair): is_golden(pair, _list_ways(_ask(case))) for pair, case in read_tempe(data).items()}
    asked = [*equal, *golden.values()]
    return {"optimal": sum(asked) / len(asked), "fronts_asked": len(asked), "golden": golden}


def measure_fronts(data: Path) -> dict[str, Any]:
    """Time exact fronts of Baltimore, by distance: ``front_vs_dijkstra_median``, ``front_vs_dijkstra_max``."""
    network, exposure = _read_baltimore(data)
    graph = make_graph(network)
    weighed = weigh_graph(graph, exposure.exposure[graph.edge], network.x, network.y)
    finder = WayFinder(network, exposure, WayPlan(100 * _DETOUR))
    tree = cKDTree(np.column_stack([network.x, network.y]))
    # Indices as SciPy wants them, so that none of its time goes into changing them.
    lengths = csr_array((graph.metres, graph.head, graph.first.astype(np.int32)), shape=(graph.nodes, graph.nodes))
    table = []
    for nearest, farthest, number in DISTANCES:
        pairs = draw_pairs(network, number, nearest, farthest, _SEED)
        ends = [[int(tree.query(place)[1]) for place in (pair.start, pair.end)] for pair in pairs]
        full = float(np.median([_time(dijkstra, lengths, True, start)[0] for start, _ in ends[:20]]))
        fronts = [
            _time(find_front, weighed, Terminal([start], [0.0], [0.0]), Terminal([end], [0.0], [0.0]), _DETOUR)
            for start, end in ends
        ]
        table.append(_describe(nearest, farthest, full, fronts, [_time(finder.find, pair)[0] for pair in pairs]))
        say(f"fronts: {table[-1]}")
    first = table[0]
    return {
        "front_vs_dijkstra_median": first["median"],
        "front_vs_dijkstra_max": first["max"],
        "front_vs_dijkstra_far_median": table[-1]["median"],
        "fronts": table,
    }


def _describe(
    nearest: float, farthest: float, full: float, fronts: Sequence[tuple[float, Front]], whole: Sequence[float]
) -> dict[str, Any]:
    """Figures of pairs so far apart; `whole` is the time of a question with its places and ways."""
    ratios = np.array([seconds for seconds, _ in fronts]) / full
    ways = [len(front.metres) for _, front in fronts]
    return {
        "km": [nearest / 1000, farthest / 1000],
        "pairs": len(ratios),
        "median": float(np.median(ratios)),
        "mean": float(ratios.mean()),
        "max": float(ratios.max()),
        "dijkstra_seconds": full,
        "ways_median": float(np.median(ways)),
        "ways_max": max(ways),
        "exact": sum(front.exact for _, front in fronts),
        "question_median": float(np.median(whole)) / full,
    }


def _read_baltimore(data: Path) -> tuple[Network, Any]:
    city, context = CITIES["baltimore"], JobContext()
    streets = str(require_data(data, *city.streets.split("/")))
    incidents, crs = read_city_incidents(data, city)
    asked = model_of(SafeRoutes)(network=streets, incidents="none.npz", output="none.gpkg", start=[0, 0], end=[0, 0])
    network = build_network(read_streets(asked, context, crs), asked, context)
    box = network.x.min(), network.y.min(), network.x.max(), network.y.max()
    field = make_kernel_field(incidents, 12, 100.0, tuple(map(float, box)), _ORIGIN, context)
    return network, measure_exposure(network, field, context=context)


def _ask(case: SmallCase) -> Front:
    graph = make_graph(case.network)
    weighed = weigh_graph(graph, case.cost[graph.edge], case.network.x, case.network.y)
    start, end = (Terminal([node], [0.0], [0.0]) for node in (case.start, case.end))
    return find_front(weighed, start, end, case.detour)


def _list_ways(front: Front) -> list[tuple[float, float]]:
    return [(round(metres, 6), round(cost, 6)) for metres, cost in zip(front.metres, front.cost, strict=True)]


def _time(function: Any, *given: Any) -> tuple[float, Any]:
    """CPU seconds of a call, and what it gave."""
    began = time.process_time()
    made = function(*given)
    return time.process_time() - began, made
