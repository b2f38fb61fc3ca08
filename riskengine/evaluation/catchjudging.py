"""Forecasts of windows become a `Judged`: maps are the windows, and the catch stands beside them."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ..contract.aims import Catch
from ..contract.choices import Over
from ..contract.texts import count_text, part_text
from ..ground.context import JobContext
from ..maps.panel import Panel
from ..maps.windows import gather_windows
from ..measures.places import measure_stability
from .catchcount import Forecasts, Tally, tally
from .caught import ENOUGH, CatchJudged, Caught
from .judged import Judged
from .judging import judge
from .plan import Plan


def judge_windows(
    panel: Panel,
    plan: Plan,
    catch: Catch,
    made: Forecasts,
    baselines: list[str],
    chosen: str,
    percentile: float,
    over: Over,
    context: JobContext,
) -> Judged:
    """Judge the forecasts of windows as those of maps, and the catch beside them; `plan.first` is a bin."""
    windows = gather_windows(panel, plan.first, catch.window)
    first = plan.first // catch.window
    maps = first + (made.starts - plan.first) // catch.window
    risks = {name: (-np.expm1(-each)).astype(np.float32) for name, each in made.expected.items()}
    judged = judge(
        windows,
        Plan(first, 1, plan.refit, plan.seeds),
        maps,
        risks,
        baselines,
        chosen,
        percentile=percentile,
        over=over,
        context=context,
    )
    judged.recent = made.recent
    models = {
        name: _make_caught(name, panel, made.expected[name], tally(panel, made.starts, made.expected[name], catch))
        for name in judged.scores
    }
    judged.catch = CatchJudged(catch, panel, made.starts, models)
    for note in filter(None, (describe_few(judged.catch), describe_partial(judged.catch))):
        judged.notes.append(note)
        context.warn(note)
    return judged


def describe_few(judged: CatchJudged) -> str:
    """Describe that too few incidents were caught to tell models apart, and how many would do; empty if enough were."""
    best = max(judged.models.values(), key=lambda each: each.n)
    if best.n >= ENOUGH:
        return ""
    held = f"The windows tested hold {count_text(round(best.total), 'incident')}"
    if best.n < 1:
        return f"{held}, and hardly one fell to the places chosen: nothing can be said of which model catches more."
    enough = math.ceil(ENOUGH * best.total / best.n)
    return (
        f"{held}, and of them {best.n:.1f} fell to the places of the best model: too few to tell models apart. At that"
        f" rate {count_text(enough, 'incident')} would do: test more windows, or choose more places."
    )


def describe_partial(judged: CatchJudged) -> str:
    """Describe that windows hold bins that were not observed, which probabilities know nothing of; empty if none do."""
    panel, length = judged.panel, judged.catch.window
    partial = sum(not panel.observed[start : start + length].all() for start in judged.starts)
    if not partial:
        return ""
    hold = part_text(partial, len(judged.starts), "window", "holds", "hold")
    return (
        f"{hold} {panel.bin_noun}s that were not observed. What was caught counts the others alone; but the log-loss"
        " and the calibration set what is expected of a whole window against a part of its incidents."
    )


def _make_caught(name: str, panel: Panel, expected: NDArray[np.float32], given: Tally) -> Caught:
    parts = np.zeros(expected.shape, dtype=np.float32)
    parts[:, panel.mask] = given.parts
    size = panel.support.measure_km()[panel.mask]
    return Caught(
        name,
        given.caught[None],
        given.incidents[None],
        given.most[None],
        np.array([given.flagged]),
        np.array([given.cells]),
        parts,
        expected,
        measure_stability(given.parts, size),
    )
