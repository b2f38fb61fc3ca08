"""Texts to times."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskengine.ground.errors import DataError, ParameterError
from riskengine.intake.times import (
    CLOCK,
    EPOCH,
    EXPECTED,
    IMPOSSIBLE,
    MISSING,
    MIXED,
    PLACEHOLDER,
    YEAR,
    add_time_of_day,
    kind_of_reason,
    parse_times,
)

MOMENTS = st.datetimes(
    min_value=np.datetime64("1901-01-01T00:00:00").item(), max_value=np.datetime64("2199-12-31T23:59:59").item()
)


def one(text: object, order: str = "auto") -> str:
    return str(parse_times([text], order).time[0])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2019-02-01", "2019-02-01T00:00:00"),
        ("2019-02-01 23:05", "2019-02-01T23:05:00"),
        ("2019-02-01T23:05:09", "2019-02-01T23:05:09"),
        ("2019-02-01T23:05:09.999", "2019-02-01T23:05:09"),
        ("2019-02-01T23:05:09Z", "2019-02-01T23:05:09"),
        ("2019-02-01T23:05:09.123456+02:00", "2019-02-01T23:05:09"),
        ("2019-02-01 23:05:09 UTC", "2019-02-01T23:05:09"),
        ("2019-02-01 23:05:09+00", "2019-02-01T23:05:09"),
        ("2019-02-01 24:00:00", "2019-02-02T00:00:00"),
        ("2019/2/1 3:05", "2019-02-01T03:05:00"),
        ("2020-02-29", "2020-02-29T00:00:00"),
        ("20190201", "2019-02-01T00:00:00"),
        ("20190201T230509", "2019-02-01T23:05:09"),
        ("201902012305", "2019-02-01T23:05:00"),
        ("2021-01", "2021-01-01T00:00:00"),
        ("01/2021", "2021-01-01T00:00:00"),
        ("Jan 2021", "2021-01-01T00:00:00"),
        ("02/28/2019 11:43:40 PM", "2019-02-28T23:43:40"),
        ("02/28/2019 12:00:00 AM", "2019-02-28T00:00:00"),
        ("02/28/2019 12:00:00 PM", "2019-02-28T12:00:00"),
        ("2/28/19 2:30 p.m.", "2019-02-28T14:30:00"),
        ("2/28/70", "1970-02-28T00:00:00"),
        ("28.02.2019 14.30", "2019-02-28T14:30:00"),
        ("28-2-2019", "2019-02-28T00:00:00"),
        ("2/28/2019, 2:30\u202fPM", "2019-02-28T14:30:00"),
        ("01-FEB-2019", "2019-02-01T00:00:00"),
        ("1 February 2019 2 PM", "2019-02-01T14:00:00"),
        ("February 1st, 2019 14:30", "2019-02-01T14:30:00"),
        ("Fri Feb 1 23:05:09 2019", "2019-02-01T23:05:09"),
        ("Fri Feb 1 23:05:09 2019 GMT+0100", "2019-02-01T23:05:09"),
        ("  \ufeff2019-02-01\n", "2019-02-01T00:00:00"),
    ],
)
def test_understood(text: str, expected: str) -> None:
    assert one(text) == expected


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (None, MISSING),
        (float("nan"), MISSING),
        ("", MISSING),
        ("  ", MISSING),
        ("NULL", MISSING),
        ("1549062000", EPOCH),
        ("-1", EPOCH),
        ("43497.5", EPOCH),
        ("1549062000000", EPOCH),
        ("2019-02-30", IMPOSSIBLE),
        ("2019-13-01", IMPOSSIBLE),
        ("2019-00-10", IMPOSSIBLE),
        ("2019-02-01 25:00", IMPOSSIBLE),
        ("2019-02-01 23:61", IMPOSSIBLE),
        ("31/31/2019", IMPOSSIBLE),
        ("0019-02-01", YEAR),
        ("9999-12-31", YEAR),
        ("11/1/0220", YEAR),
        ("10/30/2202 11:00 PM", YEAR),
        ("2202-02-30", IMPOSSIBLE),
        ("1899-12-30", PLACEHOLDER),
        ("1899-12-30T14:30:00", PLACEHOLDER),
        ("yesterday", EXPECTED),
        ("２０１９-02-01", EXPECTED),
        ("2019-02-01 and a bit", EXPECTED),
        ("2019-02-01" * 20, EXPECTED),
    ],
)
def test_refused(text: object, kind: str) -> None:
    parsed = parse_times([text])
    assert np.isnat(parsed.time[0])
    assert kind_of_reason(parsed.reason[0]) == kind


def test_a_reason_shows_the_text() -> None:
    assert parse_times(["2019-02-30"]).reason[0] == "no such date: '2019-02-30'"


def test_the_column_decides_the_order() -> None:
    day_first = parse_times(["01/02/2019", "25/02/2019"])
    assert day_first.order == "dmy"
    assert str(day_first.time[0]) == "2019-02-01T00:00:00"
    month_first = parse_times(["01/02/2019", "02/25/2019"])
    assert month_first.order == "mdy"
    assert str(month_first.time[0]) == "2019-01-02T00:00:00"


def test_mixed_orders_refuse_the_minority_by_rows() -> None:
    # One distinct text on two rows outweighs another on one.
    parsed = parse_times(["13/01/2019", "13/01/2019", "01/14/2019", "01/02/2019"])
    assert parsed.order == "dmy"
    assert kind_of_reason(parsed.reason[2]) == MIXED
    assert str(parsed.time[3]) == "2019-02-01T00:00:00"
    assert "mixed" in parsed.note


def test_an_undecidable_order_is_said() -> None:
    assert parse_times(["01/02/2019"]).order == "dmy"
    assert "Nothing in the dates tells" in parse_times(["01/02/2019"]).note
    assert parse_times(["01/02/2019 1:00 AM"]).order == "mdy"


def test_the_order_can_be_forced() -> None:
    assert one("01/02/2019", "mdy") == "2019-01-02T00:00:00"
    assert one("01/02/2019", "dmy") == "2019-02-01T00:00:00"
    assert one("19-02-03", "ymd") == "2019-02-03T00:00:00"
    forced = parse_times(["25/12/2019", "12/25/2019"], "mdy")
    assert kind_of_reason(forced.reason[0]) == MIXED
    assert not forced.reason[1]
    assert np.isnat(parse_times(["01/02/2019"], "ymd").time[0])
    with pytest.raises(ParameterError, match="ydm"):
        parse_times(["2019-01-02"], "ydm")


def test_notes() -> None:
    assert "months only" in parse_times(["2021-01", "2021-02"]).note
    assert "1 of the dates" in parse_times(["2021-01", "2021-02-03"]).note
    assert parse_times(["2021-01-01"]).note == ""
    assert len(parse_times([]).time) == 0


def test_what_was_dropped_is_known() -> None:
    assert parse_times(["2021-01-01T00:00:00.000"]).whole
    assert not parse_times(["2021-01-01T00:00:00.5"]).whole
    assert not parse_times(["2021-01-01T00:00:00Z"]).whole


def test_mixed_formats_in_one_column() -> None:
    parsed = parse_times(["2019-02-01", "01.03.2019", "2019-04-25T10:00:00Z", "13 May 2019"])
    assert parsed.time.astype("datetime64[D]").astype(str).tolist() == [
        "2019-02-01",
        "2019-03-01",
        "2019-04-25",
        "2019-05-13",
    ]


def test_time_of_day_from_its_own_column() -> None:
    texts = ["23:00:00:00", "14:32", "2:30 PM", None, "1430", "1899-12-30T14:32:00", "25:00", "noon"]
    whole = add_time_of_day(parse_times(["2019-02-01"] * 8), texts)
    assert [str(moment)[11:] for moment in whole.time] == [
        *("23:00:00", "14:32:00", "14:30:00", "00:00:00", "14:30:00", "14:32:00", "", ""),
    ]
    assert {kind_of_reason(reason) for reason in whole.reason[6:]} == {CLOCK}
    assert whole.note == "1 of the incidents had no time of day and were set to midnight"


def test_a_dummy_time_column_is_said() -> None:
    whole = add_time_of_day(parse_times(["2012-07-02", "2012-07-03", ""]), ["1899-12-30"] * 3)
    assert whole.time[:2].astype(str).tolist() == ["2012-07-02T00:00:00", "2012-07-03T00:00:00"]
    assert whole.reason.tolist() == ["", "", MISSING]
    assert whole.note.startswith("All incidents had no time of day")


def test_bare_hours() -> None:
    whole = add_time_of_day(parse_times(["2019-02-01"] * 2), ["7", "23"])
    assert whole.time.astype(str).tolist() == ["2019-02-01T07:00:00", "2019-02-01T23:00:00"]


def test_two_columns_of_one_length() -> None:
    with pytest.raises(DataError, match="2 dates and 1 time of day"):
        add_time_of_day(parse_times(["2019-02-01"] * 2), ["7"])


@given(st.lists(MOMENTS, min_size=1, max_size=30), st.sampled_from(["%Y-%m-%dT%H:%M:%S", "%d %b %Y %I:%M:%S %p"]))
def test_round_trip(moments: list[object], pattern: str) -> None:
    parsed = parse_times([moment.strftime(pattern) for moment in moments])  # type: ignore[attr-defined]
    expected = np.array(moments, dtype="datetime64[us]").astype("datetime64[s]")
    placeholder = np.array([kind_of_reason(reason) == PLACEHOLDER for reason in parsed.reason])
    np.testing.assert_array_equal(parsed.time[~placeholder], expected[~placeholder])


@given(st.lists(st.text(max_size=30), max_size=20))
def test_any_text_is_either_read_or_refused(texts: list[str]) -> None:
    parsed = parse_times(texts)
    assert [bool(reason) for reason in parsed.reason] == np.isnat(parsed.time).tolist()


def test_many_distinct_texts_take_a_moment() -> None:
    moments = np.datetime64("2000-01-01T00:00:00") + np.arange(200_000) * np.timedelta64(701, "s")
    began = time.perf_counter()
    parsed = parse_times(moments.astype(str))
    assert time.perf_counter() - began < 4
    np.testing.assert_array_equal(parsed.time, moments)
