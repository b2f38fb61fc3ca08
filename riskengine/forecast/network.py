"""The ConvLSTM network: learns how the next map departs from what place alone tells.

References
----------
Shi et al. (2015), Convolutional LSTM network: a machine learning approach for precipitation nowcasting.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .causal import CHANNELS, CONTEXT

State = list[tuple[Tensor, Tensor]]


class ConvLSTMCell(nn.Module):
    """A convolutional LSTM cell: the four gates come from one convolution over input and hidden state.

    Beyond the edge the outermost cells are repeated: zeros would look like a place where nothing ever happens.

    Parameters
    ----------
    inputs, channels : int
        Channels of the input and of the hidden state.
    kernel : int
        Side of the convolution, odd.
    """

    def __init__(self, inputs: int, channels: int, kernel: int = 3) -> None:
        super().__init__()
        self.channels = channels
        self.gates = nn.Conv2d(inputs + channels, 4 * channels, kernel, padding=kernel // 2, padding_mode="replicate")
        with torch.no_grad():
            assert self.gates.bias is not None
            # Open forget gates: an untrained cell remembers.
            self.gates.bias[channels : 2 * channels].fill_(1.0)

    def forward(self, seen: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        """One step: input (B, inputs, H, W) and (hidden, cell) give the next (hidden, cell)."""
        hidden, cell = state
        enter, forget, leave, new = self.gates(torch.cat([seen, hidden], dim=1)).chunk(4, dim=1)
        cell = torch.sigmoid(forget) * cell + torch.sigmoid(enter) * torch.tanh(new)
        return torch.sigmoid(leave) * torch.tanh(cell), cell


class ConvLSTMNetwork(nn.Module):
    """Stacked ConvLSTM cells and a head that says by how much the logit of the next map departs from its prior.

    The head sees the last hidden state, the inputs, and what is known of the whole study area and the calendar. Its
    last layer starts at zero, so an untrained network forecasts exactly the causal running mean.

    Parameters
    ----------
    channels, layers, kernel : int
    """

    def __init__(self, channels: int = 16, layers: int = 2, kernel: int = 3) -> None:
        super().__init__()
        sizes = [CHANNELS, *[channels] * layers]
        self.cells = nn.ModuleList(ConvLSTMCell(size, channels, kernel) for size in sizes[:-1])
        self.head = nn.Conv2d(channels + CHANNELS, channels, kernel, padding=kernel // 2, padding_mode="replicate")
        self.context = nn.Linear(CONTEXT, channels)
        self.last = nn.Conv2d(channels, 1, 1)
        self.level = nn.Linear(CONTEXT, 1)
        for layer in (self.last, self.level):
            nn.init.zeros_(layer.weight)
            assert layer.bias is not None
            nn.init.zeros_(layer.bias)

    def start(self, inputs: Tensor) -> State:
        """Hidden states before the first map: zero."""
        batch, _, height, width = inputs.shape[1:]
        zero = inputs.new_zeros(batch, self.last.in_channels, height, width)
        return [(zero, zero) for _ in self.cells]

    def forward(self, inputs: Tensor, context: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """Run over a sequence.

        Parameters
        ----------
        inputs : Tensor, shape (L, B, CHANNELS, H, W)
            Entry t holds what is known before map t.
        context : Tensor, shape (L, B, CONTEXT)

        Returns
        -------
        departure : Tensor, shape (L, B, H, W)
            Logit of map t minus the logit of its prior; depends on entries 0 to t only.
        state : list of (hidden, cell)
        """
        state = self.start(inputs) if state is None else list(state)
        departures = []
        shift, level = self.context(context), self.level(context)
        for step, seen in enumerate(inputs):
            hidden = seen
            for number, cell in enumerate(self.cells):
                state[number] = cell(hidden, state[number])
                hidden = state[number][0]
            features = torch.relu(self.head(torch.cat([hidden, seen], dim=1)) + shift[step][:, :, None, None])
            departures.append(self.last(features)[:, 0] + level[step][:, :, None])
        return torch.stack(departures), state
