"""The tool Draw window maps, of the group Early warning: a picture of all crime in each window, as published."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Annotated, Any

from ..choices import WindowStyle
from ..colours import split_category_colour
from ..texts import list_names, tr
from .base import Limits, Output, Problem, Shown
from .kinds import Choice, File, FolderDestination, RasterDestination, Text, Units, VectorDestination, find_ending
from .shared import REFUSED_COUNT, WARNINGS, WINDOW_NETWORK, list_nothing_wanted
from .warning import BEGIN, WINDOW, ReadsEvents, list_window_problems

#: Pixels along a side of a picture.
SIDE = Limits(16, 600)


class DrawsPictures(ReadsEvents):
    """Pictures of windows: a dot for each incident on the outlines of the areas."""

    targets: Annotated[
        list[str],
        Text(";", "SHOOTING; HOMICIDE"),
        Limits(fewest=1),
        Shown(
            tr("Target categories"),
            tr(
                "A window's label is whether one of these happened in it. As the category field has them; separate "
                "several by semicolons."
            ),
        ),
    ]
    areas: Annotated[
        str,
        Units(),
        Shown(
            tr("Areas"),
            tr("Polygons whose outlines are drawn, such as neighbourhoods, in any CRS. They are what a picture shows."),
        ),
    ]
    window: Annotated[
        int,
        WINDOW,
        Shown(
            tr("Window"),
            tr("How long a picture's window is: 1, 2, 3, 4, 6, 8, 12 or 24 hours, or whole days up to 168 hours."),
            unit="hours",
        ),
    ] = 2
    style: Annotated[
        WindowStyle,
        Choice(
            {
                "published": tr("As published: from a minute past the hour, both ends included"),
                "halfopen": tr("From the hour, the end not included"),
            }
        ),
        Shown(
            tr("Windows"),
            tr(
                "As published, an incident at the very moment at which one window ends and the next begins is in both. "
                "Windows without any incident are left out."
            ),
        ),
    ] = "published"
    begin: Annotated[
        int,
        BEGIN,
        Shown(
            tr("Windows begin"),
            tr("Hours after Monday midnight at which one begins, the others follow."),
            unit="hours",
            advanced=True,
        ),
    ] = 0
    width: Annotated[
        int | None,
        SIDE,
        Shown(
            tr("Width"),
            tr("Left empty 175, the published one, or what the network looks at."),
            unit="pixels",
        ),
    ] = None
    height: Annotated[
        int | None,
        SIDE,
        Shown(
            tr("Height"),
            tr(
                "Left empty, the one that keeps the shape of the map: 217 for Baltimore, as published. With another "
                "the map is stretched: the published networks read 172 × 216 and 150 × 150."
            ),
            unit="pixels",
        ),
    ] = None
    colours: Annotated[
        list[str],
        Text(";", "SHOOTING=#BD3D3A; LARCENY=#D5AE41"),
        Shown(
            tr("Colours"),
            tr(
                "Of the dots by category, such as SHOOTING=#BD3D3A; LARCENY=#D5AE41. For those left out the published "
                "colours are taken, or the next of a list; the log says which."
            ),
        ),
    ] = []
    start: Annotated[datetime | None, Shown(tr("Start"), tr("No window begins before it."))] = None
    end: Annotated[datetime | None, Shown(tr("End (not included)"), tr("No window reaches beyond it."))] = None

    @classmethod
    def list_problems(cls, given: Mapping[str, Any]) -> Iterator[Problem]:
        """Yield windows that do not fill a day or a week, and texts that are no colours."""
        yield from super().list_problems(given)
        yield from list_window_problems(given)
        if not any(name.strip() for name in given["targets"]):
            yield Problem("targets", tr("{targets} is empty. Name categories, such as SHOOTING."))
        wrong = [text for text in given["colours"] if text.strip() and split_category_colour(text) is None]
        if wrong:
            text = tr("{colours} has {wrong}, which is no category with a colour. Write each as SHOOTING=#BD3D3A.")
            yield Problem("colours", text.replace("{wrong}", list_names(wrong).replace("{", "{{").replace("}", "}}")))


class DrawWindowMaps(DrawsPictures):
    ID = "windowmaps"
    JOB = "window_maps"
    TITLE = tr("Draw window maps")
    GROUP = WARNINGS
    TAGS = "early warning,window,picture,image,png,map,dots,two hours,shooting,homicide,published,network,training data"
    SUMMARY = tr("Draws all crime of each window, such as two hours, as a picture, with a table of what is in it.")
    HELP = tr("""
