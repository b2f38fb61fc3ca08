"""Runs inside a real QGIS window (qgis --code): walks from incidents to a forecast by area, and photographs each step.

Reads $PROBE_WALK (JSON: csv, areas, id, name, column, crs, test), where `column` of the incidents names their area and
`test` is the first month of the backtest; writes the outputs, result.json and the pictures to $PROBE_FOLDER, then ends
QGIS.
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
from qgis.PyQt.QtWidgets import QDockWidget, QTableView, QTextEdit
from qgis.utils import iface

FOLDER = Path(os.environ["PROBE_FOLDER"])
WALK: dict[str, Any] = json.loads(os.environ["PROBE_WALK"])
found: dict[str, Any] = {}


def find_layer(start: str) -> Any:
    """The layer whose name starts so."""
    return next(each for each in QgsProject.instance().mapLayers().values() if each.name().startswith(start))


def import_incidents() -> None:
    """Step 1."""
    asked = {"INPUT": WALK["csv"], "OUTPUT": str(FOLDER / "incidents.gpkg")}
    processing.runAndLoadResults("crimerisk:importincidents", asked)
    # The project takes the CRS of its first layer a moment later.
    settle()
    QgsProject.instance().setCrs(QgsCoordinateReferenceSystem(WALK["crs"]))
    areas = QgsVectorLayer(WALK["areas"], Path(WALK["areas"]).stem, "ogr")
    QgsProject.instance().addMapLayer(areas)


def count_in_its_dialog() -> None:
    """Step 2: Count incidents by area in its dialog; the panel arrives in the project."""
    asked = {
        "INPUT": find_layer("Incidents").id(),
        "CATEGORY_FIELD": "category",
        "AREAS": find_layer(Path(WALK["areas"]).stem).id(),
        "AREA_ID": WALK["id"],
        "AREA_NAME": WALK["name"],
        "AREA_COLUMN": WALK["column"],
        "CRS": WALK["crs"],
        "DELAY": 2,
        "OUTPUT": str(FOLDER / "counts.gpkg"),
    }
    dialog = processing.createAlgorithmDialog("crimerisk:countareas", asked)
    dialog.resize(1000, 1130)
    dialog.show()
    photograph(dialog, FOLDER / "02-count.png")
    done: list[bool] = []
    dialog.algorithmFinished.connect(lambda successful, _: done.append(successful))
    dialog.runButton().click()
    wait_for(lambda: done, 300)
    settle(1000)
    found["counted"], found["log"] = done[0], dialog.findChild(QTextEdit, "txtLog").toPlainText()
    dialog.close()


def show(start: str, *others: str) -> Any:
    """Only this layer and the others, with its legend, the map zoomed to it."""
    layer = find_layer(start)
    seen = {layer.id(), *(find_layer(other).id() for other in others)}
    for node in QgsProject.instance().layerTreeRoot().findLayers():
        node.setItemVisibilityChecked(node.layerId() in seen)
        node.setExpanded(node.layerId() == layer.id())
    canvas = iface.mapCanvas()
    canvas.setExtent(canvas.mapSettings().layerExtentToOutputExtent(layer, layer.extent()).scaled(1.04))
    iface.setActiveLayer(layer)
    return layer


def photograph_window(name: str) -> None:
    """The whole window, the map drawn to its end, without what QGIS says of transformations."""
    draw(iface.mapCanvas())
    iface.messageBar().clearWidgets()
    photograph(iface.mainWindow(), FOLDER / f"{name}.png")


def play_the_counts() -> None:
    """Step 3: the Temporal Controller over the months of the panel; two of them look different."""
    panel = iface.mainWindow().findChild(QDockWidget, "Layers")
    iface.mainWindow().resizeDocks([panel], [440], Qt.Orientation.Horizontal)
    found["order"] = [node.name() for node in QgsProject.instance().layerTreeRoot().findLayers()]
    layer = show("Counts by area", "Areas")
    controller = iface.mapCanvas().temporalController()
    dock = next(each for each in iface.mainWindow().findChildren(QDockWidget) if "Temporal" in each.windowTitle())
    dock.show()
    iface.mainWindow().resizeDocks([dock], [125], Qt.Orientation.Vertical)
    controller.setNavigationMode(Qgis.TemporalNavigationMode.Animated)
    fields = layer.fields()
    first, last = layer.minimumValue(fields.indexOf("start")), layer.maximumValue(fields.indexOf("end"))
    controller.setTemporalExtents(QgsDateTimeRange(first, last, True, False))
    controller.setFrameDuration(QgsInterval(1, Qgis.TemporalUnit.Months))
    pictures = []
    for frame in (2, 3):
        controller.setCurrentFrameNumber(frame)
        photograph_window("03-play")
        pictures.append(iface.mapCanvas().grab().toImage())
    found["months_differ"] = pictures[0] != pictures[1]
    dock.hide()
    controller.setNavigationMode(Qgis.TemporalNavigationMode.Disabled)


def judge_train_and_forecast() -> None:
    """Steps 5 to 7: the backtest's report, a model, and the next months."""
    counts = str(FOLDER / "counts.gpkg")
    processing.run(
        "crimerisk:backtestforecast",
        {"INPUT": counts, "START": WALK["test"], "REPORT": str(FOLDER / "05-backtest.html"), "RISK": None},
    )
    model = str(FOLDER / "areas.crimemodel")
    processing.run("crimerisk:trainforecastmodel", {"INPUT": counts, "MODEL": model})
    asked = {"INPUT": counts, "MODEL": model, "STEPS": 2}
    made = {"AREAS": str(FOLDER / "risk.gpkg"), "TOP": str(FOLDER / "top.gpkg")}
    processing.runAndLoadResults("crimerisk:forecastrisk", {**asked, **made})


