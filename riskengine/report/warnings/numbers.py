"""Numbers of a test of warnings that pages and sentences share: which models stand side by side, and what they did."""

from __future__ import annotations

import numpy as np

from ...contract.forecasters import DEFAULT_WARNING, WARNING_REFERENCE
from ...contract.texts import show_name
from ...contract.warnings import HOURS_OF_WEEK, Budget
from ...evaluation.warned import WarningsJudged
from ...maps.shapes import Shapes
from ...measures.alarms import Alarms, Group
from ...measures.compare import Difference


def find_rival(judged: WarningsJudged, name: str) -> str:
    """Find what a model is compared with: calendar and place at the level of the last year; else the best baseline."""
    if WARNING_REFERENCE in judged.scores and name != WARNING_REFERENCE:
        return WARNING_REFERENCE
    others = [each for each in judged.baselines if each in judged.scores and each != name]
    return min(others, key=lambda each: judged.scores[each].log_loss, default="")


def find_default(judged: WarningsJudged) -> str:
    """Find the model that a learned one must beat: the default where it was tested, else what is compared with."""
    return DEFAULT_WARNING if DEFAULT_WARNING in judged.scores else find_rival(judged, judged.model)


def list_drawn(judged: WarningsJudged) -> list[str]:
    """List the models that figures show: the one compared first, what it is compared with, and the best learned one.

    The first is the last, so that it lies on top.
    """
    default = find_default(judged)
    learned = sorted(judged.learned, key=lambda name: judged.scores[name].log_loss)
    # One that forecasts as the default does would hide it.
    learned = [name for name in learned if not np.array_equal(judged.risks[name], judged.risks[default])]
    wanted = [judged.model, find_rival(judged, judged.model), default, *learned[:1]]
    return [name for name in dict.fromkeys(wanted) if name in judged.scores][::-1]


def get_difference(judged: WarningsJudged, name: str, other: str) -> Difference | None:
    """Get the log-loss of one model minus that of another; None where they were not compared."""
    return judged.against.get(name, {}).get(other)


def get_alarms(judged: WarningsJudged, name: str, budget: Budget | None = None) -> Alarms:
    """Get the alarms that a model really raised under a budget, by default the one asked for."""
    return judged.scores[name].raised[budget or judged.budget]


def get_best_alarms(judged: WarningsJudged, name: str, budget: Budget | None = None) -> Alarms:
    """Get a model's alarms at the same number for all, the most likely windows of the whole test."""
    return judged.scores[name].at[budget or judged.budget]


def measure_stay(judged: WarningsJudged) -> float:
    """Measure which share of the alarms had one for the same unit in the window before; NaN of none."""
    follows = np.diff(judged.windows) == 1
    alarms = judged.scores[judged.model].alarms
    now, before = alarms[1:][follows], alarms[:-1][follows]
    return float((now & before).sum() / now.sum()) if now.any() else float("nan")


def count_events(judged: WarningsJudged) -> int:
    """Count the events of the test."""
    return int(judged.events.sum())


def count_hit(judged: WarningsJudged) -> int:
    """Count the windows of units with an event."""
    return int((judged.events > 0).sum())


def count_weeks(judged: WarningsJudged) -> float:
    """Count the weeks tested, whole or not."""
    return len(judged.windows) * judged.timing.window / HOURS_OF_WEEK


def list_units(judged: WarningsJudged) -> list[Group]:
    """List what the alarms were worth by unit, called by its name, in the order of the panel; empty of one unit."""
    support = judged.panel.support
    if judged.panel.mask.size < 2 or not isinstance(support, Shapes):
        return []
    groups = judged.group_units(judged.model)
    return [
        Group(show_name(name), each.expected, each.alarms) for name, each in zip(support.names, groups, strict=True)
    ]
