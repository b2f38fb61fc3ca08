"""Training of a network on pictures of windows: epochs as they are, then epochs that are turned and moved."""

from __future__ import annotations

import math
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from ...ground.context import JobContext
from ...learning.loop import Curves, Stopping, Training, format_time_left
from ...learning.threads import prepare_torch, repeatable, workers
from ...learning.training import Batch, compute_gradients
from ...measures.metrics import log_loss
from .networks import PictureNetwork, WindowArchitecture, augment, draw_transforms, make_network
from .windowmodel import compute_scores, to_tensor
from .windowsample import VALIDATED, Pictures, Sample

Integers = NDArray[np.int64]
#: Of Adam, as in Keras.
_EPSILON = 1e-7


@dataclass
class Trained:
    """A network, and how it came about.

    Attributes
    ----------
    network : PictureNetwork
    curves : Curves
        Log-loss by epoch, on what was learned from and on what validates.
    accuracy : list of float
        Share of the validation windows told right, by epoch.
    """

    network: PictureNetwork
    curves: Curves
    accuracy: list[float] = field(default_factory=list)


class PictureSamples:
    """Batches of pictures, as `learning.training` shares them out between threads.

    Parameters
    ----------
    pictures : ndarray of uint8, shape (m, height, width, 3)
    sample : Sample
        Of the same m windows.
    batch_size : int
    """

    #: What a constant loses where as many windows have a target as have none.
    start = math.log(2)
    axis = 0

    def __init__(self, pictures: Pictures, sample: Sample, batch_size: int) -> None:
        self.pictures, self.sample, self.batch_size = pictures, sample, batch_size
        #: Draws how pictures are turned and moved; None while they are left as they are.
        self.moving: np.random.Generator | None = None

    def epoch(self, random: np.random.Generator) -> Iterator[list[Any]]:
        """Positions of the windows of each batch, in random order."""
        rows = random.permutation(self.sample.learned)
        return (rows[begin : begin + self.batch_size].tolist() for begin in range(0, len(rows), self.batch_size))

    def batch(self, samples: list[Any], device: torch.device) -> Batch:
        """Pictures, how each is moved where they are, whether there is a target, and that all are valid."""
        # Sorted: pictures of a file are read from front to back.
        rows = np.sort(np.asarray(samples, dtype=np.int64))
        happened = torch.from_numpy(self.sample.happened[rows].astype(np.float32)).to(device)
        pictures = to_tensor(self.pictures[rows], device)
        valid = torch.ones_like(happened)
        if self.moving is None:
            return pictures, happened, valid
        height, width = pictures.shape[2:]
        return pictures, draw_transforms(len(rows), width, height, self.moving).to(device), happened, valid

    def loss(self, network: nn.Module, part: Batch, cells: float) -> tuple[Tensor, Tensor]:
        """The log-loss, summed and divided by `cells`: what is minimised and what is told."""
        pictures, *transforms, happened, _ = part
        if transforms:
            pictures = augment(pictures, transforms[0])
        logit = network(pictures).float()
        loss = functional.binary_cross_entropy_with_logits(logit, happened, reduction="sum") / cells
        return loss, loss.detach()


class PictureLessons:
    """Epochs of a network on pictures; see `learning.loop.Lessons`.

    Parameters
    ----------
    network : PictureNetwork
    samples : PictureSamples
    epochs, seed : int
    context : JobContext
    pool : ThreadPoolExecutor
        From `learning.threads.workers`.
    """

    def __init__(
        self,
        network: PictureNetwork,
        samples: PictureSamples,
        epochs: int,
        seed: int,
        context: JobContext,
        pool: ThreadPoolExecutor,
    ) -> None:
        self.network, self.samples, self.epochs = network, samples, epochs
        self.context, self.pool = context, pool
        recipe = network.architecture.recipe
        self.plain = recipe.count_plain(epochs)
        self.random = np.random.default_rng(seed)
        self.optimiser = torch.optim.Adam(network.parameters(), lr=recipe.rate, eps=_EPSILON)
        self.accuracy: list[float] = []
        self.seconds = 0.0

    def epoch(self, number: int) -> float:
        """Train through an epoch, from 1; returns its mean log-loss."""
        samples, device = self.samples, next(self.network.parameters()).device
        self.network.train()
        samples.moving = self.random if number > self.plain else None
        total, batches = 0.0, list(samples.epoch(self.random))
        for count, rows in enumerate(batches, 1):
            total += compute_gradients(self.network, samples, samples.batch(rows, device), self.pool, mixed=True)
            self.optimiser.step()
            done = (number - 1 + count / len(batches)) / self.epochs
            text = f"epoch {number} of {self.epochs}, loss {total / count:.4f}"
            self.context.progress(done, f"{text}{self.describe_accuracy()}")
        return total / max(len(batches), 1)

    def describe_accuracy(self) -> str:
        """Say how many windows were told right after the last epoch; nothing before the first."""
        return f", {self.accuracy[-1]:.1%} of the validation windows told right" if self.accuracy else ""

    def validate(self) -> float:
        """The log-loss on the windows that validate; notes how many were told right, too."""
        sample = self.samples.sample
        rows = sample.find(VALIDATED)
        score, happened = compute_scores(self.network, self.samples.pictures, rows), sample.happened[rows]
        self.accuracy.append(float(((score > 0.5) == happened).mean()))
        return log_loss(score, happened)


def train_network(
    pictures: Pictures,
    sample: Sample,
    architecture: WindowArchitecture,
    epochs: int,
    seed: int,
    context: JobContext,
) -> Trained:
    """Train a network as published: so many epochs, the last one's weights kept.

    Parameters
    ----------
    pictures : ndarray of uint8, shape (m, height, width, 3)
    sample : Sample
        Of the same m windows; those tested on are not looked at.
    architecture : WindowArchitecture
    epochs : int
        The first of them without augmentation, in the published proportion.
    seed : int
    context : JobContext
    """
    device = prepare_torch(seed)
    network = make_network(architecture).to(device)
    samples = PictureSamples(pictures, sample, architecture.recipe.batch)
    training = Training(network, Stopping(epochs, patience=0, keep="last"))
    training.curves = Curves(start=samples.start, validation_start=samples.start)
    with workers(device) as pool, repeatable(device):
        lessons = PictureLessons(network, samples, epochs, seed, context, pool)

        def after_epoch() -> None:
            number = len(training.curves.loss)
            left = format_time_left(training.elapsed, number / epochs)
            text = f"epoch {number} of {epochs} ended{lessons.describe_accuracy()}, {left} left"
            context.progress(number / epochs, text)

        training.run(lessons, after_epoch)
    return Trained(network.eval(), training.curves, lessons.accuracy)
