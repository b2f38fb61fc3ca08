"""Addresses in the crime score dock: a place found is asked, and what goes wrong is a sentence in the dock."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from kit.windows import chosen_server, forget_choices, import_modules, wait_for
from qgis.core import QgsCoordinateReferenceSystem, QgsProject, QgsRectangle
from qgis.gui import QgsMapCanvas, QgsMapToolPan
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QMainWindow

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory, qgis_app: Any) -> SimpleNamespace:
    """The plugin's modules, imported the way QGIS does: as a package of any name."""
    return import_modules(
        tmp_path_factory,
        "ui.score.dock",
        "ui.score.address_search",
        "bridge.geocoder_choice",
        "bridge.geocoding",
        "bridge.client",
        "bridge.last_files",
    )


@pytest.fixture
def server(ours: SimpleNamespace) -> Iterator[Any]:
    with chosen_server(ours.geocoder_choice, ours.geocoding) as server:
        yield server
        server.may_answer.set()
        wait_for(lambda: not ours.address_search._searches)


@pytest.fixture
def dock(ours: SimpleNamespace, server: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The dock beside a map; without an index, which addresses do not need."""

    def no_engine(*_: Any, **__: Any) -> Any:
        raise ours.client.EngineMissing("The engine is not installed.")

    monkeypatch.setattr(ours.client, "call", no_engine)
    forget_choices(ours.last_files)
    QgsProject.instance().clear()
    window = QMainWindow()
    canvas = QgsMapCanvas(window)
    canvas.setDestinationCrs(QgsCoordinateReferenceSystem("EPSG:3857"))
    canvas.setExtent(QgsRectangle(-11_037_000, 2_204_000, -11_034_000, 2_207_000))
    window.setCentralWidget(canvas)
    dock = ours.dock.ScoreDock(canvas, lambda: None, window)
    window.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, dock)
    window.show()
    dock.asked = []
    yield dock
    dock.close_for_good()
    window.close()
    QgsProject.instance().clear()


def look_up(dock: Any, text: str) -> None:
    dock.message.say("")
    dock.address_line.field.setText(text)
    QTest.keyClick(dock.address_line.field, Qt.Key.Key_Return)


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("nowhere at all", "nowhere at all"),
        ("too many", "asked too often"),
        ("forbidden", "403"),
        ("unavailable", "503"),
        ("web page", "answer"),
    ],
)
def test_what_goes_wrong_is_a_sentence_in_the_dock(dock: Any, address: str, sentence: str) -> None:
    look_up(dock, address)
    wait_for(lambda: dock.message.text)
    assert sentence in dock.message.text
    assert "Traceback" not in dock.message.text
    assert dock.current is None


def test_offline_is_a_sentence_in_the_dock(ours: SimpleNamespace, dock: Any) -> None:
    # Nobody listens at port 9 of this machine.
    ours.geocoder_choice.save_service(ours.geocoder_choice.Service("nominatim", "http://127.0.0.1:9/search"))
    look_up(dock, "Reforma 222")
    wait_for(lambda: dock.message.text)
    assert "could not be reached" in dock.message.text or "connection" in dock.message.text.lower()


def test_the_tool_of_before_comes_back(dock: Any) -> None:
    pan = QgsMapToolPan(dock.canvas)
    dock.canvas.setMapTool(pan)
    dock.tool_button.click()
    assert dock.canvas.mapTool() is dock.tool
    dock.tool_button.click()
    assert dock.canvas.mapTool() is pan
