"""Job: the efficient ways between pairs of places, from the shortest to the least exposed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from ...contract.texts import part_text
from ...contract.tools.saferoutes import SafeRoutes
from ...ground.artefacts import check_folder
from ...ground.context import JobContext
from ...ground.errors import DataError
from ...intake.incidents import count_reasons
from ...report.outputs import hide_folders
from ...report.routes.page import write_routes_page
from ...report.routes.words import (
    describe_districts,
    describe_front,
    describe_many,
    describe_moved,
    describe_way,
    find_halfway,
    label_way,
)
from ...systems.routes.exposure import read_exposure
from ...systems.routes.opening import open_streets
from ...systems.routes.pairing import read_pairs
from ...systems.routes.polygons import Districts, find_avoided
from ...systems.routes.results import DistrictShare, Ways
from ...systems.routes.routelayer import write_routes, write_unserved
from ...systems.routes.ways import WayFinder, WayPlan, advise
from ..models import to_dict


def run(parameters: SafeRoutes, context: JobContext) -> dict[str, Any]:
    """Read streets and risk, find the ways of all pairs, write them and what is said of them."""
    for key in ("output", "unserved", "report"):
        if path := getattr(parameters, key):
            check_folder(path, key)
    with context.step(0.0, 0.3):
        opened = open_streets(parameters, context)
    network = opened.network
    pairs, lonely = read_pairs(parameters, network.crs, context)
    with context.step(0.3, 0.5):
        exposure = read_exposure(parameters, opened.opened, opened.incidents, context)
    closed = find_avoided(parameters.avoid, network, context) if parameters.avoid else None
    plan = WayPlan(
        parameters.detour, parameters.farthest, parameters.unlit_factor, parameters.time_limit, parameters.wanted
    )
    for note in _describe_lighting(network, parameters):
        context.log(note)
    finder = WayFinder(network, exposure, plan, closed)
    found: list[Ways] = []
    for number, pair in enumerate(pairs):
        context.progress(0.5 + 0.4 * number / len(pairs), f"Finding the ways of pair {number + 1:,} of {len(pairs):,}")
        found.append(finder.find(pair, context))
    found += lonely
    served = [each for each in found if each.ways]
    if not served and not parameters.unserved:
        raise _explain_none(found)
    districts: list[DistrictShare] = []
    if parameters.areas and parameters.area_name and served:
        ends = ([each.ways[place] for each in served] for place in (0, -1))
        districts = Districts(parameters.areas, parameters.area_name, network.crs).share_out(*ends)
    headline = describe_many(found)
    notes = _report(found, headline, districts, context)
    context.progress(0.9, "Writing the routes")
    if parameters.output:
        write_routes(parameters.output, found, network.crs, label_way)
    if parameters.unserved:
        write_unserved(parameters.unserved, found)
    if parameters.report:
        settings = hide_folders(to_dict(parameters))
        write_routes_page(
            parameters.report,
            found,
            exposure,
            settings,
            districts,
            network,
            [*opened.opened.notes, *notes],
            network.crs,
        )
    first = served[0] if served else None
    return {
        "pairs": len(served),
        "ways": sum(len(each.ways) for each in served),
        "shortest": first and first.ways[0].metres,
        "least": first and first.ways[-1].metres,
        "saved": first and first.ways[0].exposure and first.ways[-1].compute_saved(first.ways[0]),
        "by_weights": sum(not each.exact for each in found),
        "headline": headline,
        "unit": exposure.unit,
        "refused": len(opened.refusals),
        "reasons": count_reasons(opened.refusals),
        "refusals": [[refusal.fid, refusal.reason] for refusal in opened.refusals],
    }


def _describe_lighting(network: Any, parameters: SafeRoutes) -> list[str]:
    """Say what the factor of unlit streets is worth here."""
    if parameters.unlit_factor == 1:
        return []
    if not (network.lit >= 0).any():
        return ["The factor of unlit streets changes nothing: no field says which streets are lit"]
    unlit, unknown = (float(network.metres[network.lit == value].sum()) / 1000 for value in (0, -1))
    return [
        f"{unlit:,.1f} km of unlit streets count as {parameters.unlit_factor:g} times their exposure; of "
        f"{unknown:,.1f} km it is not known whether they are lit, and they count once"
    ]


def _explain_none(found: Sequence[Ways]) -> DataError:
    first = found[0].reason
    return DataError(
        first if len(found) == 1 else f"{describe_many(found)} The first: {first}",
        parameter="start",
        value=found[0].pair.name,
        remedy=advise(first),
    )


def _report(found: Sequence[Ways], headline: str, districts: Sequence[DistrictShare], context: JobContext) -> list[str]:
    """Log what was found; returns what the page has to say beside it."""
    context.log(headline)
    if len(found) == 1 and found[0].ways:
        context.log(describe_front(found[0]))
        if middle := find_halfway(found[0]):
            context.log(f"Half of the gain costs less: {describe_way(middle, found[0].ways[0])}")
        for sentence in describe_moved(found[0]):
            context.log(sentence)
    for sentence in describe_districts(districts):
        context.log(sentence)
    notes = []
    if without := [each.reason for each in found if not each.ways]:
        why = "; ".join(f"{reason} ({number:,})" for reason, number in Counter(without).most_common())
        notes.append(f"{part_text(len(without), len(found), 'pair', 'has', 'have')} no way: {why}")
    if weighed := sum(not each.exact for each in found):
        took = part_text(weighed, len(found), "pair", "took", "took")
        notes.append(f"{took} longer than the time limit: their ways were found by weights, and some may be missing")
    for note in notes:
        context.warn(note)
    return notes
