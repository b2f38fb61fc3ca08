"""Parameters that several tools share, each said here once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from ..choices import DateOrder, NoArea, Over
from ..texts import tr
from .base import QGIS_ONLY, Group, Limits, Output, Problem, Shown, Tool
from .kinds import (
    Areas,
    Choice,
    Crs,
    Expression,
    Extent,
    Field,
    FileDestination,
    Incidents,
    Polygons,
    RasterDestination,
    Rasters,
    Scratch,
    VectorDestination,
)

INCIDENTS = tr("Incidents")
CRIME_SCORE = tr("Crime score")
HOTSPOT_GRIDS = tr("Hotspot grids")
FORECAST = tr("Forecast")
RISK = tr("Risk")
AREAS = tr("Areas")
WARNINGS = tr("Early warning")
OUTCOMES = tr("Outcomes")
ROUTES = tr("Routes")

HTML = tr("HTML files (*.html)")
CSV = tr("CSV files (*.csv)")
CRIME_INDEX = tr("Crime index (*.crimeindex)")
FORECAST_MODEL = tr("Crime Risk model (*.crimemodel)")
SCORE_MODEL = tr("Crime score model (*.crimescore)")
WINDOW_NETWORK = tr("Window network (*.crimewindow)")
OUTCOME_MODEL = tr("Outcome model (*.crimeoutcome)")
CHECKPOINT = tr("Crime Risk checkpoint (*.checkpoint)")

#: What the generators of random numbers take; a dialog holds the smaller ones.
SEED = Limits(0, 2**63 - 1)
#: More grid spacing, radius or cell size than nothing.
ABOVE_ZERO = Limits(0, above=True)

DATE_ORDER = Choice(
    {
        "auto": tr("Decide by the whole column"),
        "ymd": tr("Year, month, day"),
        "dmy": tr("Day, month, year"),
        "mdy": tr("Month, day, year"),
    }
)

BIN_UNIT = Choice(
    {
        "hours": tr("Hours"),
        "days": tr("Days"),
        "weeks": tr("Weeks"),
        "months": tr("Months"),
        "auto": tr("Automatic"),
        "quarters": tr("Quarters"),
    }
)
CATEGORIES_SHOWN = Shown(
    tr("Categories"),
    tr(
        "Only these categories are counted; separate several by semicolons. By default all. (no category) stands for "
        "incidents without one."
    ),
)

STEPS = Limits(1, 1000)
THRESHOLD = Limits(1)
PERCENTILE = Limits(0.01, 99.99)


class ReadsTimes(Tool):
    """The order of day and month in times that are text."""

    date_order: Annotated[
        DateOrder,
        DATE_ORDER,
        Shown(
            tr("Order of dates"),
            tr("Which of day and month comes first where the time is text such as 02/03/2024."),
            advanced=True,
        ),
    ] = "auto"


class ReadsIncidents(ReadsTimes):
    """A layer of incidents: places, times, categories."""

    incidents: Annotated[
        str,
        Incidents(),
        Shown(tr("Incidents"), tr("A point layer in any CRS, one point a reported crime."), name="INPUT"),
    ]
    time_field: Annotated[
        str,
        Field("incidents"),
        QGIS_ONLY,
        Shown(tr("Time field"), tr("When it happened: a Date, DateTime or text field.")),
    ] = "occurred"
    category_field: Annotated[
        str | None, Field("incidents"), QGIS_ONLY, Shown(tr("Category field"), tr("What happened. Optional."))
    ] = None
    filter: Annotated[
        str | None,
        Expression("incidents"),
        QGIS_ONLY,
        Shown(tr("Filter"), tr("Only features for which this expression is true are used. Optional.")),
    ] = None


class RefusesFeatures(Tool):
    """A table of the features left out."""

    refused: Annotated[
        str | None,
        VectorDestination("none", {"feature_id": "long", "reason": "text"}, created=False),
        QGIS_ONLY,
        Shown(tr("Refused features"), tr("A table of the features that were left out, with the reason.")),
    ] = None


#: What every tool that refuses features reports.
REFUSED_COUNT = Output("REFUSED_COUNT", "refused", tr("Refused features"))

WORKING_CRS = Shown(
    tr("Working CRS"),
    tr(
        "A projected CRS in metres, no Mercator. Left empty, the UTM zone of the incidents' middle is chosen and "
        "reported."
    ),
    name="CRS",
    advanced=True,
)


class WorksInMetres(Tool):
    """The CRS in which distances are measured."""

    crs: Annotated[str, Crs(working=True), WORKING_CRS]


Box = tuple[float, float, float, float]

NO_AREA = Choice(
    {
        "hull": tr("The concave hull of the incidents"),
        "rectangle": tr("The whole rectangle (figures look better than they are)"),
    }
)
NO_AREA_SHOWN = Shown(
    tr("Without a study area"),
    tr(
        "The hull follows the outline of the incidents and leaves out lakes and suburbs without any. In a rectangle "
        "they count as quiet places, which flatters hit rate and PAI. Places far from all others decide neither."
    ),
)


class GridOfCells(Tool):
    """The cells of a raster: where, and how large."""

    extent: Annotated[
        Box | None, Extent(), Shown(tr("Extent"), tr("By default that of the study area, or of the incidents."))
    ] = None
    polygons: Annotated[
        list[dict[str, Any]] | None,
        Polygons(),
        Shown(
            tr("Study area"),
            tr(
                "Polygons, such as the city's outline: cells whose centre lies outside are no data. Left empty, the "
                "area follows from the incidents."
            ),
            name="STUDY_AREA",
        ),
    ] = None
    no_area: Annotated[NoArea, NO_AREA, NO_AREA_SHOWN] = "hull"
    cell_size: Annotated[
        float | None,
        ABOVE_ZERO,
        Shown(tr("Cell size"), tr("Left empty it is chosen and reported."), unit="m"),
    ] = None
    columns: Annotated[
        int | None,
        ABOVE_ZERO,
        Shown(tr("Columns"), tr("Number of cells from west to east, instead of a cell size.")),
    ] = None
    rows: Annotated[
        int | None,
        ABOVE_ZERO,
        Shown(tr("Rows"), tr("Number of cells from north to south, instead of a cell size.")),
    ] = None


SPACING = Shown(
    tr("Grid spacing"),
    tr("Distance between the points of the grid. Where a layer is scored there is no grid."),
    unit="m",
    usual="250",
    optional=True,
)


class Spacing(Group):
    """A grid of points `spacing` metres apart, over an extent and in polygons (GeoJSON), all in the index's CRS."""

    spacing: Annotated[float, ABOVE_ZERO, SPACING] = 250.0
    extent: Annotated[
        Box | None,
        Extent(),
        Shown(tr("Grid extent"), tr("By default that of the study area, or of the incidents.")),
    ] = None
    polygons: Annotated[
        list[dict[str, Any]] | None,
        Polygons(),
        Shown(tr("Grid study area"), tr("Only points of the grid inside these polygons are kept."), name="STUDY_AREA"),
    ] = None
    no_area: Annotated[NoArea, NO_AREA, NO_AREA_SHOWN] = "hull"
    most_points: Annotated[
        int,
        Limits(1_000, 5_000_000),
        Shown(
            tr("Most points of the grid"),
            tr("A spacing that gives more is refused: such a layer is slow to draw, and says little more."),
            advanced=True,
        ),
    ] = 250_000


