"""The tool Less exposed routes, of the group Routes, and the question that the dock asks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar

from ..routes import Wanted
from ..texts import tr
from .base import Limits, Output, Problem, Shown, Tool
from .kinds import Choice, Field, Fields, FileDestination, Point, Table, VectorDestination
from .routes import ReadsNetwork, ReadsRisk
from .shared import HTML, REFUSED_COUNT, ROUTES, RefusesFeatures

#: Per cent by which a way may be longer than the shortest: nobody walks thrice as far.
DETOUR = Limits(0, 200)
#: Metres from a place to the nearest street.
FARTHEST = Limits(1, 10_000)
#: Unlit streets count as so many times their exposure.
UNLIT = Limits(1, 10)
#: Seconds for one pair, after which the front is searched by weights.
TIME_LIMIT = Limits(0.1, 3600)

WANTED = Choice({"all": tr("All efficient ways"), "ends": tr("The shortest and the least exposed only")})

#: A way: what the layer of routes and the dock say of it. Units: metres, minutes, the risk's unit × metres, shares 0–1.
ROUTE_FIELDS: Fields = {
    "pair": "text",
    "rank": "integer",
    "kind": "text",
    "metres": "real",
    "minutes": "real",
    "exposure": "real",
    "added_m": "real",
    "added": "real",
    "saved": "real",
    "above": "real",
    "outside": "real",
    "unlit": "real",
    "exact": "integer",
    "label": "text",
}


class ChoosesWays(ReadsRisk, ReadsNetwork):
    """How long a detour may be, and what counts for more or is avoided."""

    RISKS: ClassVar[tuple[str, ...]] = ("incidents", "risk", "scores", "exposure_field")

    exposure_field: Annotated[
        str | None,
        Field("network"),
        Shown(
            tr("Exposure field"),
            tr(
                "In the place of incidents: a number for each whole line that is to be little along the way, such as "
                "the exposure of Network exposure."
            ),
        ),
    ] = None
    detour: Annotated[
        float,
        DETOUR,
        Shown(
            tr("Cap on detour"),
            tr("How much longer than the shortest a way may be. 10 % gives most of the gain."),
            unit="%",
        ),
    ] = 25.0
    unlit_factor: Annotated[
        float,
        UNLIT,
        Shown(
            tr("Unlit streets count as"),
            tr(
                "So many times their exposure, never their metres, where the field of lighting says that they are "
                "unlit. 1 makes no difference."
            ),
            advanced=True,
        ),
    ] = 1.0
    farthest: Annotated[
        float,
        FARTHEST,
        Shown(
            tr("Farthest street"),
            tr("A place farther than this from every street is refused; the nearest would be of another district."),
            unit="m",
            advanced=True,
        ),
    ] = 250.0
    avoid: Annotated[
        str | None, Table(whole=True), Shown(tr("Avoid"), tr("Polygons through which no way goes. Optional."))
    ] = None


class AsksForPlaces(Tool):
    """From where to where: two places, or two layers of them."""

    start: Annotated[
        list[float] | None, Point(), Shown(tr("Start"), tr("Pick it on the map, or type x,y [EPSG:…]."))
    ] = None
    end: Annotated[list[float] | None, Point(), Shown(tr("End"), tr("As the start."))] = None
    starts: Annotated[
        str | None, Table(whole=True), Shown(tr("Layer of starts"), tr("In the place of one start: points."))
    ] = None
    starts_field: Annotated[
        str | None,
        Field("starts"),
        Shown(tr("Field that pairs starts with ends"), tr("Places with the same value are a pair.")),
    ] = None
    ends: Annotated[
        str | None, Table(whole=True), Shown(tr("Layer of ends"), tr("In the place of one end: points."))
    ] = None
    ends_field: Annotated[
        str | None,
        Field("ends"),
        Shown(tr("The same field of the ends"), tr("It may have another name there.")),
    ] = None


class SafeRoutes(RefusesFeatures, ChoosesWays, AsksForPlaces):
    ID = "saferoutes"
    JOB = "safe_routes"
    TITLE = tr("Less exposed routes")
    GROUP = ROUTES
    TAGS = "safe routes,route,way,path,walk,shortest,detour,exposure,network,navigation,pareto"
    SUMMARY = tr("Finds ways from A to B that pass less reported crime, and says how many metres they cost.")
    HELP = tr("""
