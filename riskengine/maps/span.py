"""The span of a stack of maps and the length of its bins, as the times of the incidents allow."""

from __future__ import annotations

from datetime import datetime

import numpy as np

from ..contract.choices import BinUnit
from ..contract.dates import format_last, format_moment, format_span
from ..contract.texts import part_text
from ..ground.context import JobContext
from ..ground.errors import DataError, ParameterError
from ..intake.exactness import is_too_fine, measure_months
from ..intake.incidents import Incidents
from ..intake.timecheck import find_far_times
from .bins import Times, bin_text

Span = tuple[np.datetime64, np.datetime64]


def choose_unit(unit: BinUnit, length: int, incidents: Incidents, context: JobContext) -> BinUnit:
    """Choose the unit of the bins where it is left to us, and refuse one that is finer than the times.

    Automatic takes months where the times are months, else days: finer bins are for who asks for them, since maps of
    an hour are empty nearly everywhere.

    Raises
    ------
    ParameterError
        If the times are not exact enough for the bins.
    """
    exactness = incidents.exactness
    months = exactness == "month"
    if unit == "auto":
        unit = "months" if months else "days"
        context.log(f"Time bin: {unit}, chosen automatically since the times are exact to the {exactness}")
    text = bin_text(unit, length)
    if is_too_fine(text, exactness):
        these = "months: their days are not known" if months else "days: their time of day is not known"
        raise ParameterError(
            f"These times are {these}, so BIN_UNIT with bins of {text} is finer than they are",
            parameter="bin_unit",
            value=text,
            remedy=f"Set BIN_UNIT to {'Months' if months else 'Days'} or to Automatic",
        )
    return unit


def find_covered(incidents: Incidents) -> Span:
    """Find the first and the last moment known of, without times far from all others; months are whole."""
    near = _leave_out_far(incidents)
    first, last = near.span
    if near.exactness == "month" or measure_months(near.time) == 1.0:
        last = (last.astype("datetime64[M]") + 1).astype("datetime64[s]")
    return first, last


def choose_span(
    incidents: Incidents, start: datetime | None, end: datetime | None, context: JobContext
) -> tuple[Incidents, np.datetime64, np.datetime64]:
    """Choose the incidents of [start, end), and the first and last moment of it; nothing outside it counts.

    Where start or end is left open, times far from all others do not decide it: one wrong year would make maps of
    decades.

    Raises
    ------
    DataError
        If no incident lies in it.
    """
    near = _leave_out_far(incidents)
    first, last = near.span
    begin = _moment(start, first)
    stop = _moment(end, last + np.timedelta64(1, "s"))
    kept = incidents.between(begin, stop)
    if not len(kept):
        raise DataError(
            f"No incident lies in the period from {format_moment(begin)} to {format_moment(stop)} (they span"
            f" {format_moment(first)} to {format_moment(last)})",
            parameter="end" if end else "start",
            value=end or start,
            remedy="Choose a start and a later end within that span",
        )
    _warn_of_far(incidents, start is None, end is None, (first, last), context)
    return kept, begin, stop - np.timedelta64(1, "s")


def _leave_out_far(incidents: Incidents) -> Incidents:
    return incidents.select(~find_far_times(incidents.time))


def _warn_of_far(incidents: Incidents, open_start: bool, open_end: bool, span: Span, context: JobContext) -> None:
    """Say how many incidents are left out because they lie far from all others."""
    time = incidents.time
    for is_open, far, name, to in (
        (open_start, time[time < span[0]], "START", "or before"),
        (open_end, time[time > span[1]], "END", "or after"),
    ):
        if is_open and len(far):
            edge = far.min() if name == "START" else far.max()
            context.warn(
                f"{part_text(len(far), len(time), 'incident', 'lies', 'lie')} far from all others,"
                f" which are from {format_moment(span[0])} to {format_moment(span[1])}, and"
                f" {'is' if len(far) == 1 else 'are'} left out. To count"
                f" {'it' if len(far) == 1 else 'them'}, set {name} to {edge} {to}; if the year is wrong, correct it"
            )


def warn_of_incomplete(
    start: datetime | None,
    end: datetime | None,
    covered: Span,
    edges: Times,
    context: JobContext,
    noun: str = "map",
    exactness: str = "",
) -> None:
    """Say that the first or the last map, or whatever `noun` is, of a week or more is probably covered in part only.

    Parameters
    ----------
    start, end : datetime, optional
        What was asked for.
    covered : tuple of datetime64
        What the incidents of all categories cover.
    edges : ndarray of datetime64[s], shape (T + 1,)
    context : JobContext
    noun, exactness : str
        What a bin is called, and how exact the times of the incidents are.
    """
    day = np.timedelta64(1, "D")
    if len(edges) < 3 or edges[-1] - edges[-2] < 7 * day:
        return
    first, last = covered
    if start is None and first - edges[0] > day:
        context.warn(
            f"The first {noun}, {format_span(*edges[:2])}, looks incomplete: the first incident is of"
            f" {format_moment(first, exactness)}. Set START to {edges[1]} so that nothing is learned from it; if the"
            f" records do begin with it, set START to {edges[0]}"
        )
    if end is None and edges[-1] - last > day:
        # Of months the end of the last is known, not its last incident.
        said = format_last(last, exactness) if exactness == "month" else format_moment(last)
        context.warn(
            f"The last {noun}, {format_span(*edges[-2:])}, looks incomplete: the last incident is of"
            f" {said}. Set END to {edges[-2]} so that it is not scored or forecast from; if the records"
            f" do reach its end, set END to"
            f" {edges[-1]}"
        )


def _moment(given: datetime | None, otherwise: np.datetime64) -> np.datetime64:
    return otherwise if given is None else np.datetime64(given.replace(tzinfo=None), "s")
