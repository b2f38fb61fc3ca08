"""The tool Add covariates, of the group Areas: what is known of areas beside their counts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Annotated, Any

from ..choices import Combining, Joining
from ..texts import tr
from .base import QGIS_ONLY, Limits, Output, Problem, Shown, Where
from .kinds import Areas, Choice, Field, LayerName, MapLayer, PanelDestination, Table
from .shared import AREAS, SEED, ReadsTimes


class AddCovariates(ReadsTimes):
    ID = "addcovariates"
    JOB = "add_covariates"
    TITLE = tr("Add covariates")
    GROUP = AREAS
    TAGS = "covariates,deprivation,population,mobility,weather,census,join,interpolation,areas,panel"
    SUMMARY = tr("Adds to a panel what is known of its areas beside the counts: fixed or dated, known at once or late.")
    HELP = tr("""
Makes a new panel with everything that the given one holds, and the fields of any table or layer. A forecast of a bin
reads only what was known when it is made: of dated values those of bins that were over, so many bins before as the
delay says; of fixed values all, or with Known from nothing before that day.

How rows reach areas. By key: the key is the id or the name of an area, or of the larger area in which its middle lies.
By location: points are averaged, added up or counted in the area they lie in; of polygons each area takes the one in
which its middle lies. By shared area: averages (rates, shares, scores) are weighted by the area that a polygon and an
area share, or by a population; amounts (people, shops) are divided among the areas by it.

Dated rows are brought to the bins of the panel: those of one bin are averaged, or as amounts added up. Where an area
has no value in a bin, its last one before holds; such values are marked in the file and counted in the log. Nothing is
filled from later values, and before its first value an area has none.

