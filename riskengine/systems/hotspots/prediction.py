"""The published protocol of *Run ConvLSTM prediction*: weights of the first 80 % of the maps, scored on the rest.

The network is not fitted again on the maps held out; its forecast reads all of them as its recent past.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from ...contract.dates import format_moment
from ...contract.forecasters import FORECASTERS
from ...contract.texts import count_text
from ...contract.tools.forecast import HELD_OUT
from ...forecasters.base import check_history
from ...forecasters.modelcard import ModelCard
from ...forecasters.modelfile import load_model
from ...forecasters.modelfit import check_fits
from ...forecasters.networks.convlstm import ConvLSTMForecaster
from ...ground.context import JobContext
from ...ground.errors import ParameterError
from ...maps.heatmaps import Heatmaps
from .steps import check_length, fit, hold_out


def train(model: ConvLSTMForecaster, heatmaps: Heatmaps, context: JobContext) -> int:
    """Fit on all but the last `HELD_OUT` of the maps, and return the first held-out one."""
    first = hold_out(heatmaps, HELD_OUT)
    check_length(model, heatmaps, first)
    fit(model, heatmaps.before(first), context)
    curves = model.curves_
    context.log(
        f"Trained {count_text(len(curves.loss), 'epoch')} on {count_text(model.trained_maps_, 'map')} in"
        f" {curves.seconds:.0f} s, weight of an"
        f" incident {model.weight_:.2f}; validation log-loss {curves.validation_start:.4f} before,"
        f" {min(curves.validation):.4f} at best"
    )
    if not curves.best_epoch:
        context.warn("No epoch improved on the causal running mean: the forecast is that mean")
    return first


def load_network(
    path: str | Path, threshold: int, heatmaps: Heatmaps, warn: Callable[[str], None]
) -> tuple[ConvLSTMForecaster, ModelCard, int]:
    """Read a trained network and check that it fits the maps; the third value is the first map it never saw.

    Raises
    ------
    FormatError, ParameterError, DataError
    """
    model, card = load_model(path)
    if not isinstance(model, ConvLSTMForecaster):
        raise ParameterError(
            f"{path} holds a {FORECASTERS[card.name].title} model, not a ConvLSTM",
            parameter="model",
            value=path,
            remedy="Use Forecast risk, which takes any model",
        )
    for message in check_fits(card, heatmaps):
        warn(message)
    if threshold not in (1, model.threshold):
        raise ParameterError(
            f"threshold is {threshold}, but the model was trained for at least"
            f" {count_text(model.threshold, 'incident')}",
            parameter="threshold",
            value=threshold,
            remedy=f"Leave threshold at {model.threshold}, or train a model",
        )
    check_history(heatmaps, 1)
    return model, card, int(np.searchsorted(heatmaps.edges[:-1], np.datetime64(card.window.end)))


def find_first_judged(
    model: ConvLSTMForecaster,
    heatmaps: Heatmaps,
    unseen: int,
    warn: Callable[[str], None],
    context: JobContext,
) -> int | None:
    """Find the map at which the evaluation starts, among those the network never saw; None where there is none.

    Before it there are as many observed maps as the network reads, and an incident: with less there is no mean that a
    baseline could forecast.
    """
    incidents = heatmaps.observed & (heatmaps.counts[:, heatmaps.mask] > 0).any(axis=1)
    enough = (np.cumsum(heatmaps.observed) >= model.sequence_length) & (np.cumsum(incidents) > 0)
    first = max(unseen, int(np.argmax(enough)) + 1 if enough.any() else len(heatmaps))
    if heatmaps.observed[first:].any():
        if first > unseen:
            start = format_moment(heatmaps.edges[first], heatmaps.bin)
            context.log(f"The evaluation starts with {start}: what is before it is the first history")
        return first
    if heatmaps.observed[unseen:].any():
        warn(
            f"No map lies after the model's training window with {count_text(model.sequence_length, 'observed map')}"
            f" and an incident"
            " before it: the forecast is not evaluated"
        )
    else:
        warn("No map lies after the model's training window: the forecast is not evaluated")
    return None
