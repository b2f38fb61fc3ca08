"""When the incidents were, and what times a table speaks of: columns found as *Import incidents* finds them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ....contract.fieldnames import find_field
from ....contract.texts import count_text, list_names, show_name, show_names
from ....ground.errors import DataError, ParameterError
from ....intake.timejoin import MOST_COLUMNS, find_flat_clock, join_times
from ....intake.times import OFFSETS_DROPPED, join_sentences
from ....intake.timesearch import find_times
from .tables import AnyTable, take_sample, write_texts

#: Columns that a refusal lists.
_LISTED = 40


@dataclass(frozen=True)
class Moments:
    """The times of N rows.

    Attributes
    ----------
    when : ndarray of datetime64[s], shape (N,)
        NaT where there is none.
    columns : tuple of str
        Where they stand.
    hourly : bool
        Whether they say an hour.
    order : {"ymd", "dmy", "mdy"}
        How dates such as 02/03/18 were read; "ymd" where there are none.
    note : str
        What a reader of the results should know; may be empty.
    """

    when: NDArray[np.datetime64]
    columns: tuple[str, ...]
    hourly: bool
    order: str = "ymd"
    note: str = ""


def require_columns(table: AnyTable, names: Sequence[str], parameter: str, whose: str) -> list[str]:
    """Find columns by the names that were typed.

    Raises
    ------
    ParameterError
        If there is no such column; lists those there are.
    """
    return find_named(list(table.fields), names, parameter, whose)


def find_named(known: Sequence[str], names: Sequence[str], parameter: str, whose: str) -> list[str]:
    """Find names that were typed among those that are known; see `require_columns`."""
    found = {name: find_field(name, known) for name in names}
    if missing := [name for name, there in found.items() if there is None]:
        raise ParameterError(
            f"{whose} has no column {list_names(missing)}",
            parameter=parameter,
            value=missing[0],
            remedy=f"Choose from: {list_names(known, _LISTED)}",
        )
    return [there for there in found.values() if there is not None]


def find_time_columns(table: AnyTable, order: str = "auto") -> tuple[str, ...]:
    """Find the columns of the time by what they hold; none where nothing is a time."""
    sample = take_sample(table)
    names = [name for name, kind in table.fields.items() if kind != "other"]
    rows = list(zip(*(write_texts(table, name, sample) for name in names), strict=True))
    readings = find_times(names, rows, (), order)
    return readings[0].columns if readings and readings[0].score > 0 and readings[0].kind != "month" else ()


def read_moments(table: AnyTable, columns: Sequence[str], order: str, parameter: str, whose: str) -> Moments:
    """Read the times of a table.

    Parameters
    ----------
    table : AnyTable
    columns : sequence of str
        A date, with its hour or year, month and day in columns of their own; see `intake.timejoin.join_times`.
    order : {"auto", "ymd", "dmy", "mdy"}
    parameter, whose : str
        What sentences call the parameter, and the table.

    Raises
    ------
    DataError
        If there is no time in them.
    """
    if len(columns) > MOST_COLUMNS:
        raise ParameterError(
            f"{count_text(len(columns), 'column is', 'columns are')} named for one time",
            parameter=parameter,
            value=";".join(columns),
            remedy="Name the date, or date and hour, or year, month and day",
        )
    named = " and ".join(show_names(columns))
    values = table.column(columns[0])
    read, note = "ymd", ""
    if len(columns) == 1 and values.dtype.kind == "M":
        when = values.astype("datetime64[s]")
    else:
        texts = [
            values if number == 0 and values.dtype == object else write_texts(table, name)
            for number, name in enumerate(columns)
        ]
        parsed = join_times(texts, order)
        when, read = parsed.time, parsed.order
        dropped = OFFSETS_DROPPED if parsed.offset is not None else ""
        if said := join_sentences("" if parsed.months else parsed.note, dropped):
            note = f"{whose}, {named}: {said}"
    known = when[~np.isnat(when)]
    if not len(known):
        raise DataError(
            f"{whose} has no time in {named}",
            parameter=parameter,
            value=";".join(columns),
            remedy="Choose the column of the date, or another order of dates",
        )
    # Of dates alone every clock is the same.
    return Moments(when, tuple(columns), not find_flat_clock(known), read, note)


def describe_columns(columns: Sequence[str]) -> str:
    """Describe where a time stands."""
    return " with ".join(show_name(name) for name in columns)
