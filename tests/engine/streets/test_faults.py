"""Faults of a network: each kind where it was made, and none where there is none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from kit.contexts import Recorder
from kit.streets import ask_for, write_streets
from kit.tables import read_table

from riskengine.streets.building import join_lines
from riskengine.streets.faultlayer import write_faults
from riskengine.streets.faults import Faults, find_faults
from riskengine.streets.reading import read_streets

#: The corner of the town in its UTM zone.
X, Y = 360_000, 4_350_000


def look_over(path: Path, *lines: str, fields: dict[str, list[str]] | None = None) -> Faults:
    """Faults of lines in metres from the town's corner."""
    moved = [";".join(_move(part) for part in line.split(";")) for line in lines]
    streets = read_streets(ask_for(write_streets(path, moved, fields=fields)), Recorder(), "EPSG:32618")
    network = join_lines(streets, streets.parts, streets.row)
    return find_faults(network, streets.levels, streets.empty, streets.parted)


def _move(part: str) -> str:
    places = [[float(value) for value in place.split()] for place in part.split(",")]
    return ", ".join(f"{X + x} {Y + y}" for x, y in places)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "streets.gpkg"


def places_of(found: Faults, kind: str) -> list[tuple[float, float]]:
    which = found.kind == kind
    return sorted(
        zip(np.round(found.x[which] - X, 3).tolist(), np.round(found.y[which] - Y, 3).tolist(), strict=True)
    )


def test_a_square_of_streets_has_no_fault(path: Path) -> None:
    found = look_over(path, "0 0, 100 0", "100 0, 100 100", "100 100, 0 100", "0 100, 0 0")
    assert len(found) == 0
    assert found.components == 1
    assert found.describe() == []


def test_a_crossing_without_a_node_is_told_with_both_lines(path: Path) -> None:
    found = look_over(path, "0 0, 100 0", "30 -50, 30 50")
    assert places_of(found, "crossing") == [(30, 0)]
    which = found.kind == "crossing"
    assert {*found.row[which].tolist(), *found.other[which].tolist()} == {0, 1}
    # The two are not connected either, and all four ends are dead ends.
    assert found.count("component") == 1
    assert found.count("dangle") == 4


def test_bridges_are_kept_apart_and_counted(path: Path) -> None:
    found = look_over(path, "0 0, 100 0", "30 -50, 30 50", fields={"bridge": ["no", "yes"]})
    assert found.count("crossing") == 0
    assert found.kept_apart == 1
    assert found.describe()[0] == "1 crossing of bridges and tunnels with other streets, kept apart"


def test_an_end_that_touches_and_one_that_nearly_meets_are_no_dead_ends(path: Path) -> None:
    found = look_over(path, "0 0, 100 0", "20 0, 20 60", "70 1.5, 70 60", "90 2.5, 90 60")
    assert places_of(found, "tjunction") == [(20, 0)]
    assert places_of(found, "gap") == [(70, 1.5)]
    assert found.metres[found.kind == "gap"] == pytest.approx([1.5])
    # 2.5 m is no gap but a street that ends there.
    assert (90, 2.5) in places_of(found, "dangle")
    assert not {(20, 0), (70, 1.5)} & {*places_of(found, "dangle")}


def test_a_smaller_part_is_told_once_with_its_length(path: Path) -> None:
    found = look_over(path, "0 0, 300 0", "300 0, 300 300", "0 900, 40 900", "40 900, 40 930")
    which = found.kind == "component"
    assert found.metres[which] == pytest.approx([70], rel=2e-3)
    assert found.metres_apart == pytest.approx(70, rel=2e-3)
    assert found.components == 2
    assert any("1 part of the network, 0.1 km in all, not connected" in each for each in found.describe())


def test_loops_and_streets_beside_another_are_told_apart(path: Path) -> None:
    loop = "0 0, 20 20, 20 -20, 0 0"
    found = look_over(path, "0 0, -100 0", loop, "0 0, -50 40, -100 0")
    assert found.row[found.kind == "loop"].tolist() == [1]
    which = found.kind == "parallel"
    assert {*found.row[which].tolist(), *found.other[which].tolist()} == {0, 2}


def test_lines_of_several_parts_and_without_length_are_told(path: Path) -> None:
    found = look_over(path, "0 0, 100 0; 100 0, 100 50", "5 5, 5 5")
    assert found.row[found.kind == "parts"].tolist() == [0]
    assert found.row[found.kind == "empty"].tolist() == [1]


def test_the_layer_of_faults_names_features_by_their_ids(path: Path, tmp_path: Path) -> None:
    found = look_over(path, "0 0, 100 0", "30 -50, 30 50")
    made = tmp_path / "faults.gpkg"
    write_faults(made, found, np.array([70, 80]), "EPSG:32618")
    table = read_table(made)
    assert sorted(table["kind"]) == sorted(found.kind.tolist())
    crossing = table["kind"].index("crossing")
    assert table["fault"][crossing] == "Crossing without a node"
    assert {int(table["feature_id"][crossing]), int(table["other_id"][crossing])} == {70, 80}
