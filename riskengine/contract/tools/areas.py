"""The tools of the group Areas: counts by polygons, squares, hexagons and street segments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Annotated, Any

from ..choices import AreaUnits, BinUnit
from ..texts import tr
from .base import QGIS_ONLY, Limits, Output, Problem, Shown
from .kinds import Choice, Field, LayerName, MapLayer, PanelDestination, Polygons, Text, Units
from .shared import (
    ABOVE_ZERO,
    AREAS,
    BIN_UNIT,
    CATEGORIES_SHOWN,
    REFUSED_COUNT,
    ReadsIncidents,
    RefusesFeatures,
    WorksInMetres,
)

#: Bins after which counts are known: more than a century of months is a mistake.
DELAY = Limits(0, 1000)


class CountAreas(WorksInMetres, ReadsIncidents, RefusesFeatures):
    ID = "countareas"
    JOB = "count_areas"
    TITLE = tr("Count incidents by area")
    GROUP = AREAS
    TAGS = "panel,areas,polygons,wards,beats,lsoa,hexagons,squares,street segments,count,time,temporal"
    SUMMARY = tr("Counts incidents per area and time bin into a panel, which the forecasting tools read.")
    HELP = tr("""
A panel is one GeoPackage: each area with its geometry once, the bins, and the counts above zero. Its layer
counts_by_area plays in the Temporal Controller. Weeks start on Mondays, months on the first, quarters in January,
April, July and October; the last bin may be incomplete.

An incident on a border, or in areas that overlap, counts once, in the area that comes first in the layer. What is wrong
with areas and incidents is counted in the log, and nothing is dropped in silence. Incidents that belong to no area are
in the table of refused features.

A hexagon of 500 m measures 500 m from side to side (0.217 km²). Squares and hexagons lie on multiples of their size in
the working CRS, so that the same size gives the same ones again; all that share some ground with the study area are
made, and none is cut.
""")
    PROGRESS = (20.0, 96.0)
    OUTPUTS = (
        Output("AREA_COUNT", "areas", tr("Areas")),
        Output("BINS", "bins", tr("Bins")),
        Output("COUNT", "counted", tr("Incidents counted")),
        Output("WITHOUT_AREA", "without_area", tr("Incidents that belong to no area")),
        Output("LEFT_OUT", "left_out", tr("Incidents of another time or category")),
        Output("DISAGREEING", "disagreeing", tr("Incidents whose column names another area than their place [%]")),
        Output("NEVER", "never", tr("Areas that never had an incident")),
        Output("UNOBSERVED", "unobserved", tr("Bins without data")),
        REFUSED_COUNT,
    )

    units: Annotated[
        AreaUnits,
        Choice(
            {
                "layer": tr("Polygons or lines of a layer"),
                "squares": tr("Squares of a size"),
                "hexagons": tr("Hexagons of a size"),
            }
        ),
        Shown(tr("Count in")),
    ] = "layer"
    areas: Annotated[
        str | None,
        Units(),
        Shown(
            tr("Areas"),
            tr(
                "Polygons, such as beats, wards or census areas, in any CRS; or lines, such as street segments: each "
                "incident then counts on the nearest line."
            ),
        ),
    ] = None
    area_id: Annotated[
        str | None,
        Field("areas"),
        QGIS_ONLY,
        Shown(
            tr("Field of the areas' ids"),
            tr("What tells them apart, such as a code. Left empty, areas are called by the number of their feature."),
        ),
    ] = None
    area_name: Annotated[
        str | None,
        Field("areas"),
        QGIS_ONLY,
        Shown(tr("Field of the areas' names"), tr("What people call them. Left empty, their ids.")),
    ] = None
    area_column: Annotated[
        str | None,
        Field("incidents"),
        QGIS_ONLY,
        Shown(
            tr("Field of the incidents that names their area"),
            tr(
                "Such as LSOA code in files of the police: it then says where an incident counts, and not its place, "
                "which is often moved for privacy. It must hold the ids of the areas."
            ),
        ),
    ] = None
    tolerance: Annotated[
        float,
        ABOVE_ZERO,
        Shown(
            tr("Farthest from a line"),
            tr("Of lines: an incident farther than this from all of them belongs to none."),
            unit="m",
            usual="50",
            advanced=True,
            optional=True,
        ),
    ] = 50.0
    size: Annotated[
        float | None,
        ABOVE_ZERO,
        Shown(tr("Size"), tr("Side of the squares; of hexagons the distance between opposite sides."), unit="m"),
    ] = None
    polygons: Annotated[
        list[dict[str, Any]] | None,
        Polygons(),
        Shown(
            tr("Study area"),
            tr(
                "Of squares and hexagons: polygons, such as the city's outline. Left empty, the concave hull of the "
                "incidents."
            ),
            name="STUDY_AREA",
        ),
    ] = None
    categories: Annotated[list[str], Text(";", "Theft; Burglary"), CATEGORIES_SHOWN] = []
    bin_unit: Annotated[
        BinUnit,
        BIN_UNIT,
        Shown(
            tr("Time bin"),
            tr(
                "Automatic takes months, or weeks where the incidents are of less than two years and their days are "
                "known; of a panel that is continued its bins. Bins finer than the times are refused."
            ),
        ),
    ] = "auto"
    bin_length: Annotated[
        int, Limits(1), Shown(tr("Units in a bin"), tr("For example 2 with Weeks for fortnights."))
    ] = 1
    start: Annotated[datetime | None, Shown(tr("Start"), advanced=True)] = None
    end: Annotated[datetime | None, Shown(tr("End (not included)"), advanced=True)] = None
    delay: Annotated[
        int | None,
        DELAY,
        Shown(
            tr("Bins until counts are known"),
            tr(
                "Open data come late: 2 with months, where a month is published two months after its end. Forecasts "
                "and backtests then use what was known. Left empty: 0, or that of the panel that is continued."
            ),
            advanced=True,
        ),
    ] = None
    append_to: Annotated[
        str | None,
        MapLayer("counts"),
        Shown(
            tr("Panel to continue"),
            tr(
                "A panel made before: its bins and areas are kept, and new bins follow. Bins of which there are "
                "incidents again are counted anew. The areas need not be given."
            ),
            advanced=True,
        ),
    ] = None
    source: Annotated[str, LayerName("incidents")] = ""
    output: Annotated[str, PanelDestination(style="panel"), Shown(tr("Counts by area"))]

    @classmethod
    def list_problems(cls, given: Mapping[str, Any]) -> Iterator[Problem]:
        """Yield areas that cannot be made, and columns that name none."""
        yield from super().list_problems(given)
        if "category_field" in given and not given["category_field"] and given.get("categories"):
            text = tr("is {value}, but {category_field} is empty. Choose the field that holds the categories.")
            yield Problem("categories", f"{{categories}} {text}")
        if given.get("append_to"):
            return
        if given.get("units") == "layer":
            if not given.get("areas"):
                yield Problem("areas", tr("{areas} is empty. Choose a layer of polygons or lines, or other {units}."))
        elif not given.get("size"):
            yield Problem("size", tr("{size} is empty. Say how large they are, in metres."))
        elif given.get("area_column"):
            yield Problem(
                "area_column",
                tr(
                    "{area_column} is {value}, but squares and hexagons have no names. Leave it empty, or choose a "
                    "layer of areas."
                ),
            )
