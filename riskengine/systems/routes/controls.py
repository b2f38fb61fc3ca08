"""Controls of a check of routes: maps that no crime went into, by which ways are chosen all the same."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, map_coordinates

from ...streets.network import Network
from .results import EdgeExposure, Floats

#: Cells of the grid of a random map in its kernel.
_CELLS = 2
#: Kernels by which the grid is wider than the network.
_MARGIN = 4
#: Classes that are no small street.
BIG = ("motorway", "trunk", "primary", "secondary", "tertiary", "arterial", "collector", "highway", "freeway")
#: The same as street offices abbreviate them.
_BIG_SHORT = ("mart", "part", "coll", "fwy", "int")
#: Metres of a big street count as so many of a small one.
_BIG_COSTS = 5.0


class RandomField:
    """A smooth random map, as skewed as densities of crime are: the exponential of a Gaussian field of variance 1.

    Parameters
    ----------
    network : Network
        Which it covers.
    kernel : float
        Metres over which it is smooth: those of the risk that it stands beside.
    seed : int
    """

    unit = ""
    notes: tuple[str, ...] = ()

    def __init__(self, network: Network, kernel: float, seed: int) -> None:
        self.title = f"random map {seed}"
        self.step = kernel / 4
        self._cell = kernel / _CELLS
        self._west = float(network.x.min()) - _MARGIN * kernel
        self._south = float(network.y.min()) - _MARGIN * kernel
        across = int((np.ptp(network.x) + 2 * _MARGIN * kernel) / self._cell) + 2
        up = int((np.ptp(network.y) + 2 * _MARGIN * kernel) / self._cell) + 2
        noise = gaussian_filter(np.random.default_rng(seed).standard_normal((up, across)), _CELLS)
        self._values = np.exp((noise - noise.mean()) / noise.std())

    def look_up(self, x: Floats, y: Floats) -> Floats:
        """The value at places, between the four middles of cells around."""
        row, column = (y - self._south) / self._cell, (x - self._west) / self._cell
        return np.asarray(map_coordinates(self._values, [row, column], order=1, mode="nearest"))


def prefer_small_streets(network: Network, classes: NDArray[np.object_]) -> EdgeExposure | None:
    """Make an exposure of nothing but metres, where those of big streets count for more; None without both kinds.

    Parameters
    ----------
    classes : ndarray of object
        Of each row of the layer, such as ``residential``; None where it does not say, which is small.
    """
    names = [str(name).strip().lower().removesuffix("_link") for name in classes.tolist()]
    big = np.array([name in BIG + _BIG_SHORT for name in names])[network.line]
    if big.all() or not big.any():
        return None
    cost = np.where(big, _BIG_COSTS, 1.0)
    mean = float(cost @ network.metres / network.metres.sum())
    none = np.zeros(network.edges)
    return EdgeExposure(
        cost * network.metres, big.astype(np.float64), none, 1.0, mean, float("nan"), "small streets", ""
    )
