"""The look at incidents: every figure against a count by hand."""

from __future__ import annotations

import numpy as np
import pytest
from kit.incidents import make_incidents

from riskengine.intake.inspection import count_by_hour, inspect_incidents, measure_delay, show_names


def test_duplicates_are_of_time_place_and_category() -> None:
    """Rows 0, 1 and 4 are one; row 2 differs in its category, row 3 by a second, row 5 by a metre."""
    noon = "2024-03-01T12:00:00"
    time = [noon, noon, noon, "2024-03-01T12:00:01", noon, noon]
    incidents = make_incidents(
        [100, 100, 100, 100, 100.001, 101], [50.0] * 6, np.array(time, "datetime64[s]"), [0, 0, 1, 0, 0, 0], "AB"
    )
    found = inspect_incidents(incidents).duplicates
    assert (found.rows, found.largest, found.shared) == (2, 3, 3)


def test_weekday_and_hour() -> None:
    """2024-03-01 was a Friday; the last second of a Sunday is still one."""
    time = np.array(["2024-03-01T17:59:59", "2024-03-01T18:00:00", "2024-03-03T23:59:59", "1969-12-29T00:30:00"])
    counts = count_by_hour(time.astype("datetime64[s]"))
    assert sorted(zip(*np.nonzero(counts), strict=True)) == [(0, 0), (4, 17), (4, 18), (6, 23)]
    assert counts.sum() == 4


def test_no_hours_where_none_are_known() -> None:
    days = np.datetime64("2024-03-01", "D") + np.arange(40)
    assert inspect_incidents(make_incidents(np.arange(40.0), np.zeros(40), days)).hours is None


def test_strays_are_named_farthest_first() -> None:
    """A town of 1 km: what lies 20 km and 90 km away is none of it."""
    x = np.append(np.linspace(0, 1000, 41), [20_500, -89_500])
    y = np.append(np.linspace(1000, 0, 41), [500, 500])
    time = np.datetime64("2024-03-01T12:34", "s") + np.arange(43) * np.timedelta64(7, "h")
    strays = inspect_incidents(make_incidents(x, y, time)).strays
    assert strays.rows.tolist() == [42, 41]
    assert strays.distance == pytest.approx([90_000, 20_000], abs=100)


def test_delay_by_hand() -> None:
    """0, 0.5, 3.5, 10 and 40 days; one before it happened, one unknown."""
    happened = np.datetime64("2024-03-01T10:20", "s") + np.arange(7) * np.timedelta64(3701, "s")
    hours = np.array([0, 12, 84, 240, 960, -5, 0])
    reported = happened + hours * np.timedelta64(3600, "s")
    reported[6] = np.datetime64("NaT")
    delay = measure_delay(happened, reported, "minute")
    assert (delay.known, delay.negative, delay.unknown, delay.by_day) == (5, 1, 1, False)
    assert (delay.median, delay.ninety, delay.over_week, delay.over_month) == (3.5, 40.0, 0.4, 0.2)
    # At the end of a week are missing: nothing, 1/14, 1/2, all and all.
    assert delay.missing_week == pytest.approx((0 + 0.5 / 7 + 0.5 + 1 + 1) / 5)
    assert delay.missing_month == pytest.approx((0 + 0.5 / 30 + 3.5 / 30 + 10 / 30 + 1) / 5)


def test_a_report_without_a_clock_is_no_report_before_the_event() -> None:
    happened = np.array(["2024-03-01T10:20", "2024-03-01T23:45"], "datetime64[s]")
    delay = measure_delay(happened, np.array(["2024-03-01", "2024-03-03"], "datetime64[s]"), "minute")
    assert (delay.by_day, delay.negative, delay.median, delay.ninety) == (True, 0, 0.0, 2.0)


def test_categories_are_counted_and_those_without_one() -> None:
    time = np.datetime64("2024-03-01T10:20", "s") + np.arange(6) * np.timedelta64(3701, "s")
    incidents = make_incidents(np.arange(6.0), np.zeros(6), time, [1, 1, 0, -1, 1, -1], ["NARCOTICS", "THEFT", "NEVER"])
    found = inspect_incidents(incidents)
    listed = [(each.name, each.count, each.patrols) for each in found.categories]
    assert listed == [("THEFT", 3, None), ("NARCOTICS", 1, "drugs")]
    assert found.uncategorised == 2


def test_names_are_short_and_turn_nothing_around() -> None:
    names = ["x" * 10_000, "a\u202eb\u2067c\u200f", "two\nlines", "\u202e"]
    assert show_names(names) == ["x" * 59 + "…", "abc", "two lines", "(blank)"]
