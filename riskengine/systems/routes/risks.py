"""The risks that a check of routes chooses ways by: that which was asked for, and the controls beside it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import shapely

from ...contract.routes import RiskKind
from ...contract.tools.checkroutes import RISK_KINDS, CheckRoutes
from ...ground.context import JobContext
from ...intake.incidents import Incidents
from ...streets.kept import OpenNetwork
from ...streets.network import Network
from .checking import JudgedRisk
from .controls import RandomField, prefer_small_streets
from .counted import count_along
from .exposure import measure_exposure
from .fields.kernel import choose_span, make_kernel_field
from .fields.maps import read_map_field
from .fields.passed import FIELDS
from .forecasted import forecast_cells
from .results import EdgeExposure, RiskField


def make_judged_risk(kind: RiskKind, parameters: CheckRoutes, network: Network) -> JudgedRisk:
    """Make a risk of a kind, which knows in each month what lies before it."""
    months, title = parameters.months, RISK_KINDS.titles[kind]

    def measure(field: RiskField, context: JobContext) -> EdgeExposure:
        return measure_exposure(network, field, context=context)

    def smooth(past: Incidents, origin: np.datetime64, context: JobContext) -> EdgeExposure:
        box = tuple(shapely.total_bounds(network.shapes).tolist())
        spread = FIELDS[parameters.spread]
        return measure(make_kernel_field(past, months, parameters.kernel, box, origin, context, spread), context)

    def count(past: Incidents, origin: np.datetime64, context: JobContext) -> EdgeExposure:
        return count_along(network, past.between(*choose_span(past, months, origin)))

    def forecast(past: Incidents, origin: np.datetime64, context: JobContext) -> EdgeExposure:
        return measure(forecast_cells(past, origin, months, network.crs, context), context)

    if kind == "map":
        field = read_map_field(str(parameters.risk), network.crs, None)
        return JudgedRisk(field.title, lambda past, origin, context: measure(field, context), lasting=True)
    makers = {"kernel": smooth, "counts": count, "forecast": forecast}
    return JudgedRisk(title, makers[kind])


def list_controls(parameters: CheckRoutes, opened: OpenNetwork) -> Iterator[JudgedRisk]:
    """List the random maps, as many as were asked for, and small streets where a field tells them from big ones."""
    for number in range(parameters.controls):
        yield JudgedRisk(f"random map {number + 1}", _make_random(opened.network, parameters, number), True, True)
    if parameters.controls and (name := opened.streets.fields.get("class")):
        classes = np.asarray(opened.streets.table.column(name), dtype=object)
        if (small := prefer_small_streets(opened.network, classes)) is not None:
            yield JudgedRisk("small streets", lambda past, origin, context: small, True, True)


def _make_random(network: Network, parameters: CheckRoutes, number: int) -> Any:
    def make(past: Incidents, origin: np.datetime64, context: JobContext) -> EdgeExposure:
        field = RandomField(network, parameters.kernel, parameters.seed + number)
        return measure_exposure(network, field, context=context)

    return make
