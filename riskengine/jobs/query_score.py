"""Job: the crime score at one place, for the dock; the worker keeps what took long to make."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field, model_validator

from ..ground.context import JobContext
from ..ground.errors import ParameterError
from ..systems.score.places import moment
from ..systems.score.query import Memory, Question, answer
from .models import JobParameters

_MEMORY = Memory()


class Parameters(JobParameters):
    """Parameters of the job; without x and y it only warms up, and tells what it holds."""

    index: str
    model: str | None = None
    x: float | None = None
    y: float | None = None
    radius: float = Field(200.0, gt=0)
    window_days: float = Field(365.0, gt=0)
    k: int = Field(10, ge=1, le=1000)
    reference_time: datetime | None = None

    @model_validator(mode="after")
    def _both(self) -> Parameters:
        if (self.x is None) != (self.y is None):
            raise ParameterError(
                "Only one of x and y was given", parameter="x", remedy="Give both in metres of the index's CRS"
            )
        return self


def run(parameters: Parameters, context: JobContext) -> dict[str, Any]:
    """Answer, as `riskengine.systems.score.query.answer` says."""
    place = None if parameters.x is None or parameters.y is None else (parameters.x, parameters.y)
    question = Question(
        parameters.index,
        parameters.model or None,
        place,
        parameters.radius,
        parameters.window_days,
        parameters.k,
        moment(parameters.reference_time),
    )
    return answer(question, _MEMORY, context)
