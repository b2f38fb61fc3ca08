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

from ..bridge.places import make_unchecked_flag
from ..bridge.temporal import to_wall_clock
from ..riskengine.contract.tools.kinds import Fields, VectorDestination

_TYPES = {
    "text": QMetaType.Type.QString,
    "integer": QMetaType.Type.Int,
    "long": QMetaType.Type.LongLong,
    "real": QMetaType.Type.Double,
    "datetime": QMetaType.Type.QDateTime,
}


def fields_of(fields: Fields) -> QgsFields:
    """Make the fields that a declaration names."""
    made = QgsFields()
    for name, kind in fields.items():
        made.append(QgsField(name, _TYPES[kind]))
    return made


def make_feature(fields: QgsFields, attributes: Iterable[Any], geometry: QgsGeometry | None = None) -> QgsFeature:
    """Make one feature."""
    made = QgsFeature(fields)
    if geometry is not None:
        made.setGeometry(geometry)
    made.setAttributes(list(attributes))
    return made


def read_rows(path: str, kind: VectorDestination, fields: QgsFields) -> tuple[Iterator[QgsFeature], int]:
    """Read the features of a job's JSON rows, and their number.

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
            values = (to_wall_clock(value) if time else value for value, time in zip(attributes, times))
            yield make_feature(fields, values, geometry)

    return made(), len(rows)


def select_rows(
    source: QgsProcessingFeatureSource, ids: str
) -> tuple[QgsFields, Any, QgsCoordinateReferenceSystem, Iterator[QgsFeature], int]:
    """Select the features of a layer that a job keeps, as a layer like the one they came from."""
    import numpy as np

    kept = set(np.load(ids).tolist())

    def made() -> Iterator[QgsFeature]:
        # Asked for by their ids, a provider would look up one after the other.
        for each in source.getFeatures(QgsFeatureRequest(), make_unchecked_flag()):
            if each.id() in kept:
                yield each

    return source.fields(), source.wkbType(), source.sourceCrs(), made(), len(kept)
