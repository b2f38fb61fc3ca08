"""Job: count incidents per time bin and cell into one GeoTIFF."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any, Literal

import numpy as np

from ..bins import bin_edges, bin_text
from ..context import JobContext
from ..errors import DataError
from ..grid import make_grid
from ..heatmaps import Heatmaps, count_incidents, write_heatmaps
from ..incidents import Incidents, count_reasons, read_exchange
from ..times import Order
from . import JobParameters


class Parameters(JobParameters):
    incidents: str
    output: str
    crs: str
    extent: tuple[float, float, float, float] | None = None
    polygons: list[dict[str, Any]] | None = None
    cell_size: float | None = None
    columns: int | None = None
    rows: int | None = None
    bin_unit: Literal["hours", "days", "weeks", "months"] = "days"
    bin_length: int = 1
    binary: bool = False
    categories: list[str] = []
    start: datetime | None = None
    end: datetime | None = None
    date_order: Order = "auto"


def _of_categories(incidents: Incidents, wanted: list[str]) -> Incidents:
    if not wanted:
        return incidents
    # Police files write one category in several cases; all of them are meant.
    names = [name.casefold() for name in incidents.categories]
    missing = [name for name in wanted if name.casefold() not in names]
    if missing:
        some = ", ".join(sorted(incidents.categories)[:20])
        raise DataError(
            f"No incident has category {', '.join(missing)}",
            parameter="categories",
            value=missing[0],
            remedy=f"Choose from: {some}",
        )
    folded = {name.casefold() for name in wanted}
    chosen = incidents.select(np.isin(incidents.category, [code for code, name in enumerate(names) if name in folded]))
    if not len(chosen):
        raise DataError(
            f"No incident that can be used has category {', '.join(wanted)}",
            parameter="categories",
            value=wanted[0],
            remedy="Choose other categories, or look at the refused features",
        )
    return chosen


def _period(parameters: Parameters, incidents: Incidents) -> tuple[Incidents, np.datetime64, np.datetime64]:
    """The incidents of [start, end), and the first and last moment of the period; nothing outside it counts."""
    first, last = incidents.span
    start = _moment(parameters.start, first)
    end = _moment(parameters.end, last + np.timedelta64(1, "s"))
    kept = incidents.between(start, end)
    if not len(kept):
        raise DataError(
            f"No incident lies in the period from {start} to {end} (they span {first} to {last})",
            parameter="end" if parameters.end else "start",
            value=parameters.end or parameters.start,
            remedy="Choose a start and a later end within that span",
        )
    return kept, start, end - np.timedelta64(1, "s")


def _moment(given: datetime | None, otherwise: np.datetime64) -> np.datetime64:
    return otherwise if given is None else np.datetime64(given.replace(tzinfo=None), "s")


def run(parameters: Parameters, context: JobContext) -> dict[str, Any]:
    """Read, choose what was left empty, count, write."""
    context.progress(0.0, "Reading incidents")
    incidents, refusals = read_exchange(parameters.incidents, context, order=parameters.date_order)
    incidents = _of_categories(incidents, parameters.categories)
    total = len(incidents)
    incidents, first, last = _period(parameters, incidents)
    edges = bin_edges(first, last, parameters.bin_unit, parameters.bin_length)
    for name, given in (("start", parameters.start), ("end", parameters.end)):
        if given is not None and np.datetime64(given.replace(tzinfo=None), "s") not in edges:
            context.warn(f"{name} {given} is not where a bin ends: the map it falls in is incomplete")
    extent = parameters.extent or (
        float(incidents.x.min()),
        float(incidents.y.min()),
        float(incidents.x.max()),
        float(incidents.y.max()),
    )
    grid = make_grid(extent, parameters.crs, parameters.cell_size, parameters.columns, parameters.rows, len(edges) - 1)
    if parameters.cell_size is None:
        how = "columns and rows" if parameters.columns or parameters.rows else "the extent"
        context.log(f"Cell size {grid.cell:g} m, chosen from {how}")
    context.log(
        f"Grid of {grid.columns} columns x {grid.rows} rows, {len(edges) - 1} maps of "
        f"{bin_text(parameters.bin_unit, parameters.bin_length)} from {edges[0]} to {edges[-1]}"
    )
    mask = grid.mask(parameters.polygons)
    if not mask.any():
        raise DataError(
            f"No cell of {grid.cell:g} m has its centre inside the study area",
            parameter="study_area",
            remedy="Choose a smaller cell size, or polygons that overlap the incidents",
        )
    started = time.perf_counter()
    counts, outside = count_incidents(incidents, grid, edges, mask, parameters.binary)
    seconds = time.perf_counter() - started
    left_out = total - len(incidents) + outside
    context.progress(0.5, "Writing maps")
    if left_out:
        context.warn(f"{left_out:,} of {total:,} incidents lie outside the grid, the study area or the period")
    heatmaps = Heatmaps(
        counts,
        edges,
        mask,
        grid,
        bin_text(parameters.bin_unit, parameters.bin_length),
        categories=parameters.categories,
        binary=parameters.binary,
    )
    with context.step(0.5, 1.0):
        write_heatmaps(parameters.output, heatmaps, context)
    return {
        "output": parameters.output,
        "cell_size": grid.cell,
        "columns": grid.columns,
        "rows": grid.rows,
        "bins": len(edges) - 1,
        "edges": [str(edge) for edge in edges],
        "highest": int(counts.max()),
        "counted": total - left_out,
        "left_out": left_out,
        "cells_inside": int(mask.sum()),
        "count_seconds": seconds,
        "refused": len(refusals),
        "reasons": count_reasons(refusals),
        "refusals": [[refusal.fid, refusal.reason] for refusal in refusals],
    }
