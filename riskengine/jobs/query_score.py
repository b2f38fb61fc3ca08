"""Job: the crime score at one place, for the dock; the worker keeps what took long to make."""

from __future__ import annotations

from typing import Any

from ..contract.tools.score import ScoreQuestion
from ..ground.context import JobContext
from ..systems.score.places import to_wall_clock
from ..systems.score.query import Memory, Question, answer

_MEMORY = Memory()


def run(parameters: ScoreQuestion, context: JobContext) -> dict[str, Any]:
    """Answer, as `riskengine.systems.score.query.answer` says."""
    place = None if parameters.x is None or parameters.y is None else (parameters.x, parameters.y)
    question = Question(
        parameters.index,
        parameters.model or None,
        place,
        parameters.radius,
        parameters.window_days,
        parameters.k,
        to_wall_clock(parameters.reference_time),
    )
    return answer(question, _MEMORY, context)
