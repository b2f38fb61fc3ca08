"""Compute crime score layer: markers that fill the cells of a grid."""

from __future__ import annotations

from typing import Any

from ..bridge import styles
from ..bridge.about import describe_result
from ..riskengine.contract.texts import count_text
from .scored_places import ScoringAlgorithm, spacing_of
from .values import Asked


class Algorithm(ScoringAlgorithm):
    """Compute crime score layer."""

    def finish(self, asked: Asked, result: dict[str, Any]) -> dict[str, Any]:
        """Say what was counted, and style."""
        asked.feedback.pushInfo(
            self.tr(
                "{points} scored by {incidents} ({window}); counts at the incidents' own places run from {low} to "
                "{high}."
            ).format(
                points=count_text(result["points"], self.tr("place"), self.tr("places")),
                incidents=count_text(result["incidents_in_window"], self.tr("incident"), self.tr("incidents")),
                window=result["span_text"],
                low=result["s_abs_low"],
                high=result["s_abs_high"],
            )
        )
        returned = super().finish(asked, result)
        spacing = spacing_of(asked)
        self.style_output(
            returned["OUTPUT"],
            self.tr("Crime scores"),
            lambda layer: styles.style_scores(layer, spacing),
            describe_result(result),
        )
        return returned
