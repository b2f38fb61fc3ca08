"""The figures of a test of warnings for a job's result, and all of them as a CSV: one figure a row."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ...evaluation.warned import WarningsJudged
from ...ground.artefacts import whole_file
from ...measures.alarms import Alarms
from ...measures.compare import Difference
from .numbers import get_alarms
from .tables import name_budget

COLUMNS = ("model", "metric", "at", "value", "n", "N", "low", "high")
_FIGURES = ("log_loss", "brier", "auc", "average_precision", "calibration_error")


def describe_scores(judged: WarningsJudged) -> dict[str, dict[str, float | None]]:
    """Describe by model the figures that a tool returns: probabilities, and alarms as they were really raised."""
    scores = {}
    for name, score in judged.scores.items():
        figures = {figure: float(getattr(score, figure)) for figure in _FIGURES}
        alarms = get_alarms(judged, name)
        if alarms is not None:
            figures |= {
                "raised": float(alarms.raised),
                "precision": alarms.precision,
                "recall": alarms.recall,
                "recall_events": alarms.recall_events,
                "false_per_true": alarms.false_per_true,
            }
        scores[name] = {key: value if math.isfinite(value) else None for key, value in figures.items()}
    return scores


def write_warning_figures(path: str | Path, judged: WarningsJudged, parameter: str = "csv") -> None:
    """Write every figure: UTF-8, a header, a point for decimals, nothing where a figure does not exist.

    ``value`` is the figure; ``n`` and ``N`` are the counts whose ratio it is; ``low`` and ``high`` bound it at 95 %.
    ``at`` says where: a budget and how it was spent, a window, a month, an area.
    """
    with whole_file(path, parameter) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        for row in list_figures(judged):
            writer.writerow({name: _text(row.get(name)) for name in COLUMNS})


def list_figures(judged: WarningsJudged) -> Iterator[dict[str, Any]]:
    """List every figure as a row of `COLUMNS`."""
    for name, score in judged.scores.items():
        for figure in _FIGURES:
            yield {"model": name, "metric": figure, "value": getattr(score, figure)}
        for other, change in judged.against.get(name, {}).items():
            yield {"model": name, "at": f"minus {other}", **_bound("log_loss", change)}
        for how, spent in (("raised", score.raised), ("most likely of the test", score.at)):
            for budget, alarms in spent.items():
                at = f"{name_budget(budget).replace(chr(160), ' ')}, {how}"
                yield from ({"model": name, "at": at, **row} for row in _list_alarms(alarms))
        for start, loss in zip(judged.starts, score.fold_loss, strict=True):
            yield {"model": name, "metric": "log_loss", "at": f"window {start}", "value": loss}
        yield {"model": name, "metric": "seconds", "value": score.seconds}
    for kind, groups in (("month", judged.group_months(judged.model)), ("area", judged.group_units(judged.model))):
        for group in groups:
            at = f"{kind} {group.label}"
            yield {"model": judged.model, "metric": "expected", "at": at, "value": group.expected}
            yield from ({"model": judged.model, "at": at, **row} for row in _list_alarms(group.alarms))


def _list_alarms(alarms: Alarms) -> Iterator[dict[str, Any]]:
    yield {"metric": "alarms", "value": alarms.raised, "n": alarms.raised, "N": alarms.windows}
    yield {"metric": "precision", "value": alarms.precision, "n": alarms.true, "N": alarms.raised}
    yield {"metric": "recall", "value": alarms.recall, "n": alarms.true, "N": alarms.hit}
    yield {"metric": "recall_events", "value": alarms.recall_events, "n": alarms.warned_events, "N": alarms.events}


def _bound(metric: str, change: Difference) -> dict[str, Any]:
    return {"metric": metric, "value": change.mean, "low": change.low, "high": change.high}


def _text(value: Any) -> Any:
    if value is None or (not isinstance(value, str) and not math.isfinite(value)):
        return ""
    return f"{value:.10g}" if not isinstance(value, str) else value
