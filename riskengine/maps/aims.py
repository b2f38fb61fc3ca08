"""How much of a panel's study area a catch may cover."""

from __future__ import annotations

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
