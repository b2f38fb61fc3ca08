"""How much of a panel's study area a catch may cover."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..contract.aims import Catch
from ..contract.texts import count_text
from ..ground.errors import ParameterError
from .panel import Panel


def find_flagged_share(catch: Catch, panel: Panel) -> float:
    """Find which share of the study area may be covered, in (0, 1].

    Raises
    ------
    ParameterError
        If that is more than the whole study area, or of cells less than one.
    """
    number, size = int(panel.mask.sum()), float(panel.support.measure_km()[panel.mask].sum())
    whole = {"share": 100.0, "km2": size, "units": float(number)}[catch.unit]
    share = catch.size / whole
    if not 0 < share <= 1:
        raise ParameterError(
            f"catch_size is {catch.size:g}, but the whole study area is only {whole:g}",
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
