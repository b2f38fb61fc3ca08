"""Rasterize hotspot grids."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qgis.core import (
    QgsProcessing,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingOutputNumber,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterDateTime,
    QgsProcessingParameterEnum,
    QgsProcessingParameterExtent,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterFolderDestination,
    QgsProcessingParameterNumber,
    QgsProcessingParameterRasterDestination,
    QgsProcessingParameterString,
    QgsRasterLayer,
)

from ...bridge import layers, styles
from .. import date_order
from ..engine_algorithm import absolute
from ..incident_algorithm import IncidentAlgorithm
from . import stacks as stacked

UNITS = ("hours", "days", "weeks", "months")


class RasterizeHotspots(IncidentAlgorithm):
    ID = "rasterizehotspots"
    TITLE = "Rasterize hotspot grids"
    GROUP = "Hotspot grids"
    TAGS = "heatmap,hotspot,grid,raster,time,bins,count,temporal"
    SUMMARY = "Counts incidents per cell and time bin into one raster, a band per bin."
    HELP = """
The raster plays in the Temporal Controller: every band carries the half-open time range of its bin. Cells
outside the study area are no data. Weeks start on Mondays, months on the first; the last bin may be incomplete.

Left empty, the cell size is a fiftieth of the shorter side of the extent, rounded, and is reported in the log.

