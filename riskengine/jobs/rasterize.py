"""Job: count incidents per time bin and cell into one GeoTIFF."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ..contract.dates import format_bin_length, format_moment, format_span
from ..contract.texts import clean_text, count_text, format_amount, part_text
from ..contract.tools.grids import RasterizeHotspots
from ..ground.artefacts import check_folder
from ..ground.context import JobContext
from ..ground.errors import DataError, OutputError, ParameterError
from ..intake.incidents import Incidents, count_reasons, read_exchange
from ..maps.area import choose_area, describe_area, mask_cells
from ..maps.bins import bin_text, make_bin_edges
from ..maps.categories import WITHOUT, find_chosen, list_present, list_recorded, name_missing
from ..maps.counted import describe_counted
from ..maps.grid import make_grid
from ..maps.heatmaps import Heatmaps, write_heatmaps
from ..maps.panel import count_incidents
from ..maps.span import choose_span, choose_unit, find_covered, warn_of_incomplete

#: More stacks than this are refused: a column of free text is no category.
MAX_CATEGORIES = 100
#: Bytes of a file's name, with room for what is put behind it while it is written.
_NAME_BYTES = 180
#: What Windows takes for a device, whatever follows the point.
_DEVICES = {"con", "prn", "aux", "nul", *(f"{name}{number}" for name in ("com", "lpt") for number in range(1, 10))}


def choose_file_name(category: str, taken: set[str]) -> str:
    """Choose a file name that every system takes, the category's own if possible; unique among `taken`, case or not."""
    name = clean_text(re.sub(r'[<>:"/\\|?*\x00-\x1f\ud800-\udfff]', "_", category)).strip(" .")[:80]
    # Letters of other scripts have up to four bytes.
    name = name.encode("utf-8")[:_NAME_BYTES].decode("utf-8", "ignore").strip(" .") or "_"
    name = f"_{name}" if name.split(".")[0].casefold() in _DEVICES else name
    number, unique = 1, name
    while unique.casefold() in taken:
        number += 1
        unique = f"{name} {number}"
    taken.add(unique.casefold())
    return f"{unique}.tif"


def _by_category(incidents: Incidents) -> dict[str, list[int]]:
    """As `_present`, where one stack each can be written."""
    codes = list_present(incidents)
    if not codes:
        raise DataError(
            "No incident has a category, so there is nothing to write one stack each for",
            parameter="per_category",
            remedy="Choose the category field, or leave the folder empty",
        )
    if len(codes) > MAX_CATEGORIES:
        raise ParameterError(
            f"The incidents have {count_text(len(codes), 'category', 'categories')}; one stack each is written for at"
            f" most {MAX_CATEGORIES}",
            parameter="per_category",
            value=len(codes),
            remedy="Name the wanted ones in Categories, or choose another field",
        )
    return codes


def _write_categories(
    folder: Path, incidents: Incidents, counted: int, heatmaps: Heatmaps, context: JobContext
) -> list[dict[str, Any]]:
    """One stack a category on the grid and bins of `heatmaps`; says where those of the `counted` are that have none."""
    check_folder(folder, "per_category")
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"The folder {folder} cannot be made ({error.strerror or error})",
            parameter="per_category",
            value=folder,
            remedy="Choose another folder",
        ) from error
    taken: set[str] = set()
    written = []
    codes = _by_category(incidents)
    for number, (name, mine) in enumerate(sorted(codes.items())):
        context.progress(number / len(codes), f"category {number + 1} of {len(codes)}")
        part = incidents.select(np.isin(incidents.category, mine))
        counts, outside = count_incidents(
            part, heatmaps.grid, heatmaps.edges, heatmaps.mask, heatmaps.binary, sparse=True
        )
        path = folder / choose_file_name(name, taken)
        write_heatmaps(path, replace(heatmaps, counts=counts, categories=[name]))
        here = len(part) - outside
        if here and name.casefold() == WITHOUT:
            it, they = "has no category: it is", "have no category: they are"
            context.log(f"{part_text(here, counted, 'incident', it, they)} in the stack {path.name}")
        written.append(
            {
                "category": name,
                "file": path.name,
                "counted": int(counts.sum(dtype=np.int64)),
                "highest": int(counts.max()),
            }
        )
    return written


