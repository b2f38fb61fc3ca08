"""Layers beside the counts: other stacks of hotspot grids as channels, any other raster as static layers, pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.warp import Resampling, calculate_default_transform, reproject

from ..contract import tags as tagnames
from ..contract.texts import count_text, format_amount
from ..ground.context import JobContext
from ..ground.errors import CrimeRiskError, DataError, FormatError
from ..intake.incidents import Incidents
from .bins import locate
from .geotiff import RASTER_ERRORS, check_raster
from .grid import MOST_FINE_CELLS
from .heatmaps import Heatmaps, read_heatmaps
from .panel import Extras

#: Rows and columns of a picture.
PICTURE_SIDE = 32
#: Where no borders are given, a picture reaches from this quantile of the places to that, in steps of so many metres:
#: it stays where it is when more incidents come.
_QUANTILES, _PICTURE_STEP = (0.005, 0.995), 1000.0
_MOST_DRAWN = np.iinfo(np.uint8).max
#: A raster of more bands than this is more likely a time series than a set of layers.
MOST_BANDS = 20
#: Grids are the same when their corners differ by less than this share of a cell.
_SAME = 1e-3


def read_extras(paths: list[str], heatmaps: Heatmaps, context: JobContext | None = None) -> Extras:
    """Read layers that a forecaster may use beside the counts.

    Parameters
    ----------
    paths : list of str
        Rasters. A stack of hotspot grids must have the same cells and bins as `heatmaps` and becomes a channel; its
        maps that were not observed are zero, and so is what lies outside its own study area. Every band of any other
        raster becomes a static layer, resampled to the cells: averaged where the raster is finer, bilinear where it
        is coarser. The values stay as they are, and cells of the study area without one get the mean of those with
        one; a layer says nothing of the past, so what it shows should be older than the maps that are forecast. A
        raster that looks like a time series is refused: every map would see the later ones.
    heatmaps : Heatmaps
    context : JobContext, optional

    Returns
    -------
    Extras
        Layers in the order of `paths`; names are those of the files, with the band's description where it has one.

    Raises
    ------
    FormatError
        If a file is missing or no raster.
    DataError
        If it has no CRS, does not overlap the study area, is a stack of other cells or bins, or a time series that is
        no stack of hotspot grids.

    Examples
    --------
    >>> heatmaps.extras = read_extras(["population.tif", "robbery.tif"], heatmaps)  # doctest: +SKIP
    """
    context = context or JobContext()
    static: list[NDArray[np.float32]] = []
    channels: list[NDArray[Any]] = []
    static_names: list[str] = []
    channel_names: list[str] = []
    for number, path in enumerate(paths):
        context.progress(number / len(paths), Path(path).name)
        if _is_stack(path):
            channel, name = _read_channel(path, heatmaps)
            channels.append(channel)
            channel_names.append(name)
        else:
            layers, names = _read_layers(path, heatmaps, context)
            static += layers
            static_names += names
    shape = heatmaps.mask.shape
    return Extras(
        np.stack(static) if static else np.zeros((0, *shape), dtype=np.float32),
        tuple(_distinct(static_names)),
        np.stack(channels) if channels else np.zeros((0, len(heatmaps), *shape), dtype=np.uint8),
        tuple(_distinct(channel_names)),
    )


def _is_stack(path: str) -> bool:
    if not Path(path).is_file():
        raise FormatError(
            f"{path} does not exist", parameter="extras", value=path, remedy="Choose an existing raster file"
        )
    try:
        with rasterio.open(path) as source:
            return bool(source.tags().get(tagnames.KIND) == tagnames.HEATMAPS_KIND)
    except RASTER_ERRORS as error:
        raise FormatError(
            f"{path} is not a raster that can be read",
            parameter="extras",
            value=path,
            remedy="Choose a raster file, for example a GeoTIFF",
        ) from error


def _read_channel(path: str, heatmaps: Heatmaps) -> tuple[NDArray[Any], str]:
    other = read_heatmaps(path, "extras")
    grid, theirs = heatmaps.grid, other.grid
    apart = max(abs(a - b) for a, b in zip(grid.bounds, theirs.bounds, strict=True))
    if grid.shape != theirs.shape or apart > _SAME * grid.cell:
        raise DataError(
            f"{path} has other cells: {theirs.columns} x {theirs.rows} of {format_amount(theirs.cell)} m, where the"
            f" hotspot grids"
            f" have {grid.columns} x {grid.rows} of {format_amount(grid.cell)} m, or another corner",
            parameter="extras",
            value=path,
            remedy="Rasterize both with the same extent, cell size and CRS",
        )
    if len(other) != len(heatmaps) or not np.array_equal(other.edges, heatmaps.edges):
        raise DataError(
            f"{path} has other bins: {len(other)} from {other.edges[0]} to {other.edges[-1]}, where the hotspot grids"
            f" have {len(heatmaps)} from {heatmaps.edges[0]} to {heatmaps.edges[-1]}",
            parameter="extras",
            value=path,
            remedy="Rasterize both with the same bins and period",
        )
    counts = np.asarray(other.counts)
    if not other.observed.all():
        counts[~other.observed] = 0
    return counts, Path(path).stem


def _read_layers(path: str, heatmaps: Heatmaps, context: JobContext) -> tuple[list[NDArray[np.float32]], list[str]]:
    """All bands on the cells of the study area; finite everywhere."""
    layers, names = [], []
    try:
        with rasterio.open(path) as source:
            if source.crs is None:
                raise DataError(
                    f"{path} has no CRS, so it is unknown where it lies",
                    parameter="extras",
                    value=path,
                    remedy="Assign its projection, for example with QGIS's Assign projection",
                )
            if source.count > MOST_BANDS:
                raise DataError(
                    f"{path} has {count_text(source.count, 'band')}; at most {MOST_BANDS} can be static layers",
                    parameter="extras",
                    value=path,
                    remedy="Choose the bands that matter, or make a stack of it with Rasterize hotspot grids",
                )
            check_raster(source, path, "extras", MOST_FINE_CELLS)
            _check_timeless(source, path, len(heatmaps))
            method = _resampling(source, heatmaps)
            for band in source.indexes:
                context.check_cancelled()
                layer = np.full(heatmaps.mask.shape, np.nan, dtype=np.float32)
                reproject(
                    rasterio.band(source, band),
                    layer,
                    dst_transform=heatmaps.grid.transform,
                    dst_crs=heatmaps.grid.crs,
                    dst_nodata=np.nan,
                    resampling=method,
                )
                layers.append(_filled(layer, heatmaps.mask, path))
                described = (source.descriptions[band - 1] or "").strip()
                number = f" {band}" if source.count > 1 else ""
                names.append(f"{Path(path).stem} {described}" if described else f"{Path(path).stem}{number}")
    except CrimeRiskError:
        raise
    except RASTER_ERRORS as error:
        raise FormatError(
            f"{path} cannot be read or brought to the CRS of the hotspot grids",
            parameter="extras",
            value=path,
            remedy="Check the file and its CRS in QGIS",
        ) from error
    return layers, names


def _check_timeless(source: rasterio.DatasetReader, path: str, maps: int) -> None:
    """Refuse bands of different times: as static layers they would show every map what came after it."""
    if any(source.tags(band).get(tagnames.START) for band in source.indexes):
        what = "has bands that say when they apply"
    elif source.count > 1 and source.count == maps:
        what = f"has {count_text(source.count, 'band')}, one for each map"
    else:
        return
    raise DataError(
        f"{path} {what}, but is no stack of hotspot grids: as static layers its bands would show the future",
        parameter="extras",
        value=path,
        remedy="Make it with Rasterize hotspot grids if the bands are counts in the same bins, or give bands that hold"
        " for all times as rasters of one band each",
    )


def _resampling(source: rasterio.DatasetReader, heatmaps: Heatmaps) -> Resampling:
    """Averages where the raster is finer than the cells: bilinear would look at four pixels of many."""
    transform, _, _ = calculate_default_transform(
        source.crs, heatmaps.grid.crs, source.width, source.height, *source.bounds
    )
    return Resampling.average if abs(transform.a) < heatmaps.grid.cell else Resampling.bilinear


def _filled(layer: NDArray[np.float32], mask: NDArray[np.bool_], path: str) -> NDArray[np.float32]:
    valid = np.isfinite(layer)
    if not (valid & mask).any():
        raise DataError(
            f"{path} has no value in the study area",
            parameter="extras",
            value=path,
            remedy="Choose a raster that covers the study area, and check its CRS",
        )
    mean = layer[valid & mask].mean(dtype=np.float64)
    return np.where(valid, layer, np.float32(mean)).astype(np.float32)


def _distinct(names: list[str]) -> list[str]:
    """Names made different by a number where they are the same."""
    seen: dict[str, int] = {}
    result = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        result.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return result


def choose_extent(incidents: Incidents) -> tuple[float, float, float, float]:
    """Choose what pictures of incidents show, west, south, east and north: all but a few."""
    corners = [np.nanquantile(each, _QUANTILES) / _PICTURE_STEP for each in (incidents.x, incidents.y)]
    (west, south), (east, north) = (np.floor([low for low, _ in corners]), np.ceil([high for _, high in corners]))
    east, north = max(east, west + 1), max(north, south + 1)
    return tuple(float(each * _PICTURE_STEP) for each in (west, south, east, north))  # type: ignore[return-value]


def make_pictures(
    incidents: Incidents,
    edges: NDArray[np.datetime64],
    kinds: Sequence[NDArray[np.bool_]],
    extent: tuple[float, float, float, float],
    side: int = PICTURE_SIDE,
) -> NDArray[np.uint8]:
    """Draw the incidents of each bin as counts on a raster, a layer for each kind.

    Parameters
    ----------
    incidents : Incidents
    edges : ndarray of datetime64[s], shape (T + 1,)
    kinds : sequence of ndarray of bool, shape (R,)
        Which incidents each layer counts.
    extent : (west, south, east, north)
        What lies outside, or has no place, is not drawn.
    side : int
        Rows and columns.

    Returns
    -------
    ndarray of uint8, shape (T, len(kinds), side, side)
        The first row is the northernmost; counts above 255 are 255.
    """
    west, south, east, north = extent
    # A place outside the range of whole numbers, or none, stays outside the picture.
    column, row = (
        np.floor(np.nan_to_num(side * share, nan=-1.0).clip(-1, side)).astype(np.int64)
        for share in ((incidents.x - west) / (east - west), (north - incidents.y) / (north - south))
    )
    column[incidents.x == east] = side - 1
    row[incidents.y == south] = side - 1
    bin_ = locate(incidents.time, edges)
    drawn = (bin_ >= 0) & (column >= 0) & (column < side) & (row >= 0) & (row < side)
    pictures = np.zeros((len(edges) - 1, len(kinds), side, side), dtype=np.uint8)
    for number, kind in enumerate(kinds):
        which = drawn & kind
        places, counts = np.unique(
            np.ravel_multi_index((bin_[which], row[which], column[which]), (len(edges) - 1, side, side)),
            return_counts=True,
        )
        where = np.unravel_index(places, (len(edges) - 1, side, side))
        pictures[where[0], number, where[1], where[2]] = np.minimum(counts, _MOST_DRAWN)
    return pictures
