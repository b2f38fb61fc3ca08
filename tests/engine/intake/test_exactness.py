"""How exact times are, from the times alone and with what their source says."""

from __future__ import annotations

import numpy as np
import pytest

from riskengine.intake.exactness import describe_exactness, find_exactness, is_too_fine


def spread(count: int, step: int, dirt: int = 0) -> np.ndarray:
    """Times `step` seconds and a day apart, of which the first `dirt` have odd times of day."""
    times = np.datetime64("2023-03-04", "s") + np.arange(count) * np.timedelta64(86_400 + step, "s")
    times[:dirt] += np.arange(1, dirt + 1) * np.timedelta64(4567, "s")
    return times


FIRSTS = np.repeat(np.arange("2023-01", "2023-11", dtype="datetime64[M]"), 20).astype("datetime64[s]")


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        (spread(200, 61), "minute"),
        (spread(200, 3600), "hour"),
        (spread(200, 0), "day"),
        (spread(200, 0, dirt=3), "day"),
        (spread(200, 0, dirt=9), "minute"),
        # Midnights of Toronto, written in UTC in winter and in summer.
        (spread(200, 0) + np.where(np.arange(200) < 90, 18_000, 14_400).astype("timedelta64[s]"), "day"),
        (spread(200, 0) + np.where(np.arange(200) < 90, 18_000, 7_200).astype("timedelta64[s]"), "hour"),
        (FIRSTS, "month"),
        (np.r_[FIRSTS, np.array(["2023-05-17T08:13"], dtype="datetime64[s]")], "month"),
        (np.full(50, np.datetime64("2023-04-01", "s")), "day"),
        (np.array(["2023-04-02T12:00"], dtype="datetime64[s]"), "hour"),
    ],
)
def test_what_times_show(times: np.ndarray, expected: str) -> None:
    assert find_exactness(times) == expected


@pytest.mark.parametrize(
    ("word", "expected"), [("minute", "day"), ("month", "month"), ("", "day"), ("fortnight", "day")]
)
def test_the_coarser_of_word_and_values_counts(word: str, expected: str) -> None:
    assert find_exactness(spread(50, 0), word) == expected


@pytest.mark.parametrize(
    ("bin", "exactness", "expected"),
    [
        ("1 days", "month", True),
        ("4 weeks", "month", True),
        ("1 months", "month", False),
        ("23 hours", "day", True),
        ("24 hours", "day", False),
        ("1 hours", "hour", False),
        ("1 hours", "", False),
    ],
)
def test_bins_finer_than_the_times(bin: str, exactness: str, expected: bool) -> None:
    assert is_too_fine(bin, exactness) is expected


def test_a_clock_that_says_nothing_is_named() -> None:
    times = spread(50, 0) + np.timedelta64(5, "h")
    assert describe_exactness(times, "day") == (
        "The times are exact to the day: all are at 05:00, so no time of day is known"
    )
