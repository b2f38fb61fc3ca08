"""Classify percentile risk."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from qgis.core import (
    Qgis,
    QgsCoordinateReferenceSystem,
    QgsDistanceArea,
    QgsFeature,
    QgsField,
    QgsFields,
    QgsJsonUtils,
    QgsProcessing,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingOutputString,
    QgsProcessingParameterEnum,
    QgsProcessingParameterFeatureSink,
    QgsProcessingParameterRasterDestination,
    QgsProcessingParameterRasterLayer,
    QgsProcessingParameterString,
)
from qgis.PyQt.QtCore import QMetaType

from ...bridge import styles
from ...bridge.crs import is_metric
from .. import refusals
from ..engine_algorithm import EngineAlgorithm, absolute

SCOPES = ("map", "stack")
METHODS = ("percentiles", "shares")
_WGS84_ELLIPSOID = "EPSG:7030"
FIELDS = (
    ("band", QMetaType.Type.Int),
    ("start", QMetaType.Type.QString),
    ("class", QMetaType.Type.Int),
    ("label", QMetaType.Type.QString),
    ("area_m2", QMetaType.Type.Double),
    ("mean_risk", QMetaType.Type.Double),
)


class ClassifyRisk(EngineAlgorithm):
    ID = "classifyrisk"
    TITLE = "Classify percentile risk"
    GROUP = "Risk"
    TAGS = "percentile,risk,classes,hotspot,threshold,legend,polygons"
    SUMMARY = "Turns a risk raster into classes, as a raster with a legend and, if wanted, as polygons."
    HELP = """
By percentiles a cell belongs to a class when its risk lies strictly above the class's percentile, so that a map
without differences has no hotspot. Percentiles are taken over the valid cells of each map, once over the whole stack
(so that quiet maps have fewer hotspots than busy ones), or over a reference raster.

