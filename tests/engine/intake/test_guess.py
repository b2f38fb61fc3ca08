"""A file of no known format is read when its columns say what they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from riskengine.ground.errors import ParameterError
from riskengine.intake.profiles.guess import guess_profile
from riskengine.jobs import run_job


def test_columns_are_told_by_their_names(tmp_path: Path) -> None:
    path = tmp_path / "city.csv"
    path.write_text(
        "Case,LATITUDE,Longitude,Incident Date,Time,Offense\n1,48.85,2.35,2024-03-01,23:15,theft\n"
        "2,48.86,2.36,2024-03-02,01:00,assault\n",
        encoding="utf-8",
    )
    result = run_job("import_csv", {"path": str(path), "folder": str(tmp_path)})
    assert result["profile"] == "guessed"
    assert result["first"] == "2024-03-01T23:15:00"
    assert any("told by their names" in note and "LATITUDE" in note for note in result["notes"])
    assert [field["name"] for field in result["fields"]] == ["occurred", "category", "Case"]


@pytest.mark.parametrize("header", [["x", "y", "date"], ["lon", "lat"], ["lat", "when", "date"]])
def test_no_guess_without_longitude_latitude_and_time(header: list[str]) -> None:
    assert guess_profile(header, [["2.35", "48.85", "2024-03-01"][: len(header)]]) is None


def test_what_is_named_already_is_not_told(tmp_path: Path) -> None:
    path = tmp_path / "city.csv"
    path.write_text("east,north,n,when\n491000,5459000,1,2020-06-10 10:20\n", encoding="utf-8")
    given = {"path": str(path), "folder": str(tmp_path), "x": "east", "y": "north", "crs": "EPSG:32610"}
    result = run_job("import_csv", given)
    assert result["first"] == "2020-06-10T10:20:00"
    with pytest.raises(ParameterError, match="no column 'whenn' for time"):
        run_job("import_csv", {**given, "time": "whenn"})


def test_a_file_without_a_header_is_read_once_its_places_are_named(tmp_path: Path) -> None:
    path = tmp_path / "city.csv"
    path.write_text("7,2.35,48.85,2024-03-01 23:15\n8,2.36,48.86,2024-03-02 01:10\n", encoding="utf-8")
    given = {"path": str(path), "folder": str(tmp_path), "x": "field_2", "y": "field_3"}
    assert run_job("import_csv", given)["last"] == "2024-03-02T01:10:00"


def test_file_that_cannot_be_told_lists_its_columns(tmp_path: Path) -> None:
    path = tmp_path / "city.csv"
    path.write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(ParameterError, match="its columns are"):
        run_job("import_csv", {"path": str(path), "folder": str(tmp_path)})
