"""Rasterize hotspot grids: one stack a category, brought to the folder asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qgis.core import QgsRasterLayer

from ..bridge import styles
from ..bridge.about import describe_result
from ..riskengine.contract.texts import count_text, show_name
from . import stacks
from .tool_algorithm import ToolAlgorithm
from .values import Asked


class Algorithm(ToolAlgorithm):
    """Rasterize hotspot grids."""

    def finish(self, asked: Asked, result: dict[str, Any]) -> dict[str, Any]:
        """Bring the stacks when all else is there."""
        returned = super().finish(asked, result)
        if asked.job["per_category"]:
            target = self.to_absolute(self.parameterAsString(asked.parameters, "STACKS", asked.context))
            self._bring(Path(asked.job["per_category"]), Path(target), asked, result)
            returned["STACKS"] = target
        return returned

    def _bring(self, made: Path, target: Path, asked: Asked, result: dict[str, Any]) -> None:
        """Move the stacks to the folder asked for, each with its style and history beside it."""
        names = [entry["file"] for entry in result["categories"]]
        replaced = stacks.bring(made, target, names, asked.job["output"])
        if replaced:
            asked.feedback.pushInfo(
                self.tr("Replaced in {folder}: {names}.").format(folder=target, names=", ".join(replaced))
            )
        for entry in result["categories"]:
            asked.feedback.pushInfo(
                self.tr("{category}: {count} in {file}.").format(
                    category=show_name(entry["category"]),
                    count=count_text(entry["counted"], self.tr("incident"), self.tr("incidents")),
                    file=entry["file"],
                )
            )
            layer = QgsRasterLayer(str(target / entry["file"]), show_name(entry["category"]))
            styles.style_heatmaps(layer, entry["highest"], result["edges"])
            history = f"{self.displayName()} (crimerisk:{self.name()})"
            styles.remember(layer, show_name(entry["category"]), history, describe_result({"edges": result["edges"]}))