With a folder for one stack a category, a raster is written for each category too, on the same grid and bins.
"""

    def initAlgorithm(self, configuration: dict[str, Any] | None = None) -> None:
        whole, real = QgsProcessingParameterNumber.Type.Integer, QgsProcessingParameterNumber.Type.Double
        self.add_incident_parameters()
        self.add(
            QgsProcessingParameterString("CATEGORIES", self.tr("Categories"), optional=True),
            "Only these categories are counted; separate several by semicolons. By default all.",
        )
        self.add(
            QgsProcessingParameterExtent("EXTENT", self.tr("Extent"), optional=True),
            "By default that of the study area, or of the incidents.",
        )
        self.add(
            QgsProcessingParameterFeatureSource(
                "STUDY_AREA", self.tr("Study area"), [QgsProcessing.SourceType.TypeVectorPolygon], optional=True
            ),
            "Cells whose centre lies outside these polygons are no data.",
        )
        self.add(
            QgsProcessingParameterNumber("CELL_SIZE", self.tr("Cell size [m]"), real, None, True),
            "Left empty it is chosen from the extent and reported.",
        )
        self.add(
            QgsProcessingParameterNumber("COLUMNS", self.tr("Columns"), whole, None, True),
            "Number of cells from west to east, instead of a cell size.",
        )
        self.add(
            QgsProcessingParameterNumber("ROWS", self.tr("Rows"), whole, None, True),
            "Number of cells from north to south, instead of a cell size.",
        )
        self.add(
            QgsProcessingParameterEnum(
                "BIN_UNIT",
                self.tr("Time bin"),
                [self.tr("Hours"), self.tr("Days"), self.tr("Weeks"), self.tr("Months")],
                False,
                1,
            )
        )
        self.add(
            QgsProcessingParameterNumber("BIN_LENGTH", self.tr("Units in a bin"), whole, 1, False, 1),
            "For example 2 with Hours for two-hour maps.",
        )
        self.add(
            QgsProcessingParameterBoolean("BINARY", self.tr("Only whether there was any incident"), False),
            "1 for at least one incident, instead of their number.",
        )
        self.add(QgsProcessingParameterDateTime("START", self.tr("Start"), optional=True), advanced=True)
        self.add(QgsProcessingParameterDateTime("END", self.tr("End (not included)"), optional=True), advanced=True)
        self.add(QgsProcessingParameterRasterDestination("OUTPUT", self.tr("Hotspot grids")))
        self.add(
            QgsProcessingParameterFolderDestination(
                "STACKS", self.tr("One stack a category"), optional=True, createByDefault=False
            ),
            "A folder for one raster a category, named after it: further channels for a forecast. Needs the category "
            "field. Stacks of an earlier run are replaced. In a model a folder cannot go to Extra layers, which asks "
            "for layers: give the rasters there in a run of their own.",
        )
        self.add_refused_output()
        for name, title in (
            ("BINS", "Maps"),
            ("CELL", "Cell size used"),
            ("WIDTH", "Columns used"),
            ("HEIGHT", "Rows used"),
            ("COUNT", "Incidents counted"),
            ("LEFT_OUT", "Incidents outside grid, study area or period"),
            ("REFUSED_COUNT", "Refused features"),
            ("CATEGORY_COUNT", "Categories written"),
        ):
            self.addOutput(QgsProcessingOutputNumber(name, self.tr(title)))

    def checkParameterValues(self, parameters: dict[str, Any], context: QgsProcessingContext) -> tuple[bool, str]:
        """Refuse sizes that cannot work, in words."""
        fine, why = super().checkParameterValues(parameters, context)
        if not fine:
            return fine, why
        for name in ("CELL_SIZE", "COLUMNS", "ROWS"):
            if parameters.get(name) is not None and not self.parameterAsDouble(parameters, name, context) > 0:
                return False, self.tr(
                    "{name} is {value}; it must be greater than 0, or empty for an automatic choice."
                ).format(name=name, value=parameters[name])
        if not self.parameterAsString(parameters, "CATEGORY_FIELD", context):
            for name in ("CATEGORIES", "STACKS"):
                if parameters.get(name):
                    return False, self.tr(
                        "{name} is {value}, but CATEGORY_FIELD is empty. Choose the field that holds the categories."
                    ).format(name=name, value=parameters[name])
        return True, ""

    def compute(
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback, folder: Path
    ) -> dict[str, Any]:
        output = self.raster_destination(parameters, "OUTPUT", context)
        # Written where a failure leaves nothing, and brought to its place when all is there.
        target = absolute(self.parameterAsString(parameters, "STACKS", context))
        stacks = folder / "stacks" if target else None
        places = self.read_incidents(parameters, context, feedback, folder)
        area = self.parameterAsSource(parameters, "STUDY_AREA", context)
        rectangle = self.parameterAsExtent(parameters, "EXTENT", context)
        polygons, extent = (None, None) if area is None else layers.read_polygons(area, places.crs, context)
        if not rectangle.isNull():
            given = self.parameterAsExtentCrs(parameters, "EXTENT", context)
            extent = layers.extent_in(rectangle, given, places.crs, context)
        wanted = self.parameterAsString(parameters, "CATEGORIES", context)
        result = self.run_job(
            "rasterize",
            {
                "incidents": str(folder / "incidents.npz"),
                "output": output,
                "crs": places.crs.authid() or places.crs.toWkt(),
                "extent": extent,
                "polygons": polygons,
                "cell_size": self.optional_number(parameters, "CELL_SIZE", context),
                "columns": self.optional_number(parameters, "COLUMNS", context),
                "rows": self.optional_number(parameters, "ROWS", context),
                "date_order": date_order.chosen(self, parameters, context),
                "bin_unit": UNITS[self.parameterAsEnum(parameters, "BIN_UNIT", context)],
                "bin_length": self.parameterAsInt(parameters, "BIN_LENGTH", context),
                "binary": self.parameterAsBoolean(parameters, "BINARY", context),
                "categories": [name.strip() for name in wanted.split(";") if name.strip()],
                "start": self._moment(parameters, "START", context),
                "end": self._moment(parameters, "END", context),
                "per_category": str(stacks) if stacks else None,
            },
            feedback,
            [output],
        )
        self.style_output(
            output, "Hotspot grids", lambda layer: styles.heatmaps(layer, result["highest"], result["edges"])
        )
        found = {
            "OUTPUT": output,
            "BINS": result["bins"],
            "CELL": result["cell_size"],
            "WIDTH": result["columns"],
            "HEIGHT": result["rows"],
            "COUNT": result["counted"],
            "LEFT_OUT": result["left_out"],
            "CATEGORY_COUNT": len(result["categories"]),
            **self.finish_refused(parameters, context, feedback, places, result),
        }
        if stacks:
            self._bring(stacks, Path(target), output, result, feedback)
            found["STACKS"] = target
        return found

    def _bring(
        self, stacks: Path, target: Path, output: str, result: dict[str, Any], feedback: QgsProcessingFeedback
    ) -> None:
        """Move the stacks to the folder asked for, each with its style and history beside it."""
        replaced = stacked.bring(stacks, target, [entry["file"] for entry in result["categories"]], output)
        if replaced:
            feedback.pushInfo(self.tr("Replaced in {folder}: {names}").format(folder=target, names=", ".join(replaced)))
        for entry in result["categories"]:
            feedback.pushInfo(
                self.tr("{category}: {count} incidents in {file}").format(
                    category=entry["category"], count=f"{entry['counted']:,}", file=entry["file"]
                )
            )
            layer = QgsRasterLayer(str(target / entry["file"]), entry["category"])
            styles.heatmaps(layer, entry["highest"], result["edges"])
            styles.remember(layer, entry["category"], f"{self.displayName()} (crimerisk:{self.ID})")

    def _moment(self, parameters: dict[str, Any], name: str, context: QgsProcessingContext) -> str | None:
        when = self.parameterAsDateTime(parameters, name, context)
        return when.toString("yyyy-MM-ddTHH:mm:ss") if when.isValid() else None
