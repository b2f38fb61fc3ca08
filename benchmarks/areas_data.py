"""Panels of real cities by area, in memory: what the benchmark of areas and experiments with its forecasters read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyogrio
import shapely
from common import require_data
from numpy.typing import NDArray
from rasterio.warp import transform

from riskengine.contract.utm import find_utm_code
from riskengine.intake.incidents import Incidents
from riskengine.maps.areas import Areas, make_areas
from riskengine.maps.bins import make_bin_edges
from riskengine.maps.panel import Covariate, Extras, Panel, count_incidents
from riskengine.maps.tiling import make_hexagons

#: `make_squares` or `make_hexagons` of `riskengine.maps.tiling`.
MakeTiles = Callable[[float, NDArray[np.object_], str], Areas]
LONDON = "EPSG:27700"
#: First month that London's figures are taken on: settings are chosen before it.
FIRST_TEST = np.datetime64("2021-07")
LSOAS = ("london", "geo", "LSOA_2011_London_gen_MHW.shp")
#: The seven domains of the Indices of Deprivation, and the kinds of places of the mobility reports.
DOMAINS = ("Income", "Employment", "Education", "Health", "Crime", "Barriers", "Living Environment")
PLACES = (
    "retail_and_recreation",
    "grocery_and_pharmacy",
    "parks",
    "transit_stations",
    "workplaces",
    "residential",
)


def read_london(data: Path) -> tuple[Incidents, NDArray[np.object_]]:
    """Read London's burglaries with the police's LSOA code of each; those without coordinates have NaN."""
    table = pd.read_csv(require_data(data, "london", "burglary_2019-01_2022-04.csv"))
    x, y = project(table["Longitude"].to_numpy(), table["Latitude"].to_numpy(), LONDON)
    return _make_incidents(x, y, pd.to_datetime(table["Month"])), table["LSOA code"].to_numpy()


def make_london_lsoas(data: Path, deprivation: bool = False, mobility: bool = False, households: bool = False) -> Panel:
    """Count London's burglaries by month and by the LSOA that the police name.

    Parameters
    ----------
    data : path
    deprivation : bool
        The seven domain scores become static layers.
    mobility : bool
        The borough's visits of the month become covariates, known a month late.
    households : bool
        What the census of 2011 says of homes becomes static layers: logarithms of households, residents of each, and
        residents of communal establishments.
    """
    shapes, codes, boroughs = read_shapes(require_data(data, *LSOAS), "LSOA11CD", "LAD11CD")
    areas, _ = make_areas(codes.tolist(), shapes, LONDON)
    incidents, code = read_london(data)
    edges = make_bin_edges(incidents.time.min(), incidents.time.max(), "months")
    panel = _count_named(areas, code, incidents.time, edges, "1 months")
    layers = {
        **(dict(zip(DOMAINS, read_deprivation(data, areas.ids))) if deprivation else {}),
        **(read_households(data) if households else {}),
    }
    static = np.array(list(layers.values()), dtype=np.float32).reshape(-1, len(areas.ids))
    covariates = _read_mobility(data, boroughs, edges) if mobility else ()
    extras = Extras(
        static,
        tuple(layers),
        np.zeros((0, len(panel), len(areas.ids)), dtype=np.uint8),
        (),
        covariates,
    )
    return replace(panel, extras=extras)


def find_first_test(panel: Panel) -> int:
    """Find London's first bin that is tested."""
    return int(np.searchsorted(panel.edges[:-1], FIRST_TEST.astype("datetime64[s]")))


def read_deprivation(data: Path, ids: tuple[str, ...]) -> NDArray[np.float32]:
    """Read the seven domain scores of 2019 of each LSOA, shape (7, N)."""
    scores = pd.read_csv(require_data(data, "london", "iod2019_domain_scores_lsoa11.csv")).set_index("LSOACD")
    return np.asarray(scores.loc[list(ids), list(DOMAINS)].to_numpy(np.float32).T, order="C")


def read_households(data: Path) -> dict[str, NDArray[np.float64]]:
    """Read what the census of 2011 says of the homes in each LSOA."""
    _, homes, residents, communal = read_shapes(require_data(data, *LSOAS), "HHOLDS", "USUALRES", "COMESTRES")
    return {
        "households": np.log(homes.astype(np.float64)),
        "residents a household": np.log(residents.astype(np.float64) / homes.astype(np.float64)),
        "communal residents": np.log1p(communal.astype(np.float64)),
    }


