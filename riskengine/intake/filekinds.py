"""What a file is, told by its first bytes and its ending; and what to do with one that is no table of rows."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath

TEXTS = (".csv", ".tsv", ".txt")
WORKBOOKS = (".xlsx", ".xls", ".ods", ".xlsm", ".xlsb")
#: Of files that are looked for in folders and archives.
ENDINGS = (*TEXTS, *WORKBOOKS, ".gz")

#: What QGIS opens as a layer by itself.
_LAYERS = {
    ".geojson": "GeoJSON",
    ".json": "JSON",
    ".gpkg": "GeoPackage",
    ".sqlite": "SQLite database",
    ".shp": "shapefile",
    ".shx": "shapefile",
    ".dbf": "dBase table",
    ".kml": "KML",
    ".kmz": "KML",
    ".gml": "GML",
    ".fgb": "FlatGeobuf",
    ".parquet": "Parquet file",
    ".gdb": "file geodatabase",
    ".tab": "MapInfo table",
}
_LAYER_BYTES = ((b"SQLite format 3", ".gpkg"), (b"\x00\x00\x27\x0a", ".shp"), (b"fgb\x03fgb", ".fgb"))
_ARCHIVE_BYTES = (
    (b"7z\xbc\xaf\x27\x1c", "7-Zip"),
    (b"Rar!", "RAR"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ", "xz"),
    (b"\x28\xb5\x2f\xfd", "Zstandard"),
)
_PICTURE_BYTES = (b"II*\0", b"MM\0*", b"II+\0", b"\x89PNG", b"\xff\xd8\xff")
_TAR = slice(257, 262)


def is_zip(head: bytes) -> bool:
    """Whether the first bytes are those of a ZIP, which spreadsheets are too; an empty one counts."""
    return head.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08"))


def is_gzip(head: bytes) -> bool:
    """Whether the first bytes are those of a gzip file."""
    return head.startswith(b"\x1f\x8b")


def is_old_workbook(head: bytes) -> bool:
    """Whether the first bytes are those of an .xls, or of a workbook with a password."""
    return head.startswith(b"\xd0\xcf\x11\xe0")


def is_workbook(members: Iterable[str]) -> bool:
    """Whether a ZIP with these members is an .xlsx or .ods."""
    names = set(members)
    return any(name.startswith("xl/workbook.") for name in names) or {"mimetype", "content.xml"} <= names


def describe_foreign(head: bytes, name: str) -> tuple[str, str] | None:
    """Describe a file that cannot be imported as it is: what it is and what to do; None where it may be a table.

    Parameters
    ----------
    head : bytes
        The first 512 bytes or so.
    name : str
    """
    if layer := _find_layer(head, name):
        return f"is a layer already ({layer})", (
            "Drag it into QGIS and choose that layer as INPUT of the other tools; it needs no import"
        )
    for mark, kind in _ARCHIVE_BYTES:
        if head.startswith(mark):
            return f"is an archive of the kind {kind}, which is not read", "Unpack it and choose the folder"
    if head[_TAR] == b"ustar":
        return "is a tar archive, which is not read", "Unpack it and choose the folder"
    if head.startswith(_PICTURE_BYTES):
        return "is a raster or a picture", "Choose a file of rows, such as a CSV"
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<!doctype html", b"<html")):
        return "is a web page, whatever its ending", (
            "Download the file itself; of a table that a spreadsheet opens, save a copy as CSV"
        )
    if start.startswith(b"%pdf"):
        return "is a PDF", "Ask the publisher for the table as CSV"
    return None


def find_layers(members: Iterable[str]) -> str:
    """Find out what layer an archive with these members is; empty where it is none."""
    kinds = [_LAYERS.get(PurePosixPath(name).suffix.lower(), "") for name in members]
    return "shapefile" if "shapefile" in kinds else next(filter(None, kinds), "")


def _find_layer(head: bytes, name: str) -> str:
    for mark, ending in _LAYER_BYTES:
        if head.startswith(mark):
            return _LAYERS[ending]
    if head.startswith(b"PAR1"):
        return _LAYERS[".parquet"]
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(b"{") and b'"' in start:
        return _LAYERS[".geojson"]
    if start.startswith(b"<") and b"<kml" in start:
        return _LAYERS[".kml"]
    # Some publishers call a text of rows .json or .tab.
    ending = PurePosixPath(name).suffix.lower()
    return _LAYERS[ending] if ending in _LAYERS and ending not in (".json", ".tab") else ""
