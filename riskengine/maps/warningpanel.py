"""The panel that warnings are learned from: events by step and unit, with what else happened beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from ..contract.dates import count_windows, format_moment, format_span
from ..contract.texts import count_text, part_text
from ..contract.units import noun_of
from ..contract.warnings import HOURS_OF_DAY, OTHER, SIMILAR, Timing, write_length
from ..ground.context import JobContext
from ..ground.errors import DataError, ParameterError
from ..intake.exactness import is_too_fine
from ..intake.incidents import Incidents
from .areas import Areas
from .bins import Times, bin_text, locate
from .categories import find_named, list_recorded
from .events import Events, merge_events
from .extras import choose_extent, make_pictures
from .hull import draw_hull
from .observed import count_bins_of, describe_unobserved, find_observed
from .panel import MOST_COUNTS, Extras, Panel, count_located
from .shapes import Shapes
from .span import find_covered

#: Id of the unit that is the whole city.
CITY = "city"
#: Windows follow one another from this Monday on, also those that do not fill a week.
_MONDAY = np.datetime64("1970-01-05T00", "h")
#: Days at the end whose longest gap between two incidents tells whether the records go on to midnight.
_RECENT = np.timedelta64(28, "D")


@dataclass(frozen=True)
class WarningPanel:
    """Events in steps, windows of which are warned of.

    Attributes
    ----------
    panel : Panel
        Of the target categories; its bins are steps of ``timing.step`` hours, its delay ``timing.late`` of them. It
        begins and ends with a window. Its channels `SIMILAR` and `OTHER` are events of similar categories, and of all
        that are no target; absent where nothing but targets is recorded.
    events : Events
        What the panel counts.
    timing : Timing
    notes : list of str
        Sentences a reader must know.
    """

    panel: Panel
    events: Events
    timing: Timing
    notes: list[str]


def make_city(incidents: Incidents, crs: str) -> Areas:
    """Make the whole city one unit: the hull of its incidents; every incident lies in it."""
    placed = np.isfinite(incidents.x) & np.isfinite(incidents.y)
    hull = draw_hull(incidents.x[placed], incidents.y[placed])
    return Areas((CITY,), np.array([hull.shape], dtype=object), crs)


def is_city(support: Shapes) -> bool:
    """Whether the whole city is one unit."""
    return support.ids == (CITY,)


def make_warning_panel(
    incidents: Incidents,
    targets: Sequence[str],
    similar: Sequence[str],
    support: Shapes,
    timing: Timing,
    context: JobContext,
    unit: NDArray[np.int64] | None = None,
    until: np.datetime64 | None = None,
    place: NDArray[Any] | None = None,
    known: np.datetime64 | None = None,
    pictures: bool = False,
) -> WarningPanel:
    """Count events of the target categories, and of what else happened, by step and unit.

    Parameters
    ----------
    incidents : Incidents
        Of all categories.
    targets : sequence of str
        Categories warned of; all, where none is named.
    similar : sequence of str
        More frequent categories that happen in the same places; where none is named, all that are no target.
    support : Shapes
        Areas, or the city as one (`make_city`).
    timing : Timing
    context : JobContext
    unit : ndarray of int64, shape (R,), optional
        Number of the unit of each row, -1 for none; by default the one it lies in.
    until : datetime64, optional
        Nothing from this moment on is read, and the records go up to it; by default to the end of the last day, or to
        the last incident where the rest of that day is longer than any recent gap between two incidents.
    place : ndarray of int, shape (R,), optional
        Code of the address of each row; see `merge_events`.
    known : datetime64, optional
        Nothing from this moment on is read, though windows go on after it: what happens between is not known yet.
    pictures : bool
        Whether maps of all incidents are drawn for networks that look at them: of the targets, of similar categories
        and of all that are no target.

    Raises
    ------
    ParameterError
        If the windows are finer than the times, or there are too many counts.
    DataError
        If a category is not there, or the incidents do not fill two windows.
    """
    check_exactness(timing, incidents.exactness)
    chosen = find_named(incidents, targets, "targets") if targets else np.ones(len(incidents), dtype=bool)
    alike = find_named(incidents, similar, "similar") & ~chosen if similar else ~chosen
    if unit is None and is_city(support):
        unit = np.zeros(len(incidents), dtype=np.int64)
    unit = support.locate(incidents.x, incidents.y) if unit is None else unit
    edges = make_window_edges(*find_records(incidents, until), timing, len(support.ids))
    before = np.ones(len(incidents), dtype=bool) if known is None else incidents.time < known
    notes: list[str] = []

    def count(rows: NDArray[np.bool_]) -> tuple[NDArray[Any], Events]:
        rows = rows & before & (unit >= 0) & (locate(incidents.time, edges) >= 0)
        events = merge_events(incidents.select(rows), None if place is None else place[rows])
        # Rows of one time and place lie in one unit; where a column says otherwise the first decides.
        first = np.unique(events.rows, return_index=True)[1]
        return count_located(unit[rows][first], events.incidents.time, support, edges)[0], events

    counts, events = count(chosen)
    for note in describe_events(events):
        notes.append(note)
        context.log(note)
    bin_length = bin_text("hours", timing.step)
    observed = find_observed(count_bins_of(incidents.time[before], edges), bin_length)
    whole = len(observed) if known is None else int(np.searchsorted(edges[1:], known, side="right"))
    if silent := describe_unobserved(observed[:whole], edges[: whole + 1]):
        notes.append(f"{silent}.")
        context.warn(notes[-1])
    where = "The whole city" if is_city(support) else count_text(len(support.ids), noun_of(support.kind))
    windows = count_windows((len(edges) - 1) // timing.bins, write_length(timing.window))
    context.log(f"{where}, {windows}: {format_span(edges[0], edges[-1])}")
    panel = Panel(
        counts,
        edges,
        np.ones(len(support.ids), dtype=bool),
        support,
        bin_length,
        observed,
        list(targets) or list_recorded(incidents),
        extras=_gather_channels({SIMILAR: count(alike)[0], OTHER: count(~chosen)[0]}) if (~chosen).any() else Extras(),
        exactness=incidents.exactness,
        area="polygons" if not is_city(support) else "",
        delay=timing.late,
    )
    if pictures:
        city = is_city(support)
        extent = choose_extent(incidents.select(before)) if city else tuple(shapely.total_bounds(support.geometries))
        drawn = make_pictures(incidents, edges, [rows & before for rows in (chosen, alike, ~chosen)], extent)
        panel = replace(panel, extras=replace(panel.extras, pictures=drawn))
    return WarningPanel(panel, events, timing, notes)


def check_exactness(timing: Timing, exactness: str) -> None:
    """Refuse windows that times cannot fill: finer than they are, or beginning within days of which no hour is known.

    Raises
    ------
    ParameterError
    """
    window = bin_text("hours", timing.window)
    if is_too_fine(window, exactness):
        months = exactness == "month"
        known = "the month: their days are" if months else "the day: their time of day is"
        whole = "incidents whose days are known" if months else f"a WINDOW of {HOURS_OF_DAY} hours or more"
        raise ParameterError(
            f"These times are exact to {known} not known, so WINDOW with {count_text(timing.window, 'hour')} is"
            " finer than they are",
            parameter="window",
            value=timing.window,
            remedy=f"Use {whole}",
        )
    if exactness != "day":
        return
    for name, hours in (("begin", timing.begin), ("lead", timing.lead), ("delay", timing.delay)):
        if hours % HOURS_OF_DAY:
            raise ParameterError(
                f"These times are exact to the day: their time of day is not known, so {name.upper()} with"
                f" {count_text(hours, 'hour')} cannot be told from whole days",
                parameter=name,
                value=hours,
                remedy=f"Set {name.upper()} to whole days, such as {HOURS_OF_DAY * round(hours / HOURS_OF_DAY)}",
            )


def find_records(incidents: Incidents, until: np.datetime64 | None = None) -> tuple[np.datetime64, np.datetime64]:
    """Find the half-open span that the records cover: whole days, unless more of one is missing than any recent gap."""
    if until is not None:
        incidents = incidents.before(until)
    first, last = find_covered(incidents)
    time = np.sort(incidents.time[(incidents.time >= last - _RECENT) & (incidents.time <= last)])
    gap = np.diff(time).max() if len(time) > 1 else np.timedelta64(0, "s")
    begin, end = first.astype("datetime64[D]"), last.astype("datetime64[D]") + np.timedelta64(1, "D")
    start = begin if first - begin <= gap else first
    if until is not None:
        return start.astype("datetime64[s]"), until.astype("datetime64[s]")
    stop = end if end - last <= gap else last + np.timedelta64(1, "s")
    return start.astype("datetime64[s]"), stop.astype("datetime64[s]")


def find_alignment(timing: Timing) -> np.datetime64:
    """Find a moment at which a window begins; the others follow on both sides."""
    moment: np.datetime64 = (_MONDAY + np.timedelta64(timing.begin, "h")).astype("datetime64[s]")
    return moment


def make_window_edges(first: np.datetime64, end: np.datetime64, timing: Timing, units: int = 1) -> Times:
    """Make the edges of the steps of all windows that lie in [`first`, `end`) as a whole.

    Raises
    ------
    DataError
        If there are not two.
    ParameterError
        If there are too many steps for so many units.
    """
    origin = find_alignment(timing)
    length = np.timedelta64(timing.window, "h").astype("timedelta64[s]")
    begin, stop = -((origin - first) // length), (end - origin) // length
    if stop - begin < 2:
        raise DataError(
            f"The incidents, from {format_moment(first)} to {format_moment(end)}, do not fill two windows of"
            f" {count_text(timing.window, 'hour')}",
            parameter="window",
            value=timing.window,
            remedy="Give incidents of a longer time, or choose shorter windows",
        )
    steps = int(stop - begin) * timing.bins
    if steps * units > MOST_COUNTS:
        raise ParameterError(
            f"{count_text(units, 'unit')} in {count_text(steps, 'step')} of {count_text(timing.step, 'hour')} are"
            f" {count_text(steps * units, 'count')}; {MOST_COUNTS:,} are the most",
            parameter="window",
            value=timing.window,
            remedy="Choose longer windows, a lead and a delay that are multiples of them, or fewer areas",
        )
    edges: Times = origin + begin * length + np.arange(steps + 1) * np.timedelta64(timing.step, "h")
    return edges.astype("datetime64[s]")


def describe_events(events: Events) -> list[str]:
    """Describe that there are fewer events than rows; nothing where there are not."""
    rows, number = len(events.rows), len(events)
    if rows == number:
        return []
    several = int((events.victims > 1).sum())
    return [
        f"{count_text(rows, 'row is', 'rows are')} {count_text(number, 'event')}: rows at one time and place are the"
        f" victims of one event, up to {int(events.victims.max())} of them;"
        f" {part_text(several, number, 'event', 'has', 'have')} several. Events are warned of, and no row is dropped."
    ]


def _gather_channels(channels: dict[str, NDArray[Any]]) -> Extras:
    return replace(Extras(), channels=np.stack(list(channels.values())), channel_names=tuple(channels))
