"""ConvLSTM as published: windows of 16 binary maps, 3-D max pooling, a weighted loss."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from kit.maps import make_stack, make_travelling

from riskengine.forecasters.networks.causal import build_sequence
from riskengine.forecasters.networks.convlstm_published import PUBLISHED, PublishedConvLSTM
from riskengine.forecasters.networks.network import PublishedNetwork
from riskengine.ground.errors import ParameterError
from riskengine.maps.gaps import binarize, fill_gaps
from riskengine.maps.heatmaps import Heatmaps
from riskengine.measures.metrics import log_loss

TINY: dict[str, Any] = {"sequence_length": 6, "channels": 6, "squash": 0}


@pytest.fixture(scope="module")
def fitted() -> tuple[Heatmaps, PublishedConvLSTM]:
    heatmaps = make_travelling(110, 8)
    return heatmaps, PublishedConvLSTM(epochs=12, padding="replicate", **TINY).fit(heatmaps.before(90))


def test_pooling_leaves_one_map_of_any_window_and_grid() -> None:
    network = PublishedNetwork(16, 4)
    assert len(network.cells) == 4
    assert network.pools == [(2, 2, 2), (2, 2, 2), (2, 1, 1), (2, 1, 1)]
    for length, rows, columns in ((16, 32, 32), (16, 9, 5), (5, 7, 30)):
        assert PublishedNetwork(length, 4)(torch.zeros(length, 2, rows, columns)).shape == (2, rows, columns)


def test_the_published_schedule_is_the_articles() -> None:
    schedule = PublishedConvLSTM(schedule="published").training
    assert (schedule.epochs, schedule.learning_rate, schedule.batch_size) == (100, 1e-4, 8)
    assert (schedule.sequence_length, schedule.patience, schedule.keep) == (16, 0, "last")
    assert PublishedConvLSTM().padding == "zeros"
    assert PUBLISHED.supervision == "windows"
    with pytest.raises(ParameterError, match="schedule is 'long'"):
        PublishedConvLSTM(schedule="long")


def test_it_learns_and_is_a_probability(fitted: tuple[Heatmaps, PublishedConvLSTM]) -> None:
    heatmaps, model = fitted
    truth = heatmaps.counts[90:]
    risk = model.predict_each(heatmaps, 90)
    assert log_loss(risk, truth) < 0.8 * model.curves_.validation_start
    assert risk.mean() == pytest.approx(truth.mean(), rel=0.2)


def test_uncalibrated_it_is_as_published_and_ranks_alike(fitted: tuple[Heatmaps, PublishedConvLSTM]) -> None:
    heatmaps, model = fitted
    share = heatmaps.counts[:72].mean()
    assert model.weight_ == pytest.approx((1 - share) / share)
    raw = PublishedConvLSTM(calibrated=False, epochs=12, padding="replicate", **TINY).restore(
        {**model.state(), "slope_": np.asarray(1.0), "shift_": np.asarray(0.0)}
    )
    published, corrected = raw.predict(heatmaps)[0], model.predict(heatmaps)[0]
    # The weight multiplies the odds: events and the rest count alike, so the mean is near one half.
    assert published.mean() > 1.3 * corrected.mean()
    assert np.array_equal(np.argsort(published, axis=None)[-5:], np.argsort(corrected, axis=None)[-5:])


def test_one_pass_equals_one_forecast_at_a_time(fitted: tuple[Heatmaps, PublishedConvLSTM]) -> None:
    heatmaps, model = fitted
    each = model.predict_each(heatmaps, 3)
    for origin in (3, 5, 6, 7, 40, 90, 109):
        assert model.predict(heatmaps.before(origin))[0] == pytest.approx(each[origin - 3], abs=1e-6)


def test_without_a_whole_window_it_is_the_running_mean(fitted: tuple[Heatmaps, PublishedConvLSTM]) -> None:
    heatmaps, model = fitted
    early = heatmaps.before(5)
    _, state = build_sequence(early.counts, early.observed, early.mask, early.edges)
    assert model.predict(early)[0] == pytest.approx(state.prior(), abs=1e-6)
    assert abs(model.predict(heatmaps.before(6))[0] - model.predict(early)[0]).max() > 0.01


def test_a_further_step_reads_the_forecasts_before_it(fitted: tuple[Heatmaps, PublishedConvLSTM]) -> None:
    heatmaps, model = fitted
    risk = model.predict(heatmaps, 4)
    assert np.array_equal(risk[:2], model.predict(heatmaps, 2))
    assert ((risk > 0) & (risk < 1)).all()


def test_filled_maps_are_read_only_when_asked_for() -> None:
    """Every other map is missing and filled on the line to the next one: whoever reads it knows the future."""
    random = np.random.default_rng(4)
    coins = (random.random((120, 6, 6)) < 0.5).astype(np.uint8)
    observed = np.arange(120) % 2 == 0
    coins[1:-1:2] = coins[2::2]
    leaky = make_stack(coins, observed=observed)
    losses = {}
    for read in (False, True):
        model = PublishedConvLSTM(read_filled=read, padding="replicate", sequence_length=2, squash=0)
        model.training = replace(model.training, epochs=25, learning_rate=0.02)
        model.fit(leaky.before(100))
        risk = model.predict_each(leaky, 100)[observed[100:]]
        losses[read] = log_loss(risk, coins[100:][observed[100:]])
    assert losses[False] > 0.98 * np.log(2)
    assert losses[True] < 0.7 * np.log(2)


def test_a_stack_filled_as_published_trains() -> None:
    heatmaps = make_travelling(60, 6)
    counts = heatmaps.counts.copy()
    counts[::5] = 0
    filled = binarize(fill_gaps(make_stack(counts), "linear"))
    model = PublishedConvLSTM(read_filled=True, epochs=2, **TINY).fit(filled)
    assert np.isfinite(model.predict(filled)).all()


def test_same_seed_same_result() -> None:
    heatmaps = make_travelling(50, 6)
    runs = [PublishedConvLSTM(epochs=2, seed=seed, **TINY).fit(heatmaps) for seed in (3, 3, 4)]
    assert np.array_equal(runs[0].predict(heatmaps), runs[1].predict(heatmaps))
    assert runs[0].curves_.loss != runs[2].curves_.loss
