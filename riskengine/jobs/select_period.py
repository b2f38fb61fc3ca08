"""Job: the period whose months hold enough incidents."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..contract.dates import format_span
from ..contract.texts import count_text, part_text
from ..contract.tools.grids import SelectPeriod
from ..ground.artefacts import whole_file
from ..ground.context import JobContext
from ..intake.incidents import count_reasons, read_exchange
from ..maps.counted import tell_counted
from ..maps.period import select_period


def run(parameters: SelectPeriod, context: JobContext) -> dict[str, Any]:
    """Read, choose, say what was left out; write the report and the ids of the incidents kept where asked."""
    context.progress(0.0, "Reading incidents")
    incidents, refusals = read_exchange(parameters.incidents, context, order=parameters.date_order)
    context.progress(0.5, "Choosing the period")
    period = select_period(incidents.time, parameters.share, parameters.least)
    total = len(incidents)
    if period.stragglers.any():
        context.log(
            f"{count_text(int(period.stragglers.sum()), 'month holds', 'months hold')} only"
            f" {int(period.counts[period.stragglers].sum()):,} of "
            f"{count_text(total, 'incident')}: they are taken for stragglers, and not counted in the median month"
        )
    context.log(
        f"{part_text(int(period.chosen.sum()), len(period.months), 'month')} chosen,"
        f" {format_span(period.start, period.end)}: each holds at least {count_text(period.limit, 'incident')}"
    )
    share = period.left_out / total
    say = context.warn if share > 0.5 else context.log
    lie, are = ("lies", "is") if period.left_out == 1 else ("lie", "are")
    if period.left_out:
        part = part_text(period.left_out, total, "incident")
        say(f"{part} ({share:.1%}) {lie} outside the period and {are} left out")
    if parameters.report:
        # matplotlib takes a second to load, so only for who wants a chart.
        from ..report.period import write_period_report

        context.progress(0.7, "Writing the report")
        shown = {name: getattr(parameters, name) for name in ("share", "least", "date_order")}
        write_period_report(parameters.report, period, incidents, len(refusals), shown)
    if parameters.kept:
        inside = incidents.between(period.start, period.end)
        with whole_file(Path(parameters.kept), "kept") as temporary, temporary.open("wb") as file:
            np.save(file, inside.fid)
    return {
        "start": str(period.start),
        "end": str(period.end),
        "incidents": period.incidents,
        **tell_counted(period.incidents, format_span(period.start, period.end)),
        "left_out": period.left_out,
        "months": [[str(month), int(count)] for month, count in zip(period.months, period.counts, strict=True)],
        "chosen": int(period.chosen.sum()),
        "limit": period.limit,
        "report": parameters.report,
        "exactness": incidents.exactness,
        "refused": len(refusals),
        "reasons": count_reasons(refusals),
        "refusals": [[refusal.fid, refusal.reason] for refusal in refusals],
    }
