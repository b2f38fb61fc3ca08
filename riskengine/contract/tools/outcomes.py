"""What the tools of the group Outcomes share: incidents with an outcome, and the fields that say more of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from ..texts import tr
from .base import Limits, Problem, Shown, Tool
from .kinds import Choice, Field, LayerName, Table, Text, VectorDestination
from .shared import ReadsTimes, list_fields_of_none

#: Days until outcomes are known: more than two years are a mistake.
MATURITY = Limits(0, 730)
#: Whose rows a tool shows, in the order of their integers.
REPORTED = Choice(
    {
        "all": tr("All incidents"),
        "victims": tr("Reported by victims or others"),
        "strict": tr("The same without what is mostly an arrest on the spot"),
    }
)


class ReadsOutcomes(ReadsTimes):
    """A layer or table of incidents with the fields that are read; what is left empty is found by its name."""

    incidents: Annotated[
        str,
        Table(whole=True),
        Shown(
            tr("Incidents"),
            tr("A point layer in any CRS, or a table without places: a row a reported crime, with what became of it."),
            name="INPUT",
        ),
    ]
    outcome_field: Annotated[
        str | None,
        Field("incidents"),
        Shown(
            tr("Outcome field"),
            tr("What became of the incident, such as Arrest or Resolution. Left empty, it is found by its name."),
        ),
    ] = None
    outcome_values: Annotated[
        list[str],
        Text(";", "ARREST, BOOKED; ARREST, CITED"),
        Shown(
            tr("Values that count"),
            tr(
                "Values of the outcome field that are the outcome; separate several by semicolons. Left empty, they "
                "are proposed from the values, and the log shows which."
            ),
        ),
    ] = []
    time_field: Annotated[
        str | None,
        Field("incidents"),
        Shown(
            tr("Time field"),
            tr("When it happened or was reported: a Date, DateTime or text field. Left empty, found by its name."),
        ),
    ] = None
    category_field: Annotated[
        str | None,
        Field("incidents"),
        Shown(tr("Category field"), tr("What happened. Left empty, found by its name.")),
    ] = None
    description_field: Annotated[
        str | None,
        Field("incidents"),
        Shown(
            tr("Description field"), tr("What happened, more closely. Left empty, found by its name."), advanced=True
        ),
    ] = None
    location_field: Annotated[
        str | None,
        Field("incidents"),
        Shown(
            tr("Field of the kind of location"),
            tr("Such as STREET or APARTMENT. Left empty, found by its name."),
            advanced=True,
        ),
    ] = None
    domestic_field: Annotated[
        str | None,
        Field("incidents"),
        Shown(
            tr("Domestic field"),
            tr("Whether it happened within a family. Left empty, found by its name."),
            advanced=True,
        ),
    ] = None
    area_field: Annotated[
        str | None,
        Field("incidents"),
        Shown(tr("Area field"), tr("A district, ward or community area. Left empty, found by its name.")),
    ] = None
    block_field: Annotated[
        str | None,
        Field("incidents"),
        Shown(tr("Block or address field"), tr("Left empty, found by its name."), advanced=True),
    ] = None
    id_field: Annotated[
        str | None,
        Field("incidents"),
        Shown(
            tr("Incident number"),
            tr(
                "Where several rows are one incident, such as its charges: the field that says which. Left empty, "
                "found by its name."
            ),
            advanced=True,
        ),
    ] = None
    merge: Annotated[
        bool,
        Shown(
            tr("One row for each incident"),
            tr("The rows of one incident number become its first row, with the outcome that any of them has."),
        ),
    ] = False
    found_by_police: Annotated[
        list[str],
        Text(";", "NARCOTICS; PROSTITUTION"),
        Shown(
            tr("Categories that police discover"),
            tr(
                "Nobody reports them: police find them, mostly with the offender. Left empty, they are proposed from "
                "the categories' names, and the log shows which."
            ),
            name="FOUND",
            advanced=True,
        ),
    ] = []

    source: Annotated[str, LayerName("incidents")] = ""


class RefusesIncidents(Tool):
    """The incidents left out, as they are, with the reason."""

    refused: Annotated[
        str | None,
        VectorDestination("any", created=False, of="incidents"),
        Shown(
            tr("Refused incidents"),
            tr("Those without a date or an outcome that can be read, with all their fields and the reason."),
        ),
    ] = None


class HasAreas(Tool):
    """Areas that incidents are in; see `systems.outcomes.arealayer`."""

    areas: Annotated[
        str | None,
        Table(),
        Shown(
            tr("Areas"),
            tr(
                "Polygons, in any CRS. Left empty, areas are points in the middle of the incidents that name them in "
                "the area field."
            ),
        ),
    ] = None
    area_id: Annotated[
        str | None,
        Field("areas"),
        Shown(
            tr("Field of the areas' ids"),
            tr("What the area field of the incidents holds. Left empty, incidents belong to the area they lie in."),
        ),
    ] = None
    area_name: Annotated[
        str | None,
        Field("areas"),
        Shown(tr("Field of the areas' names"), tr("What people call them. Left empty, their ids or numbers.")),
    ] = None

    @classmethod
    def list_problems(cls, given: Mapping[str, Any]) -> Iterator[Problem]:
        """Yield fields of areas that are not there."""
        yield from super().list_problems(given)
        yield from list_fields_of_none(given)
