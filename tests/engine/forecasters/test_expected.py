"""Expected counts and their intervals, from probabilities."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from kit.maps import make_stack
from kit.panels import make_panel

from riskengine.contract.forecasters import FORECASTERS
from riskengine.forecasters.baselines import PriorCounts
from riskengine.forecasters.catalogue import make_forecaster
from riskengine.forecasters.expected import expect_counts, match_zeros, measure_dispersion, spread_window


def make_counts(dispersion: float, bins: int = 80, seed: int = 0) -> np.ndarray:
    """Counts of 400 cells whose variance is `dispersion` times their mean."""
    random = np.random.default_rng(seed)
    mean = random.gamma(2.0, 1.0, (20, 20)) + 0.05
    if dispersion == 1:
        return random.poisson(mean, (bins, 20, 20)).astype(np.uint16)
    return random.negative_binomial(mean / (dispersion - 1), 1 / dispersion, (bins, 20, 20)).astype(np.uint16)


@pytest.mark.parametrize("dispersion", [1.0, 1.4, 3.0])
def test_dispersion_is_found(dispersion: float) -> None:
    counts = make_counts(dispersion).reshape(80, -1)
    # All cells busier in summer is no dispersion.
    assert measure_dispersion(counts) == pytest.approx(dispersion, rel=0.06)
    assert measure_dispersion(np.concatenate([counts, counts]) * 1.0) == pytest.approx(dispersion, rel=0.06)


def test_what_all_cells_have_in_common_is_no_dispersion() -> None:
    random = np.random.default_rng(4)
    level = np.where(np.arange(60) % 12 < 6, 4.0, 1.0)[:, None]
    counts = random.poisson(level * random.gamma(2.0, 0.5, 300))
    assert measure_dispersion(counts) == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize("dispersion", [1.0, 1.4, 3.0])
def test_the_dispersion_of_zeros_is_found(dispersion: float) -> None:
    assert match_zeros(make_counts(dispersion).reshape(80, -1)) == pytest.approx(dispersion, rel=0.06)


def test_one_week_of_one_cell_does_not_raise_what_is_expected_of_all() -> None:
    """A riot, or a year's thefts that were entered at once."""
    counts = make_counts(1.0)
    counts[70, 3, 3] = 400
    panel = make_stack(counts, bin="1 weeks")
    assert measure_dispersion(counts.reshape(80, -1)[-52:]) > 3
    expected = PriorCounts().fit(panel).predict_counts(panel).mean[0]
    others = np.arange(400) != 63
    assert expected.ravel()[others].sum() == pytest.approx(counts.mean(axis=0).ravel()[others].sum(), rel=0.05)


@pytest.mark.parametrize("dispersion", [1.0, 1.4])
def test_intervals_hold_what_they_promise_and_sums_are_right(dispersion: float) -> None:
    panel = make_stack(make_counts(dispersion), bin="1 months")
    counts = PriorCounts().fit(panel.cut(60)).predict_counts(panel.cut(60), 20)
    seen = panel.counts[60:]
    inside = (seen >= counts.low) & (seen <= counts.high)
    # Whole numbers hold more than they must.
    assert 0.94 < inside.mean() < 0.995
    assert counts.mean.mean() == pytest.approx(seen.mean(), rel=0.12)
    assert (counts.low <= counts.mean).all()
    assert (counts.mean <= counts.high + 1).all()


def test_the_mean_is_that_of_which_the_risk_is_the_probability() -> None:
    panel = make_stack(make_counts(1.5), bin="1 months")
    dispersion = match_zeros(panel.counts.reshape(80, -1)[-52:])
    risk = np.full((1, 20, 20), 0.4)
    mean = expect_counts(risk, panel).mean
    np.testing.assert_allclose(1 - dispersion ** (-mean / (dispersion - 1)), 0.4, atol=1e-3)
    assert (expect_counts(risk, panel, threshold=2).mean > mean).all()


def test_cells_that_always_have_one_keep_their_own_mean() -> None:
    counts = make_counts(1.0)
    counts[:, 3, 3] = 40
    panel = make_stack(counts, bin="1 months")
    assert PriorCounts().fit(panel).predict_counts(panel).mean[0, 3, 3] == pytest.approx(40, rel=0.1)


def test_of_binary_maps_events_are_expected() -> None:
    panel = make_stack(np.minimum(make_counts(1.0), 1), bin="1 months", binary=True)
    risk = PriorCounts().fit(panel).predict(panel)
    counts = PriorCounts().fit(panel).predict_counts(panel)
    np.testing.assert_array_equal(counts.mean, risk)
    assert set(np.unique(counts.high)) <= {0.0, 1.0}


@pytest.mark.parametrize("name", [name for name, record in FORECASTERS.items() if not record.network])
def test_every_forecaster_expects_counts(name: str) -> None:
    panel = make_stack(make_counts(1.2, 40)[:, :6, :7], bin="1 weeks")
    panel = replace(panel, mask=panel.mask & (np.arange(7) > 0))
    model = make_forecaster(name, **FORECASTERS[name].quick_settings).fit(panel)
    counts, risk = model.predict_counts(panel, 2), model.predict(panel, 2)
    assert counts.mean.shape == (2, 6, 7)
    assert np.isnan(counts.mean[:, :, 0]).all()
    inside = panel.mask[None].repeat(2, axis=0)
    assert (counts.mean[inside] >= risk[inside] - 1e-6).all(), "one incident at least is expected where one is certain"


def test_a_window_varies_as_windows_did() -> None:
    """Months of feast and famine by quarters: a quarter's interval is that of quarters, wider than of single months."""
    random = np.random.default_rng(1)
    calm = random.poisson(2.0, (120, 30))
    wild = random.poisson(np.repeat(random.choice([0.2, 3.8], (40, 30)), 3, axis=0))
    expected = np.full(30, 6.0)
    made = {}
    for name, counts in (("calm", calm), ("wild", wild)):
        made[name] = spread_window(expected, make_panel(counts, [f"A{number}" for number in range(30)]), 3)
    assert made["calm"].mean.tolist() == [[6.0] * 30]
    # Poisson's own limits of a mean of 6 are 2 and 11; these counts vary a little more by chance.
    assert made["calm"].low[0, 0] == 2.0
    assert 11.0 <= made["calm"].high[0, 0] <= 12.0
    assert made["wild"].low[0, 0] == 0.0
    assert made["wild"].high[0, 0] > 16.0


def test_a_window_of_marks_holds_no_more_than_its_bins() -> None:
    panel = make_panel(np.ones((24, 2), np.uint8), binary=True)
    made = spread_window(np.array([2.9, 0.2]), panel, 3)
    assert made.high.tolist() == [[3.0, 1.0]]


def test_windows_with_a_gap_tell_nothing() -> None:
    """Three windows of four are whole, too few to tell: months are taken."""
    counts = np.random.default_rng(1).poisson(2.0, (12, 30))
    counts[4] = 200
    observed = np.arange(12) != 4
    panel = make_panel(counts, [f"A{number}" for number in range(30)], observed=observed)
    assert spread_window(np.full(30, 6.0), panel, 3).high[0, 0] < 15
