"""All that *Outcome rates* finds: rates, areas and open cases, of all incidents and of those that victims reported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...contract.outcomes import Reported
from ...ground.context import JobContext
from .arealayer import IncidentAreas
from .arearates import AreaRates, rate_areas
from .cases import OpenCases, study_cases
from .rates import RATES_BY, Rates, RatesBy, count_rates
from .rows import Rows


@dataclass(frozen=True, eq=False)
class RatesOf:
    """What was found of some of the incidents.

    Attributes
    ----------
    incidents, outcomes : int
    rates : dict of RatesBy to Rates
        The ways that the rows can be divided.
    cases : OpenCases or None
        None without dates or outcomes.
    areas : AreaRates or None
        None without areas.
    """

    incidents: int
    outcomes: int
    rates: Mapping[RatesBy, Rates]
    cases: OpenCases | None
    areas: AreaRates | None


@dataclass(frozen=True, eq=False)
class RatesStudy:
    """What was found.

    Attributes
    ----------
    of : dict of Reported to RatesOf
        ``all``, and ``victims`` where police found some of the incidents, but not all of them.
    found : sequence of str
        Categories that police discover, as far as there are incidents of them.
    areas : IncidentAreas or None
    first, last : str
        ISO dates; empty where no incident has one.
    """

    of: Mapping[Reported, RatesOf]
    found: Sequence[str]
    areas: IncidentAreas | None
    first: str
    last: str

    @property
    def main(self) -> Reported:
        """Whose figures the map and the maturity are of: victims' where there are such."""
        return "victims" if "victims" in self.of else "all"


def study_rates(
    rows: Rows,
    victims: NDArray[np.bool_],
    found: Sequence[str],
    areas: IncidentAreas | None,
    context: JobContext,
) -> RatesStudy:
    """Count and compare everything.

    Parameters
    ----------
    rows : Rows
        With outcomes, N of them.
    victims : ndarray of bool, shape (N,)
        Those that victims or others reported.
    found : sequence of str
        Categories that police discover.
    areas : IncidentAreas or None
    context : JobContext
    """
    chosen: dict[Reported, NDArray[np.bool_]] = {"all": np.ones(len(rows), dtype=bool)}
    if 0 < victims.sum() < len(rows):
        chosen["victims"] = victims
    of: dict[Reported, RatesOf] = {}
    for number, (reported, kept) in enumerate(chosen.items()):
        with context.step(number / len(chosen), (number + 1) / len(chosen)):
            of[reported] = _study(rows, kept, reported, areas, context)
    category = rows.texts.get("category")
    there = set() if category is None else {category.labels[code] for code in np.unique(category.codes) if code >= 0}
    days = rows.day[~np.isnat(rows.day)]
    span = (str(days.min()), str(days.max())) if len(days) else ("", "")
    return RatesStudy(of, [name for name in found if name in there], areas, *span)


def _study(
    rows: Rows, kept: NDArray[np.bool_], reported: Reported, areas: IncidentAreas | None, context: JobContext
) -> RatesOf:
    own = rows.select(kept)
    rates = {}
    for number, by in enumerate(RATES_BY):
        context.progress(0.6 * number / len(RATES_BY), "Counting rates")
        if (found := count_rates(own, by)) is not None:
            rates[by] = found
    context.progress(0.6, "Comparing ages of cases")
    cases = study_cases(own)
    context.progress(0.8, "Comparing areas")
    by_area = None if areas is None else rate_areas(rows, areas, kept, reported)
    return RatesOf(len(own), int(own.outcomes.sum()), rates, cases, by_area)
