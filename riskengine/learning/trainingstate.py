"""How a network is trained, and everything that changes while it is: what a checkpoint keeps."""

from __future__ import annotations

import copy
from dataclasses import asdict, dataclass, field

import numpy as np
import torch
from torch import Tensor, nn

from .checkpoint import Checkpoint, Saved


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
        Samples in a batch.
    sequence_length : int
        Maps in a window.
    stride : int
        Maps between the starts of neighbouring windows.
    crop : int
        Windows of larger maps are cut to this many rows and columns, at a random place.
    windows : int
        Samples in an epoch, at most.
    patience : int
        0 for never stopping early.
    clip : float
        Largest norm of the gradient.
    seed : int
    keep : {'best', 'last'}
        The epoch whose weights are kept: best on the validation span, or simply the last (published).
    supervision : {'dense', 'windows'}
        Which maps of a window are targets: every one, or only the one after it (published).
    mixed : bool
        Gradients in bfloat16 where the processor is made for it, see `threads`.
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
    keep: str = "best"
    supervision: str = "dense"
    mixed: bool = True


@dataclass
class Curves:
    """What training did: log-loss per epoch on the training samples and on the validation span.

    Attributes
    ----------
    loss, validation : list of float
        Mean log-loss of the calibrated probabilities, so that both can be compared with every other log-loss. That
        of training is the running mean's over the whole training span plus the mean difference to it in the
        samples of the epoch: which samples were drawn then matters little.
    start, validation_start : float
        Those of the causal running mean; a network that departs from it starts there.
    best_epoch : int
        Whose weights were kept; 0 means that training did not improve on the running mean.
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


class TrainingState:
    """Everything that changes while a network is trained, and that a checkpoint keeps."""

    def __init__(self, network: nn.Module, schedule: Schedule, random: np.random.Generator) -> None:
        self.network, self.schedule, self.random = network, schedule, random
        self.optimiser = torch.optim.Adam(network.parameters(), lr=schedule.learning_rate)
        self.curves = Curves()
        self.best = float("inf")
        self.kept: dict[str, Tensor] = {}

    def begin(self, start: float, untrained: float, mean: float | None) -> None:
        self.curves = Curves(start=start, validation_start=untrained if mean is None else mean)
        # A network that departs from the running mean may stay there; one that starts from nothing may not.
        self.best = untrained
        self.kept = copy.deepcopy(self.network.state_dict())

    def over(self) -> bool:
        waited = len(self.curves.loss) - self.curves.best_epoch
        return self.schedule.keep == "best" and 0 < self.schedule.patience <= waited

    def end(self, epoch: int, loss: float, validation: float, seconds: float) -> None:
        curves = self.curves
        curves.loss.append(loss)
        curves.validation.append(validation)
        curves.seconds = seconds
        curves.elapsed.append(seconds)
        if validation < self.best or self.schedule.keep == "last":
            self.best, curves.best_epoch = validation, epoch
            self.kept = copy.deepcopy(self.network.state_dict())

    def save(self, checkpoint: Checkpoint) -> None:
        tensors = {"random": torch.get_rng_state()}
        tensors.update({f"last.{name}": tensor for name, tensor in self.network.state_dict().items()})
        tensors.update({f"kept.{name}": tensor for name, tensor in self.kept.items()})
        for number, state in self.optimiser.state_dict()["state"].items():
            tensors.update({f"optimiser.{number}.{name}": torch.as_tensor(value) for name, value in state.items()})
        checkpoint.save(
            tensors,
            {
                "curves": asdict(self.curves),
                "best": self.best,
                "random": self.random.bit_generator.state,
            },
        )

    def restore(self, saved: Saved) -> None:
        def part(prefix: str) -> dict[str, Tensor]:
            found = {name: value for name, value in saved.tensors.items() if name.startswith(prefix)}
            return {name[len(prefix) :]: tensor for name, tensor in found.items()}

        self.network.load_state_dict(part("last."))
        self.kept = part("kept.")
        state: dict[int, dict[str, Tensor]] = {}
        for name, tensor in part("optimiser.").items():
            number, _, what = name.partition(".")
            state.setdefault(int(number), {})[what] = tensor
        self.optimiser.load_state_dict({"state": state, "param_groups": self.optimiser.state_dict()["param_groups"]})
        self.curves, self.best = Curves(**saved.meta["curves"]), float(saved.meta["best"])
        self.random.bit_generator.state = saved.meta["random"]
        torch.set_rng_state(saved.tensors["random"])
