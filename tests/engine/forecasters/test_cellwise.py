"""Regression and trees per cell: their columns by their definition, what they find, and that no code is in a model."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from kit.maps import make_stack
from scipy.ndimage import gaussian_filter

from riskengine.forecasters import cellwise, trees
from riskengine.forecasters.baselines import PriorCounts
from riskengine.forecasters.cell_features import SHRINKAGE, CellFeatures, read_slot
from riskengine.forecasters.cellwise import Boosting, Logistic
from riskengine.forecasters.trees import Trees, fit_trees
from riskengine.ground.context import JobContext
from riskengine.ground.errors import DataError
from riskengine.maps.heatmaps import Heatmaps
from riskengine.maps.panel import Extras
from riskengine.measures.metrics import log_loss

MONDAY = np.datetime64("2023-01-02")


def contagious(maps: int = 420, size: int = 8) -> Heatmaps:
    """Weekends are three times as busy, and what happens spreads to the four cells around it for a day."""
    random = np.random.default_rng(2)
    base = 0.05 + 0.1 * random.random((size, size))
    counts = np.zeros((maps, size, size), dtype=np.uint8)
    near = np.zeros((size, size))
    for day in range(maps):
        rate = base * (3 if day % 7 >= 5 else 1) + 0.12 * near
        counts[day] = random.poisson(rate)
        wide = np.pad(counts[day].astype(float), 1)
        near = wide[:-2, 1:-1] + wide[2:, 1:-1] + wide[1:-1, :-2] + wide[1:-1, 2:]
    return make_stack(counts)


@pytest.fixture(scope="module")
def city() -> Heatmaps:
    return contagious()


def loss(risk: np.ndarray, heatmaps: Heatmaps, first: int) -> float:
    return log_loss(risk, heatmaps.counts[first:] > 0)


def table_of(heatmaps: Heatmaps, until: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
    state = CellFeatures(heatmaps, len(heatmaps.extras.channel_names))
    for number in range(until):
        seen = heatmaps.counts[number] if heatmaps.observed[number] else None
        state.update(heatmaps.edges[number], seen, [each[number] for each in heatmaps.extras.channels])
    columns, rate = state.columns(heatmaps.edges[until])
    return dict(zip(state.names, columns.T, strict=True)), rate


def test_columns_are_what_their_names_say() -> None:
    random = np.random.default_rng(0)
    mask = random.random((7, 9)) < 0.8
    counts = random.poisson(0.6, (60, 7, 9)).astype(np.uint8)
    observed = np.ones(60, dtype=bool)
    observed[[3, 40]] = False
    table, rate = table_of(make_stack(counts, mask=mask, observed=observed), 59)
    seen = np.where(mask, counts, 0.0)[:59][observed[:59]]

    def near(layer: np.ndarray, sigma: float) -> np.ndarray:
        smooth = [gaussian_filter(each, sigma, mode="constant", truncate=3.0) for each in (layer, mask.astype(float))]
        return smooth[0][mask] / smooth[1][mask]

    area = (seen.sum() + 0.5) / (len(seen) * mask.sum())
    mean = {s: (near(seen.sum(axis=0), s) + SHRINKAGE * area) / (len(seen) + SHRINKAGE) for s in (1e-9, 0.7, 1.5)}
    base = 0.75 * mean[1e-9] + 0.25 * mean[0.7]
    assert table["long-run rate"] == pytest.approx(np.log(base), abs=1e-5)
    assert table["mean, smoothed 0"] == pytest.approx(np.log(mean[1e-9] / base), abs=1e-5)
    assert table["mean, smoothed 1.5"] == pytest.approx(np.log(mean[1.5] / base), abs=1e-5)
    weights = 0.5 ** (np.arange(len(seen))[::-1] / 7)
    recent = near(np.tensordot(weights, seen, axes=1) / weights.sum(), 2.5)
    assert table["half-life 7 d, smoothed 2.5"] == pytest.approx(np.log(0.85 * recent / base + 0.15), abs=1e-5)
    # Map 59 is a Thursday's, as map 3 that was not observed: 7 of them were, 10, 17, …, 52.
    thursdays = np.where(mask, counts, 0.0)[10:59:7].sum(axis=0)
    city = (thursdays.sum() + 5) / (7 * area * mask.sum() + 5)
    assert table["this time of week"] == pytest.approx(np.full(mask.sum(), np.log(city)), abs=1e-5)
    assert table["this time of week here"] == pytest.approx(
        np.log((near(thursdays, 1.0) + 5) / (7 * base * city + 5)), abs=1e-5
    )
    assert rate == pytest.approx(base * city)
    sums = np.where(observed[:59], np.where(mask, counts, 0.0)[:59].sum(axis=(1, 2)), np.nan)
    level = [np.nanmean(sums[-days:]) for days in (7, 28)]
    year = seen.sum(axis=(1, 2)).mean()
    for days, value in zip((7, 28), level, strict=True):
        assert table[f"recent trend, {days} d"][0] == pytest.approx(np.log((value + 0.01) / (year + 0.01)), abs=1e-5)
    assert not table["a year ago"].any()


def test_a_year_ago_is_this_season_of_last_year() -> None:
    counts = np.ones((420, 2, 2), dtype=np.uint8)
    counts[50:90] = 3
    table, _ = table_of(make_stack(counts), 419)
    # Map 54 lies a year before map 419; the maps 40 to 68 around it, and all 379 that followed.
    season = (10 * 4 + 19 * 12) / 29
    around = ((419 - 40) * 4 + 40 * 8) / (419 - 40)
    assert table["a year ago"][0] == pytest.approx(np.log((season + 0.01) / (around + 0.01)), abs=1e-5)


def test_before_the_first_map_nothing_is_known() -> None:
    table, rate = table_of(make_stack(np.ones((3, 4, 4), dtype=np.uint8)), 0)
    assert all(np.isfinite(column).all() for column in table.values())
    assert np.ptp(rate) == 0


def test_times_of_the_week() -> None:
    assert [read_slot(MONDAY + np.timedelta64(day, "D"), 7) for day in (0, 6, 7)] == [0, 6, 0]
    assert read_slot(np.datetime64("2023-01-03T05:30"), 168) == 29
    assert read_slot(np.datetime64("1969-12-28T23"), 168) == 167
    assert read_slot(MONDAY, 1) == 0


def test_regression_and_trees_find_weekday_and_neighbours(city: Heatmaps) -> None:
    first = 350
    events = city.counts[first:] > 0
    prior = loss(PriorCounts().predict_each(city, first), city, first)
    for model in (Logistic(), Boosting(trees=60)):
        risk = model.fit(city.before(first)).predict_each(city, first)
        assert loss(risk, city, first) < prior - 0.01
        # The weekend's share of events, and that of the cells beside yesterday's incidents.
        weekend = np.arange(first, len(city)) % 7 >= 5
        for part in (weekend, ~weekend):
            assert risk[part].mean() == pytest.approx(events[part].mean(), rel=0.15)
        wide = np.pad(city.counts[first - 1 : -1].astype(int), ((0, 0), (1, 1), (1, 1)))
        near = wide[:, :-2, 1:-1] + wide[:, 2:, 1:-1] + wide[:, 1:-1, :-2] + wide[:, 1:-1, 2:]
        assert risk[near >= 2].mean() > 1.25 * risk[near == 0].mean()


def test_with_nothing_to_find_the_forecast_stays_the_long_run_mean() -> None:
    random = np.random.default_rng(8)
    rates = random.gamma(0.6, 0.3, (8, 8))
    dull = make_stack(random.poisson(rates, (300, 8, 8)).astype(np.uint8))
    prior = loss(PriorCounts().predict_each(dull, 240), dull, 240)
    for model in (Logistic(), Boosting(trees=60)):
        assert loss(model.fit(dull.before(240)).predict_each(dull, 240), dull, 240) < prior + 0.002


def test_steps_ahead_follow_the_weekday(city: Heatmaps) -> None:
    history = city.before(350)
    week = Logistic().fit(history).predict(history, steps=7).mean(axis=(1, 2))
    assert sorted(np.argsort(week)[-2:]) == [5, 6]
    seen = (city.counts > 0).mean(axis=(1, 2))
    shares = [seen[day::7].mean() for day in range(7)]
    assert week == pytest.approx(shares, rel=0.25)


def with_channel(maps: int = 300) -> Heatmaps:
    """Another category keeps flaring up somewhere for a month, and this one with it."""
    random = np.random.default_rng(6)
    flares = np.repeat(random.random((maps // 30 + 1, 6, 6)) < 0.2, 30, axis=0)[:maps]
    other = random.poisson(0.05 + 4.0 * flares).astype(np.uint8)
    counts = random.poisson(0.03 + 0.3 * flares).astype(np.uint8)
    layer = random.normal(size=(1, 6, 6)).astype(np.float32)
    return make_stack(counts, extras=Extras(layer, ("distance",), other[None], ("other",)))


def test_other_categories_are_read() -> None:
    heatmaps, first = with_channel(), 240
    alone = replace(heatmaps, extras=Extras())
    read, unread = (Logistic().fit(each.before(first)).predict_each(each, first) for each in (heatmaps, alone))
    assert loss(read, heatmaps, first) < loss(unread, heatmaps, first) - 0.003


def test_steps_ahead_hold_the_level_of_other_categories() -> None:
    heatmaps = with_channel()
    table, _ = table_of(heatmaps, 299)
    state = CellFeatures(heatmaps, 1)
    for number in range(299):
        state.update(heatmaps.edges[number], heatmaps.counts[number], [heatmaps.extras.channels[0, number]])
    state.update(heatmaps.edges[299], np.full((6, 6), 0.1))
    after = dict(zip(state.names, state.columns(heatmaps.edges[299])[0].T, strict=True))
    for name in ("channel 0, 3 d", "channel 0, 14 d", "channel 0, 90 d"):
        assert np.array_equal(after[name], table[name])
        assert table[name].max() > 0
    assert np.array_equal(after["distance"], heatmaps.extras.static[0].ravel())


def test_a_model_with_further_layers_asks_for_them() -> None:
    heatmaps = with_channel()
    model = Logistic().fit(heatmaps)
    with pytest.raises(DataError, match="fitted with"):
        model.predict(replace(heatmaps, extras=Extras()))


def test_a_thinned_history_keeps_every_weekday(city: Heatmaps, monkeypatch: pytest.MonkeyPatch) -> None:
    # A seventh of the maps would fit: an eighth is taken, or all targets were of one weekday.
    monkeypatch.setattr(cellwise, "MOST_ROWS", 315 * 64 // 7)
    model = Logistic().fit(city)
    risk = model.predict(city, steps=7).mean(axis=(1, 2))
    assert sorted(np.argsort(risk)[-2:]) == [5, 6]


def grown(monkeypatch: pytest.MonkeyPatch, rows: int = 6000) -> tuple[Trees, list[Any], np.ndarray]:
    """Our trees, scikit-learn's models that they came from, and their table."""
    made = []

    class Kept(trees.HistGradientBoostingRegressor):  # type: ignore[misc]
        def __init__(self, **settings: Any) -> None:
            super().__init__(**settings)
            made.append(self)

    monkeypatch.setattr(trees, "HistGradientBoostingRegressor", Kept)
    random = np.random.default_rng(1)
    # Thirds have no exact float32.
    table = (random.integers(-30, 30, (rows, 4)) / 3).astype(np.float32)
    table[:, 3] = random.normal(size=rows)
    known = 0.3 * table[:, 0].astype(float) - 1.5
    true = known + np.where(table[:, 1] > 2, 1.5, 0)
    events = (random.random(rows) < 1 / (1 + np.exp(-true))).astype(np.uint8)
    ours = fit_trees(table, known, events, int(rows * 0.8), 60, 4, 0.1, 7, JobContext())
    rounds = len(ours.roots) // trees.ROUND
    return ours, made[-rounds:], table


