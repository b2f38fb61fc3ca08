"""Predict score raster."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qgis.core import (
    QgsProcessing,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingOutputNumber,
    QgsProcessingParameterExtent,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterNumber,
    QgsProcessingParameterRasterDestination,
)

from ...bridge import styles
from .model_parameters import ModelAlgorithm
from .scored_places import area


class PredictScoreRaster(ModelAlgorithm):
    ID = "predictscoreraster"
    TITLE = "Predict score raster"
    GROUP = "Crime score"
    TAGS = "crime,score,predict,prediction,model,neural network,interval,raster,surface,map"
    SUMMARY = "Predicts the crime score of a whole area from recent incidents, as a raster with its interval."
    HELP = """
The bands are the score, the lower and upper end of its interval, and the percentile: the share of the incidents' own
places with a score as low. What they mean is told by Predict score layer. Cells outside the study area, and those more
than 2 km from every incident, are no data.

The raster is written tile by tile, so its size hardly needs memory. Left empty, the cell size is half the radius of the
model's score (finer cells show nothing more), larger where that would give more than a million cells; it is reported in
the log. The colours change at the 20th, 40th, 60th and 80th percentile of the incidents' own places.

The file's metadata hold the model card. It speaks of reported incidents at places, never of persons, and is no
forecast.
"""

    def initAlgorithm(self, configuration: dict[str, Any] | None = None) -> None:
        whole, real = QgsProcessingParameterNumber.Type.Integer, QgsProcessingParameterNumber.Type.Double
        self.add_index_and_model()
        self.add(
            QgsProcessingParameterExtent("EXTENT", self.tr("Extent"), optional=True),
            "By default that of the study area, or of the incidents.",
        )
        self.add(
            QgsProcessingParameterFeatureSource(
                "STUDY_AREA", self.tr("Study area"), [QgsProcessing.SourceType.TypeVectorPolygon], optional=True
            ),
            "Cells whose centre lies outside these polygons are no data.",
        )
        self.add(
            QgsProcessingParameterNumber("CELL_SIZE", self.tr("Cell size [m]"), real, None, True),
            "Left empty it is chosen and reported.",
        )
        self.add(
            QgsProcessingParameterNumber("COLUMNS", self.tr("Columns"), whole, None, True),
            "Number of cells from west to east, instead of a cell size.",
        )
        self.add(
            QgsProcessingParameterNumber("ROWS", self.tr("Rows"), whole, None, True),
            "Number of cells from north to south, instead of a cell size.",
        )
        self.add_model_options()
        self.add(QgsProcessingParameterRasterDestination("OUTPUT", self.tr("Predicted score")))
        for name, title in (
            ("CELL", "Cell size used"),
            ("WIDTH", "Columns used"),
            ("HEIGHT", "Rows used"),
            ("COUNT", "Cells with a score"),
        ):
            self.addOutput(QgsProcessingOutputNumber(name, self.tr(title)))
        self.add_model_outputs()

    def checkParameterValues(self, parameters: dict[str, Any], context: QgsProcessingContext) -> tuple[bool, str]:
        """Refuse sizes that cannot work, in words."""
        fine, why = super().checkParameterValues(parameters, context)
        if not fine:
            return fine, why
        for name in ("CELL_SIZE", "COLUMNS", "ROWS"):
            if parameters.get(name) is not None and not self.parameterAsDouble(parameters, name, context) > 0:
                return False, self.tr(
                    "{name} is {value}; it must be greater than 0, or empty for an automatic choice."
                ).format(name=name, value=parameters[name])
        return True, ""

    def compute(
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback, folder: Path
    ) -> dict[str, Any]:
        output = self.raster_destination(parameters, "OUTPUT", context)
        crs = self.index_crs(parameters, context, feedback)
        sizes = {
            key: None if parameters.get(name) is None else read(parameters, name, context)
            for name, key, read in (
                ("CELL_SIZE", "cell_size", self.parameterAsDouble),
                ("COLUMNS", "columns", self.parameterAsInt),
                ("ROWS", "rows", self.parameterAsInt),
            )
        }
        result = self.run_job(
            "predict_score_raster",
            {
                **self.model_job(parameters, context),
                "output": output,
                **area(self, parameters, context, crs, "STUDY_AREA"),
                **sizes,
            },
            feedback,
            [output],
            low=1.0,
            high=98.0,
        )
        self.style_output(output, "Predicted score", lambda layer: styles.predicted_raster(layer, result["classes"]))
        return {
            "OUTPUT": output,
            "CELL": result["cell_size"],
            "WIDTH": result["columns"],
            "HEIGHT": result["rows"],
            "COUNT": result["cells"],
            **self.model_results(result),
        }
