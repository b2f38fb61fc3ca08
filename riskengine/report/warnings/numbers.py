"""Numbers of a test of warnings that pages and sentences share: what models are compared, months, units of space."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...contract.forecasters import DEFAULT_WARNING, WARNING_BASELINES, WARNING_REFERENCE
from ...contract.texts import show_name
from ...contract.warnings import HOURS_OF_WEEK, Budget
from ...evaluation.warned import WarningsJudged
from ...maps.shapes import Shapes
from ...measures.alarms import Alarms, AlarmSums, Group, choose_most, compute_lift, group_alarms, sum_alarms
from ...measures.compare import Difference

#: Models drawn in a figure: the one compared first, what it is compared with, and the best learned one.
_DRAWN = 4


def find_rival(judged: WarningsJudged, name: str) -> str:
    """Find what a model is compared with: calendar and place at the level of the last year; else the best baseline."""
    if WARNING_REFERENCE in judged.scores and name != WARNING_REFERENCE:
        return WARNING_REFERENCE
    others = [each for each in judged.baselines if each in judged.scores and each != name]
    return min(others, key=lambda each: judged.scores[each].log_loss, default="")


def find_default(judged: WarningsJudged) -> str:
    """Find the model that a learned one must beat: the default where it was tested, else what is compared with."""
    return DEFAULT_WARNING if DEFAULT_WARNING in judged.scores else find_rival(judged, judged.model)


def list_learned(judged: WarningsJudged) -> list[str]:
    """List the models that look for a warning beyond place, hour and level."""
    known = {DEFAULT_WARNING, *WARNING_BASELINES, *judged.baselines}
    return [name for name in judged.scores if name not in known]


def list_drawn(judged: WarningsJudged) -> list[str]:
    """List the models that figures show, the one that is compared first last, so that it lies on top."""
    learned = sorted(list_learned(judged), key=lambda name: judged.scores[name].log_loss)
    wanted = [judged.model, find_rival(judged, judged.model), find_default(judged), *learned[:1]]
    names = [name for name in dict.fromkeys(wanted) if name in judged.scores]
    return names[:_DRAWN][::-1]


def get_difference(judged: WarningsJudged, name: str, other: str) -> Difference | None:
    """Get the log-loss of one model minus that of another; None where they were not compared."""
    return judged.against.get(name, {}).get(other)


def get_alarms(judged: WarningsJudged, name: str, budget: Budget | None = None) -> Alarms | None:
    """Get the alarms that a model really raised under a budget, by default the one asked for."""
    score = judged.scores.get(name)
    return score and score.raised.get(budget or judged.budget)


def get_best_alarms(judged: WarningsJudged, name: str, budget: Budget | None = None) -> Alarms | None:
    """Get a model's alarms at the same number for all, the most likely windows of the whole test."""
    score = judged.scores.get(name)
    return score and score.at.get(budget or judged.budget)


def compare_alarms(judged: WarningsJudged, name: str, other: str) -> Difference | None:
    """Compute how many times as often a model's alarms are true as those of another, at the same number of them.

    None where they raised none, or not as many, as where a ratio of costs decides.
    """
    if judged.budget.kind == "cost" or not other:
        return None
    one, beside = (_sum_best(judged, each) for each in (name, other))
    return compute_lift(one, beside, judged.timing.window) if beside.true.sum() else None


def _sum_best(judged: WarningsJudged, name: str) -> AlarmSums:
    chosen = choose_most(judged.risks[name][:, judged.panel.mask], judged.budget, judged.timing.window)
    return sum_alarms(chosen, find_events(judged))


def find_events(judged: WarningsJudged) -> NDArray[np.int64]:
    """Find the events of the test by window and unit of the study area."""
    return np.asarray(judged.events[:, judged.panel.mask])


def count_events(judged: WarningsJudged) -> int:
    """Count the events of the test."""
    return int(find_events(judged).sum())


def count_hit(judged: WarningsJudged) -> int:
    """Count the windows of units with an event."""
    return int((find_events(judged) > 0).sum())


def count_tested(judged: WarningsJudged) -> int:
    """Count the windows of units that were tested."""
    return find_events(judged).size


def count_weeks(judged: WarningsJudged) -> float:
    """Count the weeks tested, whole or not."""
    return len(judged.windows) * judged.timing.window / HOURS_OF_WEEK


def list_months(judged: WarningsJudged, name: str = "") -> list[Group]:
    """List what a model's alarms were worth by month of the test, by when windows begin; labels are ISO months."""
    months = judged.panel.edges[judged.windows].astype("datetime64[M]").astype(str).tolist()
    risk, raised = _read(judged, name or judged.model)
    return group_alarms(risk, raised, find_events(judged), months)


def list_units(judged: WarningsJudged) -> list[Group]:
    """List what the alarms were worth by unit of the study area, in the order of the panel; empty of one unit."""
    support, units = judged.panel.support, np.flatnonzero(judged.panel.mask)
    if len(units) < 2 or not isinstance(support, Shapes):
        return []
    risk, raised = _read(judged, judged.model)
    # By number: names may be alike.
    groups = group_alarms(risk.T, raised.T, find_events(judged).T, [str(unit) for unit in units.tolist()])
    return [
        Group(show_name(support.names[unit]), each.expected, each.alarms)
        for unit, each in zip(units.tolist(), groups, strict=True)
    ]


def _read(judged: WarningsJudged, name: str) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Probabilities, and the alarms raised with the budget that was asked for."""
    risk, alarms = judged.risks[name], judged.scores[name].alarms
    raised = alarms if alarms.size else np.zeros(risk.shape, dtype=bool)
    return risk[:, judged.panel.mask], raised[:, judged.panel.mask]
