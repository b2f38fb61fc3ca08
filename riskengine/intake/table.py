"""What every table of an input is, be it a text, a sheet or many files: a header, and records to be read again."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..ground.context import JobContext

#: One record: the physical line it begins on (from 1) and its fields.
Record = tuple[int, list[str]]
_NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)?|\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(?:[T ].*)?")
#: What a spreadsheet takes for the beginning of a formula, unless a number follows the sign.
_FORMULA = re.compile(r"[=@\t\r]|[+-](?!\s*[\d.,]+(?:[eE][+-]?\d+)?\s*$)")


class Misfit(list[str]):
    """The fields of a record whose number is not that of its own file's header.

    Attributes
    ----------
    width : int
        How many there should be.
    """

    width: int


@dataclass(frozen=True)
class Table:
    """A table of texts.

    Attributes
    ----------
    name : str
        What a sentence calls it.
    header : list of str
        No name is empty or occurs twice.
    has_header : bool
        Or else its names are field_1, field_2 … as QGIS names them.
    notes : tuple of str
        What was assumed.
    encoding, delimiter : str
        Of texts; a sheet has no encoding.
    """

    name: str
    header: list[str]
    has_header: bool
    notes: tuple[str, ...] = ()
    encoding: str = ""
    delimiter: str = ","

    def read_records(self, context: JobContext | None = None, warn: bool = False) -> Iterator[Record]:
        """Read the records below the header; blank lines are no records."""
        raise NotImplementedError

    def describe_way(self) -> str:
        """Describe how it is written."""
        return f"Encoding {self.encoding}, delimiter {self.delimiter!r}"

    @property
    def files(self) -> FileStarts | None:
        """Which rows are from which file, where there are several."""
        return None

    def format_record(self, fields: Sequence[str]) -> str:
        """Format a record as CSV again, so that a refused row can be corrected and imported.

        A first field that a spreadsheet would run as a formula is put in quotation marks: the record is the same, but
        the cell that holds it does not begin with ``=`` any more.
        """
        buffer = io.StringIO()
        # The writer quotes whatever occurs in its line end: with CRLF both kinds of line break.
        csv.writer(buffer, delimiter=self.delimiter, lineterminator="\r\n").writerow(fields)
        text = buffer.getvalue().removesuffix("\r\n")
        if fields and _FORMULA.match(fields[0]) and text.startswith(fields[0]):
            return f'"{fields[0]}"{text[len(fields[0]) :]}'
        return text


@dataclass
class FileStarts:
    """Which rows come from which of several files; known once all have been read.

    Attributes
    ----------
    names : list of str
    starts : list of int
        The row, from 0, with which each file begins.
    """

    names: list[str]
    starts: list[int] = field(default_factory=list)

    def find(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Find the number of the file that each row comes from."""
        return np.searchsorted(self.starts, rows, side="right") - 1


def locate(table: Table, lines: NDArray[np.int64], row: int) -> str:
    """Say where a row stands: the line, and the file where there are several."""
    line = f"line {lines[row]}"
    if table.files is None:
        return line
    return f"{line} of {table.files.names[int(table.files.find(np.array([row]))[0])]}"


def fit_width(fields: list[str], width: int) -> list[str] | None:
    """The fields of a row of `width` columns; None if it has others. Empty fields too many do not count."""
    if type(fields) is Misfit:
        return None
    if len(fields) == width:
        return fields
    if len(fields) > width and not any(fields[width:]):
        return fields[:width]
    return None


def has_names(head: Sequence[str]) -> bool:
    """Whether a first row is a header: it says something, and none of it is a number or a date."""
    return any(head) and not any(_NUMBER.fullmatch(cell.strip()) for cell in head)


def name_columns(head: Sequence[str], named: bool, used: int) -> tuple[list[str], list[str]]:
    """Name the columns so that none is empty and none occurs twice; returns the names, and what was changed.

    Parameters
    ----------
    head : sequence of str
        The first row.
    named : bool
        Whether it is a header.
    used : int
        So many columns hold something in the rows that were looked at: empty names beyond are a comma too many.
    """
    given = [name.strip().removeprefix("\ufeff") for name in head] if named else [""] * len(head)
    while named and len(given) > max(used, 1) and not given[-1]:
        given.pop()
    taken, names, nameless, doubled = set(given), [], [], []
    seen: set[str] = set()
    for number, name in enumerate(given, 1):
        made = name or f"field_{number}"
        count = 2
        while made in seen or (made != name and made in taken):
            made = f"{name or f'field_{number}'}_{count}"
            count += 1
        seen.add(made)
        names.append(made)
        if named and not name:
            nameless.append(made)
        elif made != name:
            doubled.append(made)
    notes = []
    if nameless:
        notes.append(f"Columns without a name are called {', '.join(nameless)}")
    if named and doubled:
        notes.append(f"Names that occur twice are counted on: {', '.join(doubled)}")
    return names, notes
