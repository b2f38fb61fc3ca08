"""One time from several columns, and numbers that count time."""

from __future__ import annotations

import numpy as np
import pytest

from riskengine.ground.errors import ParameterError
from riskengine.intake.timejoin import join_times, read_dates
from riskengine.intake.times import CLOCK, EPOCH, IMPOSSIBLE, MISSING, kind_of_reason


def joined(*columns: list[str]) -> list[str]:
    return [str(time)[:16] for time in join_times(columns).time]


def test_year_month_day_hour_and_minute() -> None:
    parts = (["2020", "2021.0"], ["6", "12.0"], ["10", "01"], ["10", "23"], ["20", "5"])
    assert joined(*parts) == ["2020-06-10T10:20", "2021-12-01T23:05"]
    assert joined(*parts[:4]) == ["2020-06-10T10:00", "2021-12-01T23:00"]
    assert joined(*parts[:3]) == ["2020-06-10T00:00", "2021-12-01T00:00"]
    assert joined(*parts[:2]) == ["2020-06-01T00:00", "2021-12-01T00:00"]


@pytest.mark.parametrize("months", ["Enero Mai Dic", "januari Mayo décembre", "JAN MAI Dezember", "gennaio maggio dic"])
def test_months_by_their_names(months: str) -> None:
    assert joined(["2020"] * 3, months.split(), ["2"] * 3) == [
        "2020-01-02T00:00",
        "2020-05-02T00:00",
        "2020-12-02T00:00",
    ]


def test_a_date_with_hour_and_minute() -> None:
    assert joined(["1/2/2020", "25/2/2020"], ["7", "23"], ["5", ""]) == ["2020-02-01T07:05", "2020-02-25T23:00"]


def test_a_spreadsheets_days_and_fractions_of_a_day() -> None:
    assert joined(["45361", "45362", "45363"], ["0.75", "0,364583333", "0"]) == [
        *("2024-03-10T18:00", "2024-03-11T08:45", "2024-03-12T00:00"),
    ]


def test_parts_that_are_missing_or_wrong() -> None:
    times = join_times([["2020"] * 5, ["2", "", "2", "2", "2"], ["1", "1", "30", "1", "1"], ["7", "7", "7", "", "x"]])
    assert [kind_of_reason(reason) for reason in times.reason] == ["", MISSING, IMPOSSIBLE, "", CLOCK]
    assert "'2020-2-30'" in times.reason[2]
    assert times.note == "1 of the incidents had no time of day and were set to midnight"


def test_hours_that_nobody_knows_do_not_make_minutes_of_the_others() -> None:
    times = join_times([["2020-02-01"] * 41, ["22"] * 39 + ["99", "24"]])
    assert str(times.time[0]) == "2020-02-01T22:00:00"
    assert kind_of_reason(times.reason[39]) == CLOCK
    assert str(times.time[40]) == "2020-02-02T00:00:00"


def test_too_many_columns_say_which_there_may_be() -> None:
    with pytest.raises(ParameterError, match=r"over 4 columns, but the first holds no years\. Name year, month"):
        join_times([["2020-01-01"]] * 4)


@pytest.mark.parametrize(
    ("texts", "expected", "said"),
    [
        (["45361.5", "45362"], "2024-03-10T12:00:00", "spreadsheet's days since 1899-12-30"),
        (["45361,364583", "45362"], "2024-03-10T08:45:00", "numbers from 45361.364583 to 45362"),
        (["1549062000", "1549062001.0"], "2019-02-01T23:00:00", "seconds since 1970"),
        (["1549062000000", "1549062000999"], "2019-02-01T23:00:00", "milliseconds since 1970"),
        (["946684800000", ""], "2000-01-01T00:00:00", "counted in UTC"),
    ],
)
def test_a_column_of_numbers_says_what_they_count(texts: list[str], expected: str, said: str) -> None:
    read = read_dates(texts)
    assert str(read.time[0]) == expected
    assert said in read.note


def test_what_numbers_say_beyond_a_second_is_known() -> None:
    assert read_dates(["1549062000000"]).whole
    assert not read_dates(["1549062000999"]).whole


def test_a_number_among_dates_and_numbers_of_no_range_are_refused() -> None:
    among = read_dates(["2019-02-01", "2019-02-02", "1549062000"])
    assert kind_of_reason(among.reason[2]) == EPOCH
    assert np.isnat(read_dates(["45361.5", "1549062000", "99999999999999"]).time).all()
