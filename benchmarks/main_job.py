"""The main job on the real Mexico City year, through qgis_process.

Prints one JSON object: what the issue of the first release asks for, each ratio measured in this very run.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from common import make_parser, measure_command, require_data, round_floats, run_qgis_process, say
from growth import grow
from rasterio.warp import transform
from scipy.spatial import cKDTree

from riskengine.maps.bins import make_bin_edges
from riskengine.maps.grid import make_grid
from riskengine.maps.panel import count_incidents
from riskengine.systems.score.definition import ScoreScale, score_places
from riskengine.systems.score.index import CrimeIndex

RADIUS = 200.0
EARTH_RADIUS = 6_371_008.8
UTM_SCALE = 0.9996
#: What *Import incidents* makes its six fields of, beside the coordinates.
OGR_COLUMNS = "fecha_hecho,hora_hecho,delito,alcaldia,colonia,anio,trimestre"


def measure_best(function: Callable[[], Any], times: int) -> tuple[float, Any]:
    """Measure the shortest of several runs, and keep the last result."""
    seconds, result = [], None
    for _ in range(times):
        began = time.perf_counter()
        result = function()
        seconds.append(time.perf_counter() - began)
    return min(seconds), result


def count_bands(counts: np.ndarray) -> tuple[int, int]:
    """Count points with a score below 0.3 and above 0.8."""
    score = ScoreScale(np.sort(counts)).to_score(counts)
    return int((score < 0.3).sum()), int((score > 0.8).sum())


def project_equirectangular(index: CrimeIndex) -> np.ndarray:
    """Project the incidents to the local equirectangular projection of a sphere."""
    longitude, latitude = map(
        np.array, transform(index.crs, "EPSG:4326", index.incidents.x.tolist(), index.incidents.y.tolist())
    )
    x = np.radians(longitude) * EARTH_RADIUS * np.cos(np.radians(latitude.mean()))
    return np.column_stack((x, np.radians(latitude) * EARTH_RADIUS))


def count_bare(points: np.ndarray, workers: int = 1) -> np.ndarray:
    """Count as anyone would: a cKDTree over the points, and their counts within the radius."""
    tree = cKDTree(points)
    return tree.query_ball_point(points, np.nextafter(RADIUS, 0), return_length=True, workers=workers)


def compare_scores(index: CrimeIndex, repeats: int) -> dict[str, Any]:
    """Compare engine and bare SciPy: building the tree and counting around every incident, both from plain arrays."""
    x, y = index.incidents.x, index.incidents.y

    def engine() -> np.ndarray:
        fresh = CrimeIndex(index.incidents, index.crs)
        return score_places(fresh, x, y, RADIUS)[0]

    points = np.column_stack((x, y))
    scipy_seconds, expected = measure_best(lambda: count_bare(points), repeats)
    all_cores_seconds, _ = measure_best(lambda: count_bare(points, workers=-1), repeats)
    engine_seconds, counts = measure_best(engine, repeats)
    if not np.array_equal(counts, expected):
        raise SystemExit("the engine's counts differ from SciPy's")
    low, high = count_bands(count_bare(project_equirectangular(index)))
    unscaled_low, unscaled_high = count_bands(count_bare(points / UTM_SCALE))
    return {
        "score_seconds": engine_seconds,
        "scipy_seconds": scipy_seconds,
        "score_vs_scipy": engine_seconds / scipy_seconds,
        "score_vs_scipy_all_cores": engine_seconds / all_cores_seconds,
        "score_low_equirectangular": low,
        "score_high_equirectangular": high,
        "score_low_utm_unscaled": unscaled_low,
        "score_high_utm_unscaled": unscaled_high,
    }


def compare_rasterize(index: CrimeIndex, repeats: int) -> dict[str, Any]:
    """Compare engine and one bare numpy.bincount: daily 256 x 256 grids."""
    incidents = index.incidents
    edges = make_bin_edges(*incidents.span, "days")
    x, y = incidents.x, incidents.y
    grid = make_grid((x.min(), y.min(), x.max(), y.max()), index.crs, columns=256, rows=256)
    bins = len(edges) - 1
    day = (incidents.time - edges[0]).astype("timedelta64[D]").astype(np.int64)
    key = day * 256 * 256 + grid.locate(x, y)
    bare_seconds, bare = measure_best(lambda: np.bincount(key, minlength=bins * 256 * 256), repeats)
    engine_seconds, (counts, left_out) = measure_best(lambda: count_incidents(incidents, grid, edges), repeats)
    if left_out or not np.array_equal(counts.ravel(), bare):
        raise SystemExit("the engine's grids differ from bincount's")
    return {
        "rasterize_count_seconds": engine_seconds,
        "bincount_seconds": bare_seconds,
        "rasterize_vs_bincount": engine_seconds / bare_seconds,
    }


def write_head(csv: Path, rows: int, path: Path) -> Path:
    """Write the first rows of a CSV."""
    with csv.open(encoding="utf-8") as whole, path.open("w", encoding="utf-8") as head:
        head.writelines(islice(whole, rows + 1))
    return path


def compare_import(csv: Path, folder: Path, repeats: int) -> dict[str, Any]:
    """*Import incidents* against ogr2ogr of the same CSV into a GeoPackage, in turns; the better of each is kept.

    Both write points with a spatial index and the same columns; ogr2ogr leaves date and time of day apart and takes no
    time to judge either. The slope compares the whole file less its first thousand rows: start-up is the same
    for both sizes.
    """
    say("comparing with ogr2ogr …")
    small = write_head(csv, 1000, folder / "thousand.csv")
    kept: dict[str, dict[str, list[float]]] = {}

    def keep(title: str, measured: dict[str, float]) -> None:
        for name in ("seconds", "cpu_seconds"):
            kept.setdefault(title, {}).setdefault(name, []).append(measured[name])

    for _ in range(repeats):
        for size, file in (("all", csv), ("few", small)):
            output = folder / "compared.gpkg"
            output.unlink(missing_ok=True)
            keep(size, run_qgis_process("crimerisk:importincidents", {"INPUT": str(file), "OUTPUT": str(output)}))
            output.unlink()
            command = ["ogr2ogr", "-f", "GPKG", str(output), str(file), "-a_srs", "EPSG:4326", "-select", OGR_COLUMNS]
            command += ["-oo", "AUTODETECT_TYPE=YES", "-oo", "X_POSSIBLE_NAMES=lon", "-oo", "Y_POSSIBLE_NAMES=lat"]
            keep(f"ogr2ogr_{size}", measure_command(command))
    best = {title: {name: min(values) for name, values in rows.items()} for title, rows in kept.items()}
    growth = {
        title: best[f"{title}all"]["cpu_seconds"] - best[f"{title}few"]["cpu_seconds"] for title in ("", "ogr2ogr_")
    }
    return {
        "import_vs_ogr2ogr": best["all"]["cpu_seconds"] / best["ogr2ogr_all"]["cpu_seconds"],
        "import_vs_ogr2ogr_wall": best["all"]["seconds"] / best["ogr2ogr_all"]["seconds"],
        "import_slope_vs_ogr2ogr": growth[""] / growth["ogr2ogr_"],
        "import_cpu_seconds": {title: rows["cpu_seconds"] for title, rows in best.items()},
    }


def main() -> None:
    parser = make_parser(__doc__)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10**5, 10**6], help="of the archive that grows")
    options = parser.parse_args()
    csv = require_data(options.data, "mexico_city", "fgj_carpetas_2019-02_2020-01.csv")
    colonias = require_data(options.data, "mexico_city", "colonias.geojson")
    steps: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)

        def step(title: str, algorithm: str, parameters: dict[str, Any]) -> dict[str, Any]:
            say(f"{title} …")
            steps[title] = run_qgis_process(algorithm, parameters)
            return steps[title]["results"]

        incidents = str(folder / "incidents.gpkg")
        points = {"INPUT": incidents, "TIME_FIELD": "occurred", "CATEGORY_FIELD": "category"}
        imported = step("import", "crimerisk:importincidents", {"INPUT": str(csv), "OUTPUT": incidents})
        compared = compare_import(csv, folder, options.repeats)
        # The two walls that are compared are taken in turns, and the better of each is kept.
        index_walls, save_walls = [], []
        for turn in range(options.repeats):
            step("index", "crimerisk:buildcrimeindex", {**points, "OUTPUT": str(folder / "city.crimeindex")})
            index_walls.append(steps["index"]["seconds"])
            step("save", "native:savefeatures", {"INPUT": incidents, "OUTPUT": str(folder / f"saved{turn}.gpkg")})
            save_walls.append(steps["save"]["seconds"])
        annoy = step(
            "index_annoy",
            "crimerisk:buildcrimeindex",
            {**points, "METHOD": 1, "OUTPUT": str(folder / "annoy.crimeindex")},
        )
        score_walls, copy_walls = [], []
        for turn in range(options.repeats):
            scored = str(folder / f"scores{turn}.gpkg")
            given = {"INDEX": str(folder / "city.crimeindex"), "POINTS": incidents, "OUTPUT": scored}
            scores = step("score", "crimerisk:crimescorelayer", given)
            score_walls.append(steps["score"]["seconds"])
            copied = str(folder / f"copied{turn}.gpkg")
            step("save", "native:savefeatures", {"INPUT": incidents, "OUTPUT": copied})
            copy_walls.append(steps["save"]["seconds"])
        step(
            "rasterize",
            "crimerisk:rasterizehotspots",
            {**points, "STUDY_AREA": str(colonias), "OUTPUT": str(folder / "hotspots.tif")},
        )
        forecast = step(
            "forecast",
            "crimerisk:convlstmprediction",
            {
                "INPUT": str(folder / "hotspots.tif"),
                "EPOCHS": options.epochs,
                "OUTPUT": str(folder / "risk.tif"),
                "OUTPUT_MODEL": str(folder / "model.crimemodel"),
                "OUTPUT_REPORT": str(folder / "report.html"),
            },
        )
        step(
            "classify",
            "crimerisk:classifyrisk",
            {"INPUT": str(folder / "risk.tif"), "OUTPUT": str(folder / "classes.tif")},
        )
        say("comparing with SciPy and numpy …")
        index = CrimeIndex.load(folder / "city.crimeindex")
        compared |= {**compare_scores(index, options.repeats), **compare_rasterize(index, options.repeats)}
        compared |= {"growth": grow(options.sizes)["peak_mb"]}
    print(
        json.dumps(
            round_floats(
                {
                    "incidents": imported["COUNT"],
                    "refused": imported["REFUSED_COUNT"],
                    "seconds": {title: each["seconds"] for title, each in steps.items()},
                    "peak_mb": {
                        "qgis": max(each["qgis_mb"] for each in steps.values()),
                        "engine": max(each["engine_mb"] for each in steps.values()),
                    },
                    "score_low": scores["SCORE_LOW"],
                    "score_high": scores["SCORE_HIGH"],
                    "index_vs_save": min(index_walls) / min(save_walls),
                    "score_layer_vs_save": min(score_walls) / min(copy_walls),
                    "index_annoy_vs_save": steps["index_annoy"]["seconds"] / min(save_walls),
                    "annoy_recall": annoy["RECALL"],
                    **compared,
                    "convlstm_beats_constant": forecast["LOG_LOSS_RATIO_CONSTANT"],
                    "convlstm_against_prior_counts": forecast["LOG_LOSS_RATIO_PRIOR"],
                    "verdict": forecast["VERDICT"],
                },
                6,
            ),
            ensure_ascii=False,
        )
    )


if __name__ == "__main__":
    main()
