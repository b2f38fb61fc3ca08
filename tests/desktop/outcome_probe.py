"""Runs inside a real QGIS window (qgis --code): from incidents to what is said of their outcomes, and photographs it.

Reads $PROBE_WALK (JSON: csv, weather, census, areas, id, name, train); writes the outputs, result.json and the pictures
to $PROBE_FOLDER, then ends QGIS.
"""

from __future__ import annotations

import json
import os
import traceback
from pathlib import Path
from typing import Any

import processing
from crime_risk.tests.kit.pictures import draw, photograph, settle, wait_for
from qgis.core import QgsCoordinateReferenceSystem, QgsProject, QgsSettings
from qgis.PyQt.QtCore import Qt, QTimer
from qgis.PyQt.QtGui import QImage
from qgis.PyQt.QtWidgets import QDialog, QDockWidget, QTextEdit
from qgis.utils import iface

FOLDER = Path(os.environ["PROBE_FOLDER"])
WALK: dict[str, Any] = json.loads(os.environ["PROBE_WALK"])
AREAS = {"AREAS": WALK["areas"], "AREA_ID": WALK["id"], "AREA_NAME": WALK["name"]}
MODEL = str(FOLDER / "arrests.crimeoutcome")
found: dict[str, Any] = {"logs": {}, "legends": {}}


def run_dialog(tool: str, asked: dict[str, Any], picture: str) -> None:
    """Run a tool in its dialog, as a user does, and keep its log."""
    dialog = processing.createAlgorithmDialog(f"crimerisk:{tool}", asked)
    dialog.resize(1040, 900)
    dialog.show()
    photograph(dialog, FOLDER / f"{picture}.png")
    done: list[bool] = []
    dialog.algorithmFinished.connect(lambda successful, _: done.append(successful))
    dialog.runButton().click()
    wait_for(lambda: done, 900)
    settle()
    log = str(dialog.findChild(QTextEdit, "txtLog").toPlainText())
    photograph(dialog, FOLDER / f"{picture}-log.png")
    dialog.close()
    assert done[0], log
    found["logs"][tool] = log


def walk() -> None:
    """Incidents from the CSV, weather and census beside them, their rates, a model and what it says of them."""
    crimes, weather, both = (str(FOLDER / name) for name in ("crimes.gpkg", "weather.gpkg", "both.gpkg"))
    processing.run("crimerisk:importincidents", {"INPUT": WALK["csv"], "OUTPUT": crimes})
    made = {"TABLE_FILE": WALK["weather"], "OUTPUT": weather}
    processing.run("crimerisk:joincontext", {"INPUT": crimes, "FIELDS": "TMAX; TMIN; PRCP; SNOW", **made})
    run_dialog("joincontext", {"INPUT": weather, "TABLE_FILE": WALK["census"], "OUTPUT": both}, "01-join")
    QgsProject.instance().clear()
    rates = {"REPORT": str(FOLDER / "rates.html"), "BY_AREA": str(FOLDER / "areas.gpkg")}
    run_dialog("outcomerates", {"INPUT": both, **AREAS, **rates}, "02-rates")
    made = {"MODEL": MODEL, "REPORT": str(FOLDER / "report.html"), "TESTED": str(FOLDER / "tested.gpkg")}
    run_dialog("trainoutcome", {"INPUT": both, **WALK["train"], **made}, "03-train")
    layers = {name: str(FOLDER / f"{name.lower()}.gpkg") for name in ("BLOCKS", "OUTLOOK")}
    layers |= {"OUTPUT": str(FOLDER / "outcomes.gpkg"), "BY_AREA": str(FOLDER / "predicted.gpkg")}
    run_dialog(
        "predictoutcome", {"INPUT": both, "MODEL": MODEL, **AREAS, **WALK.get("predict", {}), **layers}, "04-predict"
    )


def look_at_layers() -> None:
    """Each layer alone on the map, and the table."""
    panel = iface.mainWindow().findChild(QDockWidget, "Layers")
    iface.mainWindow().resizeDocks([panel], [430], Qt.Orientation.Horizontal)
    canvas, root = iface.mapCanvas(), QgsProject.instance().layerTreeRoot()
    nodes = root.findLayers()
    tree = iface.layerTreeView().layerTreeModel()
    found["layers"] = [node.name() for node in nodes]
    spatial = [node for node in nodes if node.layer().isSpatial()]
    QgsProject.instance().setCrs(QgsCoordinateReferenceSystem(spatial[0].layer().crs()))
    for number, node in enumerate(spatial):
        layer = node.layer()
        found["legends"][node.name()] = [str(each.data(0)) for each in tree.layerLegendNodes(node)]
        for other in nodes:
            other.setItemVisibilityChecked(other is node)
            other.setExpanded(other is node)
        canvas.setExtent(canvas.mapSettings().layerExtentToOutputExtent(layer, layer.extent()).scaled(1.04))
        draw(canvas)
        iface.messageBar().clearWidgets()
        photograph(iface.mainWindow(), FOLDER / f"05-map-{number}.png")
        grey = canvas.grab().toImage().convertToFormat(QImage.Format.Format_Grayscale8)
        grey.save(str(FOLDER / f"06-grey-{number}.png"))
    for node in nodes:
        if not node.layer().isSpatial():
            table = iface.showAttributeTable(node.layer())
            window = table if isinstance(table, QDialog) else table.window()
            window.resize(1100, 500)
            photograph(window, FOLDER / f"07-{node.name().lower().replace(' ', '-')}.png")


def main() -> None:
    """All of it; whatever happens, say so and end."""
    try:
        # Else QGIS asks which of several ways leads from one CRS to another, and waits for an answer.
        QgsSettings().setValue("projections/promptWhenMultipleTransformsExist", False, QgsSettings.Section.App)
        iface.mainWindow().resize(1380, 860)
        iface.messageBar().clearWidgets()
        iface.mainWindow().findChild(QDockWidget, "Browser").hide()
        for step in (walk, look_at_layers):
            step()
    except Exception:
        found["error"] = traceback.format_exc()
    (FOLDER / "result.json").write_text(json.dumps(found, ensure_ascii=False, default=str), encoding="utf-8")
    os._exit(0)


QTimer.singleShot(0, main)
