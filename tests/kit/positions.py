"""What tests do at positions of the grid; processes import it from here."""

from __future__ import annotations

import os
import signal

import numpy as np

from riskengine.ground.context import JobContext
from riskengine.maps.heatmaps import Heatmaps
from riskengine.maps.sparsecounts import SparseCounts


def describe_counts(panel: Heatmaps, context: JobContext) -> tuple[float, float, tuple[int, ...], bool, list[int]]:
    """West, size and shape of the cells, whether counts are sparse, and counts of each map."""
    context.progress(0.5)
    totals = [int(each.sum()) for each in panel.counts]
    return panel.grid.west, panel.grid.cell, panel.grid.shape, isinstance(panel.counts, SparseCounts), totals


def fail_on_wide_cells(panel: Heatmaps, context: JobContext) -> float:
    """Size of the cells; an error on cells wider than 150 m."""
    if panel.grid.cell > 150:
        raise ValueError("too wide")
    return panel.grid.cell


def die_on_wide_cells(panel: Heatmaps, context: JobContext) -> float:
    """Size of the cells; ends its process on cells wider than 150 m, as a system without memory does."""
    if panel.grid.cell > 150:
        os.kill(os.getpid(), signal.SIGKILL)
    return panel.grid.cell


def work_for_ever(panel: Heatmaps, context: JobContext) -> int:
    """Work until it is asked to stop."""
    number = 0
    while True:
        context.progress(0.1)
        number += int(np.sum(panel.counts[0]))
