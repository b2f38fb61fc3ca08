"""Further layers beside the counts: any raster as a static layer, further stacks as a channel per category."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.warp import calculate_default_transform, reproject

from .bigarrays import empty_stack
from .errors import CrimeRiskError, DataError, FormatError
from .heatmaps import Extras, Heatmaps, read_heatmaps

_REMEDY = "Give a raster of one band that covers the study area, or hotspot grids on the same grid and in the same bins"


def read_extras(paths: list[str], heatmaps: Heatmaps, parameter: str = "extras") -> Extras:
    """Layers for `heatmaps`, on its grid and in its bins.

    A raster of one band is a static layer: averaged to the grid where it is finer, interpolated where it is coarser;
    cells of the study area that it does not cover get its mean. Hotspot grids, and other rasters of as many bands as
    there are maps, are a channel each: a forecast made before a map never reads that map's band.

    Parameters
    ----------
    paths : list of str
    heatmaps : Heatmaps
    parameter : str
        Job parameter that errors name.

    Returns
    -------
    Extras
        Named after the files, channels after their category where they have exactly one.

    Raises
    ------
    FormatError
        If a file is no raster.
    DataError
        If one does not cover the study area or the bins.
    """
    static: list[NDArray[np.float32]] = []
    stacks: list[NDArray[Any]] = []
    static_names: list[str] = []
    stack_names: list[str] = []
    for path in paths:
        try:
            with rasterio.open(path) as source:
                kind, count = source.tags().get("CRIMERISK_KIND"), source.count
                if kind == "heatmaps":
                    maps, name = _stack(path, heatmaps, parameter)
                elif count == 1:
                    static.append(_static(source, path, heatmaps, parameter))
                    static_names.append(_unique(Path(path).stem, static_names))
                    continue
                elif count == len(heatmaps):
                    maps, name = _bands(source, path, heatmaps, parameter), Path(path).stem
                else:
                    raise DataError(
                        f"{path} has {count} bands; a static layer has one, a channel {len(heatmaps)} as the hotspot"
                        " grids have",
                        parameter=parameter,
                        value=path,
                        remedy=_REMEDY,
                    )
        except CrimeRiskError:
            raise
        except (rasterio.errors.RasterioError, OSError) as error:
            raise FormatError(
                f"{path} cannot be read as a raster", parameter=parameter, value=path, remedy=_REMEDY
            ) from error
        stacks.append(maps)
        stack_names.append(_unique(name, stack_names))
    none = Extras()
    return Extras(
        np.stack(static) if static else none.static,
        tuple(static_names),
        _together(stacks) if stacks else none.channels,
        tuple(stack_names),
    )


def _unique(name: str, names: list[str]) -> str:
    """The name, numbered where it is taken."""
    number = sum(each == name or each.startswith(f"{name} (") for each in names)
    return f"{name} ({number + 1})" if number else name


def _together(stacks: list[NDArray[Any]]) -> NDArray[Any]:
    """The stacks as one array, shape (C, T, H, W); on disk where they are large."""
    joint = empty_stack((len(stacks), *stacks[0].shape), np.result_type(*stacks))
    for number, stack in enumerate(stacks):
        joint[number] = stack
    return joint


def _static(source: Any, path: str, heatmaps: Heatmaps, parameter: str) -> NDArray[np.float32]:
    """One band resampled to the grid, shape (H, W); finite."""
    grid = heatmaps.grid
    # A raster of no CRS, and a grid of none, are taken to lie in that of the other.
    crs = source.crs or grid.crs
    target = grid.crs or crs
    size = abs(source.transform.a)
    if crs and target and crs != rasterio.CRS.from_user_input(target):
        size = abs(calculate_default_transform(crs, target, source.width, source.height, *source.bounds)[0].a)
    layer = np.full(grid.shape, np.nan, dtype=np.float32)
    band = source.read(1, masked=True).astype(np.float32).filled(np.nan)
    same = {} if not crs else {"src_crs": crs, "dst_crs": target}
    if not same:
        # GDAL asks for one; any will do where both are the same.
        same = {"src_crs": "EPSG:3857", "dst_crs": "EPSG:3857"}
    reproject(
        band,
        layer,
        src_transform=source.transform,
        dst_transform=grid.transform,
        src_nodata=np.nan,
        dst_nodata=np.nan,
        resampling=Resampling.average if size < grid.cell else Resampling.bilinear,
        **same,
    )
    known = np.isfinite(layer) & heatmaps.mask
    if not known.any():
        raise DataError(f"{path} has no value inside the study area", parameter=parameter, value=path, remedy=_REMEDY)
    return np.where(np.isfinite(layer), layer, layer[known].mean()).astype(np.float32)


def _stack(path: str, heatmaps: Heatmaps, parameter: str) -> tuple[NDArray[Any], str]:
    """Hotspot grids as a channel in the bins of `heatmaps`, shape (T, H, W), and their name."""
    other = read_heatmaps(path, parameter)
    _check_grid(other.grid.transform, other.grid.shape, path, heatmaps, parameter)
    place = np.searchsorted(other.edges, heatmaps.edges)
    if place[-1] >= len(other.edges) or not np.array_equal(other.edges[np.minimum(place, len(other))], heatmaps.edges):
        raise DataError(
            f"{path} covers {other.edges[0]} to {other.edges[-1]} in bins of {other.bin or 'unknown length'}; the"
            f" hotspot grids cover {heatmaps.edges[0]} to {heatmaps.edges[-1]} in bins of {heatmaps.bin}",
            parameter=parameter,
            value=path,
            remedy="Rasterize both in the same bins, over the same period",
        )
    maps = np.array(other.counts[place[0] : place[-1]])
    # A map that was filled in may know the one that follows: the last observed one is shown in its place.
    for number in np.flatnonzero(~other.observed[place[0] : place[-1]]):
        maps[number] = maps[number - 1] if number else 0
    name = other.categories[0] if len(other.categories) == 1 else Path(path).stem
    return np.where(heatmaps.mask & other.mask, maps, 0).astype(maps.dtype), name


def _bands(source: Any, path: str, heatmaps: Heatmaps, parameter: str) -> NDArray[np.float32]:
    """A raster of a band per map, shape (T, H, W); no data counts as none."""
    _check_grid(source.transform, source.shape, path, heatmaps, parameter)
    maps = np.zeros(heatmaps.counts.shape, dtype=np.float32)
    for number in range(source.count):
        maps[number] = source.read(number + 1, masked=True).astype(np.float32).filled(0.0)
    maps[:, ~heatmaps.mask] = 0.0
    if not np.isfinite(maps).all() or maps.min() < 0:
        raise DataError(
            f"{path} holds values below 0 or that are no numbers",
            parameter=parameter,
            value=path,
            remedy="Give counts, or another measure that is never negative",
        )
    return maps


def _check_grid(transform: Any, shape: tuple[int, int], path: str, heatmaps: Heatmaps, parameter: str) -> None:
    """Refuse a stack on another grid: counts cannot be resampled."""
    grid = heatmaps.grid
    if tuple(shape) != grid.shape or not transform.almost_equals(grid.transform, precision=grid.cell * 0.01):
        raise DataError(
            f"{path} has {shape[1]} × {shape[0]} cells of {transform.a:g} m from {transform.c:.0f}, {transform.f:.0f};"
            f" the hotspot grids have {grid.columns} × {grid.rows} of {grid.cell:g} m from {grid.west:.0f},"
            f" {grid.north:.0f}",
            parameter=parameter,
            value=path,
            remedy="Rasterize both on the same grid",
        )
