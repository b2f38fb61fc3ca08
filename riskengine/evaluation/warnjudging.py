"""Forecasts of windows become a `WarningsJudged`: figures, alarms, differences, and what a reader must know."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..contract.forecasters import DEFAULT_WARNING, WARNING_REFERENCE, title_of
from ..contract.texts import count_text, part_text
from ..contract.warnings import ENOUGH_EVENTS, SHARES, Budget, Timing
from ..ground.context import JobContext
from ..maps.panel import Panel
from ..maps.windows import gather_windows
from ..measures.alarmcurves import compute_calibration_error
from ..measures.alarms import sum_alarms
from ..measures.metrics import auc, average_precision, brier, compute_losses
from ..measures.thresholds import choose_most, raise_alarms
from .catchcount import Forecasts
from .warned import WarningScore, WarningsJudged

#: Events come so many times as often in a test, or as rarely, before a reader is told; and so many standard errors.
_SURGE, _SURE = 1.2, 3.0


def judge_warnings(
    panel: Panel,
    made: Forecasts,
    first: int,
    timing: Timing,
    budget: Budget,
    baselines: Sequence[str],
    chosen: str,
    context: JobContext,
) -> WarningsJudged:
    """Judge probabilities of windows, of which those before bin `first` are what thresholds begin with.

    Parameters
    ----------
    panel : Panel
        Of steps.
    made : Forecasts
        Probabilities of at least one event.
    first : int
    timing, budget : Timing, Budget
    baselines : sequence of str
    chosen : str
        The model that is compared first.
    context : JobContext
    """
    gathered = gather_windows(panel, first, timing.bins)
    whole = np.array([panel.observed[start : start + timing.bins].all() for start in made.starts], dtype=bool)
    numbers = made.starts // timing.bins
    inside = {name: each[:, panel.mask] for name, each in made.expected.items()}
    tested = whole & (made.starts >= first)
    budgets = tuple(dict.fromkeys([*(Budget("share", share) for share in SHARES), budget]))
    names = [chosen, *(name for name in made.expected if name != chosen)]
    judged = WarningsJudged(
        gathered,
        timing,
        numbers[tested],
        {name: inside[name][tested] for name in names},
        {},
        budget,
        budgets,
        chosen,
        list(baselines),
        failures=dict(made.failures),
        notes=_describe_test(panel, gathered, numbers[tested], first, timing),
    )
    for number, name in enumerate(names):
        with context.step(number / len(names), (number + 1) / len(names)):
            several = count_text(len(judged.windows), "window")
            context.progress(0.0, f"Scoring {title_of(name)} on {several}")
            score = _score(name, inside[name][whole], numbers[whole], first // timing.bins, judged, context)
            judged.scores[name] = replace(score, seconds=made.seconds.get(name, 0.0))
    for name in names:
        others = (other for other in (WARNING_REFERENCE, DEFAULT_WARNING) if other in names and other != name)
        judged.against[name] = {other: judged.compare_losses(name, other) for other in others}
    return judged


def _score(
    name: str,
    risks: NDArray[np.float32],
    numbers: NDArray[np.int64],
    first: int,
    judged: WarningsJudged,
    context: JobContext,
) -> WarningScore:
    """Score one model by its probabilities of windows, some of them before number `first`."""
    risk, events, window = judged.risks[name], judged.events, judged.timing.window
    happened = events > 0
    alarms = raise_alarms(risks, numbers, first, judged.budgets, window, context)
    raised = dict(zip(judged.budgets, alarms, strict=True))
    fold_loss = compute_losses(risk, happened).mean(axis=1)
    return WarningScore(
        name,
        float(fold_loss.mean()),
        brier(risk, happened),
        auc(risk, happened),
        average_precision(risk, happened),
        compute_calibration_error(risk, happened),
        fold_loss,
        {budget: sum_alarms(choose_most(risk, budget, window), events).total() for budget in judged.budgets},
        {budget: sum_alarms(each, events).total() for budget, each in raised.items()},
        raised[judged.budget],
    )


def _describe_test(panel: Panel, gathered: Panel, windows: NDArray[np.int64], first: int, timing: Timing) -> list[str]:
    """Describe what a reader must know of a test: too few events, windows without data, a surge."""
    notes = [describe_few(int(gathered.counts[windows].sum()), len(windows))]
    asked = (len(panel) - first) // timing.bins
    if len(windows) < asked:
        were = part_text(asked - len(windows), asked, "window", "was", "were")
        notes.append(f"{were} not observed as a whole, and not judged.")
    notes.append(_describe_surge(gathered, windows, first // timing.bins))
    return [note for note in notes if note]


def describe_few(events: int, windows: int) -> str:
    """Describe that there are too few events to judge by, and how many would do; empty where they are enough."""
    if events >= ENOUGH_EVENTS:
        return ""
    few = (
        f"The {count_text(windows, 'window')} tested {'holds' if windows == 1 else 'hold'}"
        f" {count_text(events, 'event')}: too few to tell the models apart. {ENOUGH_EVENTS} would do"
    )
    if not events:
        return f"{few}."
    return f"{few}, at this rate {count_text(math.ceil(ENOUGH_EVENTS * windows / events), 'window')}."


def _describe_surge(gathered: Panel, windows: NDArray[np.int64], first: int) -> str:
    """Describe that events came far more often, or far more rarely, than before the test."""
    past = np.flatnonzero(gathered.observed[:first])
    before, after = float(gathered.counts[past].sum()), float(gathered.counts[windows].sum())
    if not before or not after:
        return ""
    ratio = after / len(windows) / (before / len(past))
    if max(ratio, 1 / ratio) < _SURGE or abs(math.log(ratio)) < _SURE * math.sqrt(1 / before + 1 / after):
        return ""
    return (
        f"Events came {ratio:.2g} times as often in the windows tested as in those before: probabilities of a model"
        " whose level is fixed are off by as much."
    )
