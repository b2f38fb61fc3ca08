"""Job: make the warnings of the past as they could have been made, and count what they were worth."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from ..contract.dates import count_windows, format_moment
from ..contract.forecasters import DEFAULT_WARNING, title_of
from ..contract.tools.warning import BacktestWarnings
from ..contract.warnings import write_length
from ..evaluation.plan import Plan
from ..evaluation.warned import WarningsJudged
from ..evaluation.warnings import run_warnings
from ..ground.artefacts import check_folder
from ..ground.context import JobContext
from ..ground.failures import keep_going
from ..intake.incidents import count_reasons
from ..maps.shapes import Shapes
from ..report.outputs import hide_folders
from ..report.warnings.numbers import count_events
from ..report.warnings.page import write_warnings_report
from ..report.warnings.results import describe_scores
from ..report.warnings.rows import write_warnings_figures
from ..report.warnings.sentences import describe_warnings, list_sentences
from ..report.warnings.verdict import describe_warnings_verdict
from ..systems.warning.moments import find_start, hold_out_share
from ..systems.warning.steps import read_task
from ..systems.warning.tables import write_tested
from .models import to_dict


def run(parameters: BacktestWarnings, context: JobContext) -> dict[str, Any]:
    """Read, warn of every window of the test by every model, count, write."""
    began = time.monotonic()
    for name in ("report", "csv", "warnings"):
        if path := getattr(parameters, name):
            check_folder(path, name)
    with context.step(0.0, 0.1):
        task = read_task(parameters, parameters.models, context)
    panel, timing, inputs = task.panel, task.timing, task.inputs
    if parameters.start is not None:
        first = find_start(panel, timing, parameters.start)
    else:
        first = hold_out_share(panel, timing, parameters.test, "test")
    tested = (len(panel) - first) // timing.bins
    said = f"{count_windows(tested, write_length(timing.window))} from {format_moment(panel.edges[first])} on"
    context.log(f"{said} {'is' if tested == 1 else 'are'} warned of, each as it could have been then")
    models = list(dict.fromkeys([DEFAULT_WARNING, *parameters.models]))
    with context.step(0.1, 0.9):
        judged = run_warnings(
            panel,
            models,
            Plan(first, refit=parameters.refit),
            timing,
            task.budget,
            context=context,
            workers=parameters.workers,
        )
    for sentence in list_sentences(judged):
        context.log(sentence)
    shown = hide_folders(to_dict(parameters))
    written = {name: getattr(parameters, name) for name in ("report", "csv", "warnings")}
    with context.step(0.9, 1.0):
        if parameters.report:
            with keep_going(context.warn, "The report could not be written"):
                write_warnings_report(parameters.report, judged, shown, inputs.notes, precursors=task.precursors)
        if parameters.csv:
            write_warnings_figures(parameters.csv, judged)
        if parameters.warnings:
            _write_layer(parameters.warnings, judged, context)
    context.progress(1.0, "Done")
    verdict, said = describe_warnings_verdict(judged)[0], describe_warnings(judged)
    spans = _list_spans(judged)
    return {
        **written,
        "model": judged.model,
        "title": title_of(judged.model),
        "scores": describe_scores(judged),
        "verdict": verdict,
        "said": said,
        "headline": f"{said} {verdict}",
        "edges": spans.astype(str).tolist(),
        "counted_categories": panel.categories,
        "events": count_events(judged),
        "windows": len(judged.windows),
        "refused": len(inputs.refusals),
        "reasons": count_reasons(inputs.refusals),
        "refusals": [[each.fid, each.reason] for each in inputs.refusals],
        "failures": judged.failures,
        "notes": [*judged.notes, *inputs.notes],
        "seconds": round(time.monotonic() - began, 3),
        "parameters": shown,
    }


def _list_spans(judged: WarningsJudged) -> np.ndarray[Any, Any]:
    """Start and end of each window tested, shape (F, 2)."""
    return np.stack([judged.panel.edges[judged.windows], judged.panel.edges[judged.windows + 1]], axis=1)


def _write_layer(path: str, judged: WarningsJudged, context: JobContext) -> None:
    areas = judged.panel.support
    assert isinstance(areas, Shapes), "warnings are of areas"
    context.log(f"The warnings of the test are those of {title_of(judged.model)}")
    alarms = judged.scores[judged.model].alarms
    write_tested(path, areas, _list_spans(judged), judged.risks[judged.model], alarms, judged.events, context)
