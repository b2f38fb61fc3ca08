"""Tools of the group Incidents: from files to points."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

from ..choices import Occurred
from ..texts import tr
from .base import QGIS_ONLY, Limits, Output, Problem, Shown
from .kinds import Choice, Crs, Field, File, FileDestination, Files, LayerName, Scratch, Text, VectorDestination
from .shared import HTML, INCIDENTS, REFUSED_COUNT, SEED, ReadsIncidents, ReadsTimes, RefusesFeatures, WorksInMetres

#: The known formats are data, a file each: neither side needs the other to list them.
PROFILES = Path(__file__).resolve().parents[2] / "intake" / "profiles"

_BY_HAND = tr("Needed when columns are named by hand; otherwise it replaces the format's own.")


def _formats() -> dict[str, str]:
    """Titles by id, in the order of the published integers; the two that are no format have theirs here."""
    known = [json.loads(path.read_text(encoding="utf-8")) for path in PROFILES.glob("*.json")]
    numbered = {0: ("auto", tr("Detect by the header")), 8: ("columns", tr("Columns named by hand"))}
    numbered |= {each["number"]: (each["id"], each["title"]) for each in known}
    return dict(numbered[number] for number in sorted(numbered))


#: The formats by their ids, in the order of their integers.
FORMATS = _formats()


class ImportIncidents(ReadsTimes):
    ID = "importincidents"
    JOB = "import_csv"
    TITLE = tr("Import incidents")
    GROUP = INCIDENTS
    TAGS = "csv,police,crime,open data,import,points,fgj,chicago,police.uk,incidents"
    SUMMARY = tr(
        "Reads incidents as the police publish them, in CSVs, spreadsheets, archives or folders, into a point layer."
    )
    HELP = tr("""
The known open-data formats are recognised by their headers. In any other file longitude and latitude are told by
their names and the time by its values; the log says which columns were taken and what else could have been. Or
choose "Columns named by hand" and name the columns of X, Y and time. The time may be spread over columns, separated
by commas: date and time of day, or year, month, day, hour and minute.

Where a file gives the start and the end of the span in which a crime happened, name both: the layer then has the
fields start and end, and occurred is the moment of the span that you choose. Times with an offset or in UTC become
local where you name the time zone.

