"""Forecast risk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qgis.core import (
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingOutputString,
    QgsProcessingParameterFile,
    QgsProcessingParameterNumber,
    QgsProcessingParameterRasterDestination,
    QgsProcessingParameterRasterLayer,
)

from ...bridge import styles
from ..engine_algorithm import EngineAlgorithm, absolute
from . import forecasters

#: Output, the job's name of it, title.
STRINGS = (
    ("CARD", "card", "Model card line"),
    ("VERDICT", "verdict", "Verdict"),
    ("ORIGIN", "origin", "Origin"),
    ("KIND", "model", "Kind of model"),
)


class ForecastRisk(EngineAlgorithm):
    ID = "forecastrisk"
    TITLE = "Forecast risk"
    GROUP = "Forecast"
    TAGS = "forecast,predict,risk,hotspot,model,next,probability,temporal"
    SUMMARY = "Forecasts the risk of at least one incident per cell in the next time bins with a trained model."
    HELP = """
The model, made with Train forecast model, is not trained further: it reads the hotspot grids up to their last map, and
forecasts the bins after it. The grids may go on after those it was trained on; their cells and bins must be the same.

The raster holds probabilities from 0 to 1, a band per forecast bin. What is forecast, by which model and how good it
was goes into the layer's metadata and the log as one line, which print layouts show. It is a forecast of reported
incidents in places, never of persons.
"""

    def initAlgorithm(self, configuration: dict[str, Any] | None = None) -> None:
        self.add(
            QgsProcessingParameterFile("MODEL", self.tr("Forecast model"), extension="crimemodel"),
            "Made with Train forecast model or Run ConvLSTM prediction.",
        )
        self.add(
            QgsProcessingParameterRasterLayer("INPUT", self.tr("Hotspot grids")),
            "Everything known at the moment of the forecast, made with Rasterize hotspot grids.",
        )
        self.add(
            QgsProcessingParameterNumber(
                "STEPS", self.tr("Bins to forecast"), QgsProcessingParameterNumber.Type.Integer, 1, False, 1, 1000
            ),
            "Later bins are less certain than the first.",
        )
        self.add(
            forecasters.extras_parameter(),
            "The extra layers that the model was trained with: the same file names, in the same order. A channel, too, "
            "must go up to the last map: make it anew with Rasterize hotspot grids, under the same name.",
            advanced=True,
        )
        self.add(QgsProcessingParameterRasterDestination("OUTPUT", self.tr("Risk")))
        for name, _, title in STRINGS:
            self.addOutput(QgsProcessingOutputString(name, self.tr(title)))

    def compute(
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback, folder: Path
    ) -> dict[str, Any]:
        layer = self.raster_input(parameters, "INPUT", context)
        output = self.raster_destination(parameters, "OUTPUT", context)
        result = self.run_job(
            "forecast",
            {
                "model": self.file_input(parameters, "MODEL", context),
                "heatmaps": absolute(layer.source()),
                "output": output,
                "steps": self.parameterAsInt(parameters, "STEPS", context),
                "extras": forecasters.extras_of(self, parameters, context),
            },
            feedback,
            [output],
            low=0.0,
            high=98.0,
        )
        self.style_output(output, "Risk", lambda raster: styles.risk(raster, result["edges"]), result["card"])
        return {"OUTPUT": output, **{name: result[key] for name, key, _ in STRINGS}}
