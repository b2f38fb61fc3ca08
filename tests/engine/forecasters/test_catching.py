"""Forecasters of the catch: what an analyst would notice, and small cases by hand."""

from __future__ import annotations

from dataclasses import replace
from math import factorial

import numpy as np
import pytest
from kit.contexts import Recorder
from kit.maps import make_stack
from kit.panels import make_panel

from riskengine.contract.forecasters import (
    CATCH_BASELINE,
    CATCH_MEMBERS,
    DEFAULT_CATCH,
    FORECASTERS,
    OWN_PARAMETERS,
    list_baselines,
)
from riskengine.forecasters.baselines import PriorCounts
from riskengine.forecasters.catalogue import make_forecaster
from riskengine.forecasters.catching.choice import (
    expect_shares,
    find_own,
    fit_choice,
    fit_levels,
    fit_shares,
    mix_own,
)
from riskengine.forecasters.catching.columns import PlaceColumns, find_reach
from riskengine.forecasters.catching.ensemble import CatchEnsemble
from riskengine.forecasters.catching.pastwindows import (
    choose_window,
    count_incidents,
    find_overlap,
    list_past_windows,
    tell_enough,
)
from riskengine.forecasters.catching.pointkernel import PointKernel
from riskengine.forecasters.catching.rates import find_level, read_events
from riskengine.ground.damage import Damaged
from riskengine.ground.errors import DataError, ParameterError
from riskengine.maps.heatmaps import Heatmaps
from riskengine.maps.panel import Extras
from riskengine.maps.sparsecounts import SparseCounts, keep_sparse

#: Cells that are asked for, of 900.
ASKED = 9
FLAGGED = ASKED / 900


def make_weeks(rates: np.ndarray, weeks: int = 156, seed: int = 1) -> Heatmaps:
    """Weeks of a city of 30 x 30 cells of 100 m, from rates of shape (30, 30) or (weeks, 30, 30)."""
    counts = np.random.default_rng(seed).poisson(np.broadcast_to(rates, (weeks, 30, 30))).astype(np.uint8)
    return make_stack(counts, bin="1 weeks", cell=100.0)


def find_top(expected: np.ndarray, number: int = ASKED) -> set[int]:
    """The numbers of the cells that expect the most."""
    return set(np.argsort(-np.nan_to_num(expected, nan=-1.0).ravel(), kind="stable")[:number].tolist())


def make_quarter() -> np.ndarray:
    """Rates of a quarter of nightlife, smooth and busy, in a quiet city."""
    row, column = np.mgrid[:30, :30]
    return 0.005 + 0.12 * np.exp(-((row - 15) ** 2 + (column - 15) ** 2) / 30)


@pytest.mark.parametrize("name", ["point_kernel", "catch"])
def test_a_repeat_address_beside_a_busy_quarter_keeps_the_first_rank(name: str) -> None:
    rates = make_quarter()
    rates[22, 22] = 0.3
    city = make_weeks(rates)
    model = make_forecaster(name, window=13, flagged=FLAGGED).fit(city)
    expected = model.predict_window(city, 13)
    assert np.unravel_index(expected.argmax(), expected.shape) == (22, 22)
    # A kernel moves most of it away.
    smooth = make_forecaster("kde").fit(city).predict(city)[0]
    assert smooth[22, 22] < 0.7 * smooth.max()


@pytest.mark.parametrize("name", ["point_kernel", "catch"])
def test_hot_spots_that_move_are_found_where_they_are_now(name: str) -> None:
    random = np.random.default_rng(3)
    rates = np.full((312, 900), 0.01)
    for start in range(0, 312, 52):
        hot = random.choice(900, ASKED, replace=False)
        rates[start : start + 52, hot] = 0.5
    # Half a year after they moved for the last time.
    known = make_weeks(rates.reshape(312, 30, 30), 312).cut(286)
    found = find_top(make_forecaster(name, window=13, flagged=FLAGGED).fit(known).predict_window(known, 13))
    assert len(found & set(hot.tolist())) >= ASKED - 1
    counted = find_top(PriorCounts().fit(known).predict_window(known, 13))
    assert len(counted & set(hot.tolist())) <= 2


