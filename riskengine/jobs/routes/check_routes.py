"""Job: test on months not seen whether less exposed routes pass fewer incidents than the shortest ones."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import shapely

from ...contract.texts import count_text, format_amount
from ...contract.tools.base import fields_of
from ...contract.tools.checkroutes import CheckRoutes
from ...ground.artefacts import check_folder
from ...ground.context import JobContext
from ...ground.tables import Chunk, write_table
from ...intake.incidents import Incidents, count_reasons, read_exchange
from ...maps.hull import draw_hull
from ...report.routes import checkwords, words
from ...report.routes.checktable import write_check_table
from ...streets.kept import open_network
from ...streets.network import Network
from ...systems.routes.checking import Checked, check_ways
from ...systems.routes.months import Month, choose_months
from ...systems.routes.pairs import draw_pairs, read_own_pairs
from ...systems.routes.polygons import Districts
from ...systems.routes.results import Interval, PairOfPlaces
from ...systems.routes.risks import list_controls, make_judged_risk
from ...systems.routes.ways import WayPlan
from ..models import to_dict


def run(parameters: CheckRoutes, context: JobContext) -> dict[str, Any]:
    """Read, choose months and pairs, find the ways by each risk, count, write."""
    began = time.monotonic()
    for key in ("report", "csv", "output"):
        if path := getattr(parameters, key):
            check_folder(path, key)
    context.progress(0.0, "Reading incidents")
    incidents, refusals = read_exchange(parameters.incidents, context, order=parameters.date_order)
    months = choose_months(incidents, parameters.tested, parameters.months, context)
    with context.step(0.05, 0.1):
        opened = open_network(parameters, context, parameters.crs or "")
        network = opened.network
    pairs = _choose_pairs(parameters, network, incidents, months[0], context)
    risks = [make_judged_risk(parameters.risk_kind, parameters, network), *list_controls(parameters, opened)]
    with context.step(0.1, 0.95):
        checked = check_ways(network, incidents, pairs, months, risks, WayPlan(detour=parameters.detour), context)
    shown = to_dict(parameters)
    check = checked.check
    if parameters.areas:
        districts = Districts(parameters.areas, parameters.area_name or "", network.crs)
        ends = ([each.ways[end] for each in checked.fronts] for end in (0, -1))
        check = replace(check, districts=tuple(districts.share_out(*ends)))
    first = check.deliveries[0]
    for note in check.notes:
        context.warn(note)
    verdict = checkwords.describe_check(check)
    for describe in (
        checkwords.describe_check,
        checkwords.describe_gap,
        checkwords.describe_distances,
        checkwords.describe_detours,
        checkwords.describe_controls,
        checkwords.describe_for_walker,
    ):
        if sentence := describe(check):
            context.log(sentence)
    for sentence in words.describe_districts(check.districts):
        context.log(sentence)
    if parameters.report:
        from ...report.routes.checkpage import write_check_page

        write_check_page(parameters.report, check, shown, check.notes, network.crs)
    if parameters.csv:
        write_check_table(parameters.csv, check)
    if parameters.output:
        fields = fields_of(CheckRoutes, "output")
        write_table(parameters.output, fields, _list_ways(checked), "multiline", network.crs)
    context.progress(1.0, "Done")
    return {
        "delivered": {str(metres): _figure(ratio) for metres, ratio in first.delivered.items()},
        "promised": _figure(first.promised),
        "fewer": first.fewer,
        "more": first.more,
        "pairs": check.pairs,
        "months": len(check.months),
        "tested": list(check.months),
        "verdict": verdict,
        "headline": verdict,
        "notes": list(check.notes),
        "crs": network.crs,
        "refused": len(refusals),
        "reasons": count_reasons(refusals),
        "refusals": [[refusal.fid, refusal.reason] for refusal in refusals],
        "seconds": round(time.monotonic() - began, 3),
        "parameters": shown,
    }


def _choose_pairs(
    parameters: CheckRoutes, network: Network, incidents: Incidents, first: Month, context: JobContext
) -> list[PairOfPlaces]:
    """The user's own pairs, or random ones where incidents lay before the first tested month."""
    if parameters.own_pairs:
        return read_own_pairs(parameters.own_pairs, parameters.pair_field or "", network.crs, context)
    known = incidents.before(first.astype("datetime64[s]"))
    area = draw_hull(known.x, known.y).shape
    nearest, farthest = parameters.nearest, parameters.farthest
    pairs = draw_pairs(network, parameters.pairs, nearest, farthest, parameters.seed, area)
    context.log(
        f"{count_text(len(pairs), 'random pair')} of places, {format_amount(nearest)} to {format_amount(farthest)} m"
        f" apart, drawn where incidents lie (seed {parameters.seed})"
    )
    return pairs


def _figure(interval: Interval) -> float | None:
    return interval.value if np.isfinite(interval.value) else None


def _list_ways(checked: Checked) -> Iterator[Chunk]:
    """Both ways of each pair and month."""
    ways = checked.ways
    near = np.array([each.near for each in ways]).T
    columns = [
        [each.pair for each in ways],
        [each.month for each in ways],
        [each.kind for each in ways],
        np.array([each.way.metres for each in ways]),
        np.array([each.way.exposure for each in ways]),
        *near,
    ]
    lines = shapely.multilinestrings([[shapely.linestrings(each.way.vertices)] for each in ways])
    yield Chunk(columns, shapes=shapely.to_wkb(lines).tolist())
