"""What a trained network learned, as plain arrays by name: the part that all networks of the catalogue share."""

from __future__ import annotations

import inspect
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from ...ground.damage import ArraySpec, check_arrays
from ...learning.checkpoint import Checkpoint, checkpoint_of
from ...learning.loop import Curves
from ...learning.weights import network_of, weights_of
from ...maps.panel import Panel
from ..base import Forecaster

if TYPE_CHECKING:
    from typing_extensions import Self

_NETWORK = "network."
_CURVES = "curves."
_MOST_MAPS = 10**9
#: Of the calibration of a network's logits.
CALIBRATED = {"slope_": ArraySpec("f", (), -1e6, 1e6), "shift_": ArraySpec("f", (), -1e6, 1e6)}
#: Of the static layers over the study area, and how many other categories are inputs.
LAYERS = {
    "layer_mean_": ArraySpec("f", ("layers",), -1e30, 1e30),
    "layer_scale_": ArraySpec("f", ("layers",), 1e-9, 1e30),
}
CATEGORIES = ArraySpec("i", (), 0, 4096)
_CURVE_SPECS = {
    **{_CURVES + name: ArraySpec("f", ("epochs",), missing=True) for name in ("loss", "validation")},
    # What 0.2 wrote has no times.
    _CURVES + "elapsed": ArraySpec("f", ("times",), missing=True),
    **{_CURVES + name: ArraySpec("f", (), missing=True) for name in ("start", "validation_start", "seconds")},
    _CURVES + "best_epoch": ArraySpec("f", (), 0, 1e9),
}


class NetworkForecaster(Forecaster):
    """A forecaster whose `fit` trains the network that `build` makes.

    Attributes
    ----------
    checkpoint : str or None
        File in which `fit` keeps where it stands, to go on from after a cancel; no setting, so not in model files.
    network_ : torch.nn.Module
    curves_ : Curves
        Losses per epoch.
    weight_ : float
        Weight of an event that was used.
    trained_maps_ : int
        Maps of the history that were targets of training; those after it, up to `fitted_maps_`, chose the epoch.
    fitted_maps_ : int
    """

    LEARNED: ClassVar[Mapping[str, ArraySpec]] = {
        "weight_": ArraySpec("f", (), 1e-9, 1e9),
        "trained_maps_": ArraySpec("i", (), 0, _MOST_MAPS),
        "fitted_maps_": ArraySpec("i", (), 0, _MOST_MAPS),
    }

    checkpoint: str | None = None
    network_: nn.Module
    curves_: Curves
    weight_: float
    trained_maps_: int
    fitted_maps_: int

    @abstractmethod
    def build(self) -> nn.Module:
        """An untrained network of this architecture."""

    def open_checkpoint(self, history: Panel) -> Checkpoint | None:
        """The file that `checkpoint` names, for a `fit` on `history`."""
        return checkpoint_of(self.checkpoint, self.name, self.settings(), history)

    def settings(self) -> dict[str, Any]:
        """The arguments it was made with; those that a schedule took over are in the schedule."""
        names = inspect.signature(type(self).__init__).parameters
        return {name: getattr(self, name) for name in names if name != "self" and hasattr(self, name)}

    def state(self) -> dict[str, NDArray[Any]]:
        """What `fit` learned, as arrays by name: weights, losses per epoch, and a few numbers."""
        state = super().state()
        state |= {_NETWORK + name: array for name, array in weights_of(self.network_).items()}
        for field in fields(Curves):
            state[_CURVES + field.name] = np.asarray(getattr(self.curves_, field.name), dtype=np.float64)
        return state

    def restore(self, state: Mapping[str, NDArray[Any]]) -> Self:
        """Take over what another forecaster of the same settings learned.

        Raises
        ------
        Damaged
            If the weights are not those of such a network.
        """
        super().restore(state)
        check_arrays({name: spec for name, spec in _CURVE_SPECS.items() if name in state}, state)
        weights = {name.removeprefix(_NETWORK): array for name, array in state.items() if name.startswith(_NETWORK)}
        network = network_of(self.build, weights)
        device = "cuda" if torch.cuda.is_available() else "cpu"
        self.network_ = network.to(device).eval()
        curves = {
            name.removeprefix(_CURVES): array.tolist() for name, array in state.items() if name.startswith(_CURVES)
        }
        self.curves_ = Curves(**curves)
        self.curves_.best_epoch = int(self.curves_.best_epoch)
        return self
