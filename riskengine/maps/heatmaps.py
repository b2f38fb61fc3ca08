"""Heatmaps: one count per time bin and cell, and the GeoTIFF they live in."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray

from ..contract import tags as tagnames
from ..ground.bigarrays import make_empty_stack
from ..ground.context import JobContext
from ..ground.errors import DataError, FormatError
from ..intake.incidents import Incidents
from . import bins as timebins
from .geotiff import RASTER_ERRORS, RISK_NODATA, check_raster, write_stack
from .grid import Grid


@dataclass(frozen=True)
class Extras:
    """Layers beside the counts.

    Attributes
    ----------
    static : ndarray of float32, shape (S, H, W)
        Layers that do not change with time, as distances or population; finite.
    static_names : tuple of str
    channels : ndarray, shape (C, T, H, W)
        Counts of other stacks in the same bins, as one category each; known only when their bin is over.
    channel_names : tuple of str
    """

    static: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 0, 0), dtype=np.float32))
    static_names: tuple[str, ...] = ()
    channels: NDArray[Any] = field(default_factory=lambda: np.zeros((0, 0, 0, 0), dtype=np.uint8))
    channel_names: tuple[str, ...] = ()

    def before(self, origin: int) -> Extras:
        """The static layers, and the channels' maps before map number `origin`."""
        return Extras(self.static, self.static_names, self.channels[:, :origin], self.channel_names)


@dataclass
class Heatmaps:
    """A stack of maps.

    Attributes
    ----------
    counts : ndarray of integers or float32, shape (T, H, W)
        float32 only where maps were interpolated; a large stack is a file on disk seen as an array.
    edges : ndarray of datetime64[s], shape (T + 1,)
        Map t covers [edges[t], edges[t + 1]).
    mask : ndarray of bool, shape (H, W)
        True inside the study area.
    grid : Grid
    bin : str
        Length of a bin, e.g. ``1 days``.
    observed : ndarray of bool, shape (T,)
        False for a map that was filled in, never to be a target.
    categories : list of str
        Categories counted; empty where that was not recorded.
    binary : bool
        True when counts were reduced to "at least one".
    extras : Extras
        Further layers on the same grid that a forecaster may read.
    area : str
        What the study area is: ``polygons``, ``rectangle``, ``hull`` and how it was drawn; empty where unknown.
    filled : str
        How unobserved maps were filled: ``linear``, ``forward``, or empty. Linearly filled maps know the next
        observed map, so they look ahead.
    exactness : str
        How exact the times of what was counted are, e.g. ``day``; empty where that was not recorded.
    source : str
        Name of the layer of incidents that was counted; empty where that was not recorded.
    """

    counts: NDArray[Any]
    edges: NDArray[np.datetime64]
    mask: NDArray[np.bool_]
    grid: Grid
    bin: str
    observed: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, dtype=bool))
    categories: list[str] = field(default_factory=list)
    binary: bool = False
    extras: Extras = field(default_factory=lambda: Extras())
    filled: str = ""
    exactness: str = ""
    area: str = ""
    source: str = ""

    def __post_init__(self) -> None:
        if not self.observed.size:
            self.observed = np.ones(len(self.counts), dtype=bool)

    def __len__(self) -> int:
        return len(self.counts)

    def before(self, origin: int) -> Heatmaps:
        """The maps before map number `origin`: what a forecast made there may know."""
        return replace(
            self,
            counts=self.counts[:origin],
            edges=self.edges[: origin + 1],
            observed=self.observed[:origin],
            extras=self.extras.before(origin),
        )


def count_incidents(
    incidents: Incidents,
    grid: Grid,
    edges: NDArray[np.datetime64],
    mask: NDArray[np.bool_] | None = None,
    binary: bool = False,
) -> tuple[NDArray[Any], int]:
    """Count incidents per bin and cell.

    Parameters
    ----------
    incidents : Incidents
    grid : Grid
    edges : ndarray of datetime64[s], shape (T + 1,)
    mask : ndarray of bool, shape (H, W), optional
        Study area; incidents in cells outside it are left out.
    binary : bool
        1 for at least one incident.

    Returns
    -------
    counts : ndarray of uint8, uint16 or uint32, shape (T, H, W)
        The smallest type that leaves its highest value free for "no data".
    left_out : int
        Incidents outside the grid, the period or the study area.
    """
    cells = grid.rows * grid.columns
    cell = grid.locate(incidents.x, incidents.y)
    when = timebins.locate(incidents.time, edges)
    kept = (cell >= 0) & (when >= 0)
    if mask is not None and not mask.all():
        kept &= mask.ravel()[cell]
    key = when[kept] * cells + cell[kept]
    # Most cells of most maps are empty: counting only the occupied ones leaves the rest of the stack untouched.
    key.sort()
    first = np.flatnonzero(np.r_[True, key[1:] != key[:-1]]) if len(key) else np.zeros(0, dtype=np.int64)
    occupied, number = key[first], np.diff(np.r_[first, len(key)])
    highest = int(number.max(initial=0))
    kind = np.uint8 if binary or highest < 255 else np.uint16 if highest < 65_535 else np.uint32
    counts = np.zeros((len(edges) - 1) * cells, dtype=kind)
    counts[occupied] = 1 if binary else number
    return counts.reshape(len(edges) - 1, grid.rows, grid.columns), int(len(kept) - kept.sum())


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
            tagnames.CATEGORIES: "\n".join(heatmaps.categories),
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


def read_heatmaps(path: str | Path, parameter: str = "heatmaps") -> Heatmaps:
    """Read a GeoTIFF written by `write_heatmaps`, band by band; a large one does not come into memory as a whole.

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
        with rasterio.open(path) as source:
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
            check_raster(source, path, parameter)
            nodata = source.nodata
            mask = source.read(1) != nodata
            inside_everywhere = mask.all()
            counts = make_empty_stack((source.count, *source.shape), np.dtype(source.dtypes[0]))
            for number in range(source.count):
                source.read(number + 1, out=counts[number])
                if not inside_everywhere:
                    counts[number][~mask] = 0
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
        [name for name in tags.get(tagnames.CATEGORIES, "").split("\n") if name],
        tags.get(tagnames.BINARY) == "1",
        filled=tags.get(tagnames.FILLED, ""),
        exactness=tags.get(tagnames.EXACTNESS, ""),
        area=tags.get(tagnames.AREA, ""),
        source=tags.get(tagnames.SOURCE, ""),
    )
