"""New York's grid of 16 x 16 daily maps, as several papers use it, and finer ones of the same kind."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd

from riskengine.maps.bins import bin_text, make_bin_edges
from riskengine.maps.grid import Grid
from riskengine.maps.heatmaps import Heatmaps

#: Rows per degree of latitude and columns per degree of longitude, as FACTS.md section 2 rounds them: cells of 3 km.
PER_DEGREE = (37.0, 28.0)
#: Unrounded they reproduce all six golden figures to the last digit (found by search; 111 km / 3 km = 37, and
#: 37 x cos 40.7 = 28.04); rounded, five of six differ by one or two units of it: a few incidents change cells.
PER_DEGREE_UNROUNDED = (37.0025, 28.035)
FIRST, LAST = np.datetime64("2014-01-01"), np.datetime64("2015-12-31")
#: Metres of a degree of latitude: a cell of 1 / 37 degree is 3.0 km high, one of 1 / 28 degree of longitude as wide.
_DEGREE = 111_195.0


def count_new_york(
    path: str | Path, per_degree: tuple[float, float] = PER_DEGREE, size: int = 16, offense: str | None = None
) -> Heatmaps:
    """Count New York's days, 2014-01-01 to 2015-12-31, on a grid of degrees.

    Parameters
    ----------
    path : str or Path
        ``new_york/crimes_2014_2015.csv``.
    per_degree : (float, float)
        Rows per degree of latitude and columns per degree of longitude, from the smallest latitude and longitude of
        all incidents.
    size : int
        Rows and columns.
    offense : str, optional
        One offence, or all.

    Returns
    -------
    Heatmaps
        The study area are the cells with an incident of any offence in the two years. So it knows the test, like the
        papers' tables; it is the same for every forecaster. Cells are not square on the ground: the `Grid` is a
        nominal one in UTM 18N with the mean side of a cell, its lower-left corner where the data's is.
    """
    table = pd.read_csv(path, usecols=["Occurrence Date", "Offense", "Latitude", "Longitude"])
    when = pd.to_datetime(table["Occurrence Date"], format="%m/%d/%Y %I:%M:%S %p").to_numpy("datetime64[D]")
    latitude, longitude = table["Latitude"].to_numpy(), table["Longitude"].to_numpy()
    # Rows run from north to south, as in every raster.
    row = size - 1 - np.floor((latitude - latitude.min()) * per_degree[0]).astype(int)
    column = np.floor((longitude - longitude.min()) * per_degree[1]).astype(int)
    day = (when - FIRST).astype(int)
    edges = make_bin_edges(FIRST, LAST, "days")
    days = len(edges) - 1
    inside = (row >= 0) & (column < size) & (day >= 0) & (day < days)
    mask = np.zeros((size, size), dtype=bool)
    mask[row[inside], column[inside]] = True
    if offense is not None:
        inside &= (table["Offense"] == offense).to_numpy()
    cell = (day[inside] * size + row[inside]) * size + column[inside]
    counts = np.bincount(cell, minlength=days * size * size).reshape(days, size, size)
    kind = np.uint8 if counts.max(initial=0) < 255 else np.uint16
    side = _DEGREE * (1 / per_degree[0] + math.cos(math.radians(40.7)) / per_degree[1]) / 2
    grid = Grid(563_000.0, 4_483_500.0 + size * side, side, size, size, "EPSG:32618")
    categories = [] if offense is None else [offense]
    return Heatmaps(counts.astype(kind), edges, mask, grid, bin_text("days", 1), categories=categories)
