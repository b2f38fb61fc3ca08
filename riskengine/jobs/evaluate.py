"""Job: judge a risk of cells or areas by what happened."""

from __future__ import annotations

import time
from typing import Any

from ..contract.tools.risk import EvaluateRisk
from ..evaluation.exposure import compute_exposure, read_areas
from ..evaluation.hindsight import find_hindsight, find_other_categories
from ..evaluation.riskmap import judge_risk
from ..evaluation.weighing import weigh
from ..ground.context import JobContext
from ..intake.findings import list_category_findings
from ..maps.area_risk import is_area_risk, read_area_risk
from ..maps.heatmaps import read_heatmaps
from ..maps.history import to_local_moment
from ..maps.panelfile import is_panel_file, read_panel
from ..maps.risk import read_risk
from ..report.claims import describe_comparison
from ..report.outputs import Outputs, check_outputs, result_of, write_outputs
from .models import check_units, to_dict


def run(parameters: EvaluateRisk, context: JobContext) -> dict[str, Any]:
    """Read, match bands and maps, score, write."""
    began = time.monotonic()
    outputs = Outputs(parameters.report, parameters.csv, None, parameters.labels, parameters.hits, parameters.by_area)
    check_outputs(outputs)
    notes: list[str] = []

    def warn(message: str) -> None:
        notes.append(message)
        context.warn(message)

    context.progress(0.0, "Reading")
    areas = read_areas(parameters.areas) if parameters.areas else {}
    of_areas = is_panel_file(parameters.heatmaps)
    check_units(EvaluateRisk, parameters, risk=is_area_risk(parameters.risk), heatmaps=of_areas)
    stack = read_area_risk(parameters.risk) if of_areas else read_risk(parameters.risk)
    panel = read_panel(parameters.heatmaps) if of_areas else read_heatmaps(parameters.heatmaps)
    start = None if parameters.start is None else to_local_moment(parameters.start, "start")
    hindsight = find_hindsight(stack, panel, start)
    # What matters most comes first, in log and report.
    other = find_other_categories(stack, panel)
    findings = [*filter(None, (hindsight, other)), *list_category_findings(panel.categories)]
    for finding in findings:
        context.warn(finding.sentence)
    with context.step(0.1, 0.9):
        backtest = judge_risk(
            stack,
            panel,
            threshold=parameters.threshold,
            percentile=parameters.percentile,
            over=parameters.over,
            start=start,
            warn=warn,
            context=context,
        )
    if parameters.weigh:
        backtest.weighed = weigh(backtest, parameters.weigh)
    if areas:
        risk = backtest.risks[backtest.model]
        flagged, mask = backtest.flag_cells(), backtest.panel.mask
        backtest.areas = compute_exposure(areas, panel.support, mask, risk, flagged, backtest.counts, context)
    shown = to_dict(parameters)
    with context.step(0.9, 1.0):
        write_outputs(backtest, outputs, shown, notes, findings, warn, context)
    for sentence in describe_comparison(backtest):
        context.log(sentence)
    context.progress(1.0, "Done")
    return {
        **result_of(backtest, outputs),
        "risk": parameters.risk,
        "notes": [*backtest.notes, *(finding.sentence for finding in findings), *notes],
        "seconds": round(time.monotonic() - began, 3),
        "parameters": shown,
    }
