"""The tool Check routes, of the group Routes: whether less exposed ways were worth it, in months not seen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from ..routes import RiskKind
from ..texts import tr
from .base import Limits, Output, Problem, Shown, Where
from .kinds import (
    Choice,
    Field,
    Fields,
    FileDestination,
    Incidents,
    LayerName,
    MapLayer,
    Table,
    Text,
    VectorDestination,
)
from .routes import ReadsIncidentsOfRisk, ReadsNetwork
from .saferoutes import DETOUR
from .shared import CSV, HTML, REFUSED_COUNT, ROUTES, SEED, RefusesFeatures

#: Pairs of places, and how far apart in a straight line they are at least and at most, metres.
PAIRS, LEAST_APART, MOST_APART = Limits(10, 2000), Limits(100, 25_000), Limits(200, 50_000)
#: Random maps that no crime went into.
CONTROLS = Limits(0, 20)

RISK_KINDS = Choice(
    {
        "kernel": tr("Density of the months before"),
        "counts": tr("Counts within 50 m of each street"),
        "forecast": tr("The default forecast"),
        "map": tr("A risk that was made before the tested months"),
    }
)
#: A pair of a tested month: incidents near the less exposed and near the shortest way.
CHECKED_FIELDS: Fields = {
    "pair": "integer",
    "month": "text",
    "kind": "text",
    "metres": "real",
    "exposure": "real",
    "within_50": "integer",
    "within_100": "integer",
    "within_200": "integer",
}


class CheckRoutes(RefusesFeatures, ReadsIncidentsOfRisk, ReadsNetwork):
    ID = "checkroutes"
    JOB = "check_routes"
    TITLE = tr("Check routes")
    GROUP = ROUTES
    TAGS = "safe routes,evaluation,test,backtest,held out,honest,exposure,network"
    SUMMARY = tr("Tells on months not seen whether less exposed routes pass fewer incidents than the shortest ones.")
    HELP = tr("""
For each tested month the risk is made of the months before it alone. Many pairs of places get their shortest and their
least exposed way; then the incidents of the tested month are counted within 50, 100 and 200 m of both. What the risk
promised stands beside what was delivered, with an interval over pairs and months, the share of ways with fewer and
with more incidents, and controls: random maps that no crime went into, and ways along small streets.

Fewer reported incidents along a way do not mean less danger for a walker: nobody counts walkers.
""")
    OUTPUTS = (
        Output("DELIVERED_50", "delivered.50", tr("Incidents near the less exposed ÷ near the shortest way, 50 m")),
        Output("DELIVERED_100", "delivered.100", tr("The same, 100 m")),
        Output("DELIVERED_200", "delivered.200", tr("The same, 200 m")),
        Output("PROMISED", "promised", tr("Exposure of the less exposed ÷ of the shortest way")),
        Output("FEWER", "fewer", tr("Share of ways with fewer incidents, 100 m")),
        Output("MORE", "more", tr("Share of ways with more incidents, 100 m")),
        Output("PAIRS_COUNT", "pairs", tr("Pairs")),
        Output("MONTHS_COUNT", "months", tr("Months tested")),
        Output("VERDICT", "verdict", tr("Verdict"), "text"),
        REFUSED_COUNT,
    )

    incidents: Annotated[
        str,
        Incidents(),
        Shown(
            tr("Incidents"),
            tr("Points of reported crimes, of the tested months and of those before."),
            name="INCIDENTS",
        ),
    ]
    tested: Annotated[
        list[str],
        Text(";", "2015-06; 2015-11"),
        Shown(
            tr("Months tested"),
            tr("Left empty, the last three whole months; months before which there are too few are refused."),
        ),
    ] = []
    risk_kind: Annotated[
        RiskKind,
        RISK_KINDS,
        Shown(tr("Risk"), tr("What the less exposed ways are chosen by; all but the last use past months alone.")),
    ] = "kernel"
    risk: Annotated[
        str | None,
        MapLayer("risk"),
        Where("risk_kind", "map"),
        Shown(
            tr("Risk, raster or areas"),
            tr("Made before the first tested month: one that knows of the tested months would look better than it is."),
        ),
    ] = None
    detour: Annotated[
        float, DETOUR, Shown(tr("Cap on detour"), tr("How much longer than the shortest a way may be."), unit="%")
    ] = 25.0
    pairs: Annotated[
        int, PAIRS, Shown(tr("Pairs"), tr("Random places of the network; not of use where a layer of pairs is given."))
    ] = 200
    nearest: Annotated[
        float, LEAST_APART, Shown(tr("Pairs at least apart"), tr("In a straight line."), unit="m", advanced=True)
    ] = 1000.0
    farthest: Annotated[
        float, MOST_APART, Shown(tr("Pairs at most apart"), tr("In a straight line."), unit="m", advanced=True)
    ] = 4000.0
    own_pairs: Annotated[
        str | None,
        Table(whole=True),
        Shown(
            tr("Own pairs"),
            tr("In the place of random pairs: points, of which two each with the same value of a field are a pair."),
        ),
    ] = None
    pair_field: Annotated[str | None, Field("own_pairs"), Shown(tr("Field that pairs them"))] = None
    controls: Annotated[
        int,
        CONTROLS,
        Shown(tr("Random maps as controls"), tr("Smooth maps that no crime went into; 0 for none."), advanced=True),
    ] = 5
    areas: Annotated[
        str | None,
        Table(whole=True),
        Shown(tr("Districts"), tr("Polygons: the report names those that ways avoid and those they gain. Optional.")),
    ] = None
    area_name: Annotated[str | None, Field("areas"), Shown(tr("Name of the districts"))] = None
    seed: Annotated[int, SEED, Shown(tr("Seed"), tr("The same seed gives the same pairs."), advanced=True)] = 1
    source: Annotated[str, LayerName("network")] = ""
    report: Annotated[
        str | None,
        FileDestination(filter=HTML),
        Shown(tr("Report"), tr("One HTML file: promised and delivered, with intervals, controls and districts.")),
    ] = None
    csv: Annotated[str | None, FileDestination(filter=CSV), Shown(tr("Table of all figures"), name="TABLE")] = None
    output: Annotated[
        str | None,
        VectorDestination("line", CHECKED_FIELDS, style="routes_checked", abstract="headline", created=False),
        Shown(tr("Ways tested"), tr("Both ways of each pair and month, with the incidents near them.")),
    ] = None

    @classmethod
    def list_problems(cls, given: Mapping[str, Any]) -> Iterator[Problem]:
        """Yield distances in the wrong order, and what belongs together and is not."""
        yield from super().list_problems(given)
        if given["nearest"] >= given["farthest"]:
            yield Problem("farthest", tr("{farthest} is {value}, but {nearest} is no less. Choose a greater distance."))
        if given.get("risk_kind") == "map" and not given.get("risk"):
            yield Problem("risk", tr("{risk} is empty, but {risk_kind} asks for it. Choose a risk, or another kind."))
        for layer, field in (("own_pairs", "pair_field"), ("areas", "area_name")):
            if given.get(layer) and not given.get(field):
                text = tr("{field} is empty, but {layer} is given. Choose its field.")
                yield Problem(field, text.replace("{field}", f"{{{field}}}").replace("{layer}", f"{{{layer}}}"))
