"""The layer of routes: a line for each way, and the table of pairs without one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import shapely

from ...contract.tools.base import fields_of
from ...contract.tools.saferoutes import ROUTE_FIELDS, SafeRoutes
from ...ground.tables import CHUNK_ROWS, Chunk, write_table
from .results import Way, Ways


def write_routes(path: str | Path, found: Sequence[Ways], crs: str, label: Callable[[Way, Way], str]) -> int:
    """Write the ways; returns how many.

    Parameters
    ----------
    path : path
    found : sequence of Ways
    crs : str
        Of their vertices.
    label : callable
        What is written beside a way, from it and the shortest one.
    """
    return write_table(path, ROUTE_FIELDS, _make_chunks(found, label), "line", crs, "output")


def _make_chunks(found: Sequence[Ways], label: Callable[[Way, Way], str]) -> Iterator[Chunk]:
    rows = [(each, rank, way) for each in found for rank, way in enumerate(each.ways)]
    for first in range(0, len(rows), CHUNK_ROWS):
        part = rows[first : first + CHUNK_ROWS]
        values = [_list_values(each, rank, way, label) for each, rank, way in part]
        shapes = [shapely.to_wkb(shapely.LineString(way.vertices)) for _, _, way in part]
        yield Chunk(list(zip(*values, strict=True)), shapes=shapes)


def _list_values(each: Ways, rank: int, way: Way, label: Callable[[Way, Way], str]) -> list[object]:
    """The values of a way, in the order of `ROUTE_FIELDS`."""
    shortest = each.ways[0]
    added = way.metres - shortest.metres
    values = {
        "pair": each.pair.name,
        "rank": rank + 1,
        "kind": way.kind,
        "metres": way.metres,
        "minutes": way.minutes,
        "exposure": way.exposure,
        "added_m": added,
        "added": added / shortest.metres if shortest.metres else np.nan,
        "saved": way.compute_saved(shortest),
        "above": way.above,
        "outside": way.outside,
        "unlit": way.unlit,
        "exact": int(each.exact),
        "label": label(way, shortest),
    }
    return [values[name] for name in ROUTE_FIELDS]


def write_unserved(path: str | Path, found: Sequence[Ways]) -> None:
    """Write the pairs without a way, with the reason."""
    without = [each for each in found if not each.ways]
    chunks = [Chunk([[each.pair.name for each in without], [each.reason for each in without]])] if without else []
    write_table(path, fields_of(SafeRoutes, "unserved"), chunks, parameter="unserved")
