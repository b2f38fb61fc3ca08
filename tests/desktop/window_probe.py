"""Runs inside a real QGIS window (qgis --code): does what a user does, photographs it, and writes down what it found.

Reads $PROBE_CSV; writes result.json and the pictures to $PROBE_FOLDER, then ends QGIS.
"""

from __future__ import annotations

import json
import os
import traceback
from pathlib import Path
from typing import Any

import processing
from crime_risk.tests.kit.pictures import draw, photograph, settle, wait_for
from qgis.core import Qgis, QgsApplication, QgsDateTimeRange, QgsLayoutItemMap, QgsProject
from qgis.PyQt.QtCore import Qt, QTimer
from qgis.PyQt.QtWidgets import QAction
from qgis.utils import iface, plugins

FOLDER = Path(os.environ["PROBE_FOLDER"])
found: dict[str, Any] = {}


def look_at_menu_and_dialog() -> None:
    """Crime Risk ▸ Set up engine… is in the menu, and opens."""
    menus = [action for action in iface.pluginMenu().actions() if action.menu()]
    found["menu"] = {menu.text(): [entry.text() for entry in menu.menu().actions()] for menu in menus}
    iface.mainWindow().findChild(QAction, "crime_risk_set_up_engine").trigger()
    dialog = plugins["crime_risk"].dialog
    found["dialog_visible"] = dialog.isVisible()
    photograph(dialog, FOLDER / "engine_dialog.png")
    dialog.close()


def run_chain() -> None:
    """Import and rasterize from the toolbox; the results arrive in the project, styled."""
    imported = processing.runAndLoadResults(
        "crimerisk:importincidents",
        {"INPUT": os.environ["PROBE_CSV"], "OUTPUT": "TEMPORARY_OUTPUT", "REFUSED": "TEMPORARY_OUTPUT"},
    )
    processing.runAndLoadResults(
        "crimerisk:rasterizehotspots",
        {"INPUT": imported["OUTPUT"], "TIME_FIELD": "occurred", "OUTPUT": str(FOLDER / "hotspots.tif")},
    )
    layers = {layer.name(): layer for layer in QgsProject.instance().mapLayers().values()}
    found["layers"] = {name: getattr(layer, "featureCount", lambda: None)() for name, layer in layers.items()}
    hotspots = next(layer for name, layer in layers.items() if name.startswith("Hotspot grids"))
    found["renderer"] = hotspots.renderer().type()
    properties = hotspots.temporalProperties()
    found["temporal"] = [properties.isActive(), properties.mode() == Qgis.RasterTemporalMode.FixedRangePerBand]
    play(hotspots, [layer for layer in layers.values() if layer is not hotspots])


def play(hotspots: Any, others: list[Any]) -> None:
    """What the Temporal Controller does: set the canvas's range; other days look different."""
    root = QgsProject.instance().layerTreeRoot()
    for layer in others:
        root.findLayer(layer.id()).setItemVisibilityChecked(False)
    canvas = iface.mapCanvas()
    canvas.setDestinationCrs(hotspots.crs())
    canvas.setExtent(hotspots.extent())
    ranges = hotspots.temporalProperties().fixedRangePerBand()
    node, model = root.findLayer(hotspots.id()), iface.layerTreeView().layerTreeModel()
    node.setExpanded(True)
    pictures, found["legend"] = [], []
    for band in (3, 4):
        canvas.setTemporalRange(QgsDateTimeRange(ranges[band].begin(), ranges[band].end(), True, False))
        draw(canvas)
        found["legend"].append(model.layerLegendNodes(node)[0].data(Qt.ItemDataRole.DisplayRole))
        pictures.append(canvas.grab().toImage())
    found["days_differ"] = pictures[0] != pictures[1]
    for layer in others:
        root.findLayer(layer.id()).setItemVisibilityChecked(True)
    photograph(iface.mainWindow(), FOLDER / "window.png")


def make_layout() -> None:
    """Crime Risk ▸ New risk map layout adds a layout that shows the map, twice under two names, and opens it."""
    action = iface.mainWindow().findChild(QAction, "crime_risk_new_layout")
    action.trigger()
    action.trigger()
    layouts = QgsProject.instance().layoutManager().printLayouts()
    found["layouts"] = [layout.name() for layout in layouts]
    found["designers"] = len(iface.openLayoutDesigners())
    maps = [item for item in layouts[0].items() if isinstance(item, QgsLayoutItemMap)]
    canvas = iface.mapCanvas()
    found["layout_maps"] = len(maps)
    found["layout_extent"] = maps[0].extent().contains(canvas.extent().center())
    found["layout_time"] = maps[0].temporalRange() == canvas.temporalRange()
    for designer in iface.openLayoutDesigners():
        designer.close()
    settle()


def look_at_algorithm_dialog() -> None:
    """The dialog of an algorithm, with its help beside it."""
    dialog = processing.createAlgorithmDialog("crimerisk:crimescorelayer", {})
    dialog.show()
    photograph(dialog, FOLDER / "algorithm_dialog.png")
    dialog.close()


def look_at_import_dialog() -> None:
    """The toolbox opens the dialog of Import incidents, which shows the file."""
    dialog = processing.createAlgorithmDialog("crimerisk:importincidents", {"INPUT": os.environ["PROBE_CSV"]})
    dialog.show()
    preview = dialog.mainWidget().preview
    wait_for(lambda: "601" in preview.message.text)
    found["import_dialog"] = preview.message.text
    photograph(dialog, FOLDER / "import_dialog.png")
    dialog.close()


def main() -> None:
    """All of it; whatever happens, say so and end."""
    try:
        iface.mainWindow().resize(1380, 860)
        iface.messageBar().clearWidgets()
        found["algorithms"] = [
            algorithm.id() for algorithm in QgsApplication.processingRegistry().providerById("crimerisk").algorithms()
        ]
        look_at_menu_and_dialog()
        run_chain()
        make_layout()
        look_at_algorithm_dialog()
        look_at_import_dialog()
    except Exception:
        found["error"] = traceback.format_exc()
    (FOLDER / "result.json").write_text(json.dumps(found), encoding="utf-8")
    plugins["crime_risk"].unload()
    os._exit(0)


QTimer.singleShot(0, main)