def look_at_the_forecast() -> None:
    """Step 8: the areas by class, and what they are called."""
    nodes = QgsProject.instance().layerTreeRoot().findLayers()
    found["layers"] = [node.name() for node in nodes]
    tree = iface.layerTreeView().layerTreeModel()
    found["legends"] = {node.name(): [str(each.data(0)) for each in tree.layerLegendNodes(node)] for node in nodes}
    layer = show("Risk by area")
    found["active"] = layer.temporalProperties().isActive()
    photograph_window("08-map")


def look_at_top_places() -> None:
    """Step 9: the attribute table."""
    layer = find_layer("Top places")
    table = iface.showAttributeTable(layer)
    table.window().resize(1540, 560)
    settle()
    view = next(each for each in table.findChildren(QTableView) if each.isVisible())
    view.resizeColumnsToContents()
    model = view.model()
    columns = range(model.columnCount())
    found["headings"] = [model.headerData(column, Qt.Orientation.Horizontal) for column in columns]
    found["first"] = {found["headings"][each]: str(model.index(0, each).data()) for each in columns}
    photograph(table.window(), FOLDER / "09-top.png")


def main() -> None:
    """All of it; whatever happens, say so and end."""
    try:
        # Else QGIS asks which of several ways leads from one CRS to another, and waits for an answer.
        QgsSettings().setValue("projections/promptWhenMultipleTransformsExist", False, QgsSettings.Section.App)
        iface.mainWindow().resize(1380, 860)
        iface.messageBar().clearWidgets()
        iface.mainWindow().findChild(QDockWidget, "Browser").hide()
        for step in (
            import_incidents,
            count_in_its_dialog,
            play_the_counts,
            judge_train_and_forecast,
            look_at_the_forecast,
            look_at_top_places,
        ):
            step()
    except Exception:
        found["error"] = traceback.format_exc()
    (FOLDER / "result.json").write_text(json.dumps(found, ensure_ascii=False, default=str), encoding="utf-8")
    os._exit(0)


QTimer.singleShot(0, main)
