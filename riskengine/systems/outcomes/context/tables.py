"""The two tables of a join as one kind of thing: read whole by GDAL, or from a text as it was published."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ....contract.texts import count_text, list_names, part_text, show_name
from ....ground.context import JobContext
from ....ground.errors import DataError
from ....intake.opening import Way, open_input
from ....intake.table import fit_width

Array = NDArray[Any]
#: Rows that are looked at to tell what columns hold.
_SAMPLE = 150
_WHOLE = re.compile(r"([+-]?)0*(\d+)(?:\.0*)?", re.ASCII)


class AnyTable(Protocol):
    """What a join asks of a table; `ground.wholetables.WholeTable` is one."""

    @property
    def fields(self) -> Mapping[str, str]:
        """Kind of each field by its name."""

    @property
    def crs(self) -> str:
        """Empty for none."""

    def __len__(self) -> int: ...

    def column(self, name: str) -> Array:
        """The values of a field, shape (N,): None, NaN or NaT where there is none."""

    def code(self, name: str) -> tuple[NDArray[np.int32], list[str]]:
        """Number the values of a field as texts: codes, -1 for none, and labels."""

    def shapes(self) -> NDArray[np.object_]:
        """Well-known binary, shape (N,); None for no geometry."""

    def points(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """x and y in `crs`, shape (N,); NaN where there is no point."""


@dataclass(frozen=True, eq=False)
class TextTable:
    """N rows of texts.

    Attributes
    ----------
    texts : dict of str to ndarray of object, shape (N,)
        By the name of the column; None where nothing is written.
    """

    texts: Mapping[str, NDArray[np.object_]]
    crs: str = ""

    @property
    def fields(self) -> Mapping[str, str]:
        """All are texts."""
        return dict.fromkeys(self.texts, "text")

    def __len__(self) -> int:
        return len(next(iter(self.texts.values())))

    def column(self, name: str) -> Array:
        """The texts of a column."""
        return self.texts[name]

    def code(self, name: str) -> tuple[NDArray[np.int32], list[str]]:
        """Number the texts of a column."""
        import pandas as pd

        codes, labels = pd.factorize(self.texts[name])
        return codes.astype(np.int32), [str(label) for label in labels]

    def shapes(self) -> NDArray[np.object_]:
        """A text has no geometries."""
        return np.full(len(self), None, dtype=object)

    def points(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """A text has no places."""
        return np.full(len(self), np.nan), np.full(len(self), np.nan)


def read_text_table(path: str | Path, context: JobContext, parameter: str = "file") -> TextTable:
    """Read a text, workbook or archive as *Import incidents* does: any encoding, delimiter, line end and quoting.

    Raises
    ------
    ParameterError, DataError, FormatError
        If it cannot be read, or has no rows.
    """
    table = open_input([path], (), Way(), context)
    width, rows, misfits = len(table.header), list[Sequence[str]](), list[int]()
    for line, fields in table.read_records(warn=True):
        fitted = fit_width(fields, width)
        if fitted is None:
            misfits.append(line)
        elif any(field.strip() for field in fitted):
            rows.append(fitted)
    name = show_name(Path(path).name)
    if not rows:
        raise DataError(
            f"{name} has no row", parameter=parameter, value=str(path), remedy="Choose a table that holds something"
        )
    context.log(
        f"{name}: {count_text(len(rows), 'row')}, {count_text(width, 'column')}."
        f" {table.describe_way()}{''.join(f'. {note}' for note in table.notes)}"
    )
    if misfits:
        other = "another number of fields than the header and"
        has = f"has {other} is", f"have {other} are"
        context.warn(
            f"{part_text(len(misfits), len(rows) + len(misfits), 'row', *has)} left out, on line {list_names(misfits)}"
        )
    columns = zip(*rows, strict=True)
    return TextTable({each: _strip(column) for each, column in zip(table.header, columns, strict=True)})


def _strip(column: Sequence[str]) -> NDArray[np.object_]:
    made = np.empty(len(column), dtype=object)
    made[:] = [text.strip() or None for text in column]
    return made


def write_texts(table: AnyTable, name: str, rows: NDArray[np.int64] | None = None) -> list[str]:
    """Write the values of a column as texts, empty for none: of all rows, or of some."""
    values = table.column(name)
    values = values if rows is None else values[rows]
    if values.dtype.kind == "M":
        return ["" if text == "NaT" else text for text in values.astype("datetime64[s]").astype(str).tolist()]
    return [_write(value) for value in values.tolist()]


def _write(value: object) -> str:
    if value is None or value != value:
        return ""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def take_sample(table: AnyTable) -> NDArray[np.int64]:
    """Take rows from the whole length of a table: those of one night do not tell what its times hold."""
    return np.unique(np.linspace(0, len(table) - 1, _SAMPLE).astype(np.int64))


def tidy_key(text: str) -> str:
    """Make of a key what it says: ``24.0``, ``024`` and ``24`` are one, and capitals and blanks do not matter."""
    plain = " ".join(text.split()).casefold()
    whole = _WHOLE.fullmatch(plain)
    return f"{whole[1].replace('+', '')}{whole[2]}" if whole else plain