def make_london_tiles(data: Path, make_tiles: MakeTiles, side: float = 500.0) -> Panel:
    """Count London's burglaries by month in the squares or hexagons (`riskengine.maps.tiling`) that lie in it."""
    (shapes,) = read_shapes(require_data(data, *LSOAS))
    incidents, _ = read_london(data)
    incidents = incidents.select(np.isfinite(incidents.x))
    edges = make_bin_edges(incidents.time.min(), incidents.time.max(), "months")
    return _count(make_tiles(side, shapes, LONDON), incidents, edges, "1 months")


def make_baltimore(data: Path) -> Panel:
    """Count Baltimore's victim-based Part 1 crimes by week and the neighbourhood that they name."""
    table = pd.read_csv(
        require_data(data, "baltimore", "bpd_part1_2011_2016.csv"), usecols=["datetime", "Neighborhood"]
    )
    table = table.dropna()
    shapes, names = read_shapes(require_data(data, "baltimore", "neighborhoods.geojson"), "LABEL")
    areas = make_projected([name.strip().upper() for name in names], shapes)
    code = table["Neighborhood"].astype(str).str.strip().str.upper().to_numpy()
    time = pd.to_datetime(table["datetime"]).to_numpy().astype("datetime64[s]")
    return _count_named(areas, code, time, _whole_weeks(time), "1 weeks")


def make_chicago(data: Path, category: str = "BURGLARY") -> Panel:
    """Count Chicago's crimes of a category by week of 2018 and the community area that they name.

    Of all categories together every area has one in every week: nothing is left to forecast.
    """
    columns = ["Date", "CommunityArea", "PrimaryType"]
    table = pd.read_csv(require_data(data, "chicago", "crimes_2018.csv"), usecols=columns).dropna()
    table = table[table["PrimaryType"] == category]
    shapes, numbers = read_shapes(require_data(data, "chicago", "community_areas.geojson"), "area_number")
    areas = make_projected([str(int(number)) for number in numbers], shapes)
    time = pd.to_datetime(table["Date"]).to_numpy().astype("datetime64[s]")
    code = table["CommunityArea"].astype(int).astype(str).to_numpy()
    return _count_named(areas, code, time, _whole_weeks(time), "1 weeks")


def make_mexico_city(data: Path) -> Panel:
    """Count Mexico City's reports by week and by the colonia that they lie in; names are spelt in many ways there."""
    columns = ["fecha_hecho", "lat", "lon"]
    table = pd.read_csv(require_data(data, "mexico_city", "fgj_carpetas_2019-02_2020-01.csv"), usecols=columns).dropna()
    shapes, boroughs, names = read_shapes(require_data(data, "mexico_city", "colonias.geojson"), "alcaldia", "colonia")
    areas = make_projected([f"{a}: {b}" for a, b in zip(boroughs, names, strict=True)], shapes)
    return _count_weekly(areas, table["lon"], table["lat"], table["fecha_hecho"])


def make_new_york(data: Path) -> Panel:
    """Count New York's four crimes by week and 500 m hexagon; the hexagons are those that had one in the first year."""
    columns = ["Occurrence Date", "Latitude", "Longitude"]
    table = pd.read_csv(require_data(data, "new_york", "crimes_2014_2015.csv"), usecols=columns).dropna()
    table["time"] = pd.to_datetime(table["Occurrence Date"])
    first = table[table["time"] < "2015-01-01"]
    x, y = first["Longitude"].to_numpy(), first["Latitude"].to_numpy()
    zone = find_utm_code(float(np.median(x)), float(np.median(y)))
    areas = make_hexagons(500.0, shapely.buffer(shapely.points(*project(x, y, zone)), 1.0), zone)
    return _count_weekly(areas, table["Longitude"], table["Latitude"], table["time"])


#: Panels by week that every default must hold its own on.
WEEKLY: dict[str, Callable[[Path], Panel]] = {
    "baltimore": make_baltimore,
    "chicago": make_chicago,
    "mexico_city": make_mexico_city,
    "new_york": make_new_york,
}


def read_shapes(path: Path, *fields: str) -> tuple[NDArray[np.object_], ...]:
    """Read the polygons of a layer, and some of its fields, in the order they are named."""
    head, _, shapes, values = pyogrio.raw.read(path, columns=list(fields))
    by_name = dict(zip(head["fields"], values, strict=True))
    return np.asarray(shapely.from_wkb(shapes)), *(by_name[field] for field in fields)


