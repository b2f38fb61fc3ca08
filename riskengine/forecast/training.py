"""Training of a sequence model on overlapping windows, every step of which is a target."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from ..context import JobContext
from .causal import LOGIT_SCALE, Sequence
from .network import ConvLSTMNetwork
from .threads import available_cores


@dataclass(frozen=True)
class Schedule:
    """How a network is trained.

    Attributes
    ----------
    epochs : int
        At most; training stops when the validation log-loss has not improved for `patience` epochs.
    learning_rate : float
        Of Adam. The published system used 1e-4.
    batch_size : int
        Windows in a batch.
    sequence_length : int
        Maps in a window.
    stride : int
        Maps between the starts of neighbouring windows.
    crop : int
        Windows of larger maps are cut to this many rows and columns, at a random place.
    windows : int
        Windows in an epoch, at most.
    patience : int
    clip : float
        Largest norm of the gradient.
    seed : int
    """

    epochs: int = 30
    learning_rate: float = 1e-3
    batch_size: int = 8
    sequence_length: int = 16
    stride: int = 4
    crop: int = 32
    windows: int = 96
    patience: int = 6
    clip: float = 1.0
    seed: int = 0


@dataclass
class Curves:
    """What training did: log-loss per epoch on the training windows and on the validation span.

    Attributes
    ----------
    loss, validation : list of float
        Mean log-loss of the calibrated probabilities, so that both can be compared with every other log-loss. That
        of training is the running mean's over the whole training span plus the mean difference to it in the
        windows of the epoch: which windows were drawn then matters little.
    start, validation_start : float
        Both before training, which are those of the causal running mean.
    best_epoch : int
        Whose weights were kept; 0 means that training did not improve on the running mean.
    """

    loss: list[float] = field(default_factory=list)
    validation: list[float] = field(default_factory=list)
    start: float = float("nan")
    validation_start: float = float("nan")
    best_epoch: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class TrainingStack:
    """Targets and their causal inputs, entry t of both for map t of the training span.

    Attributes
    ----------
    sequence : Sequence
    events : ndarray of 0/1, shape (T, H, W)
    targets : ndarray of bool, shape (T,)
        Maps that may be targets: observed ones.
    mask : ndarray of bool, shape (H, W)
    """

    sequence: Sequence
    events: NDArray[np.uint8]
    targets: NDArray[np.bool_]
    mask: NDArray[np.bool_]


def weighted_loss(
    departure: Tensor, prior: Tensor, events: Tensor, valid: Tensor, weight: float, cells: float | None = None
) -> tuple[Tensor, Tensor]:
    """Weighted cross-entropy of a batch, and its plain log-loss minus that of the prior.

    Cross-entropy with the events weighted w-fold is smallest not at the probability p but at q with
    odds(q) = w odds(p). The network's logit z is therefore taken as that of p, and z + ln w enters the weighted
    loss: weighting changes what the gradient attends to, and never biases the probability.

    Parameters
    ----------
    departure, prior, events, valid : Tensor, shape (L, B, H, W)
        `valid` is 1 for cells inside the study area of maps that may be targets.
    weight : float
    cells : float, optional
        What the sums are divided by; by default the number of valid cells.
    """
    cells = max(float(valid.sum()), 1.0) if cells is None else cells

    def mean(logit: Tensor, weights: Tensor) -> Tensor:
        losses = functional.binary_cross_entropy_with_logits(logit, events, reduction="none")
        return (losses * weights).sum() / cells

    logit = departure + prior
    importance = torch.where(events > 0.5, weight, 1.0) * valid
    with torch.no_grad():
        gain = mean(logit, valid) - mean(prior, valid)
    return mean(logit + math.log(weight), importance), gain


def train(
    network: ConvLSTMNetwork,
    stack: TrainingStack,
    validate: Callable[[], float],
    schedule: Schedule,
    weight: float,
    context: JobContext,
    pool: ThreadPoolExecutor,
) -> Curves:
    """Fit `network` in place and leave it with the weights that did best on the validation span.

    Parameters
    ----------
    network : ConvLSTMNetwork
    stack : TrainingStack
        The training span; nothing of the validation span is in it.
    validate : callable
        Log-loss of the network on the validation span.
    schedule : Schedule
    weight : float
        Weight of an event in the loss.
    context : JobContext
    pool : ThreadPoolExecutor
        From `threads.workers`.
    """
    began = time.monotonic()
    device = next(network.parameters()).device
    optimiser = torch.optim.Adam(network.parameters(), lr=schedule.learning_rate)
    random = np.random.default_rng(schedule.seed)
    curves = Curves(start=_prior_loss(stack), validation_start=validate())
    best, best_weights = curves.validation_start, copy.deepcopy(network.state_dict())
    for epoch in range(1, schedule.epochs + 1):
        total, batches = 0.0, list(_epoch(stack, schedule, random))
        for number, windows in enumerate(batches):
            total += _gradients(network, _batch(stack, windows, schedule, device), weight, pool)
            torch.nn.utils.clip_grad_norm_(network.parameters(), schedule.clip)
            optimiser.step()
            done = (epoch - 1 + (number + 1) / len(batches)) / schedule.epochs
            text = f"epoch {epoch} of {schedule.epochs}, loss {curves.start + total / (number + 1):.4f}"
            if curves.validation:
                text += f", validation {curves.validation[-1]:.4f}"
            context.progress(done, f"{text}, about {_left(began, done)} left")
        curves.loss.append(curves.start + total / len(batches))
        curves.validation.append(validate())
        if curves.validation[-1] < best:
            best, best_weights, curves.best_epoch = curves.validation[-1], copy.deepcopy(network.state_dict()), epoch
        elif epoch - curves.best_epoch >= schedule.patience:
            context.log(f"Training stopped after epoch {epoch}: no better validation loss since {curves.best_epoch}")
            break
    network.load_state_dict(best_weights)
    curves.seconds = time.monotonic() - began
    return curves


def _gradients(network: ConvLSTMNetwork, batch: Batch, weight: float, pool: ThreadPoolExecutor) -> float:
    """Set the gradients of a batch, its windows shared out between the threads; returns the loss minus the prior's."""
    parameters = list(network.parameters())
    cells = max(float(batch[-1].sum()), 1.0)

    def share(part: Batch) -> tuple[tuple[Tensor, ...], float]:
        departure, _ = network(part[0], part[1])
        loss, gain = weighted_loss(departure, part[2], part[3], part[4], weight, cells)
        return torch.autograd.grad(loss, parameters), float(gain)

    windows = batch[0].shape[1]
    size = -(-windows // (1 if batch[0].is_cuda else available_cores()))
    parts = [tuple(tensor[:, low : low + size] for tensor in batch) for low in range(0, windows, size)]
    found = list(pool.map(share, parts))
    # Summed in the order of the windows, whichever thread was first: the same result every time.
    for parameter, *gradients in zip(parameters, *(gradients for gradients, _ in found), strict=True):
        parameter.grad = torch.stack(gradients).sum(dim=0)
    return sum(gain for _, gain in found)


def _prior_loss(stack: TrainingStack) -> float:
    """Log-loss of the causal running mean over the training span."""
    total = 0.0
    targets = np.flatnonzero(stack.targets[1:]) + 1
    for number in targets:
        logit = stack.sequence.inputs[number, 1][stack.mask].astype(np.float64) * LOGIT_SCALE
        total += float(np.mean(np.logaddexp(0.0, logit) - logit * stack.events[number][stack.mask]))
    return total / max(len(targets), 1)


def _left(began: float, done: float) -> str:
    seconds = (time.monotonic() - began) * (1 - done) / max(done, 1e-9)
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


#: First map, first row, first column.
Window = tuple[int, int, int]
#: Inputs, context, prior logits, events and validity, time first.
Batch = tuple[Tensor, ...]


def _epoch(stack: TrainingStack, schedule: Schedule, random: np.random.Generator) -> Iterator[list[Window]]:
    """Batches of windows in random order."""
    maps, length = len(stack.events), schedule.sequence_length
    starts = np.arange(1 + random.integers(schedule.stride), max(maps - length, 1) + 1, schedule.stride)
    if not len(starts):
        starts = np.array([1])
    height, width = (min(schedule.crop, side) for side in stack.mask.shape)
    rows, columns = np.nonzero(stack.mask)
    crops = -(-stack.mask.sum() // (height * width))
    order = random.permutation(np.repeat(starts, crops))[: schedule.windows]
    batch: list[Window] = []
    for start in order:
        # Around a random cell of the study area, so that no crop lies wholly outside it.
        cell = random.integers(len(rows))
        row = int(np.clip(rows[cell] - random.integers(height), 0, stack.mask.shape[0] - height))
        column = int(np.clip(columns[cell] - random.integers(width), 0, stack.mask.shape[1] - width))
        batch.append((int(start), row, column))
        if len(batch) == schedule.batch_size:
            yield batch
            batch = []
    if batch:
        yield batch


def _batch(stack: TrainingStack, windows: list[Window], schedule: Schedule, device: torch.device) -> Batch:
    """Cut the windows out of the stack."""
    length = min(schedule.sequence_length, len(stack.events) - 1)
    height, width = (min(schedule.crop, side) for side in stack.mask.shape)
    inputs, context, events, valid = [], [], [], []
    for start, row, column in windows:
        times = slice(start, start + length)
        rows, columns = slice(row, row + height), slice(column, column + width)
        inputs.append(stack.sequence.inputs[times, :, rows, columns].astype(np.float32))
        context.append(stack.sequence.context[times])
        events.append(stack.events[times, rows, columns].astype(np.float32))
        valid.append(stack.targets[times, None, None] & stack.mask[None, rows, columns])
    seen = torch.from_numpy(np.stack(inputs, axis=1)).to(device)
    return (
        seen,
        torch.from_numpy(np.stack(context, axis=1)).to(device),
        seen[:, :, 1] * LOGIT_SCALE,
        torch.from_numpy(np.stack(events, axis=1)).to(device),
        torch.from_numpy(np.stack(valid, axis=1).astype(np.float32)).to(device),
    )
