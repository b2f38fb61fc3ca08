"""The loop of early stopping: epoch after epoch until validation no longer improves, the weights of the best one kept.

Forecast networks and score networks go through it. What an epoch is, and what it is validated on, is their own.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from torch import Tensor, nn

from ..ground.errors import Cancelled


@dataclass(frozen=True)
class Stopping:
    """When training ends, and whose weights are kept.

    Attributes
    ----------
    epochs : int
        At most.
    patience : int
        Training stops after so many epochs without a better validation loss; 0 for never.
    keep : {'best', 'last'}
        The epoch whose weights are kept: best on the validation span, or simply the last.
    ties : {'first', 'last'}
        Which of several epochs of the same validation loss is the best one.
    """

    epochs: int
    patience: int
    keep: str = "best"
    ties: str = "first"


@dataclass
class Curves:
    """What training did, epoch by epoch.

    Attributes
    ----------
    loss, validation : list of float
        Mean loss on what was trained on, as it was met, and on what chose the epoch. Of a forecast network both are the
        log-loss of its calibrated probabilities, so that they can be compared with every other log-loss; that of
        training is the running mean's over the whole training span plus the mean difference to it in the samples of
        the epoch: which samples were drawn then matters little. Of a score network both are mean absolute errors.
    start, validation_start : float
        Those of the causal running mean, at which a forecast network that departs from it starts; else NaN.
    best_epoch : int
        Whose weights were kept; 0 means that no epoch improved on the start.
    seconds : float
        Of all runs that had a part in it.
    elapsed : list of float
        Seconds at the end of each epoch.
    """

    loss: list[float] = field(default_factory=list)
    validation: list[float] = field(default_factory=list)
    start: float = float("nan")
    validation_start: float = float("nan")
    best_epoch: int = 0
    seconds: float = 0.0
    elapsed: list[float] = field(default_factory=list)

    @property
    def best(self) -> float:
        """The lowest validation loss of an epoch; infinite before the first one has ended."""
        return min(self.validation, default=float("inf"))


class Lessons(Protocol):
    """What a network learns from."""

    def epoch(self, number: int) -> float:
        """Train through epoch `number`, from 1; returns its mean loss, and raises `Cancelled` when asked to stop."""

    def validate(self) -> float:
        """The loss that chooses the epoch."""


class Training:
    """Where the training of a network stands.

    Parameters
    ----------
    network : nn.Module
    stopping : Stopping

    Attributes
    ----------
    curves : Curves
    best : float
        Validation loss that an epoch must better to be kept; infinite where the first one is kept whatever it is.
    kept : dict of str to Tensor
        Weights of the epoch to keep.
    """

    def __init__(self, network: nn.Module, stopping: Stopping) -> None:
        self.network, self.stopping = network, stopping
        self.curves = Curves()
        self.best = float("inf")
        self.kept: dict[str, Tensor] = copy.deepcopy(network.state_dict())
        self._began = time.monotonic()

    @property
    def elapsed(self) -> float:
        """Seconds of training, those of earlier runs included."""
        return time.monotonic() - self._began

    def over(self) -> bool:
        """Whether patience has run out."""
        waited = len(self.curves.validation) - self.curves.best_epoch
        return self.stopping.keep == "best" and 0 < self.stopping.patience <= waited

    def run(self, lessons: Lessons, after_epoch: Callable[[], None]) -> None:
        """Train until it is over; the network is left with the weights of the epoch to keep.

        Parameters
        ----------
        lessons : Lessons
        after_epoch : callable
            Called when an epoch is in the curves: to write a checkpoint, to report.

        Raises
        ------
        Cancelled
            Its ``best`` is the network, with the weights of the best epoch so far, and the curves; an epoch that was
            not finished leaves no trace in them.
        """
        self._began = time.monotonic() - self.curves.seconds
        try:
            for number in range(len(self.curves.loss) + 1, self.stopping.epochs + 1):
                if self.over():
                    break
                loss = lessons.epoch(number)
                self._end(number, loss, lessons.validate())
                after_epoch()
        except Cancelled as cancelled:
            self.network.load_state_dict(self.kept)
            cancelled.best = (self.network, self.curves)
            raise
        self.network.load_state_dict(self.kept)

    def _end(self, number: int, loss: float, validation: float) -> None:
        curves = self.curves
        curves.loss.append(loss)
        curves.validation.append(validation)
        curves.seconds = self.elapsed
        curves.elapsed.append(curves.seconds)
        better = validation < self.best or (self.stopping.ties == "last" and validation == self.best)
        if better or self.stopping.keep == "last":
            self.best, curves.best_epoch = validation, number
            self.kept = copy.deepcopy(self.network.state_dict())


def format_time_left(seconds: float, done: float) -> str:
    """Format how long it will take yet, as people say it, when a share `done` took so many seconds."""
    rest = seconds * (1 - done) / max(done, 1e-9)
    return f"about {max(1, round(rest))} s" if rest < 90 else f"about {round(rest / 60)} min"
