"""Addresses in the crime score dock: a place found is asked, and what goes wrong is a sentence in the dock."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from qgis.core import QgsCoordinateReferenceSystem, QgsProject, QgsRectangle, QgsSettings
from qgis.gui import QgsMapCanvas, QgsMapToolPan
from qgis.PyQt.QtCore import QCoreApplication, Qt
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QMainWindow

ROOT = Path(__file__).resolve().parents[2]


def load_server() -> ModuleType:
    """The module of the local server, which lies beside the tests of every layer."""
    spec = importlib.util.spec_from_file_location("geocoder_server", ROOT / "tests" / "geocoder_server.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


servers = load_server()


def wait_for(condition: Callable[[], Any], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        QCoreApplication.processEvents()
        time.sleep(0.01)


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory, qgis_app: Any) -> SimpleNamespace:
    """The plugin's modules, imported the way QGIS does: as a package of any name."""
    if importlib.util.find_spec("crime_risk") is None:
        folder = tmp_path_factory.mktemp("plugins")
        (folder / "crime_risk").symlink_to(ROOT)
        sys.path.append(str(folder))
    names = ("ui.score.dock", "ui.score.address_search", "bridge.geocoder_choice", "bridge.geocoding", "bridge.client")
    return SimpleNamespace(**{name.rpartition(".")[2]: importlib.import_module(f"crime_risk.{name}") for name in names})


@pytest.fixture
def server(ours: SimpleNamespace) -> Iterator[Any]:
    QgsSettings().remove("crime_risk/geocoder")
    ours.geocoding.forget()
    with servers.geocoder_server() as server:
        ours.geocoder_choice.save_service(ours.geocoder_choice.Service("nominatim", server.nominatim))
        yield server
        server.may_answer.set()
        wait_for(lambda: not ours.address_search._searches)
    QgsSettings().remove("crime_risk/geocoder")
    ours.geocoding.forget()


@pytest.fixture
def dock(ours: SimpleNamespace, server: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The dock beside a map; without an index, which addresses do not need."""

    def no_engine(*_: Any, **__: Any) -> Any:
        raise ours.client.EngineMissing("The engine is not installed.")

    monkeypatch.setattr(ours.client, "call", no_engine)
    QgsSettings().remove("crime_risk/score_dock")
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
