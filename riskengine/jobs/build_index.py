"""Job: build a crime index from incidents."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from ..ground.context import JobContext
from ..intake.incidents import count_reasons, read_exchange
from ..intake.times import Order
from ..systems.score.index import CrimeIndex, annoy_installed
from . import JobParameters


class Parameters(JobParameters):
    incidents: str
    output: str
    crs: str
    method: Literal["exact", "annoy"] = "exact"
    trees: int = Field(10, ge=1, le=1000)
    seed: int = Field(0, ge=0, lt=2**31 - 1)
    source: str = ""
    date_order: Order = "auto"


def run(parameters: Parameters, context: JobContext) -> dict[str, Any]:
    """Read, build, measure recall, write."""
    context.progress(0.0, "Reading incidents")
    incidents, refusals = read_exchange(parameters.incidents, context, order=parameters.date_order)
    method = parameters.method
    if method == "annoy" and not annoy_installed():
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
        {"first": first, "last": last, "recall": recall, "source": parameters.source},
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
