"""The job behind the routes dock, on a straight street with an exposure and a quiet way round it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import shapely

from riskengine.ground.errors import CrimeRiskError
from riskengine.ground.tables import Chunk, write_table
from riskengine.jobs import run_job
from riskengine.streets import reading

A, B, NORTH = (0.0, 0.0), (0.01, 0.0), (0.005, 0.002)


def write_streets(path: Path, exposures: tuple[float, float, float]) -> None:
    """Write the straight street from A to B, and two lines of a way round by the north."""
    shapes = [shapely.to_wkb(shapely.LineString(line)) for line in ((A, B), (A, NORTH), (NORTH, B))]
    fields = {"exposed": "real"}
    write_table(str(path), fields, [Chunk([exposures], shapes=shapes)], "line", "EPSG:4326", "output")


@pytest.fixture
def question(tmp_path: Path) -> dict[str, Any]:
    path = tmp_path / "streets.gpkg"
    write_streets(path, (100.0, 10.0, 10.0))
    return {"network": str(path), "exposure_field": "exposed", "detour": 25.0}


def test_without_places_it_says_what_it_has_read(question: dict[str, Any]) -> None:
    said = run_job("ask_route", question)
    assert said["streets"].startswith("3 streets, ")
    assert said["extent"] == pytest.approx([0.0, 0.0, 0.01, 0.002], abs=1e-6)
    assert "ways" not in said


def test_ways_have_lines_in_degrees_and_words(question: dict[str, Any]) -> None:
    shortest, least = run_job("ask_route", {**question, "start": [*A], "end": [*B]})["ways"]
    # On the equator .01 degrees are 1,113.19 m; round by the north it is 2 × 599.03 m (.005 east, .002 north).
    assert shortest["metres"] == pytest.approx(1113.195, abs=0.01)
    assert least["added_m"] == pytest.approx(2 * 599.03 - 1113.195, abs=2)
    assert (shortest["exposure"], least["exposure"]) == pytest.approx((100.0, 20.0))
    assert least["saved"] == pytest.approx(0.8)
    assert [round(part, 5) for point in least["line"] for part in point] == pytest.approx([*A, *NORTH, *B], abs=1e-5)
    assert "80\N{NO-BREAK SPACE}% less exposed to reported crime" in least["words"]
    # 4.8 km/h, whatever the exposure is.
    assert shortest["minutes"] == pytest.approx(1113.195 / 4800 * 60, rel=1e-4)


def test_a_second_question_reads_nothing_until_the_file_changes(
    question: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    whole = reading.read_whole_table
    monkeypatch.setattr(reading, "read_whole_table", lambda *given: (read.append(given[0]), whole(*given))[1])
    asked = {**question, "start": [*A], "end": [*B]}
    for change in ({}, {}, {"start": [*NORTH]}, {"detour": 5.0}):
        run_job("ask_route", {**asked, **change})
    assert len(read) == 1
    path = Path(question["network"])
    path.unlink()
    write_streets(path, (5.0, 10.0, 10.0))
    os.utime(path, (1, 1))
    ways = run_job("ask_route", asked)["ways"]
    assert [way["exposure"] for way in ways] == pytest.approx([5.0])


def test_a_cap_on_the_detour_holds(question: dict[str, Any]) -> None:
    said = run_job("ask_route", {**question, "start": [*A], "end": [*B], "detour": 5.0})
    assert [way["kind"] for way in said["ways"]] == ["only"]


def test_a_place_far_from_every_street_is_a_sentence(question: dict[str, Any]) -> None:
    said = run_job("ask_route", {**question, "start": [0.0, 0.1], "end": [*B]})
    assert said["ways"] == []
    assert "250" in said["headline"]


def test_a_risk_is_needed(question: dict[str, Any]) -> None:
    del question["exposure_field"]
    with pytest.raises(CrimeRiskError, match="every other risk"):
        run_job("ask_route", question)
