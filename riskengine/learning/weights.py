"""A network's weights as plain arrays by name, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import torch
from numpy.typing import NDArray
from torch import nn

from ..ground.damage import Damaged

#: No weight or scale of a network is larger: the untrained bounds of a score network's features are.
MOST_WEIGHT = 1e30

N = TypeVar("N", bound=nn.Module)


def weights_of(network: nn.Module) -> dict[str, NDArray[Any]]:
    """The arrays of a network; they share its memory where that is the CPU's."""
    return {name: tensor.detach().cpu().contiguous().numpy() for name, tensor in network.state_dict().items()}


def network_of(build: Callable[[], N], weights: Mapping[str, NDArray[Any]]) -> N:
    """The network that `build` makes, with these weights, on the CPU.

    Raises
    ------
    Damaged
        If the weights are not those of such a network.
    """
    # Built without memory: sizes that do not fit the weights are noticed before anything is allocated.
    with torch.device("meta"):
        network = build()
    wanted = {name: (tuple(tensor.shape), tensor.dtype) for name, tensor in network.state_dict().items()}
    given = {name: torch.tensor(array) for name, array in weights.items()}
    for name in sorted(wanted.keys() | given.keys()):
        if name not in given or name not in wanted:
            raise Damaged(f"it has {'no' if name in wanted else 'a part'} {name}")
        if (tuple(given[name].shape), given[name].dtype) != wanted[name]:
            raise Damaged(f"{name} is of shape {tuple(given[name].shape)} and type {given[name].dtype}")
        if not bool((given[name].abs() <= MOST_WEIGHT).all()):
            raise Damaged(f"{name} holds numbers that no training gives")
    network.load_state_dict(given, assign=True)
    return network
