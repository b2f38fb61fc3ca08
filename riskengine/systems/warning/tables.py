"""Tables of warnings: every unit and window of an outlook or of a test, and an outlook's windows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...contract.texts import list_names
from ...contract.tools.base import fields_of
from ...contract.tools.warning import BacktestWarnings, Warn
from ...contract.warnings import FALSE_ALARM, HIT, MISSED, QUIET
from ...ground.context import JobContext
from ...ground.tables import Chunk, write_table
from ...maps.shapes import Shapes
from .outlook import PARTS, Outlook

#: Areas of a window that its row names.
_NAMED = 50


def write_outlook(path: str, outlook: Outlook, areas: Shapes, context: JobContext) -> int:
    """Write each area and window with what is said of it; returns how many rows there are."""
    fields = fields_of(Warn, "warnings")

    def list_values(number: int) -> dict[str, Any]:
        parts = {
            f"{name}_part": outlook.parts[name][number] if outlook.parts else np.full(len(areas.ids), np.nan)
            for name in PARTS
        }
        return {
            "probability": outlook.probability[number],
            "low": outlook.low[number],
            "high": outlook.high[number],
            "rank": outlook.rank[number],
            "warned": outlook.warned[number].astype(np.int64),
            **parts,
        }

    spans = np.stack([outlook.edges[:-1], outlook.edges[1:]], axis=1)
    chunks = _list_chunks(areas, spans, list(fields), list_values, context)
    return write_table(path, fields, chunks, areas.table_geometry, areas.crs, "warnings")


def write_tested(
    path: str,
    areas: Shapes,
    spans: NDArray[np.datetime64],
    risk: NDArray[np.float32],
    warned: NDArray[np.bool_],
    events: NDArray[np.int64],
    context: JobContext,
) -> int:
    """Write each area and window of a test with what became of it; returns how many rows there are.

    Parameters
    ----------
    spans : ndarray of datetime64[s], shape (F, 2)
        Start and end of each window.
    risk, warned, events : ndarray, shape (F, N)
    """
    fields = fields_of(BacktestWarnings, "warnings")
    names = np.array([[QUIET, MISSED], [FALSE_ALARM, HIT]], dtype=object)

    def list_values(number: int) -> dict[str, Any]:
        alarms, happened = warned[number].astype(np.int64), events[number]
        return {
            "probability": risk[number].astype(np.float64),
            "warned": alarms,
            "events": happened,
            "label": names[alarms, (happened > 0).astype(np.int64)].tolist(),
        }

    chunks = _list_chunks(areas, spans, list(fields), list_values, context)
    return write_table(path, fields, chunks, areas.table_geometry, areas.crs, "warnings")


def _list_chunks(
    areas: Shapes, spans: NDArray[np.datetime64], fields: list[str], list_values: Any, context: JobContext
) -> Iterator[Chunk]:
    """The areas of one window after the other."""
    shapes, number_of = areas.pack_shapes(), len(areas.ids)
    for number, (start, end) in enumerate(spans):
        context.progress(number / len(spans))
        values = {
            "id": list(areas.ids),
            "name": list(areas.names),
            "start": np.full(number_of, start),
            "end": np.full(number_of, end),
            **list_values(number),
        }
        yield Chunk([values[name] for name in fields], shapes=shapes)


def write_windows(path: str, outlook: Outlook, areas: Shapes) -> int:
    """Write a row for each window: how many areas are warned of and which, and where an event is likeliest."""
    fields = fields_of(Warn, "next_windows")
    first = outlook.probability.argmax(axis=1)
    named = [
        list_names([areas.names[unit] for unit in np.argsort(ranks, kind="stable") if warned[unit]], _NAMED)
        for ranks, warned in zip(outlook.rank, outlook.warned, strict=True)
    ]
    values: dict[str, Any] = {
        "start": outlook.edges[:-1],
        "end": outlook.edges[1:],
        "warned": outlook.warned.sum(axis=1),
        "areas": named,
        "first": [areas.names[unit] for unit in first],
        "probability": outlook.probability.max(axis=1),
        "anywhere": -np.expm1(np.log1p(-np.minimum(outlook.probability, 1 - 1e-12)).sum(axis=1)),
    }
    return write_table(path, fields, [Chunk([values[name] for name in fields])], "none", None, "next_windows")
