"""Ways as rows of a layer, and the table of pairs without one."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import shapely

from ...contract.tools.base import fields_of
from ...contract.tools.saferoutes import ROUTE_FIELDS, SafeRoutes
from ...ground.tables import CHUNK_ROWS, Chunk, write_table
from ...systems.routes.results import Way, Ways
from .words import compute_saved, label_way


def list_values(found: Ways, rank: int) -> list[Any]:
    """List what is said of a way, as `ROUTE_FIELDS` has it; None for what is not known."""
    way, shortest = found.ways[rank], found.ways[0]
    added = way.metres - shortest.metres
    values = [
        *(way.metres, way.minutes, way.exposure, added, added / shortest.metres if shortest.metres else math.nan),
        *(compute_saved(way, shortest), way.above, way.outside, way.unlit),
    ]
    told = [value if math.isfinite(value) else None for value in values]
    return [found.pair.name, rank + 1, way.kind, *told, label_way(way, shortest)]


def write_routes(path: str | Path, found: Sequence[Ways], crs: str) -> int:
    """Write a line for each way, pair by pair from the shortest to the least exposed; returns how many there are."""
    # The layer draws its rows in their order: the shortest and the least exposed way lie above those between them.
    rows = [(each, rank) for each in found for rank in range(len(each.ways))]
    rows.sort(key=lambda row: row[1] in (0, len(row[0].ways) - 1))

    def chunks() -> Iterator[Chunk]:
        for first in range(0, len(rows), CHUNK_ROWS):
            some = rows[first : first + CHUNK_ROWS]
            values = [list_values(*row) for row in some]
            yield Chunk(list(zip(*values, strict=True)), shapes=[pack_way(each.ways[rank]) for each, rank in some])

    return write_table(path, ROUTE_FIELDS, chunks(), "multiline", crs)


def pack_way(way: Way) -> bytes:
    """Pack a way as a line of one part, in well-known binary."""
    return bytes(shapely.to_wkb(shapely.multilinestrings([way.vertices]), byte_order=1))


def write_unserved(path: str | Path, found: Sequence[Ways]) -> int:
    """Write the pairs without a way, with the reason; returns how many there are."""
    rows = [(each.pair.name, each.reason) for each in found if not each.ways]
    columns = list(zip(*rows, strict=True)) or [[], []]
    return write_table(path, fields_of(SafeRoutes, "unserved"), [Chunk(columns)], parameter="unserved")
