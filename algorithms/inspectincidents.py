"""Inspect incidents: the report counts what was refused here, too."""

from __future__ import annotations

from collections import Counter
from typing import Any

from .tool_algorithm import ToolAlgorithm
from .values import Asked


class Algorithm(ToolAlgorithm):
    """Inspect incidents."""

    def prepare(self, asked: Asked) -> dict[str, Any]:
        """Tell the job for what reasons places were refused."""
        job = super().prepare(asked)
        assert asked.places is not None
        return {**job, "refused_places": dict(Counter(reason for _, reason in asked.places.refused))}
