"""Time bins: half-open, on the calendar, without gaps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskengine.ground.errors import ParameterError
from riskengine.maps.bins import MAX_BINS, bin_text, locate, make_bin_edges, make_next_edges

seconds = st.integers(-1_000_000_000, 4_000_000_000)
units = st.sampled_from(["hours", "days", "weeks", "months", "quarters"])


def moment(text: str) -> np.datetime64:
    return np.datetime64(text, "s")


@pytest.mark.parametrize(
    ("unit", "length", "first", "last", "expected"),
    [
        (
            "hours",
            6,
            "2024-02-29T07:10",
            "2024-02-29T12:00",
            ["2024-02-29T00", "2024-02-29T06", "2024-02-29T12", "2024-02-29T18"],
        ),
        (
            "days",
            1,
            "2024-02-28T23:59:59",
            "2024-03-01T00:00:00",
            ["2024-02-28", "2024-02-29", "2024-03-01", "2024-03-02"],
        ),
        ("days", 7, "2023-12-31T05:00", "2024-01-01T00:00", ["2023-12-31", "2024-01-07"]),
        ("weeks", 1, "2024-01-07T23:00", "2024-01-08T00:00", ["2024-01-01", "2024-01-08", "2024-01-15"]),
        ("weeks", 2, "2024-01-10", "2024-01-10", ["2024-01-08", "2024-01-22"]),
        (
            "months",
            1,
            "2023-12-31T23:59:59",
            "2024-03-01",
            ["2023-12-01", "2024-01-01", "2024-02-01", "2024-03-01", "2024-04-01"],
        ),
        ("months", 3, "2024-02-10", "2024-04-30", ["2024-02-01", "2024-05-01"]),
        ("days", 1, "1969-12-31T12:00", "1969-12-31T12:00", ["1969-12-31", "1970-01-01"]),
        ("weeks", 1, "1969-12-31", "1970-01-01", ["1969-12-29", "1970-01-05"]),
    ],
)
def test_edges(unit: str, length: int, first: str, last: str, expected: list[str]) -> None:
    found = make_bin_edges(moment(first), moment(last), unit, length)
    assert found.tolist() == [moment(edge).item() for edge in expected]


@given(first=seconds, span=st.integers(0, 200 * 86_400), unit=units, length=st.integers(1, 40))
def test_every_moment_falls_into_one_bin(first: int, span: int, unit: str, length: int) -> None:
    start, end = np.datetime64(first, "s"), np.datetime64(first + span, "s")
    edges = make_bin_edges(start, end, unit, length)
    assert (edges[1:] > edges[:-1]).all()
    assert edges[0] <= start
    assert edges[-1] > end, "the last moment lies before the end: bins are half-open"
    assert edges[-2] <= end, "no bin lies beyond the data"
    where = locate(np.array([end, edges[0], edges[-1], edges[0] - 1]), edges)
    assert where.tolist() == [len(edges) - 2, 0, -1, -1]
    found = int(locate(np.array([start]), edges)[0])
    assert edges[found] <= start < edges[found + 1]
    assert unit == "hours" or found == 0, "hours are counted from midnight, all else starts with the data"
    if unit == "weeks":
        assert (edges[0].astype("datetime64[D]").astype(int) - 4) % 7 == 0, "weeks start on Mondays"


@given(first=seconds, unit=units, length=st.integers(1, 12), steps=st.integers(1, 5))
def test_the_next_bins_follow(first: int, unit: str, length: int, steps: int) -> None:
    start = np.datetime64(first, "s")
    edges = make_bin_edges(start, start, unit, length)
    following = make_next_edges(edges, bin_text(unit, length), steps)
    assert len(following) == steps + 1
    assert following[0] == edges[-1]
    longer = make_bin_edges(start, edges[-1], unit, length)
    assert following[1] == longer[len(edges)]


def test_no_time_falls_into_no_bin() -> None:
    edges = make_bin_edges(moment("2024-01-01"), moment("2024-01-03"), "days")
    assert locate(np.array(["NaT", "2024-01-02T12:00:00"], "datetime64[s]"), edges).tolist() == [-1, 1]


def test_what_cannot_work() -> None:
    now = moment("2024-01-01")
    with pytest.raises(ParameterError, match="bin_length is 0"):
        make_bin_edges(now, now, "days", 0)
    with pytest.raises(ParameterError, match="bin_unit is 'years'"):
        make_bin_edges(now, now, "years")  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match=f"at most {MAX_BINS:,}.*Choose longer bins"):
        make_bin_edges(moment("2000-01-01"), moment("2010-01-01"), "hours")


def test_quarters_begin_in_january_and_are_three_months_in_files() -> None:
    edges = make_bin_edges(moment("2023-12-31"), moment("2024-04-01"), "quarters")
    assert edges.astype("datetime64[M]").astype(str).tolist() == ["2023-10", "2024-01", "2024-04", "2024-07"]
    assert bin_text("quarters", 1) == "3 months"
    before_1970 = make_bin_edges(moment("1969-11-05"), moment("1969-11-06"), "quarters")
    assert before_1970.astype("datetime64[M]").astype(str).tolist() == ["1969-10", "1970-01"]
