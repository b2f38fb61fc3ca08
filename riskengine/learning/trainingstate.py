"""How a network is trained, and everything that changes while it is: what a checkpoint keeps."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import torch
from torch import Tensor, nn

from .checkpoint import Checkpoint, Saved
from .loop import Curves, Stopping, Training


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


class TrainingState(Training):
    """Everything that changes while a forecast network is trained, and that a checkpoint keeps."""

    def __init__(self, network: nn.Module, schedule: Schedule, random: np.random.Generator) -> None:
        super().__init__(network, Stopping(schedule.epochs, schedule.patience, schedule.keep))
        self.random = random
        self.optimiser = torch.optim.Adam(network.parameters(), lr=schedule.learning_rate)

    def begin(self, start: float, untrained: float, mean: float | None) -> None:
        """Take the losses before the first epoch: of the running mean, of the untrained network, of the mean again."""
        self.curves = Curves(start=start, validation_start=untrained if mean is None else mean)
        # A network that departs from the running mean may stay there; one that starts from nothing may not.
        self.best = untrained

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
            those = {name: value for name, value in saved.tensors.items() if name.startswith(prefix)}
            return {name[len(prefix) :]: tensor for name, tensor in those.items()}

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
