"""Bins without data: told from quiet ones by what the same hour or weekday has elsewhere."""

from __future__ import annotations

import numpy as np

from riskengine.maps.observed import describe_unobserved, find_observed


def test_a_month_without_anything_in_a_busy_city_was_not_recorded() -> None:
    counts = np.array([400, 0, 380, 0, 0, 410])
    assert find_observed(counts, "1 months").tolist() == [True, False, True, False, False, True]


def test_an_empty_bin_of_a_quiet_place_is_quiet() -> None:
    assert find_observed(np.array([3, 0, 2, 0, 0, 1] * 10), "1 weeks").all()


def test_weekends_on_which_nothing_is_ever_written_down_are_quiet() -> None:
    week = [90, 80, 95, 100, 110, 0, 0]
    counts = np.array(week * 20)
    assert find_observed(counts, "1 days").all()
    # A Wednesday is not.
    counts[7 * 4 + 2] = 0
    assert np.flatnonzero(~find_observed(counts, "1 days")).tolist() == [30]


def test_quiet_hours_of_every_night_are_quiet_and_a_lost_day_is_not() -> None:
    counts = np.array([0 if hour < 5 else 6 for _ in range(21) for hour in range(24)])
    assert find_observed(counts, "1 hours").all()
    counts[24 * 10 : 24 * 11] = 0
    lost = np.flatnonzero(~find_observed(counts, "1 hours"))
    assert (lost.min(), lost.max()) == (24 * 10, 24 * 11 + 4)


def test_what_begins_and_ends_without_data_is_said_as_spans() -> None:
    edges = np.array([f"2024-{month:02}" for month in range(1, 8)], dtype="datetime64[s]")
    observed = np.array([False, False, True, True, True, False])
    assert describe_unobserved(observed, edges).startswith(
        "3 bins have no incident at all, where others have many: Jan – Feb 2024, Jun 2024. No data is no quiet"
    )
    assert describe_unobserved(np.ones(6, dtype=bool), edges) == ""
