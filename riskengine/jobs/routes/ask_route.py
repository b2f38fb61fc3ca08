"""Job: the ways between two places, for the dock; the worker keeps the network and its exposure between questions."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely

from ...contract.routes import WAY_TITLES
from ...contract.texts import count_text
from ...contract.tools.saferoutes import RouteQuestion
from ...ground.context import JobContext
from ...ground.errors import DataError
from ...ground.wholetables import WholeTable
from ...intake.incidents import read_exchange
from ...intake.project import move_places
from ...report.routes import words
from ...streets.building import build_network
from ...streets.network import Network
from ...streets.reading import DEGREES, read_streets
from ...systems.routes.exposure import read_exposure
from ...systems.routes.results import EdgeExposure, PairOfPlaces, Ways
from ...systems.routes.ways import WayFinder, WayPlan
from ...systems.score.query import LastUsed, stamp_of
from ..models import to_dict

#: Seconds after which somebody who waits is better off with ways found by weights.
_PATIENCE = 10.0
_networks: LastUsed[tuple[Network, WholeTable]] = LastUsed(2)
_exposures: LastUsed[EdgeExposure] = LastUsed(3)
_finders: LastUsed[WayFinder] = LastUsed(2)


def run(parameters: RouteQuestion, context: JobContext) -> dict[str, Any]:
    """Find the ways between start and end, WGS 84; without them only read what the next question needs."""
    asked = {key: value for key, value in to_dict(parameters).items() if key not in ("start", "end")}
    streets = {key: asked[key] for key in asked if key not in _OF_RISK and key not in _OF_WAYS}
    risk = {key: asked[key] for key in asked if key not in _OF_WAYS}
    files = _stamp(asked["network"])
    crs = parameters.crs or ""

    def read_network() -> tuple[Network, WholeTable]:
        context.progress(0.0, "Reading the streets")
        read = read_streets(parameters, context, crs)
        with context.step(0.2, 0.6):
            return build_network(read, parameters, context), read.table

    def measure() -> EdgeExposure:
        incidents = None
        if parameters.incidents:
            context.progress(0.6, "Reading the incidents")
            incidents, _ = read_exchange(parameters.incidents, context, order=parameters.date_order)
        with context.step(0.6, 0.95):
            return read_exposure(parameters, network, table, incidents, context)

    by_streets = (_freeze(streets), files)
    network, table = _networks.get(by_streets, read_network)
    by_risk = (_freeze(risk), files, *(_stamp(asked[key]) for key in ("incidents", "risk", "scores")))
    exposure = _exposures.get(by_risk, measure)
    plan = WayPlan(parameters.detour, parameters.farthest, parameters.unlit_factor, _PATIENCE)
    finder = _finders.get((_freeze(asked), by_risk), lambda: WayFinder(network, exposure, plan))
    about = _describe_ground(network, table, exposure, parameters.percentile)
    if parameters.start is None or parameters.end is None:
        return about
    start, end = (_bring(place, network.crs) for place in (parameters.start, parameters.end))
    context.progress(0.95, "Finding the ways")
    return about | _answer(finder.find(PairOfPlaces("", start, end), context), network.crs)


#: Parameters that the network does not depend on, and those that the exposure does not depend on.
_OF_RISK = (
    "incidents",
    "risk",
    "scores",
    "score_field",
    "band",
    "months",
    "kernel",
    "origin",
    "step",
    "percentile",
    "exposure_field",
    "date_order",
)
_OF_WAYS = ("detour", "farthest", "unlit_factor", "avoid", "source")


def _stamp(given: str | None) -> tuple[str, int, int] | None:
    """Of a file, or a table of one: another one under the same name is read again."""
    return None if not given else stamp_of(given.partition("|")[0])


def _freeze(values: dict[str, Any]) -> str:
    return repr(sorted(values.items()))


def _bring(place: list[float], crs: str) -> tuple[float, float]:
    x, y = move_places(np.array(place[:1]), np.array(place[1:2]), DEGREES, crs)
    if not (np.isfinite(x[0]) and np.isfinite(y[0])):
        raise DataError(
            "This place cannot be brought to the streets' coordinate system",
            parameter="start",
            value=place,
            remedy="Choose a place nearer to the streets",
        )
    return float(x[0]), float(y[0])


def _describe_ground(network: Network, table: WholeTable, exposure: EdgeExposure, percentile: float) -> dict[str, Any]:
    """What the answers rest on: the streets, where they lie, and the risk."""
    west, south, east, north = shapely.total_bounds(network.shapes).tolist()
    x, y = move_places(np.array([west, east, west, east]), np.array([south, south, north, north]), network.crs, DEGREES)
    return {
        "extent": [float(x.min()), float(y.min()), float(x.max()), float(y.max())],
        "streets": f"{count_text(len(table), 'street')}, {words.format_metres(float(network.metres.sum()))}",
        "risk": exposure.title,
        "unit": exposure.unit,
        "percentile": percentile,
        "notes": [*exposure.notes, *words.describe_exposure(exposure)],
    }


def _answer(found: Ways, crs: str) -> dict[str, Any]:
    shortest = found.ways[0] if found.ways else None
    ways = []
    for way in found.ways:
        assert shortest is not None
        x, y = move_places(way.vertices[:, 0], way.vertices[:, 1], crs, DEGREES)
        added = way.metres - shortest.metres
        ways.append(
            {
                "kind": way.kind,
                "title": WAY_TITLES[way.kind],
                "line": np.round(np.c_[x, y], 7).tolist(),
                "metres": way.metres,
                "minutes": way.minutes,
                "exposure": way.exposure,
                "added_m": added,
                "added": added / shortest.metres if shortest.metres else 0.0,
                "saved": words.compute_saved(way, shortest),
                "above": way.above,
                "outside": way.outside,
                "unlit": way.unlit,
                "label": words.label_way(way, shortest),
                "words": words.describe_way(way, shortest),
            }
        )
    return {
        "ways": ways,
        "exact": found.exact,
        "headline": words.describe_ways(found),
        "front": words.describe_front(found) if ways else "",
        "moved": words.describe_moved(found),
        "minutes_say": words.MINUTES,
        "walker": words.WALKER,
    }
