"""The eleven forecasting tasks on real data: hotspot grids, study areas, and where the test begins."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from common import require_data
from nyc_grid import count_new_york
from rasterio.features import geometry_mask
from rasterio.warp import transform, transform_geom
from scipy.ndimage import binary_dilation

from riskengine.contract.choices import BinUnit
from riskengine.intake.incidents import Incidents
from riskengine.maps.bins import bin_text, make_bin_edges
from riskengine.maps.grid import make_grid
from riskengine.maps.heatmaps import Heatmaps
from riskengine.maps.panel import count_incidents

NEW_YORK = ("BURGLARY", "GRAND LARCENY", "ROBBERY", "FELONY ASSAULT")


@dataclass(frozen=True)
class Task:
    """One task: its hotspot grids, and how many of the last maps are the test.

    Attributes
    ----------
    name : str
    test : int
        Maps.
    read : callable
        From the data folder to the hotspot grids.
    counted : bool
        One of the eleven tasks that the target counts.
    """

    name: str
    test: int
    read: Callable[[Path], Heatmaps]
    counted: bool = True


def _heatmaps(
    x: Any,
    y: Any,
    time: Any,
    crs: str,
    cell: float,
    unit: BinUnit,
    outline: list[dict[str, Any]] | None,
    until: int = 0,
) -> Heatmaps:
    """Counts per cell and bin; without an outline the study area is where something happened before the last `until`
    maps, and one cell around."""
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    when = np.asarray(time).astype("datetime64[s]")
    known = np.isfinite(x) & np.isfinite(y) & ~np.isnat(when)
    x, y, when = x[known], y[known], when[known]
    edges = make_bin_edges(when.min(), when.max(), unit)
    if unit == "weeks":
        # The first and last week are incomplete.
        edges = edges[1:-1]
    low, high = (np.quantile(x, 0.0005), np.quantile(y, 0.0005)), (np.quantile(x, 0.9995), np.quantile(y, 0.9995))
    extent = (float(low[0]), float(low[1]), float(high[0]), float(high[1]))
    grid = make_grid(extent, crs, cell)
    zero = np.zeros(len(x), dtype=np.int32)
    incidents = Incidents(x, y, when, zero, [], np.arange(len(x)))
    mask = None
    if outline is not None:
        mask = ~geometry_mask(outline, grid.shape, grid.transform)
    counts, _ = count_incidents(incidents, grid, edges, mask)
    if mask is None:
        mask = binary_dilation(counts[: len(counts) - until].any(axis=0), np.ones((3, 3)))
        counts = np.where(mask, counts, 0).astype(counts.dtype)
    return Heatmaps(counts, edges, mask, grid, bin_text(unit, 1))


def _lonlat(frame: pd.DataFrame, crs: str, longitude: str = "lon", latitude: str = "lat") -> tuple[Any, Any]:
    frame[[longitude, latitude]] = frame[[longitude, latitude]].apply(pd.to_numeric, errors="coerce")
    x, y = transform("EPSG:4326", crs, frame[longitude].fillna(0), frame[latitude].fillna(0))
    known = frame[longitude].notna().to_numpy()
    return np.where(known, x, np.nan), np.where(known, y, np.nan)


def _outline(path: Path, crs: str) -> list[dict[str, Any]]:
    features = json.loads(path.read_text(encoding="utf-8"))["features"]
    return [transform_geom("EPSG:4326", crs, each["geometry"]) for each in features if each["geometry"]]


def read_baltimore(data: Path) -> Heatmaps:
    """Daily, 500 m, all Part 1 crime."""
    frame = pd.read_csv(require_data(data, "baltimore", "bpd_part1_2011_2016.csv"), low_memory=False)
    x, y = _lonlat(frame, "EPSG:26918")
    time = pd.to_datetime(frame["datetime"], errors="coerce")
    outline = _outline(require_data(data, "baltimore", "neighborhoods.geojson"), "EPSG:26918")
    return _heatmaps(x, y, time, "EPSG:26918", 500, "days", outline)


def read_mexico_city(data: Path) -> Heatmaps:
    """Daily, 500 m, all categories."""
    frame = pd.read_csv(require_data(data, "mexico_city", "fgj_carpetas_2019-02_2020-01.csv"), low_memory=False)
    x, y = _lonlat(frame, "EPSG:32614")
    time = pd.to_datetime(frame["fecha_hecho"], errors="coerce")
    outline = _outline(require_data(data, "mexico_city", "colonias.geojson"), "EPSG:32614")
    return _heatmaps(x, y, time, "EPSG:32614", 500, "days", outline)


def read_chicago(data: Path) -> Heatmaps:
    """Daily, 500 m, 2018, all categories."""
    frame = pd.read_csv(require_data(data, "chicago", "crimes_2018.csv"), low_memory=False)
    x, y = _lonlat(frame, "EPSG:26916", "Longitude", "Latitude")
    return _heatmaps(x, y, pd.to_datetime(frame["Date"], errors="coerce"), "EPSG:26916", 500, "days", None, 60)


def read_portland(data: Path, kind: str) -> Heatmaps:
    """Weekly, 250 m."""
    frame = pd.read_csv(require_data(data, "portland", f"{kind}_2012_2017.csv"))
    border = pd.read_csv(require_data(data, "portland", "boundary_coords.csv"))
    # International feet of EPSG:2913 to metres: the grid keeps its projection.
    ring = border.to_numpy() * 0.3048
    outline = [{"type": "Polygon", "coordinates": [[*ring.tolist(), ring[0].tolist()]]}]
    crs = "+proj=lcc +lat_0=43.6666666666667 +lon_0=-120.5 +lat_1=46 +lat_2=44.3333333333333 +x_0=2500000 +units=m"
    x, y = frame["x_coordina"] * 0.3048, frame["y_coordina"] * 0.3048
    return _heatmaps(x, y, pd.to_datetime(frame["occ_date"]), crs, 250, "weeks", outline)


def read_new_york(data: Path, size: int, offense: str | None) -> Heatmaps:
    """Daily, on the papers' grid of 16 x 16 cells or one four times finer."""
    path = require_data(data, "new_york", "crimes_2014_2015.csv")
    finer = size // 16
    return count_new_york(path, (37 * finer, 28 * finer), size, offense)


def _name(offense: str | None) -> str:
    return (offense or "all").lower().replace(" ", "_")


TASKS: dict[str, Task] = {
    task.name: task
    for task in (
        *(
            Task(f"new_york_16_{_name(kind)}", 92, lambda data, kind=kind: read_new_york(data, 16, kind))  # type: ignore[misc]
            for kind in (*NEW_YORK, None)
        ),
        Task("new_york_64_all", 92, lambda data: read_new_york(data, 64, None)),
        Task("baltimore", 364, read_baltimore),
        Task("portland_burglary", 52, lambda data: read_portland(data, "burglary")),
        Task("portland_vehicle_theft", 52, lambda data: read_portland(data, "vehicle_theft")),
        Task("mexico_city", 92, read_mexico_city),
        Task("chicago_2018", 60, read_chicago),
        *(
            Task(f"new_york_64_{_name(kind)}", 92, lambda data, kind=kind: read_new_york(data, 64, kind), False)  # type: ignore[misc]
            for kind in NEW_YORK
        ),
    )
}
