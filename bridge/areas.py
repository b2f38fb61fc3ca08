"""Named polygons of a layer, written for the engine."""

from __future__ import annotations

import json
from pathlib import Path

from qgis.core import (
    Qgis,
    QgsCoordinateReferenceSystem,
    QgsFeatureRequest,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeatureSource,
)

from ..riskengine.contract.texts import list_names, show_name
from .crs import tr
from .places import require_crs

#: Decimals of a coordinate in metres.
_DECIMALS = 3


def write_areas(
    source: QgsProcessingFeatureSource,
    name_field: str,
    crs: QgsCoordinateReferenceSystem,
    path: Path,
    context: QgsProcessingContext,
) -> int:
    """Write the layer's polygons in `crs` as GeoJSON, each with its property ``name``; returns how many.

    A polygon without a name is called by its feature's number.

    Raises
    ------
    QgsProcessingException
        If the layer has no CRS, no polygon, or no such field.
    """
    require_crs(source, polygons=True)
    position = source.fields().lookupField(name_field)
    if position < 0:
        raise QgsProcessingException(
            tr("AREA_NAME: the layer has no field {name}. It has: {known}.").format(
                name=show_name(name_field) if name_field else "?",
                known=list_names([field.name() for field in source.fields()], 40),
            )
        )
    request = QgsFeatureRequest().setSubsetOfAttributes([position])
    request.setDestinationCrs(crs, context.transformContext())
    features = []
    for feature in source.getFeatures(request):
        geometry = feature.geometry()
        if geometry.isEmpty() or geometry.type() != Qgis.GeometryType.Polygon:
            continue
        value = feature.attribute(position)
        missing = value is None or (hasattr(value, "isNull") and value.isNull())
        name = tr("area {number}").format(number=feature.id()) if missing or str(value) == "" else str(value)
        shape = json.loads(geometry.asJson(_DECIMALS))
        features.append({"type": "Feature", "properties": {"name": name}, "geometry": shape})
    if not features:
        raise QgsProcessingException(
            tr(
                "The layer {name} has no polygon. Choose a polygon layer that covers the grids, or leave AREAS empty."
            ).format(name=show_name(source.sourceName()))
        )
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    return len(features)
