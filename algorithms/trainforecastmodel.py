"""Train forecast model: what a cancelled training leaves to go on with."""

from __future__ import annotations

from pathlib import Path

from .tool_algorithm import ToolAlgorithm
from .values import Asked


class Algorithm(ToolAlgorithm):
    """Train forecast model."""

    def describe_cancelled(self, asked: Asked) -> str:
        """Say where the same training goes on."""
        checkpoint = asked.job.get("checkpoint")
        if not checkpoint or not any(Path(f"{checkpoint}{end}").exists() for end in ("", ".judged")):
            return ""
        return self.tr(
            "Cancelled: no model was written. The same training goes on from {checkpoint} when it is run again."
        ).format(checkpoint=checkpoint)
