"""What the tools of the group Routes share, and those that look at the network: its crossings, its exposure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Annotated, Any, ClassVar

from ..routes import Direction, Spread, Travel
from ..texts import tr
from .base import QGIS_ONLY, Limits, Output, Problem, Shown, Tool, Where
from .kinds import Choice, Crs, Expression, Field, Incidents, LayerName, MapLayer, Table, VectorDestination
from .shared import PERCENTILE, REFUSED_COUNT, ROUTES, WORKING_CRS, ReadsTimes, RefusesFeatures

#: Months of incidents that a density is made of, and its kernel in metres.
MONTHS, KERNEL = Limits(1, 120), Limits(0, 5000, above=True)
#: Metres between two looks at the risk along a street.
STEP = Limits(0.5, 1000)
#: Ends of lines this many metres apart are one node.
TOLERANCE = Limits(0, 50)
#: Km/h.
SPEED = Limits(0, 400, above=True)

TRAVEL = Choice({"foot": tr("On foot"), "vehicle": tr("By vehicle")})
#: As in QGIS's own network tools.
DIRECTION = Choice({"forward": tr("Forward"), "backward": tr("Backward"), "both": tr("Both directions")})

SPREAD = Choice({"gaussian": tr("Density: by a Gaussian"), "passed": tr("Incidents passed: within a distance")})


class ReadsLines(Tool):
    """Street lines, and what keeps two of them apart where they cross."""

    network: Annotated[
        str,
        Table(whole=True, lines=True),
        Shown(tr("Streets"), tr("Lines in any CRS, such as street centre lines or OpenStreetMap ways."), name="INPUT"),
    ]
    level_fields: Annotated[
        list[str],
        Field("network"),
        Shown(
            tr("Fields of bridges and tunnels"),
            tr(
                "Two streets are joined only where these say the same of both, such as bridge, tunnel and layer of "
                "OpenStreetMap. Left empty, found by their names."
            ),
            advanced=True,
        ),
    ] = []
    tolerance: Annotated[
        float,
        TOLERANCE,
        Shown(
            tr("Snap tolerance"),
            tr("Ends that are no farther apart, or no farther from another street, are joined. 0 joins what is equal."),
            unit="m",
        ),
    ] = 0.0


class ReadsNetwork(ReadsLines):
    """A street network: who may go where, and how fast."""

    travel: Annotated[
        Travel,
        TRAVEL,
        Shown(
            tr("Travel"),
            tr("On foot, motorways and streets closed to walkers are left out, and one-way streets bind nobody."),
        ),
    ] = "foot"
    direction_field: Annotated[
        str | None,
        Field("network"),
        Shown(
            tr("Direction field"),
            tr("One-way streets. Left empty, a field such as oneway is found by its name."),
            advanced=True,
        ),
    ] = None
    value_forward: Annotated[
        str | None,
        Shown(
            tr("Value for forward direction"),
            tr("Left empty, what OpenStreetMap and street offices write: yes, true, 1, F, FT."),
            advanced=True,
        ),
    ] = None
    value_backward: Annotated[
        str | None, Shown(tr("Value for backward direction"), tr("Left empty: -1, reverse, T, TF."), advanced=True)
    ] = None
    value_both: Annotated[
        str | None, Shown(tr("Value for both directions"), tr("Left empty: no, false, 0, B, and none."), advanced=True)
    ] = None
    default_direction: Annotated[
        Direction, DIRECTION, Shown(tr("Default direction"), tr("Where the field says neither."), advanced=True)
    ] = "both"
    oneway_on_foot: Annotated[
        bool,
        Shown(tr("One-way holds on foot, too"), tr("For streets that walkers may use one way only."), advanced=True),
    ] = False
    speed_field: Annotated[
        str | None,
        Field("network"),
        Where("travel", "vehicle"),
        Shown(
            tr("Speed field"),
            tr("Km/h; of use by vehicle alone. Left empty, a field such as maxspeed is found by its name."),
            advanced=True,
        ),
    ] = None
    speed: Annotated[
        float | None,
        SPEED,
        Shown(
            tr("Default speed"),
            tr("Where no field says it. Left empty, that of a walker or of a car, which the log names."),
            name="DEFAULT_SPEED",
            unit="km/h",
            advanced=True,
        ),
    ] = None
    class_field: Annotated[
        str | None,
        Field("network"),
        Shown(
            tr("Class field"),
            tr("Such as highway of OpenStreetMap: on foot, motorways are left out. Left empty, found by its name."),
            advanced=True,
        ),
    ] = None
    foot_field: Annotated[
        str | None,
        Field("network"),
        Shown(
            tr("Field of who may walk"),
            tr("Streets with no or private in it are left out on foot. Left empty, found by its name."),
            advanced=True,
        ),
    ] = None
    lit_field: Annotated[
        str | None,
        Field("network"),
        Shown(
            tr("Field of lighting"), tr("Such as lit of OpenStreetMap. Left empty, found by its name."), advanced=True
        ),
    ] = None


class ReadsIncidentsOfRisk(ReadsTimes):
    """Incidents that become a density, and the working CRS."""

    incidents: Annotated[
        str | None,
        Incidents(),
        Shown(
            tr("Incidents"),
            tr(
                "Points of reported crimes: those of the last months become a density. Counts on the nearest street "
                "would step one street aside with every wrongly placed incident."
            ),
            name="INCIDENTS",
        ),
    ] = None
    time_field: Annotated[
        str | None,
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
        Shown(
            tr("Filter"), tr("Only incidents for which this expression is true are used, such as robberies. Optional.")
        ),
    ] = None
    months: Annotated[
        int,
        MONTHS,
        Shown(tr("Months of incidents"), tr("How long before the origin incidents count."), unit=tr("months")),
    ] = 12
    kernel: Annotated[
        float,
        KERNEL,
        Shown(
            tr("Kernel"),
            tr(
                "Standard deviation of the Gaussian by which an incident is spread; of incidents passed, the distance."
            ),
            unit="m",
            advanced=True,
        ),
    ] = 100.0
    spread: Annotated[
        Spread,
        SPREAD,
        Shown(
            tr("How incidents are spread"),
            tr(
                "A density counts an incident the more, the nearer it is to a way. Incidents passed are those within "
                "the distance, each counted about once: ways so chosen save more near by, and less farther off."
            ),
            advanced=True,
        ),
    ] = "gaussian"
    crs: Annotated[str | None, Crs(working=True), WORKING_CRS] = None


class ReadsRisk(ReadsIncidentsOfRisk):
    """Any risk: incidents, a raster, areas, or predicted scores."""

    origin: Annotated[
        datetime | None,
        Shown(
            tr("Origin"),
            tr("Only incidents before it are used. Left empty, all up to the last one."),
            advanced=True,
        ),
    ] = None
    risk: Annotated[
        str | None,
        MapLayer("risk"),
        Shown(
            tr("Risk, raster or areas"),
            tr(
                "In the place of incidents: any raster in which more means more risk, such as a forecast or predicted "
                "scores, or polygons with a field risk, as Forecast risk makes them."
            ),
        ),
    ] = None
    band: Annotated[
        int | None,
        Limits(1),
        Shown(tr("Map of the risk"), tr("Which map of several, from 1. Left empty, the mean of all."), advanced=True),
    ] = None
    scores: Annotated[
        str | None,
        Table(whole=True),
        Shown(
            tr("Scored places"),
            tr("In the place of incidents: points or polygons with a number, as Predict crime score makes them."),
        ),
    ] = None
    score_field: Annotated[
        str | None,
        Field("scores"),
        Shown(tr("Field of the scores"), tr("Left empty, found by its name."), advanced=True),
    ] = None
    step: Annotated[
        float | None,
        STEP,
        Shown(
            tr("Sampling step"),
            tr("How often the risk is looked up along a street. Left empty, it follows from the risk and is reported."),
            unit="m",
            advanced=True,
        ),
    ] = None
    percentile: Annotated[
        float,
        PERCENTILE,
        Shown(
            tr("Percentile"),
            tr("The share of a street or way with a risk above this percentile of all streets, by length, is told."),
        ),
    ] = 90.0
    source: Annotated[str, LayerName("network")] = ""

    @classmethod
    def list_problems(cls, given: Mapping[str, Any]) -> Iterator[Problem]:
        """Yield two risks, or none."""
        yield from super().list_problems(given)
        found = [key for key in cls.RISKS if given.get(key)]
        if not found:
            yield Problem(
                "incidents",
                tr("{incidents} is empty, and so is every other risk. Choose incidents, {risk} or {scores}."),
            )
        elif len(found) > 1:
            text = tr("{second} is {value}, but {first} is given, too. Choose one risk.")
            yield Problem(found[1], text.replace("{second}", f"{{{found[1]}}}").replace("{first}", f"{{{found[0]}}}"))

    #: Keys of what can be the risk; one of them is needed.
    RISKS: ClassVar[tuple[str, ...]] = ("incidents", "risk", "scores")


#: A place of the network where something is wrong with it.
FAULT_LAYER = VectorDestination(
    "point",
    {"kind": "text", "fault": "text", "feature_id": "long", "other_id": "long", "metres": "real"},
    style="network_faults",
    created=False,
)
FAULTS_HELP = tr(
    "A point at each fault of the network: crossings without a node, dangling ends, parts that are not connected, "
    "loops, parallel lines."
)


class SplitCrossings(ReadsLines):
    ID = "splitcrossings"
    JOB = "split_crossings"
    TITLE = tr("Split at crossings")
    GROUP = ROUTES
    TAGS = "network,topology,split,crossings,junctions,nodes,snap,bridge,tunnel,layer,osm"
    SUMMARY = tr("Joins streets where they cross or touch, so that ways can turn there.")
    HELP = tr("""
