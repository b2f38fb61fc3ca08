"""When a warning is made, what is known then, and which windows it is for; and which windows a test holds out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from ...contract.dates import format_moment, format_span
from ...contract.warnings import HOURS_OF_WEEK, Timing, describe_hours
from ...ground.errors import DataError, ParameterError
from ...intake.incidents import Incidents
from ...maps.history import to_local_moment
from ...maps.panel import Panel
from ...maps.warningpanel import find_alignment, find_records


@dataclass(frozen=True)
class Moment:
    """The moment at which warnings are made.

    Attributes
    ----------
    made : datetime64[s]
    end : datetime64[s]
        Where the incidents end.
    known : datetime64[s]
        What happened before it is known.
    begin : datetime64[s]
        When the first window begins that is warned of.
    """

    made: np.datetime64
    end: np.datetime64
    known: np.datetime64
    begin: np.datetime64

    def describe_age(self, timing: Timing) -> str:
        """Say that the incidents end long before what could be known; empty where they do not."""
        usual = self.made - np.timedelta64(timing.delay, "h")
        if usual - self.known < np.timedelta64(max(timing.window, 24), "h"):
            return ""
        return (
            f"The incidents end on {format_moment(self.end)}, and the warnings are made on {format_moment(self.made)}:"
            " what happened between is not known, and the warnings are at the level of the incidents' end"
        )


def find_moment(incidents: Incidents, origin: datetime | None, timing: Timing) -> Moment:
    """Find when warnings are made, by default where the incidents end, and what is known then.

    Raises
    ------
    ParameterError
        If nothing is known at that moment.
    """
    first, end = find_records(incidents)
    made = end if origin is None else to_local_moment(origin, "origin")
    known = min(made - np.timedelta64(timing.delay, "h"), end)
    if known <= first:
        raise ParameterError(
            f"origin is {format_moment(made)}, when nothing was known: the incidents are of {format_span(first, end)},"
            f" and known {describe_hours(timing.delay)} late",
            parameter="origin",
            value=str(made),
            remedy="Choose a later moment, or leave it empty for the end of the incidents",
        )
    length = np.timedelta64(timing.window * 3600, "s")
    aligned = find_alignment(timing)
    ahead = made + np.timedelta64(timing.lead, "h") - aligned
    return Moment(made, end, known, aligned - (-ahead // length) * length)


def count_next(windows: int | None, timing: Timing) -> int:
    """Count the windows that are warned of; by default those of seven days."""
    return windows or max(HOURS_OF_WEEK // timing.window, 1)


def hold_out_share(panel: Panel, timing: Timing, share: float, parameter: str = "held_out") -> int:
    """Find the first bin of the windows held out, the share of them at the end that is nearest; all bins where none is.

    Parameters
    ----------
    panel : Panel
    timing : Timing
    share : float
    parameter : str
        Which says the share.

    Raises
    ------
    DataError
        If there is no window before them to learn from.
    """
    windows = len(panel) // timing.bins
    held = max(round(windows * share), 1) if share else 0
    first = (windows - held) * timing.bins
    if first <= panel.delay:
        raise DataError(
            f"The incidents are of {format_span(panel.edges[0], panel.edges[-1])}: no window is left to learn from"
            " before those held out",
            parameter=parameter,
            value=share,
            remedy="Use incidents of a longer time, shorter windows, or a smaller share held out",
        )
    return first


def find_start(panel: Panel, timing: Timing, start: datetime) -> int:
    """Find the first bin of the first window that begins at `start` or later.

    Raises
    ------
    ParameterError
        If none does, or none before it.
    """
    moment = to_local_moment(start, "start")
    begins = panel.edges[: -1 : timing.bins]
    first = int(np.searchsorted(begins, moment)) * timing.bins
    if not 0 < first < len(panel):
        raise ParameterError(
            f"start is {format_moment(moment)}, but the first window begins on {format_moment(begins[0])}, the last on"
            f" {format_moment(begins[-1])}",
            parameter="start",
            value=str(moment),
            remedy="Choose a time between them, with enough before it to learn from",
        )
    return first
