"""Asking the crime score on Mexico City's real year: one place in the dock, a million in bulk, Annoy beside exact.

Prints one JSON object.  Every ratio is taken within this run, over the same places in the same order.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from cities import read_city_index
from common import make_parser, round_floats, say

from bridge import client
from riskengine.jobs import run_job
from riskengine.systems.score.definition import ScoreScale
from riskengine.systems.score.index import CrimeIndex, has_annoy
from riskengine.systems.score.model import ScoreModel
from riskengine.systems.score.recent import RecentIncidents

RADIUS = 200.0
NEIGHBOURS = 10
#: The issue's raster.
CELLS = 1000
TREES = (10, 50)


def measure_best(function: Callable[[], Any], times: int) -> tuple[float, Any]:
    """Measure the shortest of several runs, and keep the last result."""
    seconds, result = [], None
    for _ in range(times):
        began = time.perf_counter()
        result = function()
        seconds.append(time.perf_counter() - began)
    return min(seconds), result


def make_quick_model(index: Path, folder: Path) -> Path:
    """Make a model of the recommended features and size; its speed does not depend on how long it was trained."""
    path = folder / "city.crimescore"
    say("training a model of the recommended size for a few epochs")
    run_job(
        "train_score",
        {"index": str(index), "model_output": str(path), "epochs": 4, "folds": 3, "compare": False},
    )
    return path


def jitter_places(index: CrimeIndex, number: int, seed: int) -> np.ndarray:
    """Move places where incidents were reported by up to 100 m."""
    random = np.random.default_rng(seed)
    rows = random.choice(len(index), number, replace=False)
    points = np.column_stack((index.incidents.x[rows], index.incidents.y[rows]))
    return points + random.uniform(-100, 100, points.shape)


def measure_dock_queries(index: CrimeIndex, index_file: Path, model_file: Path, number: int) -> dict[str, float]:
    """Measure milliseconds of a click on the map, from asking the worker to having its answer."""
    given = {"index": str(index_file), "model": str(model_file), "k": NEIGHBOURS}

    def ask(x: float, y: float) -> float:
        began = time.perf_counter()
        answer = client.call("query_score", {**given, "x": x, "y": y}, worker="interactive")
        seconds = time.perf_counter() - began
        if answer["predicted"] is None or len(answer["nearest"]) != NEIGHBOURS:
            raise SystemExit(f"the dock's question was not answered: {answer['warning'] or answer['outside']}")
        return seconds

    places = jitter_places(index, number + 10, seed=1).tolist()
    began = time.perf_counter()
    ask(*places[0])
    first = time.perf_counter() - began
    for place in places[1:10]:
        ask(*place)
    taken = 1000 * np.array([ask(*place) for place in places[10:]])
    client.shutdown()
    return {
        "query_ms_p50": float(np.percentile(taken, 50)),
        "query_ms_p95": float(np.percentile(taken, 95)),
        "queries": number,
        "first_query_seconds": first,
    }


def measure_bulk(
    model: ScoreModel, recent: RecentIncidents, x: np.ndarray, y: np.ndarray, repeats: int
) -> dict[str, float]:
    """Measure predicting, against nothing but finding the ten nearest recent incidents of the same places."""
    points, tree = np.column_stack((x, y)), recent.tree
    # Taken in turns, so that what else the machine does hits all three alike.
    seconds: dict[str, list[float]] = {"predict": [], "all": [], "one": []}
    for _ in range(repeats):
        seconds["predict"].append(measure_best(lambda: model.predict(recent, x, y), 1)[0])
        seconds["all"].append(measure_best(lambda: tree.query(points, k=NEIGHBOURS, workers=-1), 1)[0])
        seconds["one"].append(measure_best(lambda: tree.query(points, k=NEIGHBOURS, workers=1), 1)[0])
    predict, all_cores, one_core = (min(seconds[name]) for name in ("predict", "all", "one"))
    return {
        "places": len(x),
        "seconds": predict,
        "rows_per_s": len(x) / predict,
        "vs_tree_all_cores": predict / all_cores,
        "vs_tree_one_core": predict / one_core,
    }


def grid_of(index: CrimeIndex) -> tuple[np.ndarray, np.ndarray]:
    """Make cell centres of the issue's raster over the incidents, row by row."""
    x, y = index.incidents.x, index.incidents.y
    across = x.min() + (np.arange(CELLS) + 0.5) * (x.max() - x.min()) / CELLS
    up = y.max() - (np.arange(CELLS) + 0.5) * (y.max() - y.min()) / CELLS
    grid = np.meshgrid(across, up)
    return grid[0].ravel(), grid[1].ravel()


