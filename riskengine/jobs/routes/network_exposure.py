"""Job: the exposure of each line of a street network, and what is wrong with the network."""

from __future__ import annotations

from typing import Any

from ...contract.tools.routes import NetworkExposure
from ...ground.artefacts import check_folder
from ...ground.context import JobContext
from ...ground.wholetables import write_whole_table
from ...intake.incidents import count_reasons
from ...streets.faultlayer import write_faults
from ...streets.faults import find_faults
from ...systems.routes.exposed import LINE_FIELDS, MOSTLY, add_outside, choose_limits, describe_lines, sum_lines
from ...systems.routes.exposure import read_exposure
from ...systems.routes.opening import open_streets


def run(parameters: NetworkExposure, context: JobContext) -> dict[str, Any]:
    """Read incidents and streets, build the network, look the risk up along it, write the lines with more fields."""
    for key in ("output", "faults"):
        if path := getattr(parameters, key):
            check_folder(path, key)
    with context.step(0.0, 0.4):
        opened = open_streets(parameters, context)
    streets, network = opened.streets, opened.network
    with context.step(0.4, 0.7):
        found = read_exposure(parameters, opened.opened, opened.incidents, context)
    with context.step(0.7, 0.9):
        faults = find_faults(network, streets.levels, streets.empty, streets.parted, context)
    lines = sum_lines(network, found)
    shown = add_outside(faults, network, found)
    headline = describe_lines(lines, found, parameters.percentile)
    context.log(headline)
    for sentence in faults.describe():
        context.log(sentence)
    context.progress(0.9, "Writing the streets")
    names: list[str] = []
    if parameters.output:
        names = write_whole_table(parameters.output, streets.table, LINE_FIELDS, lines.columns)
    if parameters.faults:
        write_faults(parameters.faults, shown, streets.table.fids, streets.crs)
    return {
        "lines": len(streets.table),
        "metres": float(network.metres.sum()),
        "exposure": float(found.exposure.sum()),
        "step": found.step,
        "threshold": found.threshold,
        "outside": shown.count("outside"),
        "fault_count": len(shown),
        "components": faults.components,
        "headline": f"{headline}.",
        "names": dict(zip(LINE_FIELDS, names, strict=False)),
        "limits": choose_limits(lines),
        "mostly": MOSTLY,
        "unit": found.unit,
        "percentile": parameters.percentile,
        "refused": len(opened.refusals),
        "reasons": count_reasons(opened.refusals),
        "refusals": [[refusal.fid, refusal.reason] for refusal in opened.refusals],
    }
