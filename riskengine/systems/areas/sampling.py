"""The sampled points: incidents of a month, and places without one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from ...contract.choices import StudyNegatives
from .inputs import TRAINING, Floats, Inputs, Integers

#: Half the side of the square around a cell's middle in which negatives are drawn, metres.
REACH = 100.0
#: Points drawn for each that is still wanted, where some may fall outside.
_SPARE = 3


@dataclass(frozen=True, eq=False)
class Sample:
    """Points of one month, incidents first.

    Attributes
    ----------
    month : int
    x, y : ndarray, shape (n,)
    area : ndarray of int, shape (n,)
    happened : ndarray of bool, shape (n,)
        Whether an incident happened there: False for the negatives.
    """

    month: int
    x: Floats
    y: Floats
    area: Integers
    happened: NDArray[np.bool_]


def draw_sample(inputs: Inputs, month: int, negatives: StudyNegatives, seed: int) -> Sample:
    """Draw the sample of a month: the same for a seed, whatever else is drawn."""
    now = inputs.month == month
    number = int(now.sum())
    random = np.random.default_rng((seed, month))
    # As the author's: both ends may be drawn.
    wanted = int(random.integers(int(0.8 * number), int(1.2 * number) + 1))
    x, y, area = (
        _draw_known(inputs, month, wanted, random)
        if negatives == "known"
        else _draw_anywhere(inputs, wanted, random)
        if negatives == "anywhere"
        else _draw_in_cells(inputs, find_empty_cells(inputs, month, negatives), number, wanted, random)
    )
    return Sample(
        month,
        np.r_[inputs.x[now], x],
        np.r_[inputs.y[now], y],
        np.r_[inputs.area[now], area],
        np.arange(number + len(x)) < number,
    )


def find_empty_cells(inputs: Inputs, month: int, negatives: StudyNegatives) -> Integers:
    """Find the cells without an incident in the month itself, in the twelve before, or in the one before."""
    first, after = {
        "target": (month, month + 1),
        "year": (max(month - TRAINING, 0), month),
        "month": (max(month - 1, 0), month),
    }[negatives]
    return np.flatnonzero(inputs.counts[first:after].sum(axis=0) == 0)


def count_per_cell(incidents: int, cells: int) -> int:
    """Count the points that are drawn in each empty cell."""
    return max(1, int(incidents / cells * 1.5)) if cells else 0


def _draw_in_cells(
    inputs: Inputs, empty: Integers, incidents: int, wanted: int, random: np.random.Generator
) -> tuple[Floats, Floats, Integers]:
    cell = np.repeat(empty, count_per_cell(incidents, len(empty)))
    x = inputs.cells.x[cell] + random.uniform(-REACH, REACH, len(cell))
    y = inputs.cells.y[cell] + random.uniform(-REACH, REACH, len(cell))
    area = inputs.areas.locate(x, y)
    inside = np.flatnonzero(area >= 0)
    # Where there are too few, all of them are taken.
    chosen = random.choice(inside, wanted, replace=False) if wanted < len(inside) else inside
    return x[chosen], y[chosen], area[chosen]


def _draw_anywhere(inputs: Inputs, wanted: int, random: np.random.Generator) -> tuple[Floats, Floats, Integers]:
    """Draw points evenly from the areas."""
    west, south, east, north = shapely.total_bounds(inputs.areas.geometries)
    share = inputs.areas.measure_sizes().sum() / ((east - west) * (north - south))
    drawn = int(_SPARE * wanted / share) + 1
    x, y = random.uniform(west, east, drawn), random.uniform(south, north, drawn)
    area = inputs.areas.locate(x, y)
    chosen = np.flatnonzero(area >= 0)[:wanted]
    return x[chosen], y[chosen], area[chosen]


def _draw_known(
    inputs: Inputs, month: int, wanted: int, random: np.random.Generator
) -> tuple[Floats, Floats, Integers]:
    """Draw coordinates of earlier incidents that had none in the month."""
    places = inputs.places
    earlier = np.flatnonzero(inputs.month < month)
    _, first = np.unique(places[earlier], return_index=True)
    known = earlier[first]
    known = known[~np.isin(places[known], places[inputs.month == month])]
    chosen = random.choice(known, min(wanted, len(known)), replace=False)
    return inputs.x[chosen], inputs.y[chosen], inputs.area[chosen]
