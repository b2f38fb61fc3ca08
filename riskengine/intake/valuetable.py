"""A table of values by place or key: numbers, keys and dates of any file that GDAL opens, typed or not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..contract.fieldnames import find_field
from ..contract.texts import count_text, list_names, part_text, show_name
from ..ground.context import JobContext
from ..ground.errors import DataError, FormatError
from .numbers import read_numbers
from .timejoin import read_dates
from .times import kind_of_reason

#: Fields that a sentence names.
_LISTED = 40


@dataclass
class ValueTable:
    """Rows of a table.

    Attributes
    ----------
    values : dict of str to ndarray of float64, shape (R,)
        By field; NaN where a row has none.
    keys : list of str
        Empty where none were asked for.
    when : ndarray of datetime64[s], shape (R,), or None
        NaT where a row has no date.
    shapes : ndarray of object, shape (R,), or None
        Well-known binary in the CRS of the table, None for no geometry.
    crs : str
        Empty where it has none.
    rows : int
    """

    rows: int
    values: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    keys: list[str] = field(default_factory=list)
    when: NDArray[np.datetime64] | None = None
    shapes: NDArray[np.object_] | None = None
    crs: str = ""


def read_value_table(
    path: str | Path,
    fields: Sequence[str],
    context: JobContext,
    key_field: str = "",
    date_field: str = "",
    date_order: str = "auto",
    shapes: bool = False,
    parameter: str = "table",
) -> ValueTable:
    """Read a table; what is no number or no date is left out, counted and named.

    Parameters
    ----------
    path : path
        Of its first layer.
    fields : sequence of str
        Of numbers, or of texts that hold numbers.
    context : JobContext
    key_field, date_field : str
        Empty for none.
    date_order : {"auto", "ymd", "dmy", "mdy"}
    shapes : bool
        Read the geometries.
    parameter : str
        What a sentence calls it.

    Raises
    ------
    FormatError
        If GDAL cannot read it.
    DataError
        If it has no rows, not these fields, or no number or date in one of them.
    """
    wanted = list(dict.fromkeys(filter(None, (*fields, key_field, date_field))))
    meta, geometries, columns = _read(path, wanted, shapes, parameter)
    rows = len(next(iter(columns.values()), geometries if geometries is not None else ()))
    if not rows:
        raise DataError(
            f"{path} has no row", parameter=parameter, value=path, remedy="Choose a table that holds something"
        )
    table = ValueTable(rows, shapes=geometries, crs=meta["crs"] or "")
    for name in fields:
        table.values[name] = _read_numbers(columns[name], name, context)
    if key_field:
        table.keys = [_write_key(value) for value in columns[key_field].tolist()]
    if date_field:
        table.when = _read_dates(columns[date_field], date_field, date_order, context)
    return table


def _read(
    path: str | Path, wanted: list[str], shapes: bool, parameter: str
) -> tuple[dict[str, Any], NDArray[np.object_] | None, dict[str, NDArray[Any]]]:
    import pyogrio
    from pyogrio.errors import DataLayerError, DataSourceError

    try:
        known = pyogrio.read_info(path)["fields"].tolist()
        found = {name: find_field(name, known) for name in wanted}
        if missing := [name for name, there in found.items() if there is None]:
            raise DataError(
                f"The table has no field {list_names(missing)}",
                parameter="fields",
                value=missing[0],
                remedy=f"Choose from: {list_names(known, _LISTED)}",
            )
        # Without any field only the rows' numbers are read.
        meta, fids, geometries, values = pyogrio.raw.read(
            path, columns=list(found.values()), read_geometry=shapes, return_fids=not wanted
        )
    except (DataLayerError, DataSourceError, UnicodeDecodeError) as error:
        raise FormatError(
            f"{path} cannot be read as a table",
            parameter=parameter,
            value=path,
            remedy="Choose a table or layer that opens in QGIS; a text file must be in UTF-8",
        ) from error
    read = dict(zip(meta["fields"].tolist(), values, strict=True))
    columns = {name: read[there] for name, there in found.items()} if wanted else {"": fids}
    return meta, geometries, columns


def _read_numbers(column: NDArray[Any], name: str, context: JobContext) -> NDArray[np.float64]:
    shown, refused = show_name(name), list[str]()
    if column.dtype.kind in "iuf":
        numbers = column.astype(np.float64)
        beyond = np.isinf(numbers.astype(np.float32))
        numbers[beyond] = np.nan
        refused = ["a number too large"] * int(beyond.sum())
    elif column.dtype.kind == "b":
        numbers = column.astype(np.float64)
    elif column.dtype.kind == "O":
        numbers, refused = read_numbers(column.tolist())
    else:
        numbers, refused = np.full(len(column), np.nan), ["a date"] * len(column)
    if np.isnan(numbers).all():
        said = f": {_list_texts(refused)}" if refused else ""
        raise DataError(
            f"The field {shown} holds no number{said}",
            parameter="fields",
            value=name,
            remedy="Choose fields of numbers, or of texts that hold numbers",
        )
    if refused:
        are = "holds no number there and is taken as missing", "hold no number there and are taken as missing"
        context.warn(f"{shown}: {part_text(len(refused), len(column), 'row', *are)} ({_list_texts(refused)})")
    return numbers


def _read_dates(column: NDArray[Any], name: str, order: str, context: JobContext) -> NDArray[np.datetime64]:
    if column.dtype.kind == "M":
        when = column.astype("datetime64[s]")
        refused = int(np.isnat(when).sum())
        why = "no date"
    else:
        texts = ["" if value is None else _write_key(value) for value in column.tolist()]
        parsed = read_dates(_complete_years(texts), order)
        when = parsed.time
        refused = int(np.isnat(when).sum())
        why = _list_texts([kind_of_reason(reason) for reason in parsed.reason if reason])
        if parsed.note and not parsed.months:
            context.log(f"{show_name(name)}: {parsed.note}")
    if np.isnat(when).all():
        raise DataError(
            f"The field {show_name(name)} holds no date: {why}",
            parameter="date_field",
            value=name,
            remedy="Choose the field that says when a value was measured, or leave it empty for values without a date",
        )
    if refused:
        context.warn(
            f"{show_name(name)}: {part_text(refused, len(when), 'row', 'has no date and is', 'have no date and are')}"
            f" left out ({why})"
        )
    return when


def _complete_years(texts: list[str]) -> list[str]:
    """Years alone stand for their first day."""
    years = [text for text in texts if text]
    if years and all(len(text) == 4 and text.isdecimal() for text in years):
        return [f"{text}-01-01" if text else "" for text in texts]
    return texts


def _write_key(value: object) -> str:
    """A value as the text of a key: whole numbers without the point that columns of real numbers give them."""
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return ""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _list_texts(texts: Sequence[str]) -> str:
    """The texts, most frequent first, with how often each occurs."""
    return "; ".join(
        f"{count_text(number, 'time', 'times')} {show_name(text)!r}" for text, number in Counter(texts).most_common(3)
    )
