"""CSV files as police forces publish them: any encoding, line end and delimiter, and where each record stands."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from ..contract.texts import count_text
from ..ground.context import JobContext
from ..ground.errors import DataError, ParameterError
from .sources import Source
from .table import Record, Table, has_names, name_columns

_DELIMITERS = ",;\t|"
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_BLOCK = 1 << 20
_SAMPLE_ROWS = 60
#: Rows that are looked at for what stands in columns without a name.
_NAMED_ROWS = 1000
#: One field may be this long; more is a quote that never closes.
_FIELD_LIMIT = 4 << 20
#: A record over more lines than this is worth a word: a stray quote swallows rows.
_MANY_LINES = 40


@dataclass(frozen=True, kw_only=True)
class CsvFile(Table):
    """A CSV file whose encoding, delimiter and header are known.

    Attributes
    ----------
    source : Source
    errors : str
        As for `open`.
    """

    source: Source
    errors: str = "strict"

    def read_records(self, context: JobContext | None = None, warn: bool = False) -> Iterator[Record]:
        """Read the records below the header; blank lines are no records."""
        size = max(self.source.size, 1)
        with (
            self.source.reading(),
            self.source.open() as raw,
            io.TextIOWrapper(raw, self.encoding, self.errors, newline="") as file,
        ):
            records = _records(file, self.delimiter, self.name)
            if self.has_header:
                next(records, None)
            before = 0
            for number, record in enumerate(records):
                line = record[0]
                if warn and context and number and line - before > _MANY_LINES:
                    context.warn(
                        f"A quoted field that begins near line {before} of {self.name} ends only on line "
                        f"{line - 1}: "
                        "a quotation mark may be missing there."
                    )
                before = line
                if context and number % 20_000 == 0:
                    context.progress(raw.tell() / size)
                yield record


def open_csv(
    source: Source, encoding: str | None = None, delimiter: str | None = None, header: bool | None = None
) -> CsvFile:
    """Find out how a CSV file is written.

    Parameters
    ----------
    source : Source
    encoding : str, optional
        Default: byte-order mark, else UTF-8 if the whole file is, else Windows-1252.
    delimiter : str, optional
        Default: whichever of comma, semicolon, tab and bar splits the first rows most evenly.
    header : bool, optional
        Default: there is one unless the first row holds a number or a date.

    Raises
    ------
    ParameterError
        If the encoding is unknown or wrong.
    DataError
        If the file is empty or no CSV.
    """
    with source.reading():
        return _open_text(source, encoding, delimiter, header)


def _open_text(source: Source, encoding: str | None, delimiter: str | None, header: bool | None) -> CsvFile:
    notes = []
    errors = "strict"
    if encoding:
        _check_encoding(source, encoding)
    else:
        encoding, errors, note = _detect_encoding(source)
        notes += [note] if note else []
    if delimiter is not None and (len(delimiter) != 1 or delimiter in '\r\n"'):
        raise ParameterError(
            f"Delimiter {delimiter!r} is not a single character",
            parameter="delimiter",
            value=delimiter,
            remedy="Leave it empty to have it detected, or give one character such as ; or a tab",
        )
    with _open(source, encoding, errors) as file:
        first = file.readline()
        declared = re.fullmatch(r"sep=(.)\r?\n?", first, flags=re.IGNORECASE)
        if declared and delimiter is None:
            delimiter = declared.group(1)
        sample = first + file.read(1 << 17)
    if not sample.strip():
        raise DataError(
            f"{source.label} is empty", parameter="path", value=source.label, remedy="Choose a file that holds rows"
        )
    # Texts hold hardly any control characters; workbooks and archives are full of them.
    if sum(letter < " " and letter not in "\0\t\r\n" for letter in sample) > max(20, len(sample) // 20):
        raise DataError(
            f"{source.label} is neither a text nor a spreadsheet",
            parameter="path",
            value=source.label,
            remedy="Choose a file of rows, such as a CSV",
        )
    if delimiter is None:
        delimiter = _detect_delimiter(sample)
    with _open(source, encoding, errors) as file:
        rows = [fields for _, fields in islice(_records(file, delimiter, source.label), _NAMED_ROWS)] or [[]]
    has_header = has_names(rows[0]) if header is None else header
    used = max((len(fields) for fields in map(_strip_end, rows[1:])), default=0)
    names, changed = name_columns(rows[0], has_header, used)
    return CsvFile(
        source.label,
        names,
        has_header,
        (*notes, *changed),
        encoding,
        delimiter,
        source=source,
        errors=errors,
    )


def _strip_end(fields: list[str]) -> list[str]:
    """The fields without empty ones at the end."""
    while fields and not fields[-1].strip():
        fields = fields[:-1]
    return fields


def _open(source: Source, encoding: str, errors: str) -> io.TextIOWrapper:
    # newline="" leaves line ends to the csv module, which then understands CR, LF and CRLF alike.
    return io.TextIOWrapper(source.open(), encoding, errors, newline="")


def _records(file: io.TextIOWrapper, delimiter: str, name: str) -> Iterator[Record]:
    """Records with the physical line each begins on; an Excel ``sep=`` line and blank lines are skipped."""
    lines = (line.replace("\0", "") if "\0" in line else line for line in file)
    limit = csv.field_size_limit(_FIELD_LIMIT)
    try:
        reader = csv.reader(lines, delimiter=delimiter)
        while True:
            line = reader.line_num + 1
            try:
                fields = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                raise DataError(
                    f"{name} cannot be read from line {line} on ({error})",
                    parameter="path",
                    value=name,
                    remedy="Look for a quotation mark that is opened there and never closed",
                ) from error
            if not fields or (line == 1 and fields[0].lower().startswith("sep=") and len(fields) <= 2):
                continue
            yield line, fields
    finally:
        csv.field_size_limit(limit)


def _check_encoding(source: Source, encoding: str) -> None:
    try:
        decoder = codecs.getincrementaldecoder(encoding)()
    except LookupError as error:
        raise ParameterError(
            f"Encoding {encoding!r} is not known",
            parameter="encoding",
            value=encoding,
            remedy="Leave it empty to have it detected, or give one such as utf-8, cp1252 or iso-8859-1",
        ) from error
    lines = 1
    with source.open() as file:
        try:
            while block := file.read(_BLOCK):
                lines += decoder.decode(block).count("\n")
            decoder.decode(b"", final=True)
        except UnicodeDecodeError as error:
            raise ParameterError(
                f"{source.label} is not written in {encoding}: a byte after line {lines} does not fit",
                parameter="encoding",
                value=encoding,
                remedy="Leave the encoding empty to have it detected",
            ) from error


def _detect_encoding(source: Source) -> tuple[str, str, str]:
    """Encoding, what to do with bytes that do not fit, and a note if something was guessed."""
    with source.open() as file:
        start = file.read(4096)
        for mark, encoding in _BOMS:
            if start.startswith(mark):
                return encoding, "strict" if encoding == "utf-8-sig" and _is_utf8(source) else "replace", ""
        even, odd = start[0::2].count(0), start[1::2].count(0)
        # Every other byte of Western letters is zero; where both sides are, it is no text.
        if max(even, odd) > len(start) // 4 and min(even, odd) < max(even, odd) // 4:
            encoding = "utf-16-le" if odd > even else "utf-16-be"
            return encoding, "replace", f"The encoding looks like {encoding} without a byte-order mark"
        file.seek(0)
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        broken = foreign = 0
        while block := file.read(_BLOCK):
            text = decoder.decode(block)
            if not text.isascii():
                broken += text.count("\ufffd")
                foreign += len(text) - len(text.encode("ascii", "ignore"))
    if not broken and not decoder.decode(b"", final=True):
        return "utf-8", "strict", ""
    if foreign > 10 * broken:
        one, many = "place of the file is not valid UTF-8 and was", "places of the file are not valid UTF-8 and were"
        return "utf-8", "replace", f"{count_text(broken, one, many)} replaced by \ufffd"
    note = "The file is not UTF-8 and was read as Windows-1252; choose the encoding if accents look wrong"
    # cp1252 leaves five bytes without meaning; they become the replacement character.
    return "cp1252", "replace", note


def _is_utf8(source: Source) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    with source.open() as file:
        try:
            while block := file.read(_BLOCK):
                decoder.decode(block)
        except UnicodeDecodeError:
            return False
    return True


def _detect_delimiter(sample: str) -> str:
    best, best_score = ",", (0.0, 0)
    for delimiter in _DELIMITERS:
        # The last row of the sample may be cut off.
        lines = io.StringIO(sample.replace("\0", ""), newline="")
        widths = []
        try:
            for fields in csv.reader(lines, delimiter=delimiter):
                if fields and not fields[0].lower().startswith("sep="):
                    widths.append(len(fields))
                if len(widths) > _SAMPLE_ROWS:
                    break
        except csv.Error:
            continue
        widths = widths[:-1] if len(widths) > 2 else widths
        if not widths or widths[0] < 2:
            continue
        score = (round(sum(width == widths[0] for width in widths) / len(widths), 1), widths[0])
        if score > best_score:
            best, best_score = delimiter, score
    return best
