"""Evaluate risk map."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qgis.core import (
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingParameterDateTime,
    QgsProcessingParameterRasterLayer,
)

from ..engine_algorithm import absolute
from ..forecast.judging import JudgingAlgorithm


class EvaluateRisk(JudgingAlgorithm):
    ID = "evaluaterisk"
    TITLE = "Evaluate risk map"
    GROUP = "Risk"
    TAGS = "evaluate,risk,hit rate,pai,pei,precision,auc,log-loss,labels,validation,hotspot,forecast"
    SUMMARY = "Judges any risk raster, ours or another tool's, by what happened."
    HELP = """
The hotspot grids count what happened in the bins that the risk is meant for. A raster of Crime Risk says itself when
its bands apply; in another one, band 1 is the first map that is judged, and a single band is held against every map.
Maps before the first one judged are the history of the simple baselines that stand beside it.

Values that are no probabilities, such as a kernel density, are judged by their order alone: hit rate, PAI, PEI, AUC and
labels. Give grids of a time that the risk map's makers did not know: on the past that it was made from any map is good.
"""

    def initAlgorithm(self, configuration: dict[str, Any] | None = None) -> None:
        self.add(
            QgsProcessingParameterRasterLayer("INPUT", self.tr("Risk raster")),
            "Any raster in which more means more risk.",
        )
        self.add(
            QgsProcessingParameterRasterLayer("GRIDS", self.tr("Hotspot grids of what happened")),
            "Made with Rasterize hotspot grids.",
        )
        self.add(
            QgsProcessingParameterDateTime("START", self.tr("First map judged"), optional=True),
            "Maps that begin earlier are not judged. By default all maps that the risk covers.",
        )
        self.add_judging_parameters()
        self.add_judging_outputs()

    def compute(
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback, folder: Path
    ) -> dict[str, Any]:
        risk = self.raster_input(parameters, "INPUT", context)
        grids = self.raster_input(parameters, "GRIDS", context)
        start = self.parameterAsDateTime(parameters, "START", context)
        asked = self.judging_request(parameters, context, grids.crs(), folder)
        result = self.run_job(
            "evaluate",
            {
                **asked,
                "risk": absolute(risk.source()),
                "heatmaps": absolute(grids.source()),
                "start": start.toString("yyyy-MM-ddTHH:mm:ss") if start.isValid() else None,
            },
            feedback,
            [path or "" for path in (asked["report"], asked["csv"], asked["labels"])],
            low=0.0,
            high=95.0,
        )
        figures = result["scores"][result["model"]]
        return self.judged(parameters, context, feedback, grids.crs(), asked, result, figures)
