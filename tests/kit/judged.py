"""Judged forecasts made up for the tests of sentences: many states of data, each small."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import shapely

from riskengine.evaluation.beside import Control, DelayCost
from riskengine.evaluation.judged import Judged
from riskengine.evaluation.layout import choose_units
from riskengine.evaluation.plan import Plan
from riskengine.evaluation.scoring import compare_hits, compare_losses, score_model
from riskengine.evaluation.weighing import weigh
from riskengine.evaluation.whichunits import compare_units
from riskengine.maps.panel import Covariate, Extras, Panel
from riskengine.maps.segments import make_segments

from .maps import make_edges, make_stack
from .panels import make_panel, make_row

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
    kind : str
        Of the units: ``grid``, ``areas`` or ``segments``, which differ in size.
    """

    maps: int
    side: int
    incidents: str
    models: tuple[tuple[str, str], ...]
    failures: tuple[str, ...] = ()
    kind: str = "grid"


def make_judged(state: State) -> Judged:
    """Make the result of an evaluation of what a state says; the first model is the one that is compared first."""
    shape = (state.side, state.side) if state.kind == "grid" else (state.side**2,)
    rate = np.random.default_rng(3).gamma(0.4, 0.5, shape)
    counts = np.random.default_rng(4).poisson(rate, (FIRST + state.maps, *shape)).astype(np.uint8)
    if state.incidents != "many":
        counts[FIRST:] = 0
    if state.incidents == "one":
        counts[-1].flat[-1] = 1
    panel = _MAKERS[state.kind](counts)
    units = choose_units(panel)
    scored = np.arange(FIRST, len(counts))
    risks = {name: _repeat(_forecast(how, rate), state.maps) for name, how in state.models}
    scores = {
        name: score_model(name, risk, panel.counts[scored], panel.mask, units=units, block=7, reference=0.2)
        for name, risk in risks.items()
    }
    for name, how in state.models:
        if how == "order":
            nothing = np.full(state.maps, np.nan)
            scores[name] = replace(scores[name], log_loss=float("nan"), fold_loss=nothing)
    baselines = [name for name in ("constant", "prior_counts") if name in risks]
    return Judged(
        panel,
        Plan(FIRST, 1, 7, (0,)),
        scored,
        risks,
        scores,
        7,
        baselines,
        state.models[0][0],
        seconds=dict.fromkeys(risks, 1.25),
        failures=dict.fromkeys(state.failures, "Too few maps: 8 of 30 that are needed."),
        units=units,
    )


def add_beside(judged: Judged, name: str = "residents", title: str = "wards") -> Judged:
    """Add to the result on areas all that may stand beside it: counts known late, covariates, weights, other units.

    Parameters
    ----------
    name : str
        Of the covariates, and of what units are weighed by.
    title : str
        Of the other units.
    """
    panel = judged.panel
    number = panel.mask.size
    people = np.linspace(10, 1000, number, dtype=np.float32)[None]
    dated = Covariate(name + " by month", np.ones((len(panel), number), np.float32), 1)
    judged.panel = replace(panel, delay=2, extras=Extras(people, (name,), covariates=(dated,)))
    # The same forecasts, a little nearer to the share of events.
    share = float((judged.counts >= 1).mean())
    nearer = {each: (0.9 * risk + 0.1 * share).astype(np.float32) for each, risk in judged.risks.items()}
    again = {
        each: score_model(each, risk, judged.counts, panel.mask, units=judged.units, block=7, reference=0.2)
        for each, risk in nearer.items()
    }
    pairs = {each: (score, again[each], judged.block) for each, score in judged.scores.items()}
    losses = {each: compare_losses(*pair) for each, pair in pairs.items()}
    hits = {each: compare_hits(*pair) for each, pair in pairs.items()}
    judged.late = DelayCost(2, again, losses, hits)
    judged.controls = [
        Control(each, (name, name + " by month"), again[each], losses[each], hits[each]) for each in judged.scores
    ]
    judged.weighed = weigh(judged, name)
    judged.compared = compare_units({"areas": judged, title: judged})
    return judged


def _make_areas(counts: np.ndarray) -> Panel:
    """Areas of 0.1 to 2.7 km² side by side."""
    widths = [300.0 * (1 + number % 5) for number in range(counts.shape[1])]
    return make_panel(
        counts,
        [f"S{number}" for number in range(len(widths))],
        make_row(widths),
        categories=["burglary"],
    )


def _make_streets(counts: np.ndarray) -> Panel:
    """Streets of 0.1 to 0.5 km one after the other."""
    ends = np.cumsum([0.0, *(100.0 * (1 + number % 5) for number in range(counts.shape[1]))])
    lines = shapely.linestrings([[[west, 0.0], [east, 0.0]] for west, east in pairwise(ends)])
    streets, _ = make_segments([f"S{number}" for number in range(len(lines))], lines, "EPSG:27700", 20.0)
    edges = make_edges(len(counts), "1 weeks", "2020-01-06")
    return Panel(counts, edges, np.ones(len(lines), bool), streets, "1 weeks", categories=["burglary"])


_MAKERS = {
    "grid": lambda counts: make_stack(counts, categories=["burglary"]),
    "areas": _make_areas,
    "segments": _make_streets,
}


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
