"""Job: fill the maps of bins without observations."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..contract.texts import count_text, part_text
from ..contract.tools.grids import FillHeatmapGaps
from ..ground.context import JobContext
from ..maps.counted import describe_counted
from ..maps.gaps import count_quiet_maps, fill_gaps
from ..maps.heatmaps import Heatmaps, read_heatmaps, write_heatmaps


def run(parameters: FillHeatmapGaps, context: JobContext) -> dict[str, Any]:
    """Read, fill, mark, write."""
    context.progress(0.0, "Reading hotspot grids")
    heatmaps = read_heatmaps(parameters.heatmaps)
    if parameters.gaps == "empty":
        _warn_of_quiet(heatmaps, context)
    with context.step(0.2, 0.6):
        filled = fill_gaps(heatmaps, parameters.method, parameters.gaps, context)
    gaps = int((~filled.observed).sum())
    if not gaps:
        context.log("No map is a gap: the stack is written as it was")
    else:
        changed = sum(
            bool((filled.counts[gap] != heatmaps.counts[gap]).any()) for gap in np.flatnonzero(~filled.observed)
        )
        context.log(
            f"{part_text(gaps, len(filled), 'map', 'is a gap', 'are gaps')},"
            f" {count_text(changed, 'of them now holds', 'of them now hold')} other values; all are marked as "
            "not observed and are never targets of a training or an evaluation"
        )
    looks_ahead = filled.filled == "linear"
    if looks_ahead:
        context.warn(
            "Linear filling looks ahead: a filled map is made from the next observed one, so a forecast that reads it "
            "has seen part of its answer. Use carry forward for any forecast that is to be believed"
        )
    note = f"{part_text(gaps, len(filled), 'map', 'was', 'were')} not observed"
    if looks_ahead:
        note += "; filled linearly between observed ones, they look ahead"
    elif filled.filled:
        note += " and repeat the last observed one"
    with context.step(0.6, 1.0):
        write_heatmaps(parameters.output, filled, context)
    return {
        "output": parameters.output,
        "maps": len(filled),
        "gaps": gaps,
        "observed": len(filled) - gaps,
        "looks_ahead": looks_ahead,
        "filled": filled.filled,
        "note": f"{note}.",
        "highest": float(max((float(band.max()) for band in filled.counts), default=0.0)),
        "edges": [str(edge) for edge in filled.edges],
        "counted_categories": filled.categories,
        "counted_text": describe_counted(filled),
    }


def _warn_of_quiet(heatmaps: Heatmaps, context: JobContext) -> None:
    """Say that the maps without incidents are as many as chance gives, so that they are quiet bins and no gaps."""
    empty, expected = count_quiet_maps(heatmaps)
    # Two standard deviations of a Poisson number more are still no sign of gaps.
    if 0 < empty <= expected + 2 * np.sqrt(expected):
        context.warn(
            f"{count_text(empty, 'map is', 'maps are')} without any incident; chance alone would give about"
            f" {expected:,.1f}"
            f" of {int(heatmaps.observed.sum()):,}. They are probably quiet bins and no gaps: marked as not observed,"
            " they make every rate that is learned conditional on something having happened. Choose gaps = unobserved"
        )