EXTRAS = Shown(
    tr("Extra layers"),
    tr(
        "Rasters that models may read beside the counts: one band is a static layer, resampled to the grid (for "
        "example a population density), and so is each band of a raster with a few. A stack made with Rasterize "
        "hotspot grids of the same cells and bins is a channel, of which only the past is read. Plain counts ignore "
        "them. A model that was trained with them needs them to forecast: the same file names, in the same order."
    ),
    advanced=True,
)


class ReadsExtras(Tool):
    """Further layers that a model may read."""

    extras: Annotated[list[str], Rasters(), EXTRAS] = []


#: Where counts are asked for: a grid stack or a panel.
COUNTS = tr("Hotspot grids or counts by area")
COUNTS_HELP = tr("Made with Rasterize hotspot grids, or with Count incidents by area.")

DELAY = Shown(
    tr("Bins until counts are known"),
    tr(
        "Open data come months late: with 2, each forecast knows only what happened up to two bins before it. Left "
        "empty, what the counts by area say of themselves; of grids 0."
    ),
    unit="bins",
    advanced=True,
)
#: More bins of delay leave nothing to learn from.
LONGEST_DELAY = Limits(0, 1000)


def list_nothing_wanted(given: Mapping[str, Any], *keys: str) -> Iterator[Problem]:
    """Yield that none of a tool's results is asked for: each is optional, since some are of grids, some of areas."""
    if not any(given.get(key) for key in keys):
        text = tr("{first} is empty, and so is every other result: nothing would be written. Choose a file for one.")
        yield Problem(keys[0], text.replace("first", keys[0]))


