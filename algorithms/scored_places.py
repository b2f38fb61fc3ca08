"""What the algorithms share that score places: the layer's own features, or a grid of points, with their scores."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from qgis.core import (
    Qgis,
    QgsDistanceArea,
    QgsFeature,
    QgsFeatureRequest,
    QgsFields,
    QgsGeometry,
    QgsPointXY,
    QgsProcessingContext,
    QgsProcessingFeatureSource,
    QgsProcessingUtils,
)

from ..bridge.crs import WGS84_ELLIPSOID
from ..bridge.places import make_unchecked_flag
from ..riskengine.contract.tools.base import Parameter, parameters_of
from ..riskengine.contract.tools.refusals import describe_too_many_points, round_spacing_up
from . import features
from .sinks import Rows, Table
from .texts import translate
from .tool_algorithm import ToolAlgorithm
from .values import Asked


class ScoringAlgorithm(ToolAlgorithm):
    """An algorithm that adds scores to the features of a layer, or to a grid of points."""

    def checkParameterValues(self, parameters: dict[str, Any], context: QgsProcessingContext) -> tuple[bool, str]:
        """Refuse a box of too many points before the index is read: what only the job can count, it refuses itself."""
        fine, why = super().checkParameterValues(parameters, context)
        if fine:
            why = self._describe_too_many_points(parameters, context)
        return not why, why

    def _describe_too_many_points(self, parameters: dict[str, Any], context: QgsProcessingContext) -> str:
        by_key = {each.key: each.name for each in parameters_of(self.tool)}
        box = self.parameterAsExtent(parameters, by_key["extent"], context)
        if any(parameters.get(by_key[key]) for key in ("points", "polygons")) or box.isNull():
            return ""
        ruler = QgsDistanceArea()
        ruler.setSourceCrs(self.parameterAsExtentCrs(parameters, by_key["extent"], context), context.transformContext())
        ruler.setEllipsoid(WGS84_ELLIPSOID)
        # The ground that it covers: no grid over the box has fewer points.
        area = ruler.measureArea(QgsGeometry.fromRect(box))
        spacing = self.parameterAsDouble(parameters, by_key["spacing"], context)
        most = self.parameterAsInt(parameters, by_key["most_points"], context)
        points = area / spacing / spacing
        if points <= most:
            return ""
        # A grid's outline is longer than the box's.
        wider = round_spacing_up((area / (0.9 * most)) ** 0.5)
        about = describe_too_many_points(spacing, points, most, (wider, area / wider**2), False, translate)
        return " ".join(f"{sentence}." for sentence in about)

    def finish(self, asked: Asked, result: dict[str, Any]) -> dict[str, Any]:
        """Report the features that are no places."""
        if asked.places is not None:
            total = len(asked.places.x) + len(asked.places.refused)
            self.report_refused(asked.places.refused, total, asked.feedback)
        return super().finish(asked, result)

    def prepare(self, asked: Asked) -> dict[str, Any]:
        """Have the engine write the layer where it can read the places' attributes itself, and for a grid."""
        job = super().prepare(asked)
        if asked.source is None:
            return job
        file = asked.find_file(asked.find_parameter("points")) if self.points_of(asked) is None else None
        if file is None:
            job["layer"] = None
            return job
        fields = QgsProcessingUtils.combineFields(asked.source.fields(), self._own_fields(asked))
        names = fields.names()[asked.source.fields().count() :]
        return {**job, "attributes": str(file.path), "attributes_table": file.table, "score_fields": names}

    def rows_of(self, asked: Asked, parameter: Parameter, result: dict[str, Any]) -> Rows | Table:
        """The features with their scores; those that could not be scored keep NULLs, so that none is lost."""
        if result["layer"] is not None:
            return Table(Path(result["layer"]))
        assert asked.source is not None
        assert asked.places is not None
        source = asked.source
        fields = QgsProcessingUtils.combineFields(source.fields(), self._own_fields(asked))
        by_feature = dict(zip(asked.places.fid.tolist(), zip(*_columns(asked.job["output"], parameter.kind.fields))))
        points = self.points_of(asked)
        rows = _scored(source, fields, by_feature, points)
        kind = source.wkbType() if points is None else Qgis.WkbType.Point
        return Rows(fields, kind, source.sourceCrs(), rows, source.featureCount())

    @staticmethod
    def _own_fields(asked: Asked) -> QgsFields:
        return features.fields_of(asked.find_parameter("layer").kind.fields)

    def points_of(self, asked: Asked) -> dict[int, QgsPointXY] | None:
        """Points that stand in the place of the features' own geometries, by their ids."""
        return None


def spacing_of(asked: Asked) -> float | None:
    """Read the distance between the points of the grid; None where there is none."""
    grid = asked.job.get("grid")
    return float(grid["spacing"]) if grid else None


def _columns(path: str, names: Iterable[str]) -> list[list[Any]]:
    import numpy as np

    with np.load(Path(path), allow_pickle=False) as file:
        # Only numbers that are none take the slow way.
        return [
            values.tolist()
            if values.dtype.kind != "f" or np.isfinite(values).all()
            else np.where(np.isfinite(values), values.astype(object), None).tolist()
            for values in (file[name] for name in names)
        ]


def _scored(
    source: QgsProcessingFeatureSource,
    fields: QgsFields,
    scores: dict[int, tuple[Any, ...]],
    points: dict[int, QgsPointXY] | None,
) -> Iterator[QgsFeature]:
    missing = (None,) * (fields.count() - source.fields().count())
    for feature in source.getFeatures(QgsFeatureRequest(), make_unchecked_flag()):
        scored = QgsFeature(fields)
        if points is None:
            scored.setGeometry(feature.geometry())
        elif feature.id() in points:
            scored.setGeometry(QgsGeometry.fromPointXY(points[feature.id()]))
        scored.setAttributes([*feature.attributes(), *scores.get(feature.id(), missing)])
        yield scored
