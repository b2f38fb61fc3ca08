"""The exposure of streets: a risk added up along each of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from ...contract.texts import part_text, show_name
from ...ground.context import JobContext
from ...ground.errors import DataError, ParameterError
from ...ground.wholetables import WholeTable, read_whole_table
from ...intake.incidents import Incidents
from ...streets.kept import OpenNetwork
from ...streets.network import Network
from .fields.kernel import make_kernel_field
from .fields.maps import read_map_field, read_score_field
from .fields.passed import FIELDS
from .results import EdgeExposure, RiskField

Floats = NDArray[np.float64]

#: Looks at a risk in one go: few enough for memory and for cancel.
_CHUNK = 1_000_000


def measure_exposure(
    network: Network,
    field: RiskField,
    percentile: float = 90.0,
    step: float | None = None,
    context: JobContext | None = None,
) -> EdgeExposure:
    """Add up a risk along the edges of a network.

    Each edge is cut into equal pieces no longer than the step, and the risk in the middle of each piece stands for it.

    Parameters
    ----------
    network : Network
    field : RiskField
    percentile : float
        Of all usable streets, by length.
    step : float, optional
        Metres; by default what the risk asks for.
    context : JobContext, optional

    Raises
    ------
    DataError
        If no street lies where the risk is known, or it is negative there.
    """
    context = context or JobContext()
    step = step or field.step
    pieces = np.maximum(np.ceil(shapely.length(network.shapes) / step).astype(np.int64), 1)
    ends = np.cumsum(pieces)
    risk = np.empty(int(ends[-1]) if len(ends) else 0)
    first = 0
    while first < network.edges:
        done = ends[first - 1] if first else 0
        last = max(int(np.searchsorted(ends, done + _CHUNK, side="right")), first + 1)
        context.progress(done / max(len(risk), 1), "Looking up the risk along the streets")
        edge = np.repeat(np.arange(first, last), pieces[first:last])
        number = np.arange(len(edge)) + done - (ends - pieces)[edge]
        points = shapely.line_interpolate_point(network.shapes[edge], (number + 0.5) / pieces[edge], normalized=True)
        risk[done : done + len(edge)] = field.look_up(shapely.get_x(points), shapely.get_y(points))
        first = last
    return _sum_up(network, field, risk, pieces, percentile, step)


def _sum_up(
    network: Network, field: RiskField, risk: Floats, pieces: NDArray[np.int64], percentile: float, step: float
) -> EdgeExposure:
    edge = np.repeat(np.arange(network.edges), pieces)
    metres = np.repeat(network.metres / pieces, pieces)
    known = ~np.isnan(risk)
    counted = known & np.repeat(network.usable, pieces)
    if not counted.any():
        raise DataError(
            "No street lies where the risk is known",
            parameter="network",
            value=field.title,
            remedy="Choose streets and a risk of the same city",
        )
    if (risk[known] < 0).any():
        raise DataError(
            "The risk is negative on some streets",
            parameter="risk",
            value=float(risk[known].min()),
            remedy="Choose a risk in which more means more, from 0 on",
        )
    weights = metres[counted]
    mean = float((risk[counted] * weights).sum() / weights.sum())
    threshold = compute_weighted_percentile(risk[counted], weights, percentile)
    filled = np.where(known, risk, mean)
    size = np.maximum(network.metres, 1e-9)
    return EdgeExposure(
        np.bincount(edge, filled * metres, network.edges).astype(np.float64),
        np.minimum(np.bincount(edge, (known & (filled > threshold)) * metres, network.edges) / size, 1.0),
        np.minimum(np.bincount(edge, ~known * metres, network.edges) / size, 1.0),
        threshold,
        mean,
        step,
        field.title,
        field.unit,
        field.notes,
    )


def compute_weighted_percentile(values: Floats, weights: Floats, percentile: float) -> float:
    """The least value that so many per cent of the weight do not exceed."""
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[order])
    place = np.searchsorted(reached, percentile / 100 * reached[-1] * (1 - 1e-12))
    return float(values[order][min(int(place), len(values) - 1)])


def read_exposure(
    parameters: Any, opened: OpenNetwork, incidents: Incidents | None, context: JobContext
) -> EdgeExposure:
    """Make the exposure that a tool's parameters ask for.

    Parameters
    ----------
    parameters : ReadsRisk or ChoosesWays
    opened : OpenNetwork
        The rows of its layer are read only where the exposure is one of their fields.
    incidents : Incidents or None
        Those given, in the network's CRS.
    context : JobContext
    """
    network = opened.network
    if given := getattr(parameters, "exposure_field", None):
        return take_exposure(network, opened.streets.table, given, parameters.percentile)
    if incidents is not None:
        west, south, east, north = shapely.total_bounds(network.shapes).tolist()
        origin = None if parameters.origin is None else np.datetime64(parameters.origin, "s")
        field: RiskField = make_kernel_field(
            incidents,
            parameters.months,
            parameters.kernel,
            (west, south, east, north),
            origin,
            context,
            FIELDS[parameters.spread],
        )
    elif parameters.scores:
        scores = read_whole_table(parameters.scores, "scores")
        field = read_score_field(scores, parameters.score_field, network.crs)
    else:
        field = read_map_field(parameters.risk, network.crs, parameters.band)
    found = measure_exposure(network, field, parameters.percentile, parameters.step, context)
    for note in (*found.notes, *describe_exposure(found, network)):
        context.log(note)
    return found


def take_exposure(network: Network, table: WholeTable, name: str, percentile: float) -> EdgeExposure:
    """Take a field of the streets for the exposure of whole lines; each edge has its share by length.

    Raises
    ------
    ParameterError
        If the field holds no number, or a negative one.
    """
    try:
        values = np.asarray(table.column(name), dtype=np.float64)
    except (TypeError, ValueError, KeyError):
        values = np.zeros(0)
    known = np.isfinite(values)
    if not known.any() or (values[known] < 0).any():
        raise ParameterError(
            f"The field {show_name(name)} holds no number, or a negative one",
            parameter="exposure_field",
            value=name,
            remedy="Choose a field of numbers from 0 on, such as the exposure of Network exposure",
        )
    length = np.bincount(network.line, network.metres, network.rows)[network.line]
    exposure = values[network.line] * network.metres / np.maximum(length, 1e-9)
    there = np.isfinite(exposure)
    counted = there & network.usable & (network.metres > 0)
    if not counted.any():
        raise DataError(
            f"No street that may be used has a number in {show_name(name)}",
            parameter="exposure_field",
            value=name,
            remedy="Choose another field",
        )
    per_metre = exposure[counted] / network.metres[counted]
    mean = float(exposure[counted].sum() / network.metres[counted].sum())
    threshold = compute_weighted_percentile(per_metre, network.metres[counted], percentile)
    filled = np.where(there, exposure, mean * network.metres)
    above = (there & (filled > threshold * network.metres * (1 + 1e-12))).astype(np.float64)
    title = f"field {show_name(name)} of the streets"
    return EdgeExposure(filled, above, (~there).astype(np.float64), threshold, mean, np.nan, title, "")


def describe_exposure(found: EdgeExposure, network: Network) -> list[str]:
    """Say at which step the risk was looked up, and how much of the streets it does not cover."""
    told = []
    if np.isfinite(found.step):
        told.append(f"Risk looked up every {found.step:g} m along the streets, or more often")
    outside = float((found.outside * network.metres)[network.usable].sum())
    if outside > 0:
        whole = float(network.metres[network.usable].sum())
        lines = len(np.unique(network.line[network.usable & (found.outside > 0)]))
        told.append(
            f"{part_text(lines, network.rows, 'line', 'lies', 'lie')} outside the risk, {outside / 1000:,.1f} of "
            f"{whole / 1000:,.1f} km: there the mean risk of the streets stands for it"
        )
    return told
