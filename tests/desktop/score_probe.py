"""Runs inside a real QGIS window (qgis --code): asks places as a user does, and writes down what it found.

Reads $PROBE_CSV, $PROBE_OTHER_CSV (of another place), and $PROBE_POLYGONS if there are any; trains with
$PROBE_TRAINING (JSON); writes result.json and the pictures to $PROBE_FOLDER, then ends QGIS.  With $PROBE_PICTURE it
only takes a picture of that name: of the dock with what an earlier run made, or of predicted scores.
"""

from __future__ import annotations

import json
import os
import traceback
from pathlib import Path
from typing import Any

import processing
from crime_risk.bridge import client, last_files, styles
from crime_risk.tests.kit.pictures import draw, photograph, settle, wait_for
from qgis.core import (
    NULL,
    QgsApplication,
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsPointXY,
    QgsProject,
    QgsRenderContext,
    QgsVectorLayer,
)
from qgis.gui import QgsRubberBand
from qgis.PyQt.QtCore import QEvent, QPoint, Qt, QTimer
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QAction, QDockWidget
from qgis.utils import iface, plugins

FOLDER = Path(os.environ["PROBE_FOLDER"])
INDEX, SCORES, MODEL = (str(FOLDER / name) for name in ("city.crimeindex", "scores.gpkg", "city.crimescore"))
OTHER_INDEX, OTHER_MODEL = (str(FOLDER / f"other.{ending}") for ending in ("crimeindex", "crimescore"))
found: dict[str, Any] = {}


def photograph_window(name: str) -> None:
    """A PNG of the whole window, the map drawn to its end."""
    settle(600)
    draw(iface.mapCanvas())
    photograph(iface.mainWindow(), FOLDER / f"{name}.png")


def bands() -> int:
    """Rubber bands on the map that show something."""
    items = iface.mapCanvas().scene().items()
    return sum(isinstance(item, QgsRubberBand) and item.size() > 0 for item in items)


def queries() -> QgsVectorLayer:
    """The layer of queries."""
    return QgsProject.instance().mapLayersByName("Crime score queries")[0]


def make_index(csv: str, index: str) -> None:
    """Import and index a city from the toolbox."""
    incidents = processing.run("crimerisk:importincidents", {"INPUT": csv, "OUTPUT": "memory:"})
    processing.run(
        "crimerisk:buildcrimeindex",
        {"INPUT": incidents["OUTPUT"], "TIME_FIELD": "occurred", "CATEGORY_FIELD": "category", "OUTPUT": index},
    )


def train(index: str, model: str) -> None:
    """Train a model from the toolbox."""
    settings = json.loads(os.environ["PROBE_TRAINING"])
    processing.run("crimerisk:trainscoremodel", {"INPUT": index, "MODEL": model, "COMPARE": False, **settings})


def make_files() -> None:
    """Indexes, scores and models of the city and of another one."""
    for csv, index, model in (
        (os.environ["PROBE_CSV"], INDEX, MODEL),
        (os.environ["PROBE_OTHER_CSV"], OTHER_INDEX, OTHER_MODEL),
    ):
        make_index(csv, index)
        train(index, model)
    scored = {"INDEX": INDEX, "POINTS": None, "SPACING": 100, "OUTPUT": SCORES}
    processing.run("crimerisk:crimescorelayer", scored)


def make_map() -> None:
    """The scores, and the polygons over them."""
    layers = [QgsVectorLayer(SCORES, "Crime scores", "ogr")]
    styles.style_scores(layers[0], 100.0)
    if polygons := os.environ.get("PROBE_POLYGONS"):
        layers.append(QgsVectorLayer(polygons, "Neighbourhoods", "ogr"))
        layers[1].loadNamedStyle(os.environ["PROBE_STYLE"])
    for layer in layers:
        QgsProject.instance().addMapLayer(layer)
    # QGIS zooms to the first layers by itself, a moment later.
    settle(500)
    QgsProject.instance().setCrs(layers[0].crs())
    iface.mapCanvas().setExtent(layers[0].extent())
    # Its markers are as large as they are on the map.
    QgsProject.instance().layerTreeRoot().findLayer(layers[0].id()).setExpanded(False)


def predict() -> QgsVectorLayer:
    """The predicted scores of the polygons, or of a grid; they arrive in the project, styled."""
    places: dict[str, Any] = {"SPACING": 250}
    if polygons := os.environ.get("PROBE_POLYGONS"):
        places = {"INPUT": polygons}
    asked = {"INDEX": INDEX, "MODEL": MODEL, "OUTPUT": str(FOLDER / "predicted.gpkg"), **places}
    processing.runAndLoadResults("crimerisk:predictscore", asked)
    layers = QgsProject.instance().mapLayers().values()
    return next(layer for layer in layers if layer.name().startswith("Predicted scores, 31 days to "))


