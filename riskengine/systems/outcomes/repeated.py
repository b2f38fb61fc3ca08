"""Rows that say again what another says: exact duplicates, and the rows of one incident, such as its charges."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ...ground.wholetables import WholeTable
from ...intake.repeats import merge_rows
from .rows import MISSING, Coded, Rows

#: The feature that says how many rows an incident has: a leak, only read if asked for.
ROWS_FEATURE = "rows of the incident"
#: Fields that number the rows of a file, and say nothing of an incident.
_ROW_NUMBER = re.compile(r"(?:ogc_?)?fid(?:_\d+)?|object_?id|gid|row_?(?:number|id|nr)?|index|unnamed: 0|field_1", re.I)


@dataclass(frozen=True, eq=False)
class Repeats:
    """Which rows repeat others.

    Attributes
    ----------
    again : ndarray of bool, shape (N,)
        Rows that an earlier one equals in every field.
    size : ndarray of int64, shape (N,)
        How many rows the incident of each has, as the table has them; 1 without a number.
    """

    again: NDArray[np.bool_]
    size: NDArray[np.int64]

    def select(self, rows: NDArray[Any]) -> Repeats:
        """Select rows by mask or position."""
        return Repeats(self.again[rows], self.size[rows])


def find_repeats(table: WholeTable, incident: Coded | None) -> Repeats:
    """Find exact duplicates, whatever the file's own numbers of rows say, and how many rows an incident has.

    Parameters
    ----------
    table : WholeTable
    incident : Coded or None
        Numbers of incidents.
    """
    key = np.zeros(len(table), dtype=np.uint64)
    columns = [table.code(name)[0] for name in table.fields if not _ROW_NUMBER.fullmatch(name)]
    for codes in columns:
        key = pd.util.hash_array(key * np.uint64(31) + codes.astype(np.uint64))
    if table.geometry is not None and columns:
        for axis in table.points():
            key = pd.util.hash_array(key + axis.view(np.uint64))
    again = pd.Series(key).duplicated().to_numpy() if columns else np.zeros(len(table), dtype=bool)
    size = np.ones(len(table), dtype=np.int64)
    if incident is not None:
        numbered = incident.codes != MISSING
        size[numbered] = np.bincount(incident.codes[numbered])[incident.codes[numbered]]
    return Repeats(again, size)


class SharedNumbers(NamedTuple):
    """Rows whose incident number others have, too: how many, of how many incidents, and of these over several days."""

    rows: int
    incidents: int
    apart: int


def count_shared(rows: Rows) -> SharedNumbers:
    """Count the rows that share their incident number."""
    incident = rows.texts.get("incident")
    if incident is None:
        return SharedNumbers(0, 0, 0)
    numbered = incident.codes != MISSING
    days = pd.Series(rows.day[numbered]).groupby(incident.codes[numbered])
    size, different = days.size().to_numpy(), days.nunique().to_numpy()
    shared = size > 1
    return SharedNumbers(int(size[shared].sum()), int(shared.sum()), int((different > 1).sum()))


def merge_repeats(
    repeats: Repeats, incident: Coded | None, good: NDArray[np.bool_], happened: NDArray[np.bool_] | None
) -> tuple[NDArray[np.bool_], NDArray[np.bool_] | None]:
    """Merge duplicates, and the good rows of each incident, into their first.

    Returns
    -------
    extra : ndarray of bool, shape (N,)
        Good rows that an earlier one stands for.
    happened : ndarray of bool, shape (N,), or None
        Whether any row of the incident has the outcome.
    """
    if incident is None:
        return repeats.again & good, happened
    ids = np.array([*incident.labels, ""], dtype=object)[incident.codes]
    extra, _ = merge_rows(ids, good)
    if happened is None:
        return extra | (repeats.again & good & (incident.codes == MISSING)), None
    any_of = np.zeros(len(incident.labels) + 1, dtype=bool)
    np.logical_or.at(any_of, incident.codes[good], happened[good])
    numbered = incident.codes != MISSING
    made = np.where(numbered, any_of[incident.codes], happened)
    return extra | (repeats.again & good & ~numbered), made
