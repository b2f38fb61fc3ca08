"""Which windows are warned of under a budget, and what that was worth: golden numbers and what must always hold."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from riskengine.contract.warnings import Budget
from riskengine.measures.alarmcurves import compute_calibration_error, measure_reliability, trace_alarms
from riskengine.measures.alarms import (
    Alarms,
    bound_losses,
    compare_precision,
    compare_recall,
    compute_lift,
    group_alarms,
    sum_alarms,
)
from riskengine.measures.thresholds import choose_most, count_trailing, find_share, find_thresholds, raise_alarms

#: Five windows of two units, and the events in them.
RISK = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.3], [0.7, 0.3], [0.1, 0.6]])
EVENTS = np.array([[2, 0], [0, 0], [1, 0], [1, 0], [0, 3]])

RISKS = arrays.arrays(np.float64, (12, 3), elements=st.sampled_from(np.linspace(0.0, 1.0, 9).tolist()))
COUNTS = arrays.arrays(np.int64, (12, 3), elements=st.integers(0, 3))


def test_the_most_likely_of_a_test() -> None:
    chosen = choose_most(RISK, Budget("share", 0.4), 24)
    assert np.argwhere(chosen == 1).tolist() == [[0, 0], [1, 0], [3, 0], [4, 1]]
    alarms = sum_alarms(chosen, EVENTS).total()
    assert alarms == Alarms(raised=4, windows=10, true=3, hit=4, warned_events=6, events=7)
    assert (alarms.precision, alarms.recall, alarms.recall_events) == pytest.approx((3 / 4, 3 / 4, 6 / 7))
    assert (alarms.false_per_true, alarms.share, alarms.base_rate) == pytest.approx((1 / 3, 0.4, 0.4))


def test_windows_that_tie_share_the_last_alarms() -> None:
    """Six of ten: four above .3, and the three at .3 share the other two."""
    alarms = sum_alarms(choose_most(RISK, Budget("share", 0.6), 24), EVENTS).total()
    assert alarms.raised == pytest.approx(6)
    assert alarms.true == pytest.approx(3 + 2 / 3)
    assert alarms.warned_events == pytest.approx(6 + 2 / 3)


def test_a_constant_is_worth_the_base_rate() -> None:
    alarms = sum_alarms(choose_most(np.full(RISK.shape, 0.4), Budget("share", 0.2), 24), EVENTS).total()
    assert (alarms.raised, alarms.precision, alarms.recall_events) == pytest.approx((2, 0.4, 0.2))


def test_alarms_a_week_and_what_pays() -> None:
    """Two units have 14 windows a week of a day each."""
    assert find_share(Budget("week", 7), 24, 2) == pytest.approx(0.5)
    assert find_share(Budget("week", 100), 24, 2) == 1.0
    assert choose_most(RISK, Budget("week", 7), 24).sum() == pytest.approx(5)
    # A miss costs four times a false alarm: from .2 on.
    assert choose_most(RISK, Budget("cost", 4), 24).sum() == 8
    assert raise_alarms(RISK, np.arange(5), 0, [Budget("cost", 4)], 24).sum() == 8


@pytest.mark.parametrize("ratio", [1 / 9, 3 / 7, 1.0, 4.0])
def test_what_just_pays_is_warned_of_alike_once_the_test_is_known_and_as_it_comes(ratio: float) -> None:
    """Forecasts are kept in single precision, in which what pays is rounded up or down."""
    risk = np.full((3, 2), 1 / (1 + ratio), dtype=np.float32)
    budget = Budget("cost", ratio)
    np.testing.assert_array_equal(choose_most(risk, budget, 24), raise_alarms(risk, np.arange(3), 0, [budget], 24)[0])


def test_no_alarm_and_no_event_have_no_figures() -> None:
    none = sum_alarms(np.zeros((3, 2)), np.zeros((3, 2), dtype=int)).total()
    assert np.isnan([none.precision, none.recall, none.recall_events]).all()
    assert none.false_per_true == float("inf")


def test_the_threshold_of_earlier_forecasts() -> None:
    """Of 19 forecasts .05 apart the 20th lies above the second highest with probability 2 of 20."""
    earlier = np.arange(1, 20) / 20
    budgets = [*(Budget("share", each) for each in (0.1, 0.01, 1.0, 0.0)), Budget("cost", 3)]
    found = find_thresholds(earlier, budgets, 24, 1)
    assert found == pytest.approx([0.9, 0.95, -np.inf, np.inf, 0.25])
    assert find_thresholds(np.zeros(0), budgets, 24, 1) == pytest.approx([np.inf, np.inf, -np.inf, np.inf, 0.25])


@given(RISKS, st.floats(0.01, 0.99))
def test_thresholds_are_quantiles_by_weibull(earlier: np.ndarray, share: float) -> None:
    (found,) = find_thresholds(earlier, [Budget("share", share)], 24, 3)
    assert found == pytest.approx(np.quantile(earlier, 1 - share, method="weibull"))


def test_alarms_follow_the_last_28_days() -> None:
    """Windows of a week: the threshold of each is among the four before it, whatever gap lies between."""
    assert [count_trailing(hours) for hours in (2, 24, 168)] == [336, 28, 4]
    risk = np.array([[0.9], [0.1], [0.2], [0.3], [0.4], [0.35], [0.5], [0.1]])
    (raised,) = raise_alarms(risk, np.array([0, 1, 2, 3, 4, 5, 6, 20]), 4, [Budget("share", 0.2)], 168)
    # .9 keeps the threshold up for four weeks; of the last window nothing is known of the weeks before.
    assert raised[:, 0].tolist() == [False, False, True, False]


def test_forecasts_that_hardly_differ_warn_of_nothing() -> None:
    """A constant that drifts upwards lies above all of the past each day, and yet ranks no day before another."""
    drifting = np.repeat(0.2 * 1.0005 ** np.arange(100), 3).reshape(100, 3)
    budgets = [Budget("share", 0.1), Budget("week", 2)]
    assert not raise_alarms(drifting, np.arange(100), 40, budgets, 24).any()
    # What stands out of it is warned of, and what rises by as much every week as well.
    surge = drifting.copy()
    surge[99, 1] *= 1.1
    for raised in raise_alarms(surge, np.arange(100), 40, budgets, 24):
        assert np.argwhere(raised).tolist() == [[59, 1]]
    rising = np.repeat(0.2 * 1.01 ** np.arange(100), 3).reshape(100, 3)
    assert raise_alarms(rising, np.arange(100), 40, budgets, 24).all()


@given(RISKS, COUNTS, st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_more_alarms_warn_of_more(risk: np.ndarray, events: np.ndarray, one: float, other: float) -> None:
    chosen = (choose_most(risk, Budget("share", each), 24) for each in sorted([one, other]))
    few, many = (sum_alarms(each, events).total() for each in chosen)
    assert few.raised == pytest.approx(min(one, other) * risk.size)
    assert few.true <= many.true + 1e-9
    assert few.warned_events <= many.warned_events + 1e-9


@given(RISKS, COUNTS, st.permutations(range(36)), st.floats(0.0, 1.0))
def test_the_order_of_windows_and_units_decides_nothing(
    risk: np.ndarray, events: np.ndarray, order: list[int], share: float
) -> None:
    budget = Budget("share", share)
    moved_risk, moved_events = (each.ravel()[order].reshape(each.shape) for each in (risk, events))
    here = sum_alarms(choose_most(risk, budget, 24), events).total()
    there = sum_alarms(choose_most(moved_risk, budget, 24), moved_events).total()
    assert (here.true, here.warned_events) == pytest.approx((there.true, there.warned_events))
    curves = trace_alarms(risk, events), trace_alarms(moved_risk, moved_events)
    np.testing.assert_allclose(curves[0].recall_events, curves[1].recall_events)


@given(RISKS, RISKS, st.integers(3, 11), st.sampled_from([0.05, 0.2, 0.5]))
def test_an_alarm_knows_nothing_later(risk: np.ndarray, other: np.ndarray, row: int, share: float) -> None:
    changed = np.concatenate([risk[:row], other[row:]])
    numbers, budgets = np.arange(len(risk)), [Budget("share", share)]
    here, there = (raise_alarms(each, numbers, 2, budgets, 168)[0] for each in (risk, changed))
    assert (here[: row - 2] == there[: row - 2]).all()


def test_a_trailing_threshold_holds_its_budget_when_the_level_moves() -> None:
    """Forecasts that double within a year: a threshold frozen on the past would alarm far more often."""
    rng = np.random.default_rng(5)
    risk = np.exp(rng.normal(-2, 0.5, (400, 4)) + np.linspace(0, np.log(2), 400)[:, None])
    budget = Budget("share", 0.1)
    (raised,) = raise_alarms(risk, np.arange(400), 28, [budget], 24)
    assert raised.mean() == pytest.approx(0.1, abs=0.02)
    assert (risk[28:] > find_thresholds(risk[:28], [budget], 24, 4)).mean() > 0.2


def test_differences_at_the_same_budget() -> None:
    """One warns of each event, the other of every second one, in windows of a day over 20 weeks."""
    events = np.zeros((140, 1), dtype=int)
    events[::7] = 1
    events[3::35] = 2
    every = sum_alarms(events > 0, events)
    half = np.zeros((140, 1))
    half[::14], half[1::14], half[5::35] = 1, 1, 1
    other = sum_alarms(half, events)
    assert every.raised.sum() == other.raised.sum() == 24
    recall, precision = compare_recall(every, other, 24), compare_precision(every, other, 24)
    assert recall.mean == pytest.approx(1 - 10 / 28)
    assert precision.mean == pytest.approx(1 - 10 / 24)
    assert recall.verdict_of_more == precision.verdict_of_more == "better"
    assert recall.blocks == 20
    assert compute_lift(every, other, 24).mean == pytest.approx(2.4)
    with pytest.raises(ValueError, match="24 alarms are not compared with 140"):
        compare_precision(every, sum_alarms(np.ones((140, 1)), events), 24)


def test_intervals_are_taken_over_weeks() -> None:
    """Blocks of 7 days, of 84 windows of two hours, and of three windows of a week."""
    first, second = np.random.default_rng(2).random((2, 840))
    assert [bound_losses(first, second, hours).blocks for hours in (2, 24, 168)] == [10, 120, 280]
    assert bound_losses(first, second, 24).mean == pytest.approx((first - second).mean())


def test_alarms_by_month_and_by_unit() -> None:
    raised = choose_most(RISK, Budget("share", 0.4), 24)
    months = group_alarms(RISK, raised, EVENTS, ["2015-01", "2015-01", "2015-02", "2015-02", "2015-02"])
    assert [each.label for each in months] == ["2015-01", "2015-02"]
    assert [each.expected for each in months] == pytest.approx([2.0, 2.3])
    assert months[1].alarms == Alarms(raised=2, windows=6, true=2, hit=3, warned_events=4, events=5)
    units = group_alarms(RISK.T, raised.T, EVENTS.T, ["north", "south"])
    assert [(each.label, each.alarms.raised) for each in units] == [("north", 3), ("south", 1)]
    assert [each.alarms.events for each in units] == [4, 3]


def test_the_curves() -> None:
    curve = trace_alarms(RISK, EVENTS)
    # .9 | .8 | .7 | .6 | three of .3 | .2 | two of .1
    assert curve.share.tolist() == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.7, 0.8, 1.0])
    assert curve.recall_events * 7 == pytest.approx([2, 2, 3, 6, 7, 7, 7])
    assert curve.precision == pytest.approx([1, 1 / 2, 2 / 3, 3 / 4, 4 / 7, 4 / 8, 4 / 10])
    assert curve.recall * 4 == pytest.approx([1, 1, 2, 3, 4, 4, 4])
    long = trace_alarms(np.linspace(0, 1, 10_000).reshape(-1, 1), np.ones((10_000, 1), dtype=int), points=50)
    assert len(long.share) == 50
    assert long.share[-1] == 1.0
    np.testing.assert_allclose(long.recall_events, long.share)


def test_calibration_in_bins_of_equal_width() -> None:
    """Bins [0, .1), [.2, .3) and [.9, 1]: |.05 - 1/2|, |.25 - 0|, |.975 - 1|, with two, one and two in them."""
    predicted, happened = np.array([0.04, 0.06, 0.25, 0.95, 1.0]), np.array([0, 1, 0, 1, 1])
    found = measure_reliability(predicted, happened)
    assert found.count.tolist() == [2, 1, 2]
    assert found.predicted == pytest.approx([0.05, 0.25, 0.975])
    assert compute_calibration_error(predicted, happened) == pytest.approx((2 * 0.45 + 0.25 + 2 * 0.025) / 5)
