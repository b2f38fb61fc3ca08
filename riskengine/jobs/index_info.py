"""Job: what a crime index is, without loading its incidents."""

from __future__ import annotations

from typing import Any

from ..ground.context import JobContext
from ..systems.score.index import read_index_head
from .models import JobParameters


class Parameters(JobParameters):
    index: str


def run(parameters: Parameters, context: JobContext) -> dict[str, Any]:
    """The index's own description: crs, count, span, method, recall, fingerprint."""
    return read_index_head(parameters.index)
