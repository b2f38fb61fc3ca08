"""Job: hotspot grids as binary maps."""

from __future__ import annotations

from typing import Any

from ..contract.texts import part_text
from ..contract.tools.grids import BinarizeHeatmaps
from ..ground.context import JobContext
from ..maps.counted import describe_counted
from ..maps.gaps import binarize
from ..maps.heatmaps import read_heatmaps, write_heatmaps


def run(parameters: BinarizeHeatmaps, context: JobContext) -> dict[str, Any]:
    """Read, compare, write."""
    context.progress(0.0, "Reading hotspot grids")
    heatmaps = read_heatmaps(parameters.heatmaps)
    with context.step(0.2, 0.5):
        heatmaps = binarize(heatmaps, parameters.threshold, context)
    hotspots = sum(int(band.sum()) for band in heatmaps.counts)
    cells = int(heatmaps.mask.sum()) * len(heatmaps)
    context.log(f"{part_text(hotspots, cells, 'cell', 'lies', 'lie')} above {parameters.threshold:g}")
    if not hotspots:
        context.warn(f"No cell of any map lies above {parameters.threshold:g}: all are 0. Choose a lower threshold")
    with context.step(0.5, 1.0):
        write_heatmaps(parameters.output, heatmaps, context)
    unobserved, looks_ahead = int((~heatmaps.observed).sum()), heatmaps.filled == "linear"
    note = f"1 where a cell lies above {parameters.threshold:g}."
    if unobserved:
        note += f" {part_text(unobserved, len(heatmaps), 'map', 'was', 'were')} not observed."
    if looks_ahead:
        note += " They are filled linearly between observed ones: they look ahead."
    return {
        "output": parameters.output,
        "maps": len(heatmaps),
        "hotspots": hotspots,
        "share": hotspots / max(cells, 1),
        "unobserved": unobserved,
        "looks_ahead": looks_ahead,
        "highest": 1,
        "note": note,
        "edges": [str(edge) for edge in heatmaps.edges],
        "counted_categories": heatmaps.categories,
        "counted_text": describe_counted(heatmaps),
    }
