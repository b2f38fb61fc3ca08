"""The rows of the layer that is appended to, written for the engine to tell which of an import are there already."""

from __future__ import annotations

import csv
import json
from pathlib import Path

from qgis.core import (
    QgsFeatureRequest,
    QgsProcessingException,
    QgsProcessingOutputLayerDefinition,
    QgsProcessingUtils,
    QgsProperty,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QDate, QDateTime

from ..bridge.crs import tr
from .values import Asked

_TIME = "occurred"
_STEP = 2000


def write_known_rows(asked: Asked, name: str, path: Path) -> str | None:
    """Write place and attributes of the rows of the layer that an output is appended to, as a CSV.

    Its first line holds the layer's CRS, the second names x, y and the fields as the import calls them.

    Returns
    -------
    str or None
        The path; None if the layer keeps no time by which a row could be told.

    Raises
    ------
    QgsProcessingException
        If there is no such layer, or on cancel.
    """
    definition = asked.parameters[name]
    assert isinstance(definition, QgsProcessingOutputLayerDefinition)
    text = definition.sink.staticValue()
    layer = QgsProcessingUtils.mapLayerFromString(str(text), asked.context)
    if not isinstance(layer, QgsVectorLayer):
        raise QgsProcessingException(
            tr("{name}: there is no layer {layer} to append to. Choose one that QGIS can open.").format(
                name=name, layer=text
            )
        )
    fields = {
        source: layer.fields().indexOf(target)
        for target, value in definition.remappingDefinition().fieldMap().items()
        if (source := _find_source(value)) and layer.fields().indexOf(target) >= 0
    }
    if _TIME not in fields:
        asked.feedback.pushWarning(
            tr("No field of {layer} gets {field}, so rows that it has already cannot be told and are appended.").format(
                layer=layer.name(), field=_TIME
            )
        )
        return None
    crs = layer.crs()
    with path.open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file)
        lines.writerow([json.dumps({"crs": crs.authid() or crs.toWkt()})])
        lines.writerow(["x", "y", *fields])
        request = QgsFeatureRequest().setSubsetOfAttributes(list(fields.values()))
        for number, feature in enumerate(layer.getFeatures(request)):
            if number % _STEP == 0 and asked.feedback.isCanceled():
                raise QgsProcessingException(tr("Cancelled: nothing was written."))
            if feature.geometry().isEmpty():
                continue
            point = feature.geometry().asPoint()
            values = feature.attributes()
            lines.writerow([repr(point.x()), repr(point.y()), *(_format(values[index]) for index in fields.values())])
    return str(path)


def _find_source(value: QgsProperty) -> str:
    """The field of the import that a field of the layer is filled with; empty for anything but one field."""
    if value.propertyType() == QgsProperty.Type.FieldBasedProperty:
        return value.field()
    text = value.expressionString() if value.propertyType() == QgsProperty.Type.ExpressionBasedProperty else ""
    return text[1:-1].replace('""', '"') if len(text) > 2 and text[0] == text[-1] == '"' else ""


def _format(value: object) -> str:
    if isinstance(value, QDateTime):
        return str(value.toString("yyyy-MM-ddTHH:mm:ss"))
    if isinstance(value, QDate):
        return str(value.toString("yyyy-MM-dd"))
    # QGIS has a NULL of its own.
    return "" if value is None or (hasattr(value, "isNull") and value.isNull()) else str(value)
