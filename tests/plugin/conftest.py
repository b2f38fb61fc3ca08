"""The plugin inside a headless QGIS, with the real engine behind it."""

from __future__ import annotations

import datetime
import math
import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsFeature,
    QgsField,
    QgsGeometry,
    QgsPointXY,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingUtils,
    QgsProject,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QDate, QDateTime, QMetaType, Qt, QTime

ROOT = Path(__file__).resolve().parents[2]
os.environ.setdefault("CRIMERISK_ENGINE", str(ROOT / ".engine"))

#: x and y in EPSG:32610 (Portland), wall-clock time, category.
Row = tuple[float, float, Any, Any]
PORTLAND = 525_000.0, 5_040_000.0
METRES = "EPSG:32610"


def pytest_configure(config: pytest.Config) -> None:
    """Leave QGIS running at the end: pytest lets go of the last test's layers only after it would have been ended."""
    config._plugin_settings = config._plugin_settings._replace(qgis_exit_disabled=True)  # type: ignore[attr-defined]


class Log(QgsProcessingFeedback):
    """Keeps what is said, and can cancel: after so many reports of progress, or at so many percent.

    How many reports there are depends on the machine's speed; where the moment matters it is told by the percentage.
    """

    def __init__(self, cancel_after: int | None = None, cancel_at: float | None = None) -> None:
        super().__init__(False)
        self.lines: list[str] = []
        self.warnings: list[str] = []
        self.errors: list[str] = []
        self.calls = 0
        self.highest = 0.0
        self.cancel_after = cancel_after
        self.cancel_at = cancel_at

    def setProgress(self, progress: float) -> None:  # noqa: N802
        self.calls += 1
        self.highest = max(self.highest, progress)
        if self.cancel_after is not None and self.calls > self.cancel_after:
            self.cancel()
        if self.cancel_at is not None and progress >= self.cancel_at:
            self.cancel()
        super().setProgress(progress)

    def pushInfo(self, info: str) -> None:  # noqa: N802
        self.lines.append(info)

    def pushWarning(self, warning: str) -> None:  # noqa: N802
        self.lines.append(warning)
        self.warnings.append(warning)

    def reportError(self, error: str, fatalError: bool = False) -> None:  # noqa: N802, N803
        self.errors.append(error)

    @property
    def text(self) -> str:
        """Everything but the errors."""
        return "\n".join(self.lines)


@dataclass
class Ran:
    """Results of an algorithm and what it said."""

    results: dict[str, Any]
    log: Log

    def __getitem__(self, name: str) -> Any:
        return self.results[name]


