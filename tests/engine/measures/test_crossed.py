"""Intervals over weeks and positions of the grid at once."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t as student

from riskengine.measures.clustered import Interval
from riskengine.measures.compare import Difference
from riskengine.measures.crossed import compare_crossed, compute_crossed_rate


def compare(part: np.ndarray) -> Difference:
    return compare_crossed(part, np.ones_like(part), 1)


def test_one_position_is_students_t_over_weeks() -> None:
    weeks = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    found = compare(weeks[:, None])
    reach = 2.5706 * math.sqrt(3.5 / 6)
    assert (found.mean, found.low, found.high) == pytest.approx((3.5, 3.5 - reach, 3.5 + reach), abs=1e-3)
    assert (found.blocks, found.places) == (6, 0)


def test_positions_that_give_the_same_tell_no_more_than_one() -> None:
    weeks = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])[:, None]
    one, many = compare(weeks), compare(np.repeat(weeks, 20, axis=1))
    assert (many.low, many.high) == pytest.approx((one.low, one.high))
    assert many.places == 20


def test_by_hand_where_positions_differ_too() -> None:
    # Weeks depart from the mean by -1 and 1, positions by -3, 0 and 3.
    part = np.array([-1.0, 1.0] * 4)[:, None] + np.array([-3.0, 0.0, 3.0])
    by_weeks, by_positions = 8 / 7 / 8, 9 / 3
    free = (by_weeks + by_positions) ** 2 / (by_weeks**2 / 7 + by_positions**2 / 2)
    found = compare(part)
    assert found.high == pytest.approx(student.ppf(0.975, free) * math.sqrt(by_weeks + by_positions))
    assert found.low == pytest.approx(-found.high)
    # More positions that differ as much narrow it.
    assert compare(np.tile(part, 6)).high < 0.5 * found.high


@pytest.mark.parametrize(("weeks", "positions"), [(13, 1), (13, 5), (13, 20), (65, 5), (65, 20)])
def test_the_interval_misses_the_truth_about_as_often_as_it_says(weeks: int, positions: int) -> None:
    random, missed = np.random.default_rng(0), 0
    for _ in range(400):
        week, place = random.normal(0, 1, (weeks, 1)), random.normal(0, 0.2 if positions > 1 else 0.0, (1, positions))
        missed += compare(week + place + random.normal(0, 0.5, (weeks, positions))).verdict != "indistinguishable"
    assert 4 <= missed <= 36


@given(seed=st.integers(0, 1000), positions=st.integers(1, 6), times=st.floats(0.1, 10))
def test_the_order_of_positions_and_the_scale_do_not_matter(seed: int, positions: int, times: float) -> None:
    random = np.random.default_rng(seed)
    part, whole = random.poisson(3, (9, positions)).astype(float), random.poisson(30, (9, positions)) + 1.0
    one = compare_crossed(part, whole, 1)
    other = compare_crossed(part[:, ::-1] * times, whole[:, ::-1] * times, 1)
    assert (one.low, one.mean, one.high) == pytest.approx((other.low, other.mean, other.high))
    # Never narrower than the weeks alone.
    alone = compare_crossed(part.sum(axis=1, keepdims=True), whole.sum(axis=1, keepdims=True), 1)
    assert one.high - one.low >= (alone.high - alone.low) * 0.999


def test_days_are_joined_to_weeks() -> None:
    # Saturdays hold all: weeks are alike, days are not.
    part = np.tile([0.0, 0, 0, 0, 0, 7, 0], 8)[:, None] + np.repeat([1.0, -1.0] * 4, 7)[:, None]
    weekly, daily = (compare_crossed(part, np.ones_like(part), block) for block in (7, 1))
    assert (weekly.blocks, daily.blocks) == (8, 56)
    assert weekly.high != pytest.approx(daily.high, rel=0.01)


@pytest.mark.parametrize("days", [14, 28, 41])
def test_days_never_stand_for_weeks(days: int) -> None:
    part = np.random.default_rng(0).poisson(3, (days, 2)).astype(float)
    found = compare_crossed(part, part + 5, 7)
    assert found.too_few
    assert found.blocks == days // 7
    assert not np.isfinite([found.low, found.high]).any()
    assert all(math.isnan(each) for each in compute_crossed_rate(part, part + 5, 7)[1:])
    # None of few has exact limits, but not where there are too few weeks.
    assert all(math.isnan(each) for each in compute_crossed_rate(0 * part, part + 5, 7)[1:])
    assert not compare_crossed(np.tile(part, (3, 1))[:42], np.tile(part + 5, (3, 1))[:42], 7).too_few


@pytest.mark.parametrize("weeks", [0, 1, 5])
def test_few_weeks_tell_nothing(weeks: int) -> None:
    found = compare(np.random.default_rng(3).normal(3, 0.1, (weeks, 4)))
    assert found.too_few
    assert found.verdict == "indistinguishable"
    assert all(math.isnan(each) for each in compute_crossed_rate(np.ones((weeks, 4)), np.full((weeks, 4), 2.0), 1)[1:])


def test_forecasts_that_catch_the_same_do_not_differ() -> None:
    assert compare(np.zeros((10, 5))) == Difference(0.0, -0.0, 0.0, 0.95, 10, 5)


def test_a_rate_stays_within_its_bounds_and_none_of_few_is_no_certainty() -> None:
    whole = np.full((8, 2), 5.0)
    part = np.zeros((8, 2))
    # None of 40: exact, 1 - 0.025 ** (1 / 40).
    assert compute_crossed_rate(part, whole, 1) == pytest.approx(Interval(0.0, 0.0, 1 - 0.025 ** (1 / 40)))
    assert compute_crossed_rate(whole, whole, 1) == pytest.approx(Interval(1.0, 0.025 ** (1 / 40), 1.0))
    part[0] = 1.0
    rate = compute_crossed_rate(part, whole, 1)
    assert (rate.mean, rate.low) == pytest.approx((1 / 40, 0.0))
    assert rate.high > 0.05
