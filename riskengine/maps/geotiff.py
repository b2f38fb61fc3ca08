"""The one writer of GeoTIFFs: how they lie on disk, their tags, written whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio._err import CPLE_BaseError

from ..contract import tags as tagnames
from ..contract.texts import count_text
from ..ground.artefacts import whole_file
from ..ground.context import JobContext
from ..ground.errors import FormatError
from .grid import MAX_CELLS, Grid

#: No data of stacks of real numbers: risk, and maps that were filled in between others.
RISK_NODATA = -9999.0
#: What opening or reading a raster that is damaged raises: GDAL's own errors pass through rasterio in some places.
RASTER_ERRORS = (rasterio.errors.RasterioError, CPLE_BaseError, UnicodeError)
#: No packing makes a raster smaller than one byte in so many.
_MOST_PACKED = 10_000


def make_profile(
    width: int, height: int, count: int, dtype: str, crs: Any, transform: Any, nodata: float, **more: Any
) -> dict[str, Any]:
    """Make rasterio's settings for a GeoTIFF.

    Parameters
    ----------
    width, height, count : int
        Columns, rows and bands.
    dtype : str
    crs, transform
        As rasterio has them.
    nodata : float
    **more
        Further options of GDAL's driver.
    """
    return {
        "driver": "GTiff",
        "width": width,
        "height": height,
        "count": count,
        "dtype": dtype,
        "crs": crs,
        "transform": transform,
        "nodata": nodata,
        "compress": "deflate",
        "interleave": "band",
        "BIGTIFF": "IF_SAFER",
        **more,
    }


def make_grid_profile(grid: Grid, count: int, dtype: str, nodata: float) -> dict[str, Any]:
    """Make rasterio's settings for `count` bands on a grid: quickly packed, in tiles where it is large enough."""
    tiles = {"blockxsize": 256, "blockysize": 256} if grid.columns >= 256 and grid.rows >= 256 else {}
    return make_profile(
        grid.columns,
        grid.rows,
        count,
        dtype,
        grid.crs,
        grid.transform,
        nodata,
        zlevel=1,
        tiled=bool(tiles),
        **tiles,
    )


def check_raster(source: Any, path: str | Path, parameter: str, most: int = MAX_CELLS) -> None:
    """Refuse a raster that is larger than can be worked with, or than its file can hold, before it is read.

    Raises
    ------
    FormatError
    """
    cells = source.count * source.height * source.width
    size = cells * np.dtype(source.dtypes[0]).itemsize
    whose = (
        f"{path} has {count_text(source.width, 'column')} x {count_text(source.height, 'row')} x"
        f" {count_text(source.count, 'band')}"
    )
    if cells > most:
        raise FormatError(
            f"{whose} = {count_text(cells, 'cell')}; the limit is {most:,}",
            parameter=parameter,
            value=path,
            remedy="Choose a smaller raster, or larger cells",
        )
    if any(np.dtype(kind).kind not in "uif" for kind in source.dtypes):
        raise FormatError(
            f"{path} holds values of type {source.dtypes[0]}",
            parameter=parameter,
            value=path,
            remedy="Choose a raster of plain numbers",
        )
    if size > _MOST_PACKED * Path(path).stat().st_size:
        raise FormatError(
            f"{whose}, which its file of {Path(path).stat().st_size:,} bytes cannot hold: it is damaged",
            parameter=parameter,
            value=path,
            remedy="Make it again",
        )


@contextmanager
def write_geotiff(
    path: str | Path, profile: Mapping[str, Any], tags: Mapping[str, str], parameter: str = "output"
) -> Iterator[Any]:
    """Give a raster of rasterio to write to; the file appears at `path` when it is whole and can be read again.

    Parameters
    ----------
    path : path
    profile : mapping
        From `make_profile` or `make_grid_profile`.
    tags : mapping of str to str
        Of the file, by the names in `contract.tags`.
    parameter : str
        Job parameter that errors name.

    Raises
    ------
    OutputError
        If the folder is missing or not writable, or the disk is full.
    """
    with whole_file(path, parameter) as temporary:
        with rasterio.open(temporary, "w", **profile) as target:
            target.update_tags(**tags)
            yield target
        # A full disk shows only when GDAL flushes at close, and not always as an error. Block by block: a band may be
        # larger than the memory.
        with rasterio.open(temporary) as check:
            for _, window in check.block_windows(check.count):
                check.read(check.count, window=window)


def write_band(target: Any, number: int, band: NDArray[Any], title: str, tags: Mapping[str, str]) -> None:
    """Write one band with its description and its tags.

    Parameters
    ----------
    target
        From `write_geotiff`.
    number : int
        From 1.
    band : ndarray, shape (H, W)
    title : str
        What the band is called: the start of its bin where it has one.
    tags : mapping of str to str
        See `make_band_tags`.
    """
    target.write(band, number)
    target.set_band_description(number, title)
    target.update_tags(number, **tags)


def make_band_tags(start: str, end: str) -> dict[str, str]:
    """Make the tags of a band of the bin [start, end)."""
    return {tagnames.START: start, tagnames.END: end}


def write_stack(
    path: str | Path,
    stack: NDArray[Any],
    edges: NDArray[np.datetime64],
    mask: NDArray[np.bool_],
    grid: Grid,
    nodata: float,
    tags: Mapping[str, str],
    context: JobContext | None = None,
    parameter: str = "output",
) -> None:
    """Write a (T, H, W) stack as one GeoTIFF: a band per bin, no data outside the mask, bin starts in tags.

    `edges` are T + 1 moments, or T pairs of start and end for maps that do not follow each other without gaps.
    """
    context = context or JobContext()
    spans = edges if edges.ndim == 2 else np.stack([edges[:-1], edges[1:]], axis=1)
    outside = None if mask.all() else ~mask
    profile = make_grid_profile(grid, len(stack), str(stack.dtype), nodata)
    with write_geotiff(path, profile, {tagnames.FORMAT: str(tagnames.FORMAT_NUMBER), **tags}, parameter) as target:
        for number, band in enumerate(stack, 1):
            if outside is not None:
                band = np.where(outside, np.asarray(nodata, dtype=stack.dtype), band)
            start, end = (str(edge) for edge in spans[number - 1])
            write_band(target, number, band, start, make_band_tags(start, end))
            if number % 16 == 0:
                context.progress(number / len(stack), f"map {number} of {len(stack)}")
