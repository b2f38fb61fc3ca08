"""Job: train a ConvLSTM on hotspot grids (or apply one), score it beside the baselines, and forecast the next bins."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field

from ..contract.forecasters import BASELINES, FORECASTERS
from ..evaluation.judged import Judged
from ..evaluation.judging import judge_trained
from ..forecasters.base import check_history
from ..forecasters.modelfile import ModelCard, check_fits, describe, load_model, save_model
from ..forecasters.networks.convlstm import ConvLSTMForecaster
from ..ground.artefacts import partial_name
from ..ground.context import JobContext
from ..ground.errors import DataError, OutputError, ParameterError
from ..ground.failures import keep_going
from ..maps.bins import next_edges
from ..maps.heatmaps import Heatmaps, read_heatmaps, write_risk
from ..report.claims import headline
from ..report.html import write_forecast_report
from .models import JobParameters

#: The last share of the maps, seen by nothing but the evaluation.
HELD_OUT_SHARE = 0.2


class Parameters(JobParameters):
    """Parameters of the job; by default the network of a backtest. No `positive_weight` is one chosen by rarity."""

    heatmaps: str
    output: str
    model: str | None = None
    model_output: str | None = None
    report: str | None = None
    steps: int = Field(1, ge=1, le=1000)
    sequence_length: int = Field(16, ge=2, le=1000)
    epochs: int = Field(30, ge=1, le=10_000)
    learning_rate: float = Field(1e-3, gt=0, le=1)
    batch_size: int = Field(4, ge=1, le=1024)
    channels: int = Field(16, ge=1, le=256)
    layers: int = Field(2, ge=1, le=8)
    positive_weight: float | None = Field(1.0, gt=0)
    threshold: int = Field(1, ge=1)
    seed: int = Field(0, ge=0, lt=2**63)


def run(parameters: Parameters, context: JobContext) -> dict[str, Any]:
    """Train or load, score on what was held out, forecast, write."""
    began = time.monotonic()
    for name in ("output", "model_output", "report"):
        _check_destination(getattr(parameters, name), name)
    notes: list[str] = []

    def warn(message: str) -> None:
        notes.append(message)
        context.warn(message)

    context.progress(0.0, "Reading heatmaps")
    heatmaps = read_heatmaps(parameters.heatmaps)
    if not heatmaps.bin:
        raise DataError(
            f"{parameters.heatmaps} does not say how long its bins are",
            parameter="heatmaps",
            value=parameters.heatmaps,
            remedy="Make it again with Rasterize hotspot grids",
        )
    if parameters.model:
        model, card, first = _load(parameters, heatmaps, warn)
    else:
        with context.step(0.02, 0.8):
            model, first = _train(parameters, heatmaps, context)
        card = describe(model, heatmaps.before(first))
    held_out: Judged | None = None
    unseen, first = first, _with_past(heatmaps, first, model.sequence_length)
    if heatmaps.observed[first:].any():
        if first > unseen:
            context.log(f"The evaluation starts at {heatmaps.edges[first]}: what is before it is the first history")
        with context.step(0.8, 0.92):
            held_out = judge_trained(model, heatmaps, first, (*BASELINES, "prior_share"), model.threshold, context)
    elif heatmaps.observed[unseen:].any():
        warn(
            f"No map lies after the model's training window with {model.sequence_length} observed maps and an incident"
            " before it: the forecast is not evaluated"
        )
    else:
        warn("No map lies after the model's training window: the forecast is not evaluated")
    sentence, look = headline(held_out)
    context.log(sentence, "warning" if look == "worse" else "info")
    metrics = {} if held_out is None else {name: score.to_dict() for name, score in held_out.scores.items()}
    if not parameters.model:
        card = card.model_copy(update={"metrics": metrics})
        context.log(
            f"The model's weights are those trained on maps before {card.window.end}; the forecast reads all maps"
            " up to its origin"
        )

    with context.step(0.92, 0.97):
        risk = model.predict(heatmaps, parameters.steps, context)
    edges = next_edges(heatmaps.edges, heatmaps.bin, parameters.steps)
    tags = {
        "CRIMERISK_BIN": heatmaps.bin,
        "CRIMERISK_MODEL": card.name,
        "CRIMERISK_ORIGIN": str(heatmaps.edges[-1]),
        "CRIMERISK_TRAINED_UNTIL": card.window.end,
        "CRIMERISK_SEED": str(card.seed),
        "CRIMERISK_FINGERPRINT": card.fingerprint,
        "CRIMERISK_CATEGORIES": "\n".join(heatmaps.categories),
    }
    context.progress(0.97, "Writing")
    filled = np.where(heatmaps.mask, risk, 0).astype(np.float32)
    write_risk(parameters.output, filled, edges, heatmaps.mask, heatmaps.grid, tags)
    if parameters.model_output:
        save_model(parameters.model_output, model, card)
    report = None
    if parameters.report:
        with keep_going(context.warn, "The forecast is written, but its report is not"):
            shown = _shareable(parameters)
            write_forecast_report(parameters.report, heatmaps, risk, edges, card, model.curves_, held_out, shown, notes)
            report = parameters.report
    context.progress(1.0, "Done")
    return {
        "risk": parameters.output,
        "bins": [str(edge) for edge in edges[:-1]],
        "edges": [str(edge) for edge in edges],
        "model": parameters.model_output or parameters.model,
        "report": report,
        "loss": model.curves_.loss,
        "validation": model.curves_.validation,
        "best_epoch": model.curves_.best_epoch,
        "metrics": metrics,
        "log_loss_ratio_constant": held_out.ratio("constant") if held_out else None,
        "log_loss_ratio_prior": held_out.ratio("prior_counts") if held_out else None,
        "verdict": sentence,
        "held_out_bins": len(held_out.maps) if held_out else 0,
        "seconds": round(time.monotonic() - began, 3),
        "parameters": parameters.model_dump(),
    }


def _train(parameters: Parameters, heatmaps: Heatmaps, context: JobContext) -> tuple[ConvLSTMForecaster, int]:
    """Fit on all but the last `HELD_OUT_SHARE` of the maps; the second value is the first held-out map."""
    wanted = ("sequence_length", "channels", "layers", "epochs", "learning_rate", "batch_size")
    model = ConvLSTMForecaster(
        **{name: getattr(parameters, name) for name in wanted},
        positive_weight=parameters.positive_weight,
        threshold=parameters.threshold,
        seed=parameters.seed,
    )
    maps = len(heatmaps)
    held_out = max(round(maps * HELD_OUT_SHARE), 1)
    least = model.least_maps
    if maps - held_out < least:
        raise DataError(
            f"The stack holds {maps} maps; training on windows of {model.sequence_length} with maps held out for"
            f" validation and evaluation needs at least {-(-least * 5 // 4) + 1}",
            parameter="heatmaps",
            value=maps,
            remedy="Use a longer period, shorter bins or a shorter sequence_length",
        )
    first = maps - held_out
    check_history(heatmaps, model.least_maps)
    model.fit(heatmaps.before(first), context)
    curves = model.curves_
    context.log(
        f"Trained {len(curves.loss)} epochs on {model.trained_maps_} maps in {curves.seconds:.0f} s, weight of an"
        f" incident {model.weight_:.2f}; validation log-loss {curves.validation_start:.5f} before,"
        f" {min(curves.validation):.5f} at best"
    )
    if not curves.best_epoch:
        context.warn("No epoch improved on the causal running mean: the forecast is that mean")
    return model, first


def _load(parameters: Parameters, heatmaps: Heatmaps, warn: Any) -> tuple[ConvLSTMForecaster, ModelCard, int]:
    """Read a model and check that it fits; the third value is the first map it never saw."""
    assert parameters.model is not None
    model, card = load_model(parameters.model)
    if not isinstance(model, ConvLSTMForecaster):
        raise ParameterError(
            f"{parameters.model} holds a {FORECASTERS[card.name].title} model, not a ConvLSTM",
            parameter="model",
            value=parameters.model,
            remedy="Use Forecast risk, which takes any model",
        )
    for message in check_fits(card, heatmaps):
        warn(message)
    if parameters.threshold not in (1, model.threshold):
        raise ParameterError(
            f"threshold is {parameters.threshold}, but the model was trained for at least {model.threshold} incidents",
            parameter="threshold",
            value=parameters.threshold,
            remedy=f"Leave threshold at {model.threshold}, or train a model",
        )
    check_history(heatmaps, 1)
    first = int(np.searchsorted(heatmaps.edges[:-1], np.datetime64(card.window.end)))
    return model, card, first


def _with_past(heatmaps: Heatmaps, first: int, least: int) -> int:
    """The first map from `first` on with at least `least` observed maps and an incident before it.

    With fewer there is no mean that a baseline could forecast. The number of maps if there is no such map.
    """
    incidents = heatmaps.observed & (heatmaps.counts[:, heatmaps.mask] > 0).any(axis=1)
    enough = (np.cumsum(heatmaps.observed) >= least) & (np.cumsum(incidents) > 0)
    return max(first, int(np.argmax(enough)) + 1 if enough.any() else len(heatmaps))


def _shareable(parameters: Parameters) -> dict[str, Any]:
    """The parameters for the report: files by name, since a folder may name a person."""
    files = ("heatmaps", "output", "model", "model_output", "report")
    return {name: Path(value).name if name in files and value else value for name, value in parameters}


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
            trial = partial_name(Path(path))
            trial.touch()
            trial.unlink()
            return
    except (OSError, ValueError) as error:
        problem = f"{name} cannot be written to {path} ({getattr(error, 'strerror', None) or error})"
    raise OutputError(problem, parameter=name, value=path, remedy="Choose a destination that you may write to")
