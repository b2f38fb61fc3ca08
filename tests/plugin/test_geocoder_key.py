"""Google's key: encrypted in the authentication database, and nowhere else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
KEYS = ("AIzaSyGOODGOOD", "A-wrong-key", "another-key-9876")


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a QGIS of its own has kept settings, caches and the authentication database."""
    return tmp_path_factory.mktemp("profile ñ")


@pytest.fixture(scope="module")
def seen(profile: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What geocoder_key_probe.py saw there."""
    folder = tmp_path_factory.mktemp("key plugins")
    (folder / "crime_risk").symlink_to(ROOT)
    log = profile / "qgis.log"
    environment = {
        **os.environ,
        "QT_QPA_PLATFORM": "offscreen",
        "QGIS_CUSTOM_CONFIG_PATH": str(profile),
        "HOME": str(profile),
        "XDG_CACHE_HOME": str(profile / "cache"),
        "QGIS_LOG_FILE": str(log),
    }
    done = subprocess.run(
        [sys.executable, str(ROOT / "tests" / "plugin" / "geocoder_key_probe.py"), str(folder)],
        capture_output=True,
        text=True,
        timeout=180,
        env=environment,
        check=False,
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    assert lines, done.stdout + done.stderr
    output = "".join(line for line in done.stdout.splitlines() if not line.startswith("RESULT ")) + done.stderr
    return {**json.loads(lines[0].removeprefix("RESULT ")), "output": output}


def test_it_is_kept_and_used(seen: dict[str, Any]) -> None:
    assert seen["no key"].startswith("GeocodingError: Google Maps needs a key. Enter one in the settings")
    assert seen["kept"] == [True, True]
    assert seen["found"] == ["Plaza de la Constitución, Centro, Cuauhtémoc, Ciudad de México, 06000, México"]
    assert "AIzaSyGOODGOOD" in " ".join(seen["asked with"])


def test_it_is_never_sent_elsewhere(seen: dict[str, Any]) -> None:
    assert seen["elsewhere"] == ["/maps/api/geocode/json"]
    assert not seen["trapped"]


def test_the_master_password(seen: dict[str, Any]) -> None:
    refused, kept = seen["refused"]
    assert refused.startswith("KeyLocked: QGIS's master password was not given or is wrong")
    assert not kept
    locked, asked = seen["locked"]
    assert locked == "KeyLocked: The Google key is locked by QGIS's master password."
    assert asked == 0
    declined, asked = seen["declined"]
    assert "was not given or is wrong" in declined
    assert asked == 1
    assert "was not given or is wrong" in seen["wrong password"]
    assert seen["still there"]


def test_the_dialog_never_reads_it_back(seen: dict[str, Any]) -> None:
    assert seen["dialog"] == {
        "text": "",
        "placeholder": "kept, encrypted; enter another to replace it",
        "masked": True,
        "removable": True,
    }
    sentence, open_still = seen["not replaced"]
    assert "was not given or is wrong" in sentence
    assert open_still
    assert seen["replaced"] == [True, False, ""]
    assert seen["removed"] == [False, False, "The key was removed."]


def test_it_is_in_no_sentence_log_or_request_of_qgis(seen: dict[str, Any]) -> None:
    assert len(seen["sentences"]) == 10
    for text in (seen["sentences"], seen["log"], seen["urls"], seen["service"], seen["output"]):
        assert not [key for key in KEYS if key in str(text)]
    assert not [text for text in seen["sentences"] if text.startswith("no error") or "127.0.0.1:" in text]


def test_it_is_in_no_file(seen: dict[str, Any], profile: Path) -> None:
    files = [path for path in profile.rglob("*") if path.is_file()]
    assert [path for path in files if path.name == "qgis-auth.db"]
    assert [path for path in files if path.suffix == ".ini" and b"crime_risk" in path.read_bytes()]
    for path in files:
        content = path.read_bytes()
        assert not [key for key in KEYS if key.encode() in content], path


def test_an_authentication_system_that_is_off(plugin: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from crime_risk.bridge import geocoder_choice, geocoder_key

    off = SimpleNamespace(isDisabled=lambda: True, disabledMessage=lambda: "QCA's OpenSSL plugin is missing")
    monkeypatch.setattr(geocoder_key, "QgsApplication", SimpleNamespace(authManager=lambda: off))
    assert not geocoder_key.has_key()
    for call in (geocoder_key.read_key, lambda: geocoder_key.store_key("some-good-key"), geocoder_key.remove_key):
        with pytest.raises(geocoder_choice.GeocodingError, match=r"system is off.*\(QCA's OpenSSL plugin is missing\)"):
            call()


@pytest.mark.parametrize("text", ["", "short", "two words here", "https://maps.google.com/?key=x", "ключ-ключ-ключ"])
def test_what_is_no_key(plugin: Any, text: str) -> None:
    from crime_risk.bridge import geocoder_choice, geocoder_key

    with pytest.raises(geocoder_choice.GeocodingError, match="is no key"):
        geocoder_key.store_key(text)
