"""The crime score dock in a window, with an engine that answers when the test lets it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from kit.answering_engine import UTM, Engine
from kit.windows import forget_choices, import_modules, wait_for
from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsLayerTreeLayer,
    QgsMapLayerLegend,
    QgsPointXY,
    QgsProject,
    QgsRectangle,
    QgsRenderContext,
    QgsVectorLayer,
)
from qgis.gui import QgsMapCanvas, QgsRubberBand
from qgis.PyQt.QtCore import QCoreApplication, QPoint, Qt
from qgis.PyQt.QtGui import QColor, QGuiApplication
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QFormLayout, QLabel, QMainWindow

ROOT = Path(__file__).resolve().parents[2]
CENTRE = QgsPointXY(-99.1332, 19.4326)


@pytest.fixture(scope="module")
def plugin(tmp_path_factory: pytest.TempPathFactory, qgis_app: Any) -> SimpleNamespace:
    """The plugin's modules, imported the way QGIS does: as a package of any name."""
    names = ("ui.score.dock", "ui.score.queries_layer", "ui.score.query_task", "ui.score.answer_view")
    names += ("ui.score.answer_words", "bridge.client", "bridge.styles", "bridge.last_files", "bridge.environment")
    return import_modules(tmp_path_factory, *names, "bridge.engine_task")


@pytest.fixture
def engine(plugin: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> Engine:
    fake = Engine(plugin.client, plugin.environment)
    monkeypatch.setattr(plugin.client, "call", fake)
    monkeypatch.setattr(plugin.environment, "read_status", lambda: fake.status)
    return fake


@pytest.fixture
def window(qgis_app: Any) -> Iterator[QMainWindow]:
    """A main window around a map of Mexico City."""
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


@pytest.fixture
def dock(plugin: SimpleNamespace, engine: Engine, window: QMainWindow, tmp_path: Path) -> Iterator[Any]:
    forget_choices(plugin.last_files)
    made = plugin.dock.ScoreDock(window.centralWidget(), lambda: window.setWindowTitle("set up"), window)
    window.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, made)
    made.show()
    wait_for(lambda: bool(made.message.text))
    (tmp_path / "city.crimeindex").touch()
    made.settings_box.index_widget.setFilePath(str(tmp_path / "city.crimeindex"))
    wait_for(lambda: bool(engine.asked) and not made.asker.busy)
    engine.asked.clear()
    yield made
    engine.may_answer.set()
    made.close_for_good()
    wait_for(lambda: not made.asker.busy)


def ask(dock: Any, name: str = "", point: QgsPointXY = CENTRE) -> Any:
    """Ask, and wait for the answer."""
    before = dock.current
    dock.ask(name, point)
    wait_for(lambda: not dock.asker.busy and (dock.current is not before or bool(dock.message.text)))
    return dock.current


def bands(dock: Any) -> list[QgsRubberBand]:
    items = dock.canvas.scene().items()
    return [item for item in items if isinstance(item, QgsRubberBand) and item.size()]


def test_it_begins_with_the_files_made_last(plugin: SimpleNamespace, dock: Any, engine: Engine, tmp_path: Path) -> None:
    box, last = dock.settings_box, plugin.last_files
    made = {ending: tmp_path / f"new.{ending}" for ending in (last.INDEX, last.MODEL)}
    for path in made.values():
        path.touch()
        # Tools say so from the thread in which they ran.
        thread = threading.Thread(target=last.announce, args=(str(path),))
        thread.start()
        thread.join()
    wait_for(lambda: engine.asked and engine.asked[-1]["model"] == str(made[last.MODEL]) and not dock.asker.busy)
    assert engine.asked[-1]["index"] == str(made[last.INDEX])
    assert box.read_settings() == plugin.dock.SettingsBox().read_settings()
    # The same name again is another file, which has to be read.
    before = len(engine.asked)
    last.announce(str(made[last.INDEX]))
    wait_for(lambda: len(engine.asked) > before and not dock.asker.busy)
    # Of other files nothing is said.
    last.announce(str(tmp_path / "report.html"))
    # What the user chose is not overruled at the next start, nor is a deleted file offered.
    box.model_widget.setFilePath("")
    wait_for(lambda: engine.asked[-1]["model"] is None and not dock.asker.busy)
    assert plugin.dock.SettingsBox().model_widget.filePath() == ""
    made[last.INDEX].unlink()
    assert plugin.dock.SettingsBox().read_settings() is None


