"""Single maps of a stack as samples of a network that looks at maps of chosen lags."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import expit
from torch import Tensor, nn

from ...learning.training import Batch, compute_weighted_loss
from ...learning.trainingstate import Schedule
from ..spans import Span, average_spans
from .causal import LOGIT_SCALE
from .mapnets import PRIOR
from .windows import TrainingStack, measure_prior_loss

#: Cells of the samples of an epoch, at most.
_EPOCH_CELLS = 2**18


class MapModel(Protocol):
    """What the samples ask of the forecaster that learns from them."""

    training: Schedule
    closeness: int
    prior: bool
    weight_: float

    def wanted(self) -> list[Span]:
        """Nearest and farthest lag of each map that its network reads."""
        ...

    def seen_layers(
        self, inputs: NDArray[np.floating], layers: NDArray[np.float32], where: tuple[slice, slice]
    ) -> NDArray[np.float32]:
        """The further layers that its network reads."""
        ...


class MapSamples:
    """Single maps of a stack, cut to a crop, as `training.Samples` of an `STResNetwork`."""

    axis = 0

    def __init__(self, model: MapModel, stack: TrainingStack, layers: NDArray[np.float32]) -> None:
        self.model, self.stack, self.layers = model, stack, layers
        self.start = measure_prior_loss(stack)
        self.wanted = model.wanted()
        self.shape = tuple(min(model.training.crop, side) for side in stack.mask.shape)
        # Before the first few maps there is next to nothing to forecast from.
        targets = np.flatnonzero(stack.targets)
        late = targets[targets >= model.closeness]
        self.targets = late if len(late) else targets

    def epoch(self, random: np.random.Generator) -> Iterator[list[Any]]:
        """Batches of (map, row, column) in random order."""
        mask, (height, width) = self.stack.mask, self.shape
        rows, columns = np.nonzero(mask)
        crops = -(-int(mask.sum()) // (height * width))
        most = min(self.model.training.windows, max(_EPOCH_CELLS // (height * width), 1))
        order = random.permutation(np.repeat(self.targets, crops))[:most]
        size = self.model.training.batch_size
        for low in range(0, len(order), size):
            batch = []
            for target in order[low : low + size]:
                # Around a random cell of the study area, so that no crop lies wholly outside it.
                cell = random.integers(len(rows))
                row = int(np.clip(rows[cell] - random.integers(height), 0, mask.shape[0] - height))
                column = int(np.clip(columns[cell] - random.integers(width), 0, mask.shape[1] - width))
                batch.append((int(target), row, column))
            yield batch

    def batch(self, samples: list[Any], device: torch.device) -> Batch:
        """Earlier maps, further layers, context, places, prior logits, events and validity."""
        stack, (height, width) = self.stack, self.shape
        parts: list[list[NDArray[Any]]] = [[] for _ in range(7)]
        for target, row, column in samples:
            where = slice(row, row + height), slice(column, column + width)
            inputs = stack.sequence.inputs[target]
            prior = inputs[PRIOR][where].astype(np.float32) * LOGIT_SCALE
            area = inputs[3][where].astype(np.float32)
            seen = stack.sequence.inputs[:, 0, where[0], where[1]]
            sample = (
                average_spans(seen, expit(prior) * area, 0, target, self.wanted),
                self.model.seen_layers(inputs, self.layers, where),
                stack.sequence.context[target],
                np.array([row, column]),
                prior,
                stack.events[target][where].astype(np.float32),
                stack.mask[where].astype(np.float32),
            )
            for part, each in zip(parts, sample, strict=True):
                part.append(each)
        return tuple(torch.from_numpy(np.stack(part)).to(device) for part in parts)

    def loss(self, network: nn.Module, part: Batch, cells: float) -> tuple[Tensor, Tensor]:
        """Weighted cross-entropy, and the plain log-loss minus the running mean's."""
        prior = part[4]
        out = network(*part[:4])
        return compute_weighted_loss(
            out if self.model.prior else out - prior, prior, part[5], part[6], self.model.weight_, cells
        )
