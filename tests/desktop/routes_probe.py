"""Runs inside a real QGIS window (qgis --code): asks the routes dock, with the real engine, for ways by several risks.

Reads $PROBE_ROUTES (JSON: streets, incidents, raster, areas, scores, exposure, start, end, extent); writes result.json
and the pictures to $PROBE_FOLDER, then ends QGIS. With $PROBE_PICTURE it only takes a picture of that name.
"""

from __future__ import annotations

import json
import os
import traceback
from pathlib import Path
from typing import Any

from crime_risk.tests.kit.pictures import draw, photograph, settle, wait_for
from qgis.core import (
    QgsApplication,
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsPointXY,
    QgsProject,
    QgsRasterLayer,
    QgsRectangle,
    QgsSettings,
    QgsVectorLayer,
)
from qgis.gui import QgsRubberBand
from qgis.PyQt.QtCore import QEvent, QPoint, Qt, QTimer
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QDockWidget
from qgis.utils import iface, plugins

FOLDER = Path(os.environ["PROBE_FOLDER"])
ROUTES: dict[str, Any] = json.loads(os.environ["PROBE_ROUTES"])
found: dict[str, Any] = {"answers": {}}


def bands() -> int:
    """Rubber bands on the map that show something."""
    items = iface.mapCanvas().scene().items()
    return sum(isinstance(item, QgsRubberBand) and item.size() > 0 for item in items)


def open_dock() -> Any:
    """Open the dock on streets and incidents."""
    layers = {name: QgsVectorLayer(ROUTES[name], name.capitalize(), "ogr") for name in ("streets", "incidents")}
    layers["streets"].renderer().symbol().setColor(Qt.GlobalColor.gray)
    for layer in layers.values():
        QgsProject.instance().addMapLayer(layer)
    settle(500)
    QgsProject.instance().setCrs(QgsCoordinateReferenceSystem("EPSG:3857"))
    QgsProject.instance().layerTreeRoot().findLayer(layers["incidents"].id()).setItemVisibilityChecked(False)
    iface.mapCanvas().setExtent(to_map(QgsRectangle(*ROUTES["extent"])))
    plugins["crime_risk"].show_routes_dock()
    dock = plugins["crime_risk"].routes_dock
    dock.settings_box.streets_box.setLayer(layers["streets"])
    dock.settings_box.risk_box.setLayer(layers["incidents"])
    # Typing and choosing come to rest first.
    settle(600)
    wait_for(lambda: not dock.asker.busy, 120)
    return dock


def to_map(extent: QgsRectangle) -> QgsRectangle:
    """Bring an extent of WGS 84 to the map's CRS."""
    wgs84, target = QgsCoordinateReferenceSystem("EPSG:4326"), QgsProject.instance().crs()
    return QgsCoordinateTransform(wgs84, target, QgsProject.instance()).transformBoundingBox(extent)


def ask_by_clicking(dock: Any) -> None:
    """Click on start and end."""
    dock.tool_button.click()
    for name in ("start", "end"):
        x, y = ROUTES[name]
        place = to_map(QgsRectangle(QgsPointXY(x, y), QgsPointXY(x, y))).center()
        pixel = iface.mapCanvas().getCoordinateTransform().transform(place)
        QTest.mouseClick(
            iface.mapCanvas().viewport(),
            Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
            QPoint(round(pixel.x()), round(pixel.y())),
        )
    wait_for(lambda: not dock.asker.busy and (dock.current or dock.message.text), 120)


def note(dock: Any, name: str) -> None:
    """Note what the dock says now."""
    current = dock.current
    found["answers"][name] = {
        "message": dock.message.text,
        "ways": len(current.ways) if current else 0,
        "saved": current.ways[-1]["saved"] if current else None,
        "risk": current.result["risk"] if current else "",
        "words": dock.words_label.text(),
        "notes": dock.notes_label.text(),
    }


def ask_with_risks(dock: Any) -> None:
    """The same places by a raster, by areas, by scored places, and by a field of the streets."""
    for name in ("raster", "areas", "scores"):
        kind = QgsRasterLayer if name == "raster" else QgsVectorLayer
        layer = kind(ROUTES[name], name.capitalize())
        QgsProject.instance().addMapLayer(layer)
        dock.settings_box.risk_box.setLayer(layer)
        ask_again(dock, name)
    dock.settings_box.field_box.setField(ROUTES["exposure"])
    ask_again(dock, "exposure")


def ask_again(dock: Any, name: str) -> None:
    """Wait for the answer by the settings as they are now."""
    before = dock.current
    wait_for(lambda: not dock.asker.busy and dock.current is not None and dock.current is not before, 120)
    note(dock, name)


def take_picture(dock: Any, name: str) -> None:
    """The whole window, with a way between the ends of the front."""
    iface.mainWindow().resizeDocks([dock], [430], Qt.Orientation.Horizontal)
    iface.mainWindow().findChild(QDockWidget, "Layers").hide()
    iface.messageBar().clearWidgets()
    settle(600)
    iface.mapCanvas().setExtent(to_map(QgsRectangle(*ROUTES["extent"])))
    dock.slider.setValue(round(dock.slider.maximum() * 0.6))
    draw(iface.mapCanvas())
    photograph(iface.mainWindow(), FOLDER / f"{name}.png")


def leave(dock: Any) -> None:
    """Unload the plugin: nothing is left."""
    found["bands"] = bands()
    plugins["crime_risk"].unload()
    # Below the level of the event loop that is to delete it, Qt waits.
    QgsApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    main = iface.mainWindow()
    left = [one.objectName() for one in main.findChildren(QDockWidget) if one.objectName() == "CrimeRiskRoutesDock"]
    actions = [one.text() for one in iface.pluginToolBar().actions()]
    found["left"] = [left, "Less exposed routes" in actions, bands()]


def main() -> None:
    """All of it; whatever happens, say so and end."""
    try:
        # Else QGIS asks which of several ways leads from one CRS to another, and waits for an answer.
        QgsSettings().setValue("projections/promptWhenMultipleTransformsExist", False, QgsSettings.Section.App)
        iface.mainWindow().resize(1380, 860)
        iface.messageBar().clearWidgets()
        iface.mainWindow().findChild(QDockWidget, "Browser").hide()
        dock = open_dock()
        found["about"] = dock.message.text
        ask_by_clicking(dock)
        note(dock, "incidents")
        take_picture(dock, os.environ.get("PROBE_PICTURE", "dock"))
        if "PROBE_PICTURE" not in os.environ:
            ask_with_risks(dock)
            leave(dock)
    except Exception:
        found["error"] = traceback.format_exc()
    (FOLDER / "result.json").write_text(json.dumps(found), encoding="utf-8")
    os._exit(0)


QTimer.singleShot(0, main)
