"""Runs inside a real QGIS window (qgis --code): from incidents to the week's warnings, and photographs each step.

Reads $PROBE_WALK (JSON: csv, areas, id, targets, similar, perhaps task); writes the outputs, result.json and the
pictures to $PROBE_FOLDER, then ends QGIS.
"""

from __future__ import annotations

import json
import os
import traceback
from pathlib import Path
from typing import Any

import processing
from crime_risk.tests.kit.pictures import draw, photograph, settle, wait_for
from qgis.core import (
    Qgis,
    QgsCoordinateReferenceSystem,
    QgsDateTimeRange,
    QgsInterval,
    QgsProject,
    QgsSettings,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import Qt, QTimer
from qgis.PyQt.QtGui import QImage
from qgis.PyQt.QtWidgets import QDockWidget, QTextEdit
from qgis.utils import iface

FOLDER = Path(os.environ["PROBE_FOLDER"])
WALK: dict[str, Any] = json.loads(os.environ["PROBE_WALK"])
found: dict[str, Any] = {}
AREAS = {"AREAS": WALK["areas"], "AREA_ID": WALK["id"]}
#: What is warned of; windows are days from six to six unless the walk says otherwise.
TASK = {**AREAS, "TARGETS": WALK["targets"], "SIMILAR": WALK["similar"], **WALK.get("task", {"BEGIN": 6})}


def find_layer(start: str) -> Any:
    """The layer whose name starts so."""
    return next(each for each in QgsProject.instance().mapLayers().values() if each.name().startswith(start))


def run_dialog(tool: str, asked: dict[str, Any], picture: str) -> str:
    """Run a tool in its dialog, as a user does; returns its log."""
    dialog = processing.createAlgorithmDialog(f"crimerisk:{tool}", asked)
    dialog.resize(1040, 900)
    dialog.show()
    photograph(dialog, FOLDER / f"{picture}.png")
    done: list[bool] = []
    dialog.algorithmFinished.connect(lambda successful, _: done.append(successful))
    dialog.runButton().click()
    wait_for(lambda: done, 600)
    settle(1000)
    log = str(dialog.findChild(QTextEdit, "txtLog").toPlainText())
    photograph(dialog, FOLDER / f"{picture}-log.png")
    dialog.close()
    assert done[0], log
    return log


def train_and_warn() -> None:
    """Incidents from the CSV, a model of days from six to six, and a week of warnings in the project."""
    incidents, model = str(FOLDER / "incidents.gpkg"), str(FOLDER / "warnings.crimemodel")
    processing.run("crimerisk:importincidents", {"INPUT": WALK["csv"], "OUTPUT": incidents})
    made = {"INPUT": incidents, "MODEL": model, "REPORT": str(FOLDER / "report.html")}
    found["train"] = run_dialog("trainwarning", {**TASK, **made}, "01-train")
    made = {"WARNINGS": str(FOLDER / "warnings.gpkg"), "NEXT_WINDOWS": str(FOLDER / "next.gpkg")}
    found["warn"] = run_dialog("warn", {"INPUT": incidents, **AREAS, "MODEL": model, **made}, "02-warn")
    layer = find_layer("Warnings")
    QgsProject.instance().setCrs(QgsCoordinateReferenceSystem(layer.crs()))
    nodes = QgsProject.instance().layerTreeRoot().findLayers()
    found["layers"] = [node.name() for node in nodes]
    tree = iface.layerTreeView().layerTreeModel()
    found["legends"] = {node.name(): [str(each.data(0)) for each in tree.layerLegendNodes(node)] for node in nodes}
    found["abstract"] = layer.metadata().abstract()


def photograph_window(name: str) -> None:
    """The whole window, the map drawn to its end, without what QGIS says of transformations."""
    draw(iface.mapCanvas())
    iface.messageBar().clearWidgets()
    photograph(iface.mainWindow(), FOLDER / f"{name}.png")


def look_at_the_map() -> None:
    """The first window without a time, in grey too; then the last one with the Temporal Controller."""
    panel = iface.mainWindow().findChild(QDockWidget, "Layers")
    iface.mainWindow().resizeDocks([panel], [430], Qt.Orientation.Horizontal)
    canvas, layer = iface.mapCanvas(), find_layer("Warnings")
    canvas.setExtent(canvas.mapSettings().layerExtentToOutputExtent(layer, layer.extent()).scaled(1.04))
    photograph_window("03-untimed")
    grey = canvas.grab().toImage().convertToFormat(QImage.Format.Format_Grayscale8)
    grey.save(str(FOLDER / "04-grey.png"))
    fields = layer.fields()
    first, last = layer.minimumValue(fields.indexOf("start")), layer.maximumValue(fields.indexOf("end"))
    controller = canvas.temporalController()
    controller.setNavigationMode(Qgis.TemporalNavigationMode.Animated)
    controller.setTemporalExtents(QgsDateTimeRange(first, last, True, False))
    controller.setFrameDuration(QgsInterval(24, Qgis.TemporalUnit.Hours))
    found["frames"] = controller.totalFrameCount()
    controller.setCurrentFrameNumber(5)
    photograph_window("05-sixth")


def look_at_a_test() -> None:
    """What became of the warnings of a test."""
    QgsProject.instance().removeMapLayer(find_layer("Warnings").id())
    made = {"INPUT": str(FOLDER / "incidents.gpkg"), "TEST": 0.05, "WARNINGS": str(FOLDER / "tested.gpkg")}
    processing.runAndLoadResults("crimerisk:backtestwarnings", {**TASK, **made})
    layer: QgsVectorLayer = find_layer("Warnings of the test")
    found["tested"] = layer.name()
    iface.mapCanvas().temporalController().setCurrentFrameNumber(0)
    iface.mapCanvas().temporalController().setNavigationMode(Qgis.TemporalNavigationMode.Disabled)
    photograph_window("07-tested")


def main() -> None:
    """All of it; whatever happens, say so and end."""
    try:
        # Else QGIS asks which of several ways leads from one CRS to another, and waits for an answer.
        QgsSettings().setValue("projections/promptWhenMultipleTransformsExist", False, QgsSettings.Section.App)
        iface.mainWindow().resize(1380, 860)
        iface.messageBar().clearWidgets()
        iface.mainWindow().findChild(QDockWidget, "Browser").hide()
        for step in (train_and_warn, look_at_the_map, look_at_a_test):
            step()
    except Exception:
        found["error"] = traceback.format_exc()
    (FOLDER / "result.json").write_text(json.dumps(found, ensure_ascii=False, default=str), encoding="utf-8")
    os._exit(0)


QTimer.singleShot(0, main)
