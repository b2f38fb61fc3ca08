"""What the algorithms share that score places: the layer's own features, or a grid of points, with their scores."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from qgis.core import (
    Qgis,
    QgsCoordinateReferenceSystem,
    QgsFeature,
    QgsFeatureRequest,
    QgsFields,
    QgsGeometry,
    QgsPointXY,
    QgsProcessingFeatureSource,
    QgsProcessingUtils,
)

from ..bridge.places import make_unchecked_flag
from ..riskengine.contract.tools.base import Parameter
from . import features
from .tool_algorithm import ToolAlgorithm
from .values import Asked


class ScoringAlgorithm(ToolAlgorithm):
    """An algorithm that adds scores to the features of a layer, or to a grid of points."""

    def finish(self, asked: Asked, result: dict[str, Any]) -> dict[str, Any]:
        """Report the features that are no places."""
        if asked.places is not None:
            total = len(asked.places.x) + len(asked.places.refused)
            self.report_refused(asked.places.refused, total, asked.feedback)
        return super().finish(asked, result)

    def rows_of(
        self, asked: Asked, parameter: Parameter, result: dict[str, Any]
    ) -> tuple[QgsFields, Any, QgsCoordinateReferenceSystem, Iterable[QgsFeature], int]:
        """The features with their scores; those that could not be scored keep NULLs, so that none is lost."""
        fields = features.fields_of(parameter.kind.fields)
        x, y, *scores = _columns(asked.job["output"], ("x", "y", *parameter.kind.fields))
        if asked.source is None or asked.places is None:
            rows = (
                features.make_feature(fields, values, QgsGeometry.fromPointXY(QgsPointXY(*place)))
                for place, values in zip(zip(x, y), zip(*scores))
            )
            return fields, Qgis.WkbType.Point, asked.crs, rows, len(x)
        source = asked.source
        fields = QgsProcessingUtils.combineFields(source.fields(), fields)
        by_feature = dict(zip(asked.places.fid.tolist(), zip(*scores)))
        points = self.points_of(asked)
        rows = _scored(source, fields, by_feature, points)
        kind = source.wkbType() if points is None else Qgis.WkbType.Point
        return fields, kind, source.sourceCrs(), rows, source.featureCount()

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
