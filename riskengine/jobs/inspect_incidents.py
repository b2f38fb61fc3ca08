"""Job: a report of what incidents can carry, before anything is computed from them."""

from __future__ import annotations

from collections import Counter
from typing import Any

from ..contract.tools.incidents import InspectIncidents
from ..ground.context import JobContext
from ..intake.incidents import count_reasons, read_exchange, read_reported


def run(parameters: InspectIncidents, context: JobContext) -> dict[str, Any]:
    """Read, look, and write the report."""
    # matplotlib takes a second to load.
    from ..report.inspection import write_inspection

    context.progress(0.0, "Reading incidents")
    incidents, refusals = read_exchange(parameters.incidents, context, order=parameters.date_order)
    reported = read_reported(parameters.incidents, incidents, parameters.date_order)
    reasons = dict((Counter(parameters.refused_places) + Counter(count_reasons(refusals))).most_common())
    with context.step(0.2, 1.0):
        figures = write_inspection(
            parameters.report, incidents, parameters.crs, reasons, context, reported, name=parameters.layer
        )
    return {
        **figures,
        "report": parameters.report,
        "refused": len(refusals),
        "reasons": reasons,
        "refusals": [[refusal.fid, refusal.reason] for refusal in refusals],
    }
