"""What pictures are drawn of: incidents in their areas, windows and colours, read as a tool's parameters say."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ....contract.colours import PICTURE_COLOURS, PICTURE_READ
from ....contract.dates import format_span
from ....contract.texts import count_text, list_names, none_text, part_text, show_name
from ....contract.tools.windowmaps import DrawsPictures
from ....contract.warnings import Timing
from ....ground.context import JobContext
from ....ground.errors import DataError, ParameterError
from ....intake.incidents import (
    Incidents,
    Refusal,
    count_refused,
    describe_reasons,
    read_addresses,
    read_ends,
    read_exchange,
)
from ....maps.areas import Areas
from ....maps.assigning import assign_by_place
from ....maps.categories import find_named, name_missing
from ....maps.events import Events, merge_events
from ....maps.history import to_local_moment
from ....maps.unitlayer import make_units, read_units
from ....maps.warningpanel import check_exactness
from ..traps import describe_duplicates, describe_midnight, describe_spans
from .drawing import Box, Dots, WindowDrawing, find_extent, fit_height
from .style import PUBLISHED, PUBLISHED_SIZE, choose_colours, list_shades_of, read_colours
from .windows import PictureWindows, list_picture_windows

Flags = NDArray[np.bool_]
#: Most colours that a line of the log lists.
_LISTED = 40


@dataclass(frozen=True, eq=False)
class Pictured:
    """All that pictures of windows are drawn of.

    Attributes
    ----------
    incidents : Incidents
        Those in an area, n of them.
    unit : ndarray of int64, shape (n,)
        The area of each.
    place : ndarray of int32, shape (n,), or None
        Code of the address of each, -1 for none.
    target : ndarray of bool, shape (n,)
        Those of the target categories.
    events : Events
        What the targets are, several victims at one time and place being one.
    windows : PictureWindows
    areas : Areas
    colours : dict of str to str
        ``#rrggbb`` by category.
    refusals : list of Refusal
    """

    incidents: Incidents
    unit: NDArray[np.int64]
    place: NDArray[np.int32] | None
    target: Flags
    events: Events
    windows: PictureWindows
    areas: Areas
    colours: dict[str, str]
    refusals: list[Refusal]

    def make_drawing(self, width: int | None, height: int | None, extent: Box | None = None) -> WindowDrawing:
        """Make the drawing of a size; left open, the published width, and the height that keeps the map's shape."""
        extent = extent or find_extent(self.areas.geometries)
        wide = width or PUBLISHED_SIZE[0]
        return WindowDrawing(PUBLISHED, self.areas.geometries, (wide, height or fit_height(extent, wide)), extent)

    def place_dots(self, drawing: WindowDrawing) -> Dots:
        """Bring all incidents to the pixels of a drawing."""
        shades = list_shades_of(self.incidents.categories, self.colours)[self.incidents.category]
        return drawing.place(self.incidents.x, self.incidents.y, shades, self.unit)

    def count_drawn(self) -> int:
        """Count the incidents that lie in a window."""
        return int(self.windows.sizes.sum()) - self.windows.twice

    def count_events(self) -> NDArray[np.int64]:
        """Count the events of the targets in each window."""
        first = np.zeros(len(self.incidents), dtype=bool)
        rows = np.flatnonzero(self.target)
        first[rows[np.unique(self.events.rows, return_index=True)[1]]] = True
        return self.windows.count(first)


def read_pictured(parameters: DrawsPictures, context: JobContext) -> Pictured:
    """Read what pictures are drawn of, and say what was read, what was left out and which colours dots have.

    Raises
    ------
    DataError
        If nothing is left to draw.
    ParameterError
        If the windows are finer than the times, or a colour is none.
    """
    incidents, refusals = read_exchange(parameters.incidents, context, order=parameters.date_order)
    place = read_addresses(parameters.incidents, incidents)
    until = read_ends(parameters.incidents, incidents, parameters.date_order)
    check_exactness(_make_timing(parameters), incidents.exactness)
    incidents = name_missing(incidents, context)
    target = find_named(incidents, parameters.targets, "targets")
    if lost := count_refused(parameters.incidents, refusals, parameters.targets):
        rows = sum(lost.values())
        context.warn(
            f"{part_text(rows, rows + int(target.sum()), 'target row', 'is', 'are')} left out"
            f" ({describe_reasons(lost)}): the window that each belongs to may be labelled as if without"
        )
    colours = _choose_colours(parameters, incidents, target)
    areas = _read_areas(parameters, context)
    assigned = assign_by_place(incidents, areas, context)
    inside = assigned.unit >= 0
    if not inside.any():
        raise DataError(
            f"{none_text(len(incidents), 'incident', 'lies', 'lies')} in one of the"
            f" {count_text(len(areas.ids), 'area')}, so there is nothing to draw",
            parameter="areas",
            remedy="Choose areas of the same city, and check the CRS of both layers",
        )
    outside = len(incidents) - int(inside.sum())
    if outside:
        context.warn(f"{part_text(outside, len(incidents), 'incident', 'lies', 'lie')} in no area and cannot be drawn")
        refusals += [
            Refusal(int(fid), str(why))
            for fid, why in zip(incidents.fid[~inside], assigned.reason[~inside], strict=True)
        ]
    incidents, target = incidents.select(inside), target[inside]
    place = None if place is None else place[inside]
    first, last = (
        None if each is None else to_local_moment(each, name)
        for name, each in (("start", parameters.start), ("end", parameters.end))
    )
    closed = parameters.style == "published"
    windows = list_picture_windows(incidents, first, last, parameters.window, closed, parameters.begin)
    if not len(windows):
        raise DataError(
            f"No incident lies in a window: {count_text(windows.empty, 'window is', 'windows are')} empty",
            parameter="start" if first is not None else "incidents",
            remedy="Choose a START and an END between which there are incidents",
        )
    events = merge_events(incidents.select(target), None if place is None else place[target])
    pictured = Pictured(incidents, assigned.unit[inside], place, target, events, windows, areas, colours, refusals)
    _describe(pictured, parameters, context)
    if until is not None:
        # Of windows without any incident, too.
        edges = np.arange(windows.starts[0], windows.ends[-1] + 1, np.timedelta64(parameters.window, "h"))
        if spans := describe_spans(incidents.time[target], until[inside][target], edges, _make_timing(parameters)):
            context.warn(spans)
    return pictured


