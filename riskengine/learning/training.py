"""Training of a network on samples of past maps: any network of the catalogue, the same loop.

A network is handed to `train` with its `Samples`, which say what an epoch holds, how a batch becomes tensors and what
the loss is. The loop does the rest: threads, clipping, the epoch whose weights are kept, progress, checkpoints.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from ..contract.dates import format_moment
from ..ground.context import JobContext
from ..ground.errors import DataError
from ..maps.heatmaps import Heatmaps
from .checkpoint import Checkpoint
from .loop import Curves, format_time_left
from .threads import count_cores, mixed_precision
from .trainingstate import Schedule, TrainingState

#: Tensors of a batch; the last one is 1 where a cell is a target and 0 elsewhere.
Batch = tuple[Tensor, ...]
#: The automatic weight of an event never exceeds this.
MOST_WEIGHT = 3.0


class Samples(Protocol):
    """What a network learns from; nothing of the validation span is in it."""

    @property
    def start(self) -> float:
        """Log-loss of the causal running mean over the training span."""

    @property
    def axis(self) -> int:
        """Axis of a batch's tensors along which its samples lie; threads share a batch out along it."""

    def epoch(self, random: np.random.Generator) -> Iterable[list[Any]]:
        """Batches of samples, by whatever names them, in random order."""

    def batch(self, samples: list[Any], device: torch.device) -> Batch:
        """The tensors of a batch, its validity last."""

    def loss(self, network: nn.Module, part: Batch, cells: float) -> tuple[Tensor, Tensor]:
        """What is minimised, and the plain log-loss minus the running mean's; both sums divided by `cells`."""


def compute_weighted_loss(
    departure: Tensor, prior: Tensor, events: Tensor, valid: Tensor, weight: float, cells: float | None = None
) -> tuple[Tensor, Tensor]:
    """Compute the weighted cross-entropy of a batch, and its plain log-loss minus that of the prior.

    Cross-entropy with the events weighted w-fold is smallest not at the probability p but at q with
    odds(q) = w odds(p). The network's logit z is therefore taken as that of p, and z + ln w enters the weighted
    loss: weighting changes what the gradient attends to, and never biases the probability.

    Parameters
    ----------
    departure, prior, events, valid : Tensor, of one shape
        The logit is departure + prior. `valid` is 1 for cells inside the study area of maps that may be targets.
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


def split(history: Heatmaps, validation_share: float, least: int) -> int:
    """Number of maps to train on; those after them, the last `validation_share`, choose the epoch.

    Raises
    ------
    DataError
        If no map of one of the two parts was observed.
    """
    maps = len(history)
    trained = max(maps - max(round(maps * validation_share), 1), min(least, maps - 1))
    if not history.observed[1:trained].any() or not history.observed[trained:].any():
        raise DataError(
            f"No map before {format_moment(history.edges[trained])} was observed, or none after it",
            parameter="heatmaps",
            remedy="Use a period in which most maps were observed",
        )
    return trained


def choose_event_weight(
    events: NDArray[Any],
    observed: NDArray[np.bool_],
    mask: NDArray[np.bool_],
    given: float | None = None,
    most: float = MOST_WEIGHT,
) -> float:
    """Choose an event's weight in the loss: `given`, else (1 - p) / p for a share p of cells with one, 1 to `most`."""
    if given is not None:
        return float(given)
    share = float(events[observed][:, mask].mean())
    return min(max((1 - share) / max(share, 1e-9), 1.0), most)


