"""Compute crime score layer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qgis.core import (
    Qgis,
    QgsCoordinateReferenceSystem,
    QgsProcessing,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingOutputNumber,
    QgsProcessingOutputString,
    QgsProcessingParameterDateTime,
    QgsProcessingParameterEnum,
    QgsProcessingParameterExtent,
    QgsProcessingParameterFeatureSink,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterFile,
    QgsProcessingParameterNumber,
    QgsProcessingUtils,
)
from qgis.PyQt.QtCore import QMetaType

from ...bridge import styles
from ...bridge.places import read_places
from ..engine_algorithm import EngineAlgorithm
from .scored_places import area, grid_features, reference_time, require_places, score_fields, scored_features

SCORES = (
    ("score_abs", QMetaType.Type.LongLong),
    ("score", QMetaType.Type.Double),
    ("percentile", QMetaType.Type.Double),
)
METHODS = ("exact", "as_built")


class CrimeScoreLayer(EngineAlgorithm):
    ID = "crimescorelayer"
    TITLE = "Compute crime score layer"
    GROUP = "Crime score"
    TAGS = "crime,score,density,radius,count,incidents,annoy"
    SUMMARY = "Scores places from 0 to 1 by how many incidents lie near them."
    HELP = """
score_abs is the number of incidents closer than the radius and younger than the window at the reference time.
score is its logarithm, rescaled so that the incidents' own places span 0 to 1 (Garrido Czacki 2021). percentile
is the share of the incidents' own places with a count as high or lower.

