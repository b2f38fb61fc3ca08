"""The job behind Less exposed routes: a street with all the exposure, and a quiet way round it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from kit.contexts import Recorder
from kit.tables import read_table

from riskengine.ground.errors import DataError
from riskengine.ground.tables import Chunk, write_table
from riskengine.ground.wholetables import read_whole_table
from riskengine.jobs import run_job

A, B, NORTH = (0.0, 0.0), (0.01, 0.0), (0.005, 0.002)
FAR = (0.5, 0.5)


@pytest.fixture
def question(tmp_path: Path) -> dict[str, Any]:
    """The straight street from A to B, and two lines of a way round by the north."""
    path = tmp_path / "streets.gpkg"
    shapes = [shapely.to_wkb(shapely.LineString(line)) for line in ((A, B), (A, NORTH), (NORTH, B))]
    columns = [(100.0, 10.0, 10.0), ("no", "yes", "no")]
    write_table(str(path), {"exposed": "real", "lit": "text"}, [Chunk(columns, shapes=shapes)], "line", "EPSG:4326")
    return {"network": str(path), "exposure_field": "exposed", "start": [*A], "end": [*B]}


def write_places(path: Path, places: list[tuple[float, float]], names: list[str]) -> str:
    x, y = np.array(places).T
    write_table(str(path), {"who": "text"}, [Chunk([names], x, y)], "point", "EPSG:4326")
    return str(path)


def test_the_results_say_what_the_first_pair_costs_and_saves(question: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "routes.gpkg"
    said = run_job("safe_routes", {**question, "output": str(path)})
    assert (said["pairs"], said["ways"], said["by_weights"]) == (1, 2, 0)
    # On the equator .01 degrees are 1,113.19 m; round by the north it is 2 × 599.03 m.
    assert said["shortest"] == pytest.approx(1113.195, abs=0.01)
    assert said["least"] == pytest.approx(2 * 599.03, abs=2)
    assert said["saved"] == pytest.approx(0.8)
    rows = read_table(path)
    assert rows["kind"] == ["shortest", "least exposed"]
    assert rows["exposure"] == pytest.approx([100, 20])
    assert rows["unlit"] == pytest.approx([1, 0.5], abs=1e-3)
    lines = shapely.from_wkb(read_whole_table(path).shapes())
    assert [len(line.coords) for line in lines] == [2, 3]


def test_the_network_kept_from_the_first_run_gives_the_same_routes(question: dict[str, Any], tmp_path: Path) -> None:
    first, second = Recorder(), Recorder()
    said = [run_job("safe_routes", question, context) for context in (first, second)]
    assert said[0] == said[1]
    assert not any("as it was" in text for text in first.messages)
    assert any("The network is as it was: read from streets.crimenet" in text for text in second.messages)


def test_unlit_streets_count_more_but_are_no_longer(question: dict[str, Any]) -> None:
    context = Recorder()
    said = run_job("safe_routes", {**question, "unlit_factor": 3.0}, context)
    assert said["shortest"] == pytest.approx(1113.195, abs=0.01)
    # What is told is the exposure itself.
    assert said["saved"] == pytest.approx(0.8)
    assert any("1.7 km of unlit streets count as 3 times their exposure" in text for text in context.messages)


def test_streets_to_be_avoided_are_closed(question: dict[str, Any], tmp_path: Path) -> None:
    wall = tmp_path / "wall.gpkg"
    shapes = [shapely.to_wkb(shapely.box(0.0045, 0.001, 0.0055, 0.003))]
    write_table(str(wall), {"name": "text"}, [Chunk([["wall"]], shapes=shapes)], "polygon", "EPSG:4326")
    said = run_job("safe_routes", {**question, "avoid": str(wall)})
    assert said["ways"] == 1
    assert said["least"] == said["shortest"]


def test_pairs_without_a_way_are_counted_and_written(question: dict[str, Any], tmp_path: Path) -> None:
    starts = write_places(tmp_path / "starts.gpkg", [A, A, A], ["near", "far", "alone"])
    ends = write_places(tmp_path / "ends.gpkg", [B, FAR], ["near", "far"])
    layers = {"starts": starts, "starts_field": "who", "ends": ends, "ends_field": "who"}
    without, context = tmp_path / "without.gpkg", Recorder()
    asked = {**question, "start": None, "end": None, **layers, "unserved": str(without)}
    said = run_job("safe_routes", asked, context)
    assert said["pairs"] == 1
    table = read_whole_table(without)
    assert dict(zip(table.column("pair"), table.column("reason"), strict=True)) == {
        "far": "The end is more than 250 m from every street",
        "alone": "No end has this value",
    }
    assert any("2 of 3 pairs have no way" in text for text in context.warnings)


def test_a_single_pair_without_a_way_is_a_sentence(question: dict[str, Any]) -> None:
    with pytest.raises(DataError, match="more than 250 m from every street"):
        run_job("safe_routes", {**question, "end": [*FAR]})


def test_a_cancelled_run_writes_nothing(question: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "routes.gpkg"
    context = Recorder(lambda said: said.texts[-1].startswith("Finding the ways"))
    with pytest.raises(Exception, match="ancel"):
        run_job("safe_routes", {**question, "output": str(path)}, context)
    assert not path.exists()