def train(
    network: nn.Module,
    samples: Samples,
    validate: Callable[[], float],
    schedule: Schedule,
    context: JobContext,
    pool: ThreadPoolExecutor,
    checkpoint: Checkpoint | None = None,
    validation_start: float | None = None,
) -> Curves:
    """Fit `network` in place and leave it with the weights of the epoch to keep, see `loop`.

    With a checkpoint it goes on where an earlier run of the same training was stopped, and ends with the same weights
    as one that never was.

    Parameters
    ----------
    network : nn.Module
    samples : Samples
    validate : callable
        Log-loss of the network on the validation span.
    schedule : Schedule
    context : JobContext
    pool : ThreadPoolExecutor
        From `threads.workers`.
    checkpoint : Checkpoint, optional
        Written after every epoch, removed when training ends well.
    validation_start : float, optional
        Log-loss of the running mean on the validation span; by default that of the untrained network.
    """
    state = TrainingState(network, schedule, np.random.default_rng(schedule.seed))
    saved = checkpoint.load() if checkpoint else None
    if saved:
        state.restore(saved)
        context.log(f"Going on after epoch {len(state.curves.loss)}, from {checkpoint.path.name if checkpoint else ''}")
    else:
        state.begin(samples.start, validate(), validation_start)
    curves = state.curves

    def after_epoch() -> None:
        if checkpoint:
            state.save(checkpoint)

    state.run(_Batches(state, samples, validate, schedule, context, pool), after_epoch)
    if len(curves.loss) < schedule.epochs:
        context.log(
            f"Training stopped after epoch {len(curves.loss)}: no better validation loss since epoch"
            f" {curves.best_epoch}"
        )
    if checkpoint:
        checkpoint.remove()
    return curves


@dataclass(frozen=True)
class _Batches:
    """Epochs of samples, each batch shared out between the threads of a pool."""

    state: TrainingState
    samples: Samples
    validation: Callable[[], float]
    schedule: Schedule
    context: JobContext
    pool: ThreadPoolExecutor

    def epoch(self, number: int) -> float:
        network, schedule, curves = self.state.network, self.schedule, self.state.curves
        device = next(network.parameters()).device
        total, batches = 0.0, list(self.samples.epoch(self.state.random))
        for count, each in enumerate(batches, 1):
            total += compute_gradients(
                network, self.samples, self.samples.batch(each, device), self.pool, schedule.mixed
            )
            torch.nn.utils.clip_grad_norm_(network.parameters(), schedule.clip)
            self.state.optimiser.step()
            done = (number - 1 + count / len(batches)) / schedule.epochs
            text = f"epoch {number} of {schedule.epochs}, loss {curves.start + total / count:.4f}"
            if curves.validation:
                skill = 1 - curves.validation[-1] / curves.validation_start
                text += f", validation {curves.validation[-1]:.4f} ({skill:+.1%} against the running mean)"
            self.context.progress(done, f"{text}, {format_time_left(self.state.elapsed, done)} left")
        return curves.start + total / max(len(batches), 1)

    def validate(self) -> float:
        return self.validation()


def compute_gradients(
    network: nn.Module, samples: Samples, batch: Batch, pool: ThreadPoolExecutor, mixed: bool = False
) -> float:
    """Compute a batch's gradients, its samples shared out between the threads; returns the loss minus the mean's."""
    parameters = [parameter for parameter in network.parameters() if parameter.requires_grad]
    cells = max(float(batch[-1].sum()), 1.0)

    def share(part: Batch) -> tuple[tuple[Tensor, ...], float]:
        with mixed_precision(part[0].device) if mixed else nullcontext():
            loss, gain = samples.loss(network, part, cells)
        return torch.autograd.grad(loss, parameters), float(gain)

    axis, count = samples.axis, batch[0].shape[samples.axis]
    size = -(-count // (1 if batch[0].is_cuda else count_cores()))
    parts = [tuple(each.narrow(axis, low, min(size, count - low)) for each in batch) for low in range(0, count, size)]
    shares = list(pool.map(share, parts))
    # Summed in the order of the samples, whichever thread was first: the same result every time.
    for parameter, *several in zip(parameters, *(each for each, _ in shares), strict=True):
        parameter.grad = torch.stack(several).sum(dim=0)
    return sum(gain for _, gain in shares)
