"""The ways of an answer as a layer of the project."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsFeature, QgsField, QgsGeometry, QgsProject, QgsVectorLayer
from qgis.PyQt.QtCore import QMetaType

from ...bridge import styles
from ...bridge.crs import tr
from ...riskengine.contract.texts import show_name
from ...riskengine.contract.tools.saferoutes import ROUTE_FIELDS
from .route_bands import make_line
from .route_task import RouteAnswer

_TYPES = {"text": QMetaType.Type.QString, "integer": QMetaType.Type.Int, "real": QMetaType.Type.Double}
#: Letters of a layer's name.
_LONGEST = 80


def add_layer(answer: RouteAnswer) -> QgsVectorLayer:
    """Add a layer with all ways of an answer, styled as *Less exposed routes* does."""
    name = tr("Ways {places}").format(places=show_name(answer.name, _LONGEST))
    layer = QgsVectorLayer("LineString?crs=EPSG:4326", name, "memory")
    layer.dataProvider().addAttributes([QgsField(field, _TYPES[kind]) for field, kind in ROUTE_FIELDS.items()])
    layer.updateFields()
    features = []
    for rank, way in enumerate(answer.ways):
        feature = QgsFeature(layer.fields())
        feature.setGeometry(QgsGeometry.fromPolylineXY(make_line(way)))
        values: dict[str, Any] = {**way, "pair": answer.name, "rank": rank + 1, "exact": int(answer.result["exact"])}
        for field in ROUTE_FIELDS:
            feature.setAttribute(field, values[field])
        features.append(feature)
    layer.dataProvider().addFeatures(features)
    layer.updateExtents()
    styles.apply("routes", layer, answer.result)
    QgsProject.instance().addMapLayer(layer)
    return layer