Each incident is a dot in the colour of its category, on the outlines of the areas; those in which something happened
are red. This is how a published system drew Baltimore: 175 × 217 pixels, windows of two hours, and a label that says
whether there was a homicide or shooting in the window.

Beware: the incidents that make the label are on the picture, and in the published colours stolen cars share their red.
A network that looks at these pictures detects what has happened. It does not warn of what will. Warn does.

Pictures are PNG files in a folder, named after the begin of their window, with a table windows.csv of their labels. Or
they are a GeoTIFF with a band a window, which lies on the map and plays in the Temporal Controller; it holds a byte a
pixel, so its colours are the nearest of 255. Windows without any incident are left out and counted.

Every row is a dot, as published: victims of one shooting lie on each other. Incidents outside all areas are not drawn,
and are in the table of refused features, like those without a time.
""")
    PROGRESS = (10.0, 95.0)
    OUTPUTS = (
        Output("WINDOWS", "windows", tr("Windows drawn")),
        Output("EMPTY", "empty", tr("Windows without any incident, left out")),
        Output("WITH_TARGET", "with_target", tr("Windows drawn with a target in them")),
        Output("COUNT", "drawn", tr("Incidents drawn")),
        Output("TWICE", "twice", tr("Incidents drawn in two windows")),
        Output("WIDTH_USED", "width", tr("Width of the pictures [pixels]")),
        Output("HEIGHT_USED", "height", tr("Height of the pictures [pixels]")),
        Output("COLOURS_USED", "colours", tr("Colours by category"), "text"),
        REFUSED_COUNT,
    )

    model: Annotated[
        str | None,
        File(find_ending(WINDOW_NETWORK)),
        Shown(
            tr("Network"),
            tr(
                "One made with Train early-warning network: what it says of each picture, a probability, is written "
                "into the tables. Optional."
            ),
            name="MODEL",
        ),
    ] = None
    pictures: Annotated[
        str | None,
        FolderDestination(),
        Shown(
            tr("Pictures"),
            tr(
                "A folder of PNG files with their table windows.csv: a new or empty one, or that of an earlier run, "
                "which is replaced."
            ),
        ),
    ] = None
    stack: Annotated[
        str | None,
        RasterDestination(style="window_maps", abstract="headline", created=False),
        Shown(tr("Stack of pictures"), tr("A GeoTIFF with a band for each window.")),
    ] = None
    labels: Annotated[
        str | None,
        VectorDestination(
            "none",
            {
                "file": "text",
                "band": "integer",
                "start": "datetime",
                "end": "datetime",
                "incidents": "integer",
                "target_events": "integer",
                "label": "integer",
                "probability": "real",
            },
            style="window_labels",
        ),
        Shown(
            tr("Labels"),
            tr(
                "Each window drawn: its picture, the incidents and the events of the targets in it (several victims at "
                "one time and place are one event), 1 in label where there is any, and what the network says."
            ),
        ),
    ] = None

    @classmethod
    def list_problems(cls, given: Mapping[str, Any]) -> Iterator[Problem]:
        """Yield a run that would write nothing."""
        yield from super().list_problems(given)
        yield from list_nothing_wanted(given, "pictures", "stack", "labels")
