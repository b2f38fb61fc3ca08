"""Small stacks of heatmaps, and rasters of other tools, for the engine's tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import rasterio

from riskengine.maps.grid import Grid
from riskengine.maps.heatmaps import Heatmaps, write_heatmaps

#: numpy's code, and how many of them, of the units of a bin.
_UNITS = {"hours": ("h", 1), "days": ("D", 1), "weeks": ("D", 7), "months": ("M", 1)}


def make_edges(maps: int, bin: str = "1 days", start: str = "2024-01-01") -> np.ndarray:
    """Edges of so many maps one after the other, shape (maps + 1,); 2024 begins on a Monday."""
    number, unit = bin.split()
    code, several = _UNITS[unit]
    return (np.datetime64(start, code) + int(number) * several * np.arange(maps + 1)).astype("datetime64[s]")


def make_stack(
    counts: np.ndarray,
    mask: np.ndarray | None = None,
    bin: str = "1 days",
    start: str = "2024-01-01",
    grid: Grid | None = None,
    cell: float = 500.0,
    **more: Any,
) -> Heatmaps:
    """Heatmaps of counts, shape (T, H, W): all of them inside, on cells of 500 m, where nothing else is said."""
    height, width = counts.shape[1:]
    inside = np.ones((height, width), bool) if mask is None else mask
    cells = grid or Grid(0.0, height * cell, cell, width, height, "EPSG:32614")
    return Heatmaps(counts, make_edges(len(counts), bin, start), inside, cells, bin, **more)


def make_travelling(maps: int = 90, side: int = 8, seed: int = 0) -> Heatmaps:
    """A front of incidents that moves one column a day, with noise: place alone tells nothing, yesterday all."""
    random = np.random.default_rng(seed)
    column = np.arange(side)
    days = [random.random((side, side)) < np.where((column - day) % 4 == 0, 0.9, 0.03)[None, :] for day in range(maps)]
    return make_stack(np.stack(days).astype(np.uint8))


def write_stack(path: Path, heatmaps: Heatmaps) -> str:
    """Write heatmaps as the jobs read them; returns the path as their parameter."""
    write_heatmaps(path, heatmaps)
    return str(path)


def write_raster(
    path: Path,
    bands: np.ndarray,
    transform: rasterio.Affine,
    crs: str | None = "EPSG:32614",
    nodata: float | None = None,
    names: tuple[str, ...] = (),
    **tags: str,
) -> str:
    """Write a raster as other tools do, bands of shape (bands, H, W) in their own type; returns its path."""
    height, width = bands.shape[1:]
    with rasterio.open(
        path, "w", "GTiff", width, height, len(bands), crs, transform, bands.dtype, nodata=nodata
    ) as target:
        target.write(bands)
        target.update_tags(**tags)
        for number, name in enumerate(names, 1):
            target.set_band_description(number, name)
    return str(path)


def read_bands(path: str | Path) -> np.ndarray:
    """Read a raster's bands as they are stored, shape (bands, H, W)."""
    with rasterio.open(path) as source:
        return source.read()