def test_where_only_the_place_counts_the_ensemble_catches_as_much_as_prior_counts() -> None:
    rates = np.random.default_rng(7).gamma(0.3, 0.2, (30, 30))
    city = make_weeks(rates)
    ours, theirs = (
        find_top(make_forecaster(name, window=13, flagged=FLAGGED).fit(city).predict_window(city, 13))
        for name in ("catch", "prior_counts")
    )
    assert len(ours & theirs) >= ASKED - 2
    flat = rates.ravel()
    assert flat[list(ours)].sum() > 0.95 * flat[list(theirs)].sum()


def test_another_category_helps_where_it_tells_more_and_the_log_says_so() -> None:
    random = np.random.default_rng(2)
    rates = random.gamma(2.0, 0.003, (30, 30))
    city = make_weeks(rates)
    thefts = random.poisson(20 * rates, city.counts.shape).astype(np.uint8)
    both = replace(city, extras=Extras(channels=thefts[None], channel_names=("Vehicle theft",)))
    said = Recorder()
    with_it = PointKernel(window=13, flagged=FLAGGED).fit(both, said)
    alone = PointKernel(window=13, flagged=FLAGGED).fit(city)
    true = rates.ravel()
    found = [find_top(model.predict_window(panel, 13)) for model, panel in ((with_it, both), (alone, city))]
    caught = [true[list(each)].sum() for each in found]
    assert caught[0] > 1.15 * caught[1]
    (line,) = [text for text in said.messages if "powers" in text]
    assert "Vehicle theft here" in line
    assert line.startswith("Learned on 29 past windows of 13 weeks each")
    with pytest.raises(DataError, match="looks at counts in 7 ways, and these maps give 5"):
        with_it.predict(city)


def test_nearly_empty_grids_give_the_same_sparse_and_dense() -> None:
    city = make_weeks(make_quarter() / 5)
    sparse = keep_sparse(city)
    assert isinstance(sparse.counts, SparseCounts)
    for name in ("point_kernel", "catch"):
        one, other = (
            make_forecaster(name, window=13, flagged=FLAGGED).fit(each).predict_window(each, 13)
            for each in (city, sparse)
        )
        np.testing.assert_allclose(one, other, rtol=1e-6)


@pytest.mark.parametrize("name", ["point_kernel", "catch"])
def test_units_expect_about_what_they_get(name: str) -> None:
    city = make_weeks(make_quarter(), 169)
    known = city.cut(156)
    expected = make_forecaster(name, window=13, flagged=FLAGGED).fit(known).predict_window(known, 13)
    true = 13 * make_quarter()
    assert expected.sum() == pytest.approx(true.sum(), rel=0.1)
    top = list(find_top(expected, 27))
    assert expected.ravel()[top].sum() == pytest.approx(true.ravel()[top].sum(), rel=0.25)


@pytest.mark.parametrize("name", ["point_kernel", "catch"])
def test_a_short_history_falls_back_to_prior_counts_and_says_so(name: str) -> None:
    city = make_weeks(make_quarter(), 16)
    said = Recorder()
    model = make_forecaster(name, window=13, flagged=FLAGGED).fit(city, said)
    assert any("too few to learn from: places rank by prior counts" in text for text in said.messages)
    assert model.is_long_run
    expected, total = model.predict_window(city, 13).ravel(), city.counts.sum(axis=0).ravel()
    assert np.all(np.diff(total[np.argsort(-expected)].astype(int)) <= 0), "the order of the counts"
    # Among places of equal counts, what lies around decides.
    ones = np.flatnonzero(total == 1)
    assert len(np.unique(expected[ones])) > len(ones) // 2


def test_a_model_that_learned_from_recent_incidents_is_no_long_run_mean() -> None:
    assert not PointKernel(window=13, flagged=FLAGGED).fit(make_weeks(make_quarter())).is_long_run


