"""SFTT: spatial features, then time; what it learns, its category heads, and that it is small."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from kit.maps import make_stack

from riskengine.forecasters.base import Forecaster
from riskengine.forecasters.baselines import PriorShare
from riskengine.forecasters.modelcard import make_card
from riskengine.forecasters.modelfile import load_model, save_model
from riskengine.forecasters.modelfit import check_fits
from riskengine.forecasters.networks.sftt import SFTT
from riskengine.ground.errors import DataError, ParameterError
from riskengine.maps.grid import Grid
from riskengine.maps.heatmaps import Heatmaps
from riskengine.maps.panel import Extras
from riskengine.measures.metrics import log_loss

SMALL = {"sequence_length": 6, "features": 6, "hidden": 8, "layers": 1}


def alternating_places(maps: int = 140) -> Heatmaps:
    """One incident a day: at (1, 1) on even days, at (3, 4) on odd ones, and every third day one anywhere."""
    random = np.random.default_rng(4)
    counts = np.zeros((maps, 5, 6), dtype=np.uint8)
    counts[::2, 1, 1] = 1
    counts[1::2, 3, 4] = 1
    some = np.arange(0, maps, 3)
    counts[some, random.integers(5, size=len(some)), random.integers(6, size=len(some))] += 1
    return make_stack(counts)


@pytest.fixture(scope="module")
def heatmaps() -> Heatmaps:
    return alternating_places()


@pytest.fixture(scope="module")
def model(heatmaps: Heatmaps) -> SFTT:
    return SFTT(**SMALL, epochs=10, learning_rate=2e-2, seed=1).fit(heatmaps.before(120))


def loss(forecaster: Forecaster, heatmaps: Heatmaps, first: int) -> float:
    """Log-loss of the two places alone, where ln 2 = 0.69 is what knows no yesterday."""
    risk = forecaster.predict_each(heatmaps, first)[:, [1, 3], [1, 4]]
    return log_loss(risk, heatmaps.counts[first:][:, [1, 3], [1, 4]] > 0)


def test_learns_what_alternates(heatmaps: Heatmaps, model: SFTT) -> None:
    assert loss(PriorShare().fit(heatmaps.before(120)), heatmaps, 120) > 0.65
    assert loss(model, heatmaps, 120) < 0.35
    two = model.predict(heatmaps, steps=2)
    assert two[0, 1, 1] > 0.7 > 0.3 > two[0, 3, 4]
    # Two days ahead it is shown its own forecast of tomorrow: the places change once more.
    assert two[1, 3, 4] > two[1, 1, 1]


def test_published_form_learns_it_too(heatmaps: Heatmaps) -> None:
    published = SFTT(**SMALL, prior=False, epochs=15, learning_rate=2e-2).fit(heatmaps.before(120))
    # Nothing tells it a place from another but what it saw there, so it takes longer.
    assert loss(published, heatmaps, 120) < 0.5


def test_one_pass_is_the_same_as_map_by_map(heatmaps: Heatmaps, model: SFTT) -> None:
    each = model.predict_each(heatmaps, 115)
    for origin in range(115, 140, 3):
        assert np.allclose(each[origin - 115], model.predict(heatmaps.before(origin))[0], atol=1e-6)


def test_large_maps_go_through_in_parts(heatmaps: Heatmaps, model: SFTT, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = model.predict_each(heatmaps, 121)
    monkeypatch.setattr("riskengine.forecasters.networks.sftt._MOST_VALUES", 4 * 8 * 30 * 4)
    assert np.allclose(model.predict_each(heatmaps, 121), whole, atol=1e-6)


def test_nothing_of_an_unobserved_map_is_read(heatmaps: Heatmaps, model: SFTT) -> None:
    observed = np.ones(140, dtype=bool)
    observed[[110, 130, 139]] = False
    counts = heatmaps.counts.copy()
    counts[~observed] = 7
    some, other = replace(heatmaps, observed=observed), replace(heatmaps, counts=counts, observed=observed)
    assert np.array_equal(model.predict(some, 2), model.predict(other, 2))
    first, second = (SFTT(**SMALL, epochs=1).fit(each).predict(some) for each in (some, other))
    assert np.array_equal(first, second)


def with_categories(heatmaps: Heatmaps) -> Heatmaps:
    """A category that happens at (0, 0) the day before something happens at (4, 0)."""
    random = np.random.default_rng(7)
    signal = random.random(len(heatmaps)) < 0.5
    counts = heatmaps.counts.copy()
    counts[1:, 4, 0] = signal[:-1]
    channels = np.zeros((2, *counts.shape), dtype=np.uint8)
    channels[0, :, 4, 0] = signal
    channels[1] = counts
    return replace(heatmaps, counts=counts, extras=Extras(channels=channels, channel_names=("first", "second")))


def test_category_maps_are_read_and_have_heads(heatmaps: Heatmaps, tmp_path: Path) -> None:
    both = with_categories(heatmaps)
    model = SFTT(**SMALL, epochs=20, learning_rate=2e-2, seed=2).fit(both.before(120))
    assert model.network_.last.out_features == 3
    # The heads of the categories were trained: they started at zero.
    assert (model.network_.last.weight[1:].abs().sum(dim=1) > 0).all()
    risk = model.predict_each(both, 120)[:, 4, 0]
    happened = both.counts[120:, 4, 0] > 0
    assert risk[happened].mean() > risk[~happened].mean() + 0.3
    single = np.array([model.predict(both.before(origin))[0, 4, 0] for origin in range(120, 140)])
    assert np.allclose(risk, single, atol=1e-6)
    later = model.predict(both, 3)
    assert np.isfinite(later).all()
    save_model(tmp_path / "m.crimemodel", model, make_card(model, both))
    again, card = load_model(tmp_path / "m.crimemodel")
    assert np.array_equal(again.predict(both, 3), later)
    assert card.channels == ["first", "second"]
    with pytest.raises(ParameterError, match="first, second"):
        check_fits(card, heatmaps)
    with pytest.raises(ParameterError, match="2 category channels, these maps have 0"):
        again.predict(heatmaps)


def test_small_and_of_no_place(heatmaps: Heatmaps, model: SFTT) -> None:
    model_size = sum(each.numel() for each in SFTT().fit(heatmaps.before(30)).network_.parameters())
    assert model_size < 200_000
    card = make_card(model, heatmaps)
    assert not card.located
    wider = replace(heatmaps, counts=np.tile(heatmaps.counts, (1, 1, 2)), mask=np.ones((5, 12), bool))
    wider.support = Grid(0.0, 2500.0, 500.0, 12, 5, "EPSG:32614")
    assert check_fits(card, wider) == []
    assert model.predict(wider).shape == (1, 5, 12)


def test_same_seed_same_forecast(heatmaps: Heatmaps) -> None:
    first, again, other = (SFTT(**SMALL, epochs=2, seed=seed).fit(heatmaps).predict(heatmaps) for seed in (3, 3, 4))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_the_network_sees_no_later_map() -> None:
    network = SFTT(**SMALL)
    network.categories_, network.layer_mean_ = 0, np.zeros(0)
    built = network.build()
    torch.nn.init.normal_(built.last.weight)
    inputs, context = torch.rand(8, 1, 4, 5, 6), torch.rand(8, 1, 13)
    changed = inputs.clone()
    changed[5:] += 1
    with torch.inference_mode():
        first, second = built(inputs, context)[0], built(changed, context)[0]
    assert torch.equal(first[:5], second[:5])
    assert not torch.equal(first[5:], second[5:])


@pytest.mark.parametrize("name", ["sequence_length", "features", "layers", "hidden", "epochs", "positive_weight"])
def test_settings_that_make_no_sense(name: str) -> None:
    with pytest.raises(ParameterError, match=f"{name} is 0; it must be greater than 0"):
        SFTT(**{name: 0})


def test_too_short_a_history(heatmaps: Heatmaps) -> None:
    with pytest.raises(DataError, match="holds 20 observed maps; at least 21"):
        SFTT().fit(heatmaps.before(20))
