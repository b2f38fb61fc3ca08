"""Binarize heatmaps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qgis.core import (
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingOutputNumber,
    QgsProcessingParameterNumber,
    QgsProcessingParameterRasterDestination,
    QgsProcessingParameterRasterLayer,
)

from ...bridge import styles
from ..engine_algorithm import EngineAlgorithm, absolute


class BinarizeHeatmaps(EngineAlgorithm):
    ID = "binarizeheatmaps"
    TITLE = "Binarize heatmaps"
    GROUP = "Hotspot grids"
    TAGS = "heatmap,binary,threshold,hotspot,classes"
    SUMMARY = "Turns hotspot grids into binary maps: 1 where a cell lies above a threshold, else 0."
    HELP = """
Strictly above: with the published threshold of 0.5 a cell is a hotspot when it holds at least one incident, and in a
map that was filled linearly between none and one, when it lies nearer to one. Which maps were observed, and whether
filled ones look ahead, stays marked.
"""

    def initAlgorithm(self, configuration: dict[str, Any] | None = None) -> None:
        real = QgsProcessingParameterNumber.Type.Double
        self.add(QgsProcessingParameterRasterLayer("INPUT", self.tr("Hotspot grids")))
        self.add(QgsProcessingParameterNumber("THRESHOLD", self.tr("Threshold"), real, 0.5, False, 0))
        self.add(QgsProcessingParameterRasterDestination("OUTPUT", self.tr("Binary maps")))
        for name, title in (("BINS", "Maps"), ("HOTSPOTS", "Cells above the threshold"), ("SHARE", "Their share")):
            self.addOutput(QgsProcessingOutputNumber(name, self.tr(title)))

    def compute(
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback, folder: Path
    ) -> dict[str, Any]:
        layer = self.raster_input(parameters, "INPUT", context)
        output = self.raster_destination(parameters, "OUTPUT", context)
        threshold = self.parameterAsDouble(parameters, "THRESHOLD", context)
        result = self.run_job(
            "binarize",
            {"heatmaps": absolute(layer.source()), "output": output, "threshold": threshold},
            feedback,
            [output],
            low=0.0,
            high=100.0,
        )
        abstract = self.tr("1 where a cell lies above {threshold}.").format(threshold=f"{threshold:g}")
        if result["unobserved"]:
            abstract += " " + self.tr("{gaps} of {maps} maps were not observed.").format(
                gaps=result["unobserved"], maps=result["maps"]
            )
        if result["looks_ahead"]:
            abstract += " " + self.tr("They are filled linearly between observed ones: they look ahead.")
        self.style_output(output, "Binary maps", lambda raster: styles.heatmaps(raster, 1, result["edges"]), abstract)
        return {
            "OUTPUT": output,
            "BINS": result["maps"],
            "HOTSPOTS": result["hotspots"],
            "SHARE": result["share"],
        }
