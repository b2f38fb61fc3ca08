"""Job: train any forecaster of the catalogue, score it on held-out maps beside the baselines, and keep it."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from ..contract.dates import format_moment, format_span
from ..contract.forecasters import BASELINES, FORECASTERS
from ..contract.texts import count_text
from ..contract.tools.forecast import TrainForecastModel
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
from ..maps.area import narrow_to_past
from ..maps.heatmaps import Heatmaps
from ..maps.history import read_history, to_local_moment
from ..report.card import metrics_of
from ..report.claims import make_headline
from ..report.outputs import hide_folders
from ..report.training import write_training_report
from ..report.words import weights_text
from ..systems.hotspots.steps import check_length, fit, hold_out
from .models import to_dict


def run(parameters: TrainForecastModel, context: JobContext) -> dict[str, Any]:
    """Fit before the held-out maps, score, fit again on all of them, write."""
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

    context.progress(0.0, "Reading hotspot grids")
    heatmaps = read_history(parameters.heatmaps, parameters.extras)
    if parameters.until is not None:
        heatmaps = _until(heatmaps, parameters.until, context)
    maps, first = len(heatmaps), hold_out(heatmaps, parameters.held_out)
    check_length(_make(parameters), heatmaps, first)
    # What is judged knows no place that only the held-out maps show; what is kept may.
    held_in = narrow_to_past(heatmaps, first, say) if first < maps else heatmaps
    again = parameters.refit and first < maps
    share = 0.45 if again else 0.85
    with context.step(0.02, share):
        model = _fit_judged(parameters, held_in.before(first), again, context)
    judged: Judged | None = None
    if first == maps:
        warn("No map was held out: nothing can be said about how good the model is")
    elif not heatmaps.observed[first:].any():
        warn("None of the held-out maps was observed: the model is not evaluated")
    else:
        with context.step(share, share + 0.1):
            judged = judge_trained(model, held_in, first, BASELINES, parameters.threshold, context)
    sentence, tone = make_headline(judged)
    context.log(sentence, "warning" if tone == "worse" else "info")
    trained = held_in.before(first)
    if again:
        trained = heatmaps
        with context.step(share + 0.1, 0.95):
            context.log("The figures are those of a model that knew no held-out map; now it is fitted on all maps")
            model = _fit(parameters, heatmaps, context)
    card = make_card(model, trained, metrics_of(judged))
    context.progress(0.96, "Writing")
    save_model(parameters.model_output, model, card)
    if parameters.checkpoint:
        _judged_file(parameters.checkpoint).unlink(missing_ok=True)
    report = None
    if parameters.report:
        with keep_going(context.warn, "The model is written, but its report is not"):
            weights = weights_text(card.window.end, first / maps, again, card.bin)
            shown = hide_folders(to_dict(parameters))
            write_training_report(parameters.report, heatmaps, model, card, judged, weights, shown, notes)
            report = parameters.report
    context.progress(1.0, "Done")
    return {
        "model": parameters.model_output,
        "kind": model.name,
        "title": FORECASTERS[parameters.kind].title,
        "report": report,
        "metrics": card.metrics,
        "log_loss_ratio_constant": judged.compute_loss_ratio("constant") if judged else None,
        "log_loss_ratio_best": judged.compute_loss_ratio(judged.best_baseline) if judged else None,
        "best_baseline": judged.best_baseline if judged else None,
        "verdict": sentence,
        "held_out_bins": len(judged.maps) if judged else 0,
        "trained_until": str(trained.edges[-1]),
        "maps": len(trained),
        "refitted": again,
        "notes": notes,
        "seconds": round(time.monotonic() - began, 3),
        "parameters": to_dict(parameters),
    }


def _until(heatmaps: Heatmaps, until: datetime, context: JobContext) -> Heatmaps:
    """The maps that were over at `until`."""
    moment = to_local_moment(until, "until")
    maps = int(np.searchsorted(heatmaps.edges[1:], moment, side="right"))
    if not maps:
        raise DataError(
            f"No map ends before {format_moment(moment)}; the first is {format_span(*heatmaps.edges[:2])}",
            parameter="until",
            value=str(moment),
            remedy="Choose a later time, or leave it empty for all maps",
        )
    if maps < len(heatmaps):
        late = count_text(len(heatmaps) - maps, "map that ends", "maps that end")
        context.log(f"{late} after {format_moment(moment)} {'is' if len(heatmaps) - maps == 1 else 'are'} left out")
        # What is learned ends there, and so does what is known of the area.
        heatmaps = narrow_to_past(heatmaps, maps, context.log)
    return heatmaps.cut(maps)


def _make(parameters: TrainForecastModel) -> Forecaster:
    return make_forecaster(parameters.kind, threshold=parameters.threshold, seed=parameters.seed, **parameters.settings)


def _fit(parameters: TrainForecastModel, history: Heatmaps, context: JobContext) -> Forecaster:
    model = _make(parameters)
    if hasattr(model, "checkpoint"):
        model.checkpoint = parameters.checkpoint
    return fit(model, history, context)


def _fit_judged(parameters: TrainForecastModel, history: Heatmaps, again: bool, context: JobContext) -> Forecaster:
    """Fit without the held-out maps; after a cancel of the second fit, the first one is not done again."""
    keeps = again and parameters.checkpoint is not None and FORECASTERS[parameters.kind].network
    if not keeps:
        return _fit(parameters, history, context)
    assert parameters.checkpoint is not None
    # Networks wait for torch, counts do not.
    from ..learning.checkpoint import compute_maps_fingerprint

    path = _judged_file(parameters.checkpoint)
    wanted, maps = _make(parameters), compute_maps_fingerprint(history)
    if path.exists():
        kept, card = load_model(path, "checkpoint")
        same = kept.name == wanted.name and kept.settings() == wanted.settings()
        if same and card.fingerprint == maps:
            context.log("The model without the held-out maps is that of the run that was cancelled")
            return kept
    model = _fit(parameters, history, context)
    # Of all that a fit reads; the fingerprint of a card is of the counts.
    card = make_card(model, history).model_copy(update={"fingerprint": maps})
    save_model(path, model, card, "checkpoint")
    return model


def _judged_file(checkpoint: str) -> Path:
    """Beside a checkpoint: the model that was fitted without the held-out maps, until that with them is written."""
    return Path(f"{checkpoint}.judged")
