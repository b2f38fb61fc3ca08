"""Judged forecasts made up for the tests of sentences: many states of data, each small."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from riskengine.evaluation.judged import Judged
from riskengine.evaluation.plan import Plan
from riskengine.evaluation.scoring import score_model

from .maps import make_stack

#: Maps before the test.
FIRST = 8


@dataclass(frozen=True)
class State:
    """What is judged.

    Attributes
    ----------
    maps : int
        That are judged.
    side : int
        Cells of a row and of a column.
    incidents : str
        ``many``, ``one`` or ``none`` on the judged maps.
    models : tuple of (str, str)
        Name in the catalogue and forecast: ``truth`` (knows each cell's rate), ``near`` (nearly), ``flat`` (the same
        in all cells), ``opposite``, ``order`` (the truth, but no probabilities), ``nothing`` (no forecast at all).
    failures : tuple of str
        Models that could not be run.
    """

    maps: int
    side: int
    incidents: str
    models: tuple[tuple[str, str], ...]
    failures: tuple[str, ...] = ()


def make_judged(state: State) -> Judged:
    """Make the result of an evaluation of what a state says; the first model is the one that is compared first."""
    shape = (state.side, state.side)
    rate = np.random.default_rng(3).gamma(0.4, 0.5, shape)
    counts = np.random.default_rng(4).poisson(rate, (FIRST + state.maps, *shape)).astype(np.uint8)
    if state.incidents != "many":
        counts[FIRST:] = 0
    if state.incidents == "one":
        counts[-1, -1, -1] = 1
    heatmaps = make_stack(counts, categories=["burglary"])
    scored = np.arange(FIRST, len(counts))
    risks = {name: _repeat(_forecast(how, rate), state.maps) for name, how in state.models}
    scores = {
        name: score_model(name, risk, heatmaps.counts[scored], heatmaps.mask, block=7, reference=0.2)
        for name, risk in risks.items()
    }
    for name, how in state.models:
        if how == "order":
            nothing = np.full(state.maps, np.nan)
            scores[name] = replace(scores[name], log_loss=float("nan"), fold_loss=nothing)
    baselines = [name for name in ("constant", "prior_counts") if name in risks]
    return Judged(
        heatmaps,
        Plan(FIRST, 1, 7, (0,)),
        scored,
        risks,
        scores,
        7,
        baselines,
        state.models[0][0],
        seconds=dict.fromkeys(risks, 1.25),
        failures=dict.fromkeys(state.failures, "Too few maps: 8 of 30 that are needed."),
    )


def _forecast(how: str, rate: np.ndarray) -> np.ndarray:
    truth = 1 - np.exp(-rate)
    return {
        "truth": truth,
        "near": 0.7 * truth + 0.08,
        "flat": np.full_like(truth, truth.mean()),
        "opposite": 0.9 - 0.8 * truth,
        "order": 3 * truth,
        "nothing": np.full_like(truth, np.nan),
    }[how]


def _repeat(risk: np.ndarray, maps: int) -> np.ndarray:
    return np.repeat(risk[None], maps, axis=0).astype(np.float32)
