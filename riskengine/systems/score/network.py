"""The networks that predict the crime score: fully connected, small, with their input scaling inside."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn
from torch.nn import functional

#: Hidden layers of the published network: with 20 inputs and one output 2,942 parameters.
PUBLISHED_WIDTHS = (26, 28, 18, 15, 15, 12, 12, 10, 6, 6)
#: Features that a network may have.
MAX_INPUTS = 1000
#: A feature that varies less says nothing.
LEAST_SPREAD = 1e-6


class Architecture(BaseModel):
    """What is needed to build a network again; bounded, so a damaged header cannot ask for the moon.

    Attributes
    ----------
    inputs : int
    widths : tuple of int
        Hidden layers; none is logistic regression.
    activation : {"relu", "silu"}
    output : {"sigmoid", "interval"}
        One score through a sigmoid, as published; or median, lower and upper quantile.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    inputs: int = Field(ge=1, le=MAX_INPUTS)
    widths: tuple[int, ...] = Field(max_length=64)
    activation: Literal["relu", "silu"] = "silu"
    output: Literal["sigmoid", "interval"] = "interval"

    def describe(self) -> str:
        """Describe it for people: inputs, hidden layers and output, as ``20-26-28-1``."""
        return "-".join(str(width) for width in (self.inputs, *self.widths, 1 if self.output == "sigmoid" else 3))


class ScoreNetwork(nn.Module):
    """A multilayer perceptron that scales its features itself, and holds them to the range seen in training.

    Parameters
    ----------
    architecture : Architecture
    """

    centre: Tensor
    spread: Tensor
    lowest: Tensor
    highest: Tensor

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = architecture
        for name, value in (("centre", 0.0), ("spread", 1.0), ("lowest", -1e30), ("highest", 1e30)):
            self.register_buffer(name, torch.full((architecture.inputs,), value))
        activation = nn.SiLU if architecture.activation == "silu" else nn.ReLU
        layers: list[nn.Module] = []
        width = architecture.inputs
        for hidden in architecture.widths:
            layers += [nn.Linear(width, hidden), activation()]
            width = hidden
        self.layers = nn.Sequential(*layers, nn.Linear(width, 1 if architecture.output == "sigmoid" else 3))

    def scale_to(self, table: NDArray[np.float32]) -> None:
        """Learn the scaling from the training rows, and from them alone."""
        self.centre.copy_(torch.from_numpy(table.mean(axis=0, dtype=np.float64).astype(np.float32)))
        spread = table.std(axis=0, dtype=np.float64).astype(np.float32)
        self.spread.copy_(torch.from_numpy(np.where(spread > LEAST_SPREAD, spread, np.float32(1.0))))
        self.lowest.copy_(torch.from_numpy(table.min(axis=0)))
        self.highest.copy_(torch.from_numpy(table.max(axis=0)))

    def forward(self, table: Tensor) -> Tensor:
        """Score, lower and upper bound of each row, shape (n, 3); of a sigmoid network the score alone, (n, 1)."""
        held = torch.minimum(torch.maximum(table, self.lowest), self.highest)
        out: Tensor = self.layers((held - self.centre) / self.spread)
        if self.architecture.output == "sigmoid":
            return torch.sigmoid(out)
        score = out[:, :1]
        # The bounds are distances from the score, so that they cannot cross it; they do not pull at it in training.
        away = functional.softplus(out[:, 1:])
        return torch.cat((score, score.detach() - away[:, :1], score.detach() + away[:, 1:]), dim=1)

    def count_parameters(self) -> int:
        """Count the trainable parameters."""
        return sum(parameter.numel() for parameter in self.parameters())


def compute_loss(out: Tensor, score: Tensor, interval: float) -> tuple[Tensor, Tensor]:
    """Compute what is minimised, and the plain L1 of the score.

    Parameters
    ----------
    out : Tensor, shape (n, 1) or (n, 3)
    score : Tensor, shape (n,)
        The truth.
    interval : float
        Share of truths the bounds should hold, e.g. 0.9.
    """
    l1 = (out[:, 0] - score).abs().mean()
    if out.shape[1] == 1:
        return l1, l1.detach()
    tail = (1.0 - interval) / 2
    below, above = score - out[:, 1], score - out[:, 2]
    # Koenker & Bassett (1978): the pinball loss is smallest at the quantile.
    pinball = torch.maximum(tail * below, (tail - 1) * below) + torch.maximum((1 - tail) * above, -tail * above)
    return l1 + pinball.mean(), l1.detach()


@torch.no_grad()
def run_network(network: ScoreNetwork, table: NDArray[np.float32], batch: int = 16_384) -> NDArray[np.float32]:
    """Run the network on every row: its output, shape (n, 1 or 3), clipped to [0, 1]."""
    network.eval()
    parts = [network(torch.from_numpy(table[start : start + batch])) for start in range(0, len(table), batch)]
    if not parts:
        return np.zeros((0, 1 if network.architecture.output == "sigmoid" else 3), dtype=np.float32)
    result: NDArray[np.float32] = torch.cat(parts).clamp(0.0, 1.0).numpy()
    return result
