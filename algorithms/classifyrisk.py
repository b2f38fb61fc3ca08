"""Classify percentile risk: areas of polygons in square metres, whatever the raster's units."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from qgis.core import QgsDistanceArea, QgsFeature, QgsVectorLayer

from ..bridge.crs import WGS84_ELLIPSOID, is_metric
from ..riskengine.contract.tools.base import Parameter
from .sinks import Rows, Table
from .tool_algorithm import ToolAlgorithm
from .values import Asked


class Algorithm(ToolAlgorithm):
    """Classify percentile risk."""

    def rows_of(self, asked: Asked, parameter: Parameter, result: dict[str, Any]) -> Rows | Table:
        """The polygons, measured on the ellipsoid where the raster's own area is none in square metres."""
        table = super().rows_of(asked, parameter, result)
        if not isinstance(table, Table) or not asked.crs.isValid() or is_metric(asked.crs):
            return table
        layer = table.open()
        return Rows(layer.fields(), layer.wkbType(), asked.crs, _measured(layer, asked), layer.featureCount())


def _measured(layer: QgsVectorLayer, asked: Asked) -> Iterator[QgsFeature]:
    ruler = QgsDistanceArea()
    ruler.setSourceCrs(asked.crs, asked.context.transformContext())
    ruler.setEllipsoid(asked.crs.ellipsoidAcronym() or WGS84_ELLIPSOID)
    for row in layer.getFeatures():
        row["area_m2"] = ruler.measureArea(row.geometry())
        yield row
