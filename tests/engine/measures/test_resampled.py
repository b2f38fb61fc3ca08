"""Intervals by days: against resampling rows one by one with scikit-learn, and what they promise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import average_precision_score, roc_auc_score

from riskengine.measures.alarmcurves import compute_calibration_error
from riskengine.measures.clustered import Interval
from riskengine.measures.resampled import Resampling, correlate_ranks, number_clusters


def make(days: int = 12, rows: int = 600, seed: int = 0, effect: float = 0.5) -> tuple[Any, Any, Any]:
    random = np.random.default_rng(seed)
    day = np.sort(random.integers(0, days, rows))
    logit = random.normal(-1, 1, rows)
    o = random.random(rows) < 1 / (1 + np.exp(-logit - effect * random.normal(size=days)[day]))
    return (1 / (1 + np.exp(-logit))).round(3), o, day


def weigh_error(o: Any, p: Any, sample_weight: Any) -> float:
    """The calibration error of rows that count several times."""
    times = sample_weight.astype(int)
    return compute_calibration_error(np.repeat(p, times), np.repeat(o, times))


MEASURES: dict[str, tuple[Callable[..., float], Callable[[Resampling, Any, Any], Interval]]] = {
    "auc": (roc_auc_score, lambda drawn, p, o: drawn.auc(p, o)),
    "average precision": (average_precision_score, lambda drawn, p, o: drawn.average_precision(p, o)),
    "calibration error": (weigh_error, lambda drawn, p, o: drawn.calibration_error(p, o)),
}


@pytest.mark.parametrize("name", MEASURES)
def test_a_measure_and_its_interval_are_those_of_rows_that_are_drawn_with_their_days(name: str) -> None:
    plain, ours = MEASURES[name]
    p, o, day = make()
    drawn = number_clusters(day, resamples=200)
    found = ours(drawn, p, o)
    assert found.mean == pytest.approx(plain(o, p, sample_weight=np.ones(len(p))))
    each = [plain(o, p, sample_weight=weights[day]) for weights in drawn.drawn]
    reach = stats.t.ppf(0.975, 11) * np.std(each, ddof=1)
    assert found.high - found.mean == pytest.approx(reach, rel=1e-6)
    assert found.low == pytest.approx(max(found.mean - reach, 0.0))


def test_all_measures_and_rows_get_the_same_draws() -> None:
    p, _, day = make()
    drawn = number_clusters(day)
    some = np.arange(len(p)) % 2 == 0
    assert drawn.select(some).drawn is drawn.drawn
    assert np.array_equal(number_clusters(day).drawn, drawn.drawn)
    assert not np.array_equal(number_clusters(day, seed=1).drawn, drawn.drawn)
    assert (drawn.drawn.sum(axis=1) == 12).all()


def test_days_that_are_all_alike_leave_no_doubt_and_one_day_tells_nothing() -> None:
    p, o = np.tile([0.2, 0.4, 0.6, 0.8], 10), np.tile([False, True, False, True], 10)
    alike = number_clusters(np.repeat(np.arange(10), 4)).auc(p, o)
    assert alike == pytest.approx((0.75, 0.75, 0.75))
    assert np.isnan(number_clusters(np.zeros(40)).auc(p, o).low)


def test_without_events_there_is_no_figure() -> None:
    p, _, day = make()
    nothing = np.zeros(len(p), bool)
    assert np.isnan(number_clusters(day).auc(p, nothing).mean)
    assert np.isnan(number_clusters(day).average_precision(p, nothing).mean)
    none = number_clusters(np.zeros(0, int))
    for each in (none.auc(np.zeros(0), np.zeros(0, bool)), none.calibration_error(np.zeros(0), np.zeros(0, bool))):
        assert np.isnan(each.mean)


def test_most_intervals_hold_the_truth() -> None:
    """Of 50 samples of 40 days that differ, at least 45 intervals of the AUC hold that of all days."""
    p, o, _ = make(days=2000, rows=100_000, seed=1)
    truth = roc_auc_score(o, p)
    held = 0
    for seed in range(50):
        sample, happened, day = make(days=40, rows=2000, seed=seed + 2)
        interval = number_clusters(day, resamples=300).auc(sample, happened)
        held += interval.low <= truth <= interval.high
    assert held >= 45


def test_rank_correlation_is_spearmans_and_its_interval_holds_it() -> None:
    random = np.random.default_rng(3)
    a = random.normal(size=70).round(1)
    b = (a + random.normal(size=70)).round(1)
    found = correlate_ranks(np.r_[a, np.nan], np.r_[b, 1.0])
    assert found.mean == pytest.approx(stats.spearmanr(a, b).statistic)
    assert found.low < found.mean < found.high
    assert found.high - found.low == pytest.approx(2 * 1.96 * 0.75 / np.sqrt(70), rel=0.5)
    assert correlate_ranks(np.arange(9.0), np.arange(9.0) ** 3).low == pytest.approx(1.0)
    assert np.isnan(correlate_ranks(np.arange(9.0), np.zeros(9)).mean)


def test_groups_as_many_as_rows_cost_nothing_and_change_nothing() -> None:
    random = np.random.default_rng(5)
    p, group, day = random.random(4000), random.integers(0, 3, 4000), random.integers(0, 30, 4000)
    happened = random.random(4000) < p
    alone = np.arange(400_000) + 3
    more = number_clusters(np.concatenate([day, np.zeros(len(alone), dtype=np.int64)]))
    found = more.auc(
        np.concatenate([p, np.full(len(alone), 0.5)]),
        np.concatenate([happened, np.ones(len(alone), dtype=bool)]),
        np.concatenate([group, alone]),
    )
    assert found == number_clusters(day).auc(p, happened, group)