def list_fields_of_none(given: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield fields of areas where no areas are given."""
    for key in ("area_id", "area_name"):
        if given.get(key) and not given.get("areas"):
            text = tr("{key} is {value}, but {areas} is empty. Choose the layer that has this field, or neither.")
            yield Problem(key, text.replace("key", key))


class Judges(Tool):
    """How a unit is flagged, exposure by area, and what an evaluation leaves behind."""

    percentile: Annotated[
        float,
        PERCENTILE,
        Shown(
            tr("Percentile"),
            tr(
                "A cell is flagged where its risk lies strictly above this percentile: labels, hits and exposure by "
                "area follow from it. The tables show many percentiles and shares of the area."
            ),
        ),
    ] = 95.0
    over: Annotated[
        Over,
        Choice({"stack": tr("All maps together (published)"), "map": tr("Each map by itself")}),
        Shown(tr("Percentile over"), tr("Over all maps together, quiet maps have fewer flagged cells than busy ones.")),
    ] = "stack"
    threshold: Annotated[
        int,
        THRESHOLD,
        Shown(
            tr("Incidents that count"), tr("An event is at least so many incidents in a cell and bin."), advanced=True
        ),
    ] = 1
    weigh: Annotated[
        str | None,
        Shown(
            tr("Weigh flags by"),
            tr(
                "Areas are flagged by share of the area. The name of a covariate such as population adds the same by "
                "share of that, since small areas flatter."
            ),
            advanced=True,
        ),
    ] = None
    areas: Annotated[
        str | None,
        Areas(),
        Shown(
            tr("Areas"),
            tr(
                "Polygons, such as districts: the report shows for each its share of the flagged cells beside its "
                "share of the incidents."
            ),
        ),
    ] = None
    area_name: Annotated[
        str | None, Field("areas"), QGIS_ONLY, Shown(tr("Name of the areas"), tr("The field that holds it."))
    ] = None
    report: Annotated[
        str | None,
        FileDestination(filter=HTML),
        Shown(
            tr("Report"),
            tr("One HTML file: the verdict in words, tables, hit-rate curves, reliability, labels and maps."),
        ),
    ] = None
    csv: Annotated[str | None, FileDestination(filter=CSV), Shown(tr("Table of all figures"), name="TABLE")] = None
    labels: Annotated[
        str | None,
        RasterDestination(style="labels", abstract="headline", units="grid"),
        Shown(
            tr("Labels"),
            tr(
                "What each cell was: correct, missed, flagged without an incident, and the same in a neighbour. A "
                "band per map."
            ),
        ),
    ] = None
    hits: Annotated[
        str | None,
        VectorDestination(
            "point",
            {"start": "datetime", "end": "datetime", "incidents": "integer", "risk": "real", "label": "text"},
            style="hits",
            abstract="headline",
            units="grid",
        ),
        Shown(
            tr("Incidents by label"),
            tr("A point in the middle of every cell and bin with incidents: how many, the risk there, and its label."),
        ),
    ] = None
    by_area: Annotated[
        str | None,
        VectorDestination(
            "any",
            {
                "id": "text",
                "name": "text",
                "start": "datetime",
                "end": "datetime",
                "risk": "real",
                "incidents": "integer",
                "flagged": "real",
                "label": "text",
            },
            style="area_labels",
            abstract="headline",
            units="areas",
        ),
        Shown(
            tr("Areas by label"),
            tr(
                "Each area and bin with its risk, its incidents, the part of it that is flagged, and what it was: "
                "correct, missed, flagged without an incident, and the same in a neighbour."
            ),
            name="BY_AREA",
        ),
    ] = None

    @classmethod
    def list_problems(cls, given: Mapping[str, Any]) -> Iterator[Problem]:
        """Yield areas without names."""
        yield from super().list_problems(given)
        if given.get("areas") and "area_name" in given and not given["area_name"]:
            yield Problem(
                "area_name", tr("{area_name} is empty, but there are {areas}. Choose the field that holds their names.")
            )


#: The figures of the forecast that is judged first.
FIGURES = (
    Output("LOG_LOSS", "scores.{model}.log_loss", tr("Log-loss")),
    Output("BRIER", "scores.{model}.brier", tr("Brier score")),
    Output("BRIER_SKILL", "scores.{model}.brier_skill", tr("Brier skill against a constant")),
    Output("AUC", "scores.{model}.auc", tr("AUC")),
    Output("AVERAGE_PRECISION", "scores.{model}.average_precision", tr("Average precision")),
    Output("HIT_RATE", "scores.{model}.hit_rate_5", tr("Hit rate at 5 % of the area, at least one cell")),
    Output("PRECISION", "scores.{model}.precision_5", tr("Precision at 5 % of the area, at least one cell")),
    Output("PAI", "scores.{model}.pai_5", tr("PAI at 5 % of the area, at least one cell")),
    Output("PEI", "scores.{model}.pei_5", tr("PEI at 5 % of the area, at least one cell")),
    Output("FLAGGED_SHARE", "scores.{model}.flagged_share_5", tr("Share of the area that these cells are")),
    Output("MAPS", "maps", tr("Maps judged")),
    Output("HITS_COUNT", "hits", tr("Cells and bins with incidents")),
    Output("VERDICT", "verdict", tr("Verdict"), "text"),
)

#: What a raster on a grid of cells is reported to have.
CELLS = (
    Output("CELL", "cell_size", tr("Cell size used")),
    Output("WIDTH", "columns", tr("Columns used")),
    Output("HEIGHT", "rows", tr("Rows used")),
)

KEPT_INCIDENTS = VectorDestination("point", style="incidents", created=False)
KEPT_HELP = tr("Those that are kept, with all their fields.")
KEPT_FILE = Scratch("kept.npy")