Ways turn only where lines share a vertex. This tool puts one wherever two streets cross or an end touches another
street, and cuts the lines there. Bridges and tunnels are kept apart: streets are joined only where the fields of
bridges and tunnels say the same of both. With a snap tolerance, ends that miss another street by less are moved to it.

Each piece keeps all fields of its line. Lines that are alike are left as they are: nothing is ever removed.
""")
    OUTPUTS = (
        Output("PIECES", "pieces", tr("Lines written")),
        Output("CROSSINGS", "crossings", tr("Crossings joined")),
        Output("TOUCHES", "touches", tr("Ends joined to a street they touch")),
        Output("SNAPPED", "snapped", tr("Ends moved")),
        Output("KEPT_APART", "kept_apart", tr("Crossings of bridges and tunnels, kept apart")),
        Output("COMPONENTS", "components", tr("Parts that are not connected")),
    )
    source: Annotated[str, LayerName("network")] = ""
    output: Annotated[
        str | None,
        VectorDestination("line", of="network"),
        Shown(tr("Split streets"), tr("The pieces, with all fields of their lines and the number of the line.")),
    ] = None
    faults: Annotated[str | None, FAULT_LAYER, Shown(tr("Faults"), FAULTS_HELP)] = None


class NetworkExposure(RefusesFeatures, ReadsRisk, ReadsNetwork):
    ID = "networkexposure"
    JOB = "network_exposure"
    TITLE = tr("Network exposure")
    GROUP = ROUTES
    TAGS = "streets,network,segments,exposure,risk,density,length,routes,walk"
    SUMMARY = tr("Tells of each street how much reported crime somebody passes who goes along it.")
    HELP = tr("""
