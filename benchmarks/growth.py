"""How index, score and rasterize grow from 10^5 to 10^7 simulated incidents: seconds and peak memory of each.

The archive grows as archives do: one city, a steady thousand incidents a day, ever more years (--days keeps the
period fixed instead, so that the city gets ever denser). Every size runs each job in a process of its own, so that
its peak memory is its own.
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from common import ROOT, make_parser, round_floats, say

A_DAY = 1000
JOBS = ("build_index", "score_points", "rasterize")

_CHILD = """
import importlib, json, resource, sys, time
from riskengine.jobs import run_job
job, params = sys.argv[1], json.loads(sys.argv[2])
# Imports cost the same at any size: they would flatten the slope.
importlib.import_module("riskengine.jobs." + job)
began = time.perf_counter()
run_job(job, params)
seconds = time.perf_counter() - began
print(json.dumps({"seconds": seconds, "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
"""


def measure_job(job: str, params: dict[str, Any]) -> dict[str, float]:
    """Run one job in a fresh process."""
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, job, json.dumps(params)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{job} failed:\n{done.stderr[-2000:]}")
    measures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return measures


def simulate(folder: Path, incidents: int, seed: int, days: int | None) -> tuple[Path, str]:
    """Simulate a city's archive as the exchange file the plugin would write."""
    from riskengine.intake.incidents import Incidents, write_exchange
    from riskengine.simulation.simulate import simulate_city

    days = days or max(incidents // A_DAY, 1)
    start = np.datetime64("2025-01-01") - np.timedelta64(days, "D")
    city = simulate_city(incidents=incidents, days=days, seed=seed, start=str(start), exact=True)
    path = folder / f"incidents_{incidents}.npz"
    write_exchange(
        path,
        Incidents(city.x, city.y, city.time, city.category, list(city.categories), np.arange(len(city.x))),
    )
    return path, city.crs


def compute_slope(sizes: list[int], seconds: list[float]) -> float:
    """Compute the slope of the log-log line through all sizes."""
    return float(np.polyfit([math.log10(size) for size in sizes], [math.log10(value) for value in seconds], 1)[0])


def grow(sizes: list[int], days: int | None, seed: int) -> dict[str, Any]:
    """Run all jobs at all sizes; with `days` the period stays and the city gets denser."""
    table: dict[str, dict[int, dict[str, float]]] = {job: {} for job in JOBS}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for size in sizes:
            began = time.perf_counter()
            path, crs = simulate(folder, size, seed, days)
            say(f"{size:,} incidents simulated in {time.perf_counter() - began:.1f} s")
            index = str(folder / f"{size}.crimeindex")
            jobs = {
                "build_index": {"incidents": str(path), "output": index, "crs": crs},
                "score_points": {"index": index, "points": str(path), "output": str(folder / "scores.npz")},
                "rasterize": {
                    "incidents": str(path),
                    "output": str(folder / "hotspots.tif"),
                    "crs": crs,
                    "columns": 64,
                    "rows": 64,
                },
            }
            for job, params in jobs.items():
                table[job][size] = measure_job(job, params)
                say(f"  {job}: {table[job][size]['seconds']:.2f} s, {table[job][size]['peak_mb']:.0f} MB")
            for file in folder.iterdir():
                file.unlink()
    return {
        "jobs": {job: {str(size): row for size, row in rows.items()} for job, rows in table.items()},
        "slope": {job: compute_slope(sizes, [rows[size]["seconds"] for size in sizes]) for job, rows in table.items()},
        "peak_mb": max(row["peak_mb"] for rows in table.values() for row in rows.values()),
    }


def main() -> None:
    parser = make_parser(__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10**5, 10**6, 10**7])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--days", type=int, help="a fixed period instead of a thousand incidents a day")
    options = parser.parse_args()
    growth = grow(options.sizes, options.days, options.seed)
    kind = {"days": options.days} if options.days else {"incidents_a_day": A_DAY}
    print(json.dumps(round_floats({**kind, **growth, "largest_slope": max(growth["slope"].values())})))


if __name__ == "__main__":
    main()
