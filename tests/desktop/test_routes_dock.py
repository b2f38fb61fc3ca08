"""The routes dock in a window, with an engine that answers when the test lets it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from kit.windows import import_modules, wait_for
from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsFeature,
    QgsGeometry,
    QgsPointXY,
    QgsProject,
    QgsRasterLayer,
    QgsRectangle,
    QgsSettings,
    QgsVectorLayer,
)
from qgis.gui import QgsMapCanvas
from qgis.PyQt.QtCore import QCoreApplication, QPoint, Qt
from qgis.PyQt.QtGui import QColor, QGuiApplication
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QFormLayout, QMainWindow

START, END = QgsPointXY(-99.135, 19.430), QgsPointXY(-99.130, 19.436)


def make_way(number: int, ways: int, start: list[float], end: list[float]) -> dict[str, Any]:
    kind = "shortest" if number == 0 else "least exposed" if number == ways - 1 else "between"
    bend = [(start[0] + end[0]) / 2 + number / 1000, (start[1] + end[1]) / 2]
    return {
        "kind": kind,
        "title": {"shortest": "Shortest way", "between": "In between"}.get(kind, "Least exposed within the cap"),
        "line": [start, bend, end],
        "metres": 1000.0 + 50 * number,
        "minutes": 12.5,
        "exposure": 100.0 - 20 * number,
        "added_m": 50.0 * number,
        "added": 0.05 * number,
        "saved": 0.2 * number,
        "above": 0.25,
        "outside": 0.0,
        "unlit": None,
        "label": f"+{50 * number} m",
        "words": f"Way {number} in words.",
    }


class RouteEngine:
    """Stands in for the engine: as many ways as the test says, and what it was asked."""

    def __init__(self, client: Any, environment: Any) -> None:
        self.client = client
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.asked: list[dict[str, Any]] = []
        self.threads: set[str] = set()
        self.ways = 3
        self.reason = "No way along the streets leads from start to end"
        self.problem = ""
        self.status = environment.EngineStatus("", ready=True, state="ready")

    def __call__(self, job: str, params: dict[str, Any], **options: Any) -> dict[str, Any]:
        assert (job, options["worker"]) == ("ask_route", "interactive")
        self.threads.add(threading.current_thread().name)
        assert Path(params["network"].partition("|")[0]).is_file()
        self.asked.append(params)
        while not self.may_answer.wait(0.02):
            if options["is_cancelled"]():
                raise self.client.EngineCancelled("Cancelled.")
        if self.problem:
            raise self.client.EngineError(self.problem)
        about = {
            "extent": [-99.2, 19.4, -99.1, 19.5],
            "streets": "2 streets, 1,500 m",
            "risk": "density of 3 incidents",
            "unit": "",
            "percentile": 90.0,
            "notes": ["A note on the risk."],
        }
        if "start" not in params:
            return about
        ways = [make_way(number, self.ways, params["start"], params["end"]) for number in range(self.ways)]
        said = {"headline": "All in words." if ways else self.reason, "front": "", "moved": [], "walker": "No walkers."}
        return {**about, **said, "ways": ways, "exact": True}

    def list_places(self) -> list[list[float]]:
        """List the ends of the questions that were asked."""
        return [params["end"] for params in self.asked if "end" in params]


@pytest.fixture(scope="module")
def plugin(tmp_path_factory: pytest.TempPathFactory, qgis_app: Any) -> SimpleNamespace:
    return import_modules(tmp_path_factory, "ui.routes.dock", "bridge.client", "bridge.environment")


@pytest.fixture
def engine(plugin: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> RouteEngine:
    fake = RouteEngine(plugin.client, plugin.environment)
    monkeypatch.setattr(plugin.client, "call", fake)
    monkeypatch.setattr(plugin.environment, "read_status", lambda: fake.status)
    return fake


@pytest.fixture
def window(qgis_app: Any) -> Iterator[QMainWindow]:
    QgsSettings().remove("crime_risk/routes_dock")
    QgsProject.instance().clear()
    main = QMainWindow()
    canvas = QgsMapCanvas(main)
    canvas.setDestinationCrs(QgsCoordinateReferenceSystem("EPSG:3857"))
    canvas.setExtent(QgsRectangle(-11_037_000, 2_204_000, -11_034_000, 2_207_000))
    main.setCentralWidget(canvas)
    main.resize(1200, 800)
    main.show()
    yield main
    main.close()
    QgsProject.instance().clear()


def make_layer(kind: str, name: str, *shapes: str) -> QgsVectorLayer:
    layer = QgsVectorLayer(f"{kind}?crs=EPSG:4326&field=occurred:string&field=risk:double", name, "memory")
    add_shapes(layer, *shapes)
    QgsProject.instance().addMapLayer(layer)
    return layer


def add_shapes(layer: QgsVectorLayer, *shapes: str) -> None:
    features = []
    for shape in shapes:
        feature = QgsFeature(layer.fields())
        feature.setGeometry(QgsGeometry.fromWkt(shape))
        feature.setAttributes(["2020-01-02", 1.0])
        features.append(feature)
    layer.dataProvider().addFeatures(features)


@pytest.fixture
def layers(window: QMainWindow) -> SimpleNamespace:
    streets = make_layer("LineString", "streets", "LineString (-99.14 19.43, -99.13 19.43, -99.13 19.44)")
    points = [f"Point ({-99.131 - number / 1000} 19.431)" for number in range(3)]
    return SimpleNamespace(streets=streets, incidents=make_layer("Point", "incidents", *points))


@pytest.fixture
def dock(plugin: SimpleNamespace, engine: RouteEngine, window: QMainWindow, layers: Any) -> Iterator[Any]:
    made = plugin.dock.RoutesDock(window.centralWidget(), lambda: window.setWindowTitle("set up"), window)
    window.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, made)
    made.settings_box.streets_box.setLayer(layers.streets)
    made.settings_box.risk_box.setLayer(layers.incidents)
    made.show()
    wait_for(lambda: engine.asked and not made.asker.busy and bool(made.message.text))
    yield made
    engine.may_answer.set()
    made.close_for_good()
    wait_for(lambda: not made.asker.busy)


def ask(dock: Any, start: QgsPointXY = START, end: QgsPointXY = END) -> None:
    dock.tool.picked.emit(start)
    dock.tool.picked.emit(end)
    wait_for(lambda: not dock.asker.busy and (dock.current is not None or bool(dock.message.text)))


def test_two_clicks_show_the_least_exposed_way_in_words(dock: Any, engine: RouteEngine) -> None:
    assert dock.message.text.startswith("2 streets, 1,500 m; density of 3 incidents. Click start and end")
    dock.tool_button.click()
    view = dock.canvas.viewport()
    for x in (300, 400):
        QTest.mouseClick(view, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(x, 300))
    wait_for(lambda: dock.current is not None and not dock.asker.busy)
    assert dock.way_label.text() == "Least exposed within the cap: +100 m"
    assert dock.words_label.text() == "Way 2 in words. 25 % of it has a risk above that of 90 of 100 m of all streets."
    assert dock.notes_label.text() == "A note on the risk. No walkers."
    assert (dock.slider.maximum(), dock.slider.value()) == (2, 2)
    assert len(dock.markers.chosen) == 1
    assert len(dock.markers.ends) == 2
    assert "MainThread" not in engine.threads
    assert engine.asked[-1]["start"][0] < engine.asked[-1]["end"][0]
    assert engine.asked[-1]["travel"] == "foot"


def test_keys_and_clicks_go_along_the_front(dock: Any) -> None:
    ask(dock)
    dock.slider.setFocus()
    QTest.keyClick(dock.slider, Qt.Key.Key_Home)
    assert dock.way_label.text() == "Shortest way: +0 m"
    QTest.keyClick(dock.slider, Qt.Key.Key_Right)
    assert dock.words_label.text().startswith("Way 1 in words.")
    chosen = dock.markers.chosen[0].asGeometry().asPolyline()
    # The bend of the second way lies .001 degrees east of the straight line.
    assert chosen[1].x() == pytest.approx(-11_035_268.1, abs=1)
    dot = dock.chart.find_dots()[2].toPoint()
    QTest.mouseClick(dock.chart, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, dot)
    assert dock.slider.value() == 2
    assert dock.chart.accessibleDescription() == "+100 m"


def test_the_last_click_wins(dock: Any, engine: RouteEngine) -> None:
    engine.may_answer.clear()
    asked = len(engine.asked)
    for number in range(5):
        dock.tool.picked.emit(START)
        dock.tool.picked.emit(QgsPointXY(-99.13, 19.43 + number / 1000))
        QCoreApplication.processEvents()
    wait_for(lambda: len(engine.asked) > asked)
    engine.may_answer.set()
    wait_for(lambda: dock.current is not None and not dock.asker.busy)
    assert dock.current.question.end.point.y() == pytest.approx(19.434)
    assert dock.history.list.count() == 1
    assert engine.list_places()[-1][1] == pytest.approx(19.434)


def test_layers_are_written_once_while_they_are_unchanged(dock: Any, engine: RouteEngine, layers: Any) -> None:
    ask(dock)
    ask(dock, END, START)
    first, second = engine.asked[-2:]
    assert first["network"] == second["network"]
    assert first["incidents"] == second["incidents"]
    assert first["crs"] == "EPSG:32614"
    add_shapes(layers.streets, "LineString (-99.13 19.44, -99.12 19.44)")
    layers.incidents.startEditing()
    layers.incidents.deleteFeature(1)
    ask(dock)
    third = engine.asked[-1]
    assert third["network"] != second["network"]
    assert third["incidents"] != second["incidents"]
    # What was there before is gone.
    assert not Path(first["network"]).exists()


def test_a_pair_without_a_way_is_a_sentence(dock: Any, engine: RouteEngine) -> None:
    engine.ways = 0
    ask(dock)
    wait_for(lambda: dock.message.text == "No way along the streets leads from start to end.")
    assert not dock.result.isVisible()
    assert dock.history.list.count() == 0


def test_a_failure_is_a_sentence(dock: Any, engine: RouteEngine) -> None:
    engine.problem = "The risk is negative on some streets."
    ask(dock)
    wait_for(lambda: dock.message.text == "The risk is negative on some streets.")


def test_only_one_way_needs_no_slider(dock: Any, engine: RouteEngine) -> None:
    engine.ways = 1
    ask(dock)
    assert not dock.slider.isEnabled()
    assert not dock.chart.isVisible()


def test_the_way_back(dock: Any, engine: RouteEngine) -> None:
    ask(dock)
    dock.swap_button.click()
    wait_for(lambda: not dock.asker.busy and dock.current is not None)
    assert engine.asked[-1]["start"] == engine.asked[-2]["end"]
    assert dock.start_line.field.text() == "19.43600, -99.13000"


def test_addresses_are_places_too(dock: Any, engine: RouteEngine) -> None:
    for line, text in ((dock.start_line, "19.43, -99.135"), (dock.end_line, "19.436, -99.13")):
        line.field.setText(text)
        QTest.keyClick(line.field, Qt.Key.Key_Return)
    wait_for(lambda: dock.current is not None and not dock.asker.busy)
    assert engine.asked[-1]["start"] == pytest.approx([-99.135, 19.43])
    assert engine.asked[-1]["end"] == pytest.approx([-99.13, 19.436])


def test_a_layer_of_all_ways(dock: Any) -> None:
    ask(dock)
    dock.layer_button.click()
    layer = next(each for each in QgsProject.instance().mapLayers().values() if each.name().startswith("Ways "))
    rows = [(each["rank"], each["kind"], each["metres"], each["saved"]) for each in layer.getFeatures()]
    assert rows[0] == (1, "shortest", 1000.0, 0.0)
    assert rows[2][:3] == (3, "least exposed", 1100.0)


def test_the_history_shows_again_and_copies(dock: Any) -> None:
    ask(dock)
    first = dock.current
    ask(dock, END, START)
    dock.history.list.setCurrentRow(1)
    QTest.keyClick(dock.history.list, Qt.Key.Key_Return)
    assert dock.current is first
    assert dock.start.point == START
    assert dock.history.list.currentItem().isSelected()

    def copied() -> bool:
        # As in the score dock: a fresh time for the X server.
        dock.window().setWindowTitle(f"Routes {time.monotonic()}")
        QCoreApplication.processEvents()
        QTest.keyClick(dock.history.list, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
        lines = QGuiApplication.clipboard().text().split("\n")
        # Of the selected answer alone.
        return (
            len(lines) == 4
            and lines[0].startswith("start\tend\tkind\tmetres")
            and lines[1].startswith("19.43000, -99.13500\t19.43600, -99.13000\tshortest\t1000\t")
        )

    wait_for(copied)
    # Who owns the clipboard is asked for it: the QGIS windows of other tests would wait for this process in vain.
    QGuiApplication.clipboard().clear()
    dock.history.clear_button.click()
    assert dock.current is None
    assert not dock.markers.chosen


def test_without_layers_it_says_what_to_choose(dock: Any, engine: RouteEngine) -> None:
    dock.settings_box.streets_box.setLayer(None)
    asked = len(engine.asked)
    ask(dock)
    assert dock.message.text == "Choose a layer of streets, and incidents or another risk."
    assert len(engine.asked) == asked


def test_closing_takes_all_off_the_map_and_opening_brings_it_back(dock: Any) -> None:
    ask(dock)
    dock.close()
    wait_for(lambda: not dock.markers.chosen and not dock.markers.ends)
    dock.show()
    wait_for(lambda: len(dock.markers.chosen) == 1 and len(dock.markers.ends) == 2)


SQUARE = "Polygon ((-99.2 19.4, -99.1 19.4, -99.1 19.5, -99.2 19.5, -99.2 19.4))"


def choose_risk(dock: Any, engine: RouteEngine, layer: Any) -> dict[str, Any]:
    """Choose another risk, and give what the engine is then asked for."""
    asked = len(engine.asked)
    dock.settings_box.risk_box.setLayer(layer)
    wait_for(lambda: len(engine.asked) > asked and not dock.asker.busy)
    found = engine.asked[-1]
    assert len({"incidents", "risk", "scores", "exposure_field"} & set(found)) == 1
    return found


def test_areas_with_a_risk_are_handed_over_as_the_tools_do(dock: Any, engine: RouteEngine) -> None:
    areas = make_layer("Polygon", "areas", SQUARE)
    risk = choose_risk(dock, engine, areas)["risk"]
    written = QgsVectorLayer(f"{risk}|layername=risk", "written", "ogr")
    assert [each["risk"] for each in written.getFeatures()] == [1.0]
    assert written.fields().lookupField("occurred") < 0
    # Their extent is of a zone in metres.
    assert written.crs().authid() == "EPSG:32614"
    areas.startEditing()
    areas.changeAttributeValue(1, 1, 5.0)
    asked = len(engine.asked)
    ask(dock)
    wait_for(lambda: len(engine.asked) > asked and not dock.asker.busy)
    again = QgsVectorLayer(f"{engine.asked[-1]['risk']}|layername=risk", "again", "ogr")
    assert [each["risk"] for each in again.getFeatures()] == [5.0]


def test_polygons_without_a_risk_and_points_without_a_time_are_scores(dock: Any, engine: RouteEngine) -> None:
    polygons = make_layer("Polygon", "scored", SQUARE)
    polygons.dataProvider().renameAttributes({1: "predicted_score"})
    polygons.updateFields()
    assert Path(choose_risk(dock, engine, polygons)["scores"]).is_file()
    points = make_layer("Point", "places", "Point (-99.131 19.431)")
    assert "incidents" in choose_risk(dock, engine, points)
    asked = len(engine.asked)
    dock.settings_box.time_box.setField("")
    wait_for(lambda: len(engine.asked) > asked and not dock.asker.busy)
    assert "scores" in engine.asked[-1]


def test_a_raster_is_given_as_its_file_and_a_field_of_the_streets_by_its_name(
    dock: Any, engine: RouteEngine, tmp_path: Path
) -> None:
    path = tmp_path / "risk.asc"
    path.write_text("ncols 2\nnrows 1\nxllcorner -99.2\nyllcorner 19.4\ncellsize 0.1\n1 2\n", encoding="utf-8")
    raster = QgsRasterLayer(str(path), "risk")
    assert raster.isValid()
    QgsProject.instance().addMapLayer(raster)
    assert choose_risk(dock, engine, raster)["risk"] == str(path)
    asked = len(engine.asked)
    dock.settings_box.field_box.setField("risk")
    wait_for(lambda: len(engine.asked) > asked and not dock.asker.busy)
    assert engine.asked[-1]["exposure_field"] == "risk"
    assert "risk" not in engine.asked[-1]


def test_everything_is_reached_with_the_keyboard_in_the_order_of_the_eye(dock: Any) -> None:
    ask(dock)
    dock.settings_box.setCollapsed(False)
    seen, widget = [], dock.tool_button
    for _ in range(300):
        seen.append(widget)
        widget = widget.nextInFocusChain()
        if widget is dock.tool_button:
            break
    box = dock.settings_box
    wanted = [dock.tool_button, dock.swap_button, dock.start_line.field, dock.end_line.field, box.streets_box]
    wanted += [box.risk_box, box.time_box, box.field_box, box.detour_box, box.travel_box, dock.slider]
    wanted += [dock.layer_button, dock.history.list, dock.history.go_button, dock.history.clear_button]
    assert all(each.focusPolicy() & Qt.FocusPolicy.TabFocus for each in wanted)
    places = [next((number for number, one in enumerate(seen) if one is each), -1) for each in wanted]
    assert -1 not in places
    assert places == sorted(places)
    form = box.layout()
    keys = []
    for row in range(form.rowCount()):
        label = form.itemAt(row, QFormLayout.ItemRole.LabelRole).widget()
        assert label.buddy() is not None
        keys.append(label.text().partition("&")[2][:1].lower())
    assert len(set(keys)) == len(keys)


def test_the_chart_is_readable_on_dark(dock: Any) -> None:
    ask(dock)
    palette = dock.palette()
    palette.setColor(palette.ColorRole.Window, QColor("#202020"))
    palette.setColor(palette.ColorRole.WindowText, QColor("#f0f0f0"))
    dock.setPalette(palette)
    picture = dock.chart.grab().toImage()
    colours = {picture.pixelColor(x, y).name() for x in range(picture.width()) for y in range(picture.height())}
    assert "#f0f0f0" in colours
    assert palette.highlight().color().name() in colours


def test_what_was_written_goes_with_the_dock(plugin: SimpleNamespace, window: QMainWindow, engine: RouteEngine) -> None:
    streets = make_layer("LineString", "streets", "LineString (-99.14 19.43, -99.13 19.43)")
    incidents = make_layer("Point", "incidents", "Point (-99.131 19.431)")
    dock = plugin.dock.RoutesDock(window.centralWidget(), lambda: None, window)
    window.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, dock)
    dock.settings_box.streets_box.setLayer(streets)
    dock.settings_box.risk_box.setLayer(incidents)
    dock.show()
    ask(dock)
    wait_for(lambda: dock.current is not None and not dock.asker.busy)
    files = [Path(engine.asked[-1][key]) for key in ("network", "incidents")]
    assert all(each.is_file() for each in files)
    dock.close_for_good()
    assert not any(each.exists() for each in files)
    assert not dock.markers.chosen
    # Nobody listens to the layers any more.
    assert streets.dataProvider().deleteFeatures([1])
