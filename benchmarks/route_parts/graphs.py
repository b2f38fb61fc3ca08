"""The graph and one shortest way beside QGIS's own network tools, in CPU seconds of the same machine; growth."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pyogrio
import shapely
from common import make_qgis_environment, require_data, say
from growth import compute_slope
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components

from riskengine.contract.tools.saferoutes import SafeRoutes
from riskengine.ground.context import JobContext
from riskengine.intake.project import move_places
from riskengine.jobs.models import model_of
from riskengine.streets.building import build_network
from riskengine.streets.graph import make_graph
from riskengine.streets.kept import open_network
from riskengine.streets.network import Network
from riskengine.streets.reading import DEGREES, read_streets
from riskengine.systems.routes.results import EdgeExposure, PairOfPlaces
from riskengine.systems.routes.ways import WayFinder, WayPlan

#: Segments of the made cities, how many pairs are asked for, and how often each graph is built.
SIZES, PAIRS, REPEATS = (10**3, 10**4, 10**5), 20, 3
#: Straight metres between the places of a pair.
_APART = (1000.0, 12_000.0)
#: Metres by which two lengths may differ and be the same.
_SAME = 0.001


def compare_graphs(data: Path) -> dict[str, Any]:
    """Compare on Baltimore: ``build_vs_qgis``, ``query_vs_qgis``, and the share of ways of the same length."""
    streets = require_data(data, "streets", "baltimore_streets.gpkg")
    found = _compare(f"{streets}|layername=streets")
    return {
        "build_vs_qgis": found["build"] / found["qgis_build"],
        "query_vs_qgis": found["query"] / found["qgis_query"],
        "same_lengths": found["same"],
        "graphs": found,
    }


def measure_growth(data: Path) -> dict[str, Any]:
    """CPU seconds of building, reading what is kept, and asking, in made cities of growing size."""
    table: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for size in SIZES:
            say(f"growth: {size} segments")
            path = Path(folder) / f"{size}.gpkg"
            write_city(path, size)
            table[str(size)] = _compare(f"{path}|layername=streets", kept=True)
    keys = ("build", "reopen", "query", "qgis_build", "qgis_query")
    slopes = {key: compute_slope(list(SIZES), [each[key] for each in table.values()]) for key in keys}
    return {"graph_growth": table, "graph_growth_slopes": slopes}


def write_city(path: Path, segments: int) -> None:
    """Write a city of about so many segments: a grid of blocks of 100 m, each corner moved, each street bent."""
    side = max(round((segments / 2) ** 0.5), 2)
    chance = np.random.default_rng(17)
    corners = np.stack(np.meshgrid(np.arange(side), np.arange(side)), -1) * 100.0
    corners += chance.uniform(-30, 30, corners.shape)
    pairs = [(corners[:, :-1], corners[:, 1:]), (corners[:-1], corners[1:])]
    starts, ends = (np.concatenate([pair[which].reshape(-1, 2) for pair in pairs]) for which in (0, 1))
    bends = (starts + ends) / 2 + chance.uniform(-5, 5, starts.shape)
    x, y = np.stack([starts, bends, ends], 1).reshape(-1, 2).T
    longitude, latitude = move_places(x + 360_000, y + 4_345_000, "EPSG:32618", DEGREES)
    places = np.round(np.c_[longitude, latitude], 7)
    lines = shapely.linestrings(places, indices=np.repeat(np.arange(len(starts)), 3))
    pyogrio.raw.write(
        path,
        np.asarray(shapely.to_wkb(lines), dtype=object),
        [np.arange(len(lines))],
        np.array(["id"], dtype=object),
        layer="streets",
        driver="GPKG",
        geometry_type="LineString",
        crs=DEGREES,
    )


def _compare(source: str, kept: bool = False) -> dict[str, float]:
    """CPU seconds, median of several, of both; the share of ways that are as long in both."""
    # QGIS leaves no street out.
    parameters = model_of(SafeRoutes)(network=source, travel="vehicle", incidents="none")
    silent = JobContext()
    built = []
    for _ in range(REPEATS):
        began = time.process_time()
        network = build_network(read_streets(parameters, silent), parameters, silent)
        finder = _make_finder(network)
        built.append(time.process_time() - began)
    pairs = _draw_pairs(network)
    asked, metres = [], []
    for pair in pairs:
        began = time.process_time()
        ways = finder.find(pair, silent)
        asked.append(time.process_time() - began)
        metres.append(ways.ways[0].metres)
    found = {"segments": network.edges, "build": median(built), "query": median(asked)}
    if kept:
        open_network(parameters, silent)
        began = time.process_time()
        open_network(parameters, silent)
        found["reopen"] = time.process_time() - began
    qgis = _ask_qgis(source, network, pairs)
    same = np.abs(np.array(qgis["metres"]) - metres) < _SAME
    return found | {
        "qgis_build": median(qgis["build"]),
        "qgis_query": median(qgis["query"]),
        "same": float(same.mean()),
    }


def _make_finder(network: Network) -> WayFinder:
    """What every question after it uses; without a detour it finds the shortest way alone."""
    nothing = np.zeros(network.edges)
    exposure = EdgeExposure(nothing, nothing, nothing, 0.0, 0.0, 1.0, "nothing", "")
    return WayFinder(network, exposure, WayPlan(detour=0.0))


def _draw_pairs(network: Network) -> list[PairOfPlaces]:
    """Pairs of nodes of the largest part, drawn evenly."""
    _, part = connected_components(make_graph(network).lengths)
    nodes = np.flatnonzero(part == np.bincount(part).argmax())
    chance = np.random.default_rng(17)
    x, y, found = network.x, network.y, []
    widest = min(_APART[1], float(np.ptp(x[nodes])))
    while len(found) < PAIRS:
        one, other = chance.choice(nodes, 2, replace=False).tolist()
        if min(_APART[0], widest / 2) <= np.hypot(x[one] - x[other], y[one] - y[other]) <= widest:
            found.append(PairOfPlaces(str(len(found)), (x[one], y[one]), (x[other], y[other])))
    return found


def _ask_qgis(source: str, network: Network, pairs: list[PairOfPlaces]) -> dict[str, Any]:
    places: NDArray[np.float64] = np.array([place for pair in pairs for place in (pair.start, pair.end)])
    longitude, latitude = move_places(places[:, 0], places[:, 1], network.crs, DEGREES)
    # Back on the vertices of the layers, to the last digit of their coordinates.
    degrees = np.round(np.c_[longitude, latitude], 7).reshape(-1, 2, 2)
    python = os.environ.get("QGIS_PYTHON", "/usr/bin/python3")
    given = {"source": source, "pairs": degrees.tolist(), "repeats": REPEATS}
    done = subprocess.run(
        [python, str(Path(__file__).with_name("in_qgis.py"))],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        env=make_qgis_environment() | {"QT_QPA_PLATFORM": "offscreen"},
    )
    if done.returncode:
        raise SystemExit(f"QGIS's graph failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])  # type: ignore[no-any-return]
