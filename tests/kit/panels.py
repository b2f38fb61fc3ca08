"""Small panels of areas for the engine's tests."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from kit.maps import make_edges

from riskengine.maps.areas import make_areas
from riskengine.maps.heatmaps import Heatmaps
from riskengine.maps.panel import Panel
from riskengine.maps.panelfile import write_panel


def make_row(widths: Sequence[float], height: float = 1000.0) -> np.ndarray:
    """Rectangles side by side, of these widths, metres."""
    right = np.cumsum(widths)
    return shapely.box(right - np.asarray(widths), 0.0, right, height)


def make_panel(
    counts: np.ndarray,
    ids: Sequence[str] | None = None,
    shapes: np.ndarray | None = None,
    bin: str = "1 months",
    start: str = "2020-01",
    names: Sequence[str] | None = None,
    **more: Any,
) -> Panel:
    """A panel of counts, shape (T, N): areas A, B, … of 1 km² side by side where nothing else is said."""
    number = counts.shape[1]
    called = [chr(ord("A") + each) for each in range(number)] if ids is None else ids
    boxes = make_row([1000.0] * number) if shapes is None else shapes
    areas, _ = make_areas(called, boxes, "EPSG:27700", names=names)
    edges = make_edges(len(counts), bin, start)
    return Panel(counts, edges, np.ones(number, dtype=bool), areas, bin, **more)


def make_panel_of_cells(heatmaps: Heatmaps) -> Panel:
    """The same cells, counts and bins as areas: row by row, those of the study area and no others."""
    grid, inside = heatmaps.grid, heatmaps.mask.ravel()
    x, y = (each.ravel()[inside] for each in grid.find_centres())
    half = grid.cell / 2
    squares = shapely.box(x - half, y - half, x + half, y + half)
    areas, _ = make_areas([f"C{number}" for number in range(len(squares))], squares, grid.crs)
    counts = heatmaps.counts.reshape(len(heatmaps), -1)[:, inside]
    return Panel(counts, heatmaps.edges, np.ones(len(squares), bool), areas, heatmaps.bin, heatmaps.observed)


def write_counts(path: Path, panel: Panel) -> str:
    """Write a panel as the jobs read it; returns the path as their parameter."""
    write_panel(path, panel)
    return str(path)
