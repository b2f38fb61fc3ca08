"""A network's weights as plain arrays by name, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import torch
from numpy.typing import NDArray
from torch import nn

N = TypeVar("N", bound=nn.Module)


def weights_of(network: nn.Module) -> dict[str, NDArray[Any]]:
    """The arrays of a network; they share its memory where that is the CPU's."""
    return {name: tensor.detach().cpu().contiguous().numpy() for name, tensor in network.state_dict().items()}


def network_of(build: Callable[[], N], weights: Mapping[str, NDArray[Any]]) -> N:
    """The network that `build` makes, with these weights, on the CPU.

    Raises
    ------
    RuntimeError
        If the weights are not those of such a network.
    """
    # Built without memory: sizes that do not fit the weights are noticed before anything is allocated.
    with torch.device("meta"):
        network = build()
    network.load_state_dict({name: torch.tensor(array) for name, array in weights.items()}, assign=True)
    return network
