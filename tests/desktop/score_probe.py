"""Runs inside a real QGIS window (qgis --code): asks places as a user does, and writes down what it found.

Reads $PROBE_CSV, and as a backdrop $PROBE_POLYGONS if there is one; writes result.json and the pictures to
$PROBE_FOLDER, then ends QGIS.  With $PROBE_PICTURE it only takes a picture of that name, of what an earlier run made.
"""

from __future__ import annotations

import json
import os
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import processing
from crime_risk.bridge import client, styles
from qgis.core import QgsApplication, QgsCoordinateTransform, QgsPointXY, QgsProject, QgsSettings, QgsVectorLayer
from qgis.gui import QgsRubberBand
from qgis.PyQt.QtCore import QElapsedTimer, QEvent, QEventLoop, QPoint, Qt, QTimer
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QAction, QDockWidget
from qgis.utils import iface, plugins

FOLDER = Path(os.environ["PROBE_FOLDER"])
INDEX, SCORES = str(FOLDER / "city.crimeindex"), str(FOLDER / "scores.gpkg")
found: dict[str, Any] = {}


def settle(milliseconds: int) -> None:
    """Let QGIS draw."""
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Let QGIS work until something has happened."""
    clock = QElapsedTimer()
    clock.start()
    while not condition():
        if clock.elapsed() > seconds * 1000:
            raise TimeoutError("waited in vain")
        settle(20)


def photograph(name: str) -> None:
    """A PNG of the whole window."""
    iface.mapCanvas().waitWhileRendering()
    settle(600)
    iface.mainWindow().grab().save(str(FOLDER / f"{name}.png"))


def bands() -> int:
    """Rubber bands on the map that show something."""
    items = iface.mapCanvas().scene().items()
    return sum(isinstance(item, QgsRubberBand) and item.size() > 0 for item in items)


def queries() -> QgsVectorLayer:
    """The layer of queries."""
    return QgsProject.instance().mapLayersByName("Crime score queries")[0]


def make_index() -> None:
    """Import, index and score the city from the toolbox."""
    incidents = processing.run("crimerisk:importincidents", {"INPUT": os.environ["PROBE_CSV"], "OUTPUT": "memory:"})
    processing.run(
        "crimerisk:buildcrimeindex",
        {"INPUT": incidents["OUTPUT"], "TIME_FIELD": "occurred", "CATEGORY_FIELD": "category", "OUTPUT": INDEX},
    )
    scored = {"INDEX": INDEX, "POINTS": None, "SPACING": 100, "OUTPUT": SCORES}
    processing.run("crimerisk:crimescorelayer", scored)


def make_map() -> None:
    """The scores, and the polygons over them."""
    layers = [QgsVectorLayer(SCORES, "Crime scores", "ogr")]
    styles.scores(layers[0], 100.0)
    if polygons := os.environ.get("PROBE_POLYGONS"):
        layers.append(QgsVectorLayer(polygons, "Neighbourhoods", "ogr"))
        layers[1].loadNamedStyle(os.environ["PROBE_STYLE"])
    for layer in layers:
        QgsProject.instance().addMapLayer(layer)
    # QGIS zooms to the first layers by itself, a moment later.
    settle(500)
    QgsProject.instance().setCrs(layers[0].crs())
    iface.mapCanvas().setExtent(layers[0].extent())


def open_dock() -> Any:
    """From the menu; the index of the last time is there."""
    QgsSettings().setValue("crime_risk/score_dock/index", INDEX)
    iface.mainWindow().findChild(QAction, "crime_risk_score_dock").trigger()
    dock = plugins["crime_risk"].score_dock
    wait_for(lambda: not dock.asker.busy)
    iface.mapCanvas().waitWhileRendering()
    return dock


def click(dock: Any, x: float, y: float) -> None:
    """Click at a share of the map's width and height, and wait for the answer."""
    viewport = iface.mapCanvas().viewport()
    before = dock.history.list.count()
    place = QPoint(round(viewport.width() * x), round(viewport.height() * y))
    QTest.mouseClick(viewport, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, place)
    wait_for(lambda: dock.history.list.count() == before + 1 and not dock.asker.busy)