Each line gets its length on the ellipsoid, the risk per metre (the mean of the risk along it) and the exposure: the
risk added up along the way. By default the risk is a density of the incidents of the last 12 months. It is looked up at
a step that the log names.

The network is looked over, too: what lies outside the risk, crossings without a node, dangling ends, parts that are not
connected, loops and parallel lines are counted and named. Split at crossings repairs most of them.

Where the streets are a GeoPackage, the network is kept beside them, and used again while nothing has changed.
""")
    OUTPUTS = (
        Output("STREETS", "lines", tr("Lines")),
        Output("METRES", "metres", tr("Length of all")),
        Output("EXPOSURE", "exposure", tr("Exposure of all")),
        Output("STEP_USED", "step", tr("Sampling step used")),
        Output("THRESHOLD", "threshold", tr("Risk at the percentile")),
        Output("OUTSIDE", "outside", tr("Lines outside the risk")),
        Output("FAULTS_COUNT", "fault_count", tr("Faults of the network")),
        Output("COMPONENTS", "components", tr("Parts that are not connected")),
        REFUSED_COUNT,
    )
    output: Annotated[
        str | None,
        VectorDestination("line", style="network_exposure", abstract="headline", of="network"),
        Shown(
            tr("Exposure"),
            tr(
                "The lines with all their fields, and: length_m, risk_per_m, exposure, above (the share of the line "
                "above the percentile), outside (the share without a known risk)."
            ),
        ),
    ] = None
    faults: Annotated[str | None, FAULT_LAYER, Shown(tr("Faults"), FAULTS_HELP)] = None