The layer gets the fields occurred (local civil time, stored without a zone shift) and category, then the file's
other columns. Rows that cannot be used (no coordinates, (0, 0), outside the area, swapped, no or unreadable or
future time, a wrong number of fields) go to the table of refused rows with their line number, the reason and
the row itself: nothing is lost.
""")
    PROGRESS = (0.0, 90.0)
    OUTPUTS = (
        Output("COUNT", "imported", tr("Incidents")),
        Output("REFUSED_COUNT", "refused", tr("Refused rows")),
        Output("FORMAT", "profile", tr("Format recognised"), "text"),
        Output("FIRST", "first", tr("First incident"), "text"),
        Output("LAST", "last", tr("Last incident"), "text"),
        Output("EXACTNESS", "exactness", tr("How exact the times are"), "text"),
    )

    path: Annotated[
        str,
        File(
            filter=tr(
                "Files of rows (*.csv *.tsv *.txt *.gz *.zip *.xlsx *.xls *.ods);;All files (*)",
            )
        ),
        Shown(
            tr("File, folder or archive"),
            tr("A CSV or other text, a spreadsheet, a .gz or .zip of such, or the path of a folder of them."),
            name="INPUT",
        ),
    ]
    folder: Annotated[str, Scratch("")]
    profile: Annotated[
        str,
        Choice(FORMATS),
        Shown(
            tr("Format"),
            tr("Detect by the header knows all that are listed, and reads a file of no known format by its columns."),
        ),
    ] = "auto"
    x: Annotated[str | None, Shown(tr("Column of X or longitude"), _BY_HAND, name="X_FIELD")] = None
    y: Annotated[
        str | None,
        Shown(
            tr("Column of Y or latitude"),
            tr("Left empty where the column above holds points; otherwise given or left out together with it."),
            name="Y_FIELD",
        ),
    ] = None
    time: Annotated[
        list[str],
        Text(",", "date, time"),
        Limits(most=5),
        Shown(
            tr("Column of the time"),
            tr(
                "Or date and time of day, or year, month, day, hour and minute, separated by commas. A name that holds "
                'a comma stands in quotes: "DATE, OCC".'
            ),
            name="TIME_FIELD",
        ),
    ] = []
    end: Annotated[
        list[str],
        Text(",", "date, time"),
        Limits(most=5),
        Shown(
            tr("Column of the end of the span"),
            tr("Where the time above is only the start, as of a burglary during a holiday; written as above."),
            name="END_FIELD",
        ),
    ] = []
    occurred: Annotated[
        Occurred,
        Choice(
            {
                "start": tr("Start"),
                "middle": tr("Middle"),
                "end": tr("End"),
                "random": tr("Random moment of the span (seeded)"),
            }
        ),
        Shown(tr("Moment of the span that counts"), tr("What the field occurred holds where a row has both times.")),
    ] = "start"
    seed: Annotated[
        int, SEED, Shown(tr("Seed"), tr("The same seed and file give the same random moments."), advanced=True)
    ] = 0
    time_zone: Annotated[
        str | None,
        Shown(
            tr("Time zone"),
            tr(
                "Such as America/New_York or UTC-05:00. Times with an offset or in UTC are converted into it; others "
                "are local already. Left empty, times stay as they are written, and the log names the zone if that "
                "looks wrong."
            ),
            advanced=True,
        ),
    ] = None
    category: Annotated[str | None, Shown(tr("Column of the category"), _BY_HAND, name="CATEGORY_FIELD")] = None
    crs: Annotated[
        str | None, Crs(), Shown(tr("CRS of the coordinates"), tr("By default that of the format, or WGS 84."))
    ] = None
    encoding: Annotated[str | None, Shown(tr("Encoding"), tr("Left empty it is detected."), advanced=True)] = None
    delimiter: Annotated[str | None, Shown(tr("Delimiter"), tr("Left empty it is detected."), advanced=True)] = None
    header: bool | None = None
    more: Annotated[
        list[str], Files(), Shown(tr("Further files"), tr("They are read after it, as if all were one."), advanced=True)
    ] = []
    files: Annotated[
        list[str],
        Text(",", "*-outcomes.csv"),
        Shown(
            tr("Files to read"),
            tr(
                "Patterns of names, separated by commas, such as *-outcomes.csv; also the name of a sheet in a "
                "spreadsheet. Left empty, the files of a folder or archive that are alike are read, of data.police.uk "
                "those of street crime."
            ),
            advanced=True,
        ),
    ] = []
    id_field: Annotated[
        str | None,
        Shown(
            tr("Incident number"),
            tr(
                "The column that numbers the incidents, where each has several rows, such as its charges: the first "
                "row of each is kept, and a field counts its rows."
            ),
            name="ID_FIELD",
            advanced=True,
        ),
    ] = None
    profile_file: Annotated[
        str | None,
        # QGIS refuses a bare name where the filter allows one ending only.
        File(filter=tr("Formats of incidents (*.json);;All files (*)")),
        Shown(
            tr("Saved format"),
            tr(
                "A format of your own, in place of the one above; what you name beside it comes first. A name without "
                "a folder is one of those in the QGIS profile."
            ),
        ),
    ] = None
    # The rows of the layer that is appended to.
    known: str | None = None
    # Rows went in parts of so many before they went as a table.
    part_rows: Annotated[int, Limits(1)] = 50_000
    output: Annotated[
        str | None, VectorDestination("point", style="incidents"), Shown(tr("Incidents"), optional=False)
    ] = None
    refused: Annotated[
        str | None,
        VectorDestination("none", {"line": "long", "reason": "text", "row": "text"}),
        Shown(
            tr("Refused rows"), tr("A table of the rows that were left out: line number, reason, and the row itself.")
        ),
    ] = None
    inspection: Annotated[
        str | None,
        FileDestination(filter=HTML, created=False),
        Shown(
            tr("A look at the incidents"),
            tr("The report of Inspect incidents: what the data can carry, and the parameters that suit them."),
        ),
    ] = None
    save_profile: Annotated[
        str | None,
        FileDestination(filter=tr("Formats of incidents (*.json)"), created=False),
        Shown(
            tr("Save the format as"),
            tr(
                "Which columns were read and how, for the next file of this kind and for others. A name without a "
                "folder is kept in the QGIS profile."
            ),
        ),
    ] = None

    @classmethod
    def list_problems(cls, given: Mapping[str, Any]) -> Iterator[Problem]:
        """Yield a format that there is not."""
        yield from super().list_problems(given)
        if given["profile"] not in FORMATS:
            known = ", ".join(FORMATS)
            yield Problem("profile", f"There is no {{profile}} '{{value}}'. Use one of {known}.")


class InspectIncidents(WorksInMetres, ReadsIncidents, RefusesFeatures):
    ID = "inspectincidents"
    JOB = "inspect_incidents"
    TITLE = tr("Inspect incidents")
    GROUP = INCIDENTS
    TAGS = "quality,report,duplicates,snapped,address,delay,weekday,hour,exploratory,look,check,incidents"
    SUMMARY = tr("Writes a report of what the incidents can carry, before anything is computed from them.")
    HELP = tr("""
One page: the span and how exact the times are, counts by month, weekday and hour, categories, what was refused and why,
repeated and snapped coordinates, places far from all others, duplicates, the delay of reporting, and categories that
patrols find. Each says what it means for scores, near repeats and forecasts. At its end stand the parameters that suit
these incidents, to copy.

Nothing is changed: what the report finds is for you to judge.
""")
    PROGRESS = (20.0, 98.0)
    OUTPUTS = (
        Output("COUNT", "incidents", tr("Incidents")),
        REFUSED_COUNT,
        Output("FIRST", "first", tr("First incident"), "text"),
        Output("LAST", "last", tr("Last incident"), "text"),
        Output("EXACTNESS", "exactness", tr("Times are exact to the"), "text"),
        Output("CATEGORY_COUNT", "categories", tr("Categories")),
        Output("UNCATEGORISED", "uncategorised", tr("Incidents without a category")),
        Output("DUPLICATES", "duplicates", tr("Incidents of the time, place and category of another")),
        Output("REPEATS", "repeats", tr("Share that repeats a coordinate of the 92 days before")),
        Output("STRAYS", "strays", tr("Places far from all others")),
        Output("PATROL_SHARE", "patrol_share", tr("Share of categories that patrols find")),
        Output("DELAY_MEDIAN", "delay_median", tr("Days until half are reported, -1 where unknown")),
        Output("BIN_UNIT", "bin_unit", tr("Time bin that suits them"), "text"),
        Output("CELL", "cell_size", tr("Cell size that suits them")),
        Output("START", "start", tr("Start of the period that suits them"), "text"),
        Output("END", "end", tr("End of that period (not included)"), "text"),
    )

    reported_field: Annotated[
        str | None,
        Field("incidents"),
        QGIS_ONLY,
        Shown(tr("Time of report"), tr("When it was reported: a Date, DateTime or text field. Optional.")),
    ] = None
    layer: Annotated[str, LayerName("incidents")] = ""
    # What was refused before the job, by reason.
    refused_places: dict[str, int] = {}
    report: Annotated[str, FileDestination(filter=HTML), Shown(tr("Report"), tr("One HTML file."))]
