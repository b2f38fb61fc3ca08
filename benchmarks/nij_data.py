"""Portland as the NIJ challenge of 2017 asked for it: thefts and burglaries, five springs, five horizons, any cell.

Training ends before 1 March. Bins are weeks that end there, and after it weeks cut by the ends of the horizons: each
horizon is then a whole number of bins, and what is judged is exact to the day.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from common import require_data
from numpy.typing import NDArray
from rasterio.features import geometry_mask
from scipy.ndimage import binary_dilation

from riskengine.contract.aims import Catch
from riskengine.intake.incidents import Incidents
from riskengine.maps.bins import bin_text
from riskengine.maps.grid import Grid, make_grid
from riskengine.maps.heatmaps import Heatmaps
from riskengine.maps.panel import count_incidents

#: The projection of EPSG:2913, in metres instead of international feet.
CRS = "+proj=lcc +lat_0=43.6666666666667 +lon_0=-120.5 +lat_1=46 +lat_2=44.3333333333333 +x_0=2500000 +units=m"
FOOT, SQUARE_MILE = 0.3048, 1.609344**2
#: The challenge's area of Portland, square miles. What its outline surrounds is 161.2: water and enclaves are no part.
AREA = 147.71
TYPES = ("burglary", "vehicle_theft")
YEARS = (2013, 2014, 2015, 2016, 2017)
#: Weeks that a model is made for, by horizon.
WEEKS: Mapping[str, int] = {"1w": 1, "2w": 2, "1m": 4, "2m": 9, "3m": 13}
HORIZONS = tuple(WEEKS)
#: What happened within each horizon of 1 March 2017, as the challenge counted it.
INCIDENTS_2017: Mapping[str, tuple[int, ...]] = {
    "burglary": (20, 41, 93, 175, 268),
    "vehicle_theft": (71, 135, 273, 543, 805),
}
#: A grid, and which of its cells belong to the study area.
Cells = tuple[Grid, NDArray[np.bool_]]
#: The first day of the data.
_FIRST = np.datetime64("2012-03-01")
_WEEK = np.timedelta64(7, "D")


@dataclass(frozen=True)
class Spring:
    """One origin: bins of weeks before it, and after it weeks cut by the ends of the horizons.

    Attributes
    ----------
    year : int
    edges : ndarray of datetime64[s], shape (T + 1,)
    first : int
        Number of the bin that begins on 1 March.
    windows : dict of str to int
        Bins in each horizon.
    weeks : ndarray of int
        Week of each bin from `first` on; the day that 13 weeks lack of three months is part of the last.
    """

    year: int
    edges: NDArray[np.datetime64]
    first: int
    windows: dict[str, int]

    @property
    def weeks(self) -> NDArray[np.int64]:
        after = self.edges[self.first : -1] - self.edges[self.first]
        return np.minimum(after // _WEEK, WEEKS["3m"] - 1).astype(np.int64)


def make_spring(year: int) -> Spring:
    """Make the bins around 1 March of a year; the first holds the first day of the data, and days before it."""
    origin, months = np.datetime64(f"{year}-03-01"), np.datetime64(f"{year}-03")
    first = -int((_FIRST - origin) // _WEEK)
    ends = {"1w": origin + _WEEK, "2w": origin + 2 * _WEEK}
    for number in (1, 2, 3):
        ends[f"{number}m"] = (months + np.timedelta64(number, "M")).astype("datetime64[D]")
    after = np.unique([*np.arange(origin + _WEEK, ends["3m"], _WEEK), *ends.values()])
    before = origin - np.arange(first, -1, -1) * _WEEK
    windows = {name: int(np.searchsorted(after, end)) + 1 for name, end in ends.items()}
    return Spring(year, np.r_[before, after].astype("datetime64[s]"), first, windows)


def read_incidents(data: Path, kind: str) -> Incidents:
    """Read the incidents of one type, in metres.

    Raises
    ------
    SystemExit
        If they are not those that the challenge counted.
    """
    frame = pd.read_csv(require_data(data, "portland", f"{kind}_2012_2017.csv"))
    x, y = (frame[name].to_numpy(dtype=np.float64) * FOOT for name in ("x_coordina", "y_coordina"))
    when = pd.to_datetime(frame["occ_date"]).to_numpy().astype("datetime64[s]")
    spring = make_spring(2017)
    starts, first = np.sort(when), spring.edges[spring.first]
    ends = [spring.edges[spring.first + spring.windows[name]] for name in HORIZONS]
    found = tuple((np.searchsorted(starts, ends) - np.searchsorted(starts, first)).tolist())
    if found != INCIDENTS_2017[kind]:
        raise SystemExit(f"After 1 March 2017 there are {found} of {kind}; the challenge had {INCIDENTS_2017[kind]}.")
    return Incidents(x, y, when, np.zeros(len(x), dtype=np.int32), [], np.arange(len(x)))


def make_cells(data: Path, feet: float) -> Cells:
    """Make the grid over Portland and its study area: the cells whose centre lies inside the outline, and those around.

    With the cells around, every incident stays inside wherever the grid is moved to.
    """
    border = pd.read_csv(require_data(data, "portland", "boundary_coords.csv")).to_numpy() * FOOT
    cell = feet * FOOT
    (west, south), (east, north) = border.min(axis=0) - cell, border.max(axis=0) + cell
    grid = make_grid((west, south, east, north), CRS, cell)
    outline = {"type": "Polygon", "coordinates": [[*border.tolist(), border[0].tolist()]]}
    inside = ~geometry_mask([outline], grid.shape, grid.transform)
    return grid, binary_dilation(inside, np.ones((3, 3)))


def make_panel(incidents: Incidents, cells: Cells, spring: Spring) -> Heatmaps:
    """Count the incidents of one type, before and after one spring's origin."""
    grid, mask = cells
    counts, _ = count_incidents(incidents, grid, spring.edges, mask, sparse=True)
    return Heatmaps(counts, spring.edges, mask, grid, bin_text("weeks", 1))


def make_catch(miles: float, window: int) -> Catch:
    """Make the aim of so many square miles, in a window of so many bins."""
    return Catch(miles * SQUARE_MILE, "km2", window)
