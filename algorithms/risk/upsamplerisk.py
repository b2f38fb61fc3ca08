"""Upsample risk map."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qgis.core import (
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingOutputNumber,
    QgsProcessingParameterEnum,
    QgsProcessingParameterNumber,
    QgsProcessingParameterRasterDestination,
    QgsProcessingParameterRasterLayer,
)

from ...bridge import styles
from ..engine_algorithm import EngineAlgorithm, absolute

METHODS = ("bilinear", "cubic")


class UpsampleRisk(EngineAlgorithm):
    ID = "upsamplerisk"
    TITLE = "Upsample risk map"
    GROUP = "Risk"
    TAGS = "upsample,resample,bilinear,cubic,interpolation,resolution,risk,display"
    SUMMARY = "Interpolates a risk raster to a finer resolution for display."
    HELP = """
The map becomes smoother, not more exact: the finer cells hold nothing that the coarse ones do not. Evaluate and
classify the original.

Cells outside the study area take part in nothing: the border keeps its outline and its risk. No value leaves the range
of its map, so a probability stays one where the cubic kernel overshoots. Time ranges and band names are kept.
"""

    def initAlgorithm(self, configuration: dict[str, Any] | None = None) -> None:
        whole = QgsProcessingParameterNumber.Type.Integer
        self.add(QgsProcessingParameterRasterLayer("INPUT", self.tr("Risk raster")))
        self.add(
            QgsProcessingParameterNumber("FACTOR", self.tr("Factor"), whole, 5, False, 2, 20),
            "5 turns cells of 500 m into 100 m.",
        )
        self.add(
            QgsProcessingParameterEnum(
                "METHOD", self.tr("Interpolation"), [self.tr("Bilinear (as published)"), self.tr("Cubic")], False, 0
            ),
            "Cubic is smoother and lets peaks stand out.",
        )
        self.add(QgsProcessingParameterRasterDestination("OUTPUT", self.tr("Risk for display")))
        for name, title in (("CELL", "Cell size"), ("WIDTH", "Columns"), ("HEIGHT", "Rows")):
            self.addOutput(QgsProcessingOutputNumber(name, self.tr(title)))

    def compute(
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback, folder: Path
    ) -> dict[str, Any]:
        layer = self.raster_input(parameters, "INPUT", context)
        output = self.raster_destination(parameters, "OUTPUT", context)
        factor = self.parameterAsInt(parameters, "FACTOR", context)
        method = METHODS[self.parameterAsEnum(parameters, "METHOD", context)]
        result = self.run_job(
            "upsample",
            {"risk": absolute(layer.source()), "output": output, "factor": factor, "method": method},
            feedback,
            [output],
            low=0.0,
            high=100.0,
        )
        note = self.tr("For display: {factor} times finer than the forecast, {method}.").format(
            factor=factor, method=method
        )
        abstract = f"{styles.abstract_of(layer)} {note}".strip()
        self.style_output(output, "Risk for display", lambda raster: styles.risk(raster, result["edges"]), abstract)
        return {
            "OUTPUT": output,
            "CELL": result["cell_size"],
            "WIDTH": result["columns"],
            "HEIGHT": result["rows"],
        }
