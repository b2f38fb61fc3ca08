"""ST-ResNet: which maps it looks at, what it learns, and that it comes back from a file as it was."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from kit.contexts import Recorder, make_stopping_context
from kit.maps import make_stack

from riskengine.forecasters.base import Forecaster
from riskengine.forecasters.baselines import PriorShare
from riskengine.forecasters.modelcard import make_card
from riskengine.forecasters.modelfile import load_model, save_model
from riskengine.forecasters.modelfit import check_fits
from riskengine.forecasters.networks.st_resnet import STResNet
from riskengine.forecasters.spans import average_spans, choose_spans
from riskengine.ground.errors import Cancelled, DataError, ParameterError
from riskengine.maps.heatmaps import Heatmaps
from riskengine.maps.panel import Extras
from riskengine.measures.metrics import log_loss


def two_places(maps: int = 200, rows: int = 6, columns: int = 7) -> Heatmaps:
    """One incident a day: at (1, 1) on even days, at (4, 5) on odd ones, and one anywhere."""
    random = np.random.default_rng(4)
    counts = np.zeros((maps, rows, columns), np.uint8)
    counts[::2, 1, 1] = 1
    counts[1::2, 4, 5] = 1
    counts[np.arange(maps), random.integers(rows, size=maps), random.integers(columns, size=maps)] += 1
    return make_stack(counts)


@pytest.fixture(scope="module")
def alternating() -> Heatmaps:
    return two_places()


@pytest.fixture(scope="module")
def model(alternating: Heatmaps) -> STResNet:
    return STResNet(features=8, units=1, epochs=12, learning_rate=1e-2, seed=1).fit(alternating.before(170))


def loss(forecaster: Forecaster, heatmaps: Heatmaps, first: int) -> float:
    """Log-loss of the two places alone, where ln 2 = 0.69 is what knows no yesterday."""
    risk = forecaster.predict_each(heatmaps, first)[:, [1, 4], [1, 5]]
    return log_loss(risk, heatmaps.counts[first:][:, [1, 4], [1, 5]] > 0)


def test_daily_maps_look_at_days_weeks_and_months() -> None:
    daily = make_stack(np.zeros((400, 2, 2), np.uint8))
    near, same, far = choose_spans(daily, 4, 3, 3, averaged=True)
    assert near == [(1, 1), (2, 2), (3, 3), (4, 4)]
    assert same == [(7, 7), (14, 14), (21, 21)]
    assert far == [(1, 28), (29, 56), (57, 84)]
    assert choose_spans(daily, 4, 3, 3, averaged=False)[2] == [(28, 28), (56, 56), (84, 84)]


def test_other_bins_have_other_periods_and_a_short_history_fewer() -> None:
    hourly = make_stack(np.zeros((24 * 60, 2, 2), np.uint8), bin="1 hours")
    assert choose_spans(hourly, 3, 2, 1, averaged=False) == [
        [(1, 1), (2, 2), (3, 3)],
        [(24, 24), (48, 48), (168, 168)],
        [(672, 672)],
    ]
    weeks = np.zeros((130, 2, 2), np.uint8)
    weekly = make_stack(weeks, bin="1 weeks", start="2022-01-03")
    assert choose_spans(weekly, 3, 2, 2, averaged=False) == [[(1, 1), (2, 2), (3, 3)], [(52, 52)], [(13, 13), (26, 26)]]
    monthly = make_stack(np.zeros((30, 2, 2), np.uint8), bin="1 months", start="2020-01-01")
    assert choose_spans(monthly, 3, 1, 2, averaged=False) == [[(1, 1), (2, 2), (3, 3)], [(12, 12)], [(3, 3), (6, 6)]]
    assert choose_spans(monthly.before(12), 3, 1, 2, averaged=False)[1:] == [[], [(3, 3), (6, 6)]]


def test_frames_hold_the_maps_of_their_lags() -> None:
    """Map k is filled with k; entry i of a sequence that starts at map 10 holds map 9 + i."""
    seen = np.full((11, 1, 1), 0.0) + np.arange(9, 20)[:, None, None]
    mean = np.full((1, 1), -1.0)
    found = average_spans(seen, mean, 10, 20, [(1, 1), (3, 3), (1, 4), (11, 11)])
    assert found[:, 0, 0].tolist() == [19.0, 17.0, 17.5, 9.0]
    # Of a stack that begins at map 0 the first entry holds no map: lag 3 of map 2 does not exist, lags 1 to 4 are two.
    start = np.full((3, 1, 1), 0.0) + np.array([-5.0, 0.0, 1.0])[:, None, None]
    assert average_spans(start, mean, 0, 2, [(1, 1), (3, 3), (1, 4)])[:, 0, 0].tolist() == [1.0, -1.0, 0.5]


def test_learns_what_alternates(alternating: Heatmaps, model: STResNet) -> None:
    """The prior share says one half for both places; who looks at yesterday's map knows which one is next."""
    assert loss(PriorShare().fit(alternating.before(170)), alternating, 170) > 0.65
    assert loss(model, alternating, 170) < 0.35
    risk = model.predict(alternating, steps=1)[0]
    assert risk[1, 1] > 0.7
    assert risk[4, 5] < 0.3
    assert model.curves_.validation[model.curves_.best_epoch - 1] == min(model.curves_.validation)


