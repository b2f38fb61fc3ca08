"""Tools of the group Hotspot grids: incidents counted per time bin and cell, and what is selected before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Annotated, Any

from ..choices import AreaMethod, BinUnit, GapFilling, Gaps
from ..texts import tr
from .base import QGIS_ONLY, Limits, Output, Problem, Shown, Tool, Where
from .kinds import (
    Choice,
    Crs,
    FeatureIds,
    FileDestination,
    FolderDestination,
    LayerName,
    Polygons,
    Raster,
    RasterDestination,
    Text,
    VectorDestination,
)
from .shared import (
    ABOVE_ZERO,
    BIN_UNIT,
    CATEGORIES_SHOWN,
    CELLS,
    HOTSPOT_GRIDS,
    HTML,
    KEPT_HELP,
    KEPT_INCIDENTS,
    REFUSED_COUNT,
    WORKING_CRS,
    GridOfCells,
    ReadsIncidents,
    RefusesFeatures,
    WorksInMetres,
)


class RasterizeHotspots(GridOfCells, WorksInMetres, ReadsIncidents, RefusesFeatures):
    ID = "rasterizehotspots"
    JOB = "rasterize"
    TITLE = tr("Rasterize hotspot grids")
    GROUP = HOTSPOT_GRIDS
    TAGS = "heatmap,hotspot,grid,raster,time,bins,count,temporal"
    SUMMARY = tr("Counts incidents per cell and time bin into one raster, a band per bin.")
    HELP = tr("""
The raster plays in the Temporal Controller: every band carries the half-open time range of its bin. Cells
outside the study area are no data. Weeks start on Mondays, months on the first; the last bin may be incomplete.

Left empty, the cell size is a fiftieth of the shorter side of the extent, rounded, and is reported in the log.

With a folder for one stack a category, a raster is written for each category too, on the same grid and bins.
Incidents without a category are in a stack of their own, (no category).
""")
    PROGRESS = (20.0, 90.0)
    OUTPUTS = (
        Output("BINS", "bins", tr("Maps")),
        *CELLS,
        Output("COUNT", "counted", tr("Incidents counted")),
        Output("LEFT_OUT", "left_out", tr("Incidents outside grid, study area or period")),
        REFUSED_COUNT,
        Output("CATEGORY_COUNT", "category_count", tr("Categories written")),
    )

    categories: Annotated[
        list[str],
        Text(";", "Theft; Burglary"),
        CATEGORIES_SHOWN,
    ] = []
    bin_unit: Annotated[
        BinUnit,
        BIN_UNIT,
        Shown(
            tr("Time bin"),
            tr(
                "How long one map lasts. Automatic takes months where only the months of the incidents are known, else "
                "days. Bins finer than the times are refused."
            ),
        ),
    ] = "auto"
    bin_length: Annotated[
        int,
        Limits(1),
        Shown(tr("Units in a bin"), tr("For example 2 with Hours for two-hour maps.")),
    ] = 1
    binary: Annotated[
        bool,
        Shown(tr("Only whether there was any incident"), tr("1 for at least one incident, instead of their number.")),
    ] = False
    start: Annotated[datetime | None, Shown(tr("Start"), advanced=True)] = None
    end: Annotated[datetime | None, Shown(tr("End (not included)"), advanced=True)] = None
    source: Annotated[str, LayerName("incidents")] = ""
    output: Annotated[str, RasterDestination(style="heatmaps"), Shown(tr("Hotspot grids"))]
    per_category: Annotated[
        str | None,
        FolderDestination(created=False),
        Shown(
            tr("One stack a category"),
            tr(
                "A folder for one raster a category, named after it: further channels for a forecast. Needs the "
                "category field. Stacks of an earlier run are replaced. In a model a folder cannot go to Extra layers, "
                "which asks for layers: give the rasters there in a run of their own."
            ),
            name="STACKS",
        ),
    ] = None

    @classmethod
    def list_problems(cls, given: Mapping[str, Any]) -> Iterator[Problem]:
        """Yield categories without their field, which only Processing knows."""
        yield from super().list_problems(given)
        if "category_field" not in given or given["category_field"]:
            return
        for key in ("categories", "per_category"):
            if given.get(key):
                text = tr("is {value}, but {category_field} is empty. Choose the field that holds the categories.")
                yield Problem(key, f"{{{key}}} {text}")


class SelectStudyArea(WorksInMetres, ReadsIncidents, RefusesFeatures):
    ID = "selectstudyarea"
    JOB = "select_area"
    TITLE = tr("Select study area")
    GROUP = HOTSPOT_GRIDS
    TAGS = "study area,bounding box,extent,outliers,dense,polygon,data selection"
    SUMMARY = tr("Chooses the area whose incidents are dense enough to learn from, and says how many are left out.")
    HELP = tr("""
