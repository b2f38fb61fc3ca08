"""What a job of warnings reads: incidents of all categories with their addresses, and the areas that are warned of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...contract.texts import part_text
from ...contract.tools.warning import ReadsEvents
from ...contract.units import noun_of
from ...ground.context import JobContext
from ...ground.errors import DataError, ParameterError
from ...intake.findings import Finding, list_findings
from ...intake.incidents import Incidents, Refusal, read_addresses, read_exchange
from ...maps.assigning import assign_by_place
from ...maps.shapes import Shapes
from ...maps.unitlayer import make_units, read_units
from ...maps.warningpanel import make_city


@dataclass(frozen=True)
class Inputs:
    """What was given.

    Attributes
    ----------
    incidents : Incidents
        Of all categories, within the areas or not.
    place : ndarray of int32, shape (R,), or None
        Code of the address of each, -1 for none.
    areas : Areas
        The whole city is one (`maps.warningpanel.make_city`).
    unit : ndarray of int64, shape (R,)
        Number of the area of each incident, -1 for none.
    refusals : list of Refusal
    findings : list of Finding
        How the incidents were recorded, where that limits what can be said.
    """

    incidents: Incidents
    place: NDArray[np.int32] | None
    areas: Shapes
    unit: NDArray[np.int64]
    refusals: list[Refusal]
    findings: list[Finding]


def read_inputs(parameters: ReadsEvents, warn: Callable[[str], None], context: JobContext) -> Inputs:
    """Read incidents and areas, and say what does not fit.

    Raises
    ------
    ParameterError, DataError
        If the areas are lines, or no incident lies in one.
    """
    incidents, refusals = read_exchange(parameters.incidents, context, order=parameters.date_order)
    place = read_addresses(parameters.incidents, incidents)
    findings = list_findings(incidents)
    for finding in findings:
        warn(finding.sentence)
    if not parameters.areas:
        city = make_city(incidents, parameters.crs)
        return Inputs(incidents, place, city, np.zeros(len(incidents), dtype=np.int64), refusals, findings)
    areas = make_units(read_units(parameters.areas), parameters.crs, 0.0, context)
    if areas.kind != "areas":
        raise ParameterError(
            f"areas holds {noun_of(areas.kind)}s, and warnings are for areas or the whole city",
            parameter="areas",
            value=areas.kind,
            remedy="Choose a layer of polygons, or leave it empty",
        )
    assigned = assign_by_place(incidents, areas, context)
    outside = assigned.unit < 0
    if outside.all():
        raise DataError(
            f"None of the {len(incidents):,} incidents lies in one of the {len(areas.ids):,} areas",
            parameter="areas",
            remedy="Choose areas of the same city, and check the CRS of both layers",
        )
    if outside.any():
        context.log(
            f"{part_text(int(outside.sum()), len(incidents), 'incident')} in no area: nothing is learned from them"
        )
    refusals += [
        Refusal(int(fid), str(why)) for fid, why in zip(incidents.fid[outside], assigned.reason[outside], strict=True)
    ]
    return Inputs(incidents, place, areas, assigned.unit, refusals, findings)
