"""From a police CSV to incidents and refused rows, in two passes over the file.

The first pass keeps what needs the whole file (coordinates, distinct times, column types), the second
writes the rows away, a chunk at a time; between the two every row is either kept or has a reason.
"""

from __future__ import annotations

import gc
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..contract.texts import none_text, part_text
from ..ground.context import JobContext
from ..ground.errors import DataError
from ..ground.tables import CHUNK_ROWS, Chunk, write_table
from .incidents import FUTURE, Refusal, compute_latest_time, count_reasons, describe_reasons
from .placecheck import Frame, check_places, parse_numbers
from .points import Points, parse_points
from .repeats import IN_LAYER, IN_OTHER_FILE, KnownRows, describe_repeats, find_in_other_files, merge_rows
from .table import Record, Table, fit_width, locate
from .timereading import FileTimes, TimeRules, read_file_times

RAGGED = "wrong number of fields"
#: Names that the layer itself uses.
RESERVED = ("fid", "geom", "occurred", "category")
#: And those of a layer of spans.
SPAN_FIELDS = ("start", "end")

#: How many rows of the file were merged into an incident.
ROWS = "rows"

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
    id: int | None = None
    category_detail: int | None = None

    def name_category(self, text: str, detail: str = "") -> str:
        """Name the category of a row by what its column holds, and the column that tells more."""
        text = text.strip()
        return self.category_names.get(f"{text}/{detail.strip()}" if detail else text, text)


@dataclass
class Survey:
    """What the first pass has learnt: one entry a row, refusals included."""

    lines: NDArray[np.int64]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    when: FileTimes
    reason: NDArray[np.object_]
    types: list[str]
    notes: list[str] = field(default_factory=list)
    #: Rows that another of the same id stands for, and how many each stands for; None where none are merged.
    extra: NDArray[np.bool_] | None = None
    count: NDArray[np.int64] | None = None

    def find_kept(self) -> NDArray[np.bool_]:
        """Find the rows that become incidents."""
        good: NDArray[np.bool_] = self.reason == ""
        return good if self.extra is None else good & ~self.extra

    def count_reasons(self) -> dict[str, int]:
        """Count the refused rows by reason, most frequent first."""
        bad = np.flatnonzero(self.reason != "")
        return count_reasons(Refusal(int(self.lines[row]), str(self.reason[row])) for row in bad)


def survey(
    file: Table, layout: Layout, context: JobContext, now: np.datetime64 | None = None, most: int | None = None
) -> Survey:
    """First pass: read coordinates, times and column types, and decide about every row, or the first `most`."""
    width = len(file.header)
    types = ["empty"] * width
    lines: list[NDArray[np.int64]] = []
    xs: list[NDArray[np.float64]] = []
    ys: list[NDArray[np.float64]] = []
    unreadable: list[NDArray[np.bool_]] = []
    ragged: dict[int, str] = {}
    moments = [_Distinct() for _ in layout.time + layout.end]
    ids, points = _Distinct(), _Distinct()
    hashes: list[NDArray[np.int64]] = []
    row = 0
    for records in _chunks(islice(file.read_records(context, warn=True), most)):
        fields = []
        for number, (_, values) in enumerate(records, row):
            fitted = fit_width(values, width)
            if fitted is None:
                ragged[number] = f"{RAGGED}: '{len(values)} instead of {getattr(values, 'width', width)}'"
            fields.append(fitted or [""] * width)
        row += len(records)
        if file.files is not None:
            hashes.append(np.array([hash(tuple(values)) for _, values in records], dtype=np.int64))
        lines.append(np.array([line for line, _ in records], dtype=np.int64))
        columns = list(zip(*fields, strict=True))
        if layout.x == layout.y:
            points.add(columns[layout.x])
        else:
            x, bad_x = parse_numbers(columns[layout.x])
            y, bad_y = parse_numbers(columns[layout.y])
            xs.append(x)
            ys.append(y)
            unreadable.append(bad_x | bad_y)
        for moment, number in zip(moments, layout.time + layout.end, strict=True):
            moment.add(columns[number])
        if layout.id is not None:
            ids.add(columns[layout.id])
        types = [narrow(kind, texts) for kind, texts in zip(types, columns, strict=True)]
    if not row:
        raise make_empty_error(file)
    placed = (
        parse_points(points.texts())
        if layout.x == layout.y
        else Points(np.concatenate(xs), np.concatenate(ys), np.concatenate(unreadable), "")
    )
    x, y = placed.x, placed.y
    reason = check_places(x, y, placed.unreadable, layout.frame)
    texts, latest = [moment.texts() for moment in moments], compute_latest_time(now)
    starts, ends = texts[: len(layout.time)], texts[len(layout.time) :]
    when = read_file_times(starts, ends, layout.rules, x, y, reason == "", layout.crs, latest)
    times = when.times
    reason = np.where(reason != "", reason, times.reason)
    for late in np.flatnonzero((times.time > latest) & (reason == "")):
        reason[late] = f"{FUTURE}: '{times.time[late]}'"
    for number, why in ragged.items():
        reason[number] = why
    notes = [*filter(None, (placed.note,)), *when.notes]
    if file.files is not None:
        where = file.files.find(np.arange(row))
        earlier = find_in_other_files(np.concatenate(hashes), where)
        again = (earlier >= 0) & (reason == "")
        reason[again] = [f"{IN_OTHER_FILE}: '{file.files.names[each]}'" for each in earlier[again]]
        notes += describe_repeats(file.files.names, where[again], earlier[again])
    types = ["text" if kind == "empty" else kind for kind in types]
    made = Survey(np.concatenate(lines), x, y, when, reason, types, notes)
    if layout.id is not None:
        made.extra, made.count = merge_rows(ids.texts(), reason == "")
    return made


