"""From a police CSV to incidents and refused rows, in two passes over the file.

The first pass keeps what needs the whole file (coordinates, distinct times, column types), the second
writes the rows away, a chunk at a time; between the two every row is either kept or has a reason.
"""

from __future__ import annotations

import gc
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..ground.context import JobContext
from ..ground.errors import DataError
from ..ground.tables import CHUNK_ROWS, Chunk, write_table
from .csvfile import CsvFile, Record
from .incidents import FUTURE, Refusal, compute_latest_time, count_reasons, describe_reasons
from .placecheck import Frame, check_places, parse_numbers
from .timereading import FileTimes, TimeRules, read_file_times

RAGGED = "wrong number of fields"
#: Names that the layer itself uses.
RESERVED = ("fid", "geom", "occurred", "category")
#: And those of a layer of spans.
SPAN_FIELDS = ("start", "end")

#: Of the table of refused rows.
REFUSED_FIELDS = {"line": "long", "reason": "text", "row": "text"}

_INTEGER = re.compile(r"[+-]?(?:0|[1-9]\d{0,18})")
# An exponent needs a decimal point before it: 5E2 is more likely a code than five hundred.
_REAL = re.compile(r"[+-]?(?:0|[1-9]\d*)?(?:\.\d+(?:[eE][+-]?\d{1,3})?|\.)?")
_DIGIT = re.compile(r"\d")


@dataclass(frozen=True)
class Layout:
    """Which columns (by position) hold what, and what is expected of them."""

    x: int
    y: int
    time: tuple[int, ...]
    category: int | None
    category_names: dict[str, str]
    crs: str
    frame: Frame
    rules: TimeRules
    end: tuple[int, ...] = ()


@dataclass
class Survey:
    """What the first pass has learnt: one entry a row, refusals included."""

    lines: NDArray[np.int64]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    when: FileTimes
    reason: NDArray[np.object_]
    types: list[str]


def survey(file: CsvFile, layout: Layout, context: JobContext, now: np.datetime64 | None = None) -> Survey:
    """First pass: read coordinates, times and column types, and decide about every row."""
    width = len(file.header)
    types = ["empty"] * width
    lines: list[NDArray[np.int64]] = []
    xs: list[NDArray[np.float64]] = []
    ys: list[NDArray[np.float64]] = []
    unreadable: list[NDArray[np.bool_]] = []
    ragged: dict[int, int] = {}
    moments = [_Distinct() for _ in layout.time + layout.end]
    row = 0
    for records in _chunks(file.read_records(context, warn=True)):
        fields = []
        for number, (_, values) in enumerate(records, row):
            fitted = fit_width(values, width)
            if fitted is None:
                ragged[number] = len(values)
            fields.append(fitted or [""] * width)
        row += len(records)
        lines.append(np.array([line for line, _ in records], dtype=np.int64))
        columns = list(zip(*fields, strict=True))
        x, bad_x = parse_numbers(columns[layout.x])
        y, bad_y = parse_numbers(columns[layout.y])
        xs.append(x)
        ys.append(y)
        unreadable.append(bad_x | bad_y)
        for moment, number in zip(moments, layout.time + layout.end, strict=True):
            moment.add(columns[number])
        types = [narrow(kind, texts) for kind, texts in zip(types, columns, strict=True)]
    if not row:
        raise make_empty_error(file)
    x, y = np.concatenate(xs), np.concatenate(ys)
    reason = check_places(x, y, np.concatenate(unreadable), layout.frame)
    texts, latest = [moment.texts() for moment in moments], compute_latest_time(now)
    starts, ends = texts[: len(layout.time)], texts[len(layout.time) :]
    when = read_file_times(starts, ends, layout.rules, x, y, reason == "", layout.crs, latest)
    times = when.times
    reason = np.where(reason != "", reason, times.reason)
    for late in np.flatnonzero((times.time > latest) & (reason == "")):
        reason[late] = f"{FUTURE}: '{times.time[late]}'"
    for number, count in ragged.items():
        reason[number] = f"{RAGGED}: '{count} instead of {width}'"
    types = ["text" if kind == "empty" else kind for kind in types]
    return Survey(np.concatenate(lines), x, y, when, reason, types)


def make_empty_error(file: CsvFile) -> DataError:
    """Make the error of a file that has a header and nothing else."""
    return DataError(
        f"{file.path.name} has no rows below its header",
        parameter="path",
        value=file.path,
        remedy="Choose a file that holds incidents",
    )


class _Distinct:
    """A column of texts kept as its distinct values and codes."""

    def __init__(self) -> None:
        self._known: dict[str, int] = {}
        self._codes: list[NDArray[np.int32]] = []

    def add(self, texts: Sequence[str]) -> None:
        known = self._known
        self._codes.append(np.array([known.setdefault(text, len(known)) for text in texts], dtype=np.int32))

    def texts(self) -> NDArray[np.object_]:
        return np.array(list(self._known), dtype=object)[np.concatenate(self._codes)]


