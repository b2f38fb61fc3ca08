"""Checkpoints: where a training stands after each epoch, so that it goes on after a cancel as if nothing had been.

A checkpoint is a file as `modelfile` writes them, but no model: it holds the weights of the last epoch and of the
best one, the optimiser, and the random states.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from pydantic import ConfigDict
from torch import Tensor

from ..ground.artefacts import check_folder, compute_fingerprint
from ..ground.errors import ParameterError
from ..maps.panel import Panel
from .modelfile import Card, FileKind

KIND = "crimerisk.checkpoint"
FORMAT = 1


class CheckpointCard(Card):
    """What a checkpoint says about itself: which training it is of, and where that stood, beside the arrays."""

    ANY_NUMBER: ClassVar[bool] = True
    # Losses may be infinite: JSON as Python writes it.
    model_config = ConfigDict(ser_json_inf_nan="constants")
    kind: str = KIND
    format: int = FORMAT
    key: dict[str, Any] = {}
    meta: dict[str, Any]

    def may_hold_any_number(self, name: str) -> bool:
        """A training that diverged goes on as it would have."""
        return True


CHECKPOINT = FileKind(
    KIND,
    FORMAT,
    CheckpointCard,
    "checkpoint",
    "Choose another file for the checkpoint, or delete this one to train from the beginning",
)


@dataclass(frozen=True)
class Saved:
    """Where a training stood.

    Attributes
    ----------
    tensors : dict of str to Tensor
    meta : dict
        JSON-able.
    """

    tensors: dict[str, Tensor]
    meta: dict[str, Any]


class Checkpoint:
    """The checkpoint of one training, in a file.

    Parameters
    ----------
    path : path
    key : mapping of str to JSON-able
        What makes it this training and no other: architecture, fingerprint of the data, settings. Every entry is
        compared before a training goes on.
    parameter : str
        Job parameter that errors name.
    """

    def __init__(self, path: str | Path, key: Mapping[str, Any], parameter: str = "checkpoint") -> None:
        self.path = Path(path)
        self.key: dict[str, Any] = json.loads(json.dumps(_plain(dict(key))))
        self.parameter = parameter

    def load(self) -> Saved | None:
        """Where the training stood; None when it has not begun.

        Raises
        ------
        FormatError
            If the file is no whole checkpoint, or of a newer format.
        ParameterError
            If it is that of another training.
        """
        if not self.path.exists():
            return None
        card, arrays = CHECKPOINT.read(self.path, self.parameter)
        self._check_key(card.key)
        return Saved({name: torch.tensor(array) for name, array in arrays.items()}, card.meta)

    def save(self, tensors: Mapping[str, Tensor], meta: Mapping[str, Any]) -> None:
        """Write where the training stands."""
        arrays = {name: tensor.detach().cpu().numpy() for name, tensor in tensors.items()}
        CHECKPOINT.write(self.path, arrays, CheckpointCard(key=self.key, meta=dict(meta)), self.parameter)

    def remove(self) -> None:
        """The training ended well: nothing to go on with."""
        self.path.unlink(missing_ok=True)

    def _check_key(self, kept: Mapping[str, Any]) -> None:
        other = sorted(name for name in {*self.key, *kept} if self.key.get(name) != kept.get(name))
        if other:
            values = ", ".join(f"{name} {kept.get(name)}, now {self.key.get(name)}" for name in other)
            raise ParameterError(
                f"{self.path} is the checkpoint of another training ({values})",
                parameter=self.parameter,
                value=self.path,
                remedy="Use the same maps and settings to go on with it, another file, or delete it to train anew",
            )


def checkpoint_of(path: str | Path | None, name: str, settings: Mapping[str, Any], history: Panel) -> Checkpoint | None:
    """Make the checkpoint of a training on `history`; None without a path.

    Parameters
    ----------
    path : path or None
    name : str
        Of the model.
    settings : mapping
        Those it was made with.
    history : Heatmaps
        What it is fitted on.

    Raises
    ------
    OutputError
        If the folder does not exist: said before the training, not after its first epoch.
    """
    if path is None:
        return None
    check_folder(path, "checkpoint")
    return Checkpoint(path, {"model": name, "maps": compute_maps_fingerprint(history), **settings})


def compute_maps_fingerprint(history: Panel) -> str:
    """Compute a hash of all that a fit reads: counts, study area, which maps were observed, bins, further layers."""
    extras = history.extras
    late = [np.array(history.delay)] if history.delay else []
    return compute_fingerprint(
        history.counts,
        history.mask,
        history.observed,
        history.edges.astype(np.int64),
        extras.static,
        extras.channels,
        *late,
    )


def _plain(value: Any) -> Any:
    """Dataclasses as dicts, numpy numbers as Python's."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _plain(dataclasses.asdict(value))
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value.item() if hasattr(value, "item") else value
