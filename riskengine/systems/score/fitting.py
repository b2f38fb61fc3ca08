"""Fitting one network: its rows, its optimiser, and the rows that choose its epoch."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from ...learning.loop import Curves, Stopping, Training
from .network import Architecture, ScoreNetwork, compute_loss, run_network

Table = NDArray[np.float32]
#: The rows of one epoch: their features and true scores.
Draw = Callable[[int], tuple[Table, Table]]
#: Called after each epoch with what is known; raises `Cancelled` when asked to stop.
Watch = Callable[[Curves, int], None]
_SEEDING = threading.Lock()
_SMALLEST_BATCH = 32


@dataclass(frozen=True)
class Fitting:
    """How a network is fitted.

    Attributes
    ----------
    epochs : int
        At most.
    patience : int
        Stops after so many epochs without a better development loss.
    learning_rate, weight_decay : float
        Of Adam (``constant``) or of AdamW.
    schedule : {"one_cycle", "constant"}
        One-cycle (Smith & Topin 2018) rises and falls over all epochs; constant is as published.
    batch_size : int
    least_steps : int
        Batches are made smaller until an epoch has so many steps: a small city is learned too.
    clip : float
        Largest norm of the gradient; 0 for none.
    """

    epochs: int = 24
    patience: int = 24
    learning_rate: float = 4e-3
    weight_decay: float = 1e-2
    schedule: Literal["one_cycle", "constant"] = "one_cycle"
    batch_size: int = 2048
    least_steps: int = 128
    clip: float = 1.0


def fit_network(
    architecture: Architecture,
    draw: Draw,
    development: tuple[Table, Table],
    fitting: Fitting,
    interval: float = 0.9,
    seed: int = 0,
    watch: Watch | None = None,
    check: Callable[[], None] | None = None,
) -> tuple[ScoreNetwork, Curves]:
    """Fit a network and leave it with the weights that did best on the development rows.

    Parameters
    ----------
    architecture : Architecture
    draw : callable
        Gives the rows of an epoch; scaling is learned from those of epoch 0.
    development : (table, score)
        Rows that choose the epoch and are not trained on.
    fitting : Fitting
    interval : float
    seed : int
        Of the weights and of the order of rows.
    watch : callable, optional
    check : callable, optional
        Called at every batch; raises `Cancelled` when asked to stop.

    Returns
    -------
    network : ScoreNetwork
    curves : Curves

    Notes
    -----
    If `watch` or `check` raises `Cancelled` the exception carries ``best``: the network so far and its curves.
    """
    random = torch.Generator().manual_seed(seed)
    network = _seeded(architecture, seed)
    table, score = draw(0)
    network.scale_to(table)
    batch = min(fitting.batch_size, max(_SMALLEST_BATCH, len(table) // fitting.least_steps))
    fitting = replace(fitting, batch_size=batch)
    optimiser, schedule = _optimiser(network, fitting, _steps(table, batch))
    training = Training(network, Stopping(fitting.epochs, fitting.patience, ties="last"))

    def after_epoch() -> None:
        if watch is not None:
            watch(training.curves, fitting.epochs)

    batches = _Batches(
        network, draw, (table, score), development, fitting, interval, optimiser, schedule, random, check
    )
    training.run(batches, after_epoch)
    network.eval()
    return network, training.curves


def _seeded(architecture: Architecture, seed: int) -> ScoreNetwork:
    # Several networks may be fitted at once: the global state of torch's randomness is theirs together.
    with _SEEDING:
        torch.manual_seed(seed)
        return ScoreNetwork(architecture)


def _optimiser(
    network: ScoreNetwork, fitting: Fitting, steps: int
) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.OneCycleLR | None]:
    if fitting.schedule == "constant":
        return torch.optim.Adam(network.parameters(), fitting.learning_rate, weight_decay=fitting.weight_decay), None
    optimiser = torch.optim.AdamW(network.parameters(), fitting.learning_rate, weight_decay=fitting.weight_decay)
    cycle = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, fitting.learning_rate, total_steps=fitting.epochs * steps + 1, pct_start=0.15
    )
    return optimiser, cycle


@dataclass(frozen=True)
class _Batches:
    """Epochs of rows in random order, one batch after the other."""

    network: ScoreNetwork
    draw: Draw
    first: tuple[Table, Table]
    development: tuple[Table, Table]
    fitting: Fitting
    interval: float
    optimiser: torch.optim.Optimizer
    schedule: torch.optim.lr_scheduler.OneCycleLR | None
    random: torch.Generator
    check: Callable[[], None] | None

    def epoch(self, number: int) -> float:
        table, score = self.draw(number - 1) if number > 1 else self.first
        fitting, network = self.fitting, self.network
        network.train()
        rows, truth = torch.from_numpy(table), torch.from_numpy(score)
        order = torch.randperm(len(rows), generator=self.random)
        steps = _steps(self.first[0], fitting.batch_size)
        total = 0.0
        for step in range(steps):
            if self.check is not None:
                self.check()
            batch = order[step * fitting.batch_size : (step + 1) * fitting.batch_size]
            loss, l1 = compute_loss(network(rows[batch]), truth[batch], self.interval)
            self.optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            if fitting.clip:
                torch.nn.utils.clip_grad_norm_(network.parameters(), fitting.clip)
            self.optimiser.step()
            if self.schedule is not None:
                self.schedule.step()
            total += float(l1)
        return total / steps

    def validate(self) -> float:
        table, score = self.development
        return float(np.abs(run_network(self.network, table)[:, 0] - score).mean())


def _steps(table: Table, batch: int) -> int:
    """Batches of an epoch; rows that fill none are left out, other ones in each epoch."""
    return max(1, len(table) // batch)
