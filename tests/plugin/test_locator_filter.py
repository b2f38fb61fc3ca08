"""Crime scores from the Locator bar, with QGIS's own Locator behind them."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from kit.geocoder_server import GOOD_KEY
from kit.windows import chosen_server, wait_for
from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsLocator,
    QgsLocatorContext,
    QgsLocatorResult,
    QgsPointXY,
    QgsRectangle,
)
from qgis.PyQt.QtCore import QCoreApplication

MEXICO_CITY = QgsRectangle(-99.36, 19.05, -98.94, 19.59)


class Bar:
    """QGIS's Locator with our filter in it, and what it asked for."""

    def __init__(self) -> None:
        from crime_risk.ui.score.locator_filter import CrimeScoreLocatorFilter

        self.asked: list[tuple[str, float, float]] = []
        self.reopened: list[str] = []
        self.results: list[QgsLocatorResult] = []
        self.over = False
        self.locator = QgsLocator()
        self.filter = CrimeScoreLocatorFilter(self._ask, lambda: MEXICO_CITY, self.reopened.append)
        self.locator.registerFilter(self.filter)
        self.locator.foundResult.connect(self._keep)
        self.locator.finished.connect(self._end)

    def _ask(self, name: str, point: QgsPointXY) -> None:
        self.asked.append((name, round(point.x(), 4), round(point.y(), 4)))

    def _keep(self, result: QgsLocatorResult) -> None:
        # A copy: what a signal hands over lives no longer than the slot.
        self.results.append(QgsLocatorResult(result))

    def _end(self) -> None:
        self.over = True

    def type(self, text: str) -> list[str]:
        """The rows that appear for a text, best first."""
        self.results.clear()
        self.over = False
        self.locator.fetchResults(text, QgsLocatorContext())
        wait_for(lambda: self.over)
        # The rows travel through the event loop, behind the end.
        for _ in range(5):
            QCoreApplication.processEvents()
        self.results.sort(key=lambda result: -result.score)
        return [result.displayString for result in self.results]

    def press(self, row: int = 0) -> None:
        """Press Enter on a row."""
        result = self.results[row]
        result.filter.triggerResult(result)


@pytest.fixture
def bar(plugin: Any) -> Iterator[Bar]:
    bar = Bar()
    bar.filter.setFetchResultsDelay(0)
    yield bar
    bar.locator.cancel()
    bar.locator.deregisterFilter(bar.filter)


@pytest.fixture
def ours(plugin: Any) -> SimpleNamespace:
    from crime_risk.bridge import geocoder_choice, geocoding

    return SimpleNamespace(choice=geocoder_choice, geocoding=geocoding)


@pytest.fixture
def server(ours: SimpleNamespace) -> Iterator[Any]:
    """A server of one's own, which may be asked while typing."""
    with chosen_server(ours.choice, ours.geocoding) as server:
        yield server