def test_past_windows_never_reach_beyond_the_history() -> None:
    panel = make_panel(np.arange(20)[:, None] * np.ones((1, 2), dtype=np.uint8), delay=2)
    events = read_events(panel)
    windows = list_past_windows(panel, events, 3, 0.5)
    # Known 15: bins 17, 18 and 19 are the last window; one bin apart; at least half of 20 bins known.
    assert [each.known for each in windows] == [10, 11, 12, 13, 14, 15]
    assert windows[-1].counts.tolist() == [17 + 18 + 19] * 2
    assert windows[0].counts.tolist() == [12 + 13 + 14] * 2
    # Three bins of each window, of which the next begins one later: the bins from 12 to 19 lie in 18 / 8 windows.
    assert find_overlap(windows, 3) == pytest.approx(3.0)
    # An incident that lies in three windows is one.
    once = [replace(each, counts=np.array([10.0, 3.0])) for each in windows]
    assert count_incidents(once, 3) == 26
    assert not tell_enough(once, 3)
    assert tell_enough([replace(each, counts=each.counts * 2) for each in once], 3)
    blind = replace(panel, observed=np.arange(20) != 18)
    assert list_past_windows(blind, events, 3, 0.5)[-1].counts.tolist() == [17 + 19] * 2


def test_a_week_is_learned_from_quarters_where_the_history_is_long_enough() -> None:
    weeks = make_stack(np.ones((208, 2, 2), dtype=np.uint8), bin="1 weeks")
    assert choose_window(weeks, 1) == 13
    assert choose_window(weeks, 26) == 26
    assert choose_window(weeks.cut(40), 1) == 5


def test_columns_are_what_they_say() -> None:
    counts = np.zeros((3, 2), dtype=np.uint8)
    counts[0] = [4, 0]
    counts[2] = [1, 0]
    panel = make_panel(counts, bin="365 days", start="2020-01-01")
    columns = PlaceColumns(panel)
    assert columns.names[:3] == ["here", "here (half-life 365 days)", "here (half-life 90 days)"]
    assert columns.names[3:] == ["within 700 m", "within 1,400 m (half-life 90 days)"]
    found = np.exp(columns.find(3))
    np.testing.assert_allclose(found[0], [5.5, 0.5])
    # Four incidents two half-lives ago, and one now.
    np.testing.assert_allclose(found[1], [4 / 4 + 1 + 0.1, 0.1])
    np.testing.assert_allclose(np.exp(columns.find(2))[1], [4 / 2 + 0.1, 0.1])
    # Surroundings are 700 m of areas 1 km wide, and no less than 122 m.
    assert find_reach(1000.0) == 0.7
    assert find_reach(61.0) == 2.0
    near = np.exp(-1 / (2 * 0.7**2))
    np.testing.assert_allclose(found[3] - 0.01, [5 / (1 + near), 5 * near / (1 + near)], rtol=1e-6)


def test_incidents_choose_as_they_did() -> None:
    # Three of four incidents chose the unit with a column of one: odds of three to one.
    column, starts = np.array([[1.0], [0.0]]), np.array([0])
    none, even = np.zeros(1), np.zeros(2)
    assert fit_choice(column, np.array([3.0, 1.0]), starts, none, none, even)[0] == pytest.approx(np.log(3), rel=1e-4)
    # It is three times as large: its size explains it all.
    large = np.log([3.0, 1.0])
    assert fit_choice(column, np.array([3.0, 1.0]), starts, none, none, large)[0] == pytest.approx(0, abs=1e-4)
    # A pull without end.
    held = fit_choice(column, np.array([3.0, 1.0]), starts, np.array([1e9]), np.array([0.5]), even)
    assert held[0] == pytest.approx(0.5, abs=1e-6)


def test_members_are_weighed_by_how_incidents_chose() -> None:
    # One member says four to one for the first of three units, the other for the second. They had four, two and one:
    # all of the one member and half of the other.
    heights = np.log([[4.0, 1.0, 1.0], [1.0, 4.0, 1.0]])
    given = heights, np.array([400.0, 200.0, 100.0]), np.array([0]), np.zeros(3)
    even = np.array([0.5, 0.5])
    np.testing.assert_allclose(fit_shares(*given, 0.0, even), [2 / 3, 1 / 3], atol=1e-3)
    # Both twice as sure, and as right in their order: the weights are the same.
    np.testing.assert_allclose(fit_shares(2 * heights, *given[1:], 0.0, even), [2 / 3, 1 / 3], atol=1e-3)
    # All chose the first: nothing is for the second member, but for the pull.
    sure = heights, np.array([300.0, 0.0, 0.0]), np.array([0]), np.zeros(3)
    np.testing.assert_allclose(fit_shares(*sure, 0.0, even), [1.0, 0.0], atol=1e-6)
    np.testing.assert_allclose(fit_shares(*sure, 1e7, even), even, atol=1e-3)


