"""Rates of areas and what is built on them: by hand, and what must not change them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import shapely
from kit.maps import make_edges

from riskengine.contract.forecasters import BASELINES, FORECASTERS, list_baselines, list_default_members
from riskengine.forecasters.catalogue import make_forecaster
from riskengine.forecasters.ensemble import Ensemble
from riskengine.forecasters.pastcounts import shrink
from riskengine.forecasters.rates import LongRun, SameSeason, WeightedMean
from riskengine.maps.areas import Areas
from riskengine.maps.panel import Covariate, Extras, Panel

RATES = ("long_run", "last_year", "same_season", "ewma")
MODELS = ("rates_logistic", "poisson", "rates_boosting", "poisson_boosting")


def make_areas(columns: int = 6, rows: int = 5) -> Areas:
    """Rectangles of growing width and height that touch."""
    x, y = (np.r_[0, np.cumsum(300.0 + 40.0 * np.arange(side))] for side in (columns, rows))
    boxes = [shapely.box(x[i], y[j], x[i + 1], y[j + 1]) for j in range(rows) for i in range(columns)]
    return Areas(tuple(f"A{number}" for number in range(len(boxes))), np.array(boxes, dtype=object), "EPSG:27700")


def make_panel(counts: np.ndarray, bin: str = "1 months", areas: Areas | None = None, **more: object) -> Panel:
    areas = areas or make_areas(counts.shape[1], 1)
    edges = make_edges(len(counts), bin, "2018-01-01")
    return Panel(counts, edges, np.ones(counts.shape[1], dtype=bool), areas, bin, **more)


def make_city(bins: int = 48, seed: int = 0, **more: object) -> Panel:
    """Thirty areas of different rates, month by month."""
    random = np.random.default_rng(seed)
    counts = random.poisson(random.gamma(1.5, 0.5, 30), (bins, 30)).astype(np.uint16)
    return make_panel(counts, areas=make_areas(), **more)


def test_shrinking_by_hand() -> None:
    # Means 0, 0.5 and 1 of four bins: chance alone makes them vary by 0.5 / 4, they vary by 1 / 6.
    np.testing.assert_allclose(shrink(np.array([0.0, 2.0, 4.0]), 4.0, 4.0), [0.375, 0.5, 0.625])


def test_units_that_differ_by_chance_alone_have_the_mean_of_all() -> None:
    np.testing.assert_allclose(shrink(np.array([3.0, 4.0, 5.0, 4.0]), 4.0, 4.0), 1.0)


def test_of_events_a_share_varies_less_than_a_count() -> None:
    sums = np.array([0.0, 2.0, 4.0])
    counts, events = (shrink(sums, 4.0, 4.0, which) for which in (False, True))
    assert np.ptp(events) > np.ptp(counts)


def test_the_weighted_mean_by_hand() -> None:
    """Weights 1/8, 1/4, 1/2 and 1: sums 80 and 8 of 1.875, squares 1.328125; the level is (88 + 1/2) / (8 + 1)."""
    panel = make_panel(np.array([[0, 0], [0, 0], [0, 0], [80, 8]], dtype=np.uint8), "1 weeks")
    model = WeightedMean(half_life=7).fit(panel)
    assert (model.slope_, model.shift_) == (1.0, 0.0), "four bins are too few to calibrate on"
    noise = 23.46667 * 1.328125 / 1.875**2
    kept = (19.2**2 - noise) / 19.2**2
    rates = (23.46667 + kept * np.array([19.2, -19.2])) * (88.5 / 9) / 23.46667
    np.testing.assert_allclose(model.predict(panel)[0], 1 - np.exp(-rates), rtol=1e-5)


def test_the_half_life_that_did_best_on_the_past_is_taken() -> None:
    random = np.random.default_rng(3)
    places = random.gamma(0.5, 1.0, 40)
    steady = random.poisson(places, (60, 40)).astype(np.uint8)
    # Every four months the busy places are others.
    moving = np.concatenate([random.poisson(random.permutation(places), (4, 40)) for _ in range(15)]).astype(np.uint8)
    lives = [WeightedMean().fit(make_panel(counts)).half_life_ for counts in (steady, moving)]
    assert lives[0] >= 730
    assert lives[1] <= 91


def test_the_same_season_is_that_of_a_year_before() -> None:
    counts = np.ones((24, 12), dtype=np.uint8)
    # Area 3 is busy in March of the second year, which is bin 14; a forecast of March of the third reads it.
    counts[14, 3] = 90
    panel = make_panel(counts)
    risk = SameSeason().fit(panel).predict(panel, 4)
    assert risk[:, 3].argmax() == 2
    assert np.ptp(risk[[0, 1, 3]], axis=1).max() < 1e-6


def test_forecasts_are_at_the_level_of_the_last_year() -> None:
    counts = make_city(60).counts
    counts[:48] *= 3
    panel = make_panel(counts, areas=make_areas())
    for name in ("long_run", "ewma"):
        model = make_forecaster(name).fit(panel)
        model.slope_, model.shift_ = 1.0, 0.0
        rates = -np.log1p(-model.predict(panel)[0].astype(float))
        assert rates.mean() == pytest.approx(counts[48:].mean(), rel=0.01)


def test_more_incidents_in_the_past_never_lower_a_long_run_rate() -> None:
    panel = make_city()
    before = LongRun().fit(panel).predict(panel)[0]
    for area in range(30):
        counts = panel.counts.copy()
        counts[7, area] += 2
        more = replace(panel, counts=counts)
        assert LongRun().fit(more).predict(more)[0][area] >= before[area]


@pytest.mark.parametrize("name", [*RATES, *MODELS])
def test_areas_in_another_order_have_their_forecasts_in_that_order(name: str) -> None:
    panel = make_city()
    order = np.random.default_rng(1).permutation(30)
    areas = panel.support
    assert isinstance(areas, Areas)
    moved = Areas(tuple(areas.ids[number] for number in order), areas.geometries[order], areas.crs)
    other = replace(panel, counts=panel.counts[:, order], support=moved)
    one, two = (make_forecaster(name).fit(each).predict(each, 2) for each in (panel, other))
    np.testing.assert_allclose(two, one[:, order], rtol=1e-3)


@pytest.mark.parametrize("name", MODELS)
def test_a_covariate_is_read_as_late_as_it_is_known_and_may_have_gaps(name: str) -> None:
    panel = make_city(60, seed=5)
    # What happens is announced by a value two months before; it is published a month late.
    rising = np.zeros((60, 30), dtype=np.float32)
    rising[:-1] = panel.counts[1:]
    rising[20:23, 4] = np.nan

    def forecast(values: np.ndarray, delay: int) -> np.ndarray:
        late = replace(panel, extras=Extras(covariates=(Covariate("announced", values, delay),)))
        late.extras = replace(
            late.extras, static=np.zeros((0, 30), np.float32), channels=np.zeros((0, 60, 30), np.uint8)
        )
        return np.asarray(make_forecaster(name).fit(late.before(54)).forecast_known(late, 54))

    known, changed = rising.copy(), rising.copy()
    changed[53:] = 40.0
    at_once = forecast(known, 0)
    assert np.isfinite(at_once).all()
    happened = panel.counts[54:] > 0
    assert at_once[happened].mean() > at_once[~happened].mean() + 0.15, "it tells what will happen, and is not read"
    # Bin 54 knows values before 53 where they come a month late.
    np.testing.assert_array_equal(forecast(known, 1)[0], forecast(changed, 1)[0])


@pytest.mark.parametrize("name", [*RATES, *MODELS])
@pytest.mark.parametrize(("bin", "bins", "areas"), [("1 months", 12, 10), ("1 days", 400, 12), ("1 weeks", 30, 10)])
def test_few_areas_and_few_or_many_bins(name: str, bin: str, bins: int, areas: int) -> None:
    counts = np.random.default_rng(2).poisson(0.7, (bins, areas)).astype(np.uint8)
    panel = make_panel(counts, bin)
    risk = make_forecaster(name).fit(panel).predict(panel, 3)
    assert risk.dtype == np.float32
    assert risk.shape == (3, areas)
    assert risk.mean() == pytest.approx((counts > 0).mean(), abs=0.15)


def test_the_weekday_is_in_the_rates_of_daily_bins() -> None:
    random = np.random.default_rng(8)
    busy = np.where(np.arange(364) % 7 == 5, 3.0, 0.5)
    panel = make_panel(random.poisson(busy[:, None], (364, 20)).astype(np.uint8), "1 days")
    risk = LongRun().fit(panel).predict(panel, 7).mean(axis=1)
    assert risk.argmax() == 5
    assert risk[5] > 1.5 * np.delete(risk, 5).max()


def test_on_areas_the_default_is_made_of_their_members_and_comes_back_from_its_state() -> None:
    panel = make_city()
    model = Ensemble().fit(panel)
    assert model.members == list(list_default_members("areas", "months"))
    again = Ensemble(**model.settings()).restore(model.state())
    np.testing.assert_array_equal(again.predict(panel, 2), model.predict(panel, 2))


def test_members_that_were_given_stay_on_areas() -> None:
    assert Ensemble(members=["prior_counts", "ewma"]).fit(make_city()).members == ["prior_counts", "ewma"]


def test_what_stands_beside_every_model() -> None:
    assert list_baselines("grid") == BASELINES
    assert list_baselines("segments") == list_baselines("areas")
    for name in list_baselines("areas"):
        assert FORECASTERS[name].simple
    assert set(RATES) < set(list_baselines("areas"))
