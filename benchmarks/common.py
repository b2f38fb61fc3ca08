"""What the benchmarks share: where the data is, how long a step took and how much memory it had."""

from __future__ import annotations

import argparse
import ctypes
import json
import math
import os
import resource
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


def make_parser(description: str) -> argparse.ArgumentParser:
    """Make a parser with the option every benchmark has."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument(
        "--data",
        type=Path,
        default=Path(os.environ.get("CRIMERISK_DATA") or ROOT.parent / "shared" / "data"),
        help="folder of real crime data (default: $CRIMERISK_DATA, else ../shared/data)",
    )
    return parser


def require_data(folder: Path, *parts: str) -> Path:
    """Find a file of real data; where it is absent the benchmark says so and ends well."""
    path = folder.joinpath(*parts)
    if not path.exists():
        print(json.dumps({"skipped": f"no real crime data at {path}; give --data FOLDER or set CRIMERISK_DATA"}))
        sys.exit(0)
    return path


def say(text: str) -> None:
    """Say how far it is, on stderr so that stdout ends with the JSON."""
    print(text, file=sys.stderr, flush=True)


def _memory_mb(pid: int) -> float:
    """Highest resident memory a process has had so far."""
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) / 1024
    except OSError:
        pass
    return 0.0


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _descendants(pid: int) -> list[int]:
    children = _children(pid)
    # A thread may have started the process: every thread lists its own children.
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            children += [int(child) for child in (task / "children").read_text().split()]
    except OSError:
        pass
    return list(dict.fromkeys(children))


def make_qgis_environment() -> dict[str, str]:
    """Make the environment for QGIS, whatever Python this one is: what scripts/common.sh says in `use_qgis_python`."""
    python = os.environ.get("QGIS_PYTHON", "/usr/bin/python3")
    foreign = {"PYTHONHOME", "PYTHONPATH", "PYTHONEXECUTABLE", "PYTHONPLATLIBDIR"}
    if os.environ.get("CONDA_PREFIX"):
        foreign |= {"PROJ_DATA", "PROJ_LIB", "GDAL_DATA", "GDAL_DRIVER_PATH"}
    kept = {key: value for key, value in os.environ.items() if key not in foreign}
    kept["PATH"] = os.pathsep.join([str(Path(python).parent), os.environ.get("PATH", os.defpath)])
    return kept


def _adopt_orphans() -> None:
    """Have processes whose parent ends become children of this one: their CPU time is then known here."""
    if sys.platform == "linux":
        pr_set_child_subreaper = 36
        ctypes.CDLL(None).prctl(pr_set_child_subreaper, 1, 0, 0, 0)


def _spent_cpu() -> float:
    """CPU seconds of all processes that have ended, once every one of them has."""
    while True:
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            break
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def measure_command(command: list[str]) -> dict[str, float]:
    """Run a command with all it starts: ``seconds`` of wall time and ``cpu_seconds``."""
    _adopt_orphans()
    before, began = _spent_cpu(), time.perf_counter()
    done = subprocess.run(command, env=make_qgis_environment(), capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{command[0]} failed:\n{done.stderr[-2000:]}")
    return {"seconds": time.perf_counter() - began, "cpu_seconds": _spent_cpu() - before}


def run_qgis_process(algorithm: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """Run an algorithm with qgis_process.

    Returns
    -------
    dict
        ``results`` of the algorithm, ``seconds`` of wall time, ``cpu_seconds`` of all its processes, ``qgis_mb``
        and ``engine_mb`` of peak memory.
    """
    command = ["qgis_process", "run", algorithm, "-"]
    _adopt_orphans()
    before = _spent_cpu()
    began = time.perf_counter()
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=make_qgis_environment(),
        text=True,
        encoding="utf-8",
    )
    peaks = {"qgis_mb": 0.0, "engine_mb": 0.0}
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.05):
            peaks["qgis_mb"] = max(peaks["qgis_mb"], _memory_mb(process.pid))
            for child in _descendants(process.pid):
                peaks["engine_mb"] = max(peaks["engine_mb"], _memory_mb(child))

    watcher = threading.Thread(target=watch)
    watcher.start()
    out, err = process.communicate(json.dumps({"inputs": parameters}))
    seconds = time.perf_counter() - began
    done.set()
    watcher.join()
    cpu = _spent_cpu() - before
    start = out.find("{")
    if process.returncode or start < 0:
        raise SystemExit(f"{algorithm} failed:\n{out[-2000:]}\n{err[-2000:]}")
    answer = json.loads(out[start:])
    measured = {"seconds": seconds, "cpu_seconds": cpu, **peaks}
    return {"results": answer["results"], "log": answer.get("log", {}), **measured}


def round_floats(value: Any, digits: int = 4) -> Any:
    """Round the floats of JSON to readable length; what is not finite, as the limits of no interval, is null."""
    if isinstance(value, float):
        return float(f"{value:.{digits}g}") if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: round_floats(item, digits) for key, item in value.items()}
    if isinstance(value, list):
        return [round_floats(item, digits) for item in value]
    return value
