"""The week's warnings: training and warning in their dialogs, and the map that an officer gets."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path
from typing import Any

import pytest
from kit.probes import keep_pictures, need_window, run_probe

#: Another city to walk through, as the JSON that the probe reads; for photographs.
OTHER = "WALK_WARNINGS"


def write_city(folder: Path) -> dict[str, str]:
    """Write three years of shootings and assaults, more of either in the middle, and 36 squares of a city."""
    dice = random.Random(15)
    rows = ["id,Date,Latitude,Longitude,Primary Type"]
    for number in range(6000):
        kind = "SHOOTING" if number % 6 == 0 else "ASSAULT" if number % 2 else "THEFT"
        spread = 0.04 if kind == "THEFT" else 0.018
        x, y = (min(max(middle + dice.gauss(0, spread), middle - 0.058), middle + 0.058) for middle in (-122.65, 45.52))
        day = f"{2022 + dice.randrange(3)}-{dice.randrange(12) + 1:02d}-{dice.randrange(28) + 1:02d}"
        clock = f"{(dice.randrange(10) + 18) % 24:02d}:{dice.randrange(1, 60):02d}"
        rows.append(f"{number},{day} {clock},{y:.6f},{x:.6f},{kind}")
    csv = folder / "city.csv"
    csv.write_text("\n".join(rows), encoding="utf-8")
    squares = []
    for number in range(36):
        west, south = -122.71 + 0.02 * (number % 6), 45.46 + 0.02 * (number // 6)
        ring = [(west, south), (west + 0.02, south), (west + 0.02, south + 0.02), (west, south + 0.02), (west, south)]
        geometry = {"type": "Polygon", "coordinates": [ring]}
        squares.append({"type": "Feature", "properties": {"beat": f"Beat {number + 1}"}, "geometry": geometry})
    areas = folder / "beats.geojson"
    areas.write_text(json.dumps({"type": "FeatureCollection", "features": squares}), encoding="utf-8")
    return {"csv": str(csv), "areas": str(areas), "id": "beat", "targets": "SHOOTING", "similar": "ASSAULT"}


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    need_window()
    folder = tmp_path_factory.mktemp("warning")
    where = os.environ.get(OTHER) or json.dumps(write_city(folder))
    found = run_probe(Path(__file__).with_name("warning_probe.py"), folder, {"PROBE_WALK": where}, 1200)
    keep_pictures(folder)
    return {**found, "folder": folder}


def test_the_logs_say_what_warnings_are_worth_and_what_was_known(walk: dict[str, Any]) -> None:
    assert "area-days warned of" in walk["train"]
    assert "and nothing later; the model was trained up to" in walk["warn"]
    assert "it is no ground to stop, search or judge anyone" in walk["abstract"]


def test_warnings_lie_on_top_with_their_classes_and_their_mark(walk: dict[str, Any]) -> None:
    (warnings,) = [name for name in walk["layers"] if name.startswith("Warnings")]
    legend = [label for label in walk["legends"][warnings] if label]
    assert [label.endswith(" %") for label in legend] == [True] * 5 + [False]
    assert legend[-1] == "Warned of"


def test_a_week_plays_day_by_day(walk: dict[str, Any]) -> None:
    assert walk["frames"] == 7
    assert walk["tested"].startswith("Warnings of the test")