def _make_timing(parameters: DrawsPictures) -> Timing:
    return Timing(parameters.window, parameters.begin, 0, 0)


def _read_areas(parameters: DrawsPictures, context: JobContext) -> Areas:
    units = make_units(read_units(parameters.areas), parameters.crs, 1.0, context)
    if not isinstance(units, Areas):
        raise ParameterError(
            "areas are lines, and pictures are drawn of the outlines of polygons",
            parameter="areas",
            value=len(units.ids),
            remedy="Choose a layer of polygons, such as neighbourhoods",
        )
    return units


def _choose_colours(parameters: DrawsPictures, incidents: Incidents, target: Flags) -> dict[str, str]:
    """Colours of all categories that are there, the most frequent first."""
    given = read_colours([text for text in parameters.colours if text.strip()])
    unknown = [name for name in given if name not in incidents.categories]
    if unknown:
        raise DataError(
            f"No incident has category {list_names(unknown)}",
            parameter="colours",
            value=unknown[0],
            remedy=f"Choose from: {list_names(sorted(incidents.categories), _LISTED)}",
        )
    counts = np.bincount(incidents.category[incidents.category >= 0], minlength=len(incidents.categories))
    targets = {incidents.categories[code] for code in np.unique(incidents.category[target]).tolist()}
    frequent = [incidents.categories[code] for code in np.argsort(-counts, kind="stable") if counts[code]]
    return choose_colours(frequent, sorted(targets), given)


def _describe(pictured: Pictured, parameters: DrawsPictures, context: JobContext) -> None:
    windows, incidents = pictured.windows, pictured.incidents
    targets = {incidents.categories[code] for code in np.unique(incidents.category[pictured.target]).tolist()}
    edges = "a minute past the hour, both ends included" if windows.closed else "the hour, the end not included"
    span = format_span(windows.starts[0], windows.ends[-1])
    context.log(f"Windows of {count_text(parameters.window, 'hour')} from {edges}: {span}")
    drawn = part_text(pictured.count_drawn(), len(incidents), "incident", "is", "are")
    context.log(f"{drawn} in {count_text(len(windows), 'window')}, each a dot; the others are of another time")
    if windows.empty:
        without = count_text(windows.empty, "window has no incident and is", "windows have no incident and are")
        context.log(f"{without} left out")
    if windows.twice:
        both = count_text(windows.twice, "incident happened", "incidents happened")
        context.log(f"{both} at the moment at which one window ends and the next begins: as published, in both")
    rows, events = windows.count(pictured.target), pictured.count_events()
    have = part_text(int((rows > 0).sum()), len(windows), "window", "has", "have")
    context.log(
        f"{have} a target: {count_text(int(rows.sum()), 'row')}, which are {count_text(int(events.sum()), 'event')},"
        " since rows at one time and place are the victims of one"
    )
    found = incidents.select(pictured.target)
    if again := describe_duplicates(found.between(windows.starts[0], windows.ends[-1])):
        context.log(again)
    for note in describe_midnight(found.time, _make_timing(parameters)):
        context.warn(note)
    _describe_colours(pictured.colours, sorted(targets), context)


def _describe_colours(colours: dict[str, str], targets: list[str], context: JobContext) -> None:
    listed = [f"{show_name(name)} {colour}" for name, colour in list(colours.items())[:_LISTED]]
    more = len(colours) - len(listed)
    context.log(f"Colours of the dots: {', '.join(listed)}{f' and {more} more' if more else ''}")
    ours = [name for name in PICTURE_READ if colours.get(name) == PICTURE_COLOURS[name]]
    if ours:
        context.log(f"Which of the published colours {list_names(ours)} had is our reading")
    reds = {colours[name] for name in targets}
    alike = [name for name, colour in colours.items() if colour in reds and name not in targets]
    if alike:
        has = "has" if len(alike) == 1 else "have"
        context.warn(f"{list_names(alike)} {has} the colour of {list_names(targets)}: a dot of it need be no target")
