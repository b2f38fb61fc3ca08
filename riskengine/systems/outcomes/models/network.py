"""The published network: two hidden layers of 200 rectifiers with dropout."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import expit, logit
from torch import nn

from ....ground.context import JobContext
from ....learning.threads import prepare_torch, repeatable, workers
from ....learning.weights import network_of, weights_of
from ..rows import Floats, Rows
from .columns import Columns, order_rows
from .fields import FieldModel
from .onehot import OneHot
from .published import PublishedColumns

#: As published; the share that dropout leaves out is what its program takes by default, and the batch is ours.
HIDDEN, EPOCHS, PENALTY, DROPOUT, BATCH = 200, 10, 1e-4, 0.5, 128
_LEARNING_RATE = 1e-3
#: Rows predicted together.
_AT_ONCE = 8192
#: Batches between two looks at whether the user has cancelled.
_BATCHES_A_LOOK = 50
_PREFIX = "network."


class TwoLayers(nn.Module):
    """A network that reads levels by their number, which is what a layer over their one-hot columns would do.

    Parameters
    ----------
    levels : int
        Levels of all texts together.
    numbers : int
    """

    def __init__(self, levels: int, numbers: int) -> None:
        super().__init__()
        # The last level stands for none, and is never learned.
        self.levels = nn.EmbeddingBag(levels + 1, HIDDEN, mode="sum", padding_idx=levels)
        self.numbers = nn.Linear(numbers, HIDDEN)
        self.second = nn.Linear(HIDDEN, HIDDEN)
        self.last = nn.Linear(HIDDEN, 1)
        self.dropout = nn.Dropout(DROPOUT)

    def forward(self, levels: torch.Tensor, numbers: torch.Tensor) -> torch.Tensor:
        """Logits, shape (N,)."""
        first: torch.Tensor = self.levels(levels) + self.numbers(numbers)
        second = self.second(self.dropout(torch.relu(first)))
        odds: torch.Tensor = self.last(self.dropout(torch.relu(second)))
        return odds[:, 0]

    def penalty(self) -> torch.Tensor:
        """Sum of the sizes of all weights and of half their squares, as published."""
        parts = [self.levels.weight, self.numbers.weight, self.second.weight, self.last.weight]
        return torch.stack([part.abs().sum() + 0.5 * part.square().sum() for part in parts]).sum()


class PublishedNetwork(FieldModel):
    """The published network over the published inputs.

    Attributes
    ----------
    columns_ : PublishedColumns
    encoding_ : OneHot
    network_ : TwoLayers
    """

    def _fit(self, rows: Rows, context: JobContext) -> bool:
        self.columns_ = PublishedColumns(self.reading, self.rates_)
        table = self.columns_.learn(rows)
        if not table.shape[1]:
            return False
        order = order_rows(table, rows.outcomes)
        table = table[order]
        self.encoding_ = OneHot(self.columns_).learn(table)
        device = prepare_torch(self.reading.seed)
        with repeatable(device), workers(device):
            network = TwoLayers(self.encoding_.levels, self.encoding_.numbers).to(device)
            # Of many values one is read at a time: small weights, as a layer over all columns would have.
            with torch.no_grad():
                network.levels.weight[:-1].normal_(std=(self.encoding_.width + 1) ** -0.5)
                # Of few rows ten epochs are few steps: they begin at the rate of all incidents.
                network.last.bias.fill_(float(logit(rows.outcomes.mean())))
            levels, numbers = self._split(table, device)
            happened = torch.tensor(rows.outcomes[order].astype(np.float32), device=device)
            self._train(network, levels, numbers, happened, context)
        self.network_ = network.cpu().eval()
        return True

    def _train(
        self,
        network: TwoLayers,
        levels: torch.Tensor,
        numbers: torch.Tensor,
        happened: torch.Tensor,
        context: JobContext,
    ) -> None:
        optimiser = torch.optim.Adam(network.parameters(), lr=_LEARNING_RATE)
        loss = nn.BCEWithLogitsLoss()
        device = happened.device
        network.train()
        for epoch in range(EPOCHS):
            for number, batch in enumerate(torch.split(torch.randperm(len(happened)).to(device), BATCH)):
                if number % _BATCHES_A_LOOK == 0:
                    share = (epoch + number * BATCH / len(happened)) / EPOCHS
                    context.progress(share, f"Training the published network: epoch {epoch + 1} of {EPOCHS}")
                optimiser.zero_grad()
                logits = network(levels[batch], numbers[batch])
                (loss(logits, happened[batch]) + PENALTY * network.penalty()).backward()
                optimiser.step()

    def _split(self, table: Columns, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
        levels, numbers = self.encoding_.split(table)
        levels = np.where(levels < 0, self.encoding_.levels, levels)
        return torch.from_numpy(levels).to(device), torch.from_numpy(numbers).to(device)

    def _predict(self, rows: Rows) -> Floats:
        levels, numbers = self._split(self.columns_.make(rows), torch.device("cpu"))
        with torch.no_grad(), workers(torch.device("cpu")):
            parts = zip(torch.split(levels, _AT_ONCE), torch.split(numbers, _AT_ONCE), strict=True)
            logits = [self.network_(*part).double().numpy() for part in parts]
        return np.asarray(expit(np.concatenate([np.zeros(0), *logits])))

    def _state(self) -> dict[str, NDArray[Any]]:
        weights = {_PREFIX + name: array for name, array in weights_of(self.network_).items()}
        return self.columns_.state() | self.encoding_.state() | weights

    def _restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        self.columns_ = PublishedColumns(self.reading, self.rates_).restore(state)
        self.encoding_ = OneHot(self.columns_).restore(state)
        weights = {name.removeprefix(_PREFIX): array for name, array in state.items() if name.startswith(_PREFIX)}
        self.network_ = network_of(lambda: TwoLayers(self.encoding_.levels, self.encoding_.numbers), weights).eval()
