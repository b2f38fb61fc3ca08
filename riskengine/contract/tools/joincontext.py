"""The tool Join context, of the group Outcomes: weather, census or any table beside each incident."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from ..choices import DateOrder
from ..texts import tr
from .base import Limits, Output, Problem, Shown
from .kinds import Choice, Field, File, LayerName, Table, Text, VectorDestination
from .shared import DATE_ORDER, OUTCOMES, ReadsTimes

#: How a row of the table finds its incidents.
JoinedBy = Literal["auto", "date", "hour", "key", "location"]
#: What temperatures are written in; `TENTHS` as the raw files of GHCN have them.
TemperatureUnit = Literal["auto", "celsius", "fahrenheit", "tenths"]
#: What they are joined in.
TemperatureWanted = Literal["same", "celsius", "fahrenheit"]
#: What becomes of several rows of one day, hour or key.
Repeated = Literal["mean", "refuse"]
#: More than a year late, a day's weather says nothing of the day.
DELAY = Limits(0, 366)


class JoinContext(ReadsTimes):
    ID = "joincontext"
    JOB = "join_context"
    TITLE = tr("Join context")
    GROUP = OUTCOMES
    TAGS = "join,weather,temperature,census,community areas,date,hour,key,location,merge,context,ghcn,noaa"
    SUMMARY = tr("Adds to each incident the fields of a table: the weather of its day, the census of its area.")
    HELP = tr("""
The result has all incidents in their order, with all their fields, and those of the table: any other tool can use
them. No incident is lost. One that finds no row has empty values, and the log says how many, and why: days without
weather, areas that the table does not have, incidents without a date, key or place. Rows of the table that no incident
finds are counted and named, too, such as a last row for the whole city.

By date or hour: the columns of the date and the hour are found as Import incidents finds them, whatever their names. By
key: 24.0, 24 and 024 are one key, and capitals and blanks do not matter. By location: an incident takes the polygon in
which it lies, on a border or an overlap the first one.