def test_published_form_learns_it_too(alternating: Heatmaps) -> None:
    published = STResNet(features=8, units=1, prior=False, epochs=12, learning_rate=1e-2).fit(alternating.before(170))
    assert loss(published, alternating, 170) < 0.5
    assert published.network_.cells.abs().max() > 0


def test_one_pass_is_the_same_as_map_by_map(alternating: Heatmaps, model: STResNet) -> None:
    each = model.predict_each(alternating, 165)
    for number, origin in enumerate(range(165, 200, 7)):
        single = model.predict(alternating.before(origin))[0]
        assert np.allclose(each[7 * number], single, atol=1e-6)


def test_nothing_of_an_unobserved_map_is_read(alternating: Heatmaps, model: STResNet) -> None:
    observed = np.ones(200, dtype=bool)
    observed[[150, 180, 199]] = False
    some = replace(alternating, observed=observed)
    counts = alternating.counts.copy()
    counts[~observed] = 7
    other = replace(alternating, counts=counts, observed=observed)
    assert np.array_equal(model.predict(some, 2), model.predict(other, 2))
    assert np.array_equal(model.predict_each(some, 170), model.predict_each(other, 170))
    quick = STResNet(features=4, units=1, epochs=1)
    assert np.array_equal(
        quick.fit(some).predict(some), STResNet(features=4, units=1, epochs=1).fit(other).predict(other)
    )


def test_study_area_and_padding(alternating: Heatmaps) -> None:
    mask = np.ones((6, 7), dtype=bool)
    mask[:, 0] = False
    area = replace(alternating, mask=mask, counts=np.where(mask, alternating.counts, 0).astype(np.uint8))
    for padding in ("zeros", "reflect", "ignore"):
        model = STResNet(features=4, units=1, epochs=1, padding=padding).fit(area)
        risk = model.predict(area, 2)
        assert np.isnan(risk[:, ~mask]).all()
        assert ((risk[:, mask] > 0) & (risk[:, mask] < 1)).all()
    # The last one ignored the border: there the forecast is the running mean, whatever the network learned.
    other = STResNet(features=4, units=1, epochs=1, padding="ignore", seed=9).fit(area)
    assert np.array_equal(risk[:1, 0, 1:], other.predict(area)[:, 0, 1:])
    assert not np.array_equal(risk[:1, 1:-1, 1:-1], other.predict(area)[:, 1:-1, 1:-1])


