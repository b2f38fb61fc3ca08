"""Select study area."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qgis.core import (
    Qgis,
    QgsFeature,
    QgsField,
    QgsFields,
    QgsGeometry,
    QgsProcessing,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingOutputNumber,
    QgsProcessingOutputString,
    QgsProcessingParameterEnum,
    QgsProcessingParameterFeatureSink,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterNumber,
    QgsRectangle,
)
from qgis.PyQt.QtCore import QMetaType

from ...bridge import layers, styles
from .. import date_order
from ..incident_algorithm import IncidentAlgorithm
from . import inside

METHODS = ("share", "events", "polygons")
FIELDS = (
    ("method", QMetaType.Type.QString),
    ("incidents", QMetaType.Type.LongLong),
    ("left_out", QMetaType.Type.LongLong),
    ("share", QMetaType.Type.Double),
    ("area_km2", QMetaType.Type.Double),
    ("cell_size", QMetaType.Type.Double),
)


class SelectStudyArea(IncidentAlgorithm):
    ID = "selectstudyarea"
    TITLE = "Select study area"
    GROUP = "Hotspot grids"
    TAGS = "study area,bounding box,extent,outliers,dense,polygon,data selection"
    SUMMARY = "Chooses the area whose incidents are dense enough to learn from, and says how many are left out."
    HELP = """
Smallest box by share: the box of fewest cells that holds at least the given share of the incidents. Rows and
columns by events (as published): the outer rows and columns of the grid are cut while they hold fewer incidents than
the threshold, the emptiest first. Polygons: any layer, as a city's outline.

The grid has about 32 cells along the longer side unless a cell size is given; where a few far places have made it
coarse it is laid anew over what remains. Give the output to Rasterize hotspot grids as study area.
"""

    def initAlgorithm(self, configuration: dict[str, Any] | None = None) -> None:
        whole, real = QgsProcessingParameterNumber.Type.Integer, QgsProcessingParameterNumber.Type.Double
        self.add_incident_parameters()
        self.add(
            QgsProcessingParameterEnum(
                "METHOD",
                self.tr("Method"),
                [
                    self.tr("Smallest box by share of the incidents"),
                    self.tr("Rows and columns by events (as published)"),
                    self.tr("Polygons"),
                ],
                False,
                0,
            )
        )
        self.add(
            QgsProcessingParameterNumber(
                "SHARE", self.tr("Share of the incidents to keep [%]"), real, 95, True, 1, 100
            ),
            "For the smallest box: at least so many per cent stay inside.",
        )
        self.add(
            QgsProcessingParameterNumber("EVENTS", self.tr("Events a row or column needs"), whole, 10, True, 1),
            "For rows and columns: outer ones with fewer incidents are cut.",
        )
        self.add(
            QgsProcessingParameterFeatureSource(
                "POLYGONS", self.tr("Polygons"), [QgsProcessing.SourceType.TypeVectorPolygon], optional=True
            ),
            "For the method of that name; in any CRS.",
        )
        self.add(
            QgsProcessingParameterNumber("CELL_SIZE", self.tr("Cell size [m]"), real, None, True),
            "Of the rows and columns. Left empty it is chosen from the incidents and reported.",
            advanced=True,
        )
        self.add(
            QgsProcessingParameterFeatureSink(
                "OUTPUT", self.tr("Study area"), QgsProcessing.SourceType.TypeVectorPolygon
            )
        )
        inside.add_output(self, self.tr("Incidents inside"))
        self.add_refused_output()
        for name, title in (
            ("COUNT", "Incidents inside"),
            ("LEFT_OUT", "Incidents outside"),
            ("AREA", "Area [km²]"),
            ("CELL", "Cell size used"),
            ("REFUSED_COUNT", "Refused features"),
        ):
            self.addOutput(QgsProcessingOutputNumber(name, self.tr(title)))
        self.addOutput(QgsProcessingOutputString("EXTENT", self.tr("Extent of the study area")))

    def _no_polygons(self) -> str:
        return self.tr("POLYGONS is empty. Choose a polygon layer, or another METHOD.")

    def checkParameterValues(self, parameters: dict[str, Any], context: QgsProcessingContext) -> tuple[bool, str]:
        """Refuse a method that lacks what it needs, in words."""
        fine, why = super().checkParameterValues(parameters, context)
        if not fine:
            return fine, why
        polygons = METHODS[self.parameterAsEnum(parameters, "METHOD", context)] == "polygons"
        if polygons and self.parameterAsSource(parameters, "POLYGONS", context) is None:
            return False, self._no_polygons()
        cell = self.optional_number(parameters, "CELL_SIZE", context)
        if cell is not None and not cell > 0:
            return False, self.tr(
                "{name} is {value}; it must be greater than 0, or empty for an automatic choice."
            ).format(name="CELL_SIZE", value=parameters["CELL_SIZE"])
        return True, ""

    def compute(
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback, folder: Path
    ) -> dict[str, Any]:
        method = METHODS[self.parameterAsEnum(parameters, "METHOD", context)]
        places = self.read_incidents(parameters, context, feedback, folder)
        polygons = None
        if method == "polygons":
            source = self.parameterAsSource(parameters, "POLYGONS", context)
            if source is None:
                raise QgsProcessingException(self._no_polygons())
            polygons, _ = layers.read_polygons(source, places.crs, context)
        ids = inside.file_of_ids(parameters, folder)
        given: dict[str, Any] = {
            "incidents": str(folder / "incidents.npz"),
            "crs": places.crs.authid() or places.crs.toWkt(),
            "method": method,
            "polygons": polygons,
            "cell_size": self.optional_number(parameters, "CELL_SIZE", context),
            "date_order": date_order.chosen(self, parameters, context),
            "kept": ids,
        }
        share, events = (self.optional_number(parameters, name, context) for name in ("SHARE", "EVENTS"))
        if share is not None:
            given["share"] = share / 100
        if events is not None:
            given["events"] = int(events)
        result = self.run_job("select_area", given, feedback)
        area = layers.dissolved(polygons) if polygons else QgsGeometry.fromRect(QgsRectangle(*result["extent"]))
        area.convertToMultiType()
        square_km = area.area() / 1e6
        fields = QgsFields()
        for name, kind in FIELDS:
            fields.append(QgsField(name, kind))
        feature = QgsFeature(fields)
        feature.setGeometry(area)
        cell = result["cell_size"]
        feature.setAttributes([method, result["incidents"], result["left_out"], result["share"], square_km, cell])
        output = self.write_layer(
            parameters, "OUTPUT", context, feedback, fields, Qgis.WkbType.MultiPolygon, places.crs, [feature], 1
        )
        feedback.pushInfo(
            self.tr("{count} incidents on {area} km² are kept").format(
                count=f"{result['incidents']:,}", area=f"{square_km:,.1f}"
            )
        )
        self.style_output(output, "Study area", styles.study_area)
        box = area.boundingBox()
        corners = (box.xMinimum(), box.xMaximum(), box.yMinimum(), box.yMaximum())
        code = places.crs.authid()
        return {
            "OUTPUT": output,
            "COUNT": result["incidents"],
            "LEFT_OUT": result["left_out"],
            "AREA": square_km,
            "CELL": cell,
            "EXTENT": ",".join(f"{corner:.3f}" for corner in corners) + (f" [{code}]" if code else ""),
            **inside.write(self, parameters, context, feedback, ids, "Incidents inside the study area"),
            **self.finish_refused(parameters, context, feedback, places, result),
        }
