"""The walk of docs/user-guide-areas.md in a real QGIS window: from incidents to counts and a forecast by area."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path
from typing import Any

import pytest
from kit.probes import keep_pictures, need_window, run_probe


def write_town(folder: Path) -> dict[str, str]:
    """Write incidents of three years in sixteen wards of a town; the first ward has a fifth of them."""
    dice = random.Random(5)
    rows = ["id,Date,Latitude,Longitude,ward,Primary Type"]
    for number in range(4000):
        ward = 0 if number % 5 == 0 else dice.randrange(16)
        north, east = (part + dice.uniform(0.01, 0.99) for part in divmod(ward, 4))
        place = f"{51.4 + north / 100:.6f},{-0.1 + east / 100:.6f}"
        day = f"{2019 + number % 3}-{dice.randrange(12) + 1:02d}-{dice.randrange(28) + 1:02d}"
        rows.append(f"{number},{day} {dice.randrange(24):02d}:00,{place},W{ward},BURGLARY")
    csv = folder / "town.csv"
    csv.write_text("\n".join(rows), encoding="utf-8")
    wards = []
    for ward in range(16):
        west, south = -0.1 + ward % 4 / 100, 51.4 + ward // 4 / 100
        ring = [(west, south), (west + 0.01, south), (west + 0.01, south + 0.01), (west, south + 0.01), (west, south)]
        shape = {"type": "Polygon", "coordinates": [ring]}
        known = {"code": f"W{ward}", "title": f"Ward {ward}"}
        wards.append({"type": "Feature", "properties": known, "geometry": shape})
    areas = folder / "wards.geojson"
    areas.write_text(json.dumps({"type": "FeatureCollection", "features": wards}), encoding="utf-8")
    return {
        "csv": str(csv),
        "areas": str(areas),
        "id": "code",
        "name": "title",
        "column": "",
        "crs": "EPSG:32630",
        "test": "2021-07-01",
    }


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the probe found; with $WALK_AREAS (JSON) it walks there, as scripts/screenshots.sh does in London."""
    need_window()
    folder = tmp_path_factory.mktemp("walk")
    where = os.environ.get("WALK_AREAS") or json.dumps(write_town(folder))
    found = run_probe(Path(__file__).with_name("areas_probe.py"), folder, {"PROBE_WALK": where}, 1200)
    keep_pictures(folder, "*.png", "05-backtest.html")
    return {**found, "folder": folder}


def test_the_dialog_counts_every_incident(walk: dict[str, Any]) -> None:
    assert walk["counted"], walk["log"]
    assert "REFUSED_COUNT: 0" in walk["log"] or "WALK_AREAS" in os.environ
    assert "Time bin: months" in walk["log"]


def test_counts_and_forecast_arrive_named_by_what_they_are_of(walk: dict[str, Any]) -> None:
    assert not [name for name in walk["layers"] if name in ("counts", "risk", "top")], walk["layers"]
    for name in ("Counts by area, Jan 2019 – ", "Risk by area, ", "Top places, ", "Areas"):
        assert [each for each in walk["layers"] if each.startswith(name)], walk["layers"]


def test_legends_say_what_the_colours_mean(walk: dict[str, Any]) -> None:
    legends = {name.partition(",")[0]: labels for name, labels in walk["legends"].items()}
    assert legends["Risk by area"][-1] == "Riskiest 4 % of the area"
    assert len(legends["Risk by area"]) == 5
    assert legends["Counts by area"][0].startswith("1"), "no color stands for areas without an incident"


def test_counts_play_in_time(walk: dict[str, Any]) -> None:
    assert walk["active"], "the forecast knows its months, too"
    assert walk["months_differ"]


def test_the_table_of_top_places_reads_like_one(walk: dict[str, Any]) -> None:
    assert walk["headings"][:3] == ["Rank", "Id", "Area"]
    assert not {"fid", "share", "expected_share"} & set(walk["headings"])
    first = walk["first"]
    assert first["Rank"] == "1"
    assert not [value for value in first.values() if "UTC" in value], "times of the wall clock have no zone"
    assert float(first["Share of the area so far"]) > 0, "of thousands of areas one has a small share"


def test_pictures_and_the_report_were_made(walk: dict[str, Any]) -> None:
    for name in ("02-count.png", "03-play.png", "08-map.png", "09-top.png", "05-backtest.html"):
        assert (walk["folder"] / name).stat().st_size > 5_000, name
