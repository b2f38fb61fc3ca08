"""Job: the ways between two places, for the dock; the worker keeps the network and its exposure between questions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from ...contract.routes import WAY_TITLES
from ...contract.texts import count_text
from ...contract.tools.saferoutes import RouteQuestion
from ...ground.context import JobContext
from ...ground.errors import DataError
from ...intake.project import move_places
from ...report.routes import words
from ...streets.reading import DEGREES
from ...systems.routes.exposure import read_exposure
from ...systems.routes.opening import Opened, open_streets
from ...systems.routes.polygons import find_avoided
from ...systems.routes.results import EdgeExposure, PairOfPlaces, Ways
from ...systems.routes.ways import WayFinder, WayPlan
from ...systems.score.query import LastUsed, stamp_of
from ..models import to_dict

#: Seconds after which somebody who waits is better off with ways found by weights.
_PATIENCE = 10.0
#: Parameters that neither the network nor its exposure depend on.
_OF_WAYS = {"start", "end", "detour", "farthest", "unlit_factor", "avoid", "source"}


@dataclass(frozen=True, eq=False)
class _Ground:
    """What the ways of one choice of layers are found in."""

    opened: Opened
    exposure: EdgeExposure


_grounds: LastUsed[_Ground] = LastUsed(2)
_finders: LastUsed[WayFinder] = LastUsed(2)


def run(parameters: RouteQuestion, context: JobContext) -> dict[str, Any]:
    """Find the ways between start and end, WGS 84; without them only read what the next question needs."""

    def read_ground() -> _Ground:
        with context.step(0.0, 0.5):
            opened = open_streets(parameters, context)
        with context.step(0.5, 0.95):
            return _Ground(opened, read_exposure(parameters, opened.opened, opened.incidents, context))

    def make_finder() -> WayFinder:
        plan = WayPlan(parameters.detour, parameters.farthest, parameters.unlit_factor, _PATIENCE)
        closed = find_avoided(parameters.avoid, network, context) if parameters.avoid else None
        return WayFinder(network, ground.exposure, plan, closed)

    files = tuple(_stamp(getattr(parameters, key)) for key in ("network", "incidents", "risk", "scores", "avoid"))
    of_ground = (_freeze(parameters, _OF_WAYS), files[:-1])
    ground = _grounds.get(of_ground, read_ground)
    network = ground.opened.network
    finder = _finders.get((_freeze(parameters, {"start", "end"}), files), make_finder)
    about = _describe_ground(ground, parameters.percentile)
    if parameters.start is None or parameters.end is None:
        return about
    start, end = (_bring(place, network.crs) for place in (parameters.start, parameters.end))
    context.progress(0.95, "Finding the ways")
    return about | _answer(finder.find(PairOfPlaces("", start, end), context), network.crs)


def _stamp(given: str | None) -> tuple[str, int, int] | None:
    """Of a file, or a table of one: another one under the same name is read again."""
    return None if not given else stamp_of(given.partition("|")[0])


def _freeze(parameters: RouteQuestion, without: set[str]) -> str:
    return repr({key: value for key, value in to_dict(parameters).items() if key not in without})


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


def _describe_ground(ground: _Ground, percentile: float) -> dict[str, Any]:
    """What the answers rest on: the streets, where they lie, and the risk."""
    network, exposure = ground.opened.network, ground.exposure
    west, south, east, north = shapely.total_bounds(network.shapes).tolist()
    x, y = move_places(np.array([west, east, west, east]), np.array([south, south, north, north]), network.crs, DEGREES)
    lines, length = count_text(len(ground.opened.streets.table), "street"), float(network.metres.sum())
    return {
        "extent": [float(x.min()), float(y.min()), float(x.max()), float(y.max())],
        "streets": f"{lines}, {words.format_metres(length)}",
        "risk": exposure.title,
        "unit": exposure.unit,
        "percentile": percentile,
        "notes": [*(f"{note}." for note in exposure.notes), *words.describe_exposure(exposure)],
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
                "saved": way.compute_saved(shortest),
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
        "walker": words.WALKER,
    }