def measure_search(
    method: str, build: float, index: CrimeIndex, places: np.ndarray, asked: dict[str, Any]
) -> dict[str, Any]:
    """Measure one line of the table: building, asking for neighbours one place at a time, recall, counts and scores."""
    x, y = places.T

    def one_by_one() -> None:
        for place in range(len(places)):
            index.find_nearest(x[place : place + 1], y[place : place + 1], NEIGHBOURS)

    seconds, _ = measure_best(one_by_one, 2)
    count_seconds, counts = measure_best(lambda: index.count_within(x, y, RADIUS), 1)
    score = asked["scale"].to_score(counts)
    asked.setdefault("score", score)
    asked.setdefault("counts", counts)
    return {
        "method": method,
        "build_s": build,
        "query_ms": 1000 * seconds / len(places),
        "count_ms": 1000 * count_seconds / len(places),
        "recall": index.recall(NEIGHBOURS),
        "score_error": float(np.abs(score - asked["score"]).mean()),
        "score_error_max": float(np.abs(score - asked["score"]).max()),
        "counts_missed": float(1 - counts.sum() / asked["counts"].sum()),
    }


def measure_annoy(index: CrimeIndex, number: int) -> list[dict[str, Any]]:
    """Measure Annoy of several numbers of trees against the exact tree, on the same places."""
    incidents = index.incidents
    began = time.perf_counter()
    exact = CrimeIndex(incidents, index.crs)
    assert exact.tree is not None
    build = time.perf_counter() - began
    own = exact.count_within(incidents.x, incidents.y, RADIUS)
    asked: dict[str, Any] = {"scale": ScoreScale(np.sort(own))}
    places = jitter_places(index, number, seed=2)
    table = [measure_search("exact", build, exact, places, asked)]
    if not has_annoy():
        say("annoy could not be compiled on this machine: its rows are left out")
        return table
    for trees in TREES:
        say(f"Annoy, {trees} trees")
        began = time.perf_counter()
        built = CrimeIndex(incidents, index.crs, "annoy", trees)
        table.append(measure_search(f"annoy {trees}", time.perf_counter() - began, built, places, asked))
    return table


def main() -> None:
    parser = make_parser(__doc__)
    parser.add_argument("--index", type=Path, help="an index made before, instead of importing the year")
    parser.add_argument("--model", type=Path, help="a score model made before, instead of training one")
    parser.add_argument("--queries", type=int, default=300)
    parser.add_argument("--annoy-places", type=int, default=2000)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if options.index:
            index, index_file = CrimeIndex.load(options.index), options.index.absolute()
        else:
            index, index_file = read_city_index("mexico_city", options.data, folder)
        model_file = options.model.absolute() if options.model else make_quick_model(index_file, folder)
        model = ScoreModel.load(model_file)
        say(f"{options.queries} questions through the worker")
        queries = measure_dock_queries(index, index_file, model_file, options.queries)
        recent = RecentIncidents.of(index, model.card.recent_days)
        say("predicting in bulk")
        predicted = {
            "incidents": measure_bulk(model, recent, index.incidents.x, index.incidents.y, options.repeats),
            "grid": measure_bulk(model, recent, *grid_of(index), options.repeats),
        }
        table = measure_annoy(index, options.annoy_places)
    print(
        json.dumps(
            round_floats(
                {
                    **queries,
                    # The slower of both sets of places, and the harder comparison: a tree asked on all cores.
                    "predict_rows_per_s": min(speed["rows_per_s"] for speed in predicted.values()),
                    "predict_vs_tree": max(speed["vs_tree_all_cores"] for speed in predicted.values()),
                    "predict": predicted,
                    "recent_incidents": len(recent),
                    "features": list(model.card.features.groups),
                    "architecture": model.card.architecture.describe(),
                    "annoy": table,
                }
            )
        )
    )


if __name__ == "__main__":
    main()
