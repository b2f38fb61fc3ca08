"""The network of SFTT: a CNN over each map, an LSTM along each cell, heads for hotspots and categories.

References
----------
Stalidis, Semertzidis, Daras (2018), Examining deep learning architectures for crime classification and prediction.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .causal import CONTEXT
from .padding import make_conv


class SFTTNetwork(nn.Module):
    """Spatial features per map, then time, then a head for hotspots and one for categories.

    Parameters
    ----------
    inputs : int
        Channels of a map.
    features, layers, kernel : int
        Channels, convolutions and their side, of the CNN.
    hidden : int
        Of the LSTM.
    categories : int
        Category heads.
    padding : str
    """

    def __init__(
        self, inputs: int, features: int, layers: int, kernel: int, hidden: int, categories: int, padding: str
    ) -> None:
        super().__init__()
        sizes = [inputs, *[features] * layers]
        self.spatial = nn.ModuleList(make_conv(size, features, kernel, padding) for size in sizes[:-1])
        self.temporal = nn.LSTM(features, hidden)
        self.head = nn.Linear(hidden + inputs, hidden)
        self.context = nn.Linear(CONTEXT, hidden)
        self.last = nn.Linear(hidden, 1 + categories)
        self.level = nn.Linear(CONTEXT, 1)
        for layer in (self.last, self.level):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(
        self, inputs: Tensor, context: Tensor, state: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, Tensor, tuple[Tensor, Tensor]]:
        """Run over a sequence.

        Parameters
        ----------
        inputs : Tensor, shape (L, B, inputs, H, W)
            Entry t holds what is known before map t.
        context : Tensor, shape (L, B, CONTEXT)
        state : (hidden, cell), optional

        Returns
        -------
        hotspot : Tensor, shape (L, B, H, W)
            Logit, or its departure from the prior's; depends on entries 0 to t only.
        categories : Tensor, shape (L, B, categories, H, W)
        state : (hidden, cell)
        """
        length, batch, channels, height, width = inputs.shape
        maps = inputs.reshape(length * batch, channels, height, width)
        for layer in self.spatial:
            maps = torch.relu(layer(maps))
        cells = batch * height * width
        features = maps.reshape(length, batch, -1, height * width).transpose(2, 3).reshape(length, cells, -1)
        hidden, state = self.temporal(features, state)
        own = inputs.reshape(length, batch, channels, height * width).transpose(2, 3).reshape(length, cells, channels)
        head = self.head(torch.cat([hidden, own], dim=2)).reshape(length, batch, height * width, -1)
        out = self.last(torch.relu(head + self.context(context)[:, :, None]))
        out = out.transpose(2, 3).reshape(length, batch, -1, height, width)
        return out[:, :, 0] + self.level(context)[:, :, :, None], out[:, :, 1:], state