Give points to score, or a spacing for a regular grid of points over an extent or polygons; with neither extent
nor polygons the grid covers the incidents.
"""

    def initAlgorithm(self, configuration: dict[str, Any] | None = None) -> None:
        number = QgsProcessingParameterNumber.Type.Double
        self.add(
            QgsProcessingParameterFile("INDEX", self.tr("Crime index"), extension="crimeindex"),
            "Made with Build crime index.",
        )
        self.add(
            QgsProcessingParameterFeatureSource(
                "POINTS", self.tr("Points to score"), [QgsProcessing.SourceType.TypeVectorPoint], optional=True
            ),
            "Their attributes are kept. Leave empty to score a regular grid.",
        )
        self.add(
            QgsProcessingParameterNumber("SPACING", self.tr("Grid spacing [m]"), number, 250.0, True),
            "Distance between the points of the grid, used when there are no points to score.",
        )
        self.add(
            QgsProcessingParameterExtent("EXTENT", self.tr("Grid extent"), optional=True),
            "By default the extent of the incidents.",
        )
        self.add(
            QgsProcessingParameterFeatureSource(
                "POLYGONS", self.tr("Grid study area"), [QgsProcessing.SourceType.TypeVectorPolygon], optional=True
            ),
            "Only points of the grid inside these polygons are kept.",
        )
        self.add(
            QgsProcessingParameterNumber("RADIUS", self.tr("Radius [m]"), number, 200.0),
            "Incidents closer than this count.",
        )
        self.add(
            QgsProcessingParameterNumber("WINDOW", self.tr("Window [days]"), number, 365.0),
            "Incidents younger than this at the reference time count.",
        )
        self.add(
            QgsProcessingParameterDateTime("REFERENCE_TIME", self.tr("Reference time"), optional=True),
            "Nothing after it counts. By default the time of the last incident.",
        )
        self.add(
            QgsProcessingParameterEnum(
                "METHOD",
                self.tr("Count"),
                [self.tr("Exact"), self.tr("As the index was built (Annoy: broadening search, as published)")],
                False,
                0,
            ),
            advanced=True,
        )
        self.add(
            QgsProcessingParameterFeatureSink(
                "OUTPUT", self.tr("Crime scores"), QgsProcessing.SourceType.TypeVectorPoint
            )
        )
        for name, title in (
            ("COUNT", "Points scored"),
            ("INCIDENTS", "Incidents in the window"),
            ("SCORE_LOW", "Points with a score below 0.3"),
            ("SCORE_HIGH", "Points with a score above 0.8"),
        ):
            self.addOutput(QgsProcessingOutputNumber(name, self.tr(title)))
        self.addOutput(QgsProcessingOutputString("REFERENCE", self.tr("Reference time used")))

    def checkParameterValues(self, parameters: dict[str, Any], context: QgsProcessingContext) -> tuple[bool, str]:
        """Refuse sizes that cannot work, in words."""
        fine, why = super().checkParameterValues(parameters, context)
        if not fine:
            return fine, why
        for name, usual in (("RADIUS", "200"), ("WINDOW", "365"), ("SPACING", "250")):
            value = self.parameterAsDouble(parameters, name, context)
            if not value > 0 and parameters.get(name) is not None:
                return False, self.tr("{name} is {value}; it must be greater than 0, usually {usual}.").format(
                    name=name, value=f"{value:g}", usual=usual
                )
        return True, ""

    def compute(
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback, folder: Path
    ) -> dict[str, Any]:
        import numpy as np

        index = self.file_input(parameters, "INDEX", context)
        crs = QgsCoordinateReferenceSystem(self.run_job("index_info", {"index": index}, feedback, (), 0, 1)["crs"])
        source = self.parameterAsSource(parameters, "POINTS", context)
        if source is None and parameters.get("POINTS") is not None:
            raise QgsProcessingException(self.invalidSourceError(parameters, "POINTS"))
        asked: dict[str, Any] = {}
        places, spacing = None, None
        if source is not None:
            places = read_places(source, context, feedback, crs)
            require_places(places, source)
            np.savez(folder / "points.npz", x=places.x, y=places.y)
            asked["points"] = str(folder / "points.npz")
        else:
            spacing = self.parameterAsDouble(parameters, "SPACING", context)
            asked["grid"] = {"spacing": spacing, **area(self, parameters, context, crs, "POLYGONS")}
        result = self.run_job(
            "score_points",
            {
                "index": index,
                "output": str(folder / "scores.npz"),
                "radius": self.parameterAsDouble(parameters, "RADIUS", context),
                "window_days": self.parameterAsDouble(parameters, "WINDOW", context),
                "reference_time": reference_time(self, parameters, context),
                "method": METHODS[self.parameterAsEnum(parameters, "METHOD", context)],
                **asked,
            },
            feedback,
        )
        feedback.pushInfo(
            self.tr(
                "{points} places scored by {incidents} incidents in the window up to {reference}; counts at the "
                "incidents' own places run from {low} to {high}"
            ).format(
                points=f"{result['points']:,}",
                incidents=f"{result['incidents_in_window']:,}",
                reference=result["reference_time"],
                low=result["s_abs_low"],
                high=result["s_abs_high"],
            )
        )
        with np.load(folder / "scores.npz", allow_pickle=False) as file:
            columns = [file[name].tolist() for name in ("x", "y", "score_abs", "score", "percentile")]
        if places is not None and source is not None:
            self.report_refused(places.refused, len(places.x) + len(places.refused), feedback)
            fields = QgsProcessingUtils.combineFields(source.fields(), score_fields(SCORES))
            scores = dict(zip(places.fid.tolist(), zip(*columns[2:])))
            features = scored_features(source, fields, scores)
            count, output_crs = source.featureCount(), source.sourceCrs()
            kind = source.wkbType()
        else:
            fields = score_fields(SCORES)
            features = grid_features(fields, columns)
            count, output_crs = result["points"], crs
            kind = Qgis.WkbType.Point
        destination = self.write_layer(
            parameters, "OUTPUT", context, feedback, fields, kind, output_crs, features, count
        )
        self.style_output(destination, "Crime scores", lambda layer: styles.scores(layer, spacing))
        return {
            "OUTPUT": destination,
            "COUNT": result["points"],
            "INCIDENTS": result["incidents_in_window"],
            "SCORE_LOW": result["score_low"],
            "SCORE_HIGH": result["score_high"],
            "REFERENCE": result["reference_time"],
        }
