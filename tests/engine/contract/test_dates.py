"""Dates as people say them: the last day is included, a whole month is its name."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from riskengine.contract.dates import (
    count_bins,
    count_windows,
    format_bin_length,
    format_days,
    format_days_up_to,
    format_last,
    format_moment,
    format_span,
    format_window,
    label_moments,
    name_window,
)


@pytest.mark.parametrize(
    ("start", "end", "said"),
    [
        ("2024-12-31", "2025-01-01", "Tue 31 Dec 2024"),
        ("2024-12-23T00:00:00", "2024-12-30T00:00:00", "Mon 23 – Sun 29 Dec 2024"),
        ("2024-09-30", "2024-10-07", "Mon 30 Sep – Sun 6 Oct 2024"),
        ("2024-12-30", "2025-01-06", "Mon 30 Dec 2024 – Sun 5 Jan 2025"),
        ("2024-12-01", "2025-01-01", "Dec 2024"),
        ("2024-10-01", "2025-01-01", "Oct – Dec 2024"),
        ("2024-12-01", "2025-02-01", "Dec 2024 – Jan 2025"),
        ("2024-12-31T20:00:00", "2024-12-31T22:00:00", "Tue 31 Dec 2024, 20:00 – 22:00"),
        ("2024-12-31T00:00:00", "2024-12-31T02:00:00", "Tue 31 Dec 2024, 00:00 – 02:00"),
        ("2024-12-31T22:00:00", "2025-01-01T00:00:00", "Tue 31 Dec 2024, 22:00 – 24:00"),
        ("2024-12-31T22:00:00", "2025-01-01T02:00:00", "Tue 31 Dec 2024, 22:00 – Wed 1 Jan 2025, 02:00"),
    ],
)
def test_a_span_is_said_with_its_last_day(start: str, end: str, said: str) -> None:
    assert format_span(start, end) == said
    assert format_span(np.datetime64(start, "s"), np.datetime64(end, "s")) == said


def test_a_moment_has_a_time_of_day_only_within_a_day() -> None:
    assert format_moment(np.datetime64("2024-01-02T00:00:00")) == "Tue 2 Jan 2024"
    assert format_moment("2024-01-01T00:00:00", "month") == "Jan 2024"
    # A time that is no first of a month is said as it is.
    assert format_moment("2024-01-02T00:00:00", "month") == "Tue 2 Jan 2024"
    assert format_moment("2024-01-02T05:07:00") == "Tue 2 Jan 2024, 05:07"


def test_one_is_not_several() -> None:
    assert [format_bin_length(each) for each in ("1 days", "2 hours", "1 months")] == ["1 day", "2 hours", "1 month"]


def test_an_end_is_said_as_the_last_day() -> None:
    assert format_last("2025-01-01T00:00:00") == "Tue 31 Dec 2024"
    assert format_last("2025-01-01T00:00:00", "1 months") == "Dec 2024"
    assert format_last("2025-01-01T05:00:00") == "Wed 1 Jan 2025, 05:00"


def test_bins_are_counted_by_their_name() -> None:
    assert [count_bins(number, "1 days") for number in (1, 58)] == ["1 day", "58 days"]
    assert count_bins(1200, "1 months") == "1,200 months"
    assert [count_bins(number, "2 hours") for number in (1, 3)] == ["1 bin of 2 hours", "3 bins of 2 hours"]


@pytest.mark.parametrize(
    ("length", "named", "one", "several"),
    [
        ("1 days", "day", "1 day", "4 days"),
        ("7 days", "week", "1 week", "4 weeks"),
        ("13 weeks", "quarter", "1 quarter", "4 quarters"),
        ("3 months", "quarter", "1 quarter", "4 quarters"),
        ("2 weeks", "window of 2 weeks", "1 window of 2 weeks", "4 windows of 2 weeks"),
    ],
)
def test_windows_have_the_names_that_people_use(length: str, named: str, one: str, several: str) -> None:
    assert name_window(length) == named
    assert [count_windows(number, length) for number in (1, 4)] == [one, several]


@pytest.mark.parametrize(
    ("moments", "labels"),
    [
        (("2021-10-01", "2021-12-01", "2022-02-01"), ["Oct 2021", "Dec", "Feb 2022"]),
        (("2024-12-24", "2024-12-31", "2025-01-07"), ["24 Dec 2024", "31 Dec", "7 Jan 2025"]),
        (
            ("2024-12-30T18:00", "2024-12-31T00:00", "2024-12-31T06:00"),
            ["30 Dec 2024, 18:00", "31 Dec, 00:00", "06:00"],
        ),
        ((), []),
    ],
)
def test_ticks_say_no_more_than_has_changed(moments: tuple[str, ...], labels: list[str]) -> None:
    assert label_moments(moments) == labels


@given(some.dates(), some.integers(1, 400))
def test_days_of_different_spans_are_never_said_alike(day: object, length: int) -> None:
    first = np.datetime64(str(day), "D")
    if first > np.datetime64("9990-01-01"):
        return
    said = {format_span(first, first + length + more) for more in range(3)}
    assert len(said) == 3


def test_days_of_moments_are_said_whole() -> None:
    assert format_days("2018-01-01T10:00:00", "2018-08-08T23:59:00") == "Mon 1 Jan – Wed 8 Aug 2018"
    assert format_days("2018-08-08T10:00:00", "2018-08-08T00:00:00") == "Wed 8 Aug 2018"
    assert format_days("2018-01-01T00:00:00", "2018-08-01T00:00:00", "month") == "Jan – Aug 2018"


def test_days_up_to_a_midnight_end_on_the_day_before() -> None:
    first, last = "2018-02-01T00:00:00", "2019-01-01T00:00:00"
    assert format_window(365, last, "month", first, last) == "Feb 2018 – Jan 2019"
    # Where only days are known, those of the reference time's own day count too.
    assert format_window(365, last, "day", first, last) == "365 days to Tue 1 Jan 2019"
    assert format_window(365, last, "minute", first, last) == "365 days to Mon 31 Dec 2018"
    assert format_days_up_to(365, "2018-08-08T23:59:00") == "365 days to Wed 8 Aug 2018"
    assert format_days_up_to(1, "2018-08-09T00:00:00") == "1 day to Wed 8 Aug 2018"