def test_without_an_engine_it_offers_set_up_and_comes_alive(
    plugin: SimpleNamespace, dock: Any, engine: Engine, window: QMainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    button = dock.message.set_up_button
    engine.status = plugin.environment.EngineStatus("", problem="The engine is not installed in /x")
    dock.close()
    dock.show()
    wait_for(button.isVisible)
    assert dock.message.text == "The engine is not installed in /x"
    button.click()
    assert window.windowTitle() == "set up"
    assert not engine.asked

    def install(*_: Any, **__: Any) -> Any:
        engine.status = plugin.environment.EngineStatus("", ready=True, state="ready")
        return engine.status

    monkeypatch.setattr(plugin.environment, "install", install)
    monkeypatch.setattr(plugin.engine_task, "_task", None)
    task = plugin.engine_task.start(plugin.engine_task.EngineTask("install"))
    wait_for(lambda: not task.running and bool(engine.asked) and not dock.asker.busy)
    assert not button.isVisible()
    assert dock.message.text.startswith("city: 365 days of data")
    assert ask(dock) is not None
    assert not dock.message.isVisible()


def test_an_engine_of_an_older_version_answers_and_offers_its_update(
    plugin: SimpleNamespace, dock: Any, engine: Engine
) -> None:
    engine.status.outdated, engine.status.problem = True, "The engine needs an update"
    engine.changes = {"warning": "The data end early."}
    assert ask(dock).score == 0.35
    assert dock.message.text == "The data end early. The engine needs an update"
    assert dock.message.set_up_button.isVisible()


HOSTILE = "<b>ROBO</b> <img src=x>=1+1\u202e&amp;"


def test_texts_of_the_data_are_shown_as_they_are(dock: Any, engine: Engine) -> None:
    data = {"incidents": 1, "categories": [HOSTILE], "start": "2020-01-31", "end": "2020-02-01", "days": 1}
    near = [
        {"x": 5e5, "y": 2e6, "distance": 5.0, "age_days": 1.2, "category": category, "time": "2020-01-02T03:04:05"}
        for category in (HOSTILE, "R" * 10_000)
    ]
    engine.changes = {"data": data, "nearest": near, "window_days": 1.0, "covered_days": 1.0, "nearest_days": 1.0}
    ask(dock, HOSTILE)
    shown, escaped = "<b>ROBO</b> <img src=x>=1+1&amp;", "&lt;b&gt;ROBO&lt;/b&gt; &lt;img src=x&gt;=1+1&amp;amp;"
    table = dock.neighbours
    assert [table.item(row, 2).text() for row in (0, 1)] == [shown, "R" * 199 + "…"]
    assert table.item(0, 1).text() == "1 day"
    assert table.item(0, 2).toolTip() == f"<qt>{escaped}<br>Thu 2 Jan 2020, 03:04</qt>"
    assert len(table.item(1, 2).toolTip()) < 400
    for tip in (dock.history.list.item(0).toolTip(), dock.answer_view.tile.toolTip()):
        assert "<b>" not in tip
        assert tip.count(escaped) == 2
    labels = dock.answer_view.findChildren(QLabel)
    assert any(f"1 day of data, Fri 31 Jan 2020; 1 incident ({shown})" in label.text() for label in labels)
    data_labels = [label for label in labels if "<b>" in label.text()]
    assert {label.textFormat() for label in data_labels} == {Qt.TextFormat.PlainText}
    assert dock.tabs.tabText(0) == "Nearest incidents, 1 day"


@pytest.mark.parametrize(
    ("percentile", "share"),
    [(0.01, "Fewer than 1"), (0.99, "Fewer than 1"), (1.0, "1"), (42.4, "42"), (99.0, "99"), (99.2, "More than 99")],
)
def test_a_percentile_in_words(plugin: SimpleNamespace, percentile: float, share: str) -> None:
    said = f"{share} of 100 incidents happened at places with this score or a lower one"
    assert plugin.answer_words.describe_comparison(percentile) == said


def test_a_place_calmer_than_any_with_an_incident_is_not_compared_by_its_score(plugin: SimpleNamespace) -> None:
    """It scores 0 as the calmest places with incidents do, of which there may be many."""
    assert plugin.answer_words.describe_comparison(0.0) == "No incident happened at a place as calm as this one"
    said = "Fewer than 1 of 100 incidents that the model learned from happened at places with this score or a lower one"
    assert plugin.answer_words.describe_comparison(0.0, True) == said


def test_what_the_data_cover_of_the_window(plugin: SimpleNamespace) -> None:
    asked = {"window_days": 365.0, "covered_days": 219.4, "reference_time": "2018-08-07T23:45:00"}
    said = plugin.answer_words.describe_window(asked)
    assert said == "in the 365 days up to Tue 7 Aug 2018, of which 220 have data"
    data = {"incidents": 1234, "categories": list("ABCD"), "start": "2018-01-01", "end": "2018-08-08", "days": 219}
    said = plugin.answer_words.describe_data("/files/chicago.crimeindex", {"data": data})
    assert said == "chicago: 219 days of data, Mon 1 Jan – Tue 7 Aug 2018; 1,234 incidents of 4 categories"


def test_without_an_index_it_says_what_to_do(dock: Any, engine: Engine) -> None:
    dock.settings_box.index_widget.setFilePath("")
    dock.ask("", CENTRE)
    assert dock.message.text.startswith("Choose a crime index.")
    assert not engine.asked
    assert not dock.settings_box.isCollapsed()


def test_choosing_an_index_warms_up(dock: Any) -> None:
    assert dock.message.text == (
        "city: 365 days of data, Feb 2019 – Jan 2020; 1,500 incidents (ROBO, FRAUDE). "
        "Click on the map, or type an address."
    )
    assert dock.current is None
    assert not dock.result.isVisible()


def test_settings_are_remembered_but_not_the_date(
    plugin: SimpleNamespace, dock: Any, engine: Engine, tmp_path: Path
) -> None:
    box, model = dock.settings_box, str(tmp_path / "one.crimescore")
    Path(model).touch()
    box.radius_box.setValue(300)
    box.k_box.setValue(5)
    box.model_widget.setFilePath(model)
    box.date_edit.setDate(box.date_edit.date().fromString("2019-06-30", "yyyy-MM-dd"))
    wait_for(lambda: bool(engine.asked) and not dock.asker.busy)
    asked = engine.asked[-1]
    assert (asked["radius"], asked["k"], asked["model"]) == (300, 5, model)
    assert asked["reference_time"] == "2019-06-30T23:59:59"
    again = plugin.dock.SettingsBox().read_settings()
    assert again == plugin.query_task.Settings(box.index_widget.filePath(), model, radius=300.0, window_days=365.0, k=5)


def test_a_click_is_answered(plugin: SimpleNamespace, dock: Any, engine: Engine) -> None:
    dock.tool_button.click()
    canvas = dock.canvas
    assert canvas.mapTool() is dock.tool
    place = QPoint(canvas.width() // 2, canvas.height() // 2)
    QTest.mouseClick(canvas.viewport(), Qt.MouseButton.RightButton, Qt.KeyboardModifier.NoModifier, place)
    QTest.mouseClick(canvas.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, place)
    wait_for(lambda: dock.current is not None)
    assert len(engine.asked) == 1
    # The click went through WGS 84 to the index's CRS.
    asked = engine.asked[0]
    assert 464_000 < asked["x"] < 505_000
    assert 2_115_000 < asked["y"] < 2_165_000
    assert -99.15 < dock.current.point.x() < -99.12
    assert 19.41 < dock.current.point.y() < 19.45
    assert "MainThread" not in engine.threads
    assert dock.result.isVisible()
    assert dock.answer_view.tile.colour == plugin.styles.choose_score_colour(0.35)
    assert "Crime score 0.35" in dock.answer_view.accessibleDescription()
    said = dock.answer_view.accessibleDescription()
    assert "Compared: 42 of 100 incidents happened at places with this score or a lower one" in said
    assert "Within 200 m: 1 incident in the 365 days up to Fri 31 Jan 2020." in said
    assert "Data: city: 365 days of data, Feb 2019 – Jan 2020; 1,500 incidents (ROBO, FRAUDE)." in said
    # A month without data is not shown as one without crime.
    months = dock.chart.accessibleDescription().split("; ")
    assert (months[0], months[-1]) == ("Mar 2019: 3 incidents (12 of 30 days)", "Dec 2019: 12 incidents")
    assert dock.neighbours.rowCount() == 10
    assert len(bands(dock)) == 4


def test_with_a_model_its_prediction_is_large(plugin: SimpleNamespace, dock: Any) -> None:
    dock.settings_box.model_widget.setFilePath("/models/one.crimescore")
    answer = ask(dock, "Zócalo")
    assert (answer.score, answer.lower, answer.upper, answer.percentile) == (0.72, 0.65, 0.8, 91)
    words = dock.answer_view.accessibleDescription()
    for part in (
        "Zócalo",
        "Crime score 0.72",
        "Compared: 91 of 100 incidents that the model learned from happened at places with this score or a lower one",
        "Likely: 0.65 – 0.80: holds the counted score at 80 of 100 places",
        "Counted score: 0.35",
    ):
        assert part in words
    assert "Model: Mexico City, 31 days" in words
    assert dock.tabs.tabText(0) == "Nearest incidents, 31 days"
    assert dock.answer_view.tile.colour == plugin.styles.choose_score_colour(0.72)


def test_what_does_not_belong_together_is_said(dock: Any, engine: Engine) -> None:
    dock.settings_box.model_widget.setFilePath("/models/chicago.crimescore")
    engine.changes = {"predicted": None, "warning": "The model is of Chicago. Only the exact count answers."}
    answer = ask(dock)
    assert dock.message.text == "The model is of Chicago. Only the exact count answers."
    assert not dock.message.set_up_button.isVisible()
    assert (answer.score, answer.lower, answer.model) == (0.35, None, "")


def test_outside_the_data_there_is_no_score(dock: Any, engine: Engine) -> None:
    engine.changes = {"outside": "This place lies outside the data: the nearest incident is 33.2 km away."}
    answer = ask(dock, "Toluca")
    assert "33.2 km away" in dock.message.text
    assert answer.score is None
    assert not dock.answer_view.tile.colour.isValid()
    assert "No score" in dock.answer_view.accessibleDescription()
    # The circle and the place, but no lines across the country.
    assert len(bands(dock)) == 2
    # Warming up for other settings leaves alone what is said of the answer.
    engine.changes = {}
    dock.settings_box.radius_box.setValue(250)
    wait_for(lambda: engine.asked[-1]["radius"] == 250 and not dock.asker.busy)
    assert "33.2 km away" in dock.message.text


def test_the_last_click_wins(dock: Any, engine: Engine) -> None:
    engine.may_answer.clear()
    for number in range(6):
        dock.tool.picked.emit(QgsPointXY(-99.13 - number / 1000, 19.43))
        QCoreApplication.processEvents()
    wait_for(lambda: len(engine.asked) == 1)
    engine.may_answer.set()
    wait_for(lambda: dock.current is not None and not dock.asker.busy)
    # The first was under way, the four between were never asked, and only the last was answered.
    assert len(engine.asked) == 2
    assert dock.current.point.x() == pytest.approx(-99.135)
    assert dock.history.list.count() == 1


def test_other_settings_cancel_what_is_under_way(dock: Any, engine: Engine) -> None:
    engine.may_answer.clear()
    dock.ask("old", CENTRE)
    wait_for(lambda: len(engine.asked) == 1)
    dock.settings_box.radius_box.setValue(500)
    dock.ask("new", CENTRE)
    wait_for(lambda: len(engine.asked) >= 2)
    assert engine.asked[1]["radius"] == 500
    engine.may_answer.set()
    wait_for(lambda: dock.current is not None and not dock.asker.busy)
    assert [answer.name for answer in dock.history.list_answers()] == ["new"]


def test_slow_answers_show_progress(dock: Any, engine: Engine) -> None:
    engine.may_answer.clear()
    dock.ask("", CENTRE)
    # The bar may come before the engine has said how far it is.
    wait_for(lambda: dock.progress_bar.isVisible() and dock.progress_bar.value() == 500)
    assert dock.progress_bar.text() == "Counting incidents around each point"
    engine.may_answer.set()
    wait_for(lambda: not dock.progress_bar.isVisible())


def test_errors_are_sentences(plugin: SimpleNamespace, dock: Any, engine: Engine, window: QMainWindow) -> None:
    engine.problem = plugin.client.EngineError("a.crimeindex is damaged. Make it again.")
    ask(dock)
    assert dock.message.text == "a.crimeindex is damaged. Make it again."
    assert not dock.message.set_up_button.isVisible()
    engine.problem = plugin.client.EngineMissing("The engine is not installed.")
    dock.message.clear()
    ask(dock)
    assert dock.message.text == "The engine is not installed."
    dock.message.set_up_button.click()
    assert window.windowTitle() == "set up"
    engine.problem = RuntimeError("boom")
    dock.message.clear()
    ask(dock)
    assert "failed unexpectedly (boom)" in dock.message.text
    engine.problem = None
    dock.message.clear()
    assert ask(dock) is not None
    assert not dock.message.isVisible()


def test_a_map_without_a_crs(dock: Any, engine: Engine) -> None:
    dock.canvas.setDestinationCrs(QgsCoordinateReferenceSystem())
    dock.centre_button.click()
    assert dock.message.text.startswith("The map has no coordinate system.")
    assert not engine.asked


def test_the_centre_of_the_map_needs_no_mouse(dock: Any) -> None:
    dock.centre_button.click()
    wait_for(lambda: dock.current is not None)
    assert dock.current.point.x() == pytest.approx(-99.133, abs=0.01)


def test_an_address_moves_the_map(dock: Any) -> None:
    dock.address_line.located.emit("Ángel de la Independencia", QgsPointXY(-99.1677, 19.427))
    wait_for(lambda: dock.current is not None)
    assert dock.current.name == "Ángel de la Independencia"
    assert dock.canvas.center().x() == pytest.approx(-99.1677 * 111_319.49, abs=20)


def test_the_layer_of_queries(plugin: SimpleNamespace, dock: Any, tmp_path: Path) -> None:
    dock.settings_box.model_widget.setFilePath("/models/one.crimescore")
    ask(dock, "Zócalo")
    ask(dock, "Alameda", QgsPointXY(-99.144, 19.4358))
    (layer,) = QgsProject.instance().mapLayersByName("Crime score queries")
    assert layer.crs().authid() == "EPSG:4326"
    assert [field.name() for field in layer.fields()] == [
        *("name", "longitude", "latitude", "score", "lower", "upper", "percentile", "incidents", "queried", "model"),
        "index",
    ]
    first, second = layer.getFeatures()
    assert first.geometry().asPoint() == CENTRE
    assert (first["name"], first["score"], first["lower"], first["upper"]) == ("Zócalo", 0.72, 0.65, 0.8)
    assert (first["incidents"], second["incidents"]) == (1, 2)
    assert (second["model"], second["index"]) == ("Mexico City, 31 days", "city.crimeindex")
    assert abs(first["queried"].secsTo(second["queried"])) < 60
    colours = {entry.label(): entry.symbol().color() for entry in layer.renderer().ranges()}
    assert colours["0.6 – 0.8"] == plugin.styles.choose_score_colour(0.72)
    # Removed by the user, it is made again.
    QgsProject.instance().removeMapLayer(layer.id())
    assert plugin.queries_layer.save(str(tmp_path / "none.gpkg")).startswith("There is no query to save yet.")
    ask(dock, "Reforma")
    (layer,) = QgsProject.instance().mapLayersByName("Crime score queries")
    assert [feature["name"] for feature in layer.getFeatures()] == ["Reforma"]


def test_dock_layer_and_legend_agree_on_the_colour(plugin: SimpleNamespace, dock: Any, engine: Engine) -> None:
    for number, score in enumerate([0.0, 0.1, 0.2, 0.2001, 0.4, 0.5, 0.6, 0.72, 0.8, 0.8001, 1.0, None]):
        engine.changes = {"exact": {"score": score, "percentile": 50.0, "score_abs": number}}
        if score is None:
            engine.changes = {"outside": "This place lies outside the data."}
        ask(dock)
        layer = plugin.queries_layer.find()
        *_, feature = layer.getFeatures()
        renderer, context = layer.renderer().clone(), QgsRenderContext()
        renderer.startRender(context, layer.fields())
        context.expressionContext().setFeature(feature)
        drawn = renderer.symbolForFeature(feature, context).color()
        renderer.stopRender(context)
        nodes = QgsMapLayerLegend.defaultVectorLegend(layer).createLayerTreeModelLegendNodes(QgsLayerTreeLayer(layer))
        legend = {node.data(Qt.ItemDataRole.DisplayRole): node.symbol().color() for node in nodes}
        label = next(label for label, colour in legend.items() if colour == drawn)
        if score is None:
            assert label == "no data"
            assert not dock.answer_view.tile.colour.isValid()
            continue
        low, high = map(float, label.split(" – "))
        assert low <= score <= high
        assert dock.answer_view.tile.colour == drawn
        picture = dock.history.list.item(0).icon().pixmap(16, 16).toImage()
        assert picture.pixelColor(picture.width() // 2, picture.height() // 2) == drawn


def test_saved_as_a_geopackage(plugin: SimpleNamespace, dock: Any, engine: Engine, tmp_path: Path) -> None:
    ask(dock, "Zócalo")
    engine.changes = {"outside": "This place lies outside the data."}
    ask(dock, "Toluca")
    path = tmp_path / "mis búsquedas.gpkg"
    for _ in range(2):
        # Without its ending, and over what is there.
        assert plugin.queries_layer.save(str(path.with_suffix(""))) == f"2 queries were saved to {path}."
    saved = QgsVectorLayer(str(path), "saved", "ogr")
    assert [feature["name"] for feature in saved.getFeatures()] == ["Zócalo", "Toluca"]
    assert next(saved.getFeatures())["score"] == 0.35
    assert saved.renderer().type() == "graduatedSymbol"
    assert saved.renderer().classAttribute() == 'coalesce("score", -1)'
    assert "were not saved to" in plugin.queries_layer.save(str(tmp_path / "no folder" / "x.gpkg"))


def test_rows_highlight_on_the_map(dock: Any) -> None:
    ask(dock)
    dock.neighbours.selectRow(0)
    dock.neighbours.selectionModel().select(
        dock.neighbours.model().index(3, 0),
        dock.neighbours.selectionModel().SelectionFlag.Select | dock.neighbours.selectionModel().SelectionFlag.Rows,
    )
    assert dock.markers.highlight.numberOfVertices() == 2
    # Sorted by age the rows change places, and highlight the same incidents.
    dock.neighbours.sortByColumn(1, Qt.SortOrder.AscendingOrder)
    dock.neighbours.clearSelection()
    assert dock.markers.highlight is None
    dock.neighbours.selectRow(0)
    near = dock.current.result["nearest"][9]
    assert dock.neighbours.item(0, 0).text() == f"{near['distance']:.0f} m"
    before = dock.canvas.center()
    QTest.keyClick(dock.neighbours, Qt.Key.Key_Return)
    assert dock.canvas.center() != before


def test_marks_follow_the_map_and_leave_with_the_dock(dock: Any) -> None:
    ask(dock)
    dock.neighbours.selectRow(1)
    assert len(bands(dock)) == 5
    before = dock.markers.circle.asGeometry().boundingBox()
    dock.canvas.setDestinationCrs(QgsCoordinateReferenceSystem(UTM))
    assert len(bands(dock)) == 5
    after = dock.markers.circle.asGeometry().boundingBox()
    assert before.width() > after.width() == pytest.approx(400, abs=1)
    dock.tool_button.click()
    dock.close()
    wait_for(lambda: not bands(dock))
    assert dock.canvas.mapTool() is not dock.tool
    dock.show()
    wait_for(lambda: len(bands(dock)) == 4)
    dock.history.clear_button.click()
    assert not bands(dock)
    assert not dock.result.isVisible()


def test_history(dock: Any) -> None:
    ask(dock, "Zócalo")
    ask(dock, "Alameda", QgsPointXY(-99.144, 19.4358))
    history = dock.history
    assert [answer.name for answer in history.list_answers()] == ["Alameda", "Zócalo"]
    dock.tabs.setCurrentWidget(history)
    history.list.setCurrentRow(1)
    history.go_button.click()
    assert dock.current.name == "Zócalo"
    assert dock.canvas.center().x() == pytest.approx(CENTRE.x() * 111_319.49, abs=20)
    # Shown again it is no new query.
    assert history.list.count() == 2
    assert QgsProject.instance().mapLayersByName("Crime score queries")[0].featureCount() == 2
    history.list.clearSelection()

    def copied() -> bool:
        # A click that nobody's mouse made carries no time, and the X server refuses the clipboard to who asks with an
        # older time than its last owner: a change of the window's title brings a fresh one.
        history.window().setWindowTitle(f"Crime score {time.monotonic()}")
        QCoreApplication.processEvents()
        history.copy_button.click()
        lines = QGuiApplication.clipboard().text().splitlines()
        return len(lines) == 3 and lines[0].startswith("name\tlongitude") and lines[2].startswith("Zócalo\t-99.133200")

    wait_for(copied)
    history.list.setCurrentRow(1)

    def copied_one() -> bool:
        history.window().setWindowTitle(f"Crime score {time.monotonic()}")
        QCoreApplication.processEvents()
        QTest.keyClick(history.list, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
        lines = QGuiApplication.clipboard().text().splitlines()
        return len(lines) == 2 and lines[1].startswith("Zócalo\t")

    # The selected one alone.
    wait_for(copied_one)
    # Who owns the clipboard is asked for it: the QGIS windows of other tests would wait for this process in vain.
    QGuiApplication.clipboard().clear()
    history.clear_button.click()
    assert not history.list.count()
    assert not history.go_button.isEnabled()


def test_a_new_project_takes_the_marks_away(dock: Any) -> None:
    ask(dock)
    assert bands(dock)
    QgsProject.instance().clear()
    assert not bands(dock)
    ask(dock)
    assert len(QgsProject.instance().mapLayersByName("Crime score queries")) == 1


def test_everything_is_reached_with_the_keyboard(dock: Any) -> None:
    ask(dock)
    dock.activateWindow()
    dock.tool_button.setFocus()
    seen, widget = [], dock.tool_button
    for _ in range(300):
        seen.append(widget)
        widget = widget.nextInFocusChain()
        if widget is dock.tool_button:
            break
    box = dock.settings_box
    wanted = [dock.tool_button, dock.centre_button, dock.address_line.field, box.index_widget.lineEdit()]
    wanted += [box.model_widget.lineEdit(), box.date_edit, box.radius_box, box.window_box, box.k_box]
    wanted += [dock.neighbours, dock.history.list, dock.history.go_button, dock.history.save_button]
    assert all(widget.focusPolicy() & Qt.FocusPolicy.TabFocus for widget in wanted)
    places = [next((n for n, one in enumerate(seen) if one is widget), -1) for widget in wanted]
    assert -1 not in places
    assert places == sorted(places)
    form = box.layout()
    for row in range(form.rowCount()):
        label = form.itemAt(row, QFormLayout.ItemRole.LabelRole)
        if label is not None:
            assert label.widget().buddy() is not None
            assert "&" in label.widget().text()


def test_it_is_readable_on_dark_and_light(plugin: SimpleNamespace, dock: Any) -> None:
    ink = plugin.answer_view.choose_ink
    assert ink(QColor("#ffffb2")) == QColor("black")
    assert ink(QColor("#bd0026")) == QColor("white")
    ask(dock)
    palette = dock.palette()
    palette.setColor(palette.ColorRole.Window, QColor("#202020"))
    palette.setColor(palette.ColorRole.WindowText, QColor("#f0f0f0"))
    dock.setPalette(palette)
    picture = dock.chart.grab().toImage()
    colours = {picture.pixelColor(x, y).name() for x in range(picture.width()) for y in range(picture.height())}
    assert "#f0f0f0" in colours
    assert palette.highlight().color().name() in colours
