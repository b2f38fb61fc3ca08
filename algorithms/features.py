"""Features of the layers that algorithms make themselves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from qgis.core import (
    QgsFeature,
    QgsFeatureRequest,
    QgsField,
    QgsFields,
    QgsGeometry,
    QgsProcessingFeatureSource,
)
from qgis.PyQt.QtCore import QMetaType

from ..bridge.places import make_unchecked_flag
from ..riskengine.contract.tools.kinds import Fields
from .sinks import Rows

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


def select_rows(source: QgsProcessingFeatureSource, ids: str) -> Rows:
    """Select the features of a layer that a job keeps, as a layer like the one they came from."""
    import numpy as np

    kept = set(np.load(ids).tolist())

    def made() -> Iterator[QgsFeature]:
        # Asked for by their ids, a provider would look up one after the other.
        for each in source.getFeatures(QgsFeatureRequest(), make_unchecked_flag()):
            if each.id() in kept:
                yield each

    return Rows(source.fields(), source.wkbType(), source.sourceCrs(), made(), len(kept))