Smallest box by share: the box of fewest cells that holds at least the given share of the incidents. Rows and
columns by events (as published): the outer rows and columns of the grid are cut while they hold fewer incidents than
the threshold, the emptiest first. Polygons: any layer, as a city's outline.

The grid has about 32 cells along the longer side unless a cell size is given; where a few far places have made it
coarse it is laid anew over what remains.

Concave hull: the outline of the incidents, without those far from all others; several parts where the city has
islands, and no holes. Rasterize hotspot grids takes the same hull by itself where no study area is given, and a
backtest then draws it anew from the incidents before its first forecast; a layer that is given stays as it is.

Give the output to Rasterize hotspot grids as study area.
""")
    PROGRESS = (20.0, 90.0)
    OUTPUTS = (
        Output("COUNT", "incidents", tr("Incidents inside")),
        Output("LEFT_OUT", "left_out", tr("Incidents outside")),
        Output("AREA", "area_km2", tr("Area [km²]")),
        Output("CELL", "cell_size", tr("Cell size used")),
        REFUSED_COUNT,
        Output("EXTENT", "extent_text", tr("Extent of the study area"), "text"),
    )

    method: Annotated[
        AreaMethod,
        Choice(
            {
                "share": tr("Smallest box by share of the incidents"),
                "events": tr("Rows and columns by events (as published)"),
                "polygons": tr("Polygons"),
                "hull": tr("Concave hull of the incidents"),
            }
        ),
        Shown(tr("Method")),
    ] = "share"
    share: Annotated[
        float,
        Limits(0.01, 1),
        Shown(
            tr("Share of the incidents to keep"),
            tr("For the smallest box: at least so many per cent stay inside."),
            unit="%",
            percent=True,
            optional=True,
        ),
    ] = 0.95
    events: Annotated[
        int,
        Limits(1),
        Shown(
            tr("Events a row or column needs"),
            tr("For rows and columns: outer ones with fewer incidents are cut."),
            optional=True,
        ),
    ] = 10
    polygons: Annotated[
        list[dict[str, Any]] | None,
        Polygons(),
        Where("method", "polygons"),
        Shown(tr("Polygons"), tr("For the method of that name; in any CRS.")),
    ] = None
    cell_size: Annotated[
        float | None,
        ABOVE_ZERO,
        Shown(
            tr("Cell size"),
            tr("Of the rows and columns. Left empty it is chosen from the incidents and reported."),
            unit="m",
            advanced=True,
        ),
    ] = None
    ratio: Annotated[
        float,
        Limits(0, 1),
        Where("method", "hull"),
        Shown(
            tr("How concave the hull is"),
            tr("From 0, as tight as can be, to 1, convex. Few places make it less concave than asked."),
            advanced=True,
            optional=True,
        ),
    ] = 0.1
    buffer: Annotated[
        float | None,
        Limits(0),
        Where("method", "hull"),
        Shown(
            tr("Buffer of the hull"),
            tr("How far the hull is widened. Left empty it is chosen from how densely the places lie, and reported."),
            unit="m",
            advanced=True,
        ),
    ] = None
    output: Annotated[
        str,
        VectorDestination(
            "polygon",
            {
                "method": "text",
                "incidents": "long",
                "left_out": "long",
                "share": "real",
                "area_km2": "real",
                "cell_size": "real",
            },
            style="study_area",
        ),
        QGIS_ONLY,
        Shown(tr("Study area")),
    ]
    kept_incidents: Annotated[
        str | None, KEPT_INCIDENTS, QGIS_ONLY, Shown(tr("Incidents inside"), KEPT_HELP, name="INCIDENTS")
    ] = None
    kept: Annotated[str | None, FeatureIds("kept_incidents")] = None

    @classmethod
    def list_problems(cls, given: Mapping[str, Any]) -> Iterator[Problem]:
        """Yield a method of polygons without any."""
        yield from super().list_problems(given)
        if given.get("method") == "polygons" and not given.get("polygons"):
            yield Problem("polygons", tr("{polygons} is empty. Choose a polygon layer, or another {method}."))


class SelectPeriod(ReadsIncidents, RefusesFeatures):
    ID = "selectperiod"
    JOB = "select_period"
    TITLE = tr("Select period")
    GROUP = HOTSPOT_GRIDS
    TAGS = "period,time,months,monthly counts,data selection,start,end,chart"
    SUMMARY = tr("Finds the months in which enough incidents were recorded, and says how many are left out.")
    HELP = tr("""
A month is useful when it holds at least the given share of the median month (of those that hold any incident, without
a few old stragglers), or at least a number of incidents. The period is the longest run of consecutive useful months,
from the day of the first incident in the data to the day after the last. The report charts all months.

