"""Incidents: selecting, and reading what QGIS hands over."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kit.contexts import Recorder

from riskengine.ground.errors import DataError, FormatError
from riskengine.intake.incidents import (
    FUTURE,
    NO_COORDINATES,
    NO_TIME,
    Incidents,
    compute_latest_time,
    count_reasons,
    read_exchange,
    write_exchange,
)

NOT_A_TIME = np.iinfo(np.int64).min


def make(count: int = 4) -> Incidents:
    return Incidents(
        x=np.arange(count) * 10.0,
        y=np.zeros(count),
        time=np.datetime64("2020-01-01T00:00:00") + np.arange(count) * np.timedelta64(86400, "s"),
        category=np.array([0, 1, -1, 0][:count], dtype=np.int32),
        categories=["burglary", "daño"],
        fid=np.arange(count, dtype=np.int64) + 100,
    )


def write(path: Path, **changes: Any) -> Path:
    incidents = make()
    arrays = {
        "x": incidents.x,
        "y": incidents.y,
        "fid": incidents.fid,
        "time": incidents.time.view(np.int64),
        "category": incidents.category,
        "categories": np.array(incidents.categories),
    } | changes
    np.savez(path, **{name: values for name, values in arrays.items() if values is not None})
    return path


def test_selection_is_half_open() -> None:
    incidents = make()
    days = incidents.time
    assert incidents.before(days[2]).fid.tolist() == [100, 101]
    assert incidents.between(days[1], days[3]).fid.tolist() == [101, 102]
    assert incidents.select(np.array([True, False, False, True])).categories == ["burglary", "daño"]
    assert incidents.span == (days[0], days[3])


def test_an_empty_selection_has_no_span() -> None:
    with pytest.raises(DataError, match="no incidents"):
        _ = make().select(np.zeros(4, dtype=bool)).span


def test_what_is_written_is_read(tmp_path: Path) -> None:
    write_exchange(tmp_path / "incidents.npz", make())
    incidents, refusals = read_exchange(tmp_path / "incidents.npz")
    assert refusals == []
    assert incidents.exactness == "day"
    for name, values in vars(replace(make(), exactness="day")).items():
        np.testing.assert_array_equal(getattr(incidents, name), values)


def test_refusals_name_the_feature_and_the_reason(tmp_path: Path) -> None:
    times = make().time.view(np.int64).copy()
    times[0] = NOT_A_TIME
    times[3] = np.datetime64("2090-01-01T00:00:00").astype("datetime64[s]").view(np.int64)
    path = write(tmp_path / "incidents.npz", time=times, x=np.array([0.0, np.nan, 2.0, 3.0]))
    context = Recorder()
    incidents, refusals = read_exchange(path, context)
    assert incidents.fid.tolist() == [102]
    assert refusals == [(100, NO_TIME), (101, NO_COORDINATES), (103, f"{FUTURE}: '2090-01-01T00:00:00'")]
    assert count_reasons(refusals) == {NO_TIME: 1, NO_COORDINATES: 1, FUTURE: 1}
    assert context.lines == [
        f"warning: 3 of 4 incidents were left out: 1 x {NO_TIME}, 1 x {NO_COORDINATES}, 1 x {FUTURE}."
    ]


def test_texts_are_parsed_over_the_whole_column(tmp_path: Path) -> None:
    texts = np.array(["01/02/2019 2:30 PM", "25/02/2019 11:00 PM", "", "gestern"])
    path = write(tmp_path / "incidents.npz", time=None, time_text=texts)
    incidents, refusals = read_exchange(path)
    assert incidents.time.astype(str).tolist() == ["2019-02-01T14:30:00", "2019-02-25T23:00:00"]
    assert [refusal.fid for refusal in refusals] == [102, 103]
    assert refusals[1].reason.endswith("'gestern'")


def test_offsets_that_are_dropped_are_said(tmp_path: Path) -> None:
    texts = np.array(["2021-01-01T00:00:00Z", "2021-01-02T05:00:00-05:00", "2021-01-03T06:00", "2021-01-04"])
    context = Recorder()
    incidents, _ = read_exchange(write(tmp_path / "incidents.npz", time=None, time_text=texts), context)
    assert incidents.time[1] == np.datetime64("2021-01-02T05:00:00")
    assert any("offsets were dropped and the wall clock kept" in line for line in context.lines)


def test_now_bounds_the_future(tmp_path: Path) -> None:
    incidents, refusals = read_exchange(write(tmp_path / "incidents.npz"), now=make().time[1])
    assert incidents.fid.tolist() == [100, 101]
    assert count_reasons(refusals) == {FUTURE: 2}
    assert compute_latest_time() > np.datetime64("2024-01-01T00:00:00")


def test_without_category(tmp_path: Path) -> None:
    incidents, _ = read_exchange(write(tmp_path / "incidents.npz", category=None, categories=None, fid=None))
    assert incidents.category.tolist() == [-1] * 4
    assert incidents.categories == []
    assert incidents.fid.tolist() == [0, 1, 2, 3]


def test_no_incident_left_says_why(tmp_path: Path) -> None:
    path = write(tmp_path / "incidents.npz", time=np.full(4, NOT_A_TIME))
    with pytest.raises(DataError, match=r"None of the 4 incidents can be used \(4 x no time given\)"):
        read_exchange(path)


def test_no_incident_at_all(tmp_path: Path) -> None:
    nothing = np.array([], dtype=np.int64)
    path = write(
        tmp_path / "incidents.npz", x=nothing * 1.0, y=nothing * 1.0, fid=nothing, time=nothing, category=nothing
    )
    with pytest.raises(DataError, match="no incidents to work with"):
        read_exchange(path)


@pytest.mark.parametrize(
    "changes",
    [
        {"x": None},
        {"time": None},
        {"y": np.zeros(3)},
        {"category": np.array([0, 1, 2, 3], dtype=np.int32)},
        {"time": np.array(["a", None, {}, 2], dtype=object)},
    ],
)
def test_a_foreign_file_is_refused(tmp_path: Path, changes: dict[str, Any]) -> None:
    with pytest.raises(FormatError, match="not an exchange file"):
        read_exchange(write(tmp_path / "incidents.npz", **changes))


def test_a_truncated_file_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "incidents.npz")
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(FormatError, match="truncated"):
        read_exchange(path)
    with pytest.raises(FormatError, match="missing"):
        read_exchange(tmp_path / "none.npz")