@pytest.fixture
def public(ours: SimpleNamespace, server: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A server that forbids suggestions while typing."""
    monkeypatch.setattr(ours.choice, "_PUBLIC", {"127.0.0.1"})
    return server


def test_qgis_takes_the_prefix(bar: Bar) -> None:
    assert bar.filter.activePrefix() == "score"
    assert not bar.filter.useWithoutPrefix()
    assert bar.filter.displayName() == "Crime score at an address"
    assert isinstance(bar.filter.clone(), type(bar.filter))


def test_places_while_typing_where_it_is_allowed(bar: Bar, server: Any) -> None:
    rows = bar.type("score Reforma")
    assert [row.split(",")[1].strip() for row in rows] == ["Juárez", "Tláhuac", "Monterrey"]
    assert bar.results[0].description == "© OpenStreetMap contributors"
    bar.press()
    assert bar.asked == [(rows[0], -99.1677, 19.4270)]


def test_nothing_without_the_prefix_or_with_three_letters(bar: Bar, server: Any) -> None:
    assert bar.type("Reforma 222") == []
    assert bar.type("score Ref") == []
    assert not server.asked


def test_coordinates(bar: Bar, server: Any) -> None:
    assert bar.type("score 19.43, -99.13") == ["19.43000° N, 99.13000° W"]
    bar.press()
    assert bar.asked[0][1:] == (-99.13, 19.43)
    assert not server.asked


def test_a_public_server_is_asked_on_enter_only(bar: Bar, public: Any) -> None:
    for text in ("Refo", "Reform", "Reforma"):
        assert bar.type(f"score {text}") == [f"Search for “{text}”"]
    assert not public.asked
    bar.press()
    wait_for(lambda: bar.reopened)
    assert bar.reopened == ["score Reforma"]
    assert len(bar.type(bar.reopened[0])) == 3
    assert public.addresses == ["Reforma"]


def test_a_single_place_is_asked_at_once(bar: Bar, public: Any) -> None:
    bar.type("score Zócalo")
    bar.press()
    wait_for(lambda: bar.asked)
    assert bar.asked[0][1:] == (-99.1332, 19.4326)
    assert not bar.reopened


@pytest.mark.parametrize(
    ("text", "words"),
    [("too many requests", "wants a pause"), ("nowhere", "knows no place called “nowhere”"), ("web page", "no list")],
)
def test_errors_are_a_row(bar: Bar, server: Any, text: str, words: str) -> None:
    [row] = bar.type(f"score {text}")
    assert words in row


def test_an_error_after_enter_is_a_row_once(bar: Bar, public: Any) -> None:
    bar.type("score unavailable")
    bar.press()
    wait_for(lambda: bar.reopened)
    [row] = bar.type(bar.reopened[0])
    assert "HTTP 503" in row
    assert bar.results[0].description == "Press Enter to try again"
    assert bar.type("score unavailable") == ["Search for “unavailable”"]


def test_google_without_a_key_is_a_row(
    bar: Bar, ours: SimpleNamespace, server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours.choice.save_service(ours.choice.Service("google", server.google))
    manager = SimpleNamespace(isDisabled=lambda: False, existsAuthSetting=lambda name: False)
    monkeypatch.setattr(ours.geocoding.geocoder_key, "QgsApplication", SimpleNamespace(authManager=lambda: manager))
    [row] = bar.type("score Reforma")
    assert row.startswith("Google Maps needs a key.")
    assert bar.results[0].userData == {"settings": True}


def test_a_locked_key_is_a_row_and_enter_unlocks_it(
    bar: Bar, ours: SimpleNamespace, server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours.choice.save_service(ours.choice.Service("google", server.google))
    state = SimpleNamespace(open=False, asked=0)

    def unlock(verify: bool) -> bool:
        state.asked += 1
        state.open = state.asked > 1
        return state.open

    manager = SimpleNamespace(
        isDisabled=lambda: False,
        existsAuthSetting=lambda name: True,
        masterPasswordIsSet=lambda: state.open,
        setMasterPassword=unlock,
        authSetting=lambda name, default, decrypt: GOOD_KEY,
    )
    monkeypatch.setattr(ours.geocoding.geocoder_key, "QgsApplication", SimpleNamespace(authManager=lambda: manager))
    for _ in range(2):
        assert bar.type("score Reforma") == ["The Google key is locked by QGIS's master password."]
    assert state.asked == 0
    bar.press()
    [row] = bar.type(bar.reopened.pop())
    assert "was not given or is wrong" in row
    bar.press()
    wait_for(lambda: bar.reopened)
    assert len(bar.type(bar.reopened.pop())) == 3
    assert state.asked == 2


def test_the_map_s_extent_by_default(plugin: Any) -> None:
    from crime_risk.ui.score.locator_filter import CrimeScoreLocatorFilter

    one = CrimeScoreLocatorFilter(print)
    context = QgsLocatorContext()
    context.targetExtent = QgsRectangle(480_000, 2_140_000, 490_000, 2_150_000)
    context.targetExtentCrs = QgsCoordinateReferenceSystem("EPSG:32614")
    one.prepare("x", context)
    assert one._area.contains(QgsPointXY(-99.15, 19.4))
    one.prepare("x", QgsLocatorContext())
    assert one._area is None
