"""What every forecaster of the catalogue promises, whatever it is made of."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from riskengine.contract.forecasters import BASELINES, DEFAULT, FORECASTERS
from riskengine.forecasters.base import Forecaster, Maps
from riskengine.forecasters.catalogue import forecaster_class, make
from riskengine.ground.context import JobContext
from riskengine.ground.errors import Cancelled, DataError, ParameterError
from riskengine.maps.grid import Grid
from riskengine.maps.heatmaps import Extras, Heatmaps
from riskengine.measures.metrics import auc

NAMES = list(FORECASTERS)
PLAIN = [name for name, entry in FORECASTERS.items() if not entry.network]
MAPS, FIRST = 72, 60


def city(bin_length: str = "1 days", maps: int = MAPS, binary: bool = False) -> Heatmaps:
    """Busy and quiet cells, one of them outside, days without observation, a static layer and another category."""
    random = np.random.default_rng(11)
    rates = random.gamma(0.7, 0.6, (5, 6))
    counts = random.poisson(rates, (maps, 5, 6)).astype(np.uint8)
    mask = np.ones((5, 6), dtype=bool)
    mask[0, 0] = mask[3, 2] = False
    observed = np.ones(maps, dtype=bool)
    observed[[0, 9, 30, FIRST - 1, FIRST + 3]] = False
    number, unit = bin_length.split()
    code = {"hours": "h", "days": "D", "weeks": "D", "months": "M"}[unit]
    step = int(number) * (7 if unit == "weeks" else 1)
    edges = (np.datetime64("2023-01-02" if code != "M" else "2018-01", code) + step * np.arange(maps + 1)).astype(
        "datetime64[s]"
    )
    extras = Extras(
        random.normal(size=(1, 5, 6)).astype(np.float32),
        ("distance",),
        random.poisson(rates, (1, maps, 5, 6)).astype(np.uint8),
        ("other",),
    )
    grid = Grid(500_000.0, 4_000_000.0, 250.0, 6, 5, "EPSG:32614")
    counts = np.minimum(counts, 1) if binary else counts
    return Heatmaps(counts, edges, mask, grid, bin_length, observed, binary=binary, extras=extras)


def new(name: str, **settings: Any) -> Forecaster:
    return make(name, seed=3, **{**FORECASTERS[name].quick_settings, **settings})


@cache
def fitted(name: str) -> Forecaster:
    return new(name).fit(city().before(FIRST))


def poisoned(heatmaps: Heatmaps, which: Any) -> Heatmaps:
    """The same with other counts, of its own category and the other one, in some maps."""
    counts, channels = heatmaps.counts.copy(), heatmaps.extras.channels.copy()
    counts[which] = 7 - np.minimum(counts[which], 7)
    channels[:, which] = 200
    return replace(heatmaps, counts=counts, extras=replace(heatmaps.extras, channels=channels))


def check_probabilities(risk: Maps, heatmaps: Heatmaps) -> None:
    assert risk.dtype == np.float32
    assert risk.shape[1:] == heatmaps.mask.shape
    assert np.array_equal(np.isnan(risk), np.broadcast_to(~heatmaps.mask, risk.shape))
    assert risk[:, heatmaps.mask].min() > 0
    assert risk[:, heatmaps.mask].max() < 1


def test_the_catalogue_is_whole() -> None:
    assert DEFAULT in FORECASTERS
    assert set(BASELINES) <= {name for name, entry in FORECASTERS.items() if entry.simple}
    for name, entry in FORECASTERS.items():
        assert forecaster_class(name).name == name == entry.name
        assert make(name).name == name
    with pytest.raises(ParameterError, match="no forecaster 'tea_leaves'"):
        make("tea_leaves")
    with pytest.raises(ParameterError, match="no setting 'leaves'"):
        make("kde", leaves=3)


@pytest.mark.parametrize("name", NAMES)
def test_forecasts_are_probabilities_inside_the_study_area(name: str) -> None:
    heatmaps = city()
    model = fitted(name)
    check_probabilities(model.predict_each(heatmaps, FIRST), heatmaps)
    ahead = model.predict(heatmaps, steps=3)
    assert len(ahead) == 3
    check_probabilities(ahead, heatmaps)


@pytest.mark.parametrize("name", NAMES)
def test_what_comes_after_the_origin_changes_no_forecast(name: str) -> None:
    heatmaps, origin = city(), FIRST + 6
    changed = poisoned(heatmaps, slice(origin, None))
    before, after = (fitted(name).predict_each(each, FIRST) for each in (heatmaps, changed))
    known = origin - FIRST + 1
    np.testing.assert_array_equal(before[:known], after[:known])
    # The same maps do change the forecasts that may read them: the test would see a leak.
    assert not np.array_equal(before[known:], after[known:], equal_nan=True)
    alone = [fitted(name).predict(each.before(origin)) for each in (heatmaps, changed)]
    np.testing.assert_array_equal(*alone)
    ahead = [fitted(name).predict_ahead(each, FIRST, 2) for each in (heatmaps, changed)]
    np.testing.assert_array_equal(ahead[0][: known + 1], ahead[1][: known + 1])


@pytest.mark.parametrize("name", NAMES)
def test_maps_without_observation_are_read_by_nobody(name: str) -> None:
    heatmaps = city()
    changed = poisoned(heatmaps, ~heatmaps.observed)
    other = new(name).fit(changed.before(FIRST))
    np.testing.assert_array_equal(fitted(name).predict_each(heatmaps, FIRST), other.predict_each(changed, FIRST))


@pytest.mark.parametrize("name", NAMES)
def test_one_pass_gives_what_each_origin_gives(name: str) -> None:
    heatmaps = city()
    each = fitted(name).predict_each(heatmaps, FIRST)
    alone = [fitted(name).predict(heatmaps.before(origin))[0] for origin in range(FIRST, MAPS)]
    np.testing.assert_allclose(each, alone, rtol=2e-5, atol=1e-7)


@pytest.mark.parametrize("name", NAMES)
def test_forecasts_further_ahead_are_those_made_earlier(name: str) -> None:
    heatmaps = city()
    ahead = fitted(name).predict_ahead(heatmaps, FIRST, 3)
    alone = [fitted(name).predict(heatmaps.before(target - 2), 3)[-1] for target in range(FIRST, MAPS)]
    np.testing.assert_allclose(ahead, alone, rtol=2e-5, atol=1e-7)


@pytest.mark.parametrize("name", ["logistic", "boosting", "etas"])
def test_forecasts_further_ahead_read_each_map_once(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from riskengine.forecasters import cellwise
    from riskengine.forecasters.selfexciting import etas

    heatmaps, model, shown = city(), fitted(name), [0]
    alone = [model.predict(heatmaps.before(target - 4), 5)[-1] for target in range(FIRST, MAPS)]

    def counted(original: Any) -> Any:
        def counting(*given: Any) -> None:
            shown[0] += 1
            original(*given)

        return counting

    for owner, method in ((cellwise.Cellwise, "_show"), (etas._Running, "show")):
        monkeypatch.setattr(owner, method, counted(getattr(owner, method)))
    np.testing.assert_array_equal(model.predict_ahead(heatmaps, FIRST, 5), alone)
    assert shown[0] == MAPS - 5


@pytest.mark.parametrize("name", NAMES)
def test_a_forecast_further_ahead_stops_within_a_target(name: str) -> None:
    told = [0]

    def stop(share: float, text: str) -> None:
        told[0] += 1
        if told[0] == 3:
            context.cancelled.set()

    context = JobContext(on_progress=stop)
    with pytest.raises(Cancelled):
        fitted(name).predict_ahead(city(), FIRST, 3, context)
    assert told[0] == 3


@pytest.mark.parametrize("name", NAMES)
def test_settings_and_state_are_all_there_is(name: str) -> None:
    heatmaps, model = city(), fitted(name)
    settings = json.loads(json.dumps(model.settings()))
    state = {key: np.array(value) for key, value in model.state().items()}
    assert all(array.dtype.kind in "biufU" for array in state.values())
    again = make(name, **settings).restore(state)
    np.testing.assert_array_equal(model.predict_each(heatmaps, FIRST), again.predict_each(heatmaps, FIRST))


@pytest.mark.parametrize("name", NAMES)
def test_the_same_seed_gives_the_same_forecast(name: str) -> None:
    heatmaps = city()
    again = new(name).fit(heatmaps.before(FIRST))
    np.testing.assert_array_equal(fitted(name).predict(heatmaps, 2), again.predict(heatmaps, 2))


@pytest.mark.parametrize("name", NAMES)
def test_a_history_with_nothing_in_it_is_refused(name: str) -> None:
    heatmaps = city().before(FIRST)
    with pytest.raises(DataError, match="No incident"):
        new(name).fit(replace(heatmaps, counts=np.zeros_like(heatmaps.counts)))
    with pytest.raises(DataError, match="observed maps"):
        new(name).fit(replace(heatmaps, observed=np.zeros(FIRST, dtype=bool)))
    with pytest.raises(ParameterError, match="steps is 0"):
        fitted(name).predict(heatmaps, 0)


@pytest.mark.parametrize("name", NAMES)
def test_a_cancelled_forecast_stops(name: str) -> None:
    context = JobContext()
    context.cancelled.set()
    with pytest.raises(Cancelled):
        fitted(name).predict_each(city(), FIRST, context)


@pytest.mark.parametrize("name", PLAIN)
@pytest.mark.parametrize(
    ("bin_length", "threshold", "binary"),
    [("1 days", 2, False), ("1 days", 1, True), ("2 hours", 1, False), ("1 weeks", 1, False), ("1 months", 1, False)],
)
def test_thresholds_binary_maps_and_other_bins(name: str, bin_length: str, threshold: int, binary: bool) -> None:
    heatmaps = city(bin_length, binary=binary)
    model = new(name, threshold=threshold).fit(heatmaps.before(FIRST))
    each = model.predict_each(heatmaps, FIRST)
    check_probabilities(each, heatmaps)
    alone = [model.predict(heatmaps.before(origin))[0] for origin in (FIRST, FIRST + 4, MAPS - 1)]
    np.testing.assert_allclose(each[[0, 4, -1]], alone, rtol=2e-5, atol=1e-7)
    # The maps forecast hold about as many events as were forecast.
    seen = heatmaps.counts[FIRST:][heatmaps.observed[FIRST:]][:, heatmaps.mask] >= threshold
    forecast = each[heatmaps.observed[FIRST:]][:, heatmaps.mask]
    assert 0.6 < forecast.mean() / seen.mean() < 1.6


@pytest.mark.parametrize("name", [name for name in PLAIN if name != "constant"])
def test_more_than_one_incident_is_rarer_than_one(name: str) -> None:
    heatmaps = city()
    once, twice = (new(name, threshold=each).fit(heatmaps.before(FIRST)).predict(heatmaps) for each in (1, 2))
    assert np.nanmean(twice) < np.nanmean(once)
    with pytest.raises(ParameterError, match="threshold is 2"):
        new(name, threshold=2).fit(city(binary=True).before(FIRST))


@cache
def announced() -> Heatmaps:
    """A coin decides whether something happens at (1, 1); the next map, and no other, tells at (3, 4)."""
    random = np.random.default_rng(5)
    counts = random.poisson(0.1, (400, 5, 6)).astype(np.uint8)
    coin = random.integers(0, 2, 400)
    counts[:, 1, 1] = coin
    counts[1:, 3, 4] = coin[:-1]
    edges = (np.datetime64("2023-01-01") + np.arange(401)).astype("datetime64[s]")
    return Heatmaps(counts, edges, np.ones((5, 6), bool), Grid(0.0, 5.0, 1.0, 6, 5, "EPSG:32614"), "1 days")


class Peeking(Forecaster):
    """Reads the map after the one it forecasts, as a history filled by interpolation would let it."""

    def fit(self, history: Heatmaps, context: JobContext | None = None) -> Peeking:
        return self

    def predict(self, history: Heatmaps, steps: int = 1, context: JobContext | None = None) -> Maps:
        raise AssertionError("it can only cheat")

    def predict_each(self, heatmaps: Heatmaps, first: int, context: JobContext | None = None) -> Maps:
        risk = np.full((len(heatmaps) - first, *heatmaps.mask.shape), 0.5, dtype=np.float32)
        risk[:-1, 1, 1] = 0.1 + 0.8 * heatmaps.counts[first + 1 :, 3, 4]
        return risk


def scored(model: Forecaster, first: int = 120) -> float:
    heatmaps = announced()
    risk = model.fit(heatmaps.before(first)).predict_each(heatmaps, first)
    return auc(risk[:, 1, 1], heatmaps.counts[first:, 1, 1])


def test_who_peeks_is_seen() -> None:
    assert scored(Peeking()) > 0.99


@pytest.mark.parametrize("name", NAMES)
def test_a_signal_from_the_future_cannot_be_used(name: str) -> None:
    # 280 tosses: chance is 0.5 with a standard deviation of 0.034.
    assert abs(scored(new(name)) - 0.5) < 0.14
