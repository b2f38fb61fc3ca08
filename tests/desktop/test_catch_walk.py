"""Where to go next: training and forecast for the catch in their dialogs, and the map that an officer gets."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from kit.probes import keep_pictures, need_window, run_probe


def write_city(folder: Path) -> str:
    """Write two years of thefts: a third at forty addresses that are hit again, the rest about three centres."""
    dice = random.Random(14)
    centres = [(-122.68, 45.52, 0.010), (-122.62, 45.50, 0.014), (-122.65, 45.55, 0.008)]

    def draw_place() -> tuple[float, float]:
        x, y, spread = dice.choice(centres)
        return x + dice.gauss(0, spread), y + dice.gauss(0, spread * 0.7)

    addresses = [draw_place() for _ in range(40)]
    rows = ["id,Date,Latitude,Longitude,Primary Type"]
    for number in range(4000):
        x, y = addresses[int(40 * dice.random() ** 2)] if number % 3 == 0 else draw_place()
        day = f"{2022 + number % 2}-{dice.randrange(12) + 1:02d}-{dice.randrange(28) + 1:02d}"
        rows.append(f"{number},{day} {dice.randrange(24):02d}:00,{y:.6f},{x:.6f},THEFT")
    path = folder / "city.csv"
    path.write_text("\n".join(rows), encoding="utf-8")
    return str(path)


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    need_window()
    folder = tmp_path_factory.mktemp("catch")
    where = json.dumps({"csv": write_city(folder), "crs": "EPSG:32610"})
    found = run_probe(Path(__file__).with_name("catch_probe.py"), folder, {"PROBE_WALK": where}, 1200)
    keep_pictures(folder)
    return {**found, "folder": folder}


def test_the_logs_say_what_was_made_for_what(walk: dict[str, Any]) -> None:
    assert "With the catch the kind Ensemble is Ensemble for the catch." in walk["train"]
    assert "Model: Ensemble for the catch" in walk["forecast"]


def test_layers_are_named_by_window_and_model(walk: dict[str, Any]) -> None:
    (places,) = [name for name in walk["layers"] if name.startswith("Places to go to, ")]
    assert places.endswith(" (Ensemble for the catch)")
    assert walk["layers"].index(places) == 0, "above the risk"
    assert [label.split()[0] for label in walk["legends"][places] if label] == ["Rank"] * 3


def test_the_layout_shows_the_card(walk: dict[str, Any]) -> None:
    assert "Ensemble for the catch" in walk["card"]


def test_windows_of_a_test_play(walk: dict[str, Any]) -> None:
    assert walk["frames"] >= 4
    untimed, second = ((walk["folder"] / f"{name}.png").read_bytes() for name in ("07-untimed", "08-second"))
    assert untimed != second


def test_pictures_were_made(walk: dict[str, Any]) -> None:
    for name in ("01-train", "02-forecast", "03-map", "04-near", "05-layout"):
        assert (walk["folder"] / f"{name}.png").stat().st_size > 5_000, name
