"""The walk of docs/user-guide-outcomes.md in a real QGIS window: four tools in their dialogs, and their maps."""

from __future__ import annotations

import datetime
import json
import os
import random
from pathlib import Path
from typing import Any

import pytest
from kit.probes import keep_pictures, need_window, run_probe

#: Another city to walk through, as the JSON that the probe reads; for photographs.
OTHER = "WALK_OUTCOMES"
KINDS = (
    ("THEFT", "OVER $500", 0.05),
    ("THEFT", "RETAIL", 0.4),
    ("BATTERY", "SIMPLE", 0.2),
    ("BATTERY", "DOMESTIC", 0.3),
    ("NARCOTICS", "POSSESS", 1.0),
)


def write_town(folder: Path) -> dict[str, Any]:
    """Write four months of incidents in four wards, the weather of each day, the census and the outlines of wards."""
    dice = random.Random(16)
    rows = ["Date,Primary Type,Description,Location Description,Arrest,Community Area,Block,Latitude,Longitude"]
    for number in range(1500):
        day = datetime.date(2018, 1, 1) + datetime.timedelta(days=number * 120 // 1500)
        kind, text, rate = dice.choice(KINDS)
        east, north = dice.random(), dice.random()
        ward = 1 + (east > 0.5) + 2 * (north > 0.5)
        block = f"{int(east * 4):02d}{int(north * 4):02d}XX W MAIN ST"
        place = f"{ward},{block},{41.8 + north / 10:.6f},{-87.7 + east / 10:.6f}"
        clock = f"{dice.randrange(24):02d}:{dice.randrange(60):02d}"
        rows.append(f"{day} {clock},{kind},{text},STREET,{str(dice.random() < rate).lower()},{place}")
    days = [datetime.date(2018, 1, 1) + datetime.timedelta(days=number) for number in range(120)]
    weather = [
        f"{day},{dice.uniform(-5, 20):.1f},{dice.uniform(-9, -6):.1f},{dice.uniform(0, 9):.1f},0" for day in days
    ]
    census = [f"{ward},Ward {ward},{20 * ward}" for ward in range(1, 5)]
    shapes = []
    for ward in range(4):
        west, south = -87.7 + ward % 2 / 20, 41.8 + ward // 2 / 20
        ring = [(west + x / 20, south + y / 20) for x, y in ((0, 0), (1, 0), (1, 1), (0, 1), (0, 0))]
        known = {"number": ward + 1, "title": f"Ward {ward + 1}"}
        shapes.append({"type": "Feature", "properties": known, "geometry": {"type": "Polygon", "coordinates": [ring]}})
    files = {
        "csv": "\n".join(rows),
        "weather": "\n".join(["DATE,TMAX,TMIN,PRCP,SNOW", *weather]),
        "census": "\n".join(["Community Area Number,COMMUNITY AREA NAME,HARDSHIP INDEX", *census]),
        "areas": json.dumps({"type": "FeatureCollection", "features": shapes}),
    }
    for name, text in files.items():
        (folder / f"{name}.{'geojson' if name == 'areas' else 'csv'}").write_text(text, encoding="utf-8")
    where = {name: str(folder / f"{name}.{'geojson' if name == 'areas' else 'csv'}") for name in files}
    quick = {"LADDER": False, "COMPARE": [], "MODEL_KIND": 2, "INDICATOR": "HARDSHIP INDEX"}
    return {**where, "id": "number", "name": "title", "train": quick}


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    need_window()
    folder = tmp_path_factory.mktemp("outcome")
    where = os.environ.get(OTHER) or json.dumps(write_town(folder))
    found = run_probe(Path(__file__).with_name("outcome_probe.py"), folder, {"PROBE_WALK": where}, 1200)
    keep_pictures(folder, "*.png", "*.html")
    return {**found, "folder": folder}


def test_logs_say_what_joined_what_counts_and_what_is_no_test(walk: dict[str, Any]) -> None:
    assert "have a row" in walk["logs"]["joincontext"]
    assert "Not counted: " in walk["logs"]["outcomerates"]
    assert "Weather found by its names: TMAX, TMIN, PRCP, SNOW" in walk["logs"]["trainoutcome"]
    assert "and this is no test of it" in walk["logs"]["predictoutcome"]


def test_every_map_has_a_legend_that_names_its_classes(walk: dict[str, Any]) -> None:
    assert len(walk["legends"]) == 5
    for layer, legend in walk["legends"].items():
        assert len([label for label in legend if label]) >= 3, layer
