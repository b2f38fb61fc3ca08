"""The ConvLSTM networks: one that learns how the next map departs from what place alone says, and the published one.

References
----------
Shi et al. (2015), Convolutional LSTM network: a machine learning approach for precipitation nowcasting.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from .causal import CHANNELS, CONTEXT
from .padding import convolve, make_conv

State = list[tuple[Tensor, Tensor]]


class ConvLSTMCell(nn.Module):
    """A convolutional LSTM layer: the four gates come from one convolution over input and hidden state.

    The convolution over the input does not wait for the hidden state, so it is made for all maps of a sequence at
    once; only the one over the hidden state goes from map to map.

    Parameters
    ----------
    inputs, channels : int
        Channels of the input and of the hidden state.
    kernel : int
        Side of the convolution, odd.
    padding : str
        What it sees beyond the edge, see `padding`.
    """

    def __init__(self, inputs: int, channels: int, kernel: int = 3, padding: str = "replicate") -> None:
        super().__init__()
        self.inputs, self.channels = inputs, channels
        self.gates = make_conv(inputs + channels, 4 * channels, kernel, padding)
        with torch.no_grad():
            assert self.gates.bias is not None
            # Open forget gates: an untrained cell remembers.
            self.gates.bias[channels : 2 * channels].fill_(1.0)

    def forward(self, seen: Tensor, state: tuple[Tensor, Tensor] | None = None) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Run over a sequence.

        Parameters
        ----------
        seen : Tensor, shape (L, B, inputs, H, W)
        state : (hidden, cell), optional
            Before the first map; zero by default.

        Returns
        -------
        hidden : Tensor, shape (L, B, channels, H, W)
        state : (hidden, cell)
            After the last map.
        """
        length, batch, _, height, width = seen.shape
        entering = convolve(self.gates, seen.flatten(0, 1), slice(0, self.inputs), bias=True)
        entering = entering.view(length, batch, 4 * self.channels, height, width)
        hidden, cell = state or (None, None)
        outputs = []
        for gates in entering:
            if hidden is not None:
                gates = gates + convolve(self.gates, hidden, slice(self.inputs, None), bias=False)
            enter, forget, leave = torch.sigmoid(gates[:, : 3 * self.channels]).chunk(3, dim=1)
            # The cell adds up over the sequence: it is kept in full precision whatever the gates are in.
            entered = enter * torch.tanh(gates[:, 3 * self.channels :]).float()
            cell = entered if cell is None else forget * cell + entered
            hidden = leave * torch.tanh(cell).to(leave.dtype)
            outputs.append(hidden)
        assert hidden is not None
        assert cell is not None
        return torch.stack(outputs), (hidden, cell)


class ConvLSTMNetwork(nn.Module):
    """Stacked ConvLSTM cells and a head that says by how much the logit of the next map departs from its prior.

    The head sees the last hidden state, the inputs, and what is known of the whole study area and the calendar. Its
    last layer starts at zero, so an untrained network forecasts exactly the causal running mean.

    Parameters
    ----------
    channels, layers, kernel : int
    padding : str
        By default the outermost cells are repeated beyond the edge: zeros would look like a place where nothing ever
        happens.
    extra : int
        Further channels of the input.
    """

    def __init__(
        self, channels: int = 16, layers: int = 2, kernel: int = 3, padding: str = "replicate", extra: int = 0
    ) -> None:
        super().__init__()
        sizes = [CHANNELS + extra, *[channels] * layers]
        self.cells = nn.ModuleList(ConvLSTMCell(size, channels, kernel, padding) for size in sizes[:-1])
        self.head = make_conv(channels + CHANNELS + extra, channels, kernel, padding)
        self.context = nn.Linear(CONTEXT, channels)
        self.last = nn.Conv2d(channels, 1, 1)
        self.level = nn.Linear(CONTEXT, 1)
        for layer in (self.last, self.level):
            nn.init.zeros_(layer.weight)
            assert layer.bias is not None
            nn.init.zeros_(layer.bias)

    def forward(
        self, inputs: Tensor, context: Tensor, state: State | None = None, targets: slice = slice(None)
    ) -> tuple[Tensor, State]:
        """Run over a sequence, or over a part of one that goes on from `state`.

        Parameters
        ----------
        inputs : Tensor, shape (L, B, CHANNELS + extra, H, W)
            Entry t holds what is known before map t.
        context : Tensor, shape (L, B, CONTEXT)
        state : list of (hidden, cell), optional
        targets : slice
            Maps of the sequence that are wanted; all of them by default.

        Returns
        -------
        departure : Tensor, shape (wanted, B, H, W)
            Logit of map t minus the logit of its prior; depends on entries 0 to t only.
        state : list of (hidden, cell)
        """
        hidden, after = inputs, []
        for number, cell in enumerate(self.cells):
            hidden, last = cell(hidden, None if state is None else state[number])
            after.append(last)
        seen, known = torch.cat([hidden[targets], inputs[targets]], dim=2), context[targets]
        features = torch.relu(self.head(seen.flatten(0, 1)) + self.context(known).flatten(0, 1)[:, :, None, None])
        departure = self.last(features).float().view(*seen.shape[:2], *seen.shape[3:])
        return departure + self.level(known)[..., None], after


class PublishedNetwork(nn.Module):
    """ConvLSTM layers, each with max pooling over time (and space), until one map is left.

    Parameters
    ----------
    length : int
        Maps in a window; log2 of it, rounded up, is the number of layers.
    channels, kernel : int
    squash : int
        Layers whose pooling halves rows and columns as well.
    padding : str
    """

    def __init__(self, length: int, channels: int = 16, kernel: int = 3, squash: int = 2, padding: str = "zeros"):
        super().__init__()
        layers = max(math.ceil(math.log2(length)), 1)
        self.cells = nn.ModuleList(
            ConvLSTMCell(channels if number else 1, channels, kernel, padding) for number in range(layers)
        )
        self.pools = [(2, 2, 2) if number < squash else (2, 1, 1) for number in range(layers)]
        self.head = make_conv(channels, channels, kernel, padding)
        self.last = nn.Conv2d(channels, 1, 1)

    def forward(self, maps: Tensor) -> Tensor:
        """Compute logits, shape (B, H, W), of the maps that follow windows of shape (L, B, H, W)."""
        hidden = maps[:, :, None]
        for cell, pool in zip(self.cells, self.pools, strict=True):
            hidden, _ = cell(hidden)
            # (L, B, C, H, W) to (B, C, L, H, W) and back; an odd map, row or column is pooled alone.
            hidden = functional.max_pool3d(hidden.permute(1, 2, 0, 3, 4), pool, ceil_mode=True).permute(2, 0, 1, 3, 4)
        squashed = functional.interpolate(hidden[-1].float(), size=maps.shape[2:], mode="bilinear", align_corners=False)
        logits: Tensor = self.last(torch.relu(self.head(squashed)))[:, 0].float()
        return logits
