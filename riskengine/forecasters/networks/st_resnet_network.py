"""The network of ST-ResNet: a branch of residual units per group of maps, fused.

References
----------
Zhang, Zheng, Qi (2017), Deep spatio-temporal residual networks for citywide crowd flows prediction.
"""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn

from .causal import CONTEXT
from .padding import make_conv


class ResidualUnit(nn.Module):
    """Two convolutions whose result is added to what came in."""

    def __init__(self, features: int, kernel: int, padding: str) -> None:
        super().__init__()
        self.first = make_conv(features, features, kernel, padding)
        self.second = make_conv(features, features, kernel, padding)

    def forward(self, maps: Tensor) -> Tensor:
        """Run maps of shape (B, features, H, W) through; the shape stays."""
        changed: Tensor = maps + self.second(torch.relu(self.first(torch.relu(maps))))
        return changed


class STResNetwork(nn.Module):
    """A branch of residual units per group of maps, fused by learned weights, and what the calendar says.

    Parameters
    ----------
    branches : list of int
        Maps that each branch reads.
    layers : int
        Further channels that every branch reads: study area, static layers, and what `CausalState` summarises.
    features, units, kernel : int
        Channels, residual units of a branch, side of the convolutions.
    padding : str
    cells : (rows, columns), optional
        Weigh each branch in each cell, as published; the weights belong to this grid.
    """

    def __init__(
        self,
        branches: list[int],
        layers: int,
        features: int,
        units: int,
        kernel: int,
        padding: str,
        cells: tuple[int, int] | None,
    ) -> None:
        super().__init__()
        self.sizes = branches
        self.entries = nn.ModuleList(make_conv(size + layers, features, kernel, padding) for size in branches)
        self.units = nn.ModuleList(
            nn.Sequential(*(ResidualUnit(features, kernel, padding) for _ in range(units))) for _ in branches
        )
        self.fusion = nn.Parameter(torch.full((len(branches), features), 1 / len(branches)))
        self.cells = nn.Parameter(torch.zeros(len(branches), *cells)) if cells else None
        self.external = nn.Linear(CONTEXT, features)
        self.last = nn.Conv2d(features, 1, 1)
        self.level = nn.Linear(CONTEXT, 1)
        for layer in (self.last, self.level):
            nn.init.zeros_(layer.weight)
            assert layer.bias is not None
            nn.init.zeros_(layer.bias)

    def forward(self, seen: Tensor, layers: Tensor, context: Tensor, place: Tensor) -> Tensor:
        """Forecast a map each.

        Parameters
        ----------
        seen : Tensor, shape (B, maps of all branches, H, W)
        layers : Tensor, shape (B, layers, H, W)
        context : Tensor, shape (B, CONTEXT)
        place : Tensor of integers, shape (B, 2)
            Row and column of the upper-left cell within the whole grid.

        Returns
        -------
        Tensor, shape (B, H, W)
        """
        fused: Tensor | float = 0.0
        ends = list(itertools.accumulate(self.sizes, initial=0))
        for number, (entry, units) in enumerate(zip(self.entries, self.units, strict=True)):
            maps = units(entry(torch.cat([seen[:, ends[number] : ends[number + 1]], layers], dim=1)))
            weight = self.fusion[number][None, :, None, None]
            if self.cells is not None:
                height, width = seen.shape[-2:]
                corners = [tuple(int(each) for each in corner) for corner in place]
                cut = [self.cells[number, row : row + height, column : column + width] for row, column in corners]
                weight = weight * (1 + torch.stack(cut)[:, None])
            fused = fused + maps * weight
        hidden = torch.relu(fused + self.external(context)[:, :, None, None])
        out: Tensor = self.last(hidden)[:, 0] + self.level(context)[:, :, None]
        return out
