"""Select study area: the area as a layer."""

from __future__ import annotations

from typing import Any

from qgis.core import Qgis, QgsGeometry, QgsRectangle

from ..bridge import layers
from ..riskengine.contract.texts import count_text
from ..riskengine.contract.tools.base import Parameter
from . import features
from .sinks import Rows, Table
from .tool_algorithm import ToolAlgorithm
from .values import Asked


class Algorithm(ToolAlgorithm):
    """Select study area."""

    def finish(self, asked: Asked, result: dict[str, Any]) -> dict[str, Any]:
        """Say how large the area is, and where."""
        polygons = asked.job["polygons"] if asked.job["method"] == "polygons" else result["hull"]
        area = layers.dissolve(polygons) if polygons else QgsGeometry.fromRect(QgsRectangle(*result["extent"]))
        area.convertToMultiType()
        self._area = area
        square_km = area.area() / 1e6
        box, code = area.boundingBox(), asked.crs.authid()
        corners = (box.xMinimum(), box.xMaximum(), box.yMinimum(), box.yMaximum())
        extent = ",".join(f"{corner:.3f}" for corner in corners) + (f" [{code}]" if code else "")
        asked.feedback.pushInfo(
            self.tr("Kept: {count} on {area} km².").format(
                count=count_text(result["incidents"], self.tr("incident"), self.tr("incidents")),
                area=f"{square_km:,.1f}",
            )
        )
        return super().finish(asked, {**result, "area_km2": square_km, "extent_text": extent})

    def rows_of(self, asked: Asked, parameter: Parameter, result: dict[str, Any]) -> Rows | Table:
        """The area itself, in the incidents' CRS."""
        if parameter.key != "output":
            return super().rows_of(asked, parameter, result)
        fields = features.fields_of(parameter.kind.fields)
        values = {**result, "method": asked.job["method"]}
        row = features.make_feature(fields, (values[name] for name in parameter.kind.fields), self._area)
        return Rows(fields, Qgis.WkbType.MultiPolygon, asked.crs, [row], 1)
