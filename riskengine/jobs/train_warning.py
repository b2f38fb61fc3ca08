"""Job: train a model that warns of events before their window begins, judge it on windows it did not know, keep it."""

from __future__ import annotations

import time
from typing import Any

from ..contract.dates import count_windows, format_moment
from ..contract.forecasters import WARNING_CANDIDATES, title_of
from ..contract.texts import count_text
from ..contract.tools.warning import AUTOMATIC, TrainWarningModel
from ..contract.warnings import Timing, write_length
from ..evaluation.warned import WarningsJudged
from ..evaluation.warnings import choose_warning_model, confirm_warning_model, judge_warnings_trained
from ..forecasters.catalogue import make_forecaster
from ..forecasters.modelcard import make_card
from ..forecasters.modelfile import save_model
from ..forecasters.warningnote import make_note
from ..ground.artefacts import check_folder
from ..ground.context import JobContext
from ..ground.failures import keep_going
from ..intake.incidents import count_reasons
from ..maps.panel import Panel
from ..report.outputs import hide_folders
from ..report.warnings.numbers import count_events
from ..report.warnings.results import describe_scores
from ..report.warnings.sentences import describe_warnings, list_sentences
from ..report.warnings.training import write_warning_training_report
from ..report.warnings.verdict import describe_warnings_verdict
from ..systems.hotspots.steps import check_length, find_known
from ..systems.warning.moments import hold_out_share
from ..systems.warning.steps import read_task
from .models import to_dict


def run(parameters: TrainWarningModel, context: JobContext) -> dict[str, Any]:
    """Choose and fit before the windows held out, judge, fit again on all of them, write."""
    began = time.monotonic()
    for name in ("model_output", "report"):
        if path := getattr(parameters, name):
            check_folder(path, name)
    with context.step(0.0, 0.1):
        task = read_task(parameters, [parameters.kind], context)
    panel, timing, inputs = task.panel, task.timing, task.inputs
    first = hold_out_share(panel, timing, parameters.held_out)
    with context.step(0.1, 0.5):
        kind = _choose_kind(parameters.kind, panel, first, timing, context)
    wanted = make_forecaster(kind, threshold=1)
    check_length(wanted, panel, first)
    context.progress(0.5, f"Fitting {title_of(kind)}")
    model = wanted.fit(find_known(panel, first), context)
    judged: WarningsJudged | None = None
    if first == len(panel):
        context.warn("No window was held out: nothing can be said about how good the warnings are")
    else:
        held = count_windows((len(panel) - first) // timing.bins, write_length(timing.window))
        context.log(f"{held} held out, from {format_moment(panel.edges[first])} on")
        with context.step(0.55, 0.85):
            judged = judge_warnings_trained(model, panel, first, timing, task.budget, context)
        if parameters.kind == AUTOMATIC:
            kind, judged = _confirm(judged, context)
        for sentence in list_sentences(judged):
            context.log(sentence)
        context.progress(0.85, f"Fitting {title_of(kind)} on all windows")
        context.log("These figures are of a model that knew no held-out window; the one kept is fitted on all windows")
        model = make_forecaster(kind, threshold=1).fit(find_known(panel, len(panel)), context)
    verdict, tone = describe_warnings_verdict(judged)
    if judged is None:
        context.log(verdict, "warning" if tone == "worse" else "info")
    said = describe_warnings(judged) if judged else verdict
    note = make_note(timing, parameters.targets, parameters.similar, task.budget, said)
    scores = describe_scores(judged) if judged else {}
    metrics = {name: _list_figures(figures) for name, figures in scores.items()}
    card = make_card(model, find_known(panel, len(panel)), metrics, warning=note)
    context.progress(0.95, "Writing")
    save_model(parameters.model_output, model, card)
    shown = hide_folders(to_dict(parameters))
    report = None
    if parameters.report:
        with keep_going(context.warn, "The model is written, but its report is not"):
            write_warning_training_report(
                parameters.report, panel, card, judged, shown, inputs.notes, precursors=task.precursors
            )
            report = parameters.report
    number = len(inputs.warning.events)
    context.log(f"{title_of(kind)} is kept, trained on {count_text(number, 'event')}")
    context.progress(1.0, "Done")
    return {
        "model": kind,
        "title": title_of(kind),
        "model_output": parameters.model_output,
        "report": report,
        "scores": scores,
        "verdict": verdict,
        "said": said,
        "events": count_events(judged) if judged else 0,
        "windows": len(judged.windows) if judged else 0,
        "all_events": number,
        "trained_until": card.window.end,
        "refused": len(inputs.refusals),
        "reasons": count_reasons(inputs.refusals),
        "refusals": [[each.fid, each.reason] for each in inputs.refusals],
        "notes": inputs.notes,
        "seconds": round(time.monotonic() - began, 3),
        "parameters": shown,
    }


def _choose_kind(asked: str, panel: Panel, first: int, timing: Timing, context: JobContext) -> str:
    """The kind that was asked for, or the one that windows choose which were over and known when the test began."""
    if asked != AUTOMATIC:
        return asked
    known = len(find_known(panel, first)) // timing.bins * timing.bins
    choice = choose_warning_model(panel.cut(known), WARNING_CANDIDATES, timing, context)
    context.log(choice.reason)
    return choice.model


def _confirm(judged: WarningsJudged, context: JobContext) -> tuple[str, WarningsJudged]:
    """The kind that is kept after the test, and the test with that kind first; what was decided is said."""
    choice = confirm_warning_model(judged)
    assert choice.judged is not None, "given"
    if choice.reason:
        context.log(choice.reason)
        choice.judged.notes.append(f"{choice.reason}.")
    return choice.model, choice.judged


def _list_figures(figures: dict[str, Any]) -> dict[str, Any]:
    return {name: figures[name] for name in ("log_loss", "brier", "auc", "average_precision", "calibration_error")}
