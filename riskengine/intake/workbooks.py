"""Spreadsheets (.xlsx, .xls, .ods) as tables of texts: dates become ISO, numbers stay what they are."""

from __future__ import annotations

import datetime
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from ..contract.texts import list_names
from ..ground.context import JobContext
from ..ground.errors import DataError, FormatError
from . import filekinds
from .sources import Source, fits, make_bytes
from .table import Record, Table, has_names, name_columns

_NAMED_ROWS = 1000
_STEP = 20_000


@dataclass(frozen=True, kw_only=True)
class Sheet(Table):
    """A sheet of a workbook; the library holds its cells in memory.

    Attributes
    ----------
    sheet : python_calamine.CalamineSheet
    head : int
        The line of its first row, from 1.
    """

    sheet: Any
    head: int

    def read_records(self, context: JobContext | None = None, warn: bool = False) -> Iterator[Record]:
        """Read the rows below the header; empty rows are none."""
        after = self.head if self.has_header else 0
        for line, cells in enumerate(self.sheet.iter_rows(), 1):
            if context and line % _STEP == 0:
                context.progress(line / max(self.sheet.total_height, 1))
            if line <= after:
                continue
            fields = [format_cell(cell) for cell in cells]
            if any(fields):
                yield line, fields

    def describe_way(self) -> str:
        """Describe how it is written."""
        return "A spreadsheet"


def open_workbook(source: Source, patterns: Sequence[str] = (), header: bool | None = None) -> Sheet:
    """Open the first sheet with rows.

    Parameters
    ----------
    source : Source
    patterns : sequence of str
        If they fit the name of a sheet, that one.
    header : bool, optional
        Default: there is one unless the first row holds a number or a date.

    Raises
    ------
    DataError, FormatError
        If it has a password, is broken, or has no rows.
    """
    import python_calamine as calamine

    raw = make_bytes(source)
    if filekinds.is_zip(raw.getbuffer()[:4].tobytes()):
        try:
            members = zipfile.ZipFile(raw).namelist()
        except zipfile.BadZipFile as error:
            raise _unreadable(source) from error
        if not filekinds.is_workbook(members):
            raise DataError(
                f"{source.label} is an archive and no spreadsheet",
                parameter="path",
                value=source.label,
                remedy="Unpack it and choose the folder",
            )
        raw.seek(0)
    try:
        book = calamine.load_workbook(raw)
        # Charts are sheets too.
        names = [each.name for each in book.sheets_metadata if each.typ == calamine.SheetTypeEnum.WorkSheet]
        sheets = [book.get_sheet_by_name(name) for name in names]
    except calamine.PasswordError as error:
        raise DataError(
            f"{source.label} is locked with a password",
            parameter="path",
            value=source.label,
            remedy="Save it without its password",
        ) from error
    except (calamine.CalamineError, OSError, ValueError) as error:
        raise _unreadable(source) from error
    full = [sheet for sheet in sheets if sheet.height]
    if not full:
        raise DataError(
            f"{source.label} has no sheet with rows",
            parameter="path",
            value=source.label,
            remedy="Choose a file that holds rows",
        )
    sheet = next((each for each in full if patterns and fits(each.name, patterns)), full[0])
    # Titles above a table stand in one cell: the header is the first row with two, if there is one.
    rows = [[format_cell(cell) for cell in cells] for cells in islice(sheet.iter_rows(), _NAMED_ROWS)]
    full_rows = [number for number, cells in enumerate(rows) if any(cells)]
    head = next((n for n in full_rows if sum(map(bool, rows[n])) > 1), full_rows[0] if full_rows else 0)
    named = has_names(rows[head]) if header is None else header
    used = max((n for cells in rows[head + 1 :] for n, cell in enumerate(cells, 1) if cell), default=0)
    columns, notes = name_columns(rows[head], named, used)
    others = [each.name for each in full if each is not sheet]
    if others:
        notes.append(
            f"Of {source.label} the sheet {sheet.name} was read; it has also {list_names(others)}: Files to read "
            "(FILES) takes the name of a sheet"
        )
    return Sheet(source.label, columns, named, tuple(notes), sheet=sheet, head=head + 1)


def format_cell(cell: Any) -> str:
    """Format a cell as a CSV would have it."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, datetime.datetime):
        # Spreadsheets count in fractions of a day, which are no whole seconds.
        return (cell + datetime.timedelta(microseconds=500_000)).replace(microsecond=0).isoformat(" ")
    if isinstance(cell, datetime.timedelta):
        seconds = round(cell.total_seconds())
        return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    if isinstance(cell, datetime.time):
        return cell.replace(microsecond=0).isoformat()
    return str(cell)


def _unreadable(source: Source) -> FormatError:
    return FormatError(
        f"{source.label} cannot be read as a spreadsheet: it is broken, locked, or of a kind that is not known",
        parameter="path",
        value=source.label,
        remedy="Open it in a spreadsheet program and save it as CSV or .xlsx",
    )
