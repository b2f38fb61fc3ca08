"""Whether one forecast is better than another: the studentised bootstrap of blocks of time."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy.stats import t as student

from riskengine.measures.compare import bootstrap_interval, bootstrap_ratio, number_time_blocks


def test_blocks_hold_all_folds_in_order() -> None:
    blocks = number_time_blocks(52, 7)
    # 52 // 8 = 6 maps a block where 7 would leave fewer than 8 blocks.
    assert len(blocks) == 8
    assert np.concatenate(blocks).tolist() == list(range(52))
    assert len(number_time_blocks(92, 7)) == 13
    assert len(number_time_blocks(2, 7)) == 0


def test_better_worse_and_chance() -> None:
    noise = np.random.default_rng(1).normal(0, 0.05, 200)
    base = np.full(200, 0.5)
    assert bootstrap_interval(base - 0.05 + noise, base).verdict == "better"
    assert bootstrap_interval(base + 0.05 + noise, base).verdict == "worse"
    assert bootstrap_interval(base + noise - noise.mean(), base).verdict == "indistinguishable"


@pytest.mark.parametrize("folds", [0, 1, 2, 5, 17])
def test_few_folds_say_nothing(folds: int) -> None:
    found = bootstrap_interval(np.full(folds, 0.1), np.full(folds, 0.5))
    assert found.too_few
    assert found.verdict == "indistinguishable"


def test_the_same_seed_gives_the_same_interval() -> None:
    first, second = np.random.default_rng(2).random((2, 60))
    assert bootstrap_interval(first, second) == bootstrap_interval(first, second)
    assert bootstrap_interval(first, second, seed=1) != bootstrap_interval(first, second)


def test_many_folds_give_nearly_the_interval_of_student() -> None:
    first, second = np.random.default_rng(3).normal(size=(2, 700))
    found = bootstrap_interval(first, second)
    means = [(first - second)[each].mean() for each in number_time_blocks(700, 7)]
    half = student.ppf(0.975, len(means) - 1) * np.std(means, ddof=1) / np.sqrt(len(means))
    assert found.mean == pytest.approx((first - second).mean())
    assert found.high - found.low == pytest.approx(2 * half, rel=0.1)


def test_blocks_widen_the_interval_of_dependent_folds() -> None:
    walk = np.repeat(np.random.default_rng(3).normal(size=30), 7)
    single, blocks = (bootstrap_interval(walk, np.zeros_like(walk), block=size) for size in (1, 14))
    assert blocks.high - blocks.low > 1.2 * (single.high - single.low)


def test_a_difference_without_spread_has_no_limits() -> None:
    """All blocks alike: nothing says how far the next one may lie from them."""
    for number in (0.5, 0.4375):
        found = bootstrap_interval(np.full(60, 0.4), np.full(60, number))
        assert found.mean == pytest.approx(0.4 - number)
        assert (found.low, found.high) == (-np.inf, np.inf)
        assert found.verdict == "indistinguishable"
        assert found.too_few


def test_equal_forecasts_cannot_be_told_apart() -> None:
    loss = np.random.default_rng(5).random(60)
    found = bootstrap_interval(loss, loss)
    assert found.verdict == "indistinguishable"
    assert (found.mean, found.low, found.high) == (0, 0, 0)
    assert not found.too_few


def test_folds_without_a_loss_are_left_out() -> None:
    first, second = np.random.default_rng(6).random((2, 60))
    with_gap = np.insert(first, 10, np.nan), np.insert(second, 10, 0.3)
    assert bootstrap_interval(*with_gap) == bootstrap_interval(first, second)


def test_a_ratio_weighs_maps_by_their_incidents() -> None:
    part, whole = np.tile([1.0, 0.0, 0.0], 20), np.tile([1.0, 9.0, 0.0], 20)
    found = bootstrap_ratio(part, whole)
    # One of ten, not the mean of 1/1 and 0/9.
    assert found.mean == pytest.approx(0.1)
    assert found.low <= 0.1 <= found.high
    assert bootstrap_ratio(part, np.zeros(60)).too_few


@pytest.mark.parametrize(
    ("folds", "correlation", "most"), [(20, 0.0, 0.075), (52, 0.0, 0.075), (92, 0.3, 0.105), (364, 0.3, 0.09)]
)
def test_pure_noise_is_seldom_called_better_or_worse(folds: int, correlation: float, most: float) -> None:
    """Nominal 5 %; the bounds leave room for the chance of 500 draws and for what blocks of a week do not cover."""
    random = np.random.default_rng(folds)
    noise = random.normal(size=(folds + 30, 500))
    for before, now in pairwise(noise):
        now += correlation * before
    wrong = [bootstrap_interval(each, np.zeros(folds)).verdict != "indistinguishable" for each in noise[30:].T]
    assert 0.02 <= np.mean(wrong) <= most
