"""Intervals over places and times at once."""

from __future__ import annotations

import math

import numpy as np
import pytest

from riskengine.measures.compare import Difference
from riskengine.measures.twoway import compare_sums


def compare(part: np.ndarray) -> Difference:
    return compare_sums(part, np.ones_like(part), 7)


def test_by_hand_where_only_months_differ() -> None:
    # Six months, each the same in all of seven places: the interval is Student's t of the months' means, 5 degrees.
    months = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    found = compare(np.repeat(months[:, None], 7, axis=1))
    reach = 2.5706 * math.sqrt(3.5 / 6)
    assert (found.mean, found.low, found.high) == pytest.approx((3.5, 3.5 - reach, 3.5 + reach), abs=1e-3)
    assert (found.blocks, found.places) == (6, 7)


def test_the_interval_misses_the_truth_about_as_often_as_it_says() -> None:
    random = np.random.default_rng(0)
    missed = {"months": 0, "places": 0, "neither": 0}
    for _ in range(300):
        noise, month, place = (random.normal(size=shape) for shape in ((10, 32), (10, 1), (1, 32)))
        for name, values in {"months": month + noise, "places": place + noise, "neither": noise}.items():
            missed[name] += compare(values).verdict != "indistinguishable"
    assert all(3 <= number <= 25 for number in (missed["months"], missed["places"]))
    assert missed["neither"] <= 15


def test_areas_that_differ_widen_it_though_months_are_all_alike() -> None:
    random = np.random.default_rng(1)
    place = random.normal(1, 1, (1, 32))
    found = compare(place + random.normal(0, 0.01, (10, 32)))
    # About the standard error of a mean of 32 places with deviation 1, with 9 degrees of freedom.
    assert (found.high - found.low) / 2 == pytest.approx(2.262 * place.std(ddof=1) / math.sqrt(32), rel=0.05)


def test_a_clear_gain_is_told() -> None:
    random = np.random.default_rng(2)
    assert compare(random.normal(-0.5, 1, (10, 32))).verdict == "better"
    assert compare(random.normal(0.5, 1, (10, 32))).verdict == "worse"


@pytest.mark.parametrize("shape", [(5, 32), (10, 5), (0, 32)])
def test_few_blocks_of_either_kind_tell_nothing(shape: tuple[int, int]) -> None:
    found = compare(np.random.default_rng(3).normal(3, 0.1, shape))
    assert found.too_few
    assert found.verdict == "indistinguishable"


def test_nothing_to_divide_by_tells_nothing() -> None:
    found = compare_sums(np.zeros((10, 32)), np.zeros((10, 32)), 7)
    assert math.isnan(found.mean)
    assert found.too_few


def test_the_same_forecast_differs_by_nothing_and_constant_gaps_have_no_limits() -> None:
    same = compare(np.zeros((10, 32)))
    assert (same.mean, same.low, same.high, same.too_few) == (0, 0, 0, False)
    assert compare(np.full((10, 32), 0.1)).too_few


def test_days_are_joined_to_weeks() -> None:
    assert compare(np.random.default_rng(4).normal(size=(70, 32))).blocks == 10


def test_maps_without_a_figure_are_left_out() -> None:
    part = np.random.default_rng(5).normal(size=(12, 32))
    gap = part.copy()
    gap[3] = np.nan
    assert compare(gap) == compare(np.delete(part, 3, axis=0))
