"""The least that spreadsheet programs take for an .xlsx, .ods or .xls: cells of texts, numbers, dates and times."""

from __future__ import annotations

import datetime
import io
import struct
import zipfile
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

Cell = str | float | datetime.datetime | datetime.time | None
Sheets = Mapping[str, Sequence[Sequence[Cell]]]

_EPOCH = datetime.datetime(1899, 12, 30)
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
#: Built-in number formats of dates with and of times of day.
_DATE, _TIME = 22, 21


def _count_days(cell: datetime.datetime | datetime.time) -> float:
    if isinstance(cell, datetime.time):
        return (cell.hour * 3600 + cell.minute * 60 + cell.second) / 86400
    return (cell - _EPOCH) / datetime.timedelta(days=1)


def _zip(files: Mapping[str, str]) -> bytes:
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return raw.getvalue()


def make_xlsx(sheets: Sheets) -> bytes:
    """Make an Excel workbook."""

    def cell_xml(place: str, cell: Cell) -> str:
        if isinstance(cell, str):
            return f'<c r="{place}" t="inlineStr"><is><t>{escape(cell)}</t></is></c>'
        if isinstance(cell, (datetime.datetime, datetime.time)):
            return (
                f'<c r="{place}" s="{1 if isinstance(cell, datetime.datetime) else 2}"><v>{_count_days(cell)}</v></c>'
            )
        return f'<c r="{place}"><v>{cell}</v></c>'

    def sheet_xml(rows: Sequence[Sequence[Cell]]) -> str:
        lines = "".join(
            f'<row r="{line}">'
            + "".join(cell_xml(f"{chr(65 + n)}{line}", cell) for n, cell in enumerate(row) if cell is not None)
            + "</row>"
            for line, row in enumerate(rows, 1)
        )
        return f'<worksheet xmlns="{_MAIN}"><sheetData>{lines}</sheetData></worksheet>'

    names = "".join(f'<sheet name="{name}" sheetId="{n}" r:id="r{n}"/>' for n, name in enumerate(sheets, 1))
    parts = "".join(
        f'<Relationship Id="r{n}" Type="{_OFFICE}/worksheet" Target="worksheets/sheet{n}.xml"/>'
        for n in range(1, len(sheets) + 1)
    )
    styles = "".join(f'<xf numFmtId="{number}" applyNumberFormat="1"/>' for number in (0, _DATE, _TIME))
    return _zip(
        {
            "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
            "_rels/.rels": f'<Relationships xmlns="{_RELATIONS}"><Relationship Id="r1" Type="{_OFFICE}/officeDocument" '
            'Target="xl/workbook.xml"/></Relationships>',
            "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{names}</sheets></workbook>',
            "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_RELATIONS}">{parts}</Relationships>',
            "xl/styles.xml": f'<styleSheet xmlns="{_MAIN}"><cellXfs count="3">{styles}</cellXfs></styleSheet>',
            **{f"xl/worksheets/sheet{n}.xml": sheet_xml(rows) for n, rows in enumerate(sheets.values(), 1)},
        }
    )


def make_ods(sheets: Sheets) -> bytes:
    """Make an OpenDocument spreadsheet."""

    def cell_xml(cell: Cell) -> str:
        if cell is None:
            return "<table:table-cell/>"
        if isinstance(cell, datetime.datetime):
            given = cell.isoformat().removesuffix("T00:00:00")
            return f'<table:table-cell office:value-type="date" office:date-value="{given}"/>'
        if isinstance(cell, datetime.time):
            given = cell.strftime("PT%HH%MM%SS")
            return f'<table:table-cell office:value-type="time" office:time-value="{given}"/>'
        if isinstance(cell, str):
            return f'<table:table-cell office:value-type="string"><text:p>{escape(cell)}</text:p></table:table-cell>'
        return f'<table:table-cell office:value-type="float" office:value="{cell}"/>'

    tables = "".join(
        f'<table:table table:name="{name}">'
        + "".join(f"<table:table-row>{''.join(map(cell_xml, row))}</table:table-row>" for row in rows)
        + "</table:table>"
        for name, rows in sheets.items()
    )
    spaces = "".join(
        f' xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "table", "text")
    )
    content = (
        f"<office:document-content{spaces}><office:body><office:spreadsheet>{tables}"
        "</office:spreadsheet></office:body></office:document-content>"
    )
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    manifest = (
        '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
        f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{kind}"/></manifest:manifest>'
    )
    return _zip({"mimetype": kind, "META-INF/manifest.xml": manifest, "content.xml": content})


