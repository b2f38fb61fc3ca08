"""Job: train a ConvLSTM on hotspot grids (or apply one), score it beside the baselines, and forecast the next bins."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from ..contract import tags as tagnames
from ..contract.forecasters import BASELINES
from ..contract.tools.forecast import HELD_OUT, ConvLSTMPrediction
from ..evaluation.judged import Judged
from ..evaluation.judging import judge_trained
from ..forecasters.modelcard import make_card
from ..forecasters.modelfile import save_model
from ..forecasters.networks.convlstm import ConvLSTMForecaster
from ..ground.artefacts import make_partial_name
from ..ground.context import JobContext
from ..ground.errors import DataError, OutputError
from ..ground.failures import keep_going
from ..maps.area import narrow_to_past
from ..maps.heatmaps import read_heatmaps
from ..report.card import describe_forecast, metrics_of
from ..report.claims import make_headline
from ..report.outputs import hide_folders
from ..report.training import write_training_report
from ..report.words import weights_text
from ..systems.hotspots import prediction
from ..systems.hotspots.aims import check_cells
from ..systems.hotspots.steps import forecast, hold_out, write_forecast
from .models import to_dict

#: What stands beside the network.
BESIDE = (*BASELINES, "prior_share")


def run(parameters: ConvLSTMPrediction, context: JobContext) -> dict[str, Any]:
    """Train or load, score on what was held out, forecast, write."""
    began = time.monotonic()
    for name in ("output", "model_output", "report"):
        _check_destination(getattr(parameters, name), name)
    notes: list[str] = []

    def warn(message: str) -> None:
        notes.append(message)
        context.warn(message)

    def say(message: str) -> None:
        notes.append(message)
        context.log(message)

    context.progress(0.0, "Reading hotspot grids")
    heatmaps = read_heatmaps(parameters.heatmaps)
    if not heatmaps.bin:
        raise DataError(
            f"{parameters.heatmaps} does not say how long its bins are",
            parameter="heatmaps",
            value=parameters.heatmaps,
            remedy="Make it again with Rasterize hotspot grids",
        )
    check_cells(heatmaps)
    judged_on = heatmaps
    if parameters.model:
        model, card, unseen = prediction.load_network(parameters.model, parameters.threshold, heatmaps, warn)
        weights = weights_text(card.window.end, None, refitted=False, bin_length=card.bin)
    else:
        model = _network(parameters)
        judged_on = narrow_to_past(heatmaps, hold_out(heatmaps, HELD_OUT), say)
        with context.step(0.02, 0.8):
            unseen = prediction.train(model, judged_on, context)
        card = make_card(model, judged_on.before(unseen))
        weights = weights_text(card.window.end, unseen / len(heatmaps), refitted=False, bin_length=card.bin)
    judged: Judged | None = None
    first = prediction.find_first_judged(model, judged_on, unseen, warn, context)
    if first is not None:
        if parameters.model:
            judged_on = narrow_to_past(heatmaps, first, say)
        with context.step(0.8, 0.92):
            judged = judge_trained(model, judged_on, first, BESIDE, model.threshold, context)
    sentence, tone = make_headline(judged)
    context.log(sentence, "warning" if tone == "worse" else "info")
    context.log(f"{weights} The forecast reads all maps up to its origin.")
    metrics = metrics_of(judged)
    if not parameters.model:
        card = card.model_copy(update={"metrics": metrics})
    with context.step(0.92, 0.97):
        # A network holds no place, so what it forecasts need not end where its evaluation did.
        made = forecast(model, card, heatmaps, parameters.steps, context)
    line = describe_forecast(card.name, made.bins, heatmaps.bin, card.window.end, metrics or card.metrics)
    context.progress(0.97, "Writing")
    write_forecast(parameters.output, made, heatmaps, line, context)
    if parameters.model_output:
        save_model(parameters.model_output, model, card)
    report = None
    if parameters.report:
        shown = hide_folders(to_dict(parameters))
        with keep_going(context.warn, "The forecast is written, but its report is not"):
            write_training_report(parameters.report, heatmaps, model, card, judged, weights, shown, notes, made)
            report = parameters.report
    context.progress(1.0, "Done")
    return {
        "risk": parameters.output,
        "bins": made.bins[:-1],
        "edges": made.bins,
        "counted_categories": heatmaps.categories,
        "counted_text": made.tags[tagnames.COUNTED],
        "card": line,
        "model": parameters.model_output or parameters.model,
        "report": report,
        "loss": model.curves_.loss,
        "validation": model.curves_.validation,
        "best_epoch": model.curves_.best_epoch,
        "metrics": metrics,
        "log_loss_ratio_constant": judged.compute_loss_ratio("constant") if judged else None,
        "log_loss_ratio_prior": judged.compute_loss_ratio("prior_counts") if judged else None,
        "verdict": sentence,
        "held_out_bins": len(judged.maps) if judged else 0,
        "seconds": round(time.monotonic() - began, 3),
        "parameters": to_dict(parameters),
    }


def _network(parameters: ConvLSTMPrediction) -> ConvLSTMForecaster:
    wanted = ("sequence_length", "channels", "layers", "epochs", "learning_rate", "batch_size")
    return ConvLSTMForecaster(
        **{name: getattr(parameters, name) for name in wanted},
        positive_weight=parameters.positive_weight,
        threshold=parameters.threshold,
        seed=parameters.seed,
    )


def _check_destination(path: str | None, name: str) -> None:
    """Refuse a destination that cannot be written before hours of training, not after."""
    if path is None:
        return
    try:
        folder = Path(path).parent
        if not folder.is_dir():
            problem = f"The folder {folder} of {name} does not exist"
        elif Path(path).is_dir():
            problem = f"{path} is a folder, not a file for {name}"
        else:
            trial = make_partial_name(Path(path))
            trial.touch()
            trial.unlink()
            return
    except (OSError, ValueError) as error:
        problem = f"{name} cannot be written to {path} ({getattr(error, 'strerror', None) or error})"
    raise OutputError(problem, parameter=name, value=path, remedy="Choose a destination that you may write to")
