"""Joining by date or hour: rows of the day of an incident, or of so many days before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ....contract.dates import format_moment
from ....contract.texts import count_text, list_names, part_text
from ....contract.tools.joincontext import JoinContext
from ....ground.context import JobContext
from ....ground.errors import DataError, ParameterError
from .matching import match_times, shift_times
from .tables import AnyTable, take_sample, write_texts
from .times import Moments, describe_columns, find_time_columns, read_moments, require_columns
from .way import INCIDENTS, NAMED, TABLE, Way, say_joined, say_without

#: The other order of day and month, and what it is called.
_ORDERS = {"dmy": ("mdy", "month first"), "mdy": ("dmy", "day first")}


def find_times(
    parameters: JoinContext, incidents: AnyTable, table: AnyTable
) -> tuple[Sequence[str], Sequence[str]] | None:
    """Find the columns of the times of incidents and table; None where one of them has none and nobody asked for it.

    Raises
    ------
    ParameterError
        If a column that is named is not there, or there is none where a join by date or hour is asked for.
    """
    theirs = require_columns(table, parameters.date_column, "date_column", TABLE)
    columns = theirs or find_time_columns(table, parameters.table_order)
    if parameters.joined == "auto" and not theirs and not _tells_times(table, columns):
        return None
    named = [parameters.time_field] if parameters.time_field else []
    own = require_columns(incidents, named, "time_field", INCIDENTS) or (
        find_time_columns(incidents, parameters.date_order) if columns else ()
    )
    if columns and own:
        return own, columns
    if parameters.joined == "auto" and not theirs:
        return None
    lacking, whose, has = (incidents, INCIDENTS, "have") if columns else (table, TABLE, "has")
    raise ParameterError(
        f"{whose} {has} no column of dates among {list_names(list(lacking.fields), 30)}",
        parameter="time_field" if columns else "date_column",
        remedy="Name the column of the date, or join by key or location",
    )


def _tells_times(table: AnyTable, columns: Sequence[str]) -> bool:
    """Whether rows are of different times: one date of all of them says when a table was made."""
    if len(table) == 1:
        return bool(columns)
    texts = [write_texts(table, name, take_sample(table)) for name in columns]
    return len({*zip(*texts, strict=True)} - {("",) * len(columns)}) > 1


def join_by_time(
    parameters: JoinContext,
    incidents: AnyTable,
    table: AnyTable,
    columns: tuple[Sequence[str], Sequence[str]],
    context: JobContext,
) -> Way:
    """Join by hour where both have hours, or that is asked for; else by date.

    Raises
    ------
    ParameterError, DataError
        If there is no hour, or no date.
    """
    mine = read_moments(incidents, columns[0], parameters.date_order, "time_field", INCIDENTS)
    context.progress(0.25)
    theirs = read_moments(table, columns[1], parameters.table_order, "date_column", TABLE)
    if parameters.table_order == "auto":
        theirs = _settle_order(mine, theirs, table)
    for note in filter(None, (mine.note, theirs.note)):
        context.log(note)
    hourly = parameters.joined == "hour" or (parameters.joined == "auto" and mine.hourly and theirs.hourly)
    for moments, whose, parameter in ((mine, INCIDENTS, "time_field"), (theirs, TABLE, "date_column")):
        if hourly and not moments.hourly:
            raise ParameterError(
                f"{whose}: {describe_columns(moments.columns)} holds no time of day",
                parameter=parameter,
                value=";".join(moments.columns),
                remedy="Name the column of the hour, too, or join by date",
            )
    unit, noun = ("h", "hour") if hourly else ("D", "day")
    match = match_times(mine.when, theirs.when, unit, parameters.delay)
    said = f"by {'hour' if hourly else 'date'}: {describe_columns(theirs.columns)} = {describe_columns(mine.columns)}"
    context.log(
        f"{INCIDENTS} are of {_name_span(mine)}, the {count_text(match.groups, noun)} of the table of"
        f" {_name_span(theirs)}"
    )
    say_joined(match, said, context)
    _say_timeless(mine, theirs, len(table), context)
    _say_missing(shift_times(mine.when, unit, parameters.delay)[match.incident < 0], noun, context)
    if idle := int((match.count_incidents() == 0).sum()):
        context.log(f"{count_text(idle, f'{noun} of the table has', f'{noun}s of the table have')} no incident")
    if several := theirs.hourly and not hourly:
        context.log("The table has times of day: the rows of a day are averaged, and of texts the first is taken")
    known = np.unique(theirs.when[~np.isnat(theirs.when)].astype(f"datetime64[{unit}]"))
    return Way(match, tuple(theirs.columns), said, noun, [format_moment(each) for each in known], theirs.when, several)


def _settle_order(mine: Moments, theirs: Moments, table: AnyTable) -> Moments:
    """Where a table's dates may be read day first or month first, read them so that more incidents have a row."""
    if theirs.order not in _ORDERS:
        return theirs
    other, name = _ORDERS[theirs.order]
    try:
        turned = read_moments(table, theirs.columns, other, "date_column", TABLE)
    except DataError:
        return theirs
    if np.isnat(turned.when).sum() > np.isnat(theirs.when).sum():
        # A number above 12 has told them apart.
        return theirs
    first, second = (int((match_times(mine.when, each.when, "D", 0).incident >= 0).sum()) for each in (theirs, turned))
    if second <= first:
        return theirs
    note = (
        f"{TABLE}, {describe_columns(theirs.columns)}: nothing in the dates tells day from month. They were read"
        f" {name}, since {count_text(second, 'incident has', 'incidents have')} a row then, and {first:,} otherwise"
    )
    return replace(turned, note=note)


def _say_timeless(mine: Moments, theirs: Moments, rows: int, context: JobContext) -> None:
    has = "has no time that can be read", "have no time that can be read"
    say_without(int(np.isnat(mine.when).sum()), len(mine.when), *has, context)
    if lost := int(np.isnat(theirs.when).sum()):
        has = "has no date that can be read and is", "have no date that can be read and are"
        context.warn(f"{part_text(lost, rows, 'row', *has)} left out")


def _say_missing(wanted: NDArray[np.datetime64], noun: str, context: JobContext) -> None:
    """Say which times of incidents the table does not have."""
    times, number = np.unique(wanted[~np.isnat(wanted)], return_counts=True)
    if not len(times):
        return
    # Those that follow on each other are one span.
    runs = np.split(times, np.flatnonzero(np.diff(times.astype(np.int64)) != 1) + 1)
    named = [format_moment(run[0]) + (f" – {format_moment(run[-1])}" if len(run) > 1 else "") for run in runs[:NAMED]]
    more = f" and {len(runs) - NAMED:,} more spans" if len(runs) > NAMED else ""
    context.warn(
        f"{count_text(len(times), f'{noun} has', f'{noun}s have')} no row in the table, and the new fields of"
        f" {count_text(int(number.sum()), 'incident')} are empty: {'; '.join(named)}{more}"
    )


def _name_span(moments: Moments) -> str:
    known = moments.when[~np.isnat(moments.when)].astype("datetime64[D]")
    first, last = known.min(), known.max()
    return format_moment(first) if first == last else f"{format_moment(first)} – {format_moment(last)}"
