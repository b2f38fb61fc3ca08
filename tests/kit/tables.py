"""Tables of a GeoPackage as SQLite has them, so that what was written is read by other code than wrote it."""

from __future__ import annotations

import sqlite3
import struct
from contextlib import closing
from pathlib import Path
from typing import Any


def read_table(path: str | Path, table: str = "") -> dict[str, list[Any]]:
    """Read a table's columns; the geometry of points as x, y under the name ``place``."""
    with closing(sqlite3.connect(path)) as database:
        table = table or list_tables(path)[0]
        quoted = '"' + table.replace('"', '""') + '"'
        cursor = database.execute(f"SELECT * FROM {quoted} ORDER BY 1")
        names = [column[0] for column in cursor.description]
        columns: list[list[Any]] = [list(each) for each in zip(*cursor.fetchall(), strict=True)] or [[] for _ in names]
        found = database.execute(
            "SELECT column_name FROM gpkg_geometry_columns WHERE table_name = ?", (table,)
        ).fetchone()
    made = dict(zip(names, columns, strict=True))
    if found:
        made["place"] = [_point(blob) for blob in made.pop(found[0])]
    return made


def list_tables(path: str | Path) -> list[str]:
    """List the tables that are layers, in their order."""
    with closing(sqlite3.connect(path)) as database:
        rows = database.execute("SELECT table_name FROM gpkg_contents WHERE table_name != 'layer_styles'").fetchall()
    return [name for (name,) in rows]


def _point(blob: bytes | None) -> tuple[float, float] | None:
    # A header of 8 bytes without an envelope, the byte order and the kind, then x and y.
    return None if blob is None else struct.unpack("<dd", blob[13:29])
