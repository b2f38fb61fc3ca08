"""Runs inside a real QGIS window (qgis --code): walks through what README says, and photographs each step.

Reads $PROBE_CSV, $PROBE_CATEGORIES and $PROBE_CRS (the project's); writes the outputs, result.json and
the pictures to $PROBE_FOLDER, then ends QGIS.
"""

from __future__ import annotations

import json
import os
import re
import traceback
from pathlib import Path
from typing import Any

import processing
from crime_risk.tests.kit.pictures import draw, photograph, settle, wait_for
from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsDateTimeRange,
    QgsLayoutExporter,
    QgsProject,
)
from qgis.PyQt.QtCore import QDateTime, QPoint, Qt, QTimer
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QAction, QDockWidget, QTextEdit
from qgis.utils import iface, plugins

FOLDER = Path(os.environ["PROBE_FOLDER"])
CSV = os.environ["PROBE_CSV"]
found: dict[str, Any] = {}


def photograph_window(name: str) -> None:
    """The whole window, the map drawn to its end."""
    draw(iface.mapCanvas())
    photograph(iface.mainWindow(), FOLDER / f"{name}.png")


def set_up() -> None:
    """Install: Plugins ▸ Crime Risk ▸ Set up engine…"""
    iface.mainWindow().findChild(QAction, "crime_risk_set_up_engine").trigger()
    dialog = plugins["crime_risk"].dialog
    photograph(dialog, FOLDER / "00-set-up.png")
    dialog.close()


def look_at_the_file() -> None:
    """Step 1: the dialog of Import incidents shows what the file holds."""
    dialog = processing.createAlgorithmDialog("crimerisk:importincidents", {"INPUT": CSV})
    dialog.resize(1100, 800)
    dialog.show()
    preview = dialog.mainWidget().preview
    # First the first rows are read, then all are counted.
    wait_for(lambda: re.search(r"\d rows", preview.message.text) and "Counting" not in preview.message.text, 240)
    found["preview"] = preview.message.text
    photograph(dialog, FOLDER / "01-file.png")
    dialog.close()


def run_model() -> None:
    """Steps 2 and 3: From CSV to risk map in its dialog; its layers arrive in the project, and the log says why."""
    files = {"hotspot_grids": "grids.tif", "risk": "risk.tif", "risk_classes": "classes.tif", "report": "report.html"}
    files |= {"crime_index": "city.crimeindex", "trained_model": "city.crimemodel"}
    files |= {"a_look_at_the_incidents": "inspection.html"}
    asked = {key: str(FOLDER / file) for key, file in files.items()}
    for table in ("incidents", "refused_rows", "crime_scores", "class_polygons"):
        asked[table] = f"ogr:dbname='{FOLDER / 'city.gpkg'}' table=\"{table}\" (geom)"
    asked |= {"csv": CSV, "categories": os.environ["PROBE_CATEGORIES"], "steps": 7}
    dialog = processing.createAlgorithmDialog("crimerisk:csv_to_risk_map", asked)
    dialog.resize(1000, 800)
    dialog.show()
    photograph(dialog, FOLDER / "02-model.png")
    done: list[bool] = []
    dialog.algorithmFinished.connect(lambda successful, _: done.append(successful))
    dialog.runButton().click()
    wait_for(lambda: done, 900)
    settle(1000)
    found["succeeded"] = done[0]
    found["log"] = dialog.findChild(QTextEdit, "txtLog").toPlainText()
    photograph(dialog, FOLDER / "03-log.png")
    dialog.close()
    if crs := os.environ.get("PROBE_CRS"):
        QgsProject.instance().setCrs(QgsCoordinateReferenceSystem(crs))
    found["crs"] = QgsProject.instance().crs().authid()


def find_layer(start: str) -> Any:
    """The layer whose name starts so."""
    return next(each for each in QgsProject.instance().mapLayers().values() if each.name().startswith(start))


def show(*starts: str) -> None:
    """Only these layers, the map zoomed to the risk."""
    root = QgsProject.instance().layerTreeRoot()
    wanted = {find_layer(start).id() for start in starts}
    for node in root.findLayers():
        node.setItemVisibilityChecked(node.layerId() in wanted)
        node.setExpanded(node.layerId() in wanted)
    canvas, risk = iface.mapCanvas(), find_layer("Risk,")
    canvas.setExtent(canvas.mapSettings().layerExtentToOutputExtent(risk, risk.extent()))


def look_at_results() -> None:
    """Steps 5 and 6: the classes, what lies below them, and the hotspot grids of one day."""
    panel = iface.mainWindow().findChild(QDockWidget, "Layers")
    iface.mainWindow().resizeDocks([panel], [480], Qt.Orientation.Horizontal)
    nodes = QgsProject.instance().layerTreeRoot().findLayers()
    found["layers"] = [node.name() for node in nodes]
    tree = iface.layerTreeView().layerTreeModel()
    found["legend"] = [[str(each.data(0)) for each in tree.layerLegendNodes(node)] for node in nodes]
    for name, layer in (("", "Risk classes"), ("-below", "Risk,"), ("-scores", "Crime scores"), ("-raw", "Incidents")):
        show(layer)
        photograph_window(f"05-risk{name}")
    show("Hotspot grids")
    ranges = find_layer("Hotspot grids").temporalProperties().fixedRangePerBand()
    last = ranges[max(ranges)]
    iface.mapCanvas().setTemporalRange(QgsDateTimeRange(last.begin(), last.end(), True, False))
    photograph_window("06-play")
    iface.mapCanvas().setTemporalRange(QgsDateTimeRange(QDateTime(), QDateTime()))


def ask_about_a_place() -> None:
    """Step 7: Crime Risk ▸ Crime score, and a click on the map."""
    show("Risk classes")
    iface.mainWindow().findChild(QAction, "crime_risk_score_dock").trigger()
    dock = plugins["crime_risk"].score_dock
    wait_for(lambda: not dock.asker.busy)
    draw(iface.mapCanvas())
    dock.tool_button.click()
    viewport = iface.mapCanvas().viewport()
    place = QPoint(round(viewport.width() * 0.5), round(viewport.height() * 0.5))
    QTest.mouseClick(viewport, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, place)
    wait_for(lambda: dock.history.list.count() == 1 and not dock.asker.busy)
    found["answer"] = dock.answer_view.accessibleDescription()
    photograph_window("07-place")
    iface.mainWindow().findChild(QAction, "crime_risk_score_dock").trigger()


def make_layout() -> None:
    """Step 8: Crime Risk ▸ New risk map layout, exported."""
    show("Risk classes")
    draw(iface.mapCanvas())
    iface.mainWindow().findChild(QAction, "crime_risk_new_layout").trigger()
    (layout,) = QgsProject.instance().layoutManager().printLayouts()
    settle()
    for designer in iface.openLayoutDesigners():
        designer.close()
    settings = QgsLayoutExporter.ImageExportSettings()
    settings.dpi = 96
    QgsLayoutExporter(layout).exportToImage(str(FOLDER / "08-layout.png"), settings)


def main() -> None:
    """All of it; whatever happens, say so and end."""
    try:
        iface.mainWindow().resize(1380, 860)
        iface.messageBar().clearWidgets()
        iface.mainWindow().findChild(QDockWidget, "Browser").hide()
        for step in (set_up, look_at_the_file, run_model, look_at_results, ask_about_a_place, make_layout):
            step()
    except Exception:
        found["error"] = traceback.format_exc()
    (FOLDER / "result.json").write_text(json.dumps(found, ensure_ascii=False, default=str), encoding="utf-8")
    os._exit(0)


QTimer.singleShot(0, main)
