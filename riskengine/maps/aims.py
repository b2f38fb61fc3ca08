"""How much of a panel's study area a catch may cover."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..contract.aims import Catch
from ..contract.texts import count_text
from ..contract.units import SIZES
from ..ground.errors import DataError, ParameterError
from .panel import Panel


def find_flagged_share(catch: Catch, panel: Panel) -> float:
    """Find which share of the study area may be covered, in (0, 1].

    Raises
    ------
    ParameterError
        If that is more than the whole study area, or nothing.
    DataError
        If there is no study area.
    """
    number, size = int(panel.mask.sum()), float(panel.support.measure_km()[panel.mask].sum())
    if not size > 0:
        raise DataError(
            f"The study area holds no {panel.noun} of any size: there is nothing to choose places from",
            parameter="heatmaps",
            remedy="Choose a study area that overlaps the incidents",
        )
    whole = {"share": 100.0, "km2": size, "units": float(number)}[catch.unit]
    share = catch.size / whole
    if not 0 < share <= 1:
        measured = {"share": "100 %", "km2": f"{size:,.4g} {SIZES[panel.support.kind]}"}
        raise ParameterError(
            f"catch_size is {catch.size:g}, but the whole study area is only"
            f" {measured.get(catch.unit, count_text(number, panel.noun))}",
            parameter="catch_size",
            value=catch.size,
            remedy=f"Give less than that; the study area has {count_text(number, panel.noun)}",
        )
    return share


@dataclass(frozen=True)
class Costs:
    """What it takes to cover each unit of the study area, in what a catch is measured by.

    Attributes
    ----------
    each : ndarray, shape (N,)
        Square kilometres (of segments kilometres), or 1 where units are counted, as the cells of a grid are.
    size : ndarray, shape (N,)
        Square kilometres (of segments kilometres) in any case.
    whole : bool
        Whether units are counted: then none is covered in part.
    """

    each: NDArray[np.float64]
    size: NDArray[np.float64]
    whole: bool


def measure_costs(catch: Catch, panel: Panel) -> Costs:
    """Measure what it takes to cover each unit of the study area."""
    size = np.asarray(panel.support.measure_km()[panel.mask], dtype=np.float64)
    whole = panel.support.kind == "grid" or catch.unit == "units"
    return Costs(np.ones_like(size) if whole else size, size, whole)
