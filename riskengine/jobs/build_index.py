"""Job: build a crime index from incidents."""

from __future__ import annotations

from typing import Any

from ..contract.dates import format_days
from ..contract.texts import count_text
from ..contract.tools.score import BuildCrimeIndex
from ..ground.context import JobContext
from ..intake.incidents import count_reasons, read_exchange
from ..systems.score.index import CrimeIndex, has_annoy


def run(parameters: BuildCrimeIndex, context: JobContext) -> dict[str, Any]:
    """Read, build, measure recall, write."""
    context.progress(0.0, "Reading incidents")
    incidents, refusals = read_exchange(parameters.incidents, context, order=parameters.date_order)
    method = parameters.method
    if method == "annoy" and not has_annoy():
        context.warn("annoy could not be compiled on this machine: the exact index serves instead")
        method = "exact"
    context.progress(0.2, "Building the index")
    index = CrimeIndex(incidents, parameters.crs, method, parameters.trees, parameters.seed)
    context.progress(0.7, "Measuring recall")
    recall = index.recall()
    first, last = str(incidents.time.min()), str(incidents.time.max())
    context.progress(0.8, "Writing the index")
    index.save(
        parameters.output,
        {"first": first, "last": last, "recall": recall, "source": parameters.source, "exactness": incidents.exactness},
    )
    context.log(
        f"{count_text(len(incidents), 'incident')}, {format_days(first, last, incidents.exactness)}; {method} search,"
        f" recall {recall:.3f}"
    )
    return {
        "output": parameters.output,
        "count": len(incidents),
        "first": first,
        "last": last,
        "method": method,
        "recall": recall,
        "refused": len(refusals),
        "reasons": count_reasons(refusals),
        "refusals": [[refusal.fid, refusal.reason] for refusal in refusals],
    }
