"""The values of a table's columns as numbers or texts, and one value for each group of rows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....contract.texts import count_text, show_name
from ....ground.context import JobContext
from ....intake.numbers import read_numbers
from .matching import Match
from .tables import AnyTable

#: What stations write where they have no value.
_NO_VALUE = -9999.0
#: So large a share of texts that are no number makes a column one of texts.
_NO_NUMBERS = 0.1
#: Numbers with a zero before them are codes, which lose it as numbers.
_CODE = re.compile(r"\s*0\d+\s*", re.ASCII)


@dataclass(frozen=True, eq=False)
class Column:
    """The values of a column, shape (R,).

    Attributes
    ----------
    kind : {"real", "text", "datetime"}
    values : ndarray
        NaN, None or NaT for none.
    """

    kind: str
    values: NDArray[Any]


def read_column(table: AnyTable, name: str, context: JobContext) -> Column:
    """Read a column as numbers where it holds numbers; what is none is counted and named."""
    values = table.column(name)
    if values.dtype.kind == "M":
        return Column("datetime", values.astype("datetime64[ms]"))
    if values.dtype.kind in "iufb":
        return Column("real", _drop_codes(values.astype(np.float64), name, context))
    codes, labels = table.code(name)
    if any(_CODE.fullmatch(label) for label in labels):
        return Column("text", values)
    numbers, refused = read_numbers([*labels, None])
    if not np.isfinite(numbers).any() or len(refused) > _NO_NUMBERS * len(labels):
        return Column("text", values)
    if refused:
        strange = np.array([*map(set(refused).__contains__, labels), False])
        lost = int(strange[codes].sum())
        context.warn(
            f"{show_name(name)}: {count_text(lost, 'row holds', 'rows hold')} no number"
            f" ({', '.join(repr(show_name(text)) for text in refused[:3])}) and {'is' if lost == 1 else 'are'} taken as"
            " missing"
        )
    return Column("real", _drop_codes(numbers[codes], name, context))


def _drop_codes(values: NDArray[np.float64], name: str, context: JobContext) -> NDArray[np.float64]:
    codes = values == _NO_VALUE
    if codes.any():
        holds = count_text(int(codes.sum()), "row holds", "rows hold")
        context.log(f"{show_name(name)}: {holds} {_NO_VALUE:g}, which stands for no value")
        values = np.where(codes, np.nan, values)
    return values


def combine_rows(column: Column, match: Match) -> NDArray[Any]:
    """Make one value of each group: the mean of numbers, the first of texts and times; shape (groups,)."""
    rows = np.flatnonzero(match.row >= 0)
    group, values = match.row[rows], column.values[rows]
    if column.kind == "real":
        known = np.isfinite(values)
        number = np.bincount(group[known], minlength=match.groups)
        total = np.bincount(group[known], values[known], minlength=match.groups)
        # A value by itself stays as it is, to the last digit.
        means: NDArray[Any] = np.divide(total, number, out=np.full(match.groups, np.nan), where=number > 0)
        return means
    given = ~_is_missing(values)
    made = np.full(match.groups, None if column.kind == "text" else np.datetime64("NaT"), dtype=values.dtype)
    # The last to be written is the first.
    made[group[given][::-1]] = values[given][::-1]
    return made


def give(values: NDArray[Any], match: Match) -> NDArray[Any]:
    """Give each incident the value of its group; none where it has no group."""
    none: Any = np.nan if values.dtype.kind == "f" else np.datetime64("NaT") if values.dtype.kind == "M" else None
    padded = np.empty(len(values) + 1, dtype=values.dtype)
    padded[:-1], padded[-1] = values, none
    return padded[match.incident]


def _is_missing(values: NDArray[Any]) -> NDArray[np.bool_]:
    import pandas as pd

    return np.asarray(pd.isna(values))


def list_empty(names: Sequence[str], columns: Sequence[NDArray[Any]], joined: NDArray[np.bool_]) -> list[str]:
    """List the fields of which some incidents that have a row have no value, and in how many per cent of them."""
    said = []
    for name, values in zip(names, columns, strict=True):
        missing = _is_missing(values[joined])
        if missing.any():
            share = 100 if missing.all() else min(max(round(100 * missing.mean()), 1), 99)
            said.append(f"{show_name(name)} in {share} %")
    return said