Of each pair of places: the shortest way, the way least exposed to reported crime within the cap on detour, and every
way between them that no other way beats in both. These are exact; where a pair takes longer than the time limit, its
ways are found by weights, which miss some, and the log and the layer say so.

Minutes follow from length and speed alone. Exposure is the risk added up along the way: half of it means half as much
reported crime along the way, not half the danger for a walker, since nobody counts walkers.

Give a start and an end, or two layers with a field that pairs their places.
""")
    OUTPUTS = (
        Output("PAIRS_COUNT", "pairs", tr("Pairs with a way")),
        Output("WAYS_COUNT", "ways", tr("Ways")),
        Output("SHORTEST_M", "shortest", tr("Length of the shortest way, of the first pair")),
        Output("LEAST_EXPOSED_M", "least", tr("Length of the least exposed way, of the first pair")),
        Output("SAVED", "saved", tr("Share of the exposure saved, of the first pair")),
        Output("BY_WEIGHTS", "by_weights", tr("Pairs whose ways were found by weights")),
        Output("SENTENCE", "headline", tr("In words"), "text"),
        REFUSED_COUNT,
    )

    wanted: Annotated[
        Wanted, WANTED, Shown(tr("Ways"), tr("Of many pairs, two ways each are easier to look at."), name="ROUTES")
    ] = "all"
    time_limit: Annotated[
        float,
        TIME_LIMIT,
        Shown(
            tr("Time limit"),
            tr("Seconds for the exact ways of one pair; after them ways are found by weights."),
            unit="s",
            advanced=True,
        ),
    ] = 60.0
    areas: Annotated[
        str | None,
        Table(whole=True),
        Shown(
            tr("Districts"),
            tr("Polygons: the report names those that ways avoid and those that they go through instead. Optional."),
        ),
    ] = None
    area_name: Annotated[str | None, Field("areas"), Shown(tr("Name of the districts"))] = None
    output: Annotated[
        str | None,
        VectorDestination("line", ROUTE_FIELDS, style="routes", abstract="headline"),
        Shown(
            tr("Routes"),
            tr(
                "A line for each way: metres, minutes, exposure; added metres and saved exposure against the shortest; "
                "above, the share of the way with a risk above the percentile."
            ),
        ),
    ] = None
    unserved: Annotated[
        str | None,
        VectorDestination("none", {"pair": "text", "reason": "text"}, created=False),
        Shown(tr("Pairs without a way"), tr("A table of them, with the reason.")),
    ] = None
    report: Annotated[
        str | None,
        FileDestination(filter=HTML),
        Shown(tr("Report"), tr("One HTML file: what each way costs and saves, as a chart and in words.")),
    ] = None

    @classmethod
    def list_problems(cls, given: Mapping[str, Any]) -> Iterator[Problem]:
        """Yield places that are missing, or given twice."""
        yield from super().list_problems(given)
        for one, several, field in (("start", "starts", "starts_field"), ("end", "ends", "ends_field")):
            if given.get(one) and given.get(several):
                text = tr("{one} is {value}, but {several} is given, too. Choose one of them.")
                yield Problem(one, _name(text, one=one, several=several))
            if not given.get(one) and not given.get(several):
                text = tr("{one} is empty, and so is {several}. Pick a place on the map, or choose a layer of places.")
                yield Problem(one, _name(text, one=one, several=several))
            other = "ends" if several == "starts" else "starts"
            if given.get(several) and given.get(other) and not given.get(field):
                text = tr("{field} is empty. Choose the field whose values pair the places of both layers.")
                yield Problem(field, _name(text, field=field))
        if given.get("areas") and not given.get("area_name"):
            yield Problem(
                "area_name", tr("{area_name} is empty, but there are {areas}. Choose the field of their names.")
            )


def _name(text: str, **keys: str) -> str:
    """Put keys in the place of what a sentence calls them, as `Problem` has them."""
    for word, key in keys.items():
        text = text.replace(f"{{{word}}}", f"{{{key}}}")
    return text


class RouteQuestion(ChoosesWays):
    """What the dock asks: no tool of the toolbox. Without a start the engine only warms up."""

    JOB = "ask_route"

    start: list[float] | None = None
    end: list[float] | None = None
