"""Fill heatmap gaps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qgis.core import (
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingOutputNumber,
    QgsProcessingParameterEnum,
    QgsProcessingParameterRasterDestination,
    QgsProcessingParameterRasterLayer,
)

from ...bridge import styles
from ..engine_algorithm import EngineAlgorithm, absolute

METHODS = ("forward", "linear", "none")
GAPS = ("empty", "unobserved")


class FillHeatmapGaps(EngineAlgorithm):
    ID = "fillheatmapgaps"
    TITLE = "Fill heatmap gaps"
    GROUP = "Hotspot grids"
    TAGS = "heatmap,gaps,missing,interpolation,linear,carry forward,upsampling,fill"
    SUMMARY = "Fills the maps of bins without incidents, and marks them so that no training takes them for observed."
    HELP = """
Carry forward repeats the last observed map and knows the past only. Linear (as published) draws a straight line from
the observed map before to the one after: a filled map then knows the next real one, which a forecast is to predict, so
figures of a forecast that reads it flatter. The log, the file's tags and the layer's metadata say so. None only marks.

Filled maps are marked in the file as not observed: no training has them as targets, no evaluation counts them. Maps
before the first observed one, and with linear after the last, stay as they are.
"""

    def initAlgorithm(self, configuration: dict[str, Any] | None = None) -> None:
        self.add(QgsProcessingParameterRasterLayer("INPUT", self.tr("Hotspot grids")))
        self.add(
            QgsProcessingParameterEnum(
                "METHOD",
                self.tr("Method"),
                [
                    self.tr("Carry forward (past only)"),
                    self.tr("Linear (as published; looks ahead)"),
                    self.tr("None: only mark the gaps"),
                ],
                False,
                0,
            )
        )
        self.add(
            QgsProcessingParameterEnum(
                "GAPS",
                self.tr("What is a gap"),
                [self.tr("Maps without any incident (as published)"), self.tr("Only maps already marked")],
                False,
                0,
            ),
            "In a place where most days have an incident, a map without any is likely one that nobody recorded; "
            "elsewhere it is a quiet day, and no gap.",
        )
        self.add(QgsProcessingParameterRasterDestination("OUTPUT", self.tr("Filled hotspot grids")))
        for name, title in (("BINS", "Maps"), ("GAPS_FOUND", "Gaps"), ("OBSERVED", "Observed maps")):
            self.addOutput(QgsProcessingOutputNumber(name, self.tr(title)))

    def compute(
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback, folder: Path
    ) -> dict[str, Any]:
        layer = self.raster_input(parameters, "INPUT", context)
        output = self.raster_destination(parameters, "OUTPUT", context)
        method = METHODS[self.parameterAsEnum(parameters, "METHOD", context)]
        result = self.run_job(
            "fill_gaps",
            {
                "heatmaps": absolute(layer.source()),
                "output": output,
                "method": method,
                "gaps": GAPS[self.parameterAsEnum(parameters, "GAPS", context)],
            },
            feedback,
            [output],
            low=0.0,
            high=100.0,
        )
        filled = result["filled"]
        if result["looks_ahead"]:
            abstract = self.tr(
                "{gaps} of {maps} maps were not observed; filled linearly between observed ones, they look ahead."
            )
        elif filled:
            abstract = self.tr("{gaps} of {maps} maps were not observed and repeat the last observed one.")
        else:
            abstract = self.tr("{gaps} of {maps} maps were not observed.")
        self.style_output(
            output,
            "Hotspot grids, gaps filled" if filled else "Hotspot grids",
            lambda raster: styles.heatmaps(raster, result["highest"], result["edges"]),
            abstract.format(gaps=result["gaps"], maps=result["maps"]),
        )
        return {
            "OUTPUT": output,
            "BINS": result["maps"],
            "GAPS_FOUND": result["gaps"],
            "OBSERVED": result["observed"],
        }
