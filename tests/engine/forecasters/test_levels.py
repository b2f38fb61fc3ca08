"""Level × calendar × place: by hand, and what must not change a forecast."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kit.maps import make_edges
from kit.panels import make_panel
from sklearn.linear_model import PoissonRegressor

from riskengine.contract.warnings import OTHER, SIMILAR
from riskengine.forecasters.catalogue import make_forecaster
from riskengine.forecasters.levels.base import LevelForecaster
from riskengine.forecasters.levels.cityclock import fit_clock, measure_holidays
from riskengine.forecasters.levels.models import Calendar, CalendarReset, Clock, Level
from riskengine.forecasters.levels.places import compute_shares, weigh_similar
from riskengine.ground.errors import ParameterError
from riskengine.maps.panel import Extras, Panel

NAMES = ("clock", "calendar", "calendar_reset", "level")
#: Of a ridge that is solved again.
CLOSE = {"rtol": 1e-5}


def make_city(
    bins: int = 200, units: int = 4, seed: int = 0, bin: str = "12 hours", rate: float = 0.4, **more: object
) -> Panel:
    """Areas of different rates, busier in every second bin, with a channel of similar categories and another one."""
    random = np.random.default_rng(seed)
    rates = rate * np.linspace(0.5, 1.5, units) * (1 + np.arange(bins) % 2)[:, None]
    channels = random.poisson(np.stack([4 * rates, 9 * rates])).astype(np.uint16)
    extras = Extras(channels=channels, channel_names=(SIMILAR, OTHER))
    return make_panel(random.poisson(rates).astype(np.uint8), bin=bin, start="2024-03-04", extras=extras, **more)


def fit(name: str, panel: Panel, **more: object) -> LevelForecaster:
    model = make_forecaster(name, **more).fit(panel)
    assert isinstance(model, LevelForecaster)
    return model


# Values by hand


def test_the_level_of_two_events_by_hand() -> None:
    """Half an event a week; with a half-life of a week 1 + 1/4 events against 1/2 (1 + 1/2 + 1/4 + 1/8) expected."""
    panel = make_panel(np.array([[0], [1], [0], [1]], dtype=np.uint8), bin="1 weeks", start="2024-03-04")
    model = fit("level", panel, half_life=7.0)
    assert model.usual_ == pytest.approx(2 / 28)
    level = (1.25 + 1) / (0.9375 + 1)
    assert model.explain(panel).level == pytest.approx([level])
    assert model.predict_window(panel)[0] == pytest.approx(0.5 * level)
    assert model.predict(panel)[0, 0] == pytest.approx(1 - np.exp(-0.5 * level))
    # Three weeks as one window, from the same level.
    assert model.predict_window(panel, 3)[0] == pytest.approx(1.5 * level)


def test_a_fixed_level_stays_that_of_the_history_learned_from() -> None:
    panel = make_panel(np.array([[0], [1], [0], [1], [9], [9]], dtype=np.uint8), bin="1 weeks", start="2024-03-04")
    model = fit("calendar", panel.cut(4))
    assert model.predict_window(panel)[0] == pytest.approx(0.5)
    # The clock's is that of all history that it is shown.
    clock = fit("clock", panel.cut(4))
    assert clock.predict_window(panel)[0] == pytest.approx(0.5 * (20 + 1) / (3 + 1))


def test_a_level_that_is_reset_reads_the_year_before_the_quarter() -> None:
    """Of 27 months one event each, then two each: February 2026 is forecast at the level of 2025, as January is."""
    counts = np.r_[np.ones(24), [2, 2, 2]].astype(np.uint8)[:, None]
    panel = make_panel(counts, bin="1 months", start="2024-01")
    model = fit("calendar_reset", panel.cut(24))
    levels = [model.explain(panel.cut(months)).level[0] for months in (24, 25, 26)]
    assert levels == pytest.approx([1, 1, 1], rel=0.02)
    # April is in the next quarter: nine months of one event, and three of two.
    assert model.explain(panel).level[0] == pytest.approx((15 + 1) / (12 + 1), rel=0.02)


def test_shares_of_places_by_hand() -> None:
    weights = weigh_similar(np.array([10.0, 0.0]))
    assert weights == pytest.approx([10.5 / 11, 0.5 / 11])
    assert compute_shares(np.array([3.0, 1.0]), weights, 4) == pytest.approx([(3 + 42 / 11) / 8, (1 + 2 / 11) / 8])
    assert weigh_similar(np.zeros(4)) == pytest.approx([0.25] * 4)


def test_places_are_counted_up_to_what_is_known_and_no_further() -> None:
    """Two weeks are known of four: A has 3 of 4 events, and 10 of 10 similar ones."""
    counts = np.array([[2, 0], [1, 1], [0, 50], [0, 50]], dtype=np.uint8)
    similar = np.array([[4, 0], [6, 0], [0, 90], [0, 90]], dtype=np.uint8)
    extras = Extras(channels=similar[None], channel_names=(SIMILAR,))
    panel = make_panel(counts, bin="1 weeks", start="2024-03-04", extras=extras, delay=1)
    model = fit("calendar", panel, shrinkage=4.0)
    place = model.explain(panel.before(3)).place
    assert place == pytest.approx([(3 + 42 / 11) / 8, (1 + 2 / 11) / 8])
    assert model.explain(panel.before(0)).place == pytest.approx([0.5, 0.5])


def test_the_clock_is_the_regression_that_it_says() -> None:
    """Six-hour bins over three years: the same factors as of a regression on columns made in another way."""
    panel = make_city(3 * 365 * 4, 1, bin="6 hours")
    starts, middles = panel.edges[:-1], panel.edges[:-1] + np.timedelta64(3, "h")
    hour = (starts - starts.astype("datetime64[D]")).astype("timedelta64[h]").astype(int)
    weekday = (starts.astype("datetime64[D]").astype(int) + 3) % 7
    columns = [hour == each for each in (0, 6, 12, 18)] + [weekday == each for each in range(7)]
    columns += [(hour == one) & (weekday == other) for one in (0, 6, 12, 18) for other in range(7)]
    date = np.array([str(day)[5:] for day in starts.astype("datetime64[D]")])
    columns += [np.isin(date, ["12-25", "01-01"]), np.isin(date, ["12-24", "12-31"])]
    year = 2 * np.pi * (middles - np.datetime64("1970-01-01")).astype("timedelta64[h]").astype(int) / 24 / 365.25
    columns += [np.sin(year), np.cos(year), np.sin(2 * year), np.cos(2 * year)]
    table, counts = np.column_stack(columns).astype(float), panel.counts[:, 0]
    model = PoissonRegressor(alpha=2e-3, solver="newton-cholesky", tol=1e-8).fit(table, counts)
    expected = model.predict(table)
    clock, usual = fit_clock(panel.edges, counts.astype(float), panel.observed, calendar=True)
    of_hour, of_season = clock.compute(panel.edges)
    np.testing.assert_allclose(usual / 4 * of_hour * of_season, expected, rtol=1e-6)
    assert (of_hour * of_season).mean() == pytest.approx(1)
    assert of_season.mean() == pytest.approx(1)
    assert np.ptp(of_season) > 0


def test_a_season_takes_two_years_and_bins_of_a_week_have_no_weekday() -> None:
    for days, known in ((730, False), (731, True)):
        edges = make_edges(days, "1 days", "2021-03-01")
        counts = np.random.default_rng(1).poisson(3, days).astype(float)
        clock, _ = fit_clock(edges, counts, np.ones(days, bool), calendar=True)
        assert bool(clock.season[1:].any()) is known
    weeks = make_edges(60, "1 weeks", "2024-01-03")
    counts = np.random.default_rng(1).poisson(3, 60).astype(float)
    clock, usual = fit_clock(weeks, counts, np.ones(60, bool), calendar=False)
    assert usual == pytest.approx(counts.mean() / 7)
    np.testing.assert_allclose(np.exp(clock.slots), 1)


def test_holidays_count_by_their_share_of_a_bin() -> None:
    days = np.array(["2023-12-23T06", "2023-12-24T06", "2023-12-25T06", "2023-12-26T06"], dtype="datetime64[s]")
    assert measure_holidays(days).tolist() == [[0, 0.25], [0.25, 0.75], [0.75, 0]]
    week = np.array(["2023-12-25", "2024-01-01", "2024-01-08"], dtype="datetime64[s]")
    np.testing.assert_allclose(measure_holidays(week), [[1 / 7, 1 / 7], [1 / 7, 0]])


def test_a_longer_month_has_more_events() -> None:
    panel = make_panel(np.full((14, 1), 6, dtype=np.uint8), bin="1 months", start="2023-01")
    model = fit("level", panel.cut(13))
    february, march = model.explain(panel.cut(13), 2).days
    assert (february, march) == (29, 31)
    ahead = -np.log1p(-model.predict(panel.cut(13), 2)[:, 0].astype(float))
    assert ahead[1] / ahead[0] == pytest.approx(31 / 29, rel=1e-3)


# What is learned


def test_similar_categories_count_for_much_where_events_follow_them_and_little_where_not() -> None:
    random = np.random.default_rng(4)
    rates = random.gamma(0.5, 0.2, 60)
    channels = {name: random.poisson(40 * each, (150, 60)) for name, each in (("same", rates), ("other", rates[::-1]))}
    chosen = {}
    for name, channel in channels.items():
        extras = Extras(channels=channel[None].astype(np.uint16), channel_names=(SIMILAR,))
        counts = np.random.default_rng(5).poisson(rates, (150, 60)).astype(np.uint8)
        chosen[name] = fit("level", make_panel(counts, [str(n) for n in range(60)], extras=extras)).shrinkage_
    assert chosen["same"] > 1000
    assert chosen["other"] < 50


def test_the_weight_of_similar_categories_is_the_one_that_was_given() -> None:
    assert fit("level", make_city(), shrinkage=7).shrinkage_ == 7
    # Of a single area nothing can be learned of places.
    assert fit("level", make_city(units=1)).shrinkage_ == 100


def test_who_follows_the_level_forecasts_better_after_a_jump_and_no_worse_without() -> None:
    losses = {}
    for factor in (1.0, 2.0):
        before, after = make_city(800, rate=0.1), make_city(400, seed=1, rate=0.1 * factor)
        panel = replace(
            before,
            counts=np.concatenate([before.counts, after.counts]),
            edges=make_edges(1200, "12 hours", "2023-01-02"),
            observed=np.ones(1200, dtype=bool),
            extras=Extras(),
        )
        for name in ("calendar", "level"):
            risk = fit(name, panel.before(800)).forecast_known(panel, 800)
            hit = panel.counts[800:] > 0
            losses[name, factor] = -np.log(np.where(hit, risk, 1 - risk)).mean()
    assert losses["level", 2.0] < losses["calendar", 2.0] - 0.01
    assert abs(losses["level", 1.0] - losses["calendar", 1.0]) < 0.003


# What must hold of every panel


@given(
    seed=st.integers(0, 50),
    units=st.integers(1, 6),
    delay=st.integers(0, 5),
    bin=st.sampled_from(["2 hours", "24 hours", "168 hours", "1 months"]),
    name=st.sampled_from(NAMES),
)
@settings(max_examples=40, deadline=None)
def test_places_share_out_what_the_city_expects(seed: int, units: int, delay: int, bin: str, name: str) -> None:
    panel = make_city(80, units, seed, bin, delay=delay)
    whole = replace(
        make_panel(panel.counts.sum(axis=1, keepdims=True, dtype=np.uint16), bin=bin, start="2024-03-04"), delay=delay
    )
    ways = [(max(target - delay, 0), target) for target in range(60, 80)]
    each, city = (fit(name, one.before(60)).compute_intensity(one, one.edges, ways) for one in (panel, whole))
    assert each.shape == (20, units)
    np.testing.assert_allclose(each.sum(axis=1), city[:, 0], **CLOSE)
    assert each.min() > 0


@given(seed=st.integers(0, 50), delay=st.integers(0, 5), name=st.sampled_from(NAMES), data=st.data())
@settings(max_examples=25, deadline=None)
def test_nothing_after_the_origin_changes_a_forecast(seed: int, delay: int, name: str, data: st.DataObject) -> None:
    panel = make_city(120, 3, seed, delay=delay)
    model = fit(name, panel.before(90))
    origin = data.draw(st.integers(91, 119))
    counts, channels = panel.counts.copy(), panel.extras.channels.copy()
    counts[origin - delay :] += 5
    channels[:, origin - delay :] += 5
    changed = replace(panel, counts=counts, extras=replace(panel.extras, channels=channels))
    one, other = (model.forecast_known(each, 90) for each in (panel, changed))
    np.testing.assert_array_equal(one[: origin - 90 + 1], other[: origin - 90 + 1])
    windows = [model.predict_windows(each, 90, 4) for each in (panel, changed)]
    known = (origin - 90) // 4 + 1
    np.testing.assert_array_equal(*(each[:known] for each in windows))
    np.testing.assert_array_equal(*(model.predict_window(each.before(origin), 3) for each in (panel, changed)))


@given(seed=st.integers(0, 50), name=st.sampled_from(NAMES), order=st.permutations(range(5)))
@settings(max_examples=20, deadline=None)
def test_units_that_change_places_take_their_forecasts_along(seed: int, name: str, order: list[int]) -> None:
    panel = make_city(100, 5, seed)
    moved = panel.take(np.array(order))
    one, other = (fit(name, each.before(80)).forecast_known(each, 80) for each in (panel, moved))
    np.testing.assert_allclose(other, one[:, order], **CLOSE)


@pytest.mark.parametrize("name", [*NAMES, "prior_counts"])
@pytest.mark.parametrize(("delay", "length", "threshold"), [(0, 1, 1), (0, 3, 1), (5, 4, 1), (2, 3, 2)])
def test_many_windows_are_those_of_each_origin(name: str, delay: int, length: int, threshold: int) -> None:
    panel = make_city(100, 3, delay=delay)
    model = make_forecaster(name, threshold=threshold).fit(panel.before(80))
    windows = model.predict_windows(panel, 80, length)
    assert len(windows) == 20 // length
    for number, window in enumerate(windows):
        alone = model.predict_window(panel.before(80 + number * length), length)
        np.testing.assert_allclose(window, alone, **CLOSE)


@pytest.mark.parametrize("name", NAMES)
def test_parts_of_the_number_multiply_to_it(name: str) -> None:
    panel = make_city(120, 3)
    model = fit(name, panel.before(100))
    parts = model.explain(panel.before(100), 6)
    assert parts.place.sum() == pytest.approx(1)
    expected = parts.usual * (parts.days * parts.level * parts.hour * parts.season)[:, None] * parts.place
    risk = model.predict(panel.before(100), 6)
    np.testing.assert_allclose(risk, 1 - np.exp(-expected), **CLOSE)
    np.testing.assert_allclose(model.predict_window(panel.before(100), 6), expected.sum(axis=0), **CLOSE)
    # Bins that are over and not known yet are no part of a window.
    late = replace(panel, delay=2).before(102)
    np.testing.assert_allclose(model.predict_window(late, 4), expected[2:].sum(axis=0), **CLOSE)


@pytest.mark.parametrize("name", ["calendar", "calendar_reset", "level"])
def test_similar_categories_are_read_where_they_were_observed_and_others_never(name: str) -> None:
    panel = make_city()
    observed = np.arange(200) % 7 > 0
    panel = replace(panel, observed=observed)
    risk = fit(name, panel.before(180)).predict(panel)

    def change(channel: int, which: np.ndarray) -> np.ndarray:
        channels = panel.extras.channels.copy()
        channels[channel, which, 0] += 99
        other = replace(panel, extras=replace(panel.extras, channels=channels))
        return fit(name, other.before(180)).predict(other)

    np.testing.assert_array_equal(change(1, observed), risk)
    np.testing.assert_array_equal(change(0, ~observed), risk)
    assert change(0, observed)[0, 0] > risk[0, 0]


@pytest.mark.parametrize("name", NAMES)
def test_marks_and_quiet_units_have_probabilities_of_their_own(name: str) -> None:
    """Of a unit with an event in every bin, and one that never had any; half a year, binary or at least two events."""
    counts = np.zeros((180, 3), dtype=np.uint8)
    counts[:, 0], counts[::6, 1] = 2, 3
    for panel, threshold in (
        (make_panel(np.minimum(counts, 1), bin="1 days", binary=True), 1),
        (make_panel(counts, bin="1 days"), 2),
    ):
        model = fit(name, panel, threshold=threshold)
        risk = model.predict(panel)[0]
        if name == "clock":
            assert np.ptp(risk) == 0
            continue
        assert 0.9 < risk[0] < 1
        assert 0.1 < risk[1] < 0.25
        assert 0 < risk[2] < 0.05
        assert np.isfinite(model.predict_window(panel, 7)).all()


def test_a_threshold_that_was_never_reached_leaves_something_possible() -> None:
    panel = make_panel(np.ones((60, 2), dtype=np.uint8), bin="1 days")
    risk = fit("level", panel, threshold=5).predict(panel)
    assert (risk > 0).all()
    assert (risk < 0.02).all()


def test_weeks_that_begin_on_a_wednesday_and_days_at_six() -> None:
    for bin, start in (("168 hours", "2023-01-04T00"), ("24 hours", "2023-01-02T06")):
        panel = make_city(150, 3, bin=bin)
        panel = replace(panel, edges=np.datetime64(start, "s") + (panel.edges - panel.edges[0]))
        risk = fit("level", panel.before(120)).forecast_known(panel, 120)
        hit = panel.counts[120:] > 0
        assert risk.mean() == pytest.approx(hit.mean(), abs=0.1)


@pytest.mark.parametrize("cls", [Calendar, CalendarReset, Level])
def test_no_weight_of_nothing(cls: type[LevelForecaster]) -> None:
    with pytest.raises(ParameterError, match="shrinkage is 0"):
        cls(shrinkage=0)


def test_a_half_life_of_nothing_is_refused_and_a_clock_has_no_places() -> None:
    with pytest.raises(ParameterError, match="half_life is 0"):
        Level(half_life=0)
    assert Clock().settings() == {"threshold": 1}
