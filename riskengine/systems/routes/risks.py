"""The risks that a check of routes chooses ways by: that which was asked for, and the controls beside it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import shapely

from ...contract.routes import RiskKind
from ...contract.tools.checkroutes import RISK_KINDS, CheckRoutes
from ...ground.context import JobContext
from ...ground.wholetables import WholeTable
from ...intake.incidents import Incidents
from ...streets.network import Network
from ...streets.reading import Streets
from .checking import TestedRisk
from .controls import RandomField, prefer_small_streets
from .counted import count_along
from .exposure import measure_exposure
from .fields.kernel import choose_span, make_kernel_field
from .fields.maps import read_map_field
from .forecasted import forecast_cells
from .results import EdgeExposure, RiskField


def make_tested_risk(kind: RiskKind, parameters: CheckRoutes, network: Network) -> TestedRisk:
    """Make a risk of a kind, which knows in each month what lies before it."""
    months, title = parameters.months, RISK_KINDS.titles[kind]

    def measure(field: RiskField, context: JobContext) -> EdgeExposure:
        return measure_exposure(network, field, context=context)

    def smooth(past: Incidents, origin: np.datetime64, context: JobContext) -> EdgeExposure:
        box = tuple(shapely.total_bounds(network.shapes).tolist())
        return measure(make_kernel_field(past, months, parameters.kernel, box, origin, context), context)

    def count(past: Incidents, origin: np.datetime64, context: JobContext) -> EdgeExposure:
        return count_along(network, past.between(*choose_span(past, months, origin)))

    def forecast(past: Incidents, origin: np.datetime64, context: JobContext) -> EdgeExposure:
        return measure(forecast_cells(past, origin, months, network.crs, context), context)

    if kind == "map":
        field = read_map_field(str(parameters.risk), network.crs, None)
        return TestedRisk(field.title, lambda past, origin, context: measure(field, context), lasting=True)
    makers = {"kernel": smooth, "counts": count, "forecast": forecast}
    return TestedRisk(title, makers[kind])


def list_controls(parameters: CheckRoutes, network: Network, streets: Streets) -> Iterator[TestedRisk]:
    """List the random maps, as many as were asked for, and small streets where a field tells them from big ones."""
    for number in range(parameters.controls):
        yield TestedRisk(f"random map {number + 1}", _make_random(network, parameters, number), True, True)
    if parameters.controls and "class" in streets.fields:
        classes = _read_classes(streets.table, streets.fields["class"])
        if (small := prefer_small_streets(network, classes)) is not None:
            yield TestedRisk("small streets", lambda past, origin, context: small, True, True)


def _make_random(network: Network, parameters: CheckRoutes, number: int) -> Any:
    def make(past: Incidents, origin: np.datetime64, context: JobContext) -> EdgeExposure:
        field = RandomField(network, parameters.kernel, parameters.seed + number)
        return measure_exposure(network, field, context=context)

    return make


def _read_classes(table: WholeTable, name: str) -> Any:
    return np.asarray(table.column(name), dtype=object)