def make_xls(sheets: Sheets) -> bytes:
    """Make a workbook of Excel 97: records of cells in a compound file of one stream."""

    def record(kind: int, data: bytes) -> bytes:
        return struct.pack("<HH", kind, len(data)) + data

    def cell_record(line: int, column: int, cell: Cell) -> bytes:
        if isinstance(cell, str):
            text = cell.encode("utf-16-le")
            return record(0x0204, struct.pack("<HHHHB", line, column, 0, len(cell), 1) + text)
        style = {datetime.datetime: 1, datetime.time: 2}.get(type(cell), 0)
        number = _count_days(cell) if isinstance(cell, (datetime.datetime, datetime.time)) else cell
        return record(0x0203, struct.pack("<HHHd", line, column, style, number))

    def begin(kind: int) -> bytes:
        return record(0x0809, struct.pack("<HHHHII", 0x0600, kind, 0x0DBB, 0x07CC, 0, 6))

    end = record(0x000A, b"")
    styles = b"".join(
        record(0x00E0, struct.pack("<HHHBBBBIIH", 0, n, 0, 0, 0, 0, 0, 0, 0, 0)) for n in (0, _DATE, _TIME)
    )
    bodies = [
        begin(0x0010)
        + b"".join(
            cell_record(line, column, cell)
            for line, row in enumerate(rows)
            for column, cell in enumerate(row)
            if cell is not None
        )
        + end
        for rows in sheets.values()
    ]
    names = [name.encode("latin-1") for name in sheets]
    place = len(begin(5)) + len(styles) + sum(4 + 8 + len(name) for name in names) + len(end)
    bounds = b""
    for name, body in zip(names, bodies, strict=True):
        bounds += record(0x0085, struct.pack("<IHBB", place, 0, len(name), 0) + name)
        place += len(body)
    stream = begin(5) + styles + bounds + end + b"".join(bodies)
    # A shorter stream would be kept in another way.
    stream = stream.ljust(max(4096, -(-len(stream) // 512) * 512), b"\0")
    return _make_compound(stream)


def _make_compound(stream: bytes) -> bytes:
    """A compound file: its header, its table of sectors, its directory, and the stream."""
    free, last, table = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
    sectors = len(stream) // 512
    chain = [table, last, *range(3, 2 + sectors), last]
    assert len(chain) <= 128, "one sector of the table is enough for a test"
    header = struct.pack(
        "<8s16sHHHHH6xIIIIIIIIII",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        b"",
        62,
        3,
        0xFFFE,
        9,
        6,
        0,
        1,
        1,
        0,
        4096,
        last,
        0,
        last,
        0,
        0,
    )
    header += struct.pack("<108I", *[free] * 108)

    def entry(name: str, kind: int, child: int, start: int, size: int) -> bytes:
        text = name.encode("utf-16-le")
        head = text.ljust(64, b"\0") + struct.pack("<HBBIII", len(text) + 2 if name else 0, kind, 1, free, free, child)
        return head + bytes(36) + struct.pack("<IQ", start, size)

    directory = (
        entry("Root Entry", 5, 1, last, 0) + entry("Workbook", 2, free, 2, len(stream)) + entry("", 0, free, 0, 0) * 2
    )
    return header[:512] + struct.pack("<128I", *chain, *[free] * (128 - len(chain))) + directory + stream
