"""In batch, in a background thread, with what a model passes; the shipped models have a module of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from kit.algorithms import run_in_background
from qgis.core import (
    QgsApplication,
    QgsProcessingAlgRunnerTask,
    QgsProcessingContext,
    QgsProject,
    QgsRasterLayer,
)
from qgis.PyQt.QtCore import QEventLoop, QTimer


def test_batch(run: Any, log_of: Any, town_layer: Any, tmp_path: Path) -> None:
    """Two runs of one instance, as the batch dialog does; the second knows nothing of the first."""
    one = QgsApplication.processingRegistry().algorithmById("crimerisk:rasterizehotspots").create()
    for number in (1, 2):
        context = QgsProcessingContext()
        context.setProject(QgsProject.instance())
        path = str(tmp_path / f"{number}.tif")
        parameters = {"INPUT": town_layer, "TIME_FIELD": "occurred", "COLUMNS": 3 * number, "ROWS": 3, "OUTPUT": path}
        log = log_of()
        results, fine = one.run(parameters, context, log)
        assert fine, log.errors
        assert (results["WIDTH"], results["OUTPUT"]) == (3 * number, path)
        assert QgsRasterLayer(path, "grids").width() == 3 * number


@pytest.mark.parametrize("cancel", [False, True])
def test_background_task(cancel: bool, log_of: Any, grids_file: Path, tmp_path: Path) -> None:
    """As the toolbox runs it; cancelling the task leaves nothing behind."""
    log = log_of(0 if cancel else None)
    size = {"EPOCHS": 5000, "CHANNELS": 32} if cancel else {"EPOCHS": 1, "CHANNELS": 4}
    parameters = {"INPUT": str(grids_file), **size, "OUTPUT": str(tmp_path / "risk.tif")}
    fine, ran = run_in_background("convlstmprediction", parameters, log)
    if cancel:
        assert not fine
        assert "Cancelled: nothing was written." in "\n".join(log.errors)
        assert not list(tmp_path.iterdir())
    else:
        assert fine, log.errors
        layer = ran.layer()
        assert layer.renderer().type() == "singlebandpseudocolor", "styled after the task, in the main thread"


def test_two_at_once(log_of: Any, town_layer: Any, grids_file: Path, tmp_path: Path) -> None:
    """Two tasks share the batch worker one after the other, and both end well."""
    loop, ended, kept = QEventLoop(), [], []
    jobs = (
        (
            "convlstmprediction",
            {"INPUT": str(grids_file), "EPOCHS": 2, "CHANNELS": 4, "OUTPUT": str(tmp_path / "r.tif")},
        ),
        ("classifyrisk", {"INPUT": str(grids_file), "OUTPUT": str(tmp_path / "c.tif")}),
    )
    for name, parameters in jobs:
        one = QgsApplication.processingRegistry().algorithmById(f"crimerisk:{name}").create()
        context, log = QgsProcessingContext(), log_of()
        context.setProject(QgsProject.instance())
        task = QgsProcessingAlgRunnerTask(one, parameters, context, log)
        task.executed.connect(lambda fine, results: (ended.append(fine), len(ended) == len(jobs) and loop.quit()))
        kept.append((one, context, log, task))
        QgsApplication.taskManager().addTask(task)
    QTimer.singleShot(60_000, loop.quit)
    loop.exec()
    assert ended == [True, True], [log.errors for _, _, log, _ in kept]


OF_RASTERS = ("convlstmprediction", "classifyrisk", "fillheatmapgaps", "binarizeheatmaps", "upsamplerisk")


@pytest.mark.parametrize(
    ("algorithm", "parameters", "sentence"),
    [
        (
            "buildcrimeindex",
            {"TIME_FIELD": "date"},
            "TIME_FIELD: the layer has no field date. It has: occurred, category",
        ),
        ("buildcrimeindex", {"TIME_FIELD": "occurred", "CATEGORY_FIELD": "kind"}, "CATEGORY_FIELD: the layer has no"),
        (
            "buildcrimeindex",
            {"TIME_FIELD": "occurred", "TREES": 0, "METHOD": 1},
            "TREES is 0; give a whole number from 1 to 1000",
        ),
        ("buildcrimeindex", {"TIME_FIELD": "occurred", "CRS": "EPSG:4326"}, "does not measure in metres"),
        ("rasterizehotspots", {"TIME_FIELD": "occurred", "CELL_SIZE": 0}, "CELL_SIZE is 0; it must be greater than 0"),
        (
            "rasterizehotspots",
            {"TIME_FIELD": "occurred", "BIN_LENGTH": 0},
            "BIN_LENGTH is 0; give a whole number from 1",
        ),
        ("rasterizehotspots", {"TIME_FIELD": "occurred", "ROWS": -2}, "ROWS is -2; it must be greater than 0"),
        ("crimescorelayer", {"RADIUS": 0}, "RADIUS is 0; it must be greater than 0"),
        ("crimescorelayer", {"WINDOW": -1}, "WINDOW is -1; it must be greater than 0"),
        ("crimescorelayer", {"SPACING": 0}, "SPACING is 0; it must be greater than 0, usually 250"),
        ("convlstmprediction", {"EPOCHS": 0}, "EPOCHS is 0; give a whole number from 1 to 10000"),
        ("convlstmprediction", {"LEARNING_RATE": "nan"}, "LEARNING_RATE is nan; it must be greater than 0"),
        ("rasterizehotspots", {"TIME_FIELD": "occurred", "CRS": "EPSG:3857"}, "is a Mercator projection"),
        ("classifyrisk", {"PERCENTILES": "many"}, "PERCENTILES is many"),
        ("classifyrisk", {"METHOD": 1, "SHARES": "many"}, "SHARES is many"),
        ("selectstudyarea", {"TIME_FIELD": "occurred", "METHOD": 2}, "POLYGONS is empty"),
        ("selectstudyarea", {"TIME_FIELD": "occurred", "CELL_SIZE": 0}, "CELL_SIZE is 0; it must be greater than 0"),
        ("selectstudyarea", {"TIME_FIELD": "occurred", "SHARE": 0}, "SHARE is 0; give a number from 1 to 100"),
        (
            "selectstudyarea",
            {"TIME_FIELD": "occurred", "METHOD": 1, "EVENTS": 0},
            "EVENTS is 0; give a whole number from 1",
        ),
        ("selectperiod", {"TIME_FIELD": "occurred", "LEAST": 0}, "LEAST is 0; give a number from 1"),
        ("selectperiod", {"TIME_FIELD": "when"}, "the layer has no field when"),
        ("binarizeheatmaps", {"THRESHOLD": -1}, "THRESHOLD is -1; give a number from 0"),
        ("upsamplerisk", {"FACTOR": 1}, "FACTOR is 1; give a whole number from 2 to 20"),
        (
            "rasterizehotspots",
            {"TIME_FIELD": "occurred", "STACKS": "stacks"},
            "STACKS is stacks, but CATEGORY_FIELD is empty",
        ),
        ("importincidents", {"INPUT": ""}, "INPUT"),
    ],
)
def test_what_a_model_passes_is_checked_too(
    algorithm: str,
    parameters: dict[str, Any],
    sentence: str,
    log_of: Any,
    town_layer: Any,
    index_file: Path,
    grids_file: Path,
    tmp_path: Path,
) -> None:
    """A model's steps run without checkParameterValues: the sentence comes from further down; nothing is written."""
    one = QgsApplication.processingRegistry().algorithmById(f"crimerisk:{algorithm}").create()
    context, log = QgsProcessingContext(), log_of()
    context.setProject(QgsProject.instance())
    given = {
        "INPUT": str(grids_file) if algorithm in OF_RASTERS else town_layer,
        "INDEX": str(index_file),
        "OUTPUT": str(tmp_path / "out.tif"),
    }
    _, fine = one.run({**given, **parameters}, context, log)
    assert not fine
    said = "\n".join(log.errors)
    assert sentence in said
    assert "Traceback" not in said
    assert not list(tmp_path.iterdir())
