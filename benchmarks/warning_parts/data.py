"""Panels of real cities for warnings, in memory: what the benchmark of warnings and experiments with models read."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import shapely
from areas_data import make_projected, project, read_shapes
from common import require_data
from numpy.typing import NDArray

from riskengine.contract.utm import find_utm_code
from riskengine.contract.warnings import Timing
from riskengine.ground.context import JobContext
from riskengine.intake.incidents import NO_CATEGORY, Incidents
from riskengine.maps.areas import Areas, make_areas
from riskengine.maps.tiling import make_hexagons
from riskengine.maps.warningpanel import WarningPanel, make_city, make_warning_panel

#: Baltimore's published target, and the more frequent category that happens in the same places.
TARGETS, SIMILAR = ("HOMICIDE", "SHOOTING"), ("AGG. ASSAULT",)
#: First moment that Baltimore is tested on: models learn from the four years before.
FIRST_TEST = np.datetime64("2015-01-01T00", "s")
#: Baltimore's file ends with this day.
BALTIMORE_END = np.datetime64("2016-09-18T00", "s")


@cache
def read_baltimore(data: Path) -> tuple[Incidents, pd.DataFrame]:
    """Read all dated incidents, and the table they stand in; those without coordinates have NaN."""
    table = pd.read_csv(require_data(data, "baltimore", "bpd_part1_2011_2016.csv"), dtype={"Location": str})
    table = table.dropna(subset=["datetime"]).reset_index(drop=True)
    return _make_incidents(table, "datetime", "Description", "lat", "lon"), table


def _make_incidents(table: pd.DataFrame, time: str, category: str, lat: str, lon: str) -> Incidents:
    zone = find_utm_code(float(table[lon].median()), float(table[lat].median()))
    x, y = project(table[lon].to_numpy(), table[lat].to_numpy(), zone)
    code, names = pd.factorize(table[category])
    when = pd.to_datetime(table[time]).to_numpy().astype("datetime64[s]")
    assert NO_CATEGORY == -1, "as pandas writes none"
    return Incidents(x, y, when, code.astype(np.int32), list(names), np.arange(len(x)), "minute")


@cache
def read_neighbourhoods(data: Path) -> Areas:
    """Read the neighbourhoods, called as incidents name them."""
    shapes, names = read_shapes(require_data(data, "baltimore", "neighborhoods.geojson"), "LABEL")
    return make_projected([name.strip().upper() for name in names], shapes)


def _name_neighbourhoods(table: pd.DataFrame) -> NDArray[np.object_]:
    return table["Neighborhood"].fillna("").str.strip().str.upper().to_numpy()


def _find_units(areas: Areas, names: NDArray[np.object_]) -> NDArray[np.int64]:
    number = {name: place for place, name in enumerate(areas.ids)}
    return np.array([number.get(name, -1) for name in names], dtype=np.int64)


@cache
def _make_districts(data: Path) -> Areas:
    """The nine districts: each neighbourhood belongs to the one that most of its incidents name."""
    _, table = read_baltimore(data)
    areas = read_neighbourhoods(data)
    most = table.groupby(_name_neighbourhoods(table))["District"].agg(lambda each: each.mode().get(0, ""))
    district = np.array([most.get(name, "") for name in areas.ids])
    names = sorted(set(district) - {""})
    # Borders drawn twice leave slits; half a metre closes them.
    shapes = [shapely.union_all(shapely.buffer(areas.geometries[district == name], 0.5)) for name in names]
    return make_areas(names, np.array(shapes, dtype=object), areas.crs)[0]


def make_baltimore(data: Path, setup: str, delay: int = 0) -> WarningPanel:
    """Make one of the published set-ups, a key of `BALTIMORE`, with a delay in hours."""
    incidents, table = read_baltimore(data)
    window, begin, units = BALTIMORE[setup]
    place = pd.factorize(table["Location"])[0]
    unit = None
    if units == "city":
        areas = make_city(incidents, read_neighbourhoods(data).crs)
    elif units == "district":
        areas = _make_districts(data)
        unit = _find_units(areas, table["District"].fillna("").to_numpy())
    else:
        areas = read_neighbourhoods(data)
        unit = _find_units(areas, _name_neighbourhoods(table))
    timing = Timing(window, begin, 0, delay)
    return make_warning_panel(
        incidents, TARGETS, SIMILAR, areas, timing, JobContext(), unit, until=BALTIMORE_END, place=place
    )


#: Hours of a window, hours after Monday midnight at which one begins, and units.
BALTIMORE: dict[str, tuple[int, int, str]] = {
    "city_2h": (2, 0, "city"),
    "city_12h": (12, 6, "city"),
    "district_24h": (24, 6, "district"),
    "neighbourhood_7d": (168, 0, "neighbourhood"),
}


def make_chicago(data: Path, delay: int = 0) -> WarningPanel:
    """Make robbery in Chicago's community areas in 2018, windows of a day."""
    table = pd.read_csv(require_data(data, "chicago", "crimes_2018.csv"), dtype={"CommunityArea": "Int64"})
    shapes, numbers = read_shapes(require_data(data, "chicago", "community_areas.geojson"), "area_number")
    areas = make_projected([str(int(number)) for number in numbers], shapes)
    incidents = _make_incidents(table, "Date", "PrimaryType", "Latitude", "Longitude")
    unit = _find_units(areas, table["CommunityArea"].astype(str).to_numpy())
    timing = Timing(24, 0, 0, delay)
    return make_warning_panel(incidents, ["ROBBERY"], ["BATTERY"], areas, timing, JobContext(), unit)


def make_new_york(data: Path, delay: int = 0) -> WarningPanel:
    """Make robbery in New York's hexagons of 2 km, windows of a day; the hexagons are those with a crime in 2014."""
    table = pd.read_csv(require_data(data, "new_york", "crimes_2014_2015.csv")).dropna(subset=["Occurrence Date"])
    incidents = _make_incidents(table, "Occurrence Date", "Offense", "Latitude", "Longitude")
    first = incidents.before(np.datetime64("2015-01-01", "s"))
    zone = find_utm_code(float(table["Longitude"].median()), float(table["Latitude"].median()))
    areas = make_hexagons(2000.0, shapely.buffer(shapely.points(first.x, first.y), 1.0), zone)
    timing = Timing(24, 0, 0, delay)
    return make_warning_panel(incidents, ["ROBBERY"], ["FELONY ASSAULT"], areas, timing, JobContext())


#: Places where nothing was tuned.
ELSEWHERE: dict[str, Callable[[Path, int], WarningPanel]] = {"chicago": make_chicago, "new_york": make_new_york}


def find_first_window(panel: WarningPanel, moment: np.datetime64 = FIRST_TEST) -> int:
    """Find the bin with which the first window begins that is tested."""
    steps = panel.timing.bins
    return int(np.searchsorted(panel.panel.edges[:-1:steps], moment)) * steps
