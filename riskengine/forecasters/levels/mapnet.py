"""The network that sees the maps before, and the past maps that it learns from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ...learning.training import Batch
from .loglink import LEAST, MOST_CORRECTION, compute_losses
from .pastforecasts import PastForecasts

#: Rows and columns that any map is pooled to.
_POOLED = 4


class MapNetwork(nn.Module):
    """Two convolutions, pooled to a few squares, and a correction for each unit; untrained it corrects nothing.

    Parameters
    ----------
    layers : int
        Of a map.
    units : int
    features : int
        Channels of the first convolution; the second has twice as many.
    """

    def __init__(self, layers: int, units: int, features: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(layers, features, 3, padding=1)
        self.second = nn.Conv2d(features, 2 * features, 3, padding=1)
        self.joined = nn.Linear(2 * features * _POOLED**2, 2 * features)
        self.last = nn.Linear(2 * features, units)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)

    def forward(self, maps: Tensor) -> Tensor:
        """Compute what is added to the logarithm of each unit's expected events, shape (B, units).

        Parameters
        ----------
        maps : Tensor, shape (B, layers, H, W)
        """
        seen = torch.relu(self.first(maps))
        if min(seen.shape[2:]) >= 2 * _POOLED:
            seen = nn.functional.max_pool2d(seen, 2)
        seen = nn.functional.adaptive_avg_pool2d(torch.relu(self.second(seen)), _POOLED)
        joined = torch.relu(self.joined(seen.flatten(1)))
        correction: Tensor = self.last(joined).float()
        return correction.clamp(-MOST_CORRECTION, MOST_CORRECTION)


class MapLessons:
    """Past bins as `training.Samples`: the maps before each, what the level expected, and what came of it.

    Parameters
    ----------
    maps : ndarray of float32, shape (R, layers, H, W)
    past : PastForecasts
    rows : ndarray of int
        Those that are learned from.
    batch_size : int
    """

    axis = 0

    def __init__(
        self, maps: NDArray[np.float32], past: PastForecasts, rows: NDArray[np.int64], batch_size: int
    ) -> None:
        self._maps, self._rows, self._size = maps, rows, batch_size
        self._expected, self._events = past.expected.astype(np.float32), past.events.astype(np.float32)
        self.start = float(compute_losses(past.expected[rows], past.events[rows]).mean())

    def epoch(self, random: np.random.Generator) -> Iterator[list[Any]]:
        """Batches of rows in random order."""
        order = random.permutation(self._rows)
        for low in range(0, len(order), self._size):
            yield order[low : low + self._size].tolist()

    def batch(self, samples: list[Any], device: torch.device) -> Batch:
        """Maps, expected events, events, and a 1 for each."""
        parts = self._maps[samples], self._expected[samples], self._events[samples]
        return tuple(torch.from_numpy(each).to(device) for each in (*parts, np.ones_like(parts[1])))

    def loss(self, network: nn.Module, part: Batch, cells: float) -> tuple[Tensor, Tensor]:
        """Log-loss, and the same minus the level's."""
        maps, expected, events, _ = part
        loss = _lose(expected * torch.exp(network(maps)), events) / cells
        return loss, loss.detach() - _lose(expected, events) / cells


def _lose(expected: Tensor, events: Tensor) -> Tensor:
    return torch.where(events > 0, -torch.log((-torch.expm1(-expected)).clamp(min=LEAST)), expected).sum()
