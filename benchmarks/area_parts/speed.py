"""Speed of the tools on areas, as ratios within a run: counting against QGIS, a backtest against bare models."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any
from unittest import mock

import numpy as np
import shapely
from areas_data import find_first_test, make_london_lsoas
from common import require_data, run_qgis_process, say
from growth import compute_slope
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression, PoissonRegressor
from threadpoolctl import threadpool_limits

from riskengine.contract.forecasters import DEFAULT
from riskengine.evaluation.backtest import run_backtest
from riskengine.evaluation.plan import Plan
from riskengine.forecasters import ratemodels
from riskengine.intake.incidents import Incidents
from riskengine.maps.bins import make_bin_edges
from riskengine.maps.panel import Panel, count_incidents
from riskengine.maps.panelfile import read_panel, write_panel
from riskengine.maps.tiling import make_squares

#: Numbers of areas, how many incidents are counted in them, and how often each command runs.
SIZES, INCIDENTS, REPEATS = (10**3, 10**4, 10**5), 200_000, 3
#: Metres that the simulated city is wide.
_WIDTH = 30_000.0


def measure_speed(data: Path) -> dict[str, Any]:
    """Measure all of it."""
    with tempfile.TemporaryDirectory() as folder:
        return {**compare_counting(data, Path(folder)), **grow(Path(folder)), **compare_backtest(data)}


def compare_counting(data: Path, folder: Path) -> dict[str, Any]:
    """Count London's burglaries by LSOA and month, against QGIS's *Count points in polygon* of the same, once."""
    incidents, areas = folder / "incidents.gpkg", require_data(data, "london", "geo", "LSOA_2011_London_gen_MHW.shp")
    file = require_data(data, "london", "burglary_2019-01_2022-04.csv")
    run_qgis_process("crimerisk:importincidents", {"INPUT": str(file), "OUTPUT": str(incidents)})
    ours = {"INPUT": str(incidents), "TIME_FIELD": "occurred", "AREAS": str(areas), "AREA_ID": "LSOA11CD"}
    commands = {
        "ours": ("crimerisk:countareas", {**ours, "CRS": "EPSG:27700", "OUTPUT": str(folder / "panel.gpkg")}),
        "native": (
            "native:countpointsinpolygon",
            {"POINTS": str(incidents), "POLYGONS": str(areas), "OUTPUT": str(folder / "counts.gpkg")},
        ),
    }
    took: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
    for _ in range(REPEATS):
        for name, command in commands.items():
            ran = run_qgis_process(*command)
            took[name].append((ran["cpu_seconds"], ran["seconds"]))
            (folder / "panel.gpkg").unlink(missing_ok=True)
    result = {}
    for place, key in enumerate(("", "_wall")):
        seconds = {name: median(each[place] for each in runs) for name, runs in took.items()}
        result[f"count_vs_native{key}"] = seconds["ours"] / seconds["native"]
        result |= {f"count{key}_seconds": seconds["ours"], f"native{key}_seconds": seconds["native"]}
    say(str(result))
    return result


def grow(folder: Path) -> dict[str, Any]:
    """Count the same number of incidents into ever more squares and read the panel back: how the time grows."""
    seconds = {}
    for number in SIZES:
        took = []
        for _ in range(REPEATS):
            panel = folder / f"squares{number}.gpkg"
            began = time.perf_counter()
            count_squares(number, panel)
            read_panel(panel)
            took.append(time.perf_counter() - began)
            panel.unlink()
        seconds[number] = min(took)
        say(f"{number:,} areas: {seconds[number]:.2f} s")
    sizes = list(seconds)
    slope = compute_slope(sizes, [seconds[size] for size in sizes])
    return {"areas_slope": slope, "areas_seconds": {str(size): each for size, each in seconds.items()}}


def count_squares(number: int, panel: Path) -> None:
    """Count the incidents of a year by month in about `number` squares."""
    random = np.random.default_rng(number)
    x, y = random.uniform(0, _WIDTH, (2, INCIDENTS)) + 500_000
    start = np.datetime64("2023-01-01", "s")
    when = start + random.integers(0, 365 * 86_400, INCIDENTS).astype("timedelta64[s]")
    incidents = Incidents(x, y, np.sort(when), np.zeros(INCIDENTS, np.int32), [], np.arange(INCIDENTS))
    city = np.array([shapely.box(500_000, 500_000, 500_000 + _WIDTH, 500_000 + _WIDTH)], dtype=object)
    tiles = make_squares(_WIDTH / np.sqrt(number), city, "EPSG:32630")
    edges = make_bin_edges(when.min(), when.max(), "months")
    counts, _ = count_incidents(incidents, tiles, edges)
    write_panel(panel, Panel(counts, edges, np.ones(tiles.shape, bool), tiles, "1 months"))


def compare_backtest(data: Path) -> dict[str, Any]:
    """Backtest the default on London's ten months, against the same scikit-learn models on the tables that it made."""
    panel = make_london_lsoas(data)
    first = find_first_test(panel)
    fits: list[tuple[str, NDArray[Any], NDArray[Any], NDArray[Any] | None, dict[str, Any]]] = []
    asked: list[tuple[str, NDArray[Any]]] = []

    def keep_trees(columns: Any, outcome: Any, weights: Any, trees: int, leaves: int, rate: float, seed: int) -> Any:
        settings = {"max_iter": trees, "max_leaf_nodes": leaves, "learning_rate": rate, "early_stopping": False}
        fits.append(("trees" if weights is None else "poisson_trees", columns, outcome, weights, settings))
        return grown(columns, outcome, weights, trees, leaves, rate, seed)

    def keep_regression(columns: Any, offset: Any, outcome: Any, strength: float, loss: str, *rest: Any) -> Any:
        fits.append((loss, columns, outcome, None, {}))
        return regressed(columns, offset, outcome, strength, loss, *rest)

    def keep_table(kind: str, forecast: Callable[..., Any]) -> Callable[..., Any]:
        def keep(self: Any, columns: Any, *rest: Any) -> Any:
            asked.append((kind, columns))
            return forecast(self, columns, *rest)

        return keep

    kinds = {
        ratemodels.RatesLogistic: "log_loss",
        ratemodels.PoissonRegression: "poisson",
        ratemodels.RatesBoosting: "trees",
        ratemodels.PoissonBoosting: "poisson_trees",
    }

    def backtest() -> float:
        began = time.perf_counter()
        run_backtest(panel, [DEFAULT], Plan(first, refit=1), workers=1)
        return time.perf_counter() - began

    ours = backtest()
    grown, regressed = ratemodels.grow_trees, ratemodels.regress_few
    with (
        mock.patch.object(ratemodels, "grow_trees", keep_trees),
        mock.patch.object(ratemodels, "regress_few", keep_regression),
    ):
        patches = [mock.patch.object(c, "_forecast_rows", keep_table(k, c._forecast_rows)) for c, k in kinds.items()]
        for patch in patches:
            patch.start()
        backtest()
        for patch in patches:
            patch.stop()
    began = time.perf_counter()
    with threadpool_limits(1):
        models = {}
        for kind, columns, outcome, weights, settings in fits:
            models[kind] = fit_bare(kind, columns, outcome, weights, settings)
        for kind, columns in asked:
            table = columns[:, : models[kind].n_features_in_]
            if len(table[0]) < models[kind].n_features_in_:
                table = np.pad(table, ((0, 0), (0, models[kind].n_features_in_ - len(table[0]))))
            getattr(models[kind], "predict_proba", models[kind].predict)(table)
    bare = time.perf_counter() - began
    ours = min(ours, backtest())
    result = {
        "backtest_vs_bare": ours / bare,
        "backtest_seconds": ours,
        "bare_seconds": bare,
        "fits": len(fits),
        "tables_forecast": len(asked),
    }
    say(str(result))
    return result


def fit_bare(kind: str, columns: Any, outcome: Any, weights: Any, settings: dict[str, Any]) -> Any:
    """Fit scikit-learn's own model on a table that is ready; columns are standardised for the regressions."""
    if kind == "trees":
        return HistGradientBoostingClassifier(**settings).fit(columns, outcome)
    if kind == "poisson_trees":
        # Of the plain counts: with weights scikit-learn cuts columns into bins a hundred times slower.
        return HistGradientBoostingRegressor(loss="poisson", **settings).fit(columns, outcome * weights)
    spread = columns.std(axis=0)
    table = (columns - columns.mean(axis=0)) / np.where(spread > 0, spread, 1)
    model = LogisticRegression if kind == "log_loss" else PoissonRegressor
    return model(solver="newton-cholesky").fit(table, outcome)
