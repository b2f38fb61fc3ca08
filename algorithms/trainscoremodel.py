"""Train score model: the best model so far outlives a cancel, where that is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..bridge import last_files, outputs
from .tool_algorithm import ToolAlgorithm
from .values import Asked


class Algorithm(ToolAlgorithm):
    """Train score model."""

    def prepare(self, asked: Asked) -> dict[str, Any]:
        """Remember what was there before: a file that is another afterwards is the model kept."""
        job = super().prepare(asked)
        self._before = _stamp(job["model_output"])
        return job

    def describe_cancelled(self, asked: Asked) -> str:
        """Keep the file from being removed, and say where it is: the engine's own word may not have come through."""
        model = asked.job["model_output"]
        # The engine writes a file whole or not at all: if there is a new one, it is the best model so far.
        if not asked.job["keep_best"] or _stamp(model) == self._before:
            return ""
        self._destinations = [path for path in self._destinations if path != model]
        last_files.announce(model)
        if outputs.is_temporary(model):
            asked.feedback.pushWarning(
                self.tr("{model} is a temporary file: copy it before QGIS is closed.").format(model=model)
            )
        return self.tr("Cancelled: the best model so far was kept as {model}; no report was written.").format(
            model=model
        )


def _stamp(path: str) -> tuple[int, int] | None:
    """What tells a file from the one that was there before."""
    try:
        state = Path(path).stat()
    except OSError:
        return None
    return state.st_ino, state.st_mtime_ns
