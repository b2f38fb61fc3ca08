"""Heatmaps: one count per time bin and cell, and the GeoTIFF they live in."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray

from ..contract import tags as tagnames
from ..ground.bigarrays import is_large, make_empty_stack
from ..ground.context import JobContext
from ..ground.errors import DataError, FormatError
from . import bins as timebins
from .geotiff import RASTER_ERRORS, RISK_NODATA, check_raster, write_stack
from .grid import MAX_CELLS, MOST_SPARSE_CELLS, Grid
from .panel import Extras, Panel
from .sparsecounts import gather_counts, keep_sparse

#: Cells that are read at once, and bytes that GDAL keeps of what was read: nothing is read twice.
_BLOCK, _CACHE = 10**7, 2**26
#: Four cells that are merged belong to the study area where so many of them do.
_HALF = 2


@dataclass
class Heatmaps(Panel):
    """The panel of a grid: a stack of maps.

    Of its attributes (see `Panel`), `counts` has shape (T, H, W), `mask` (H, W), and `support` is the grid.
    """

    support: Grid

    @property
    def grid(self) -> Grid:
        """The cells."""
        return self.support


def require_grid(panel: Panel, forecaster: str) -> Heatmaps:
    """Give the panel back if it is a stack of maps.

    Raises
    ------
    DataError
        If its units are areas or segments: networks read which cell lies beside which from rows and columns.
    """
    if not isinstance(panel, Heatmaps):
        raise DataError(
            f"The forecaster {forecaster} can read nothing but maps of square cells, and this is a panel of"
            f" {panel.support.kind}",
            parameter="model",
            value=forecaster,
            remedy="Choose a forecaster that is no network, or count the incidents with Rasterize hotspot grids",
        )
    return panel


def write_heatmaps(path: str | Path, heatmaps: Heatmaps, context: JobContext | None = None) -> None:
    """Write heatmaps as a GeoTIFF that `read_heatmaps` reads back."""
    kind = heatmaps.counts.dtype
    write_stack(
        path,
        heatmaps.counts,
        heatmaps.edges,
        heatmaps.mask,
        heatmaps.grid,
        RISK_NODATA if kind.kind == "f" else float(np.iinfo(kind).max),
        {
            tagnames.KIND: tagnames.HEATMAPS_KIND,
            tagnames.BIN: heatmaps.bin,
            tagnames.BINARY: str(int(heatmaps.binary)),
            tagnames.CATEGORIES: tagnames.join_categories(heatmaps.categories),
            tagnames.UNOBSERVED: " ".join(map(str, np.flatnonzero(~heatmaps.observed))),
            **({tagnames.EXACTNESS: heatmaps.exactness} if heatmaps.exactness else {}),
            **({tagnames.AREA: heatmaps.area} if heatmaps.area else {}),
            **({tagnames.SOURCE: heatmaps.source} if heatmaps.source else {}),
            **({tagnames.FILLED: heatmaps.filled} if heatmaps.filled else {}),
            **({tagnames.FILLED_LOOKS_AHEAD: "1"} if heatmaps.filled == "linear" else {}),
        },
        context,
    )


def write_risk(
    path: str | Path,
    risk: NDArray[np.float32],
    edges: NDArray[np.datetime64],
    mask: NDArray[np.bool_],
    grid: Grid,
    tags: dict[str, str],
    context: JobContext | None = None,
) -> None:
    """Write forecast probabilities, shape (S, H, W), as a GeoTIFF with a band per forecast bin."""
    write_stack(
        path,
        risk.astype(np.float32),
        edges,
        mask,
        grid,
        RISK_NODATA,
        {tagnames.KIND: tagnames.RISK_KIND, **tags},
        context,
    )


def check_layout(transform: Any, edges: NDArray[np.datetime64], bin_length: str) -> None:
    """Refuse cells that are not square or lie nowhere, bins that do not follow each other, and a length that is none.

    Raises
    ------
    ValueError
    """
    west, north, cell = transform.c, transform.f, transform.a
    square = 0 < cell < 1e7 and abs(transform.e + cell) <= 1e-6 * cell and not (transform.b or transform.d)
    if not square or max(abs(west), abs(north)) > 1e9 or not np.isfinite([west, north]).all():
        raise ValueError("the cells are not square, or lie nowhere")
    steps = np.diff(edges.astype(np.int64))
    first, after = timebins.CALENDAR
    if np.isnat(edges).any() or (steps <= 0).any() or not first <= edges[0] <= edges[-1] < after:
        raise ValueError("the maps do not follow each other")
    if bin_length:
        timebins.read_bin_text(bin_length)


def _read_bands(source: Any, outside: NDArray[np.bool_] | None) -> Iterator[NDArray[Any]]:
    """Read band by band, 0 where `outside` says; several at once, as each call of rasterio looks at all bands."""
    step = max(_BLOCK // (source.height * source.width), 1)
    for low in range(1, source.count + 1, step):
        for band in source.read(list(range(low, min(low + step, source.count + 1)))):
            if outside is not None:
                band[outside] = 0
            yield band


def read_heatmaps(path: str | Path, parameter: str = "heatmaps") -> Heatmaps:
    """Read a GeoTIFF written by `write_heatmaps`, band by band; a large one does not come into memory as a whole.

    Its counts are sparse where that is smaller, else a file seen as an array.

    Raises
    ------
    FormatError
        If it is not a raster, not one of ours, or of a newer format.
    DataError
        If no cell lies inside the study area.
    """
    remedy = "Make it with Rasterize hotspot grids"
    if not Path(path).is_file():
        raise FormatError(f"{path} does not exist", parameter=parameter, value=path, remedy=remedy)
    try:
        with rasterio.Env(GDAL_CACHEMAX=_CACHE), rasterio.open(path) as source:
            tags = source.tags()
            if tags.get(tagnames.KIND) != tagnames.HEATMAPS_KIND:
                raise FormatError(
                    f"{path} is a raster, but not a stack of hotspot grids",
                    parameter=parameter,
                    value=path,
                    remedy=remedy,
                )
            if int(tags.get(tagnames.FORMAT, "0")) > tagnames.FORMAT_NUMBER:
                raise FormatError(
                    f"{path} was written by a newer Crime Risk (format {tags[tagnames.FORMAT]})",
                    parameter=parameter,
                    value=path,
                    remedy="Update the plugin",
                )
            check_raster(source, path, parameter, MOST_SPARSE_CELLS)
            nodata = source.nodata
            mask = source.read(1) != nodata
            inside_everywhere = mask.all()
            shape, kind = (source.count, *source.shape), np.dtype(source.dtypes[0])
            bands = _read_bands(source, None if inside_everywhere else ~mask)
            refuse = partial(check_raster, source, path, parameter, MAX_CELLS)
            large = math.prod(shape) > MAX_CELLS or is_large(shape, kind)
            counts = gather_counts(bands, shape, kind, large, refuse)
            starts = [source.tags(band)[tagnames.START] for band in source.indexes]
            edges = np.array([*starts, source.tags(source.count)[tagnames.END]], dtype="datetime64[s]")
            observed = np.ones(len(counts), dtype=bool)
            observed[[int(number) for number in tags.get(tagnames.UNOBSERVED, "").split()]] = False
            transform, crs = source.transform, source.crs
            check_layout(transform, edges, tags.get(tagnames.BIN, ""))
    except FormatError:
        raise
    except (*RASTER_ERRORS, LookupError, ValueError, OverflowError, TypeError) as error:
        raise FormatError(
            f"{path} cannot be read as a stack of hotspot grids: it is truncated or of another kind",
            parameter=parameter,
            value=path,
            remedy=remedy,
        ) from error
    if not mask.any():
        raise DataError(
            f"No cell of {path} lies inside its study area",
            parameter=parameter,
            value=path,
            remedy="Choose a study area that overlaps the incidents",
        )
    return Heatmaps(
        counts,
        edges,
        mask,
        Grid(transform.c, transform.f, transform.a, counts.shape[2], counts.shape[1], crs.to_wkt() if crs else ""),
        tags.get(tagnames.BIN, ""),
        observed,
        tagnames.split_categories(tags.get(tagnames.CATEGORIES, "")),
        tags.get(tagnames.BINARY) == "1",
        filled=tags.get(tagnames.FILLED, ""),
        exactness=tags.get(tagnames.EXACTNESS, ""),
        area=tags.get(tagnames.AREA, ""),
        source=tags.get(tagnames.SOURCE, ""),
    )


def merge_cells(heatmaps: Heatmaps) -> Heatmaps:
    """Make cells twice as wide, each of four, from the north-western corner on; layers and channels are left out."""
    old = heatmaps.grid
    grid = replace(old, cell=2 * old.cell, columns=-(-old.columns // 2), rows=-(-old.rows // 2))
    mask = _sum_fours(heatmaps.mask, grid.shape) >= _HALF
    kind = np.dtype(heatmaps.counts.dtype)
    if kind.kind in "ui" and not heatmaps.binary and int(heatmaps.counts.max(initial=0)) * 4 >= np.iinfo(kind).max:
        kind = np.dtype(np.uint32)
    counts = make_empty_stack((len(heatmaps), *grid.shape), kind)
    for number, band in enumerate(heatmaps.counts):
        merged = _sum_fours(np.where(heatmaps.mask, band, 0), grid.shape) * mask
        counts[number] = merged > 0 if heatmaps.binary else merged
    return keep_sparse(replace(heatmaps, counts=counts, mask=mask, support=grid, extras=Extras()))


def _sum_fours(values: NDArray[Any], shape: tuple[int, int]) -> NDArray[np.float64]:
    rows, columns = shape
    whole = np.zeros((2 * rows, 2 * columns))
    whole[: values.shape[0], : values.shape[1]] = values
    return np.asarray(whole.reshape(rows, 2, columns, 2).sum(axis=(1, 3)))
