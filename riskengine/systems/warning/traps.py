"""What the times and categories of incidents do to warnings, each a sentence: nothing of it is seen in the counts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...contract.dates import format_moment
from ...contract.texts import count_text, list_names, part_text
from ...contract.warnings import ENOUGH_EVENTS, HOURS_OF_DAY, Timing, describe_hours
from ...intake.findings import MIDNIGHT, list_category_findings
from ...intake.incidents import Incidents
from ...intake.inspection import count_duplicates
from ...intake.timecheck import find_far_times
from ...intake.timezones import find_clock_changes
from ...intake.zoneplaces import guess_zone
from ...maps.categories import list_present
from ...maps.warningpanel import WarningPanel

Times = NDArray[np.datetime64]
Rows = NDArray[np.bool_]

#: Share of times at a full hour from which they are called rounded: one of sixty is by chance.
_ROUNDED = 0.25
#: Minutes after midnight, and beside them, that are compared: where none lies there, midnight stands for no time.
_HOLE = 20
#: Times that would be expected in them, and the share of these below which there is a hole.
_EXPECTED, _EMPTY = 10.0, 0.2
#: Share of events whose start and end lie in different windows from which longer windows are advised.
_SPREAD = 0.1
_MINUTES = 1440


def list_traps(incidents: Incidents, made: WarningPanel, targets: Rows, ends: Times | None = None) -> list[str]:
    """List what limits warnings made of these incidents.

    Parameters
    ----------
    incidents : Incidents
        Of all categories.
    made : WarningPanel
    targets : ndarray of bool, shape (R,)
        Their rows.
    ends : ndarray of datetime64[s], shape (R,), optional
        When each ended; NaT for none.
    """
    timing = made.timing
    rows = incidents.select(targets)
    said = [
        describe_few(made),
        describe_far(rows),
        describe_duplicates(rows),
        *(describe_midnight(rows.time, timing) if incidents.exactness in ("minute", "hour") else ()),
        describe_rounded(rows.time, timing) if incidents.exactness in ("minute", "hour") else "",
        "" if ends is None else describe_spans(rows.time, ends[targets], made.panel.edges[:: timing.bins], timing),
        *(each.sentence for each in list_category_findings(sorted(list_present(incidents)))),
    ]
    return [each for each in said if each]


def describe_few(made: WarningPanel) -> str:
    """Describe that there are too few events to learn from and to judge by, and how many windows would have enough."""
    events, windows = len(made.events), len(made.panel) // made.timing.bins
    if events >= 2 * ENOUGH_EVENTS:
        return ""
    few = (
        f"There {'is' if events == 1 else 'are'} {count_text(events, 'event')} in"
        f" {count_text(windows, 'window')}: too few to say whether warnings are worth anything. A test needs"
        f" {ENOUGH_EVENTS} in the windows that it tests, and as many before them"
    )
    enough = -(-2 * ENOUGH_EVENTS * windows // events) if events else 0
    return f"{few}: at this rate {count_text(enough, 'window')}." if events else f"{few}."


def describe_far(rows: Incidents) -> str:
    """Describe times far from all others, mostly wrong years: no window reaches them."""
    far = find_far_times(rows.time)
    if not far.any():
        return ""
    first = format_moment(rows.time[far].min())
    lies = part_text(int(far.sum()), len(rows), "row", "lies", "lie")
    return f"{lies} far from all others in time (the first on {first}), and no window reaches so far: correct the year."


def describe_duplicates(rows: Incidents) -> str:
    """Describe rows that are the same as another."""
    again = count_duplicates(rows).rows
    if not again:
        return ""
    has = part_text(again, len(rows), "row", "has", "have")
    more = "a further victim" if again == 1 else "further victims"
    return f"{has} the same time, place and category as another: taken for {more} of its event, not for an error."


def describe_midnight(time: Times, timing: Timing) -> list[str]:
    """Describe times of midnight that stand for an unknown one, and a hole after midnight where such are left out."""
    minute = _find_minutes(time)
    window = describe_hours(timing.window)
    if timing.window >= HOURS_OF_DAY and timing.begin % HOURS_OF_DAY == 0:
        return []
    said = []
    midnight = float((time == time.astype("datetime64[D]")).mean())
    if midnight >= MIDNIGHT:
        last = " of the day before" if timing.window >= HOURS_OF_DAY else ""
        said.append(
            f"{midnight:.0%} of the rows are set to exactly midnight, which stands for an unknown time of day: they"
            f" count in the window of {window}{last} that has midnight in it, which is too full. Windows of whole days"
            " from midnight (BEGIN 0) hold them rightly."
        )
    there = int((minute < _HOLE).sum())
    beside = int(((minute >= _HOLE) & (minute < 2 * _HOLE)).sum() + (minute >= _MINUTES - _HOLE).sum()) / 2
    if beside >= _EXPECTED and there <= _EMPTY * beside:
        said.append(
            f"{part_text(there, len(time), 'row', 'lies', 'lie')} in the first {_HOLE} minutes after midnight, where"
            f" about {beside:.0f} would be expected: midnight probably stands for an unknown time, and such rows are"
            f" left out. The window of {window} that has midnight in it is understated."
        )
    return said


def describe_rounded(time: Times, timing: Timing) -> str:
    """Describe that times are rounded to the full hour, at which windows of hours begin."""
    full = float((_find_minutes(time) % 60 == 0).mean())
    if full < _ROUNDED or timing.window >= HOURS_OF_DAY:
        return ""
    return (
        f"{full:.0%} of the times are at a full hour, where 2 % would be by chance: they are rounded. Windows begin at"
        " full hours, so an event shortly before one counts in the window after it; the shorter the windows, the more"
        " of them do."
    )


def describe_spans(start: Times, end: Times, windows: Times, timing: Timing) -> str:
    """Describe events with a start and an end, in different windows: which of them it happened in is not known.

    `windows` are the edges of all windows.
    """
    given = ~np.isnat(end) & (end > start) & (start >= windows[0]) & (start < windows[-1])
    apart = given & (np.searchsorted(windows, end, side="right") > np.searchsorted(windows, start, side="right"))
    number = int(apart.sum())
    if not number:
        return ""
    have = part_text(number, len(start), "row", "has", "have")
    advice = ". Choose longer windows" if number >= _SPREAD * len(start) else ""
    return (
        f"{have} a start and an end that lie in different windows of {describe_hours(timing.window)}: when"
        f" {'it' if number == 1 else 'they'} happened is not known, and {'it counts' if number == 1 else 'they count'}"
        f" at the time of TIME_FIELD{advice}."
    )


def describe_clock_changes(incidents: Incidents, made: WarningPanel) -> str:
    """Describe the windows with an hour that summer time skips or doubles."""
    panel = made.panel
    placed = np.isfinite(incidents.x) & np.isfinite(incidents.y)
    zone = guess_zone(incidents.x[placed], incidents.y[placed], panel.support.crs)
    changes = find_clock_changes(zone, panel.edges[0], panel.edges[-1])
    if not changes:
        return ""
    begins = panel.edges[:: made.timing.bins]

    size, parts = f"of {describe_hours(made.timing.window)}", []
    for what, sign in (("shorter", 1), ("longer", -1)):
        moments = np.array([each.wall for each in changes if each.seconds * sign > 0], dtype="datetime64[s]")
        held = len(np.unique(np.searchsorted(begins, moments, side="right")))
        if held:
            parts.append(f"{count_text(held, f'window {size} is', f'windows {size} are')} an hour {what}")
    return (
        f"Clocks change: {' and '.join(parts)} than the clock says (time zone {list_names([zone])}, guessed from the"
        " places). They are counted as they are."
    )


def _find_minutes(time: Times) -> NDArray[np.int64]:
    """Minutes since midnight."""
    return time.astype("datetime64[m]").astype(np.int64) % _MINUTES
