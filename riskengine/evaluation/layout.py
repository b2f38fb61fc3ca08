"""How the units of a panel are judged where they differ: their sizes, which of them touch, and which lie together."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ..ground.errors import ParameterError
from ..maps.heatmaps import Heatmaps
from ..maps.panel import Panel
from ..measures.weighted import Units

#: Blocks of areas that lie together, for intervals, at most: about the boroughs of a large city ...
_MOST_PLACES = 32
#: ... of at least so many units each.
_LEAST_UNITS = 4


def make_units(panel: Panel) -> Units:
    """Make the units of a panel, in the order of a flat array: sizes in km² (of segments km), neighbours, blocks."""
    support = panel.support
    x, y = (each.ravel() for each in support.find_centres())
    return Units(support.measure_km().ravel(), find_places(x, y), support.find_neighbours())


def choose_units(panel: Panel) -> Units | None:
    """Make the units of a panel where they differ; None of a grid, whose cells are all alike."""
    return None if isinstance(panel, Heatmaps) else make_units(panel)


def find_places(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.int64]:
    """Find blocks of units that lie together, as equal in number as halves of halves are; number them 0, 1, …

    The units are halved along the longer side of what they cover, and the halves again.
    """
    place = np.zeros(len(x), dtype=np.int64)
    for number, members in enumerate(_halve(np.arange(len(x)), x, y, _MOST_PLACES)):
        place[members] = number
    return place


def _halve(
    members: NDArray[np.int64], x: NDArray[np.float64], y: NDArray[np.float64], most: int
) -> Iterator[NDArray[np.int64]]:
    if most < 2 or len(members) < 2 * _LEAST_UNITS:
        yield members
        return
    along = x if np.ptp(x[members]) >= np.ptp(y[members]) else y
    order = members[np.argsort(along[members], kind="stable")]
    for half in np.array_split(order, 2):
        yield from _halve(half, x, y, most // 2)


def read_weights(panel: Panel, name: str, at: int, parameter: str = "weigh") -> NDArray[np.float64]:
    """Read a covariate that units are weighed by, as their population, shape (N,); 0 where it is not known.

    Parameters
    ----------
    panel : Panel
    name : str
    at : int
        Bin whose forecast may know it, where it changes with time.

    Raises
    ------
    ParameterError
        If the panel has none of the name, or it holds nothing above 0, or something below.
    """
    extras = panel.extras
    dated = {each.name: each for each in extras.covariates}
    if name in extras.static_names:
        values = extras.static[extras.static_names.index(name)]
    elif name in dated:
        values = dated[name].read_known(at)
    else:
        names = [*extras.static_names, *dated]
        raise ParameterError(
            f"{parameter} is {name}, but the panel has no covariate of that name",
            parameter=parameter,
            value=name,
            remedy=f"Choose one of {', '.join(names)}" if names else "Add it to the panel with Add covariates",
        )
    weights: NDArray[np.float64] = np.nan_to_num(values.astype(np.float64), nan=0.0)
    if (weights < 0).any() or not (weights > 0).any():
        raise ParameterError(
            f"{parameter} is {name}, whose values reach from {weights.min():g} to {weights.max():g}: nothing can be"
            " weighed by them",
            parameter=parameter,
            value=name,
            remedy="Choose a number of people, households or vehicles",
        )
    return weights
