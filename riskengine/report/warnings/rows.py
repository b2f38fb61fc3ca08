"""The CSV of every figure of a test of warnings: one figure a row, with the counts and the interval it has."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ...evaluation.warned import WarningsJudged
from ...measures.alarms import Alarms, Group
from ...measures.compare import Difference
from ..figures_csv import write_rows
from .numbers import find_rival, list_units
from .tables import name_budget

#: How alarms were raised that no threshold of the past gave.
_MOST = "most likely of the test"
_WHOLE = ("log_loss", "brier", "auc", "average_precision", "calibration_error", "seconds")


def write_warnings_figures(path: str | Path, judged: WarningsJudged, parameter: str = "csv") -> None:
    """Write every figure, in the columns of the table of a backtest (`figures_csv.write_figures`).

    ``at`` says where: a budget and how its alarms were raised, a month, an area, a bin of the calibration, a window.
    """
    write_rows(path, list_warning_figures(judged), parameter)


def list_warning_figures(judged: WarningsJudged) -> Iterator[dict[str, Any]]:
    """List every figure as a row of `figures_csv.COLUMNS`."""
    for name, score in judged.scores.items():
        for metric in _WHOLE:
            yield {"model": name, "metric": metric, "value": getattr(score, metric)}
        for other, change in judged.against.get(name, {}).items():
            yield {"model": name, "metric": "log_loss_difference", "at": f"minus {other}", **_bound(change)}
        for how, alarms in ((_MOST, score.at), ("raised", score.raised)):
            for budget, each in alarms.items():
                yield from _list_alarms(name, f"{_write(name_budget(budget))}, {how}", each)
        yield from _list_compared(judged, name)
        for group in judged.group_months(name):
            yield from _list_group(name, f"month {group.label}", group)
        found = judged.measure_reliability(name)
        for predicted, observed, count in zip(found.predicted, found.observed, found.count, strict=True):
            at = f"forecast {predicted:.4g}"
            yield {"model": name, "metric": "observed", "at": at, "value": float(observed), "N": int(count)}
        for start, loss in zip(judged.starts, score.fold_loss, strict=True):
            yield {"model": name, "metric": "log_loss", "at": f"window {start}", "value": float(loss)}
    if judged.model in judged.scores:
        for group in list_units(judged):
            yield from _list_group(judged.model, f"area {group.label}", group)


def _list_compared(judged: WarningsJudged, name: str) -> Iterator[dict[str, Any]]:
    """What as many alarms are worth beside those of what is compared with."""
    other = find_rival(judged, judged.model)
    if not other or name == other:
        return
    for budget in judged.budgets:
        # Where a ratio of costs decides, models do not raise as many.
        if budget.kind == "cost" or not judged.scores[other].at[budget].true:
            continue
        at = f"{_write(name_budget(budget))}, {_MOST}"
        yield {"model": name, "metric": "lift", "at": at, **_bound(judged.compute_lift(name, other, budget))}
        for metric, change in (
            ("precision_difference", judged.compare_precision(name, other, budget)),
            ("recall_events_difference", judged.compare_recall(name, other, budget)),
        ):
            yield {"model": name, "metric": metric, "at": f"{at}, minus {other}", **_bound(change)}


def _list_group(name: str, at: str, group: Group) -> Iterator[dict[str, Any]]:
    row = {"model": name, "at": at}
    yield {**row, "metric": "windows_with_event", "value": group.alarms.hit, "N": group.alarms.windows}
    yield {**row, "metric": "expected", "value": group.expected, "N": group.alarms.windows}
    yield from _list_alarms(name, at, group.alarms)


def _list_alarms(name: str, at: str, alarms: Alarms) -> Iterator[dict[str, Any]]:
    row = {"model": name, "at": at}
    for metric, part, whole in (
        ("alarms_share", alarms.raised, alarms.windows),
        ("precision", alarms.true, alarms.raised),
        ("recall", alarms.true, alarms.hit),
        ("recall_events", alarms.warned_events, alarms.events),
    ):
        yield {**row, "metric": metric, "value": part / whole if whole else None, "n": part, "N": whole}
    yield {**row, "metric": "false_per_true", "value": alarms.false_per_true}


def _bound(change: Difference) -> dict[str, Any]:
    return {"value": change.mean, "low": change.low, "high": change.high}


def _write(text: str) -> str:
    """For a file: a plain blank."""
    return text.replace("\N{NO-BREAK SPACE}", " ")