def ask_by_clicking(dock: Any) -> None:
    """The map tool, the answer, the layer, the marks, the table."""
    dock.tool_button.click()
    empty = bands()
    click(dock, 0.5, 0.5)
    answer = dock.current
    canvas = iface.mapCanvas()
    wgs84 = QgsCoordinateTransform(
        canvas.mapSettings().destinationCrs(), queries().crs(), QgsProject.instance().transformContext()
    )
    middle = wgs84.transform(canvas.center())
    found["distance"] = middle.distance(answer.point)
    (feature,) = queries().getFeatures()
    found["feature"] = [feature["score"] == answer.score, feature["incidents"] == answer.incidents]
    found["answer"] = [answer.score, answer.percentile, answer.incidents, answer.predicted]
    found["months"] = sum(month["count"] for month in answer.result["monthly"])
    found["neighbours"] = dock.neighbours.rowCount()
    found["bands"] = bands() - empty
    dock.neighbours.selectRow(3)
    found["bands_highlighted"] = bands() - empty
    found["shown"] = [dock.result.isVisible(), dock.answer_view.accessibleDescription()]


def ask_by_address(dock: Any) -> None:
    """Coordinates in the address line: what needs no server."""
    longitude, latitude = map(float, os.environ["PROBE_PLACE"].split(","))
    dock.address_line.field.setText(f"{latitude}, {longitude}")
    QTest.keyClick(dock.address_line.field, Qt.Key.Key_Return)
    wait_for(lambda: dock.history.list.count() == 2 and not dock.asker.busy)
    found["address"] = [dock.current.point.x(), dock.current.point.y()]
    iface.mapCanvas().waitWhileRendering()


def take_picture(dock: Any, name: str) -> None:
    """The dock with an answer."""
    longitude, latitude = map(float, os.environ["PROBE_PLACE"].split(","))
    before = dock.history.list.count()
    dock.ask(os.environ["PROBE_NAME"], QgsPointXY(longitude, latitude))
    wait_for(lambda: dock.history.list.count() == before + 1 and not dock.asker.busy)
    dock.settings_box.setCollapsed(True)
    dock.neighbours.selectRow(2)
    photograph(name)
    dock.settings_box.setCollapsed(False)


def go_wrong(dock: Any) -> None:
    """Outside the data; many clicks at once; no engine."""
    dock.ask("Toluca", QgsPointXY(-99.6557, 19.2826))
    wait_for(lambda: dock.history.list.count() == 4 and not dock.asker.busy)
    found["outside"] = [dock.message.text, dock.current.score]
    before = dock.history.list.count()
    for number in range(5):
        dock.tool.picked.emit(QgsPointXY(-99.145, 19.40 + number / 100))
    wait_for(lambda: not dock.asker.busy)
    found["last_click"] = [dock.history.list.count() - before, dock.current.point.y()]
    plugin = plugins["crime_risk"]
    client.shutdown()
    os.environ["CRIMERISK_ENGINE"], engine = str(FOLDER / "no engine"), os.environ["CRIMERISK_ENGINE"]
    dock.ask("", QgsPointXY(-99.145, 19.43))
    wait_for(lambda: dock.message.set_up_button.isVisible())
    found["missing"] = dock.message.text
    dock.message.set_up_button.click()
    found["set_up"] = plugin.dialog.isVisible()
    plugin.dialog.close()
    os.environ["CRIMERISK_ENGINE"] = engine


def leave(dock: Any) -> None:
    """Close the dock, unload the plugin: nothing is left behind."""
    plugin, canvas = plugins["crime_risk"], iface.mapCanvas()
    action = iface.mainWindow().findChild(QAction, "crime_risk_score_dock")
    found["checked"] = [action.isChecked()]
    action.trigger()
    found["checked"].append(action.isChecked())
    found["closed"] = [dock.isVisible(), bands(), canvas.mapTool() is dock.tool]
    action.trigger()
    found["reopened"] = dock.isVisible()
    plugin.unload()
    # Below the level of the event loop that is to delete it, Qt waits.
    QgsApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    main = iface.mainWindow()
    left = [one.objectName() for one in main.findChildren(QDockWidget) if one.objectName() == "CrimeRiskScoreDock"]
    actions = [one.text() for one in iface.pluginToolBar().actions()]
    found["left"] = [left, "Crime score" in actions, bands()]


def main() -> None:
    """All of it; whatever happens, say so and end."""
    try:
        iface.mainWindow().resize(1380, 860)
        iface.messageBar().clearWidgets()
        iface.mainWindow().findChild(QDockWidget, "Browser").hide()
        if name := os.environ.get("PROBE_PICTURE"):
            make_map()
            take_picture(open_dock(), name)
        else:
            make_index()
            make_map()
            dock = open_dock()
            found["about"] = dock.settings_box.about_label.text()
            ask_by_clicking(dock)
            ask_by_address(dock)
            take_picture(dock, "score_dock")
            go_wrong(dock)
            leave(dock)
    except Exception:
        found["error"] = traceback.format_exc()
    (FOLDER / "result.json").write_text(json.dumps(found), encoding="utf-8")
    os._exit(0)


QTimer.singleShot(0, main)
