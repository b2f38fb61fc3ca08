"""The plugin inside a headless QGIS, with the real engine behind it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from kit.algorithms import Log, Ran, read_refusal, run_algorithm
from kit.layers import Row, make_city_rows, make_points
from kit.windows import add_package
from qgis.core import (
    QgsProcessingUtils,
    QgsVectorLayer,
)

ROOT = Path(__file__).resolve().parents[2]
os.environ.setdefault("CRIMERISK_ENGINE", str(ROOT / ".engine"))


def pytest_configure(config: pytest.Config) -> None:
    """Leave QGIS running at the end: pytest lets go of the last test's layers only after it would have been ended."""
    config._plugin_settings = config._plugin_settings._replace(qgis_exit_disabled=True)  # type: ignore[attr-defined]


@pytest.fixture(scope="session", autouse=True)
def plugin(qgis_processing: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The plugin object, its algorithms registered; the checkout's folder may have any name."""
    add_package(tmp_path_factory)
    from crime_risk import classFactory

    plugin = classFactory(None)
    plugin.initProcessing()
    yield plugin
    plugin.unload()


@pytest.fixture(autouse=True)
def nothing_left_behind() -> Iterator[None]:
    """No exchange folder survives any test."""
    yield
    left = list(Path(QgsProcessingUtils.tempFolder()).glob("crime_risk_*"))
    assert not left, f"exchange folders were left: {left}"


@pytest.fixture
def engine() -> Any:
    """The client of the engine's process."""
    from crime_risk.bridge import client

    return client


@pytest.fixture(scope="session")
def log_of() -> type[Log]:
    """The class of the logs, which can cancel: `log_of(cancel_after)` or `log_of(cancel_at=percent)`."""
    return Log


@pytest.fixture(scope="session")
def run(plugin: Any) -> Callable[..., Ran]:
    """`run(algorithm, PARAMETER=…)` as from the Python console."""
    return run_algorithm


@pytest.fixture(scope="session")
def refusal(plugin: Any) -> Callable[..., str]:
    """`refusal(algorithm, PARAMETER=…)`: the sentences with which it is refused; no traceback among them."""
    return read_refusal


@pytest.fixture(scope="session")
def points(plugin: Any) -> Callable[..., QgsVectorLayer]:
    """`points(rows, crs, kind)`: a memory layer of `Row`s, whose metres are brought to `crs`."""
    return make_points


@pytest.fixture(scope="session")
def town() -> list[Row]:
    """300 incidents as rows for `points`."""
    return make_city_rows()


@pytest.fixture(scope="session")
def town_layer(points: Callable[..., QgsVectorLayer], town: list[Row]) -> QgsVectorLayer:
    """The town in degrees."""
    return points(town)


@pytest.fixture(scope="session")
def shared_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for what several tests only read."""
    return tmp_path_factory.mktemp("shared files")


@pytest.fixture(scope="session")
def index_file(run: Callable[..., Ran], town_layer: QgsVectorLayer, shared_files: Path) -> Path:
    """A crime index of the town."""
    path = shared_files / "town.crimeindex"
    run("buildcrimeindex", INPUT=town_layer, TIME_FIELD="occurred", CATEGORY_FIELD="category", OUTPUT=str(path))
    return path


@pytest.fixture(scope="session")
def score_model_file(index_file: Path, shared_files: Path) -> Path:
    """A small score model of the town."""
    from crime_risk.bridge import environment

    path = shared_files / "town.crimescore"
    command = [
        str(environment.python_of_engine()),
        str(ROOT / "tests" / "kit" / "score_model.py"),
        str(index_file),
        str(path),
    ]
    subprocess.run(command, check=True, timeout=120, env=environment.make_child_environment())
    return path


@pytest.fixture(scope="session")
def grids_file(run: Callable[..., Ran], town_layer: QgsVectorLayer, shared_files: Path) -> Path:
    """Daily hotspot grids of the town, 12 x 12 cells."""
    path = shared_files / "grids.tif"
    run("rasterizehotspots", INPUT=town_layer, TIME_FIELD="occurred", COLUMNS=12, ROWS=12, OUTPUT=str(path))
    return path


#: Training that takes a second.
QUICK = {"SEQUENCE_LENGTH": 6, "EPOCHS": 1, "CHANNELS": 4, "LAYERS": 1}


@pytest.fixture(scope="session")
def quick() -> dict[str, int]:
    """Parameters of a training that takes a second."""
    return dict(QUICK)


@pytest.fixture(scope="session")
def forecast(run: Callable[..., Ran], grids_file: Path, shared_files: Path) -> Ran:
    """A forecast of two days with its model and report."""
    return run(
        "convlstmprediction",
        INPUT=str(grids_file),
        STEPS=2,
        OUTPUT=str(shared_files / "risk.tif"),
        OUTPUT_MODEL=str(shared_files / "town.crimemodel"),
        OUTPUT_REPORT=str(shared_files / "report.html"),
        **QUICK,
    )