A CSV file is read as it was published: any line end, encoding, delimiter and quoting. Temperatures are found by their
names, and the log says what they are taken for. Days until known: with 0 an incident has the weather of its own day,
which describes the past; a forecast made in the morning does not know it. With 1 it has that of the day before.
""")
    OUTPUTS = (
        Output("JOINED_COUNT", "joined", tr("Incidents with values of the table")),
        Output("WITHOUT", "without", tr("Incidents without")),
        Output("FIELDS_ADDED", "added", tr("Fields added")),
        Output("NAMES", "names", tr("Names of the fields added"), "text"),
        Output("JOINED_BY", "way", tr("How they were joined"), "text"),
    )

    incidents: Annotated[
        str,
        Table(whole=True),
        Shown(
            tr("Incidents"),
            tr("A point layer in any CRS, or a table without places: a row a reported crime."),
            name="INPUT",
        ),
    ]
    table: Annotated[
        str | None,
        Table(whole=True),
        Shown(
            tr("Table or layer to join"),
            tr("Weather by day or hour, values by key, or polygons. Or choose a file below."),
        ),
    ] = None
    file: Annotated[
        str | None,
        File(filter=tr("Tables (*.csv *.tsv *.txt *.xlsx *.xls *.ods *.zip *.gz);;All files (*)")),
        Shown(
            tr("File to join"),
            tr("In its place: a CSV file as it was published, which need not open in QGIS."),
            name="TABLE_FILE",
        ),
    ] = None
    joined: Annotated[
        JoinedBy,
        Choice(
            {
                "auto": tr("Automatic: by location in polygons, else by date or hour, else by key"),
                "date": tr("By date"),
                "hour": tr("By hour"),
                "key": tr("By key"),
                "location": tr("By location in polygons"),
            }
        ),
        Shown(tr("Join"), tr("How an incident finds its row. The log says what automatic has chosen.")),
    ] = "auto"
    time_field: Annotated[
        str | None,
        Field("incidents"),
        Shown(
            tr("Time field of the incidents"),
            tr("A Date, DateTime or text field. Left empty, it is found by what it holds."),
        ),
    ] = None
    key_field: Annotated[
        str | None,
        Field("incidents"),
        Shown(
            tr("Key field of the incidents"),
            tr("Such as the number of the community area. Left empty, it is found by name and values."),
        ),
    ] = None
    date_column: Annotated[
        list[str],
        Text(";", "DATE; HOUR"),
        Shown(
            tr("Columns of the table's time"),
            tr(
                "The date, or date and hour, or year, month and day; separate several by semicolons. Left empty, they "
                "are found by what they hold."
            ),
            name="TABLE_TIME",
        ),
    ] = []
    key_column: Annotated[
        str | None,
        Shown(tr("Key column of the table"), tr("Left empty, it is found by name and values."), name="TABLE_KEY"),
    ] = None
    columns: Annotated[
        list[str],
        Text(";", "TMAX; TMIN; PRCP"),
        Shown(
            tr("Columns to join"),
            tr(
                "Separate several by semicolons. Left empty, all but those that only say the date or key, or the same "
                "in every row."
            ),
            name="FIELDS",
        ),
    ] = []
    prefix: Annotated[
        str, Shown(tr("Prefix of the new fields"), tr("Set before their names, such as weather_. Optional."))
    ] = ""
    delay: Annotated[
        int,
        DELAY,
        Shown(
            tr("Days until values are known"),
            tr(
                "By date or hour: so many days before the incident its values are of. 0 joins those of the same day or "
                "hour, which describes what was, but no forecast made before could know."
            ),
            unit="days",
        ),
    ] = 0
    temperatures: Annotated[
        TemperatureUnit,
        Choice(
            {
                "auto": tr("Told by names and values"),
                "celsius": tr("Degrees Celsius"),
                "fahrenheit": tr("Degrees Fahrenheit"),
                "tenths": tr("Tenths of a degree Celsius, as in raw GHCN files"),
            }
        ),
        Shown(tr("Temperatures of the table are in"), tr("The log says what they are taken for, and why.")),
    ] = "auto"
    wanted: Annotated[
        TemperatureWanted,
        Choice({"same": tr("As they are"), "celsius": tr("Degrees Celsius"), "fahrenheit": tr("Degrees Fahrenheit")}),
        Shown(
            tr("Join temperatures in"),
            tr("Tables of different units then fit one model. The names of the fields stay."),
            name="CONVERT",
        ),
    ] = "same"
    temperature_columns: Annotated[
        list[str],
        Text(";", "TMAX; TMIN"),
        Shown(
            tr("Columns of temperatures"),
            tr("Separate several by semicolons. Left empty, they are found by their names."),
            advanced=True,
        ),
    ] = []
    repeated: Annotated[
        Repeated,
        Choice({"mean": tr("Averaged"), "refuse": tr("Refused")}),
        Shown(
            tr("Several rows of one day, hour or key"),
            tr("Averaged, texts take the first; or refused, where there must be only one."),
            advanced=True,
        ),
    ] = "mean"
    table_order: Annotated[
        DateOrder,
        DATE_ORDER,
        Shown(
            tr("Order of dates in the table"),
            tr("Which of day and month comes first where its dates are text such as 02/03/24."),
            advanced=True,
        ),
    ] = "auto"
    source: Annotated[str, LayerName("table")] = ""
    output: Annotated[
        str,
        VectorDestination("any", style="context", abstract="abstract", of="incidents"),
        Shown(tr("Incidents with context"), tr("All incidents with all their fields, and the new ones.")),
    ]

    @classmethod
    def list_problems(cls, given: Mapping[str, Any]) -> Iterator[Problem]:
        """Yield a table that is missing or given twice, and what is of no use in a way of joining."""
        yield from super().list_problems(given)
        if not given.get("table") and not given.get("file"):
            yield Problem("table", tr("{table} and {file} are empty. Choose the table or the file to join."))
        if given.get("table") and given.get("file"):
            yield Problem("file", tr("{file} is {value}, but {table} is given, too. Leave one of them empty."))
        way = given.get("joined")
        if way in ("key", "location") and given.get("delay"):
            yield Problem("delay", tr("{delay} is {value}, but only values by date or hour are late. Set it to 0."))
