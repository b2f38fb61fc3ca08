"""The job behind Split at crossings: pieces with all fields of their lines, and what is still wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import shapely
from kit.contexts import Recorder
from kit.streets import write_streets
from kit.tables import read_table

from riskengine.ground.errors import CrimeRiskError
from riskengine.ground.wholetables import read_whole_table
from riskengine.jobs import run_job

#: Two streets that cross, and a bridge over the first; metres of the zone.
LINES = [
    "500000 4350000, 500100 4350000",
    "500030 4349950, 500030 4350050",
    "500070 4349950, 500070 4350050",
]
FIELDS = {"name": ["First", "Second", "Bridge"], "bridge": ["no", "no", "yes"], "lanes": [2, 1, 4]}


def split(tmp_path: Path, **more: Any) -> tuple[dict[str, Any], Path]:
    made = tmp_path / "made.gpkg"
    layer = write_streets(tmp_path / "streets.gpkg", LINES, fields=FIELDS)
    return run_job("split_crossings", {"network": layer, "output": str(made), **more}), made


def test_pieces_keep_the_fields_of_their_lines_and_lose_no_metre(tmp_path: Path) -> None:
    said, made = split(tmp_path)
    assert said == {"pieces": 5, "crossings": 1, "touches": 0, "snapped": 0, "kept_apart": 1, "components": 2}
    table = read_whole_table(made)
    assert table.crs == "EPSG:32618"
    pieces = shapely.from_wkb(table.shapes())
    length: dict[str, float] = {}
    for name, line, lanes, piece in zip(
        table.column("name"), table.column("line"), table.column("lanes"), pieces, strict=True
    ):
        assert (line, lanes) == {"First": (1, 2), "Second": (2, 1), "Bridge": (3, 4)}[name]
        length[name] = length.get(name, 0) + piece.length
    assert length == pytest.approx({"First": 100, "Second": 100, "Bridge": 100})
    assert [piece.wkt for piece in pieces].count("LINESTRING (500070 4349950, 500070 4350050)") == 1


def test_the_faults_that_are_left_are_written(tmp_path: Path) -> None:
    faults = tmp_path / "faults.gpkg"
    split(tmp_path, faults=str(faults))
    kinds = read_table(faults)["kind"]
    # The bridge is not connected, and six ends are dead ends.
    assert (kinds.count("component"), kinds.count("dangle"), kinds.count("crossing")) == (1, 6, 0)


def test_the_log_says_what_was_joined_and_kept_apart(tmp_path: Path) -> None:
    layer = write_streets(tmp_path / "streets.gpkg", LINES, fields=FIELDS)
    context = Recorder()
    run_job("split_crossings", {"network": layer}, context)
    said = " | ".join(context.messages)
    assert "5 pieces of 3 lines: 1 crossing and 0 touching ends joined, 0 ends moved" in said
    assert "1 crossing of bridges and tunnels kept apart" in said
    assert "not connected with each other: 3 before, 2 now" in said


def test_a_second_run_changes_nothing(tmp_path: Path) -> None:
    _, made = split(tmp_path)
    said = run_job("split_crossings", {"network": str(made), "output": str(tmp_path / "again.gpkg")})
    assert (said["pieces"], said["crossings"], said["touches"]) == (5, 0, 0)


def test_a_field_that_is_missing_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(CrimeRiskError, match="no field"):
        split(tmp_path, level_fields=["storey"])