Shuffled, all values are dealt out among the areas at random: a control. What a model gains with such values it does not
gain from what they say. A covariate replaces the one of its name; a prefix keeps both.
""")
    PROGRESS = (20.0, 98.0)
    OUTPUTS = (
        Output("COVARIATES", "covariates", tr("Covariates added")),
        Output("AREAS_WITH_VALUES", "areas_with_values", tr("Areas with a value")),
        Output("AREAS_WITHOUT", "areas_without", tr("Areas without any value")),
        Output("FILLED", "filled", tr("Values filled from the past")),
        Output("NAMES", "names", tr("Names of the covariates"), "text"),
    )

    panel: Annotated[
        str,
        MapLayer("counts"),
        Shown(tr("Panel"), tr("Made with Count incidents by area. It stays as it is."), name="INPUT"),
    ]
    table: Annotated[
        str,
        Table(),
        Shown(
            tr("Table or layer of covariates"),
            tr("With or without geometry; numbers may be text, as in a CSV file."),
        ),
    ]
    fields: Annotated[
        list[str],
        Field("table"),
        Shown(tr("Fields"), tr("Numbers; each becomes a covariate. To count points none is needed.")),
    ] = []
    joined: Annotated[
        Joining,
        Choice(
            {
                "key": tr("By key: the id or name of an area"),
                "location": tr("By location: points in an area, or the polygon under its middle"),
                "area": tr("By shared area, from other polygons"),
                "all": tr("Every row holds for all areas, as the weather of a city"),
            }
        ),
        Shown(tr("Joined"), tr("How a row finds its areas."), name="JOIN"),
    ] = "key"
    key_field: Annotated[
        str | None,
        Field("table"),
        Where("joined", "key"),
        Shown(tr("Key field"), tr("For joining by key: the field of the table that holds ids or names of areas.")),
    ] = None
    areas: Annotated[
        str | None,
        Areas(),
        Where("joined", "key"),
        Shown(
            tr("Larger areas"),
            tr(
                "Where the key names other areas than the panel's, as boroughs for LSOAs: their polygons. Each area "
                "of the panel takes the row of the one in which its middle lies."
            ),
        ),
    ] = None
    area_name: Annotated[
        str | None,
        Field("areas"),
        QGIS_ONLY,
        Shown(tr("Name of the larger areas"), tr("The field that holds what the key field holds.")),
    ] = None
    combine: Annotated[
        Combining,
        Choice(
            {
                "mean": tr("Averages, such as rates, shares and scores"),
                "sum": tr("Amounts, such as people and shops: added up, divided by shared area"),
                "count": tr("Only how many points there are"),
            }
        ),
        Shown(tr("The values are"), tr("What becomes of several values of one area and bin."), name="VALUES"),
    ] = "mean"
    weight_field: Annotated[
        str | None,
        Field("table"),
        Shown(
            tr("Weight of the averages"),
            tr("A field such as the population: a row with more of it counts for more. Optional."),
            advanced=True,
        ),
    ] = None
    date_field: Annotated[
        str | None,
        Field("table"),
        Shown(
            tr("Date field"),
            tr("When a value was measured: a date, month or year. Left empty, the values hold for all times."),
        ),
    ] = None
    delay: Annotated[
        int,
        Limits(0, 1000),
        Shown(
            tr("Bins until dated values are known"),
            tr(
                "With 0 a value is known as soon as its bin is over, with 1 a bin later. Nothing is used before. A "
                "yearly value dated 1 January that describes the year is known twelve months late."
            ),
        ),
    ] = 1
    known_from: Annotated[
        datetime | None,
        Shown(
            tr("Known from"),
            tr(
                "For values without dates: when they were published. Forecasts made before do not read them. Left "
                "empty they count as always known, which lets forecasts of earlier times look ahead."
            ),
        ),
    ] = None
    prefix: Annotated[str, Shown(tr("Prefix of the names"), tr("Set before the names of the fields. Optional."))] = ""
    shuffle: Annotated[
        bool,
        Shown(
            tr("Shuffled among the areas, as a control"),
            tr("All values of an area go to another one, drawn at random; the names end in (shuffled)."),
        ),
    ] = False
    seed: Annotated[int, SEED, Shown(tr("Seed"), tr("Of the shuffling."), advanced=True)] = 0
    source: Annotated[str, LayerName("table")] = ""
    output: Annotated[
        str,
        PanelDestination(style="panel"),
        Shown(tr("Panel with covariates")),
    ]

    @classmethod
    def list_problems(cls, given: Mapping[str, Any]) -> Iterator[Problem]:
        """Yield fields that are missing, and what is of no use together."""
        yield from super().list_problems(given)
        joined, combine = given.get("joined"), given.get("combine")
        if combine == "count" and joined != "location":
            yield Problem(
                "combine",
                tr("{combine} is of points, which {joined} by location brings to areas. Choose that."),
            )
        if not given.get("fields") and combine != "count":
            yield Problem("fields", tr("{fields} is empty. Choose the fields that hold the values."))
        if joined == "key" and not given.get("key_field"):
            yield Problem("key_field", tr("{key_field} is empty. Choose the field that holds ids or names of areas."))
        if given.get("areas") and "area_name" in given and not given["area_name"]:
            yield Problem(
                "area_name", tr("{area_name} is empty, but there are {areas}. Choose the field that holds their names.")
            )
        if given.get("areas") and joined == "key" and combine == "sum":
            yield Problem(
                "areas",
                tr(
                    "{areas} is given, but each area within one would get the whole amount. Join polygons that hold "
                    "the amounts by shared area, which divides them."
                ),
            )
        if given.get("weight_field") and combine != "mean":
            yield Problem(
                "weight_field", tr("{weight_field} is {value}, but only averages are weighted. Leave it empty.")
            )
        if joined == "all" and not given.get("date_field"):
            yield Problem(
                "date_field",
                tr("{date_field} is empty, and a value of all areas and all times tells nothing. Choose the dates."),
            )
        if joined == "all" and given.get("shuffle"):
            yield Problem(
                "shuffle", tr("{shuffle} changes nothing where every row holds for all areas. Switch it off.")
            )
        if given.get("date_field") and given.get("known_from"):
            yield Problem(
                "known_from",
                tr("{known_from} is {value}, but the values have dates. Give {delay}, or leave {date_field} empty."),
            )
