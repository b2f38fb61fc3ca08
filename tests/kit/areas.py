"""Panels of areas for the engine's tests: cells of a grid as polygons, and areas of different sizes."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely

from riskengine.maps.areas import make_areas
from riskengine.maps.heatmaps import Heatmaps
from riskengine.maps.panel import Panel

from .maps import make_edges


def make_panel_of_cells(heatmaps: Heatmaps) -> Panel:
    """The same cells, counts and bins as areas: row by row, those of the study area and no others."""
    grid, inside = heatmaps.grid, heatmaps.mask.ravel()
    x, y = (each.ravel()[inside] for each in grid.find_centres())
    half = grid.cell / 2
    squares = shapely.box(x - half, y - half, x + half, y + half)
    areas, _ = make_areas([f"C{number}" for number in range(len(squares))], squares, grid.crs)
    counts = heatmaps.counts.reshape(len(heatmaps), -1)[:, inside]
    return Panel(counts, heatmaps.edges, np.ones(len(squares), bool), areas, heatmaps.bin, heatmaps.observed)


def make_strips(counts: np.ndarray, widths: list[float], bin: str = "1 months", **more: Any) -> Panel:
    """Areas side by side from west to east, 1 km high and as many km wide as said; counts of shape (T, N)."""
    right = 1000 * np.cumsum(widths)
    strips = shapely.box(right - 1000 * np.array(widths), 0, right, 1000)
    areas, _ = make_areas([f"S{number}" for number in range(len(widths))], strips, "EPSG:27700")
    return Panel(counts, make_edges(len(counts), bin, "2020-01"), np.ones(len(widths), bool), areas, bin, **more)
