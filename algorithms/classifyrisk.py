"""Classify percentile risk: areas of polygons in square metres, whatever the raster's units."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from qgis.core import QgsCoordinateReferenceSystem, QgsDistanceArea, QgsFeature, QgsFields

from ..bridge.crs import is_metric
from ..riskengine.contract.tools.base import Parameter
from .tool_algorithm import ToolAlgorithm
from .values import Asked

_WGS84_ELLIPSOID = "EPSG:7030"


class Algorithm(ToolAlgorithm):
    """Classify percentile risk."""

    def rows_of(
        self, asked: Asked, parameter: Parameter, result: dict[str, Any]
    ) -> tuple[QgsFields, Any, QgsCoordinateReferenceSystem, Iterable[QgsFeature], int]:
        """The polygons, measured on the ellipsoid where the raster's own area is none in square metres."""
        fields, geometry, crs, rows, count = super().rows_of(asked, parameter, result)
        if crs.isValid() and not is_metric(crs):
            rows = _measured(rows, crs, asked)
        return fields, geometry, crs, rows, count


def _measured(rows: Iterable[QgsFeature], crs: QgsCoordinateReferenceSystem, asked: Asked) -> Iterator[QgsFeature]:
    ruler = QgsDistanceArea()
    ruler.setSourceCrs(crs, asked.context.transformContext())
    ruler.setEllipsoid(crs.ellipsoidAcronym() or _WGS84_ELLIPSOID)
    for row in rows:
        row["area_m2"] = ruler.measureArea(row.geometry())
        yield row