@contextmanager
def no_collector() -> Iterator[None]:
    """Without Python's cycle collector: it would walk the millions of texts of a file again and again, for nothing."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def fit_width(fields: list[str], width: int) -> list[str] | None:
    """The fields of a row of `width` columns; None if it has others. Empty fields too many do not count."""
    if len(fields) == width:
        return fields
    if len(fields) > width and not any(fields[width:]):
        return fields[:width]
    return None


def narrow(kind: str, texts: Sequence[str]) -> str:
    """The narrowest of empty, integer, real and text that holds `texts` and everything of type `kind`.

    Nothing may be lost: numbers with leading zeros or too many digits are text, and so are true and
    false, which publishers mix with yes, no and 1.
    """
    if kind == "text":
        return kind
    for text in set(texts):
        text = text.strip()
        if not text:
            continue
        kind = "integer" if kind == "empty" else kind
        if kind == "integer" and not (_INTEGER.fullmatch(text) and -(2**63) <= int(text) < 2**63):
            kind = "real"
        if kind == "real" and not (_REAL.fullmatch(text) and _DIGIT.search(text) and abs(float(text)) < 1e300):
            return "text"
        if kind == "real" and "." not in text and len(text) > 15:
            return "text"
    return kind


def convert(kind: str, texts: Sequence[str]) -> list[Any]:
    """Values of a column; an empty text is null."""
    make: Callable[[str], Any] = {"integer": int, "real": float}.get(kind, str)
    values = {text: make(text) if text.strip() else None for text in set(texts)}
    return [values[text] for text in texts]


def make_field_names(header: Sequence[str], columns: Sequence[int], reserved: Sequence[str] = RESERVED) -> list[str]:
    """Make field names of these columns: as in the file, but unique without regard to case, and never reserved."""
    taken = set(reserved)
    names = []
    for column in columns:
        name, number = header[column], 2
        while name.casefold() in taken:
            name = f"{header[column]}_{number}"
            number += 1
        taken.add(name.casefold())
        names.append(name)
    return names


def list_kept_columns(file: CsvFile, layout: Layout, when: FileTimes) -> list[int]:
    """List the columns that are not already in the geometry, in the times or in `category`."""
    used = {layout.x, layout.y} | ({layout.category} if layout.category is not None else set())
    if when.times.whole:
        used |= set(layout.time)
    if when.spans is not None and when.spans.whole:
        used |= set(layout.end)
    return [column for column in range(len(file.header)) if column not in used]


def write_incidents(
    file: CsvFile, layout: Layout, learnt: Survey, path: str | Path, context: JobContext
) -> list[dict[str, str]]:
    """Second pass: write the kept rows as points; returns the fields' names and types."""
    when = learnt.when
    spans = {} if when.spans is None else dict(zip(SPAN_FIELDS, (when.start, when.spans.end), strict=True))
    columns = list_kept_columns(file, layout, when)
    names = make_field_names(file.header, columns, (*RESERVED, *spans))
    renamed = [f"{file.header[c]} is now {n}" for c, n in zip(columns, names, strict=True) if n != file.header[c]]
    if renamed:
        context.log("Columns renamed because the name is taken: " + ", ".join(renamed) + ".")
    types = {"occurred": "datetime", "category": "text"} | dict.fromkeys(spans, "datetime")
    types |= {name: learnt.types[column] for name, column in zip(names, columns, strict=True)}
    fields = {name: "long" if kind == "integer" else kind for name, kind in types.items()}
    width = len(file.header)

    def chunks() -> Iterator[Chunk]:
        for here, records in _rows_by_chunk(file, context):
            good = learnt.reason[here] == ""
            kept = [fit_width(values, width) or [] for (_, values), fine in zip(records, good, strict=True) if fine]
            if not kept:
                continue
            texts = list(zip(*kept, strict=True))
            others = [convert(learnt.types[column], texts[column]) for column in columns]
            times = [each[here][good] for each in spans.values()]
            values = [when.times.time[here][good], _categories(texts, layout), *times, *others]
            yield Chunk(values, learnt.x[here][good], learnt.y[here][good])

    write_table(path, fields, chunks(), "point", layout.crs)
    return [{"name": name, "type": kind} for name, kind in types.items()]


def write_refused(file: CsvFile, learnt: Survey, path: str | Path, context: JobContext) -> None:
    """Write the rows that were left out: line number, reason, and the row itself."""

    def chunks() -> Iterator[Chunk]:
        if not (learnt.reason != "").any():
            return
        for here, records in _rows_by_chunk(file, context):
            bad = np.flatnonzero(learnt.reason[here] != "")
            if len(bad):
                lines = [records[row][0] for row in bad]
                yield Chunk(
                    [
                        lines,
                        learnt.reason[here][bad].tolist(),
                        [file.format_record(records[row][1]) for row in bad],
                    ]
                )

    write_table(path, REFUSED_FIELDS, chunks(), parameter="refused")


def _rows_by_chunk(file: CsvFile, context: JobContext) -> Iterator[tuple[slice, list[Record]]]:
    row = 0
    for records in _chunks(file.read_records(context)):
        yield slice(row, row + len(records)), records
        row += len(records)


def count_refusals(learnt: Survey, context: JobContext, name: str) -> dict[str, int]:
    """Count refused rows by reason, said in the log; raises `DataError` if no row is left."""
    bad = np.flatnonzero(learnt.reason != "")
    reasons = count_reasons(Refusal(int(learnt.lines[row]), str(learnt.reason[row])) for row in bad)
    if len(bad) == len(learnt.reason):
        first = bad[0]
        raise DataError(
            f"None of the {len(bad)} rows of {name} can be imported ({describe_reasons(reasons)})",
            parameter="path",
            value=f"line {learnt.lines[first]}: {learnt.reason[first]}",
            remedy=f"Look at line {learnt.lines[first]} ({learnt.reason[first]}) and check the columns chosen",
        )
    if reasons:
        context.warn(f"{len(bad)} of {len(learnt.reason)} rows were refused: {describe_reasons(reasons)}.")
    return reasons


def _categories(texts: list[tuple[str, ...]], layout: Layout) -> list[str | None]:
    if layout.category is None:
        return [None] * len(texts[0])
    column = texts[layout.category]
    names = {text: layout.category_names.get(text.strip(), text.strip()) or None for text in set(column)}
    return [names[text] for text in column]


def _chunks(records: Iterator[Record]) -> Iterator[list[Record]]:
    while chunk := list(islice(records, CHUNK_ROWS)):
        yield chunk