def photograph_predicted(name: str) -> None:
    """The predicted scores alone, with their legend."""
    make_index(os.environ["PROBE_CSV"], INDEX)
    train(INDEX, MODEL)
    layer = predict()
    settle(500)
    main, panel = iface.mainWindow(), iface.mainWindow().findChild(QDockWidget, "Layers")
    main.resizeDocks([panel], [430], Qt.Orientation.Horizontal)
    QgsProject.instance().setCrs(QgsCoordinateReferenceSystem(client.call("index_info", {"index": INDEX})["crs"]))
    canvas = iface.mapCanvas()
    canvas.setExtent(canvas.mapSettings().layerExtentToOutputExtent(layer, layer.extent()))
    photograph_window(name)


def open_dock(model: str = "") -> Any:
    """From the menu; the index and the model that were chosen last are there."""
    found["made_last"] = [last_files.find_last(ending) for ending in (last_files.INDEX, last_files.MODEL)]
    last_files.remember(last_files.INDEX, INDEX)
    last_files.remember(last_files.MODEL, model)
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


def ask(dock: Any, name: str, longitude: float, latitude: float) -> None:
    """Ask a named place, and wait for the answer."""
    before = dock.history.list.count()
    dock.ask(name, QgsPointXY(longitude, latitude))
    wait_for(lambda: dock.history.list.count() == before + 1 and not dock.asker.busy)


def ask_place(dock: Any) -> None:
    """Ask the place of the pictures, its name in the address line."""
    ask(dock, os.environ["PROBE_NAME"], *map(float, os.environ["PROBE_PLACE"].split(",")))
    dock.address_line.field.setText(os.environ["PROBE_NAME"])
    dock.address_line.field.setCursorPosition(0)


def last_query() -> dict[str, Any]:
    """What the last feature of the layer says, and the colour it is drawn in."""
    layer = queries()
    *_, feature = layer.getFeatures()
    renderer, context = layer.renderer().clone(), QgsRenderContext()
    context.expressionContext().setFeature(feature)
    renderer.startRender(context, layer.fields())
    drawn = renderer.symbolForFeature(feature, context).color().name()
    renderer.stopRender(context)
    values = {name: feature[name] for name in ("score", "lower", "upper", "percentile", "incidents", "model")}
    return {**{name: None if value == NULL else value for name, value in values.items()}, "colour": drawn}


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
    found["without_model"] = tell(dock)
    iface.mapCanvas().waitWhileRendering()


def tell(dock: Any) -> dict[str, Any]:
    """What the dock shows, and what the layer keeps."""
    answer = dock.current
    return {
        "exact": answer.result["exact"],
        "predicted": answer.predicted,
        "words": dock.answer_view.accessibleDescription(),
        "message": dock.message.text,
        "colour": dock.answer_view.tile.colour.name(),
        "ages": [near["age_days"] for near in answer.result["nearest"]],
        "rows": [dock.neighbours.item(row, 1).text() for row in range(dock.neighbours.rowCount())],
        "tab": dock.tabs.tabText(0),
        "feature": last_query(),
    }


def ask_with_models(dock: Any) -> None:
    """The same place with the model of another city, then with its own."""
    for key, model in (("other_model", OTHER_MODEL), ("with_model", MODEL)):
        dock.settings_box.model_widget.setFilePath(model)
        ask_place(dock)
        found[key] = tell(dock)


def take_picture(dock: Any, name: str) -> None:
    """The dock with an answer."""
    if dock.current is None:
        ask_place(dock)
    dock.settings_box.setCollapsed(True)
    dock.neighbours.selectRow(2)
    photograph_window(name)
    dock.settings_box.setCollapsed(False)


def go_wrong(dock: Any) -> None:
    """Outside the data; many clicks at once; no engine."""
    ask(dock, "Toluca", -99.6557, 19.2826)
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
        name = os.environ.get("PROBE_PICTURE")
        if name == "predicted_scores":
            photograph_predicted(name)
        elif name:
            make_map()
            take_picture(open_dock(MODEL), name)
        else:
            make_files()
            make_map()
            dock = open_dock()
            found["about"] = dock.message.text
            ask_by_clicking(dock)
            ask_by_address(dock)
            ask_with_models(dock)
            take_picture(dock, "score_dock")
            go_wrong(dock)
            leave(dock)
    except Exception:
        found["error"] = traceback.format_exc()
    (FOLDER / "result.json").write_text(json.dumps(found), encoding="utf-8")
    os._exit(0)


QTimer.singleShot(0, main)
