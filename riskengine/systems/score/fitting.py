"""Fitting one network: batches, development loss, patience, and the best weights kept."""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from ...ground.errors import Cancelled
from .network import Architecture, ScoreNetwork, run_network, score_loss

Table = NDArray[np.float32]
#: The rows of one epoch: their features and true scores.
Draw = Callable[[int], tuple[Table, Table]]
#: Called after each epoch with what is known; raises `Cancelled` when asked to stop.
Watch = Callable[["Curves", int], None]
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


@dataclass
class Curves:
    """L1 per epoch on the training rows (as it was met) and on the development rows."""

    train: list[float] = field(default_factory=list)
    development: list[float] = field(default_factory=list)
    best_epoch: int = 0
    seconds: float = 0.0

    @property
    def best(self) -> float:
        """The lowest development loss."""
        return min(self.development, default=float("inf"))


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
    steps = max(1, len(table) // batch)
    optimiser, schedule = _optimiser(network, fitting, steps)
    curves = Curves()
    best = copy.deepcopy(network.state_dict())
    started = time.perf_counter()
    try:
        for epoch in range(fitting.epochs):
            if epoch:
                table, score = draw(epoch)
            loss = _epoch(network, table, score, optimiser, schedule, steps, fitting, interval, random, check)
            curves.train.append(loss)
            found = float(np.abs(run_network(network, development[0])[:, 0] - development[1]).mean())
            curves.development.append(found)
            if found <= curves.best:
                curves.best_epoch = epoch + 1
                best = copy.deepcopy(network.state_dict())
            curves.seconds = time.perf_counter() - started
            if watch is not None:
                watch(curves, fitting.epochs)
            if epoch + 1 - curves.best_epoch >= fitting.patience:
                break
    except Cancelled as cancelled:
        network.load_state_dict(best)
        # An epoch that was not finished leaves no trace in the curves; the weights are those of the best one.
        cancelled.best = (network, curves)
        raise
    network.load_state_dict(best)
    network.eval()
    return network, curves


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


def _epoch(
    network: ScoreNetwork,
    table: Table,
    score: Table,
    optimiser: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.OneCycleLR | None,
    steps: int,
    fitting: Fitting,
    interval: float,
    random: torch.Generator,
    check: Callable[[], None] | None,
) -> float:
    network.train()
    rows, truth = torch.from_numpy(table), torch.from_numpy(score)
    order = torch.randperm(len(rows), generator=random)
    total = 0.0
    for step in range(steps):
        if check is not None:
            check()
        batch = order[step * fitting.batch_size : (step + 1) * fitting.batch_size]
        loss, l1 = score_loss(network(rows[batch]), truth[batch], interval)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        if fitting.clip:
            torch.nn.utils.clip_grad_norm_(network.parameters(), fitting.clip)
        optimiser.step()
        if schedule is not None:
            schedule.step()
        total += float(l1)
    return total / steps