@pytest.fixture(scope="session", autouse=True)
def plugin(qgis_processing: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The plugin object, its algorithms registered; the checkout's folder may have any name."""
    folder = tmp_path_factory.mktemp("plugins")
    (folder / "crime_risk").symlink_to(ROOT)
    sys.path.insert(0, str(folder))
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


def _run(algorithm: str, log: Log | None = None, **parameters: Any) -> Ran:
    import processing

    log = log or Log()
    context = QgsProcessingContext()
    context.setProject(QgsProject.instance())
    # Kept alive with the results: the layers in them belong to the context.
    log.context = context  # type: ignore[attr-defined]
    results = processing.run(_full(algorithm), parameters, context=context, feedback=log)
    return Ran(results, log)


def _full(algorithm: str) -> str:
    return algorithm if ":" in algorithm else f"crimerisk:{algorithm}"


@pytest.fixture(scope="session")
def run(plugin: Any) -> Callable[..., Ran]:
    """`run(algorithm, PARAMETER=…)` as from the Python console."""
    return _run


@pytest.fixture(scope="session")
def refusal(plugin: Any) -> Callable[..., str]:
    """`refusal(algorithm, PARAMETER=…)`: the sentences with which it is refused; no traceback among them."""

    def refusal(algorithm: str, log: Log | None = None, **parameters: Any) -> str:
        log = log or Log()
        with pytest.raises(QgsProcessingException) as caught:
            _run(algorithm, log, **parameters)
        said = "\n".join([str(caught.value), *log.errors])
        assert "Traceback" not in said, said
        return said

    return refusal


_KINDS = {
    "datetime": QMetaType.Type.QDateTime,
    "date": QMetaType.Type.QDate,
    "text": QMetaType.Type.QString,
    "integer": QMetaType.Type.Int,
}


def _time(value: Any, kind: str) -> Any:
    if value is None or kind == "integer":
        return value
    if isinstance(value, str):
        return value
    if kind == "date":
        return QDate(value.year, value.month, value.day)
    if kind == "text":
        return value.isoformat(sep=" ")
    clock = QTime(value.hour, value.minute, value.second)
    return QDateTime(QDate(value.year, value.month, value.day), clock, Qt.TimeSpec.UTC)


@pytest.fixture(scope="session")
def points(plugin: Any) -> Callable[..., QgsVectorLayer]:
    """`points(rows, crs, kind)`: a memory layer of `Row`s, whose metres are brought to `crs`.

    A row's place may also be WKT (taken as it is) or None for NULL.
    """

    def points(
        rows: Sequence[Sequence[Any]],
        crs: str = "EPSG:4326",
        kind: str = "datetime",
        geometry: str = "Point",
        raw: bool = False,
    ) -> QgsVectorLayer:
        layer = QgsVectorLayer(f"{geometry}?crs={crs}" if crs else geometry, "reports", "memory")
        if not crs:
            layer.setCrs(QgsCoordinateReferenceSystem())
        layer.dataProvider().addAttributes(
            [QgsField("occurred", _KINDS[kind]), QgsField("category", QMetaType.Type.QString)]
        )
        layer.updateFields()
        move = QgsCoordinateTransform(
            QgsCoordinateReferenceSystem(METRES), QgsCoordinateReferenceSystem(crs or METRES), QgsProject.instance()
        )
        features = []
        for x, y, when, category in rows:
            feature = QgsFeature(layer.fields())
            if isinstance(x, str):
                feature.setGeometry(QgsGeometry.fromWkt(x))
            elif x is not None:
                point = QgsPointXY(x, y) if raw else move.transform(QgsPointXY(x, y))
                feature.setGeometry(QgsGeometry.fromPointXY(point))
            feature.setAttributes([_time(when, kind), category])
            features.append(feature)
        assert layer.dataProvider().addFeatures(features)[0]
        layer.updateExtents()
        # Owned by the project: otherwise the first run takes the layer, and its context deletes it.
        QgsProject.instance().addMapLayer(layer, False)
        return layer

    return points


def city_rows(count: int = 300, days: int = 40, seed: int = 1) -> list[Row]:
    """Incidents of a small town: three clusters within 3 km, `days` days from 2024-01-01, two categories."""
    chance = random.Random(seed)
    rows: list[Row] = []
    for number in range(count):
        east, north = ((600, 700), (2200, 900), (1500, 2300))[number % 3]
        angle, distance = chance.uniform(0, 2 * math.pi), chance.expovariate(1 / 150)
        when = datetime.datetime(2024, 1, 1) + datetime.timedelta(
            days=number * days // count, seconds=chance.randrange(86_400)
        )
        place = PORTLAND[0] + east + distance * math.cos(angle), PORTLAND[1] + north + distance * math.sin(angle)
        rows.append((*place, when, "Burglary" if number % 4 else "Theft"))
    return rows


@pytest.fixture(scope="session")
def town() -> list[Row]:
    """300 incidents as rows for `points`."""
    return city_rows()


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
    command = [str(environment.engine_python()), str(ROOT / "tests" / "score_model.py"), str(index_file), str(path)]
    subprocess.run(command, check=True, timeout=120, env=environment.child_environment())
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
