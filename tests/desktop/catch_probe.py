"""Runs inside a real QGIS window (qgis --code): from incidents to the places to go to, and photographs each step.

Reads $PROBE_WALK (JSON: csv, crs); writes the outputs, result.json and the pictures to $PROBE_FOLDER, then ends QGIS.
"""

from __future__ import annotations

import json
import os
import traceback
from pathlib import Path
from typing import Any

import processing
from crime_risk.tests.kit.pictures import draw, photograph, settle, wait_for
from crime_risk.ui.risk_layout import make_layout
from qgis.core import (
    Qgis,
    QgsCoordinateReferenceSystem,
    QgsDateTimeRange,
    QgsInterval,
    QgsLayoutExporter,
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
#: Four weeks as a whole, on a twentieth of the area.
CATCH = {"AIM": 1, "CATCH_SIZE": 5, "CATCH_UNIT": 0, "HORIZON": 4}


def find_layer(start: str) -> Any:
    """The layer whose name starts so."""
    return next(each for each in QgsProject.instance().mapLayers().values() if each.name().startswith(start))


def count_in_cells() -> None:
    """Incidents from the CSV, and their counts by cell and week."""
    incidents = str(FOLDER / "incidents.gpkg")
    processing.run("crimerisk:importincidents", {"INPUT": WALK["csv"], "OUTPUT": incidents})
    asked = {"INPUT": incidents, "CRS": WALK["crs"], "CELL_SIZE": 250, "BIN_UNIT": 2}
    processing.run("crimerisk:rasterizehotspots", {**asked, "OUTPUT": str(FOLDER / "grids.tif")})


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


def train_and_forecast() -> None:
    """Both in their dialogs; the places and the risk arrive in the project."""
    # As when a user has chosen a layer: QGIS then loads others above it, the first on top.
    QgsProject.instance().addMapLayer(QgsVectorLayer(str(FOLDER / "incidents.gpkg"), "Reported", "ogr"))
    iface.setActiveLayer(find_layer("Reported"))
    grids, model = str(FOLDER / "grids.tif"), str(FOLDER / "catch.crimemodel")
    found["train"] = run_dialog("trainforecastmodel", {"INPUT": grids, **CATCH, "MODEL": model}, "01-train")
    made = {"OUTPUT": str(FOLDER / "risk.tif"), "PLACES": str(FOLDER / "places.gpkg")}
    found["forecast"] = run_dialog("forecastrisk", {"INPUT": grids, "MODEL": model, **made}, "02-forecast")
    QgsProject.instance().setCrs(QgsCoordinateReferenceSystem(WALK["crs"]))
    QgsProject.instance().removeMapLayer(find_layer("Reported").id())
    nodes = QgsProject.instance().layerTreeRoot().findLayers()
    found["layers"] = [node.name() for node in nodes]
    tree = iface.layerTreeView().layerTreeModel()
    found["legends"] = {node.name(): [str(each.data(0)) for each in tree.layerLegendNodes(node)] for node in nodes}


def photograph_window(name: str) -> None:
    """The whole window, the map drawn to its end, without what QGIS says of transformations."""
    draw(iface.mapCanvas())
    iface.messageBar().clearWidgets()
    photograph(iface.mainWindow(), FOLDER / f"{name}.png")


def look_at_the_map() -> None:
    """The places over the risk; once more zoomed in, and with nothing below."""
    panel = iface.mainWindow().findChild(QDockWidget, "Layers")
    iface.mainWindow().resizeDocks([panel], [470], Qt.Orientation.Horizontal)
    canvas, places, risk = iface.mapCanvas(), find_layer("Places to go to"), find_layer("Risk")
    canvas.setExtent(canvas.mapSettings().layerExtentToOutputExtent(risk, risk.extent()).scaled(1.04))
    photograph_window("03-map")
    first = next(each for each in places.getFeatures() if each["rank"] == 1)
    canvas.setExtent(first.geometry().boundingBox().buffered(1200))
    photograph_window("04-near")
    canvas.setExtent(canvas.mapSettings().layerExtentToOutputExtent(risk, risk.extent()).scaled(1.04))
    layout = make_layout(QgsProject.instance(), canvas)
    settings = QgsLayoutExporter.ImageExportSettings()
    settings.dpi = 110
    QgsLayoutExporter(layout).exportToImage(str(FOLDER / "05-layout.png"), settings)
    found["card"] = layout.itemById("card").currentText()
    draw(canvas)
    grey = canvas.grab().toImage().convertToFormat(QImage.Format.Format_Grayscale8)
    grey.save(str(FOLDER / "06-grey.png"))


def play_the_windows() -> None:
    """The places of a test: one window without a time, each in its own with the Temporal Controller."""
    QgsProject.instance().removeMapLayer(find_layer("Places to go to").id())
    asked = {"INPUT": str(FOLDER / "grids.tif"), **CATCH, "RISK": None, "PLACES": str(FOLDER / "tested.gpkg")}
    processing.runAndLoadResults("crimerisk:backtestforecast", asked)
    layer = find_layer("Places to go to")
    found["tested"] = layer.name()
    photograph_window("07-untimed")
    fields, canvas = layer.fields(), iface.mapCanvas()
    first, last = layer.minimumValue(fields.indexOf("start")), layer.maximumValue(fields.indexOf("end"))
    controller = canvas.temporalController()
    controller.setNavigationMode(Qgis.TemporalNavigationMode.Animated)
    controller.setTemporalExtents(QgsDateTimeRange(first, last, True, False))
    controller.setFrameDuration(QgsInterval(4, Qgis.TemporalUnit.Weeks))
    found["frames"] = controller.totalFrameCount()
    controller.setCurrentFrameNumber(1)
    photograph_window("08-second")


def main() -> None:
    """All of it; whatever happens, say so and end."""
    try:
        # Else QGIS asks which of several ways leads from one CRS to another, and waits for an answer.
        QgsSettings().setValue("projections/promptWhenMultipleTransformsExist", False, QgsSettings.Section.App)
        iface.mainWindow().resize(1380, 860)
        iface.messageBar().clearWidgets()
        iface.mainWindow().findChild(QDockWidget, "Browser").hide()
        for step in (count_in_cells, train_and_forecast, look_at_the_map, play_the_windows):
            step()
    except Exception:
        found["error"] = traceback.format_exc()
    (FOLDER / "result.json").write_text(json.dumps(found, ensure_ascii=False, default=str), encoding="utf-8")
    os._exit(0)


QTimer.singleShot(0, main)
