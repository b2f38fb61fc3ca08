"""Counts that are known late: a forecast reads nothing that was not known at its origin, and looks further ahead."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import shapely

from riskengine.contract.forecasters import FORECASTERS
from riskengine.forecasters.catalogue import make_forecaster
from riskengine.maps.areas import make_areas
from riskengine.maps.panel import Covariate, Extras, Panel

#: Every forecaster that takes areas.
NAMES = [name for name, record in FORECASTERS.items() if not record.network]


def make_panel(seed: int = 0, delay: int = 2) -> Panel:
    random = np.random.default_rng(seed)
    squares = np.array([shapely.box(x, y, x + 500, y + 500) for x in range(0, 2500, 500) for y in range(0, 2000, 500)])
    areas, _ = make_areas([f"A{number}" for number in range(20)], squares, "EPSG:27700")
    edges = np.arange("2020-01", "2023-02", dtype="datetime64[M]").astype("datetime64[s]")
    counts = random.poisson(random.gamma(2, 0.4, 20), (36, 20)).astype(np.uint8)
    return Panel(counts, edges, np.ones(20, bool), areas, "1 months", delay=delay)


def test_what_is_known_at_an_origin_ends_so_many_bins_earlier() -> None:
    panel = make_panel()
    value = np.arange(36, dtype=np.float32)[:, None].repeat(20, axis=1)
    panel = replace(panel, extras=Extras(covariates=(Covariate("mobility", value, 1),)))
    known = panel.before(30)
    assert len(known) == 28
    assert known.edges[-1] == panel.edges[28]
    assert known.delay == 2
    assert len(known.extras.covariates[0].values) == 29
    assert known.extras.covariates[0].read_known(30)[0] == 28
    assert np.isnan(panel.extras.covariates[0].read_known(1)).all()
    assert panel.drop_delay().extras.covariates[0].delay == -1


@pytest.mark.parametrize("name", NAMES)
def test_no_count_between_knowing_and_the_bin_changes_a_forecast(name: str) -> None:
    """Bin t of a panel two bins late is forecast from the bins before t - 2, whatever the later ones hold."""
    panel = make_panel()
    model = make_forecaster(name, **FORECASTERS[name].quick_settings).fit(panel.before(33))
    risk = model.forecast_known(panel, 33)
    for number, target in enumerate(range(33, 36)):
        changed = panel.counts.copy()
        changed[target - 2 :] = 9
        other = model.forecast_known(replace(panel, counts=changed), 33)
        assert np.array_equal(other[number], risk[number])
        alone = model.predict(panel.before(target), 3)[-1]
        assert np.allclose(alone, risk[number], atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_without_a_delay_nothing_changes(name: str) -> None:
    panel = make_panel(delay=0)
    model = make_forecaster(name, **FORECASTERS[name].quick_settings).fit(panel.before(33))
    assert np.array_equal(model.forecast_known(panel, 33), model.predict_ahead(panel, 33))


@pytest.mark.parametrize("name", ["rates_logistic", "poisson", "rates_boosting", "poisson_boosting"])
@pytest.mark.parametrize("late", [1, 3])
def test_no_covariate_that_was_not_known_changes_a_forecast(name: str, late: int) -> None:
    """Bin t reads values of bins before t - `late`, whether these come sooner or later than the counts."""
    panel = make_panel()
    # What is known of a bin tells the very count, so that every model reads it.
    values = np.roll(panel.counts, -late - 1, axis=0).astype(np.float32)

    def give(each: np.ndarray) -> Panel:
        return replace(panel, extras=replace(panel.extras, covariates=(Covariate("mobility", each, late),)))

    given = give(values)
    model = make_forecaster(name, **FORECASTERS[name].quick_settings).fit(given.before(33))
    risk = model.forecast_known(given, 33)
    for number, target in enumerate(range(33, 36)):
        changed = values.copy()
        changed[target - late :] = 50.0
        assert np.array_equal(model.forecast_known(give(changed), 33)[number], risk[number])
    # Those before are read.
    assert not np.array_equal(model.forecast_known(give(-values), 33), risk)