By shares of the area the riskiest 1, 5, 10 and 20 % of the cells are flagged, exactly; of cells with equal risk the
first from north to south and west to east, which the log says. Works on any risk or density raster.
"""

    def initAlgorithm(self, configuration: dict[str, Any] | None = None) -> None:
        self.add(QgsProcessingParameterRasterLayer("INPUT", self.tr("Risk raster")))
        self.add(
            QgsProcessingParameterEnum(
                "METHOD",
                self.tr("Classes by"),
                [self.tr("Percentiles of the risk"), self.tr("Shares of the area")],
                False,
                0,
            ),
            "Percentiles leave a map without differences without a hotspot; shares always flag as much of the area as "
            "can be covered.",
        )
        self.add(
            QgsProcessingParameterString("PERCENTILES", self.tr("Percentiles"), "25, 75, 91, 96", optional=True),
            "Rising numbers between 0 and 100, separated by commas. The default is the published choice.",
        )
        self.add(
            QgsProcessingParameterString("SHARES", self.tr("Shares of the area [%]"), "1, 5, 10, 20", optional=True),
            "Rising numbers between 0 and 100, separated by commas: the riskiest 1 %, 5 % and so on of the cells.",
        )
        self.add(
            QgsProcessingParameterEnum(
                "OVER",
                self.tr("Percentiles or shares over"),
                [self.tr("Each map by itself"), self.tr("The whole stack")],
                False,
                0,
            )
        )
        self.add(
            QgsProcessingParameterRasterLayer("REFERENCE", self.tr("Reference for the percentiles"), optional=True),
            "A raster whose maps, all together, give the percentiles instead: for example a whole test prediction "
            "for a single new map, as published.",
        )
        self.add(QgsProcessingParameterRasterDestination("OUTPUT", self.tr("Risk classes")))
        self.add(
            QgsProcessingParameterFeatureSink(
                "POLYGONS",
                self.tr("Class polygons"),
                QgsProcessing.SourceType.TypeVectorPolygon,
                optional=True,
                createByDefault=False,
            ),
            "Connected cells of one class, with their area and mean risk.",
        )
        self.addOutput(QgsProcessingOutputString("THRESHOLDS", self.tr("Thresholds of the first map")))

    def _numbers(self, parameters: dict[str, Any], name: str, context: QgsProcessingContext) -> list[float] | None:
        text = self.parameterAsString(parameters, name, context).replace(";", ",")
        try:
            values = [float(part) for part in text.split(",") if part.strip()]
        except ValueError:
            return None
        return values if all(map(math.isfinite, values)) else None

    def _method(self, parameters: dict[str, Any], context: QgsProcessingContext) -> tuple[str, str]:
        """The engine's name of the method, and the parameter that holds its numbers."""
        method = METHODS[self.parameterAsEnum(parameters, "METHOD", context)]
        return method, method.upper()

    def _refusal(self, parameters: dict[str, Any], name: str) -> str:
        return self.tr("{name} is {value}; give rising numbers such as {example}.").format(
            name=name,
            value=parameters.get(name) or self.tr("empty"),
            example=self.parameterDefinition(name).defaultValue(),
        )

    def checkParameterValues(self, parameters: dict[str, Any], context: QgsProcessingContext) -> tuple[bool, str]:
        """Refuse limits that are not numbers, and a reference that cannot serve."""
        fine, why = super().checkParameterValues(parameters, context)
        if not fine:
            return fine, why
        method, name = self._method(parameters, context)
        if not self._numbers(parameters, name, context):
            return False, self._refusal(parameters, name)
        if method == "shares" and parameters.get("REFERENCE"):
            return False, self.tr(
                "REFERENCE is {value}, which gives percentiles, but METHOD is shares of the area. Leave REFERENCE "
                "empty, or choose percentiles."
            ).format(value=refusals.text(parameters["REFERENCE"]))
        return True, ""

    def compute(
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback, folder: Path
    ) -> dict[str, Any]:
        method, name = self._method(parameters, context)
        limits = self._numbers(parameters, name, context)
        if not limits:
            raise QgsProcessingException(self._refusal(parameters, name))
        layer = self.raster_input(parameters, "INPUT", context)
        reference = self.raster_input(parameters, "REFERENCE", context) if parameters.get("REFERENCE") else None
        output = self.raster_destination(parameters, "OUTPUT", context)
        polygons = folder / "polygons.json" if parameters.get("POLYGONS") is not None else None
        result = self.run_job(
            "classify",
            {
                "risk": absolute(layer.source()),
                "output": output,
                "method": method,
                method: limits,
                "over": SCOPES[self.parameterAsEnum(parameters, "OVER", context)],
                "reference": absolute(reference.source()) if reference else None,
                "polygons": str(polygons) if polygons else None,
            },
            feedback,
            [output],
            low=0.0,
        )
        labels = result["labels"]
        for label, cells in zip(labels, result["cells"]):
            feedback.pushInfo(self.tr("{label}: {cells} cells").format(label=label, cells=f"{cells:,}"))
        # What is said of the risk holds for its classes too.
        self.style_output(
            output,
            "Risk classes",
            lambda raster: styles.classes(raster, labels, result["edges"]),
            styles.abstract_of(layer),
        )
        found: dict[str, Any] = {
            "OUTPUT": output,
            "THRESHOLDS": ", ".join(f"{limit:.6g}" for limit in result["thresholds"][0] if limit is not None),
        }
        if polygons:
            crs = layer.crs()
            fields = QgsFields()
            for name, kind in FIELDS:
                fields.append(QgsField(name, kind))
            destination = self.write_layer(
                parameters,
                "POLYGONS",
                context,
                feedback,
                fields,
                Qgis.WkbType.Polygon,
                crs,
                _zones(polygons, fields, crs, context),
                result["polygons"],
            )
            self.style_output(destination, "Class polygons", lambda vector: styles.class_polygons(vector, labels))
            found["POLYGONS"] = destination
        return found


def _zones(
    path: Path, fields: QgsFields, crs: QgsCoordinateReferenceSystem, context: QgsProcessingContext
) -> Iterator[QgsFeature]:
    ruler = QgsDistanceArea()
    ruler.setSourceCrs(crs, context.transformContext())
    ruler.setEllipsoid(crs.ellipsoidAcronym() or _WGS84_ELLIPSOID)
    metric = is_metric(crs)
    for shape, band, start, risk_class, label, area, mean in json.loads(path.read_text(encoding="utf-8")):
        feature = QgsFeature(fields)
        geometry = QgsJsonUtils.geometryFromGeoJson(json.dumps(shape))
        feature.setGeometry(geometry)
        # In degrees, feet or Mercator's units the raster's own area is no area in square metres.
        square_metres = area if metric or not crs.isValid() else ruler.measureArea(geometry)
        feature.setAttributes([band, start, risk_class, label, square_metres, mean])
        yield feature
