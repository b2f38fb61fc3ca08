"""The address line in a window: typing, suggestions, the keyboard alone, and sentences where nothing is found."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from kit.geocoder_server import GOOD_KEY
from kit.windows import chosen_server, import_modules, wait_for
from qgis.core import QgsApplication, QgsRectangle
from qgis.PyQt.QtCore import QCoreApplication, QEvent, Qt
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QLineEdit

ROOT = Path(__file__).resolve().parents[2]
MEXICO_CITY = QgsRectangle(-99.36, 19.05, -98.94, 19.59)


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory, qgis_app: Any) -> SimpleNamespace:
    """The plugin's modules, imported the way QGIS does: as a package of any name."""
    return import_modules(
        tmp_path_factory,
        "bridge.geocoding",
        line="ui.score.address_line",
        search="ui.score.address_search",
        settings="ui.score.geocoder_settings",
        choice="bridge.geocoder_choice",
        key="bridge.geocoder_key",
    )


@pytest.fixture
def server(ours: SimpleNamespace) -> Iterator[Any]:
    """A server of one's own, which may be asked while typing."""
    with chosen_server(ours.choice, ours.geocoding) as server:
        yield server
        server.may_answer.set()
        wait_for(lambda: not ours.search._searches)


@pytest.fixture
def public(ours: SimpleNamespace, server: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A server that forbids suggestions while typing."""
    monkeypatch.setattr(ours.choice, "_PUBLIC", {"127.0.0.1"})
    return server


@pytest.fixture
def line(ours: SimpleNamespace, server: Any) -> Iterator[Any]:
    """An address line that notes what it finds and what it says."""
    line = ours.line.AddressLine()
    line.set_extent(MEXICO_CITY)
    line.found = []
    line.said = []
    line.located.connect(lambda name, point: line.found.append((name, round(point.x(), 4), round(point.y(), 4))))
    line.failed.connect(line.said.append)
    line.show()
    line.activateWindow()
    line.field.setFocus()
    yield line
    line.close()


def write(line: Any, text: str) -> None:
    line.field.clear()
    for letter in text:
        # QTest knows no key for ó.
        if letter.isascii():
            QTest.keyClicks(line.field, letter)
        else:
            line.field.insert(letter)


def enter(line: Any, text: str) -> None:
    write(line, text)
    QTest.keyClick(line.field, Qt.Key.Key_Return)


def rows(line: Any) -> list[str]:
    return [line.list.item(row).text() for row in range(line.list.count())] if line.list.isVisible() else []


def test_the_keyboard_alone(line: Any) -> None:
    enter(line, "Paseo de la Reforma 222")
    wait_for(lambda: rows(line))
    assert rows(line)[0].startswith("Paseo de la Reforma, Juárez")
    assert rows(line)[2].endswith("Nuevo León, México (outside the data)")
    assert line.source_label.isVisible()
    assert "OpenStreetMap" in line.source_label.text()
    assert line.focusWidget() is line.list
    QTest.keyClick(line.list, Qt.Key.Key_Down)
    QTest.keyClick(line.list, Qt.Key.Key_Return)
    assert line.found == [("Avenida de la Reforma, Tláhuac, Ciudad de México, 13300, México", -99.0037, 19.2869)]
    assert line.field.text() == line.found[0][0]
    assert not rows(line)
    assert not line.source_label.isVisible()
    assert line.focusWidget() is line.field


def test_back_to_the_field_and_away(line: Any) -> None:
    enter(line, "Reforma")
    wait_for(lambda: rows(line))
    QTest.keyClick(line.list, Qt.Key.Key_Up)
    assert line.focusWidget() is line.field
    QTest.keyClick(line.field, Qt.Key.Key_Down)
    assert line.focusWidget() is line.list
    # Going on to write changes the search.
    QTest.keyClick(line.list, Qt.Key.Key_X)
    assert line.field.text() == "Reformax"
    assert not rows(line)
    enter(line, "Reforma")
    wait_for(lambda: rows(line))
    QTest.keyClick(line.list, Qt.Key.Key_Escape)
    assert not rows(line)
    assert line.field.text() == "Reforma"
    assert not line.found


def test_a_click_takes_a_place(line: Any) -> None:
    enter(line, "Reforma")
    wait_for(lambda: rows(line))
    place = line.list.visualItemRect(line.list.item(2)).center()
    QTest.mouseClick(line.list.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert line.found == [("Paseo de la Reforma, Monterrey, Nuevo León, México", -100.309, 25.6714)]


def test_a_single_place_near_the_data_is_taken(line: Any, server: Any) -> None:
    enter(line, "Zócalo")
    wait_for(lambda: line.found)
    assert line.found[0][1:] == (-99.1332, 19.4326)
    # One far away is offered, not taken.
    line.set_extent(QgsRectangle(13.0, 52.3, 13.8, 52.7))
    enter(line, "Zócalo")
    wait_for(lambda: rows(line))
    assert rows(line)[0].endswith("(outside the data)")
    assert len(line.found) == 1


def test_coordinates_ask_nobody(line: Any, server: Any) -> None:
    enter(line, "19.43, -99.13")
    wait_for(lambda: line.found)
    assert line.found == [("19.43000° N, 99.13000° W", -99.13, 19.43)]
    QTest.keyClick(line.field, Qt.Key.Key_Return)
    wait_for(lambda: len(line.found) == 2)
    assert line.found[1] == line.found[0]
    assert not server.asked


def test_suggestions_after_a_pause(line: Any, server: Any) -> None:
    write(line, "Ref")
    assert not line._pause.isActive()
    write(line, "Reforma")
    assert line._pause.isActive()
    wait_for(lambda: rows(line))
    assert server.addresses == ["Reforma"]
    assert line.focusWidget() is line.field
    assert not line.found


def test_a_public_server_is_not_asked_while_typing(line: Any, public: Any) -> None:
    write(line, "Reforma")
    assert line._pause.isActive()
    wait_for(lambda: not line._pause.isActive())
    assert line._search is None
    assert not public.asked
    QTest.keyClick(line.field, Qt.Key.Key_Return)
    wait_for(lambda: rows(line))
    assert public.addresses == ["Reforma"]


def test_the_last_search_wins(line: Any, server: Any) -> None:
    enter(line, "slow Reforma")
    wait_for(lambda: server.addresses == ["slow Reforma"])
    enter(line, "Zócalo")
    wait_for(lambda: line.found)
    server.may_answer.set()
    wait_for(lambda: not QgsApplication.taskManager().countActiveTasks())
    assert [found[1:] for found in line.found] == [(-99.1332, 19.4326)]
    assert not rows(line)
    assert not line.said


def test_busy_and_stopped(ours: SimpleNamespace, line: Any, server: Any) -> None:
    assert not line.busy_bar.isVisible()
    enter(line, "slow Reforma")
    wait_for(lambda: server.asked)
    assert line.busy_bar.isVisible()
    assert line.stop_button.isVisible()
    assert not line.search_button.isVisible()
    line.stop_button.click()
    assert not line.busy_bar.isVisible()
    # Without waiting for the server.
    wait_for(lambda: not ours.search._searches)
    assert not line.found
    assert not line.said


@pytest.mark.parametrize("way", ["close", "delete"])
def test_closing_gives_up(ours: SimpleNamespace, line: Any, server: Any, way: str) -> None:
    enter(line, "slow Reforma")
    wait_for(lambda: server.asked)
    [search] = ours.search._searches
    if way == "close":
        line.close()
        assert search._feedback.isCanceled()
    else:
        other = ours.line.AddressLine()
        other.show()
        enter(other, "slow Zócalo")
        wait_for(lambda: len(server.asked) == 2)
        other.deleteLater()
        QCoreApplication.sendPostedEvents(other, QEvent.Type.DeferredDelete)
        line.cancel()
        server.may_answer.set()
    wait_for(lambda: not ours.search._searches)
    assert not line.found


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nowhere", "knows no place called “nowhere”. Check the spelling"),
        ("too many requests", "wants a pause"),
        ("unavailable", "HTTP 503"),
        ("web page", "no list of places"),
        ("95.5, 200.5", "is no place on Earth"),
    ],
)
def test_what_fails_is_a_sentence(line: Any, text: str, words: str) -> None:
    enter(line, text)
    wait_for(lambda: line.said)
    assert words in line.said[0]
    assert not line.busy_bar.isVisible()
    assert not rows(line)
    # It goes on working.
    enter(line, "Zócalo")
    wait_for(lambda: line.found)


def test_offline_is_a_sentence(ours: SimpleNamespace, line: Any) -> None:
    ours.choice.save_service(ours.choice.Service("nominatim", "http://127.0.0.1:1/search"))
    enter(line, "Reforma")
    wait_for(lambda: line.said)
    assert line.said == ["127.0.0.1 refuses connections. Check the endpoint in the settings of the address line."]


def test_an_unexpected_failure_is_a_sentence_without_its_words(
    ours: SimpleNamespace, line: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("http://example.org?key=secret")

    monkeypatch.setattr(ours.geocoding, "search", fail)
    enter(line, "Reforma")
    wait_for(lambda: line.said)
    assert line.said == ["The search failed unexpectedly (RuntimeError). Please report this."]


class Keys:
    """Stands in for the authentication database, which tests/plugin/test_geocoder_key.py looks into."""

    def __init__(self, ours: SimpleNamespace) -> None:
        self.ours = ours
        self.key = ""
        self.locked = False

    def has_key(self) -> bool:
        return bool(self.key)

    def read_key(self, ask: bool = True) -> str:
        if self.locked:
            raise self.ours.key.KeyLocked("The Google key is locked.")
        if not self.key:
            raise self.ours.choice.GeocodingError("Google Maps needs a key.")
        return self.key

    def store_key(self, key: str) -> None:
        if self.locked:
            raise self.ours.key.KeyLocked("The master password is wrong.")
        self.key = key

    def remove_key(self) -> None:
        self.key = ""


@pytest.fixture
def keys(ours: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> Keys:
    keys = Keys(ours)
    for name in ("has_key", "read_key", "store_key", "remove_key"):
        monkeypatch.setattr(ours.key, name, getattr(keys, name))
    return keys


def test_google_with_and_without_a_key(ours: SimpleNamespace, line: Any, server: Any, keys: Keys) -> None:
    ours.choice.save_service(ours.choice.Service("google", server.google))
    enter(line, "Reforma")
    assert line.said == ["Google Maps needs a key."]
    keys.key = "A-wrong-key"
    enter(line, "Reforma")
    wait_for(lambda: len(line.said) == 2)
    assert line.said[1].startswith("Google rejected the key")
    assert "A-wrong-key" not in line.said[1]
    keys.key = GOOD_KEY
    enter(line, "Reforma")
    wait_for(lambda: rows(line))
    assert line.source_label.text() == "Results by Google"
    assert len(line.said) == 2


def test_typing_asks_for_no_password(ours: SimpleNamespace, line: Any, server: Any, keys: Keys) -> None:
    ours.choice.save_service(ours.choice.Service("google", server.google))
    keys.key, keys.locked = GOOD_KEY, True
    write(line, "Reforma")
    wait_for(lambda: not line._pause.isActive())
    assert not line.said
    QTest.keyClick(line.field, Qt.Key.Key_Return)
    assert line.said == ["The Google key is locked."]
    assert not server.asked


def test_choosing_google(ours: SimpleNamespace, server: Any, keys: Keys) -> None:
    dialog = ours.settings.GeocoderSettings()
    dialog.show()
    assert dialog.endpoint_field.text() == server.nominatim
    assert not dialog.key_field.isVisible()
    dialog.kind_box.setCurrentIndex(dialog.kind_box.findData("google"))
    assert dialog.key_field.isVisible()
    assert dialog.key_field.echoMode() == QLineEdit.EchoMode.Password
    assert "sent to maps.googleapis.com" in dialog.privacy_label.text()
    dialog.accept()
    assert dialog.problem_label.text().startswith("Google key: enter one")
    keys.locked = True
    QTest.keyClicks(dialog.key_field, GOOD_KEY)
    dialog.accept()
    assert dialog.problem_label.text() == "The master password is wrong."
    assert ours.choice.read_kind() == "nominatim"
    keys.locked = False
    dialog.accept()
    assert not dialog.isVisible()
    assert keys.key == GOOD_KEY
    assert ours.choice.read_kind() == "google"
    again = ours.settings.GeocoderSettings()
    assert again.key_field.text() == ""
    assert "kept, encrypted" in again.key_field.placeholderText()
    again.remove_button.click()
    assert not keys.key
    again.close()


def test_cancel_changes_nothing(ours: SimpleNamespace, server: Any, keys: Keys) -> None:
    dialog = ours.settings.GeocoderSettings()
    dialog.show()
    dialog.kind_box.setCurrentIndex(dialog.kind_box.findData("google"))
    dialog.key_field.setText("never-to-be-kept")
    dialog.reject()
    assert dialog.key_field.text() == ""
    assert not keys.key
    assert ours.choice.read_kind() == "nominatim"


def test_suggesting_while_typing_is_a_choice_where_it_is_allowed(
    ours: SimpleNamespace, server: Any, line: Any, keys: Keys
) -> None:
    dialog = ours.settings.GeocoderSettings()
    dialog.show()
    assert dialog.typing_box.isEnabled()
    assert dialog.typing_box.isChecked()
    dialog.endpoint_field.clear()
    assert not dialog.typing_box.isEnabled()
    assert not dialog.typing_box.isChecked()
    assert "press Enter" in dialog.privacy_label.text()
    dialog.endpoint_field.setText("ftp://x")
    dialog.accept()
    assert "is no web address" in dialog.problem_label.text()
    dialog.endpoint_field.setText(server.nominatim)
    assert dialog.typing_box.isChecked()
    dialog.typing_box.click()
    dialog.countries_field.setText("Mexico")
    dialog.accept()
    assert "no two-letter country code" in dialog.problem_label.text()
    dialog.countries_field.setText("mx")
    dialog.accept()
    assert not dialog.isVisible()
    assert ours.choice.read_service().countries == "mx"
    write(line, "Reforma")
    wait_for(lambda: not line._pause.isActive())
    assert not server.asked


def test_everything_can_be_reached_and_read_out(line: Any) -> None:
    for widget in (line.field, line.list, line.search_button, line.stop_button, line.settings_button):
        assert widget.accessibleName()
    assert line.focusProxy() is line.field