def test_same_seed_same_forecast(alternating: Heatmaps) -> None:
    settings = {"features": 4, "units": 1, "epochs": 2}
    first, again, other = (STResNet(**settings, seed=seed).fit(alternating).predict(alternating) for seed in (3, 3, 4))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_static_layers_are_read_and_must_come_again(alternating: Heatmaps) -> None:
    layer = np.random.default_rng(0).normal(50.0, 20.0, (1, 6, 7)).astype(np.float32)
    with_layer = replace(alternating, extras=Extras(layer, ("distance",)))
    model = STResNet(features=4, units=1, epochs=2).fit(with_layer)
    moved = replace(alternating, extras=Extras(layer[:, ::-1].copy(), ("distance",)))
    assert not np.array_equal(model.predict(with_layer), model.predict(moved))
    with pytest.raises(ParameterError, match="fitted with 1 static layer, these maps have 0"):
        model.predict(alternating)


def test_branches_weighed_by_cell_fit_one_grid(alternating: Heatmaps, tmp_path: Path) -> None:
    model = STResNet(features=4, units=1, epochs=1, cell_weights=True).fit(alternating)
    card = make_card(model, alternating)
    assert card.located
    assert not make_card(STResNet(features=4, units=1, epochs=1).fit(alternating), alternating).located
    save_model(tmp_path / "m.crimemodel", model, card)
    again, _ = load_model(tmp_path / "m.crimemodel")
    assert np.array_equal(again.predict(alternating, 2), model.predict(alternating, 2))
    larger = two_places(rows=8)
    with pytest.raises(ParameterError, match="each cell of its own grid"):
        check_fits(card, larger)
    with pytest.raises(DataError, match="6 × 7 cells, these maps have 8 × 7"):
        again.predict(larger)


def test_goes_on_after_a_cancel(alternating: Heatmaps, tmp_path: Path) -> None:
    settings = {"features": 4, "units": 1, "epochs": 3, "seed": 2}
    whole = STResNet(**settings).fit(alternating)
    stopped = STResNet(**settings)
    stopped.checkpoint = str(tmp_path / "training.checkpoint")
    with pytest.raises(Cancelled):
        stopped.fit(alternating, make_stopping_context(3))
    again = STResNet(**settings)
    again.checkpoint = stopped.checkpoint
    context = Recorder()
    again.fit(alternating, context)
    assert any("Going on after epoch 2" in text for text in context.messages)
    assert np.array_equal(again.predict(alternating), whole.predict(alternating))


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"closeness": 0}, "closeness"),
        ({"period": -1}, "period"),
        ({"kernel": 4}, "kernel"),
        ({"padding": "wrap"}, "padding"),
        ({"validation_share": 1.0}, "validation_share"),
        ({"epochs": 0}, "epochs"),
    ],
)
def test_settings_that_make_no_sense(settings: dict[str, object], name: str) -> None:
    with pytest.raises(ParameterError) as caught:
        STResNet(**settings)
    assert caught.value.parameter == name


def test_too_short_a_history(alternating: Heatmaps) -> None:
    with pytest.raises(DataError, match="holds 12 observed maps; at least 13"):
        STResNet().fit(alternating.before(12))
    assert STResNet(features=4, units=1, epochs=1).fit(alternating.before(13)).predict(alternating).shape == (1, 6, 7)


@pytest.mark.parametrize(
    ("unit", "bin_length", "maps", "branches"),
    [("h", "1 hours", 24 * 8, {0, 1}), ("M", "1 months", 30, {0, 1, 2}), ("M", "1 months", 14, {0, 2})],
)
def test_hours_and_months(unit: str, bin_length: str, maps: int, branches: set[int]) -> None:
    """Fitted on the first 80 %: of hours so far too few for a month, of months too few for a year."""
    counts = np.random.default_rng(0).poisson(0.5, (maps, 4, 4)).astype(np.uint8)
    heatmaps = make_stack(counts, bin=bin_length, start="2022-01-01")
    model = STResNet(closeness=3, features=4, units=1, epochs=1, trend=1 if unit == "M" else 3).fit(heatmaps)
    assert set(model.spans_[:, 0].tolist()) == branches
    risk = model.predict(heatmaps, 2)
    assert risk.shape == (2, 4, 4)
    assert ((risk > 0) & (risk < 1)).all()
