"""Polygons as places in metres: one point inside each."""

from __future__ import annotations

from array import array

from qgis.core import (
    Qgis,
    QgsCoordinateReferenceSystem,
    QgsFeatureRequest,
    QgsGeometry,
    QgsPointXY,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeatureSource,
    QgsProcessingFeedback,
)

from .crs import tr
from .places import Places, make_unchecked_flag, require_crs


def find_inner_point(polygon: QgsGeometry) -> QgsPointXY | None:
    """Find the centroid, or a point on the surface where the centroid lies outside; None of a polygon without area."""
    centroid = polygon.centroid()
    if not centroid.isEmpty() and polygon.contains(centroid):
        return centroid.asPoint()
    inner = polygon.pointOnSurface()
    return None if inner.isEmpty() else inner.asPoint()


def read_inner_points(
    source: QgsProcessingFeatureSource,
    context: QgsProcessingContext,
    feedback: QgsProcessingFeedback,
    crs: QgsCoordinateReferenceSystem,
) -> Places:
    """A point inside each polygon, found in `crs`: so a layer gives the same places whatever CRS it comes in."""
    import numpy as np

    require_crs(source)
    request = QgsFeatureRequest().setNoAttributes().setDestinationCrs(crs, context.transformContext())
    xs, ys, fids = array("d"), array("d"), array("q")
    refused: list[tuple[int, str]] = []
    total = max(source.featureCount(), 1)
    for number, feature in enumerate(source.getFeatures(request, make_unchecked_flag())):
        if number % 1024 == 0:
            if feedback.isCanceled():
                raise QgsProcessingException(tr("Cancelled: nothing was written."))
            feedback.setProgress(20.0 * number / total)
        geometry = feature.geometry()
        point = None if geometry.isEmpty() else find_inner_point(geometry)
        if geometry.isEmpty():
            refused.append((feature.id(), tr("no geometry")))
        elif geometry.type() != Qgis.GeometryType.Polygon:
            refused.append((feature.id(), tr("not a polygon")))
        elif point is None or not (np.isfinite(point.x()) and np.isfinite(point.y())):
            refused.append((feature.id(), tr("a polygon without area")))
        else:
            xs.append(point.x())
            ys.append(point.y())
            fids.append(feature.id())
    return Places(np.asarray(xs), np.asarray(ys), np.asarray(fids), crs, refused)
