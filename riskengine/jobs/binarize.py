"""Job: hotspot grids as binary maps."""

from __future__ import annotations

from typing import Any

from ..ground.context import JobContext
from ..maps.gaps import THRESHOLD, binarize
from ..maps.heatmaps import read_heatmaps, write_heatmaps
from . import JobParameters


class Parameters(JobParameters):
    heatmaps: str
    output: str
    threshold: float = THRESHOLD


def run(parameters: Parameters, context: JobContext) -> dict[str, Any]:
    """Read, compare, write."""
    context.progress(0.0, "Reading hotspot grids")
    heatmaps = read_heatmaps(parameters.heatmaps)
    with context.step(0.2, 0.5):
        heatmaps = binarize(heatmaps, parameters.threshold, context)
    hotspots = sum(int(band.sum()) for band in heatmaps.counts)
    cells = int(heatmaps.mask.sum()) * len(heatmaps)
    context.log(f"{hotspots:,} of {cells:,} cells lie above {parameters.threshold:g}")
    if not hotspots:
        context.warn(f"No cell of any map lies above {parameters.threshold:g}: all are 0. Choose a lower threshold")
    with context.step(0.5, 1.0):
        write_heatmaps(parameters.output, heatmaps, context)
    return {
        "output": parameters.output,
        "maps": len(heatmaps),
        "hotspots": hotspots,
        "share": hotspots / max(cells, 1),
        "unobserved": int((~heatmaps.observed).sum()),
        "looks_ahead": heatmaps.filled == "linear",
        "edges": [str(edge) for edge in heatmaps.edges],
    }