def test_levels_bring_heights_to_what_happened() -> None:
    height, even, ranks = np.log([4.0, 2.0, 1.0]), np.ones(3), (1, 2)
    had = np.array([80_000.0, 10_000.0, 5_000.0])
    levels = fit_levels([height], even, [had], ranks)
    np.testing.assert_allclose(expect_shares(height, even, levels, ranks), had / had.sum(), rtol=1e-3)
    # The first is not lowered against the second, for it is the catch: together they have what they had.
    levels = fit_levels([height], even, [had[[1, 0, 2]]], ranks)
    np.testing.assert_allclose(expect_shares(height, even, levels, ranks), np.array([60, 30, 5]) / 95, rtol=1e-3)


def test_levels_never_change_the_order() -> None:
    height, even = np.log([1.0, 4.0, 2.0]), np.ones(3)
    shares = expect_shares(height, even, np.array([0.0, 0.0, 5.0]), (1, 2))
    np.testing.assert_allclose(shares, np.array([2, 4, 2]) / 8)


def test_own_incidents_decide_where_they_are_far_more_than_expected() -> None:
    # One unit had as many as expected, two in ten bins; the other thirty.
    expected, counts = np.array([0.2, 0.2]), np.array([2.0, 30.0])
    own, odds = find_own(expected, counts, 10.0)
    # One incident at the rate expected, in five bins, and its own: (1 + 2) / 15 and (1 + 30) / 15.
    np.testing.assert_allclose(own, [3 / 15, 31 / 15])
    # An exponential rate of mean two gives thirty with a probability of 1/3 (2/3)^30, a Poisson process of it with
    # e^-2 2^30 / 30!.
    poisson, broad = np.exp(-2.0) * 2.0**30 / factorial(30), (2 / 3) ** 30 / 3
    assert odds[1] == pytest.approx(np.log(broad / poisson))
    np.testing.assert_array_equal(mix_own(expected, own, odds, 0.0), expected)
    np.testing.assert_allclose(mix_own(expected, own, odds, 1.0), own)
    mixed = mix_own(expected, own, odds, 1e-3)
    assert mixed[0] == pytest.approx(0.2, rel=1e-3)
    assert mixed[1] == pytest.approx(31 / 15, rel=1e-3)


def test_the_level_is_that_of_the_last_years() -> None:
    panel = make_panel(np.array([[8], [0], [2]], dtype=np.uint8), bin="365 days", start="2020-01-01")
    # Weights of a quarter, a half and one; half an incident more.
    assert find_level(panel, panel.counts.sum(axis=1)) == pytest.approx((2 + 2 + 0.5) / 1.75)


def test_what_the_ensemble_is_made_of() -> None:
    assert CATCH_BASELINE in CATCH_MEMBERS
    assert {DEFAULT_CATCH, *CATCH_MEMBERS} <= set(FORECASTERS)
    for support in ("grid", "areas", "segments"):
        assert list_baselines(support, "catch") == ("constant", "prior_counts", "recent_counts")
    assert {"window", "flagged"} <= set(OWN_PARAMETERS)
    with pytest.raises(ParameterError, match="each once, prior_counts among them"):
        CatchEnsemble(members=["point_kernel"])
    with pytest.raises(ParameterError, match=r"setting flagged is 1\.5"):
        make_forecaster("catch", flagged=1.5)
    # Forecasters that have no use for them are made all the same.
    assert make_forecaster("prior_counts", window=4, flagged=0.1).name == "prior_counts"


def test_weights_of_a_damaged_file_are_refused() -> None:
    city = make_weeks(make_quarter())
    model = CatchEnsemble(window=13, flagged=FLAGGED).fit(city)
    assert model.weights_.sum() == pytest.approx(1.0)
    for key, wrong in (
        ("weights_", model.weights_ / 2),
        ("weights_", model.weights_[:2]),
        ("point_kernel/levels_", np.array([0.0, 99.0, 0.0])),
        ("point_kernel/powers_", np.full(5, np.nan)),
        ("point_kernel/mass_", np.array([2.0, 90.0])),
    ):
        with pytest.raises(Damaged):
            CatchEnsemble(window=13, flagged=FLAGGED).restore({**model.state(), key: wrong})
