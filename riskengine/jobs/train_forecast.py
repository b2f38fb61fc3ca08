"""Job: train any forecaster of the catalogue, score it on held-out bins beside the baselines, and keep it."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from ..contract.aims import CATCH, Catch
from ..contract.dates import format_moment, format_span
from ..contract.forecasters import DEFAULT, DEFAULT_CATCH, FORECASTERS, list_baselines, title_of
from ..contract.texts import count_text
from ..contract.tools.forecast import TrainForecastModel
from ..evaluation.catching import judge_catch_trained
from ..evaluation.judged import Judged
from ..evaluation.judging import judge_trained
from ..forecasters.base import Forecaster
from ..forecasters.catalogue import make_forecaster
from ..forecasters.modelcard import make_card
from ..forecasters.modelfile import load_model, save_model
from ..ground.artefacts import check_folder
from ..ground.context import JobContext
from ..ground.errors import DataError
from ..ground.failures import keep_going
from ..maps.aims import find_flagged_share
from ..maps.area import narrow_to_past
from ..maps.counted import describe_counted
from ..maps.heatmaps import Heatmaps, require_grid
from ..maps.history import read_panel_or_heatmaps, to_local_moment
from ..maps.panel import Panel
from ..maps.sparsecounts import keep_sparse
from ..report.card import metrics_of
from ..report.claims import make_headline
from ..report.outputs import hide_folders
from ..report.training import write_training_report
from ..report.words import weights_text
from ..systems.hotspots.aims import check_cells, describe_catch, hold_out_windows, make_catch
from ..systems.hotspots.steps import check_length, describe_delay, find_known, fit, hold_out
from .models import to_dict


def run(parameters: TrainForecastModel, context: JobContext) -> dict[str, Any]:
    """Fit before the held-out bins, score, fit again on all of them, write."""
    began = time.monotonic()
    for name in ("model_output", "report", "checkpoint"):
        if path := getattr(parameters, name):
            check_folder(path, name)
    notes: list[str] = []

    def warn(message: str) -> None:
        notes.append(message)
        context.warn(message)

    def say(message: str) -> None:
        notes.append(message)
        context.log(message)

    wanted = _make(parameters, None)
    context.progress(0.0, "Reading the counts")
    panel = read_panel_or_heatmaps(parameters.heatmaps, parameters.extras)
    for name in (wanted.name, *getattr(wanted, "members", ())):
        if FORECASTERS[name].network:
            require_grid(panel, name)
    if parameters.delay is not None:
        panel = replace(panel, delay=parameters.delay)
    if not isinstance(panel, Heatmaps):
        context.log(describe_counted(panel))
    if late := describe_delay(panel):
        say(f"{late}: the model learns to look as much further ahead, and is judged on that")
    if parameters.until is not None:
        panel = _until(panel, parameters.until, context)
    bins, noun, catch = len(panel), panel.bin_noun, None
    first = hold_out(panel, parameters.held_out)
    if parameters.aim != CATCH:
        check_cells(panel)
    else:
        panel = keep_sparse(panel)
        catch = make_catch(parameters.catch_size, parameters.catch_unit, parameters.horizon, panel)
        first = hold_out_windows(panel, parameters.held_out, catch.window)
        say(f"The model is made for {describe_catch(catch, panel)}")
        if wanted.name != parameters.kind:
            context.log(f"With the catch the kind {title_of(parameters.kind)} is {title_of(wanted.name)}")
        wanted = _make(parameters, catch, panel)
    check_length(wanted, panel, first)
    # What is judged knows no place that only the held-out maps show; what is kept may.
    held_in = narrow_to_past(panel, first, say) if first < bins else panel
    again = parameters.refit and first < bins
    share = 0.45 if again else 0.85
    known = find_known(held_in, first)
    with context.step(0.02, share):
        model = _fit_judged(parameters, catch, known, again, context)
    judged: Judged | None = None
    if first == bins:
        warn(f"No {noun} was held out: nothing can be said about how good the model is")
    elif not panel.observed[first:].any():
        warn(f"None of the held-out {noun}s was observed: the model is not evaluated")
    else:
        with context.step(share, share + 0.1):
            judged = _judge(model, held_in, first, catch, parameters.threshold, context)
    sentence, tone = make_headline(judged)
    context.log(sentence, "warning" if tone == "worse" else "info")
    trained = known
    if again:
        trained = find_known(panel, bins)
        with context.step(share + 0.1, 0.95):
            context.log(
                f"The figures are those of a model that knew no held-out {noun}; now it is fitted on all {noun}s"
            )
            model = _fit(parameters, catch, trained, context)
    card = make_card(model, trained, metrics_of(judged), catch)
    context.progress(0.96, "Writing")
    save_model(parameters.model_output, model, card)
    if parameters.checkpoint:
        _judged_file(parameters.checkpoint).unlink(missing_ok=True)
    report = None
    if parameters.report:
        with keep_going(context.warn, "The model is written, but its report is not"):
            weights = weights_text(card.window.end, len(known) / bins, again, card.bin, noun)
            shown = hide_folders(to_dict(parameters))
            write_training_report(parameters.report, panel, model, card, judged, weights, shown, notes)
            report = parameters.report
    context.progress(1.0, "Done")
    return {
        "model": parameters.model_output,
        "kind": model.name,
        "title": title_of(model.name),
        "report": report,
        "metrics": card.metrics,
        "log_loss_ratio_constant": judged.compute_loss_ratio("constant") if judged else None,
        "log_loss_ratio_best": judged.compute_loss_ratio(judged.best_baseline) if judged else None,
        "best_baseline": judged.best_baseline if judged else None,
        "verdict": sentence,
        "held_out_bins": len(judged.maps) * (catch.window if catch else 1) if judged else 0,
        **({"catch": judged.catch.to_dict()} if judged and judged.catch else {}),
        "trained_until": str(trained.edges[-1]),
        "maps": len(trained),
        "refitted": again,
        "notes": notes,
        "seconds": round(time.monotonic() - began, 3),
        "parameters": to_dict(parameters),
    }


def _until(panel: Panel, until: datetime, context: JobContext) -> Panel:
    """The bins that were over at `until`."""
    moment, noun = to_local_moment(until, "until"), panel.bin_noun
    bins = int(np.searchsorted(panel.edges[1:], moment, side="right"))
    if not bins:
        raise DataError(
            f"No {noun} ends before {format_moment(moment)}; the first is {format_span(*panel.edges[:2])}",
            parameter="until",
            value=str(moment),
            remedy=f"Choose a later time, or leave it empty for all {noun}s",
        )
    if bins < len(panel):
        late = count_text(len(panel) - bins, f"{noun} that ends", f"{noun}s that end")
        context.log(f"{late} after {format_moment(moment)} {'is' if len(panel) - bins == 1 else 'are'} left out")
        # What is learned ends there, and so does what is known of the area.
        panel = narrow_to_past(panel, bins, context.log)
    return panel.cut(bins)


def _make(parameters: TrainForecastModel, catch: Catch | None, history: Panel | None = None) -> Forecaster:
    kind = DEFAULT_CATCH if parameters.aim == CATCH and parameters.kind == DEFAULT else parameters.kind
    aimed = {}
    if catch is not None and history is not None:
        aimed = {"window": catch.window, "flagged": find_flagged_share(catch, history)}
    return make_forecaster(kind, threshold=parameters.threshold, seed=parameters.seed, **aimed, **parameters.settings)


def _judge(
    model: Forecaster, panel: Panel, first: int, catch: Catch | None, threshold: int, context: JobContext
) -> Judged:
    """Judge on the held-out bins, beside the baselines of the aim."""
    kind = panel.support.kind
    if catch is None:
        return judge_trained(model, panel, first, list_baselines(kind), threshold, context)
    return judge_catch_trained(model, panel, first, catch, context, list_baselines(kind, CATCH))


def _fit(parameters: TrainForecastModel, catch: Catch | None, history: Panel, context: JobContext) -> Forecaster:
    model = _make(parameters, catch, history)
    if hasattr(model, "checkpoint"):
        model.checkpoint = parameters.checkpoint
    return fit(model, history, context)


def _fit_judged(
    parameters: TrainForecastModel, catch: Catch | None, history: Panel, again: bool, context: JobContext
) -> Forecaster:
    """Fit without the held-out bins; after a cancel of the second fit, the first one is not done again."""
    keeps = again and parameters.checkpoint is not None and FORECASTERS[parameters.kind].network
    if not keeps:
        return _fit(parameters, catch, history, context)
    assert parameters.checkpoint is not None
    # Networks wait for torch, counts do not.
    from ..learning.checkpoint import compute_maps_fingerprint

    path = _judged_file(parameters.checkpoint)
    wanted, maps = _make(parameters, catch, history), compute_maps_fingerprint(history)
    if path.exists():
        kept, card = load_model(path, "checkpoint")
        same = kept.name == wanted.name and kept.settings() == wanted.settings()
        if same and card.fingerprint == maps:
            context.log("The model without the held-out maps is that of the run that was cancelled")
            return kept
    model = _fit(parameters, catch, history, context)
    # Of all that a fit reads; the fingerprint of a card is of the counts.
    card = make_card(model, history).model_copy(update={"fingerprint": maps})
    save_model(path, model, card, "checkpoint")
    return model


def _judged_file(checkpoint: str) -> Path:
    """Beside a checkpoint: the model that was fitted without the held-out maps, until that with them is written."""
    return Path(f"{checkpoint}.judged")
