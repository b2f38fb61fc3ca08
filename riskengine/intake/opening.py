"""The input of an import as one table: a file by itself, or the like files of a folder or archive one after another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from ..contract.texts import count_text, list_names
from ..ground.context import JobContext
from ..ground.errors import DataError, ParameterError
from .csvfile import open_csv
from .sources import Found, Source, find_sources
from .table import FileStarts, Misfit, Record, Table, fit_width
from .workbooks import open_workbook

#: data.police.uk has outcomes and stops beside the incidents of each month, as many files of each.
_PREFERRED = "*-street.*"
#: Files are alike if so large a share of the columns of both is in each.
_ALIKE = 0.8


@dataclass(frozen=True)
class Way:
    """How texts are to be read, where that is not found out.

    Attributes
    ----------
    encoding, delimiter : str or None
    header : bool or None
    """

    encoding: str | None = None
    delimiter: str | None = None
    header: bool | None = None


@dataclass(frozen=True, kw_only=True)
class Several(Table):
    """Tables one after another, their columns matched by name.

    Attributes
    ----------
    tables : list of Table
    starts : FileStarts
    """

    tables: list[Table]
    starts: FileStarts

    @property
    def files(self) -> FileStarts:
        """Which rows are from which file."""
        return self.starts

    def describe_way(self) -> str:
        """Describe how they are written."""
        ways = Counter(table.describe_way() for table in self.tables)
        return " or ".join(
            f"{way} ({count_text(number, 'file')})" if len(ways) > 1 else way for way, number in ways.items()
        )

    def read_records(self, context: JobContext | None = None, warn: bool = False) -> Iterator[Record]:
        """Read the records of all files; a column that a file lacks is empty."""
        starts: list[int] = []
        row = 0
        # Each file would begin the progress anew.
        quiet = JobContext(on_log=context.log, cancelled=context.cancelled) if context else None
        for number, table in enumerate(self.tables):
            starts.append(row)
            if context:
                context.progress(number / len(self.tables), f"reading {table.name}")
            for record in _in_order(table, self.header, quiet, warn):
                yield record
                row += 1
        self.starts.starts[:] = starts


def open_input(
    paths: Sequence[str | Path], patterns: Sequence[str] = (), way: Way = Way(), context: JobContext | None = None
) -> Table:
    """Open an input.

    Parameters
    ----------
    paths : sequence of path
        Files, folders and archives.
    patterns : sequence of str
        Of names of files to read; see `find_sources`.
    way : Way
    context : JobContext, optional
        Its log gets what was left out, and how to ask for it.

    Raises
    ------
    ParameterError, DataError
        If there is nothing to read.
    """
    context = context or JobContext()
    found = find_sources(paths, patterns)
    if len(found.sources) == 1 and len(paths) == 1 and not found.others:
        return _open(found.sources[0], patterns, way)
    tables, left = _open_all(found, patterns, way, context)
    if not found.chosen:
        tables, unlike = _choose_alike(tables)
        left += [table.name for table in unlike]
    _log_choice(tables, left, found.others, context)
    return tables[0] if len(tables) == 1 else _join(tables)


def _open(source: Source, patterns: Sequence[str], way: Way) -> Table:
    if source.is_workbook:
        return open_workbook(source, patterns, way.header)
    return open_csv(source, way.encoding, way.delimiter, way.header)


def _open_all(found: Found, patterns: Sequence[str], way: Way, context: JobContext) -> tuple[list[Table], list[str]]:
    """Open all files; one that is empty or no table is left out where nobody named it."""
    tables: list[Table] = []
    left: list[str] = []
    failure: DataError | ParameterError | None = None
    street = [source for source in found.sources if fnmatch(source.label.lower(), _PREFERRED)]
    wanted = found.sources if found.chosen or not street else street
    for source in wanted:
        context.check_cancelled()
        try:
            tables.append(_open(source, patterns, way))
        except DataError as error:
            if found.chosen:
                raise
            failure = failure or error
            context.warn(str(error))
            left.append(source.label)
    if not tables and failure:
        raise failure
    kept = set(wanted)
    return tables, left + [source.label for source in found.sources if source not in kept]


def _choose_alike(tables: list[Table]) -> tuple[list[Table], list[Table]]:
    """Choose the files whose columns are those of most files."""
    counted = Counter(frozenset(table.header) for table in tables)
    # Of as many the first, which names decide.
    usual = max(counted, key=lambda names: counted[names])
    alike = [table for table in tables if _is_alike(frozenset(table.header), usual)]
    return alike, [table for table in tables if table not in alike]


def _is_alike(one: frozenset[str], other: frozenset[str]) -> bool:
    return len(one & other) >= _ALIKE * len(one | other)


def _log_choice(tables: list[Table], left: list[str], others: list[str], context: JobContext) -> None:
    names = [Path(table.name).name for table in tables]
    if len(names) > 1:
        context.log(f"{count_text(len(names), 'file is', 'files are')} read: {list_names(names)}.")
    elif left or others:
        context.log(f"The file {names[0]} is read.")
    if left:
        are = "file is" if len(left) == 1 else "files are"
        context.warn(
            f"{len(left)} other {are} not read: {_list_patterns(left)}. Files to read (FILES) takes patterns of names, "
            f"such as {_make_pattern(left[0])}."
        )
    if others:
        context.log(f"Not tables of rows, or not asked for: {_list_patterns(others)}.")


def _list_patterns(names: list[str]) -> str:
    patterns = Counter(map(_make_pattern, names))
    return list_names([f"{count} x {pattern}" if count > 1 else pattern for pattern, count in patterns.items()])


def _make_pattern(name: str) -> str:
    """A pattern that fits a name and those of other months, of which the last word is the same."""
    plain = Path(name).name
    word = plain.rpartition("-")[2]
    return f"*-{word}" if word != plain else plain


def _join(tables: list[Table]) -> Several:
    first = tables[0]
    header = list(first.header)
    for table in tables[1:]:
        header += [name for name in table.header if name not in header]
    if unnamed := [table.name for table in tables if table.has_header != first.has_header]:
        raise DataError(
            f"Some of the files have a header and others have none: {list_names(unnamed)} is not like {first.name}",
            parameter="path",
            value=unnamed[0],
            remedy="Import them one by one",
        )
    notes = list(dict.fromkeys(note for table in tables for note in table.notes))
    for table in tables:
        if lacking := [name for name in header if name not in table.header]:
            notes.append(f"{table.name} has no column {list_names(lacking)}, which is empty in its rows")
    return Several(
        f"{count_text(len(tables), 'file')}",
        header,
        first.has_header,
        tuple(notes),
        first.encoding,
        first.delimiter,
        tables=tables,
        starts=FileStarts([table.name for table in tables]),
    )


def _in_order(table: Table, header: list[str], context: JobContext | None, warn: bool) -> Iterator[Record]:
    """The records of a table with their fields in the order of a header, those that do not fit as they are."""
    width = len(table.header)
    if table.header == header:
        yield from table.read_records(context, warn)
        return
    places = [table.header.index(name) if name in table.header else width for name in header]
    for line, fields in table.read_records(context, warn):
        fitted = fit_width(fields, width)
        if fitted is None:
            misfit = Misfit(fields)
            misfit.width = width
            yield line, misfit
        else:
            fitted = [*fitted, ""]
            yield line, [fitted[place] for place in places]
