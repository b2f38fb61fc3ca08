"""The job ``preview_import``: what a dialog shows of a file before it is imported."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from riskengine.jobs import run_job

ROWS = ["longitude,latitude,datetime,kind"] + [f"2.3{n},48.8{n},2024-03-0{n} 10:00,theft" for n in range(1, 8)]


def look(tmp_path: Path, lines: list[str], **given: Any) -> dict[str, Any]:
    path = tmp_path / "city.csv"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return run_job("preview_import", {"path": str(path), "folder": str(tmp_path), **given})


def test_rows_are_given_as_they_stand_and_as_they_are_read(tmp_path: Path) -> None:
    found = look(tmp_path, [*ROWS, ",,2024-03-09 10:00,theft"], category="kind")
    assert found["rows"][0] == ["2.31", "48.81", "2024-03-01 10:00", "theft"]
    assert found["read"][0] == {
        "line": 2,
        "x": 2.31,
        "y": 48.81,
        "time": "2024-03-01 10:00:00",
        "category": "theft",
        "reason": "",
    }
    assert found["read"][7]["reason"] == "no coordinates"
    assert found["read"][7]["x"] is None
    assert (found["tried"], found["refused"], found["whole"], found["problem"]) == (8, 1, True, "")
    assert found["reasons"] == {"no coordinates": 1}
    assert list(tmp_path.iterdir()) == [tmp_path / "city.csv"], "a preview writes nothing"


@pytest.mark.parametrize(("most", "tried", "whole"), [(3, 3, False), (8, 7, True), (None, 7, True)])
def test_as_many_rows_are_tried_as_are_asked_for(tmp_path: Path, most: int | None, tried: int, whole: bool) -> None:
    found = look(tmp_path, ROWS, most=most)
    assert (found["tried"], found["whole"]) == (tried, whole)


def test_what_ends_an_import_is_said_beside_the_rows(tmp_path: Path) -> None:
    found = look(tmp_path, ["ref;a;b", "1;2;3"])
    assert found["header"] == ["ref", "a", "b"]
    assert found["rows"] == [["1", "2", "3"]]
    assert "No profile fits this file" in found["problem"]
    assert found["read"] == []


def test_it_reads_as_the_import_does(tmp_path: Path) -> None:
    found = look(tmp_path, ROWS, category="kind")
    given = {"path": str(tmp_path / "city.csv"), "folder": str(tmp_path), "category": "kind"}
    imported = run_job("import_csv", given)
    assert imported["imported"] == found["tried"] - found["refused"]
    assert imported["first"].replace("T", " ") == min(row["time"] for row in found["read"])
    assert imported["crs"] == found["taken"]["crs"]