def test_trees_as_arrays_forecast_what_scikit_learn_does(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs, table = grown(monkeypatch)
    assert len(ours.roots) >= 2 * trees.ROUND
    levels = trees.assign_levels(table, trees.choose_level_edges(table))
    expected = np.sum([model.predict(levels) for model in theirs], axis=0)
    np.testing.assert_allclose(ours(table), expected, rtol=0, atol=1e-6)
    np.testing.assert_array_equal(Trees.restore(ours.state(), table.shape[1])(table), ours(table))
    # One row at a time gives the same.
    np.testing.assert_array_equal([ours(table[row : row + 1])[0] for row in range(20)], ours(table[:20]))


def test_trees_correct_the_logits_they_are_given(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, _, table = grown(monkeypatch)
    correction = ours(table)
    above = table[:, 1] > 2
    assert correction[above].mean() == pytest.approx(1.5, abs=0.35)
    assert correction[~above].mean() == pytest.approx(0.0, abs=0.25)


def test_where_trees_gain_nothing_there_are_none() -> None:
    random = np.random.default_rng(3)
    table = random.normal(size=(4000, 3)).astype(np.float32)
    logits = table[:, 0].astype(float) - 2
    events = (random.random(4000) < 1 / (1 + np.exp(-logits))).astype(np.uint8)
    nothing = fit_trees(table, logits, events, 3200, 40, 8, 0.1, 0, JobContext())
    assert len(nothing.roots) == 0
    assert not nothing(table).any()
    assert len(Trees.restore(nothing.state(), table.shape[1]).roots) == 0


def test_trees_that_do_not_hang_together_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    state = grown(monkeypatch)[0].state()
    for name, value in (("trees_left", 0), ("trees_right", 10**6), ("trees_roots", 10**6)):
        damaged = {key: np.array(array) for key, array in state.items()}
        damaged[name][0] = value
        with pytest.raises(ValueError, match=f"{name}.* leads"):
            Trees.restore(damaged, 10**6)


@pytest.mark.parametrize("model", [Logistic(), Boosting(trees=3)])
def test_maps_without_observation_take_no_part_in_the_warm_up(model: cellwise.Cellwise) -> None:
    """100 maps of which the first 20 were observed: a warm-up of a quarter of all maps left nothing to learn from."""
    random = np.random.default_rng(0)
    counts = random.poisson(0.5, (100, 4, 5)).astype(np.uint8)
    observed = np.arange(100) < 20
    fitted = model.fit(make_stack(counts, observed=observed))
    assert np.isfinite(fitted.weights_).all()
    assert np.isfinite(fitted.predict(make_stack(counts, observed=observed), 2)).all()


def test_a_warm_up_of_the_whole_history_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cellwise, "_WARM_SHARE", 1.0)
    counts = np.random.default_rng(0).poisson(0.5, (30, 4, 5)).astype(np.uint8)
    with pytest.raises(DataError, match="30 observed maps: none is left to learn from after the 30"):
        Logistic().fit(make_stack(counts))


def test_a_thinned_table_always_has_a_map(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every second map observed, every second map a target: none would be both, counted from the end of the stack."""
    monkeypatch.setattr(cellwise, "MOST_ROWS", 300)
    counts = np.random.default_rng(0).poisson(0.5, (60, 4, 5)).astype(np.uint8)
    fitted = Logistic().fit(make_stack(counts, observed=np.arange(60) % 2 == 0))
    assert np.isfinite(fitted.weights_).all()
