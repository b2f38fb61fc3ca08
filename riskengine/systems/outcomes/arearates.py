"""Rates of an outcome by area, beside what the kinds of incident reported there have everywhere."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...contract.outcomes import Reported
from ...measures.proportions import compute_share_limits
from .arealayer import IncidentAreas
from .fairness import compare_areas
from .rates import expect_outcomes
from .rows import Floats, Rows


@dataclass(frozen=True, eq=False)
class AreaRates:
    """Rates of A areas, in the order of `IncidentAreas`; NaN where an area has too few incidents.

    Attributes
    ----------
    incidents, outcomes : ndarray of int64, shape (A,)
    rate, low, high : ndarray of float64, shape (A,)
        With its 95 % interval.
    expected : ndarray of float64, shape (A,)
        The mean rate that its incidents' categories and descriptions have in all areas together.
    difference, least, most : ndarray of float64, shape (A,)
        Rate less `expected`, and its 95 % interval over days; of areas with incidents enough to be compared.
    """

    incidents: NDArray[np.int64]
    outcomes: NDArray[np.int64]
    rate: Floats
    low: Floats
    high: Floats
    expected: Floats
    difference: Floats
    least: Floats
    most: Floats

    @property
    def compared(self) -> NDArray[np.bool_]:
        """Areas with incidents enough to be compared."""
        return np.isfinite(self.difference)

    def list_labels(self) -> list[str]:
        """Say of each area how it compares: a key of `contract.outcomes.AREA_LABELS`."""
        conditions = [np.isnan(self.rate), ~self.compared, self.most < 0, self.least > 0]
        return [str(label) for label in np.select(conditions, ["hidden", "few", "below", "above"], "expected")]


def rate_areas(rows: Rows, areas: IncidentAreas, chosen: NDArray[np.bool_], reported: Reported) -> AreaRates:
    """Compare the rate of each area with what its categories and descriptions have in all of them.

    Parameters
    ----------
    rows : Rows
    areas : IncidentAreas
    chosen : ndarray of bool, shape (N,)
        The rows that count.
    reported : Reported
        Whose they are.
    """
    placed = areas.put_into(rows).select(chosen)
    size = len(areas.ids)
    code = areas.code[chosen]
    incidents = np.bincount(code[code >= 0], minlength=size)
    outcomes = np.bincount(code[placed.outcomes & (code >= 0)], minlength=size)
    made = {name: np.full(size, np.nan) for name in ("rate", "low", "high", "expected", "difference", "least", "most")}
    found = compare_areas(placed, expect_outcomes(placed, np.ones(len(placed), dtype=bool)), reported)
    if found is not None:
        number = {name: place for place, name in enumerate(areas.ids)}
        shown = np.array([number[name] for name in found.names])
        made["rate"][shown], made["expected"][shown] = found.observed, found.predicted
        made["low"][shown], made["high"][shown] = compute_share_limits(outcomes[shown], incidents[shown])
        compared = np.isfinite(found.low)
        made["difference"][shown[compared]] = (found.observed - found.predicted)[compared]
        made["least"][shown], made["most"][shown] = found.low, found.high
    return AreaRates(incidents, outcomes, **made)
