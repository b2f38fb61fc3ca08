"""Predict score layer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qgis.core import (
    Qgis,
    QgsCoordinateReferenceSystem,
    QgsPointXY,
    QgsProcessing,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeatureSource,
    QgsProcessingFeedback,
    QgsProcessingOutputNumber,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterExtent,
    QgsProcessingParameterFeatureSink,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterNumber,
    QgsProcessingUtils,
    QgsWkbTypes,
)
from qgis.PyQt.QtCore import QMetaType

from ...bridge import styles
from ...bridge.crs import transform_arrays
from ...bridge.places import Places, read_places
from ...bridge.polygon_places import read_inner_points
from .model_parameters import ModelAlgorithm
from .scored_places import area, grid_features, require_places, score_fields, scored_features

FIELDS = (
    ("score", QMetaType.Type.Double),
    ("lower", QMetaType.Type.Double),
    ("upper", QMetaType.Type.Double),
    ("percentile", QMetaType.Type.Double),
    ("incidents", QMetaType.Type.LongLong),
    ("count", QMetaType.Type.Double),
)


class PredictScore(ModelAlgorithm):
    ID = "predictscore"
    TITLE = "Predict score layer"
    GROUP = "Crime score"
    TAGS = "crime,score,predict,prediction,model,neural network,interval,neighbourhoods,choropleth,grid"
    SUMMARY = "Predicts the crime score of points, neighbourhoods or a grid from recent incidents, with an interval."
    HELP = """
score runs from 0 to 1: an estimate, from the recent incidents alone, of the score that Compute crime score layer
gives for the radius and window that the model was trained for. Between lower and upper lay the counted score of as
many places that the training held out as its Interval says (0.9: nine of ten). Those were places of incidents; how
often it holds elsewhere is less sure. percentile is the share of the incidents' own places with a score as low.
incidents is the number of recent incidents within 500 m, which the prediction rests on: the fewer, the less it knows.
count is the number of incidents in the model's window and radius that the score stands for.

Give points, or polygons such as neighbourhoods: each is scored at its centroid, or at a point inside it where the
centroid lies outside. For a mean over each polygon use Predict score raster and Zonal statistics. Without a layer, a
grid of points covers the extent, the study area or the incidents.

