"""One qgis_process at a time for the intake benchmark, and what it left behind."""

from __future__ import annotations

import csv
import json
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio.raw
import shapely
from common import make_qgis_environment
from numpy.typing import NDArray


@dataclass
class Answer:
    """What a run gave: its results where it ended well, and all that it said."""

    fine: bool
    said: str
    results: dict[str, Any] = field(default_factory=dict)

    def get_sentence(self) -> str:
        """Get the refusal, or the start of what was said, on one line."""
        return " ".join(dict.fromkeys(self.said.splitlines()))[:300]


@dataclass
class Layer:
    """The points of a layer in their order: wall-clock times, places in the layer's own coordinates."""

    occurred: NDArray[np.datetime64]
    x: NDArray[np.float64]
    y: NDArray[np.float64]


def ask(tool: str, environment: dict[str, str] | None = None, **parameters: object) -> Answer:
    """Run a tool of the plugin, as one does at a command line."""
    command = ["qgis_process", "--json", "run", f"crimerisk:{tool}"]
    command += [f"--{name}={value}" for name, value in parameters.items()]
    surroundings = make_qgis_environment() | {"LC_ALL": "C.UTF-8"} | (environment or {})
    done = subprocess.run(command, env=surroundings, capture_output=True, text=True, encoding="utf-8")
    start = done.stdout.find("{")
    if done.returncode or start < 0:
        return Answer(False, done.stderr + done.stdout)
    answer = json.loads(done.stdout[start:])
    log = answer.get("log", {})
    said = "\n".join([*log.get("warning", []), *log.get("info", [])])
    return Answer(True, said.replace("\xa0", " "), answer["results"])


def import_incidents(path: Path, folder: Path, **parameters: object) -> Answer:
    """Import a file into ``o.gpkg`` and ``r.csv`` of a folder."""
    for name in ("o.gpkg", "r.csv"):
        (folder / name).unlink(missing_ok=True)
    return ask("importincidents", OUTPUT=folder / "o.gpkg", REFUSED=folder / "r.csv", INPUT=path, **parameters)


def read_layer(folder: Path) -> Layer:
    """Read the layer that `import_incidents` wrote."""
    path = folder / "o.gpkg"
    _, _, shapes, (occurred,) = pyogrio.raw.read(path, layer="o", columns=["occurred"])
    points = shapely.from_wkb(shapes)
    return Layer(np.asarray(occurred, dtype="datetime64[s]"), shapely.get_x(points), shapely.get_y(points))


def read_refused(folder: Path) -> list[tuple[int, str]]:
    """Read line and reason of the rows that `import_incidents` refused."""
    with (folder / "r.csv").open(encoding="utf-8", newline="") as file:
        return [(int(row["line"]), row["reason"]) for row in csv.DictReader(file)]
