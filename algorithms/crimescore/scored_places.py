"""What the algorithms share that score places: reading them, and writing them with their scores."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsFeature,
    QgsFeatureRequest,
    QgsField,
    QgsFields,
    QgsGeometry,
    QgsPointXY,
    QgsProcessingAlgorithm,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeatureSource,
)

from ...bridge import layers
from ...bridge.crs import tr
from ...bridge.places import Places, no_validity_check

#: Names and types of the fields that scores are written to.
Columns = Sequence[tuple[str, Any]]


def require_places(places: Places, source: QgsProcessingFeatureSource) -> None:
    """Refuse a layer of which nothing is left to score."""
    if not len(places.x):
        raise QgsProcessingException(
            tr("The layer {name} has no point to score ({why}).").format(
                name=source.sourceName(), why=layers.reasons_text(places.refused) or tr("no features")
            )
        )


def area(
    algorithm: QgsProcessingAlgorithm,
    parameters: dict[str, Any],
    context: QgsProcessingContext,
    crs: QgsCoordinateReferenceSystem,
    polygons_name: str,
) -> dict[str, Any]:
    """``polygons`` and ``extent`` of the engine's jobs, in its CRS, as far as they were given."""
    found: dict[str, Any] = {}
    polygons = algorithm.parameterAsSource(parameters, polygons_name, context)
    if polygons is None and parameters.get(polygons_name) is not None:
        raise QgsProcessingException(algorithm.invalidSourceError(parameters, polygons_name))
    if polygons is not None:
        found["polygons"], found["extent"] = layers.read_polygons(polygons, crs, context)
    rectangle = algorithm.parameterAsExtent(parameters, "EXTENT", context)
    if not rectangle.isNull():
        given = algorithm.parameterAsExtentCrs(parameters, "EXTENT", context)
        found["extent"] = layers.extent_in(rectangle, given, crs, context)
    return found


def reference_time(
    algorithm: QgsProcessingAlgorithm, parameters: dict[str, Any], context: QgsProcessingContext
) -> str | None:
    """REFERENCE_TIME as the engine reads it; None if it was left empty."""
    when = algorithm.parameterAsDateTime(parameters, "REFERENCE_TIME", context)
    return when.toString("yyyy-MM-ddTHH:mm:ss") if when.isValid() else None


def score_fields(columns: Columns) -> QgsFields:
    """The fields of scores."""
    fields = QgsFields()
    for name, kind in columns:
        fields.append(QgsField(name, kind))
    return fields


def grid_features(fields: QgsFields, columns: list[list[Any]]) -> Iterator[QgsFeature]:
    """Points with their scores; `columns` are x, y and the scores."""
    for x, y, *scores in zip(*columns):
        feature = QgsFeature(fields)
        feature.setGeometry(QgsGeometry.fromPointXY(QgsPointXY(x, y)))
        feature.setAttributes(scores)
        yield feature


def scored_features(
    source: QgsProcessingFeatureSource,
    fields: QgsFields,
    scores: dict[int, tuple[Any, ...]],
    points: dict[int, QgsPointXY] | None = None,
) -> Iterator[QgsFeature]:
    """The source's features with their scores; those that could not be scored keep NULLs, so that none is lost.

    With `points` they stand in the place of the geometries.
    """
    missing = (None,) * (fields.count() - source.fields().count())
    for feature in source.getFeatures(QgsFeatureRequest(), no_validity_check()):
        scored = QgsFeature(fields)
        if points is None:
            scored.setGeometry(feature.geometry())
        elif feature.id() in points:
            scored.setGeometry(QgsGeometry.fromPointXY(points[feature.id()]))
        scored.setAttributes([*feature.attributes(), *scores.get(feature.id(), missing)])
        yield scored
