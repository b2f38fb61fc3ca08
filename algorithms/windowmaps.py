"""Draw window maps: the folder of pictures, brought to its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..riskengine.contract.texts import count_text
from . import picture_folders
from .tool_algorithm import ToolAlgorithm
from .values import Asked


class Algorithm(ToolAlgorithm):
    """Draw window maps."""

    def prepare(self, asked: Asked) -> dict[str, Any]:
        """Refuse a folder that holds anything but earlier pictures, before any work."""
        job = super().prepare(asked)
        if job["pictures"]:
            picture_folders.check(self._find_folder(asked), "PICTURES")
        return job

    def finish(self, asked: Asked, result: dict[str, Any]) -> dict[str, Any]:
        """Bring the pictures when all else is there."""
        returned = super().finish(asked, result)
        if asked.job["pictures"]:
            target = self._find_folder(asked)
            picture_folders.bring(Path(asked.job["pictures"]), target, "PICTURES", asked.feedback.isCanceled)
            pictures = count_text(result["windows"], self.tr("picture"), self.tr("pictures"))
            asked.feedback.pushInfo(
                self.tr("{pictures} and windows.csv in {folder}.").format(pictures=pictures, folder=target)
            )
            returned["PICTURES"] = str(target)
        return returned

    def _find_folder(self, asked: Asked) -> Path:
        return Path(self.to_absolute(self.parameterAsString(asked.parameters, "PICTURES", asked.context)))
