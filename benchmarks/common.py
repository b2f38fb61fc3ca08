"""What the benchmarks share: where the data is, how long a step took and how much memory it had."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


def arguments(description: str) -> argparse.ArgumentParser:
    """A parser with the option every benchmark has."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument(
        "--data",
        type=Path,
        default=Path(os.environ.get("CRIMERISK_DATA") or ROOT.parent / "shared" / "data"),
        help="folder of real crime data (default: $CRIMERISK_DATA, else ../shared/data)",
    )
    return parser


def require_data(folder: Path, *parts: str) -> Path:
    """A file of real data; where it is absent the benchmark says so and ends well."""
    path = folder.joinpath(*parts)
    if not path.exists():
        print(json.dumps({"skipped": f"no real crime data at {path}; give --data FOLDER or set CRIMERISK_DATA"}))
        sys.exit(0)
    return path


def say(text: str) -> None:
    """Progress, on stderr so that stdout ends with the JSON."""
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


def qgis_environment() -> dict[str, str]:
    """The environment for QGIS, whatever Python this one is: what scripts/common.sh says in `use_qgis_python`."""
    python = os.environ.get("QGIS_PYTHON", "/usr/bin/python3")
    foreign = {"PYTHONHOME", "PYTHONPATH", "PYTHONEXECUTABLE", "PYTHONPLATLIBDIR"}
    if os.environ.get("CONDA_PREFIX"):
        foreign |= {"PROJ_DATA", "PROJ_LIB", "GDAL_DATA", "GDAL_DRIVER_PATH"}
    kept = {key: value for key, value in os.environ.items() if key not in foreign}
    kept["PATH"] = os.pathsep.join([str(Path(python).parent), os.environ.get("PATH", os.defpath)])
    return kept


def qgis_process(algorithm: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """Run an algorithm with qgis_process.

    Returns
    -------
    dict
        ``results`` of the algorithm, ``seconds`` of wall time, ``qgis_mb`` and ``engine_mb`` of peak memory.
    """
    command = ["qgis_process", "run", algorithm, "-"]
    began = time.perf_counter()
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=qgis_environment(),
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
    start = out.find("{")
    if process.returncode or start < 0:
        raise SystemExit(f"{algorithm} failed:\n{out[-2000:]}\n{err[-2000:]}")
    answer = json.loads(out[start:])
    return {"results": answer["results"], "log": answer.get("log", {}), "seconds": seconds, **peaks}


def rounded(value: Any, digits: int = 4) -> Any:
    """JSON with floats of readable length."""
    if isinstance(value, float):
        return float(f"{value:.{digits}g}")
    if isinstance(value, dict):
        return {key: rounded(item, digits) for key, item in value.items()}
    if isinstance(value, list):
        return [rounded(item, digits) for item in value]
    return value
