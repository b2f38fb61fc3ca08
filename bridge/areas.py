"""Polygons and lines of a layer, written for the engine: to count in, or to name what lies in them."""

from __future__ import annotations

import json
from pathlib import Path

from qgis.core import (
    Qgis,
    QgsCoordinateReferenceSystem,
    QgsCsException,
    QgsFeatureRequest,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeatureSource,
    QgsProcessingFeedback,
    QgsWkbTypes,
)

from ..riskengine.contract.texts import list_names, show_name
from .crs import tr
from .places import make_unchecked_flag, require_crs

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


def write_units(
    source: QgsProcessingFeatureSource,
    id_field: str,
    name_field: str,
    crs: QgsCoordinateReferenceSystem,
    path: Path,
    context: QgsProcessingContext,
    feedback: QgsProcessingFeedback,
) -> None:
    """Write every row of a layer, with its id, its name and its geometry in `crs`, valid or not.

    See `riskengine.maps.unitlayer.read_units` for the file. Without a field of ids rows are called by the numbers of
    their features.

    Raises
    ------
    QgsProcessingException
        If the layer has no CRS or no such field, or cannot be brought to `crs`.
    """
    import numpy as np

    own = require_crs(source, polygons=True)
    if own != crs:
        feedback.pushInfo(
            tr("The areas are in {own} and are brought to {crs}.").format(
                own=own.authid() or own.description(), crs=crs.authid() or crs.description()
            )
        )
    positions = [_find_field(source, *each) for each in (("AREA_ID", id_field), ("AREA_NAME", name_field))]
    request = QgsFeatureRequest().setSubsetOfAttributes([each for each in positions if each >= 0])
    request.setDestinationCrs(crs, context.transformContext())
    columns: list[list[str]] = [[], []]
    fids: list[int] = []
    packed: list[bytes] = []
    try:
        for number, feature in enumerate(source.getFeatures(request, make_unchecked_flag())):
            if number % 1024 == 0 and feedback.isCanceled():
                raise QgsProcessingException(tr("Cancelled: nothing was written."))
            geometry = feature.geometry()
            if QgsWkbTypes.isCurvedType(geometry.wkbType()):
                geometry.convertToStraightSegment()
            fids.append(feature.id())
            packed.append(b"" if geometry.isEmpty() else bytes(geometry.asWkb()))
            for column, position in zip(columns, positions):
                column.append(_read_text(feature.attribute(position)) if position >= 0 else "")
    except QgsCsException as error:
        raise QgsProcessingException(
            tr("The areas cannot be brought to {crs}. Check the CRS of the layer {name}.").format(
                crs=crs.authid(), name=show_name(source.sourceName())
            )
        ) from error
    ids, names = columns
    np.savez(
        path,
        ids=np.array(ids if id_field else [str(fid) for fid in fids], dtype=np.str_),
        names=np.array(names, dtype=np.str_),
        fid=np.array(fids, dtype=np.int64),
        wkb=np.frombuffer(b"".join(packed), dtype=np.uint8),
        lengths=np.array([len(each) for each in packed], dtype=np.int64),
        source=np.array(source.sourceName()),
    )


def _find_field(source: QgsProcessingFeatureSource, parameter: str, name: str) -> int:
    """Find the number of a field; -1 where none is asked for."""
    position = source.fields().lookupField(name) if name else -1
    if name and position < 0:
        raise QgsProcessingException(
            tr("{parameter}: the layer has no field {name}. It has: {known}.").format(
                parameter=parameter,
                name=show_name(name),
                known=list_names([field.name() for field in source.fields()], 40),
            )
        )
    return int(position)


def _read_text(value: object) -> str:
    missing = value is None or (hasattr(value, "isNull") and value.isNull())
    return "" if missing else str(value).strip()
