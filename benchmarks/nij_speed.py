"""Seconds and memory of every step of a catch on a fine grid, with dense counts and with sparse ones.

Portland, cells of 250 feet, five years of weeks or of days. `measure_ways` is a part of `benchmarks/nij.py`; by itself:
PYTHONPATH=. python benchmarks/nij_speed.py [--data FOLDER] [--kind TYPE] [--bin weeks|days] [--models MODEL,MODEL]
"""

from __future__ import annotations

import json
import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from common import make_parser, round_floats
from nij_data import make_cells, make_spring, read_incidents
from numpy.typing import NDArray

from riskengine.contract.forecasters import CATCH_BASELINE, DEFAULT_CATCH
from riskengine.evaluation.offsets import move_grid, sample_offsets
from riskengine.forecasters.base import check_history
from riskengine.forecasters.catalogue import make_forecaster
from riskengine.forecasters.modelcard import make_card
from riskengine.maps.area import narrow_to_past
from riskengine.maps.heatmaps import Heatmaps, read_heatmaps, write_heatmaps, write_risk
from riskengine.maps.panel import count_incidents
from riskengine.maps.sparsecounts import keep_sparse

WAYS = ("dense", "sparse")
#: Further positions of the grid that are counted.
_POSITIONS = 20
#: Square miles flagged, of Portland's area, and days forecast.
_FLAGGED, _DAYS = 0.25 / 147.71, 91


def measure_ways(
    data: Path,
    kind: str,
    feet: float = 250.0,
    unit: str = "weeks",
    models: Sequence[str] = (),
    ways: Sequence[str] = WAYS,
) -> dict[str, Any]:
    """Measure the steps with either way of keeping counts, each in a process of its own.

    Parameters
    ----------
    models : sequence of str
        By default prior counts, the self-exciting process and the default of the catch.

    Returns
    -------
    dict
        By way and step: seconds, CPU seconds and the memory (MB) that it took at most beyond what was held before; and
        how many times the CPU seconds and the memory of all steps are with dense counts.
    """
    models = tuple(models) or (CATCH_BASELINE, "etas", DEFAULT_CATCH)
    measured: dict[str, Any] = {}
    for way in ways:
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
            measured[way] = pool.submit(_measure, data, kind, feet, unit, models, way).result()
    if set(WAYS) <= set(measured):
        for figure, summarize in (("cpu_seconds", sum), ("peak_mb", max)):
            dense, sparse = (summarize(step[figure] for step in measured[way].values()) for way in WAYS)
            measured[f"times_{figure}"] = dense / sparse
    return measured


def _make_edges(unit: str) -> tuple[NDArray[np.datetime64], int]:
    """Edges of the bins, and the number of the first that is forecast, of 1 March 2017."""
    spring = make_spring(2017)
    if unit == "weeks":
        return spring.edges, spring.first
    first, last = spring.edges[[0, -1]].astype("datetime64[D]")
    edges = np.arange(first, last + 1).astype("datetime64[s]")
    return edges, int(np.searchsorted(edges, spring.edges[spring.first]))


def _measure(data: Path, kind: str, feet: float, unit: str, models: Sequence[str], way: str) -> dict[str, Any]:
    steps: dict[str, dict[str, float]] = {}
    incidents, (grid, mask), (edges, first) = read_incidents(data, kind), make_cells(data, feet), _make_edges(unit)
    window = max(round(_DAYS / ((edges[1] - edges[0]) / np.timedelta64(1, "D"))), 1)
    with _step(steps, "count"):
        counts, _ = count_incidents(incidents, grid, edges, mask, sparse=way == "sparse")
    panel = Heatmaps(counts, edges, mask, grid, f"1 {unit}")
    with _step(steps, f"{_POSITIONS} positions"):
        for east, north in sample_offsets(_POSITIONS, 0)[1:]:
            moved = move_grid(panel, incidents, east, north)
            if way == "dense":
                count_incidents(incidents, moved.grid, edges, moved.mask)
    with tempfile.TemporaryDirectory() as folder:
        with _step(steps, "write"):
            write_heatmaps(Path(folder) / "grids.tif", panel)
        with _step(steps, "read"):
            read = read_heatmaps(Path(folder) / "grids.tif")
            panel = keep_sparse(read) if way == "sparse" else replace(read, counts=np.asarray(read.counts))
        with _step(steps, "narrow to the past"):
            narrow_to_past(replace(panel, area="hull"), first, lambda _: None)
        history = panel.before(first)
        with _step(steps, "check"):
            check_history(history, 12)
        for name in models:
            given = {"window": window, "flagged": _FLAGGED} if name == DEFAULT_CATCH else {}
            model = make_forecaster(name, **given)
            with _step(steps, f"{name} fit"):
                model.fit(history)
            with _step(steps, f"{name} forecast"):
                expected = model.predict_window(history, window)
            with _step(steps, f"{name} card"):
                make_card(model, history)
        with _step(steps, "write risk"):
            risk = -np.expm1(-expected)[None].astype(np.float32)
            write_risk(Path(folder) / "risk.tif", risk, edges[[first, -1]], mask, grid, {})
    return steps


@contextmanager
def _step(steps: dict[str, dict[str, float]], name: str) -> Iterator[None]:
    held = _start_peak()
    began, worked = time.perf_counter(), time.process_time()
    yield
    seconds, cpu = time.perf_counter() - began, time.process_time() - worked
    steps[name] = {"seconds": seconds, "cpu_seconds": cpu, "peak_mb": max(_read_peak() - held, 0.0)}


def _start_peak() -> float:
    """Begin a new peak, where the system lets a process do so; memory held now, MB."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    return _read_peak()


def _read_peak() -> float:
    status = Path("/proc/self/status")
    if status.exists():
        return int(status.read_text().partition("VmHWM:")[2].split()[0]) / 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 if sys.platform != "darwin" else 1024**2)


def main() -> None:
    """Print what was measured as one JSON object."""
    parser = make_parser(str(__doc__))
    parser.add_argument("--kind", default="vehicle_theft")
    parser.add_argument("--bin", default="weeks", choices=("weeks", "days"))
    parser.add_argument("--models", default="")
    parser.add_argument("--ways", default=",".join(WAYS))
    options = parser.parse_args()
    models = [name for name in options.models.split(",") if name]
    measured = measure_ways(options.data, options.kind, 250.0, options.bin, models, options.ways.split(","))
    print(json.dumps(round_floats(measured, 3)))


if __name__ == "__main__":
    main()
