"""The walk-through of README in a real QGIS window: from a file to a map, a report, a page and an answer."""

from __future__ import annotations

import os
import random
import re
from pathlib import Path
from typing import Any

import pytest
from kit.probes import keep_pictures, need_window, run_probe


def write_city(path: Path) -> None:
    """Incidents of 90 days around two middles of a city, one of them without a place."""
    dice = random.Random(5)
    rows = ["id,Date,Latitude,Longitude,Primary Type"]
    for number in range(6000):
        middle = (41.85, -87.65) if number % 3 else (41.80, -87.70)
        place = f"{dice.gauss(middle[0], 0.02):.6f},{dice.gauss(middle[1], 0.02):.6f}"
        day = f"2024-{number % 3 + 1:02d}-{dice.randrange(28) + 1:02d}"
        time = f"{dice.randrange(24):02d}:{dice.randrange(60):02d}"
        rows.append(f"{number},{day} {time},{place},{'THEFT' if number % 4 else 'BATTERY'}")
    rows.append("6000,2024-01-05 10:00,,,THEFT")
    path.write_text("\n".join(rows), encoding="utf-8")


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the probe found; with $WALK_CSV it walks with that file, as scripts/screenshots.sh does."""
    need_window()
    folder = tmp_path_factory.mktemp("walk")
    csv = os.environ.get("WALK_CSV") or str(folder / "city.csv")
    if not os.environ.get("WALK_CSV"):
        write_city(Path(csv))
    environment = {
        "PROBE_CSV": csv,
        "PROBE_CATEGORIES": "BURGLARY; THEFT" if os.environ.get("WALK_CSV") else "theft",
        "PROBE_CRS": os.environ.get("WALK_CRS", "EPSG:4326"),
    }
    found = run_probe(Path(__file__).with_name("walk_probe.py"), folder, environment, 1200)
    keep_pictures(folder, "*.png", "*.html", "grids.tif", "city.gpkg*", "city.crime*")
    return {**found, "folder": folder}


def test_the_file_is_read_before_anything_is_chosen(walk: dict[str, Any]) -> None:
    assert re.search(r"\d rows", walk["preview"]), walk["preview"]


def test_layers_say_what_they_are_of_and_when(walk: dict[str, Any]) -> None:
    names = [name.partition(",")[0] for name in walk["layers"]]
    for name in ("Risk classes", "Risk", "Hotspot grids", "Crime scores", "Incidents", "Class polygons"):
        assert name in names, walk["layers"]
    assert not [label for nodes in walk["legend"] for label in nodes if "Band 1" in str(label)], walk["legend"]


def test_the_log_says_what_was_chosen(walk: dict[str, Any]) -> None:
    assert walk["succeeded"], walk["log"]
    for words in ("maps of 1 day", "Cell size", "concave hull", "chosen from"):
        assert words in walk["log"]


def test_the_report_and_the_page_are_there(walk: dict[str, Any]) -> None:
    assert (walk["folder"] / "report.html").stat().st_size > 20_000
    assert (walk["folder"] / "08-layout.png").stat().st_size > 20_000


def test_the_dock_answers_with_the_index_that_was_just_built(walk: dict[str, Any]) -> None:
    assert "Crime score" in walk["answer"]


def test_the_project_keeps_its_own_crs(walk: dict[str, Any]) -> None:
    assert walk["crs"] == os.environ.get("WALK_CRS", "EPSG:4326")
