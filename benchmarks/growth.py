"""How the main job grows with simulated incidents, from the CSV to layers and grids: seconds and peak memory of both
processes.

The archive grows as archives do: one city, a steady thousand incidents a day, ever more years (--days keeps the
period fixed instead, so that the city gets ever denser). Each step is a qgis_process of its own with an engine of its
own, so that its peak memory is its own.
"""

from __future__ import annotations

import json
import math
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from common import make_parser, round_floats, run_qgis_process, say

from riskengine.jobs import run_job

A_DAY = 1000
MEASURES = ("seconds", "cpu_seconds", "qgis_mb", "engine_mb")


def simulate(folder: Path, incidents: int, seed: int, days: int | None) -> Path:
    """Simulate a city's archive as a CSV."""
    path = folder / f"incidents_{incidents}.csv"
    days = days or max(incidents // A_DAY, 1)
    run_job("simulate", {"path": str(path), "incidents": incidents, "days": days, "seed": seed})
    return path


def list_steps(csv: Path, folder: Path) -> dict[str, tuple[str, dict[str, Any]]]:
    """List the steps of the main job: algorithm and parameters by a title."""
    layer, index = str(folder / "incidents.gpkg"), str(folder / "city.crimeindex")
    given = {"INPUT": layer, "TIME_FIELD": "occurred", "CATEGORY_FIELD": "category"}
    return {
        "import": ("importincidents", {"INPUT": str(csv), "OUTPUT": layer}),
        "index": ("buildcrimeindex", {**given, "OUTPUT": index}),
        "score": ("crimescorelayer", {"INDEX": index, "POINTS": layer, "OUTPUT": str(folder / "scores.gpkg")}),
        "rasterize": (
            "rasterizehotspots",
            {**given, "COLUMNS": 64, "ROWS": 64, "OUTPUT": str(folder / "hotspots.tif")},
        ),
    }


def compute_slope(sizes: list[int], values: list[float]) -> float:
    """Compute the slope of the log-log line through all sizes."""
    return float(np.polyfit([math.log10(size) for size in sizes], [math.log10(value) for value in values], 1)[0])


def grow(sizes: list[int], days: int | None = None, seed: int = 1) -> dict[str, Any]:
    """Run all steps at all sizes; with `days` the period stays and the city gets denser."""
    table: dict[str, dict[int, dict[str, float]]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for size in sizes:
            csv = simulate(folder, size, seed, days)
            for title, (algorithm, parameters) in list_steps(csv, folder).items():
                ran = run_qgis_process(f"crimerisk:{algorithm}", parameters)
                row = {measure: ran[measure] for measure in MEASURES}
                table.setdefault(title, {})[size] = row
                say(f"{size:,} {title}: {row['seconds']:.1f} s, {row['qgis_mb']:.0f} + {row['engine_mb']:.0f} MB")
            for file in folder.iterdir():
                file.unlink()
    peaks = {
        measure: [max(rows[size][measure] for rows in table.values()) for size in sizes]
        for measure in ("qgis_mb", "engine_mb")
    }
    slopes = {
        title: {measure: compute_slope(sizes, [rows[size][measure] for size in sizes]) for measure in MEASURES}
        for title, rows in table.items()
    }
    return {
        "sizes": sizes,
        "steps": {title: {str(size): row for size, row in rows.items()} for title, rows in table.items()},
        "slope": slopes,
        "largest_slope": {measure: max(each[measure] for each in slopes.values()) for measure in MEASURES},
        "peak_mb": {**peaks, "slope": {measure: compute_slope(sizes, each) for measure, each in peaks.items()}},
    }


def main() -> None:
    parser = make_parser(__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10**5, 10**6])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--days", type=int, help="a fixed period instead of a thousand incidents a day")
    options = parser.parse_args()
    kind = {"days": options.days} if options.days else {"incidents_a_day": A_DAY}
    print(json.dumps(round_floats({**kind, **grow(options.sizes, options.days, options.seed)})))


if __name__ == "__main__":
    main()
