"""What a network sees beyond the edge of the grid, and which cells it answers for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from kit.maps import make_stack, make_travelling

from riskengine.forecasters.networks.causal import build_sequence
from riskengine.forecasters.networks.convlstm import ConvLSTMForecaster
from riskengine.forecasters.networks.convlstm_published import PublishedConvLSTM
from riskengine.forecasters.networks.network import ConvLSTMNetwork
from riskengine.forecasters.networks.padding import PADDINGS, choose_cells, convolve, make_conv
from riskengine.forecasters.networks.windows import TrainingStack, WindowSamples
from riskengine.ground.errors import DataError, ParameterError
from riskengine.learning.trainingstate import Schedule

TINY: dict[str, Any] = {"sequence_length": 6, "channels": 4, "epochs": 2}


def departures(padding: str, side: int = 9) -> np.ndarray:
    """What a network with random weights makes of maps that are the same everywhere, shape (side, side)."""
    torch.manual_seed(3)
    network = ConvLSTMNetwork(4, 2, padding=padding)
    torch.nn.init.normal_(network.last.weight)
    with torch.inference_mode():
        found, _ = network(torch.full((2, 1, 4, side, side), 0.5), torch.zeros(2, 1, 13))
    return found[-1, 0].numpy()


def test_on_a_constant_field_only_zeros_draw_a_border() -> None:
    for padding in ("replicate", "reflect"):
        flat = departures(padding)
        assert flat == pytest.approx(np.full_like(flat, flat[4, 4]), abs=1e-6)
    zeros = departures("zeros")
    assert abs(zeros[0] - zeros[4, 4]).max() > 0.01


def test_each_padding_by_hand() -> None:
    row = torch.tensor([[[[1.0, 2.0, 4.0]]]])
    expected = {"zeros": [3.0, 7.0, 6.0], "ignore": [3.0, 7.0, 6.0], "replicate": [4.0, 7.0, 10.0]}
    for padding, sums in expected.items():
        layer = make_conv(1, 1, 3, padding)
        torch.nn.init.zeros_(layer.bias)
        with torch.no_grad():
            layer.weight.zero_()
            layer.weight[0, 0, 1] = 1.0
        assert layer(row).flatten().tolist() == sums
    layer = make_conv(1, 1, 3, "reflect")
    with torch.no_grad():
        layer.weight.fill_(0.0)
        layer.weight[0, 0, 1] = 1.0
        layer.bias.zero_()
    assert layer(row.expand(1, 1, 3, 3)).flatten().tolist()[:3] == [5.0, 7.0, 8.0]


@pytest.mark.parametrize("padding", PADDINGS)
def test_a_convolution_is_the_sum_of_its_parts(padding: str) -> None:
    torch.manual_seed(0)
    layer, maps = make_conv(5, 3, 3, padding), torch.randn(2, 5, 6, 7)
    parts = convolve(layer, maps[:, :2], slice(0, 2), True) + convolve(layer, maps[:, 2:], slice(2, None), False)
    assert torch.allclose(layer(maps), parts, atol=1e-6)


@pytest.mark.parametrize("kind", [ConvLSTMForecaster, PublishedConvLSTM])
@pytest.mark.parametrize("padding", PADDINGS)
def test_all_four_train_and_forecast(kind: Any, padding: str) -> None:
    heatmaps = make_travelling(40, side=12)
    risk = kind(padding=padding, **TINY).fit(heatmaps.before(34)).predict_each(heatmaps, 34)
    assert risk.shape == (6, 12, 12)
    assert ((risk > 0) & (risk < 1)).all()


@pytest.mark.parametrize("kind", [ConvLSTMForecaster, PublishedConvLSTM])
def test_an_ignored_border_is_the_running_mean(kind: Any) -> None:
    heatmaps = make_travelling(40, side=10)
    mask = np.ones((10, 10), bool)
    mask[:, 8:] = False
    heatmaps = make_stack(heatmaps.counts, mask)
    model = kind(padding="ignore", border=2, **TINY).fit(heatmaps.before(34))
    risk = model.predict(heatmaps)[0]
    _, state = build_sequence(heatmaps.counts * mask, heatmaps.observed, mask, heatmaps.edges)
    border = mask & ~choose_cells(mask, "ignore", 2)
    assert border.sum() == 80 - 6 * 6
    assert risk[border] == pytest.approx(state.prior()[border], abs=1e-6)
    assert np.isnan(risk[~mask]).all()
    inner = mask & ~border
    assert abs(risk[inner] - state.prior()[inner]).max() > 1e-4


def test_an_ignored_border_is_not_in_the_loss() -> None:
    first = make_travelling(20, side=8)
    scored = choose_cells(first.mask, "ignore", 2)
    schedule, device = Schedule(sequence_length=6, stride=2), torch.device("cpu")
    losses = []
    for counts in (first.counts, np.where(scored, first.counts, 1 - first.counts)):
        # The same inputs, other targets in the border.
        sequence, _ = build_sequence(first.counts, first.observed, first.mask, first.edges)
        samples = WindowSamples(TrainingStack(sequence, counts, first.observed, scored), schedule, 2.0)
        torch.manual_seed(0)
        network = ConvLSTMNetwork(4, 1)
        torch.nn.init.normal_(network.last.weight)
        batch = samples.batch([(3, 0, 0), (8, 0, 0)], device)
        assert batch[-1].sum() == 2 * 6 * 4 * 4
        loss, gain = samples.loss(network, batch, 192.0)
        losses.append([loss.item(), gain.item(), samples.start])
    assert losses[0] == losses[1]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"padding": "mirror"}, "padding is 'mirror'"),
        ({"kernel": 4}, "kernel is 4; it must be an odd number"),
        ({"border": -1}, "border is -1"),
    ],
)
def test_it_refuses_with_a_sentence(settings: dict[str, Any], message: str) -> None:
    for kind in (ConvLSTMForecaster, PublishedConvLSTM):
        with pytest.raises(ParameterError, match=message):
            kind(**settings)


def test_a_small_grid_cannot_be_mirrored_or_lose_its_border() -> None:
    heatmaps = make_travelling(40, side=2)
    with pytest.raises(DataError, match="2 rows and 2 columns; reflect padding with a kernel of 5 needs more than 2"):
        ConvLSTMForecaster(padding="reflect", kernel=5, **TINY).fit(heatmaps)
    with pytest.raises(DataError, match="No cell of the study area lies more than 1 cell inside"):
        ConvLSTMForecaster(padding="ignore", **TINY).fit(heatmaps)