In a model, give Start and End to Rasterize hotspot grids.
""")
    PROGRESS = (20.0, 90.0)
    OUTPUTS = (
        Output("START", "start", tr("Start"), "text"),
        Output("END", "end", tr("End (not included)"), "text"),
        Output("COUNT", "incidents", tr("Incidents in the period")),
        Output("LEFT_OUT", "left_out", tr("Incidents outside the period")),
        Output("MONTHS", "chosen", tr("Months chosen")),
        Output("LIMIT", "limit", tr("Incidents a useful month holds at least")),
        REFUSED_COUNT,
    )

    crs: Annotated[str | None, Crs(working=True), QGIS_ONLY, WORKING_CRS] = None
    share: Annotated[
        float,
        Limits(0.01, 10),
        Shown(
            tr("Share of the median month"),
            tr("A month with fewer incidents is not useful."),
            unit="%",
            percent=True,
            optional=True,
        ),
    ] = 0.5
    least: Annotated[
        float | None,
        Limits(1),
        Shown(tr("Incidents a month needs"), tr("Instead of a share of the median month. Optional.")),
    ] = None
    report: Annotated[
        str | None,
        FileDestination(filter=HTML),
        Shown(tr("Report"), tr("The monthly counts as a chart and a table, the chosen months coloured.")),
    ] = None
    kept_incidents: Annotated[
        str | None, KEPT_INCIDENTS, QGIS_ONLY, Shown(tr("Incidents in the period"), KEPT_HELP, name="INCIDENTS")
    ] = None
    kept: Annotated[str | None, FeatureIds("kept_incidents")] = None


class FillHeatmapGaps(Tool):
    ID = "fillheatmapgaps"
    JOB = "fill_gaps"
    TITLE = tr("Fill heatmap gaps")
    GROUP = HOTSPOT_GRIDS
    TAGS = "heatmap,gaps,missing,interpolation,linear,carry forward,upsampling,fill"
    SUMMARY = tr(
        "Fills the maps of bins without incidents, and marks them so that no training takes them for observed."
    )
    HELP = tr("""
Carry forward repeats the last observed map and knows the past only. Linear (as published) draws a straight line from
the observed map before to the one after: a filled map then knows the next real one, which a forecast is to predict, so
figures of a forecast that reads it flatter. The log, the file's tags and the layer's metadata say so. None only marks.

Filled maps are marked in the file as not observed: no training has them as targets, no evaluation counts them. Maps
before the first observed one, and with linear after the last, stay as they are.
""")
    PROGRESS = (0.0, 100.0)
    OUTPUTS = (
        Output("BINS", "maps", tr("Maps")),
        Output("GAPS_FOUND", "gaps", tr("Gaps")),
        Output("OBSERVED", "observed", tr("Observed maps")),
    )

    heatmaps: Annotated[str, Raster(), Shown(tr("Hotspot grids"), name="INPUT")]
    method: Annotated[
        GapFilling,
        Choice(
            {
                "forward": tr("Carry forward (past only)"),
                "linear": tr("Linear (as published; looks ahead)"),
                "none": tr("None: only mark the gaps"),
            }
        ),
        Shown(tr("Method")),
    ] = "forward"
    gaps: Annotated[
        Gaps,
        Choice(
            {
                "empty": tr("Maps without any incident (as published)"),
                "unobserved": tr("Only maps already marked"),
            }
        ),
        Shown(
            tr("What is a gap"),
            tr(
                "In a place where most days have an incident, a map without any is likely one that nobody recorded; "
                "elsewhere it is a quiet day, and no gap."
            ),
        ),
    ] = "empty"
    output: Annotated[str, RasterDestination(style="heatmaps", abstract="note"), Shown(tr("Filled hotspot grids"))]


class BinarizeHeatmaps(Tool):
    ID = "binarizeheatmaps"
    JOB = "binarize"
    TITLE = tr("Binarize heatmaps")
    GROUP = HOTSPOT_GRIDS
    TAGS = "heatmap,binary,threshold,hotspot,classes"
    SUMMARY = tr("Turns hotspot grids into binary maps: 1 where a cell lies above a threshold, else 0.")
    HELP = tr("""
Strictly above: with the published threshold of 0.5 a cell is a hotspot when it holds at least one incident, and in a
map that was filled linearly between none and one, when it lies nearer to one. Which maps were observed, and whether
filled ones look ahead, stays marked.
""")
    PROGRESS = (0.0, 100.0)
    OUTPUTS = (
        Output("BINS", "maps", tr("Maps")),
        Output("HOTSPOTS", "hotspots", tr("Cells above the threshold")),
        Output("SHARE", "share", tr("Their share")),
    )

    heatmaps: Annotated[str, Raster(), Shown(tr("Hotspot grids"), name="INPUT")]
    threshold: Annotated[float, Limits(0), Shown(tr("Threshold"))] = 0.5
    output: Annotated[str, RasterDestination(style="heatmaps", abstract="note"), Shown(tr("Binary maps"))]