The colours change at the 20th, 40th, 60th and 80th percentile of the incidents' own places, those of the Crime score
dock and of Compute crime score layer at 0.2, 0.4, 0.6 and 0.8: one score may have two colours. Places more than 2 km
from every incident have no score. It speaks of reported incidents at places, never of persons, and is no forecast.
"""

    def initAlgorithm(self, configuration: dict[str, Any] | None = None) -> None:
        source = QgsProcessing.SourceType
        self.add_index_and_model()
        self.add(
            QgsProcessingParameterFeatureSource(
                "INPUT",
                self.tr("Points or polygons"),
                [source.TypeVectorPoint, source.TypeVectorPolygon],
                optional=True,
            ),
            "Their attributes are kept. Leave empty to score a regular grid.",
        )
        self.add(
            QgsProcessingParameterBoolean("KEEP_POLYGONS", self.tr("Keep the polygons"), True),
            "Polygons stay polygons, as for a map of neighbourhoods; otherwise the scored points are written.",
        )
        self.add(
            QgsProcessingParameterNumber(
                "SPACING", self.tr("Grid spacing [m]"), QgsProcessingParameterNumber.Type.Double, 250.0, True
            ),
            "Distance between the points of the grid, used when there is no layer to score.",
        )
        self.add(
            QgsProcessingParameterExtent("EXTENT", self.tr("Grid extent"), optional=True),
            "By default that of the study area, or of the incidents.",
        )
        self.add(
            QgsProcessingParameterFeatureSource(
                "STUDY_AREA", self.tr("Grid study area"), [source.TypeVectorPolygon], optional=True
            ),
            "Only points of the grid inside these polygons are kept.",
        )
        self.add_model_options()
        self.add(QgsProcessingParameterFeatureSink("OUTPUT", self.tr("Predicted scores"), source.TypeVectorAnyGeometry))
        self.addOutput(QgsProcessingOutputNumber("COUNT", self.tr("Places with a score")))
        self.add_model_outputs()

    def checkParameterValues(self, parameters: dict[str, Any], context: QgsProcessingContext) -> tuple[bool, str]:
        """Refuse a spacing that cannot work, in words."""
        fine, why = super().checkParameterValues(parameters, context)
        if not fine:
            return fine, why
        spacing = self.parameterAsDouble(parameters, "SPACING", context)
        if not spacing > 0 and parameters.get("SPACING") is not None:
            return False, self.tr("SPACING is {value}; it must be greater than 0, usually 250.").format(
                value=f"{spacing:g}"
            )
        return True, ""

    def compute(
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback, folder: Path
    ) -> dict[str, Any]:
        import numpy as np

        crs = self.index_crs(parameters, context, feedback)
        source = self.parameterAsSource(parameters, "INPUT", context)
        if source is None and parameters.get("INPUT") is not None:
            raise QgsProcessingException(self.invalidSourceError(parameters, "INPUT"))
        asked: dict[str, Any] = {}
        places, spacing = None, None
        if source is not None:
            places = self._places(source, context, feedback, crs)
            np.savez(folder / "points.npz", x=places.x, y=places.y)
            asked["points"] = str(folder / "points.npz")
        else:
            spacing = self.parameterAsDouble(parameters, "SPACING", context)
            asked["grid"] = {"spacing": spacing, **area(self, parameters, context, crs, "STUDY_AREA")}
        result = self.run_job(
            "predict_score",
            {**self.model_job(parameters, context), "output": str(folder / "scores.npz"), **asked},
            feedback,
        )
        with np.load(folder / "scores.npz", allow_pickle=False) as file:
            columns = [
                np.where(np.isfinite(file[name]), file[name].astype(object), None).tolist()
                for name in ("x", "y", *(name for name, _ in FIELDS))
            ]
        fields, kind = score_fields(FIELDS), Qgis.WkbType.Point
        if places is not None and source is not None:
            self.report_refused(places.refused, len(places.x) + len(places.refused), feedback)
            fields = QgsProcessingUtils.combineFields(source.fields(), fields)
            scores = dict(zip(places.fid.tolist(), zip(*columns[2:])))
            count, output_crs = source.featureCount(), source.sourceCrs()
            points = None
            if _of_polygons(source) and not self.parameterAsBoolean(parameters, "KEEP_POLYGONS", context):
                points = _points(places, output_crs, context)
            else:
                kind = source.wkbType()
            features = scored_features(source, fields, scores, points)
        else:
            features = grid_features(fields, columns)
            count, output_crs = result["points"], crs
        destination = self.write_layer(
            parameters, "OUTPUT", context, feedback, fields, kind, output_crs, features, count
        )
        # Where the layer had a field of that name already, ours has got another.
        own = fields.names()[-len(FIELDS) :]
        names = dict(zip((name for name, _ in FIELDS), own))
        self.style_output(
            destination,
            "Predicted scores",
            lambda layer: styles.predicted_scores(layer, result["classes"], names, spacing),
        )
        known = result["points"] - (result["unknown"] if source is not None else 0)
        return {"OUTPUT": destination, "COUNT": known, **self.model_results(result)}

    def _places(
        self,
        source: QgsProcessingFeatureSource,
        context: QgsProcessingContext,
        feedback: QgsProcessingFeedback,
        crs: QgsCoordinateReferenceSystem,
    ) -> Places:
        """The points of a layer, or a point inside each of its polygons, in the index's CRS."""
        read = read_inner_points if _of_polygons(source) else read_places
        places = read(source, context, feedback, crs)
        require_places(places, source)
        return places


def _of_polygons(source: QgsProcessingFeatureSource) -> bool:
    return QgsWkbTypes.geometryType(source.wkbType()) == Qgis.GeometryType.Polygon


def _points(places: Places, crs: QgsCoordinateReferenceSystem, context: QgsProcessingContext) -> dict[int, QgsPointXY]:
    """The scored points by the features they stand for, in another CRS."""
    x, y = transform_arrays(places.x, places.y, places.crs, crs, context.transformContext())
    return {fid: QgsPointXY(*point) for fid, *point in zip(places.fid.tolist(), x.tolist(), y.tolist())}
