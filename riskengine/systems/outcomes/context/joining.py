"""Joining a table to incidents: what is chosen is logged, what does not fit is counted and named, nothing is lost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....contract.texts import count_text, none_text, replace_controls
from ....contract.tools.joincontext import JoinContext
from ....ground.context import JobContext
from ....ground.errors import DataError
from .bykey import join_by_key
from .byplace import holds_polygons, join_by_place
from .bytime import find_times, join_by_time
from .choosing import choose_columns
from .degrees import bring_temperatures
from .tables import AnyTable
from .times import require_columns
from .values import combine_rows, give, list_empty, read_column
from .way import TABLE, Way


@dataclass(frozen=True, eq=False)
class Joined:
    """What incidents get from a table.

    Attributes
    ----------
    fields : dict of str to {"real", "text", "datetime"}
        Kinds of the new fields by name, in the order of the table.
    columns : list of ndarray, shape (N,)
        NaN, None or NaT where an incident has no value.
    found : ndarray of bool, shape (N,)
        Whether an incident has a row.
    way : str
        How they were joined, as part of a sentence.
    notes : list of str
        What was taken for granted, for the layer's metadata.
    """

    fields: dict[str, str]
    columns: list[NDArray[Any]]
    found: NDArray[np.bool_]
    way: str
    notes: list[str]


def join_context(
    parameters: JoinContext, incidents: AnyTable, table: AnyTable, context: JobContext | None = None
) -> Joined:
    """Join a table to incidents by date, hour, key or location.

    Parameters
    ----------
    parameters : JoinContext
        Or anything with its attributes.
    incidents, table : AnyTable
        Of the incidents every row is kept, and gets values or none.
    context : JobContext, optional

    Raises
    ------
    ParameterError
        If a column is not there, or none was found.
    DataError
        If no incident finds a row, or rows repeat where that is refused.
    """
    context = context or JobContext()
    way = _find_rows(parameters, incidents, table, context)
    found = way.match.incident >= 0
    if not found.any():
        none = none_text(len(incidents), "incident", "finds its row in the table", "finds no row in the table")
        remedy = "Choose a table of the same time and place, or other columns"
        raise DataError(f"{none} {way.said}", parameter="joined", value=parameters.joined, remedy=remedy)
    _check_repeated(parameters, way, context)
    context.progress(0.5, "Taking the values")
    names = require_columns(table, parameters.columns, "columns", TABLE)
    if not names:
        names = _choose_all(table, way, context)
    values = {name: read_column(table, name, context) for name in names}
    notes = [*_note_delay(parameters, way, context), *bring_temperatures(parameters, values, context)]
    columns = [give(combine_rows(column, way.match), way.match) for column in values.values()]
    fields: dict[str, str] = {}
    for name, column in values.items():
        new = replace_controls(f"{parameters.prefix}{name}")
        while new in fields:
            new += "_"
        fields[new] = column.kind
    if empty := list_empty(list(fields), columns, found):
        context.log(f"Empty though the incident has a row: {', '.join(empty)} of these incidents")
    return Joined(fields, columns, found, way.said, notes)


def _find_rows(parameters: JoinContext, incidents: AnyTable, table: AnyTable, context: JobContext) -> Way:
    """Find rows in the way that was asked for, or the first that the table allows: location, date or hour, key."""
    asked = parameters.joined
    if asked == "auto":
        if parameters.key_column or parameters.key_field:
            asked = "key"
        elif not parameters.date_column and holds_polygons(table):
            asked = "location"
    if asked in ("auto", "date", "hour"):
        times = find_times(parameters, incidents, table)
        if times is not None:
            return join_by_time(parameters, incidents, table, times, context)
    if parameters.delay:
        context.warn(f"DELAY is {parameters.delay}, but only values by date or hour are late: it is not used")
    return (
        join_by_place(incidents, table, context)
        if asked == "location"
        else join_by_key(parameters, incidents, table, context)
    )


def _choose_all(table: AnyTable, way: Way, context: JobContext) -> list[str]:
    names, left_out = choose_columns(table, way.used, way.when)
    for sentence in left_out:
        context.log(sentence)
    if not names:
        raise DataError(
            "The table has no column beside those of its date or key",
            parameter="columns",
            remedy="Choose a table that says more, or name the columns to join",
        )
    return names


def _check_repeated(parameters: JoinContext, way: Way, context: JobContext) -> None:
    """Refuse, or say, that several rows are one group's.

    Raises
    ------
    DataError
        If they are to be refused.
    """
    counted = way.match.count_rows()
    several = np.flatnonzero(counted > 1)
    if not len(several):
        return
    first = several[0]
    said = f"{count_text(len(several), f'{way.noun} has', f'{way.noun}s have')} several rows in the table"
    said += f" ({counted[first]:,} of {way.labels[first]})"
    if parameters.repeated == "refuse":
        raise DataError(
            said, parameter="repeated", value=parameters.repeated, remedy="Keep one of them, or have them averaged"
        )
    if not way.several:
        context.warn(f"{said}: numbers are averaged, and of texts the first is taken")


def _note_delay(parameters: JoinContext, way: Way, context: JobContext) -> list[str]:
    """Say how old the values are."""
    if way.when is None:
        return []
    if parameters.delay:
        days = count_text(parameters.delay, "day")
        note = f"The values are those of {days} before the incident, which a forecast for its {way.noun} knows"
    else:
        note = (
            f"The values are those of the incident's own {way.noun} (days until known: 0), which no forecast made"
            " before it knows"
        )
    context.log(note)
    return [note]
