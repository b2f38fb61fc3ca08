"""The figures of a test of warnings for a job's result."""

from __future__ import annotations

import math

from ...evaluation.warned import WarningsJudged

_FIGURES = ("log_loss", "brier", "auc", "average_precision", "calibration_error")
_OF_ALARMS = ("precision", "recall", "recall_events", "false_per_true")


def describe_scores(judged: WarningsJudged) -> dict[str, dict[str, float | None]]:
    """Describe by model the figures that a tool returns: probabilities, and alarms as they were really raised."""
    scores = {}
    for name, score in judged.scores.items():
        figures = {figure: float(getattr(score, figure)) for figure in _FIGURES}
        alarms = score.raised[judged.budget]
        figures["raised"] = float(alarms.raised)
        figures |= {figure: getattr(alarms, figure) for figure in _OF_ALARMS}
        scores[name] = {key: value if math.isfinite(value) else None for key, value in figures.items()}
    return scores