def make_empty_error(file: Table) -> DataError:
    """Make the error of a file that has a header and nothing else."""
    return DataError(
        f"{file.name} has no rows below its header",
        parameter="path",
        value=file.name,
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


def list_kept_columns(file: Table, layout: Layout, when: FileTimes) -> list[int]:
    """List the columns that are not already in the geometry, in the times or in `category`."""
    # Beside a point such a column may hold an address.
    used = ({layout.x, layout.y} if layout.x != layout.y else set()) | (
        {layout.category} if layout.category is not None else set()
    )
    if when.times.whole:
        used |= set(layout.time)
    if when.spans is not None and when.spans.whole:
        used |= set(layout.end)
    return [column for column in range(len(file.header)) if column not in used]


@dataclass(frozen=True)
class Output:
    """The fields of the incidents, and the columns of the file that fill those that are not the layer's own.

    Attributes
    ----------
    types : dict of str to str
        By field: datetime, integer, real or text.
    columns : dict of str to int
    """

    types: dict[str, str]
    columns: dict[str, int]


def plan_output(file: Table, layout: Layout, learnt: Survey, context: JobContext) -> Output:
    """Plan the fields; says which columns are renamed."""
    columns = list_kept_columns(file, layout, learnt.when)
    spans = SPAN_FIELDS if learnt.when.spans is not None else ()
    own = (ROWS,) if learnt.count is not None else ()
    names = make_field_names(file.header, columns, (*RESERVED, *spans, *own))
    renamed = [f"{file.header[c]} is now {n}" for c, n in zip(columns, names, strict=True) if n != file.header[c]]
    if renamed:
        context.log("Columns renamed because the name is taken: " + ", ".join(renamed) + ".")
    types = (
        {"occurred": "datetime", "category": "text"} | dict.fromkeys(spans, "datetime") | dict.fromkeys(own, "integer")
    )
    types |= {name: learnt.types[column] for name, column in zip(names, columns, strict=True)}
    return Output(types, dict(zip(names, columns, strict=True)))


def read_values(
    file: Table, layout: Layout, learnt: Survey, output: Output, context: JobContext
) -> Iterator[tuple[NDArray[np.int64], dict[str, Any]]]:
    """Read the kept rows again, some at a time: their numbers, and the values of each field of the output."""
    width = len(file.header)
    kept = learnt.find_kept()
    for here, records in _rows_by_chunk(file, context):
        good = kept[here]
        rows = [fit_width(values, width) or [] for (_, values), fine in zip(records, good, strict=True) if fine]
        if not rows:
            continue
        numbers = here.start + np.flatnonzero(good)
        texts = list(zip(*rows, strict=True))
        when = learnt.when
        values: dict[str, Any] = {"occurred": when.times.time[numbers], "category": _categories(texts, layout)}
        if when.spans is not None:
            values |= dict(zip(SPAN_FIELDS, (when.start[numbers], when.spans.end[numbers]), strict=True))
        if learnt.count is not None:
            values[ROWS] = learnt.count[numbers].tolist()
        for name, column in output.columns.items():
            values[name] = convert(learnt.types[column], texts[column])
        yield numbers, values


def refuse_known(
    file: Table, layout: Layout, learnt: Survey, output: Output, known: KnownRows, context: JobContext
) -> int:
    """Refuse the rows that the layer has already; returns how many."""
    count = 0
    for numbers, values in read_values(file, layout, learnt, output, context):
        there = numbers[known.find(learnt.x[numbers], learnt.y[numbers], values)]
        # The rows that are read on were chosen before.
        learnt.reason[there] = IN_LAYER
        count += len(there)
    return count


def write_incidents(
    file: Table, layout: Layout, learnt: Survey, output: Output, path: str | Path, context: JobContext
) -> list[dict[str, str]]:
    """Second pass: write the kept rows as points; returns the fields' names and types."""

    def chunks() -> Iterator[Chunk]:
        for numbers, values in read_values(file, layout, learnt, output, context):
            yield Chunk(list(values.values()), learnt.x[numbers], learnt.y[numbers])

    fields = {name: "long" if kind == "integer" else kind for name, kind in output.types.items()}
    write_table(path, fields, chunks(), "point", layout.crs)
    return [{"name": name, "type": kind} for name, kind in output.types.items()]


def write_refused(file: Table, learnt: Survey, path: str | Path, context: JobContext) -> None:
    """Write the rows that were left out: line number, reason, the row itself, and its file where there are several."""
    files = file.files

    def chunks() -> Iterator[Chunk]:
        if not (learnt.reason != "").any():
            return
        for here, records in _rows_by_chunk(file, context):
            bad = np.flatnonzero(learnt.reason[here] != "")
            if len(bad):
                lines = [records[row][0] for row in bad]
                columns = [
                    lines,
                    learnt.reason[here][bad].tolist(),
                    [file.format_record(records[row][1]) for row in bad],
                ]
                if files is not None:
                    columns.append([files.names[number] for number in files.find(here.start + bad)])
                yield Chunk(columns)

    fields = REFUSED_FIELDS if files is None else {**REFUSED_FIELDS, "file": "text"}
    write_table(path, fields, chunks(), parameter="refused")


def _rows_by_chunk(file: Table, context: JobContext) -> Iterator[tuple[slice, list[Record]]]:
    row = 0
    for records in _chunks(file.read_records(context)):
        yield slice(row, row + len(records)), records
        row += len(records)


def count_refusals(file: Table, learnt: Survey, context: JobContext) -> dict[str, int]:
    """Count refused rows by reason, said in the log; raises `DataError` if no row is left."""
    bad = np.flatnonzero(learnt.reason != "")
    reasons = learnt.count_reasons()
    if len(bad) == len(learnt.reason):
        first = bad[0]
        raise DataError(
            f"{none_text(len(bad), 'row', f'of {file.name} can', f'of {file.name} cannot')} be imported"
            f" ({describe_reasons(reasons)})",
            parameter="path",
            value=f"{locate(file, learnt.lines, first)}: {learnt.reason[first]}",
            remedy=f"Look at {locate(file, learnt.lines, first)} ({learnt.reason[first]}) and check the columns chosen",
        )
    if reasons:
        context.warn(
            f"{part_text(len(bad), len(learnt.reason), 'row', 'was', 'were')} refused: {describe_reasons(reasons)}."
        )
    return reasons


def _categories(texts: list[tuple[str, ...]], layout: Layout) -> list[str | None]:
    if layout.category is None:
        return [None] * len(texts[0])
    further = () if layout.category_detail is None else (texts[layout.category_detail],)
    keys = list(zip(texts[layout.category], *further, strict=True))
    names = {key: layout.name_category(*key) or None for key in set(keys)}
    return [names[key] for key in keys]


def _chunks(records: Iterator[Record]) -> Iterator[list[Record]]:
    while chunk := list(islice(records, CHUNK_ROWS)):
        yield chunk
