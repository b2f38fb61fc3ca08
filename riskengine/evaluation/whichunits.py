"""Which units catch most: several kinds, as wards, squares and hexagons, judged at the same flagged km²."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ..contract.dates import format_span
from ..contract.texts import count_text, format_amount
from ..ground.errors import ParameterError
from ..maps.panel import Panel
from .beside import UnitsJudged
from .flags import DenseFlagging
from .judged import Judged
from .layout import make_units
from .plan import Plan
from .scoring import make_hits

#: Flagged shares of the area of the first panel.
UNIT_SHARES = tuple(round(0.01 * number, 2) for number in range(1, 21))
#: Units of one place cover areas that differ by this share at most: hexagons are not cut at its border, and those of
#: 800 m that touch Baltimore's neighbourhoods cover a fifth more than these.
_SAME_AREA = 0.3
#: And the incidents in them on the maps of the test by this, as some lie in none of the units.
_SAME_INCIDENTS = 0.1


def plan_for(panel: Panel, plan: Plan, other: Panel, title: str, parameter: str = "compare") -> Plan:
    """Plan the same test of other units of the same place.

    Parameters
    ----------
    panel : Panel
    plan : Plan
        Of its test.
    other : Panel
    title : str
        What the other is called in an error.

    Raises
    ------
    ParameterError
        If it does not hold the bins of the test, or is of another place or other incidents.
    """
    test = panel.edges[plan.first :]
    first = int(np.searchsorted(other.edges, test[0]))

    def refuse(fault: str, remedy: str) -> ParameterError:
        return ParameterError(f"{title} {fault}", parameter=parameter, value=title, remedy=remedy)

    if not np.array_equal(other.edges[first:], test):
        raise refuse(
            f"does not end with the bins that are tested, {format_span(test[0], test[-1])} by {panel.bin}",
            "Count the incidents by the same bins and up to the same end",
        )
    if {panel.support.kind, other.support.kind}.isdisjoint({"segments"}):
        own, theirs = (float(each.support.measure_km()[each.mask].sum()) for each in (panel, other))
        if abs(theirs - own) > _SAME_AREA * min(theirs, own):
            raise refuse(
                f"covers {format_amount(round(theirs, 1))} km², and the counts that are backtested"
                f" {format_amount(round(own, 1))} km²: the same flagged area would be another share of it",
                "Choose units of the same study area",
            )
    own, theirs = (
        float(each.counts[start:][:, each.mask].sum(dtype=np.float64))
        for each, start in ((panel, plan.first), (other, first))
    )
    if abs(theirs - own) > _SAME_INCIDENTS * own:
        raise refuse(
            f"holds {count_text(round(theirs), 'incident')} in the test, and the counts that are backtested {own:,.0f}",
            "Count the same incidents in both",
        )
    return Plan(first, plan.horizon, plan.refit, plan.seeds)


def compare_units(judged: Mapping[str, Judged]) -> list[UnitsJudged]:
    """Compare what forecasts on several kinds of units catch at the same flagged km², the first kind's shares.

    The last unit is flagged in part, also on a grid. Of street segments the same share of the length is flagged.

    Parameters
    ----------
    judged : mapping of str to Judged
        By title; only models that were run on all of them are compared.
    """
    backtests = list(judged.values())
    models = [name for name in backtests[0].scores if all(name in each.scores for each in backtests)]
    whole = _measure_whole(backtests[0])
    return [_judge_units(title, each, models, whole) for title, each in judged.items()]


def _measure_whole(judged: Judged) -> float:
    return float(judged.panel.support.measure_km()[judged.panel.mask].sum())


def _judge_units(title: str, judged: Judged, models: list[str], whole: float) -> UnitsJudged:
    panel, mask = judged.panel, judged.panel.mask
    units = (judged.units or make_units(panel)).select(mask.ravel())
    total, counts = float(units.size.sum()), judged.counts[:, mask]
    by_length = panel.support.kind == "segments"
    wanted = [min(share if by_length else share * whole / total, 1.0) for share in UNIT_SHARES]
    hits = {}
    for name in models:
        risk: NDArray[np.float32] = judged.risks[name][:, mask]
        counted = DenseFlagging(risk, counts, judged.threshold, units).count_shares(wanted)
        hits[name] = [
            make_hits(at, maps, maps.total(), judged.block) for at, maps in zip(UNIT_SHARES, counted, strict=True)
        ]
    km2 = tuple(share * whole for share in UNIT_SHARES)
    size = float(np.median(units.size))
    return UnitsJudged(title, panel.support.kind, len(units.size), size, total, UNIT_SHARES, km2, hits)
