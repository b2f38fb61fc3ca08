"""Job: ways between pairs of places, from the shortest to the one least exposed to reported crime."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..contract.texts import count_text, part_text
from ..contract.tools.saferoutes import SafeRoutes
from ..ground.artefacts import check_folder
from ..ground.context import JobContext
from ..ground.errors import DataError
from ..intake.incidents import Refusal, count_reasons, read_exchange
from ..report.routes.page import write_routes_page
from ..report.routes.routelayer import write_routes, write_unserved
from ..report.routes.words import (
    compute_saved,
    describe_districts,
    describe_front,
    describe_many,
    describe_moved,
    describe_way,
    find_halfway,
)
from ..streets.building import build_network
from ..streets.network import Network
from ..streets.reading import read_streets
from ..systems.routes.asked import list_pairs
from ..systems.routes.exposure import read_exposure
from ..systems.routes.polygons import find_avoided, measure_districts, read_districts, read_polygons
from ..systems.routes.results import DistrictShare, Ways
from ..systems.routes.ways import WayFinder, WayPlan, advise
from .models import to_dict


def run(parameters: SafeRoutes, context: JobContext) -> dict[str, Any]:
    """Read places, streets and risk; find the ways of each pair; write them."""
    for key in ("output", "unserved", "report"):
        if path := getattr(parameters, key):
            check_folder(path, key)
    refusals: list[Refusal] = []
    incidents = None
    if parameters.incidents:
        context.progress(0.0, "Reading the incidents")
        incidents, refusals = read_exchange(parameters.incidents, context, order=parameters.date_order)
    context.progress(0.1, "Reading the streets")
    streets = read_streets(parameters, context, parameters.crs or "")
    pairs, without = list_pairs(parameters, streets.crs)
    districts = read_districts(parameters.areas, parameters.area_name or "", streets.crs) if parameters.areas else None
    with context.step(0.2, 0.4):
        network = build_network(streets, parameters, context)
    closed = _close(parameters, network, context)
    with context.step(0.4, 0.6):
        exposure = read_exposure(parameters, network, streets.table, incidents, context)
    plan = WayPlan(
        parameters.detour, parameters.farthest, parameters.unlit_factor, parameters.time_limit, parameters.wanted
    )
    finder = WayFinder(network, exposure, plan, closed)
    found = list(without)
    for number, pair in enumerate(pairs):
        context.progress(0.6 + 0.3 * number / len(pairs), f"Pair {number + 1} of {len(pairs)}")
        found.append(finder.find(pair, context))
    served = [each for each in found if each.ways]
    if not served and not parameters.unserved:
        raise _explain_none(found)
    shares = measure_districts(served, *districts) if districts and served else []
    headline = describe_many(found)
    notes = _report(found, headline, shares, context)
    context.progress(0.9, "Writing the ways")
    if parameters.output:
        write_routes(parameters.output, served, network.crs)
    if parameters.unserved:
        write_unserved(parameters.unserved, found)
    if parameters.report:
        write_routes_page(
            parameters.report, found, exposure, to_dict(parameters), shares, network, notes, network.crs
        )
    context.progress(1.0, "Done")
    first = served[0].ways if served else ()
    saved = compute_saved(first[-1], first[0]) if first else math.nan
    return {
        "pairs": len(served),
        "ways": sum(len(each.ways) for each in served),
        "shortest": first[0].metres if first else None,
        "least": first[-1].metres if first else None,
        "saved": saved if math.isfinite(saved) else None,
        "by_weights": sum(not each.exact for each in served),
        "headline": headline,
        "crs": network.crs,
        "refused": len(refusals),
        "reasons": count_reasons(refusals),
        "refusals": [[refusal.fid, refusal.reason] for refusal in refusals],
    }


def _close(parameters: SafeRoutes, network: Network, context: JobContext) -> NDArray[np.bool_] | None:
    if not parameters.avoid:
        return None
    _, polygons = read_polygons(parameters.avoid, "avoid", network.crs)
    closed = find_avoided(network, polygons)
    context.log(f"{count_text(int(closed.sum()), 'street')} closed, through polygons to avoid")
    return closed


def _explain_none(found: Sequence[Ways]) -> DataError:
    reason = found[0].reason if len(found) == 1 else f"{describe_many(found)} The first: {found[0].reason}"
    return DataError(
        reason,
        parameter="start",
        value=found[0].pair.name or None,
        remedy=advise(found[0].reason),
    )


def _report(
    found: Sequence[Ways], headline: str, shares: Sequence[DistrictShare], context: JobContext
) -> list[str]:
    """Log what was found; returns what the page has to say beside it."""
    context.log(headline)
    if len(found) == 1:
        context.log(describe_front(found[0]))
        if middle := find_halfway(found[0]):
            context.log(f"Half of the gain costs less: {describe_way(middle, found[0].ways[0])}")
        for sentence in describe_moved(found[0]):
            context.log(sentence)
    for sentence in describe_districts(shares):
        context.log(sentence)
    notes = []
    if without := [each for each in found if not each.ways]:
        reasons: dict[str, int] = {}
        for each in without:
            reasons[each.reason] = reasons.get(each.reason, 0) + 1
        why = "; ".join(f"{reason} ({number:,})" for reason, number in reasons.items())
        notes.append(f"{part_text(len(without), len(found), 'pair', 'has', 'have')} no way: {why}")
    if weighed := sum(not each.exact for each in found):
        text = part_text(weighed, len(found), "pair", "took", "took")
        notes.append(f"{text} longer than the time limit: their ways were found by weights, and some may be missing")
    for note in notes:
        context.warn(note)
    return notes
