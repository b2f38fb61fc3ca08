"""Features of the layers that algorithms write, from what the job has left in the exchange folder."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsFeature,
    QgsFeatureRequest,
    QgsField,
    QgsFields,
    QgsGeometry,
    QgsJsonUtils,
    QgsPointXY,
    QgsProcessingFeatureSource,
)
from qgis.PyQt.QtCore import QMetaType

from ..bridge.places import no_validity_check
from ..bridge.temporal import wall_clock
from ..riskengine.contract.tools.kinds import Fields, VectorDestination

_TYPES = {
    "text": QMetaType.Type.QString,
    "integer": QMetaType.Type.Int,
    "long": QMetaType.Type.LongLong,
    "real": QMetaType.Type.Double,
    "datetime": QMetaType.Type.QDateTime,
}


def fields_of(fields: Fields) -> QgsFields:
    """The fields that a declaration names."""
    made = QgsFields()
    for name, kind in fields.items():
        made.append(QgsField(name, _TYPES[kind]))
    return made


def feature(fields: QgsFields, attributes: Iterable[Any], geometry: QgsGeometry | None = None) -> QgsFeature:
    """One feature."""
    made = QgsFeature(fields)
    if geometry is not None:
        made.setGeometry(geometry)
    made.setAttributes(list(attributes))
    return made


def exchanged_rows(path: str, kind: VectorDestination, fields: QgsFields) -> tuple[Iterator[QgsFeature], int]:
    """The features of a job's JSON rows, and their number.

    A row of points is x, y and the attributes; one of polygons a GeoJSON geometry and the attributes.
    """
    rows = json.loads(Path(path).read_text(encoding="utf-8"))
    times = [kind == "datetime" for kind in kind.fields.values()]

    def made() -> Iterator[QgsFeature]:
        for row in rows:
            if kind.geometry == "point":
                geometry, attributes = QgsGeometry.fromPointXY(QgsPointXY(*row[:2])), row[2:]
            elif kind.geometry == "none":
                geometry, attributes = None, row
            else:
                geometry, attributes = QgsJsonUtils.geometryFromGeoJson(json.dumps(row[0])), row[1:]
            values = (wall_clock(value) if time else value for value, time in zip(attributes, times))
            yield feature(fields, values, geometry)

    return made(), len(rows)


def kept_rows(
    source: QgsProcessingFeatureSource, ids: str
) -> tuple[QgsFields, Any, QgsCoordinateReferenceSystem, Iterator[QgsFeature], int]:
    """The features of a layer that a job keeps, as a layer like the one they came from."""
    import numpy as np

    kept = set(np.load(ids).tolist())

    def made() -> Iterator[QgsFeature]:
        # Asked for by their ids, a provider would look up one after the other.
        for each in source.getFeatures(QgsFeatureRequest(), no_validity_check()):
            if each.id() in kept:
                yield each

    return source.fields(), source.wkbType(), source.sourceCrs(), made(), len(kept)
