"""The one way to judge: forecasts of the same maps, by whatever made them, become a `Judged`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..contract.choices import Over
from ..contract.forecasters import title_of
from ..contract.texts import count_text
from ..forecasters.base import Forecaster
from ..forecasters.catalogue import make_forecaster
from ..ground.context import JobContext
from ..maps.panel import Panel
from ..measures.metrics import brier, skill
from .judged import Judged
from .layout import choose_units
from .plan import Plan
from .scoring import ModelScore, score_model


def judge(
    heatmaps: Panel,
    plan: Plan,
    maps: NDArray[np.int64],
    risks: Mapping[str, NDArray[np.float32]],
    baselines: Sequence[str],
    model: str,
    *,
    threshold: int = 1,
    percentile: float = 95.0,
    over: Over = "stack",
    reference: float | None = None,
    context: JobContext | None = None,
) -> Judged:
    """Score the forecasts of every model on the same maps.

    Parameters
    ----------
    heatmaps : Panel
    plan : Plan
        How the forecasts were made.
    maps : ndarray of int, shape (F,)
        Numbers of the maps that were forecast.
    risks : mapping of str to ndarray of float32, shape (F, ...)
        Forecasts by model; NaN outside the study area and nowhere else.
    baselines : sequence of str
        The simple models among them that the others are compared with.
    model : str
        The one that is compared first.
    threshold : int
        Incidents in a cell and bin that count as an event.
    percentile, over : float, str
        Where a cell counts as flagged in labels, border and exposure.
    reference : float, optional
        Brier score that the skill is measured against; by default that of the model ``constant``, where there is one.
    """
    context = context or JobContext()
    block, counts, units = count_maps_of_week(heatmaps), heatmaps.counts[maps], choose_units(heatmaps)
    if reference is None:
        reference = _constant_brier(risks, counts >= threshold, heatmaps.mask)
    scores: dict[str, ModelScore] = {}
    for number, name in enumerate([model, *(name for name in risks if name != model)]):
        with context.step(number / len(risks), (number + 1) / len(risks)):
            context.progress(0.0, f"Scoring {title_of(name)} on {count_text(len(maps), heatmaps.bin_noun)}")
            scores[name] = score_model(
                name,
                risks[name],
                counts,
                heatmaps.mask,
                units=units,
                threshold=threshold,
                block=block,
                percentile=percentile,
                over=over,
                reference=reference,
                context=context,
            )
    if baselines:
        best = min((scores[name] for name in baselines), key=lambda score: score.log_loss)
        scores = {name: replace(score, skill_best=skill(score.brier, best.brier)) for name, score in scores.items()}
    return Judged(
        heatmaps,
        plan,
        maps,
        dict(risks),
        scores,
        block,
        list(baselines),
        model,
        threshold=threshold,
        percentile=percentile,
        over=over,
        notes=describe_maps(heatmaps),
        units=units,
    )


def judge_trained(
    model: Forecaster,
    heatmaps: Panel,
    first: int,
    baselines: Sequence[str],
    threshold: int = 1,
    context: JobContext | None = None,
) -> Judged:
    """Judge a fitted forecaster on the maps from `first` on, one step ahead, beside baselines that know no more.

    Parameters
    ----------
    model : Forecaster
        Fitted on maps before `first`.
    heatmaps : Panel
    first : int
        First held-out map.
    baselines : sequence of str
        Names in the catalogue; fitted here, on the maps before `first`. The model's own is left out.
    threshold : int
        Incidents in a cell and bin that count as an event.
    """
    context = context or JobContext()
    history = heatmaps.before(first)
    others = [make_forecaster(name, threshold=threshold) for name in baselines if name != model.name]
    for number, other in enumerate(others):
        with context.step(0.5 * number / len(others), 0.5 * (number + 1) / len(others)):
            context.progress(0.0, f"Fitting {title_of(other.name)}")
            other.fit(history, context)
    with context.step(0.5, 1.0):
        return judge_fitted([model, *others], heatmaps, first, threshold, context)


def judge_fitted(
    forecasters: Sequence[Forecaster],
    heatmaps: Panel,
    first: int,
    threshold: int = 1,
    context: JobContext | None = None,
) -> Judged:
    """Judge fitted forecasters on the maps from `first` on, one step ahead; the first one beside the others."""
    context = context or JobContext()
    observed = np.flatnonzero(heatmaps.observed[first:])
    risks: dict[str, NDArray[np.float32]] = {}
    for number, forecaster in enumerate(forecasters):
        with context.step(0.6 * number / len(forecasters), 0.6 * (number + 1) / len(forecasters)):
            several = count_text(len(observed), f"held-out {heatmaps.bin_noun}")
            context.progress(0.0, f"Forecasting {several} by {title_of(forecaster.name)}")
            risks[forecaster.name] = forecaster.forecast_known(heatmaps, first, context=context)[observed]
    names = list(risks)
    with context.step(0.6, 1.0):
        judged = judge(
            heatmaps, Plan(first), first + observed, risks, names[1:], names[0], threshold=threshold, context=context
        )
    judged.recent = {forecaster.name for forecaster in forecasters if not forecaster.is_long_run}
    return judged


def count_maps_of_week(heatmaps: Panel) -> int:
    """Count the maps in a week, since incidents keep a weekly rhythm; at least 7."""
    length = (heatmaps.edges[1] - heatmaps.edges[0]) / np.timedelta64(1, "D")
    return max(round(7 / float(length)), 7)


def describe_maps(heatmaps: Panel) -> list[str]:
    """Describe what a reader must know of the maps."""
    filled, noun = int((~heatmaps.observed).sum()), heatmaps.bin_noun
    if not filled:
        return []
    were, they = ("was", "It") if filled == 1 else ("were", "They")
    notes = [
        f"{count_text(filled, noun)} {were} not observed: {'it is' if filled == 1 else 'they are'} neither learnt from"
        " nor scored."
    ]
    if heatmaps.filled == "linear":
        notes.append(
            f"{they} {were} filled linearly, which looks ahead to the next observed {noun}: a model that reads filled"
            f" {noun}s would see a part of what it is to forecast."
        )
    return notes


def _constant_brier(
    risks: Mapping[str, NDArray[np.float32]], events: NDArray[np.bool_], mask: NDArray[np.bool_]
) -> float:
    """Brier score of the constant forecast; nan where there is none."""
    if "constant" not in risks:
        return float("nan")
    return float(np.mean([brier(p[mask], event[mask]) for p, event in zip(risks["constant"], events, strict=True)]))