def run(parameters: RasterizeHotspots, context: JobContext) -> dict[str, Any]:
    """Read, choose what was left empty, count, write."""
    context.progress(0.0, "Reading incidents")
    incidents, refusals = read_exchange(parameters.incidents, context, order=parameters.date_order)
    covered = find_covered(incidents)
    unit = choose_unit(parameters.bin_unit, parameters.bin_length, incidents, context)
    everything = incidents
    incidents = name_missing(incidents, context)
    incidents = incidents.select(find_chosen(incidents, parameters.categories, context))
    named = parameters.categories or list_recorded(incidents)
    total = len(incidents)
    if parameters.per_category:
        # Too many, or none, are refused before anything is counted.
        _by_category(incidents)
    incidents, first, last = choose_span(incidents, parameters.start, parameters.end, context)
    edges = make_bin_edges(first, last, unit, parameters.bin_length)
    for name, given in (("start", parameters.start), ("end", parameters.end)):
        if given is not None and np.datetime64(given.replace(tzinfo=None), "s") not in edges:
            context.warn(
                f"{name.upper()}, {format_moment(given)}, is not where a bin ends: the map it falls in is incomplete"
            )
    warn_of_incomplete(parameters.start, parameters.end, covered, edges, context, exactness=everything.exactness)
    # Of all categories, and of nothing after the period.
    known = everything.select(everything.time <= last)
    area = choose_area(known.x, known.y, known.fid, parameters.extent, parameters.polygons, parameters.no_area, context)
    grid = make_grid(
        area.extent,
        parameters.crs,
        parameters.cell_size,
        parameters.columns,
        parameters.rows,
        len(edges) - 1,
        len(incidents),
    )
    if parameters.cell_size is None:
        how = "columns and rows" if parameters.columns or parameters.rows else "the extent"
        context.log(f"Cell size {format_amount(grid.cell)} m, chosen from {how}")
    context.log(
        f"Grid of {count_text(grid.columns, 'column')} x {count_text(grid.rows, 'row')},"
        f" {count_text(len(edges) - 1, 'map')} of "
        f"{format_bin_length(bin_text(unit, parameters.bin_length))}: {format_span(edges[0], edges[-1])}"
    )
    mask = mask_cells(area, grid, everything.x, everything.y)
    started = time.perf_counter()
    counts, outside = count_incidents(incidents, grid, edges, mask, parameters.binary, sparse=True)
    seconds = time.perf_counter() - started
    left_out = total - len(incidents) + outside
    counted = total - left_out
    context.progress(0.5, "Writing maps")
    if left_out:
        context.warn(
            f"{part_text(left_out, total, 'incident', 'lies', 'lie')} outside the grid, the study area or the period"
        )
    heatmaps = Heatmaps(
        counts,
        edges,
        mask,
        grid,
        bin_text(unit, parameters.bin_length),
        categories=named,
        binary=parameters.binary,
        exactness=incidents.exactness,
        area=area.tag,
        source=parameters.source,
    )
    say = context.warn if area.tag == "rectangle" else context.log
    say(describe_area(heatmaps))
    stacks: list[dict[str, Any]] = []
    if parameters.per_category:
        with context.step(0.5, 0.8):
            stacks = _write_categories(Path(parameters.per_category), incidents, counted, heatmaps, context)
        context.log(f"{count_text(len(stacks), 'stack')}, one a category, on the same grid and bins")
    with context.step(0.8 if stacks else 0.5, 1.0):
        write_heatmaps(parameters.output, heatmaps, context)
    return {
        "output": parameters.output,
        "cell_size": grid.cell,
        "columns": grid.columns,
        "rows": grid.rows,
        "bins": len(edges) - 1,
        "bin": heatmaps.bin,
        "exactness": heatmaps.exactness,
        "edges": [str(edge) for edge in edges],
        "counted_categories": named,
        "counted_text": describe_counted(heatmaps),
        "highest": int(counts.max()),
        "counted": counted,
        "left_out": left_out,
        "cells_inside": int(mask.sum()),
        "count_seconds": seconds,
        "categories": stacks,
        "category_count": len(stacks),
        "refused": len(refusals),
        "reasons": count_reasons(refusals),
        "refusals": [[refusal.fid, refusal.reason] for refusal in refusals],
    }
