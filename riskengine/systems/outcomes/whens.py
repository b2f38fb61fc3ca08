"""Days, hours and minutes of incidents, from one field or several, typed or texts of any shape."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...contract.texts import show_name
from ...ground.errors import DataError
from ...ground.wholetables import WholeTable
from ...intake.timejoin import find_flat_clock, join_times
from ...intake.times import join_sentences
from ...intake.timesearch import SAMPLE_ROWS, describe_choice, find_times
from .rows import MISSING

_NO_DATE = "no date"


@dataclass(frozen=True, eq=False)
class Whens:
    """When incidents happened.

    Attributes
    ----------
    fields : tuple of str
    day : ndarray of datetime64[D], shape (N,)
        NaT for none.
    hour, minute : ndarray of int8, shape (N,)
        `MISSING` where the time of day says nothing.
    reasons : ndarray of object, shape (N,)
        Why a row has no day; empty where it has one.
    note : str
    """

    fields: tuple[str, ...]
    day: NDArray[np.datetime64]
    hour: NDArray[np.int8]
    minute: NDArray[np.int8]
    reasons: NDArray[np.object_]
    note: str


def read_whens(
    table: WholeTable, named: tuple[str, ...], taken: set[str], order: str, undecided: str | None, required: bool
) -> Whens:
    """Read when incidents happened.

    Parameters
    ----------
    table : WholeTable
    named : tuple of str
        Fields that the user or a known format names; empty to have them told by what the fields hold.
    taken : set of str
        Fields that hold something else.
    order : {"auto", "ymd", "dmy", "mdy"}
    undecided : str or None
        Order where nothing decides, by the habit of a known format.
    required : bool
        Whether there must be a time; otherwise no row has a day where no field holds dates.

    Raises
    ------
    DataError
        If no field holds dates.
    """
    fields, said = _choose_fields(table, named, taken, order)
    if not fields:
        if required:
            raise DataError(
                "No field of the table holds dates",
                parameter="time_field",
                remedy="Choose the field that says when an incident happened",
            )
        nothing = np.full(len(table), MISSING, dtype=np.int8)
        none = np.full(len(table), np.datetime64("NaT", "D"))
        return Whens((), none, nothing, nothing.copy(), np.full(len(table), _NO_DATE, dtype=object), "")
    if len(fields) == 1 and table.fields[fields[0]] in ("date", "datetime"):
        time = table.column(fields[0]).astype("datetime64[s]")
        reasons = np.where(np.isnat(time), _NO_DATE, "").astype(object)
        note, months = "", False
    else:
        parsed = join_times([_write_texts(table, name) for name in fields], order, undecided)
        time, reasons, note, months = parsed.time, parsed.reason.copy(), parsed.note, parsed.months
    known = ~np.isnat(time)
    if not known.any() and required:
        raise DataError(
            f"The field {show_name(fields[0])} holds no date that could be read: {reasons[0]}",
            parameter="time_field",
            value=fields[0],
            remedy="Choose the field that says when an incident happened, and DATE_ORDER if day and month are mixed up",
        )
    day = time.astype("datetime64[D]")
    hour = np.full(len(time), MISSING, dtype=np.int8)
    minute = hour.copy()
    clocks = find_flat_clock(time[known]) if known.any() else []
    # A few new incidents may well be of one moment.
    said_nothing = bool(clocks) and (clocks[0] == 0 or required) and known.sum() > 1
    if said_nothing and not months:
        note = join_sentences(note, "No time of day is known: it is the same in all rows, so that hours are no feature")
    elif not months:
        seconds = (time - day)[known].astype(np.int64)
        hour[known], minute[known] = seconds // 3600, seconds // 60 % 60
    return Whens(fields, day, hour, minute, reasons, join_sentences(said, note))


def _choose_fields(
    table: WholeTable, named: tuple[str, ...], taken: set[str], order: str
) -> tuple[tuple[str, ...], str]:
    """The fields of the time, and what is said of the choice."""
    if len(named) == 1 and table.fields[named[0]] == "datetime":
        return named, ""
    known = [name for name in table.fields if name not in taken or name in named]
    head = table.select(slice(0, SAMPLE_ROWS))
    columns = [_write_texts(head, name) for name in known]
    readings = find_times(known, list(zip(*columns, strict=True)), (), order)
    if named:
        # A date alone has its time of day in a field beside it.
        best = next((each for each in readings if each.columns[0] == named[0]), None)
        return (best.columns, "") if best is not None else (named[:1], "")
    return (readings[0].columns, describe_choice(readings)) if readings else ((), "")


def _write_texts(table: WholeTable, name: str) -> list[str]:
    """A column as texts, as a file without types would have it."""
    codes, labels = table.code(name)
    if table.fields[name] == "date":
        labels = [label[:10] for label in labels]
    return [labels[code] if code >= 0 else "" for code in codes.tolist()]
