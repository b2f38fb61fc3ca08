"""Tables of a page of warnings: a row for each model, budget, month and unit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ...contract.dates import format_moment
from ...contract.forecasters import title_of
from ...contract.texts import format_amount
from ...contract.warnings import Budget
from ...evaluation.warned import WarningScore, WarningsJudged
from ...measures.alarms import Alarms, Group
from ...measures.compare import Difference
from ..claims import digits_of
from ..words import format_change
from .numbers import find_default, find_rival, get_alarms, get_best_alarms, get_difference, list_units
from .sentences import format_raised

#: Units named before the rest is folded away.
SHOWN_UNITS = 12


@dataclass(frozen=True)
class ModelRow:
    """A model: its figures, and its log-loss minus that of what it is compared with and of the default."""

    label: str
    model: bool
    baseline: bool
    best: bool
    score: WarningScore
    to_rival: Sequence[str]
    to_default: Sequence[str]
    at: list[Alarms]


@dataclass(frozen=True)
class BudgetRow:
    """The alarms that a model really raised under a budget."""

    budget: str
    asked: bool
    label: str
    model: bool
    alarms: Alarms
    raised: str


def list_model_rows(judged: WarningsJudged) -> list[ModelRow]:
    """List the models, the smallest log-loss first."""
    rival, default = find_rival(judged, judged.model), find_default(judged)
    names = sorted(judged.scores, key=lambda name: (judged.scores[name].log_loss, name))
    found = [get_difference(judged, name, other) for name in names for other in (rival, default)]
    digits = digits_of(*(each for each in found if each is not None))
    return [
        ModelRow(
            title_of(name),
            name == judged.model,
            name in judged.baselines,
            name == names[0],
            judged.scores[name],
            _format_difference(judged, name, rival, digits),
            _format_difference(judged, name, default, digits),
            [get_best_alarms(judged, name, budget) for budget in _list_equal(judged)],
        )
        for name in names
    ]


def list_budget_rows(judged: WarningsJudged) -> list[BudgetRow]:
    """List the budgets, of each the model and what it is compared with."""
    names = [name for name in (judged.model, find_rival(judged, judged.model)) if name]
    rows = []
    for budget in judged.budgets:
        for name in names:
            alarms, asked = get_alarms(judged, name, budget), budget == judged.budget
            raised = format_raised(judged, budget, alarms, "")
            rows.append(BudgetRow(name_budget(budget), asked, title_of(name), name == judged.model, alarms, raised))
    return rows


def list_shares(judged: WarningsJudged) -> list[str]:
    """Name the budgets that give every model as many alarms, at the head of columns."""
    return [name_budget(budget) for budget in _list_equal(judged)]


def _list_equal(judged: WarningsJudged) -> list[Budget]:
    return [budget for budget in judged.budgets if budget.kind != "cost"]


def name_budget(budget: Budget) -> str:
    """Name a budget as short as can be: ``10 %``, ``12 a week``, ``a miss costs 5``."""
    if budget.kind == "share":
        return f"{100 * budget.size:.3g}\N{NO-BREAK SPACE}%"
    size = format_amount(budget.size)
    return f"{size} a week" if budget.kind == "week" else f"a miss costs {size}"


def list_month_rows(judged: WarningsJudged) -> list[dict[str, Any]]:
    """List the months of the test."""
    return [
        _describe_group(each, format_moment(f"{each.label}-01", "1 months"))
        for each in judged.group_months(judged.model)
    ]


def list_unit_rows(judged: WarningsJudged) -> list[dict[str, Any]]:
    """List the units, those most warned of first."""
    units = sorted(list_units(judged), key=lambda each: (-each.alarms.raised, -each.alarms.hit))
    return [_describe_group(each, each.label) for each in units]


def _describe_group(group: Group, label: str) -> dict[str, Any]:
    alarms = group.alarms
    return {
        "label": label,
        "alarms": alarms,
        "expected": group.expected,
        "missed": alarms.hit - alarms.true,
        "ratio": alarms.hit / group.expected if group.expected else math.nan,
    }


def _format_difference(judged: WarningsJudged, name: str, other: str, digits: int) -> Sequence[str]:
    """The difference, and its interval or why it has none."""
    if name == other:
        return "compared with", ""
    change = get_difference(judged, name, other) if other else None
    return ("–", "") if change is None else (format_change(change.mean, digits), _format_bounds(change, digits))


def _format_bounds(change: Difference, digits: int) -> str:
    if not math.isfinite(change.low):
        return "too few weeks"
    return f"{format_change(change.low, digits)} to {format_change(change.high, digits)}"
