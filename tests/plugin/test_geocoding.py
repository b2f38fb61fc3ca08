"""Addresses, asked of a local server that answers like Nominatim and Google."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from kit.geocoder_server import GOOD_KEY, geocoder_server
from kit.waiting import wait_for
from qgis.core import QgsFeedback, QgsRectangle, QgsSettings

MEXICO_CITY = QgsRectangle(-99.36, 19.05, -98.94, 19.59)


@pytest.fixture(scope="module")
def ours(plugin: Any) -> SimpleNamespace:
    """The modules that are tested."""
    from crime_risk.bridge import geocoder_choice, geocoding, typed_coordinates

    return SimpleNamespace(choice=geocoder_choice, geocoding=geocoding, typed=typed_coordinates)


@pytest.fixture
def server(ours: SimpleNamespace) -> Iterator[Any]:
    ours.geocoding.forget()
    with geocoder_server() as server:
        yield server
    ours.geocoding.forget()


@pytest.fixture
def nominatim(ours: SimpleNamespace, server: Any) -> Any:
    return ours.choice.Service("nominatim", server.nominatim, timeout=5)


@pytest.fixture
def google(ours: SimpleNamespace, server: Any) -> Any:
    return ours.choice.Service("google", server.google, "mx", timeout=5, key=GOOD_KEY)


@pytest.fixture(params=["nominatim", "google"])
def service(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(request.param)


@pytest.fixture
def settings() -> Iterator[QgsSettings]:
    """No choice made yet; none left behind."""
    settings = QgsSettings()
    settings.remove("crime_risk/geocoder")
    yield settings
    settings.remove("crime_risk/geocoder")


def refusal(ours: SimpleNamespace, text: str, service: Any) -> str:
    with pytest.raises(ours.choice.GeocodingError) as caught:
        ours.geocoding.search(text, MEXICO_CITY, None, service)
    sentence = str(caught.value)
    assert sentence.endswith("."), sentence
    for secret in (GOOD_KEY, "key=", "127.0.0.1:"):
        assert secret not in sentence
    return sentence


def test_places_near_the_data_come_first(ours: SimpleNamespace, service: Any) -> None:
    found = ours.geocoding.search("  Paseo de la\tReforma  222 ", MEXICO_CITY, None, service)
    assert [(place.name.split(",")[1].strip(), place.near) for place in found] == [
        ("Juárez", True),
        ("Tláhuac", True),
        ("Monterrey", False),
    ]
    assert found[0].point.x() == pytest.approx(-99.1677)
    assert found[0].point.y() == pytest.approx(19.4270)


def test_without_an_extent_the_geocoder_knows_best(ours: SimpleNamespace, service: Any) -> None:
    for extent in (None, QgsRectangle()):
        found = ours.geocoding.search("Reforma", extent, None, service)
        assert [place.near for place in found] == [True] * 3
        assert "Monterrey" in found[0].name


def test_what_is_sent(ours: SimpleNamespace, server: Any, nominatim: Any, google: Any) -> None:
    text = "Calle 5 + 10 % 2 & Señor #3"
    ours.geocoding.search(text, MEXICO_CITY, None, dataclasses.replace(nominatim, countries="mx,us"))
    ours.geocoding.search(text, MEXICO_CITY, None, google)
    asked, googled = server.asked
    assert asked["path"] == "/search"
    assert asked["params"]["q"] == text
    assert asked["params"]["format"] == "json"
    assert asked["params"]["countrycodes"] == "mx,us"
    assert "bounded" not in asked["params"]
    west, south, east, north = (float(part) for part in asked["params"]["viewbox"].split(","))
    assert west < -99.36 < -98.94 < east
    assert south < 19.05 < 19.59 < north
    assert "QGIS" in asked["headers"]["User-Agent"]
    assert googled["path"] == "/maps/api/geocode/json"
    assert googled["params"]["address"] == text
    assert googled["params"]["key"] == GOOD_KEY
    assert googled["params"]["region"] == "mx"
    # QGIS 3.40's own bounds end with a latitude in the longitude's place.
    corners = [tuple(float(part) for part in corner.split(",")) for corner in googled["params"]["bounds"].split("|")]
    assert corners == [pytest.approx((south, west), abs=1e-5), pytest.approx((north, east), abs=1e-5)]
    for request in server.asked:
        assert request["headers"]["Accept-Language"]


def test_answers_are_remembered_and_errors_are_not(ours: SimpleNamespace, server: Any, service: Any) -> None:
    assert not ours.geocoding.is_known("Zócalo", MEXICO_CITY, service)
    for text in ("Zócalo", "  Zócalo ", "nowhere", "nowhere"):
        ours.geocoding.search(text, MEXICO_CITY, None, service)
    assert server.addresses == ["Zócalo", "nowhere"]
    assert ours.geocoding.is_known("Zócalo", MEXICO_CITY, service)
    for _ in range(2):
        refusal(ours, "unavailable", service)
    assert server.addresses[2:] == ["unavailable", "unavailable"]


def test_nothing_found_is_a_sentence(ours: SimpleNamespace, service: Any) -> None:
    assert ours.geocoding.search("nowhere", MEXICO_CITY, None, service) == []
    sentence = ours.geocoding.describe_no_place("no  where", service)
    assert sentence.startswith("127.0.0.1 knows no place called “no where”.")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("many requests", "wants a pause. Try again in 7 s."),
        ("too many", "wants a pause. Try again in a minute."),
        ("forbidden", "refused the request (HTTP 403)"),
        ("broken", "problem of its own (HTTP 500)"),
        ("unavailable", "problem of its own (HTTP 503)"),
        ("missing", "cannot answer this (HTTP 404). Check the endpoint"),
        ("web page", "no list of places. Check the endpoint"),
        ("cut short", "no list of places"),
        ("endless", "no list of places"),
        ("hang up", "cannot be reached"),
    ],
)
def test_http_errors_are_sentences(ours: SimpleNamespace, service: Any, text: str, words: str) -> None:
    assert words in refusal(ours, text, service)


@pytest.mark.parametrize("text", ["an object", "no places"])
def test_json_that_is_no_list_of_places(ours: SimpleNamespace, nominatim: Any, text: str) -> None:
    assert "no list of places" in refusal(ours, text, nominatim)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("quota", "was asked too often and wants a pause"),
        ("daily", "billing is off (You must enable Billing on the Google Cloud Project). Check the key's account."),
        ("disabled", "Google rejected the key. Check the key"),
        ("invalid", "cannot read this address (Invalid request."),
        ("unknown", "has a problem of its own. Try again."),
        ("strange", "no list of places"),
    ],
)
def test_google_s_refusals_are_sentences(ours: SimpleNamespace, google: Any, text: str, words: str) -> None:
    assert words in refusal(ours, text, google)


def test_a_wrong_key_is_said_without_the_key(ours: SimpleNamespace, google: Any) -> None:
    sentence = refusal(ours, "Reforma", dataclasses.replace(google, key="A-wrong-key"))
    assert sentence.startswith("Google rejected the key (The provided API key is invalid: …). Check the key")
    assert "A-wrong-key" not in sentence


def test_the_key_does_not_follow_a_redirect(ours: SimpleNamespace, server: Any, google: Any) -> None:
    assert "(HTTP 302)" in refusal(ours, "elsewhere", google)
    assert [request["path"] for request in server.asked] == ["/maps/api/geocode/json"]


def test_a_server_that_is_not_there(ours: SimpleNamespace, service: Any) -> None:
    off = dataclasses.replace(service, endpoint="http://127.0.0.1:1/search")
    assert "refuses connections" in refusal(ours, "Reforma", off)


def test_a_server_that_does_not_answer(ours: SimpleNamespace, service: Any) -> None:
    started = time.monotonic()
    assert "did not answer within 0.3 s" in refusal(ours, "slow", dataclasses.replace(service, timeout=0.3))
    assert time.monotonic() - started < 4


def test_cancel_in_the_middle_of_a_request(ours: SimpleNamespace, server: Any, service: Any) -> None:
    feedback = QgsFeedback()
    caught: list[BaseException] = []

    def search() -> None:
        try:
            ours.geocoding.search("slow", None, feedback, service)
        except ours.choice.SearchCancelled as error:
            caught.append(error)

    thread = threading.Thread(target=search)
    thread.start()
    wait_for(lambda: server.asked)
    feedback.cancel()
    thread.join(5)
    assert not thread.is_alive()
    assert caught


def test_a_public_server_is_asked_once_a_second(
    ours: SimpleNamespace, nominatim: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ours.choice, "_PUBLIC", {"127.0.0.1"})
    assert not nominatim.suggests_while_typing
    started = time.monotonic()
    for text in ("one", "two", "two"):
        ours.geocoding.search(text, None, None, nominatim)
    assert 0.9 < time.monotonic() - started < 5
    feedback = QgsFeedback()
    feedback.cancel()
    with pytest.raises(ours.choice.SearchCancelled):
        ours.geocoding.search("three", None, feedback, nominatim)


@pytest.mark.parametrize(
    ("text", "latitude", "longitude"),
    [
        ("19.43, -99.13", 19.43, -99.13),
        ("19.43 -99.13", 19.43, -99.13),
        ("19,43; −99,13", 19.43, -99.13),
        ("-99.13,19.43", 19.43, -99.13),
        ("-33.9; 151.2", -33.9, 151.2),
        ("N 19.43° W 99.13°", 19.43, -99.13),
        ("99.13w 19.43n", 19.43, -99.13),
        ("19°25'48\" N, 99°8' W", 19.43, -99.13333),
        ("0.0, 0.0", 0, 0),
    ],
)
def test_typed_coordinates_ask_nobody(
    ours: SimpleNamespace, server: Any, nominatim: Any, text: str, latitude: float, longitude: float
) -> None:
    [place] = ours.geocoding.search(text, None, None, nominatim)
    assert place.point.y() == pytest.approx(latitude, abs=1e-4)
    assert place.point.x() == pytest.approx(longitude, abs=1e-4)
    assert not server.asked
    assert ours.geocoding.list_typed_places(place.name)[0].name == place.name


@pytest.mark.parametrize(
    "text",
    [
        "222 10",
        "Reforma 222",
        "19.43",
        "19.43 N 5",
        "19.43 N 5.0 S",
        "06600",
        "100 S 200 W",
        "10-12 Downing",
        "S 19.43 W",
    ],
)
def test_what_is_an_address_after_all(ours: SimpleNamespace, text: str) -> None:
    assert ours.typed.read_typed_pair(text) is None


def test_coordinates_in_doubtful_order(ours: SimpleNamespace) -> None:
    lima = QgsRectangle(-77.2, -12.3, -76.8, -11.9)
    found = ours.geocoding.search("-77.03, -12.05", lima)
    assert [(place.point.x(), place.near) for place in found] == [(-77.03, True), (-12.05, False)]
    assert len(ours.geocoding.search("-12.05, -77.03", lima)) == 1
    with pytest.raises(ours.choice.GeocodingError, match=r"120\.5 N 10 E is no place on Earth"):
        ours.geocoding.search("120.5 N 10 E")


def test_the_choice_is_kept(ours: SimpleNamespace, settings: QgsSettings) -> None:
    choice = ours.choice
    first = choice.read_service()
    assert (first.kind, first.countries, first.key) == ("nominatim", "", "")
    assert first.is_public
    assert not first.suggests_while_typing
    choice.save_service(choice.Service("nominatim", " http://geo.example.org/search ", "MX; us"))
    own = choice.read_service()
    assert own == choice.Service("nominatim", "http://geo.example.org/search", "mx,us")
    assert own.suggests_while_typing
    choice.save_service(choice.Service("google", "", "", typing=False, key=GOOD_KEY))
    chosen = choice.read_service()
    assert (chosen.kind, chosen.typing, chosen.key) == ("google", False, "")
    assert chosen.endpoint == "https://maps.googleapis.com/maps/api/geocode/json"
    assert choice.read_service("nominatim").endpoint == own.endpoint
    settings.sync()
    assert GOOD_KEY not in Path(settings.fileName()).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("kind", "endpoint", "words"),
    [
        ("nominatim", "nominatim", "is no web address"),
        ("nominatim", "ftp://example.org/search", "is no web address"),
        ("nominatim", "https://example.org/search?key=1", "has a part that would be lost"),
        ("nominatim", "https://me:secret@example.org/search", "holds a user or a password"),
        ("google", "http://example.org/json", "would send the Google key unencrypted"),
    ],
)
def test_endpoints_that_are_refused(
    ours: SimpleNamespace, settings: QgsSettings, kind: str, endpoint: str, words: str
) -> None:
    with pytest.raises(ours.choice.GeocodingError, match=words) as caught:
        ours.choice.save_service(ours.choice.Service(kind, endpoint))
    assert "secret" not in str(caught.value)
    # Also where somebody wrote it into the settings by hand.
    settings.setValue("crime_risk/geocoder/kind", kind)
    settings.setValue(f"crime_risk/geocoder/{kind}/endpoint", endpoint)
    with pytest.raises(ours.choice.GeocodingError, match=words):
        ours.geocoding.read_service_with_key()
    assert ours.choice.read_service(checked=False).endpoint == endpoint


def test_countries_that_are_refused(ours: SimpleNamespace, settings: QgsSettings) -> None:
    with pytest.raises(ours.choice.GeocodingError, match="mexico is no two-letter country code"):
        ours.choice.save_service(ours.choice.Service("nominatim", "", "us, Mexico"))
