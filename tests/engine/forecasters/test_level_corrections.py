"""Corrections of the level: by hand, safe where the past says nothing, and blind for what comes after the origin."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kit.contexts import Recorder
from kit.panels import make_panel

from riskengine.contract.warnings import OTHER, SIMILAR
from riskengine.forecasters.catalogue import make_forecaster
from riskengine.forecasters.levels.cityclock import SLOTS, CityClock
from riskengine.forecasters.levels.exciting import HALF_LIVES
from riskengine.forecasters.levels.loglink import MOST_CORRECTION, compute_losses, correct, fit_weights
from riskengine.forecasters.levels.models import Level
from riskengine.forecasters.levels.pastforecasts import forecast_past
from riskengine.forecasters.levels.recentsums import sum_recent
from riskengine.forecasters.levels.termcolumns import OtherClock, TermColumns
from riskengine.forecasters.modelcard import make_card
from riskengine.forecasters.modelfile import load_model, save_model
from riskengine.ground.errors import DataError
from riskengine.maps.panel import Extras, Panel

CORRECTIONS = ("level_terms", "level_boosting", "level_exciting")
FLAT = CityClock(np.zeros(SLOTS), np.zeros(2), np.zeros(5))


def make_quiet(bins: int = 600, units: int = 6, seed: int = 0, **more: Any) -> Panel:
    """Areas of different rates in which nothing follows from anything, with two further categories."""
    random = np.random.default_rng(seed)
    rates = np.broadcast_to(np.linspace(0.1, 0.4, units), (bins, units))
    channels = random.poisson(np.stack([3 * rates, 5 * rates])).astype(np.uint16)
    extras = Extras(channels=channels, channel_names=(SIMILAR, OTHER))
    return make_panel(random.poisson(rates).astype(np.uint8), bin="1 days", start="2022-01-03", extras=extras, **more)


def make_following(share: float = 0.5, bins: int = 1500, units: int = 6, seed: int = 1) -> Panel:
    """Events of which a share follows others in the same area: each bin by the mean of the last few."""
    random = np.random.default_rng(seed)
    counts, recent = np.zeros((bins, units), dtype=np.uint8), np.full(units, 0.25)
    kept = 0.5 ** (1 / 2.0)
    for number in range(bins):
        counts[number] = random.poisson((1 - share) * 0.25 + share * recent)
        recent = kept * recent + (1 - kept) * counts[number]
    return make_panel(counts, bin="1 days", start="2022-01-03")


def poison(panel: Panel, origin: int) -> Panel:
    """Change all that is counted from bin `origin` on."""
    counts, extras = panel.counts.copy(), panel.extras
    counts[origin:] = 9
    channels, pictures = extras.channels.copy(), extras.pictures.copy()
    channels[:, origin:] = 50
    pictures[origin:] = 99
    return replace(panel, counts=counts, extras=replace(extras, channels=channels, pictures=pictures))


# By hand


def test_recent_sums_halve_every_half_life() -> None:
    counts = np.array([[8], [0], [4], [100]])
    sums = sum_recent(counts, np.array([0, 1, 3]), np.array([1.0, 2.0, np.inf]))
    assert sums[:, :, 0] == pytest.approx(np.array([[0, 0, 0], [8, 8, 8], [6, 8, 12]]))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.floats(0.3, 500.0))
def test_recent_sums_of_many_origins_are_those_of_each(seed: int, bins: int, half_life: float) -> None:
    random = np.random.default_rng(seed)
    counts = random.poisson(2.0, (bins, 3))
    origins = np.unique(random.integers(0, bins + 1, 5))
    sums = sum_recent(counts, origins, np.array([half_life]))
    for number, origin in enumerate(origins):
        weights = 0.5 ** ((origin - 1 - np.arange(origin)) / half_life)
        np.testing.assert_allclose(sums[number, 0], weights @ counts[:origin], rtol=1e-5, atol=1e-6)


def test_a_weight_is_the_logarithm_of_the_ratio_where_nothing_pulls() -> None:
    """Of 1,000 rows 300 with an event where 100 were expected: 1 − e^(−λ e^w) = .3."""
    expected = np.full(1000, -np.log(0.9))
    events = np.r_[np.ones(300), np.zeros(700)].astype(np.uint8)
    columns = np.ones((1000, 1), dtype=np.float32)
    assert fit_weights(columns, expected, events, np.zeros(1)) == pytest.approx(np.log(np.log(0.7) / np.log(0.9)))
    assert abs(fit_weights(columns, expected, events, np.array([1e9]))[0]) < 1e-5


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(-50, 50), min_size=1, max_size=8), st.floats(1e-6, 5))
def test_no_correction_goes_beyond_its_limit(corrections: list[float], expected: float) -> None:
    corrected = correct(np.full(len(corrections), expected), np.array(corrections))
    assert np.all(corrected <= expected * np.exp(MOST_CORRECTION) * (1 + 1e-12))
    assert np.all(corrected >= expected * np.exp(-MOST_CORRECTION) * (1 - 1e-12))


def test_columns_compare_recent_events_with_what_was_expected() -> None:
    """Two areas, four days: A had 3 events on the last one, where 1/2 of all are expected in each."""
    counts = np.array([[0, 1], [1, 0], [0, 0], [3, 0]], dtype=np.uint8)
    panel = make_panel(counts, bin="1 days", start="2024-01-01")
    read = TermColumns(panel, panel.edges, 1, FLAT, (), np.full(4, 2.0))
    (columns,) = read.make([(4, 4 - 1)], np.array([[0.6, 0.6]]))
    names = np.array(read.groups)
    # With a half-life of a day: 3 + 1/4 in A, 1/8 in B; expected are 2 (1 + 1/2 + 1/4 + 1/8), half of it in each.
    city = np.log((3.375 + 3) / (3.75 + 3))
    assert columns[:, names == "city"][:, 0] == pytest.approx([city, city])
    a, b = np.log((3.25 + 1) / (1.875 + 1)), np.log((0.125 + 1) / (1.875 + 1))
    # Units differ from each other, and the sum of all stays.
    assert columns[:, names == "own"][:, 0] == pytest.approx([(a - b) / 2, (b - a) / 2])
    a, b = np.log((0.125 + 3) / (1.875 + 3)), np.log((3.25 + 3) / (1.875 + 3))
    assert columns[:, names == "near"][:, 0] == pytest.approx([(a - b) / 2, (b - a) / 2])


def test_columns_of_units_leave_the_sum_of_all_units() -> None:
    panel = make_quiet(bins=200)
    read = TermColumns(panel, panel.edges, 1, FLAT, [OtherClock(FLAT, 3.0), OtherClock(FLAT, 5.0)], np.full(200, 1.5))
    expected = np.random.default_rng(0).random((5, 6)) + 0.1
    columns = read.make([(origin, origin) for origin in range(195, 200)], expected)
    of_units = np.isin(read.groups, ["places", "own", "near"])
    moved = np.einsum("ij,ijk->ik", expected, columns[..., of_units])
    np.testing.assert_allclose(moved, 0.0, atol=1e-6)
    assert np.abs(columns[..., of_units]).max() > 0.01


# Safe where the past says nothing


@pytest.mark.parametrize("name", CORRECTIONS)
def test_where_nothing_follows_from_anything_the_level_stays(name: str) -> None:
    panel = make_quiet()
    context = Recorder()
    model, level = make_forecaster(name).fit(panel.before(500), context), Level().fit(panel.before(500))
    np.testing.assert_array_equal(model.predict_each(panel, 500), level.predict_each(panel, 500))
    np.testing.assert_array_equal(model.predict_windows(panel, 500, 7), level.predict_windows(panel, 500, 7))
    assert any("prove" in line for line in context.lines)


@pytest.mark.parametrize("name", CORRECTIONS)
def test_too_few_events_are_said(name: str) -> None:
    panel = make_quiet(bins=40, units=2)
    few = replace(panel, counts=panel.counts * (np.arange(40) % 8 == 0)[:, None])
    context = Recorder()
    make_forecaster(name).fit(few, context)
    assert any("too few to learn from: it is Level × calendar × place alone" in line for line in context.lines)


def test_past_forecasts_read_nothing_of_their_fold_or_later() -> None:
    panel = replace(make_quiet(bins=400), delay=2)
    past = forecast_past(Level, panel, 1)
    cut = int(np.flatnonzero(past.fold == 2)[0])
    first = past.ways[cut][1]
    other = forecast_past(Level, poison(panel, first - 2), 1)
    np.testing.assert_array_equal(past.expected[: cut + 1], other.expected[: cut + 1])
    assert not np.array_equal(past.expected[cut + 1 :], other.expected[cut + 1 :])
    assert all(target - origin == 2 for origin, target in past.ways)


# Found where it is there


def test_events_that_follow_others_are_found() -> None:
    panel = make_following()
    model = make_forecaster("level_exciting").fit(panel.before(1200))
    own, near = model.shares_
    assert own.sum() == pytest.approx(0.5, abs=0.15)
    assert HALF_LIVES[int(own.argmax())] == 2.0
    assert near.sum() < own.sum() / 2
    level = Level().fit(panel.before(1200))
    losses = [
        compute_losses(-np.log1p(-each.predict_each(panel, 1200).astype(float)), panel.counts[1200:] > 0).mean()
        for each in (model, level)
    ]
    assert losses[0] < losses[1] - 0.005


@pytest.mark.parametrize("name", ["level_terms", "level_boosting"])
def test_columns_find_what_follows_too(name: str) -> None:
    panel = make_following()
    context = Recorder()
    model, level = make_forecaster(name).fit(panel.before(1200), context), Level().fit(panel.before(1200))
    losses = [
        compute_losses(-np.log1p(-each.predict_each(panel, 1200).astype(float)), panel.counts[1200:] > 0).mean()
        for each in (model, level)
    ]
    assert losses[0] < losses[1] - 0.003
    if name == "level_terms":
        assert any("recent events of each unit" in line for line in context.lines)


def test_hours_that_move_with_the_season_are_found() -> None:
    """In summer nights, in winter days: neither hour nor season alone tells."""
    bins = 4 * 365 * 3
    random = np.random.default_rng(2)
    hour, year = np.arange(bins) % 4 * 6 + 3, 2 * np.pi * np.arange(bins) / 4 / 365.25
    rate = 0.25 * np.exp(0.8 * np.sin(2 * np.pi * hour / 24) * np.cos(year))
    panel = make_panel(random.poisson(rate)[:, None].astype(np.uint8), bin="6 hours", start="2021-01-01")
    context = Recorder()
    first = 4 * 365 * 2 + 400
    model, level = make_forecaster("level_terms").fit(panel.before(first), context), Level().fit(panel.before(first))
    assert any("hours by season" in line for line in context.lines)
    losses = [
        compute_losses(-np.log1p(-each.predict_each(panel, first).astype(float)), panel.counts[first:] > 0).mean()
        for each in (model, level)
    ]
    assert losses[0] < losses[1] - 0.01


# Blind for what comes after


@pytest.mark.parametrize("name", [*CORRECTIONS, "level_ensemble"])
def test_late_counts_are_not_read(name: str) -> None:
    """With a delay of three days nothing of the last three days before a bin changes its forecast."""
    panel = replace(make_quiet(bins=300), delay=3)
    more = {"members": ["level_terms", "level_exciting"]} if name == "level_ensemble" else {}
    if name == "level_ensemble":
        more["member_settings"] = {each: {"proven": False} for each in more["members"]}
    model = make_forecaster(name, proven=False, **more).fit(panel.before(250))
    for origin in (260, 280):
        changed = poison(panel, origin - 3)
        known = [each.before(origin) for each in (panel, changed)]
        np.testing.assert_array_equal(*(model.predict_window(each, 5) for each in known))
        one, other = (model.forecast_known(each, 250)[: origin - 250 + 1] for each in (panel, changed))
        np.testing.assert_array_equal(one, other)
        windows = [model.predict_windows(each.cut(origin + 5), origin, 5) for each in (panel, changed)]
        np.testing.assert_array_equal(*windows)
        np.testing.assert_allclose(windows[0][0], model.predict_window(known[0], 5), rtol=1e-5)
    assert not np.array_equal(model.forecast_known(poison(panel, 280), 295), model.forecast_known(panel, 295))


# Files, and other panels


@pytest.mark.parametrize("name", CORRECTIONS)
def test_a_correction_comes_back_from_a_model_file(name: str, tmp_path: Path) -> None:
    panel = make_quiet(bins=300)
    model = make_forecaster(name, proven=False).fit(panel.before(250))
    save_model(tmp_path / "m.crimemodel", model, make_card(model, panel.before(250), {name: {"log_loss": 0.1}}))
    again, _ = load_model(tmp_path / "m.crimemodel")
    np.testing.assert_array_equal(again.predict_window(panel, 7), model.predict_window(panel, 7))


def test_a_panel_without_the_further_categories_is_refused() -> None:
    panel = make_quiet(bins=300)
    model = make_forecaster("level_terms", proven=False).fit(panel)
    with pytest.raises(DataError, match="fitted with 2 further categories, the panel has 0"):
        model.predict(replace(panel, extras=Extras()))


# The ensemble of levels


def test_the_ensemble_is_the_level_where_nothing_else_is_proven() -> None:
    panel = make_quiet()
    model = make_forecaster("level_ensemble").fit(panel.before(500))
    assert model.weights_.tolist() == [1.0, 0.0, 0.0, 0.0]
    level = Level().fit(panel.before(500))
    np.testing.assert_allclose(model.predict_window(panel, 7), level.predict_window(panel, 7), rtol=1e-6)


def test_the_ensemble_lies_between_its_members() -> None:
    panel = make_following()
    model = make_forecaster("level_ensemble", members=["level", "level_exciting"]).fit(panel.before(1200))
    assert model.weights_[1] > 0.3
    assert model.weights_.sum() == pytest.approx(1.0)
    pooled = model.predict_windows(panel, 1200, 3)
    members = [each.predict_windows(panel, 1200, 3) for each in model.members_.values()]
    assert np.all(pooled >= np.min(members, axis=0) * (1 - 1e-5))
    assert np.all(pooled <= np.max(members, axis=0) * (1 + 1e-5))
    np.testing.assert_allclose(pooled[0], model.predict_window(panel.before(1200), 3), rtol=1e-5)


@pytest.mark.parametrize("name", ["level_terms", "level_boosting"])
def test_counts_that_make_other_columns_are_refused_in_a_sentence(name: str) -> None:
    panel = make_following()
    model = make_forecaster(name, proven=False).fit(panel.before(900))
    weeks = make_panel(panel.counts[:600], bin="7 days", start="2022-01-03")
    with pytest.raises(DataError, match=r"has learned from \d+ columns, and of these counts there are \d+"):
        model.predict(weeks)
