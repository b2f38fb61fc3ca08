"""Times in UTC or with offsets, and times that are spans."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from kit.contexts import Recorder
from kit.tables import read_table

from riskengine.ground.errors import ParameterError
from riskengine.jobs import run_job


def read(folder: Path, *rows: str, **given: Any) -> tuple[dict[str, Any], str]:
    path = folder / "file.csv"
    path.write_text("lon,lat,from,until\n" + "".join(f"-75.1,40.0,{row}\n" for row in rows), encoding="utf-8")
    context = Recorder()
    named = {"profile": "columns", "x": "lon", "y": "lat", "time": ["from"]}
    result = run_job("import_csv", {"path": str(path), "folder": str(folder), **named, **given}, context)
    return read_table(result["output"]), str(context.lines)


def test_utc_is_kept_with_a_warning_and_converted_on_request(tmp_path: Path) -> None:
    rows = ("2025-01-07 02:45:00Z,", "2025-07-08 01:10:00Z,")
    columns, said = read(tmp_path, *rows)
    assert [time[:16] for time in columns["occurred"]] == ["2025-01-07T02:45", "2025-07-08T01:10"]
    assert "TIME_ZONE=America/New_York" in said
    columns, said = read(tmp_path, *rows, time_zone="America/New_York")
    assert [time[:16] for time in columns["occurred"]] == ["2025-01-06T21:45", "2025-07-07T21:10"]


def test_offsets_of_other_places_are_converted(tmp_path: Path) -> None:
    rows = ("2025-01-07T02:45:00+05:30,", "2025-01-07T02:45:00-0330,", "2025-01-07T02:45:00-08,")
    columns, _ = read(tmp_path, *rows, time_zone="UTC")
    assert [time[5:16] for time in columns["occurred"]] == ["01-06T21:15", "01-07T06:15", "01-07T10:45"]


def test_local_offsets_need_no_zone(tmp_path: Path) -> None:
    assert "TIME_ZONE" not in read(tmp_path, "2025-01-07 02:45:00-05:00,", "2025-07-08 01:10:00-04:00,")[1]


def test_an_unknown_zone_is_refused_with_close_names(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="America/New_York"):
        read(tmp_path, "2025-01-07 02:45,", time_zone="New York")


@pytest.mark.parametrize(("occurred", "time"), [("start", "22:00"), ("middle", "23:00"), ("end", "00:00")])
def test_the_moment_of_a_span(occurred: str, time: str, tmp_path: Path) -> None:
    rows = ("2025-01-07 22:00,2025-01-08 00:00", "2025-01-07 22:00,", "2025-01-07 22:00,2025-01-06 22:00")
    columns, said = read(tmp_path, *rows, end=["until"], occurred=occurred)
    assert [each[11:16] for each in columns["occurred"]] == [time, "22:00", "22:00"]
    assert columns["end"][1:] == [None, None]
    assert "1 span ends before it starts" in said
