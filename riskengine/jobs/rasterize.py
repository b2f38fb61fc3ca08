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


def _of_categories(incidents: Incidents, wanted: list[str]) -> Incidents:
    if not wanted:
        return incidents
    known = {name.casefold(): code for code, name in enumerate(incidents.categories)}
    missing = [name for name in wanted if name.casefold() not in known]
    if missing:
        some = ", ".join(sorted(incidents.categories)[:20])
        raise DataError(
            f"No incident has category {', '.join(missing)}",
            parameter="categories",
            value=missing[0],
            remedy=f"Choose from: {some}",
        )
    codes = [known[name.casefold()] for name in wanted]
    return incidents.select(np.isin(incidents.category, codes))


def run(parameters: Parameters, context: JobContext) -> dict[str, Any]:
    """Read, choose what was left empty, count, write."""
    context.progress(0.0, "Reading incidents")
    incidents, refusals = read_exchange(parameters.incidents, context)
    incidents = _of_categories(incidents, parameters.categories)
    edges_of_data = incidents.time.min(), incidents.time.max()
    first = np.datetime64(parameters.start.replace(tzinfo=None), "s") if parameters.start else edges_of_data[0]
    last = edges_of_data[1]
    if parameters.end:
        last = np.datetime64(parameters.end.replace(tzinfo=None), "s") - np.timedelta64(1, "s")
    if last < first:
        raise DataError(
            f"The period from {first} to {last} is empty (incidents span {edges_of_data[0]} to {edges_of_data[1]})",
            parameter="end",
            value=parameters.end,
            remedy="Choose an end after the start",
        )
    edges = bin_edges(first, last, parameters.bin_unit, parameters.bin_length)
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
    counts, left_out = count_incidents(incidents, grid, edges, mask, parameters.binary)
    seconds = time.perf_counter() - started
    context.progress(0.5, "Writing maps")
    if left_out:
        context.warn(f"{left_out:,} of {len(incidents):,} incidents lie outside the grid, the study area or the period")
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
        "counted": len(incidents) - left_out,
        "left_out": left_out,
        "cells_inside": int(mask.sum()),
        "count_seconds": seconds,
        "refused": len(refusals),
        "reasons": count_reasons(refusals),
        "refusals": [[refusal.fid, refusal.reason] for refusal in refusals],
    }