def make_projected(ids: list[str], geometries: NDArray[np.object_]) -> Areas:
    """Make areas of polygons in degrees, in metres of their UTM zone."""
    west, south, east, north = shapely.total_bounds(geometries).tolist()
    zone = find_utm_code((west + east) / 2, (south + north) / 2)

    def move(corners: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.stack(project(corners[:, 0], corners[:, 1], zone), axis=-1)

    return make_areas(ids, shapely.transform(shapely.force_2d(geometries), move), zone)[0]


def project(x: NDArray[np.float64], y: NDArray[np.float64], crs: str) -> tuple[NDArray[np.float64], ...]:
    """Bring places in degrees to metres; where there is none it is NaN."""
    known = np.isfinite(x) & np.isfinite(y)
    moved = np.full((2, len(x)), np.nan)
    moved[:, known] = transform("EPSG:4326", crs, x[known].tolist(), y[known].tolist())
    return moved[0], moved[1]


def _make_incidents(x: NDArray[np.float64], y: NDArray[np.float64], time: pd.Series) -> Incidents:
    when = time.to_numpy().astype("datetime64[s]")
    return Incidents(x, y, when, np.zeros(len(x), dtype=np.int32), [], np.arange(len(x)))


def _whole_weeks(time: NDArray[np.datetime64]) -> NDArray[np.datetime64]:
    """Make the edges of the weeks that lie wholly within the data."""
    edges = make_bin_edges(time.min(), time.max(), "weeks")
    start = int(time.min().astype("datetime64[D]") > edges[0])
    end = len(edges) - int(time.max() < edges[-1] - np.timedelta64(1, "D"))
    return edges[start:end]


def _count_weekly(areas: Areas, longitude: pd.Series, latitude: pd.Series, time: pd.Series) -> Panel:
    x, y = project(longitude.to_numpy(), latitude.to_numpy(), areas.crs)
    incidents = _make_incidents(x, y, pd.to_datetime(time))
    incidents = incidents.select(np.isfinite(x))
    return _count(areas, incidents, _whole_weeks(incidents.time), "1 weeks")


def _count(areas: Areas, incidents: Incidents, edges: NDArray[np.datetime64], bin_text: str) -> Panel:
    counts, _ = count_incidents(incidents, areas, edges)
    return Panel(counts, edges, np.ones(areas.shape, dtype=bool), areas, bin_text)


def _count_named(
    areas: Areas,
    code: NDArray[np.object_],
    time: NDArray[np.datetime64],
    edges: NDArray[np.datetime64],
    bin_text: str,
) -> Panel:
    """Count by the area that each incident names; those that name none of them are left out."""
    unit = pd.Index(areas.ids).get_indexer(pd.Index(code))
    when = np.searchsorted(edges, time, side="right") - 1
    kept = (unit >= 0) & (when >= 0) & (when < len(edges) - 1)
    shape = (len(edges) - 1, len(areas.ids))
    counts = np.bincount(when[kept] * shape[1] + unit[kept], minlength=shape[0] * shape[1]).reshape(shape)
    return Panel(counts.astype(np.uint16), edges, np.ones(len(areas.ids), dtype=bool), areas, bin_text)


def _read_mobility(data: Path, borough: NDArray[np.object_], edges: NDArray[np.datetime64]) -> tuple[Covariate, ...]:
    """Read the borough's median of each month; NaN where there is none."""
    table = pd.read_csv(require_data(data, "london", "google_mobility_boroughs_to_2021-06.csv"), parse_dates=["date"])
    table["month"] = table["date"].to_numpy().astype("datetime64[M]").astype("datetime64[s]")
    median = table.groupby(["month", "area_code"]).median(numeric_only=True)
    wanted = pd.MultiIndex.from_product([edges[:-1].astype("datetime64[ns]"), borough])
    covariates = []
    for place in PLACES:
        values = median[f"{place}_percent_change_from_baseline"]
        values.index = values.index.set_levels(values.index.levels[0].astype("datetime64[ns]"), level=0)
        found = values.reindex(wanted).to_numpy(np.float32).reshape(len(edges) - 1, len(borough))
        covariates.append(Covariate(place, found, 1))
    return tuple(covariates)
