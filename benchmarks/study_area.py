"""What the study area does to figures: the rectangle against the hull, on real cities; and how near the hull comes.

Both grids are made by the job of Rasterize hotspot grids, with cells of 500 m and daily maps; the last 60 maps are the
test, and the hull is then that of the incidents before them. The space-time KDE stands for all models.
"""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import shapely
from common import make_parser, require_data
from forecast_tasks import _lonlat, _outline
from rasterio.warp import transform
from shapely.geometry import shape

from riskengine.evaluation.backtest import run_backtest
from riskengine.evaluation.plan import Plan
from riskengine.intake.incidents import Incidents, write_exchange
from riskengine.jobs import run_job
from riskengine.maps.area import measure_never_hit
from riskengine.maps.heatmaps import read_heatmaps
from riskengine.maps.hull import draw_hull

TEST = 60
#: File, fields of longitude, latitude and time, CRS, and the true outline where there is one.
CITIES: dict[str, tuple[str, str, str, str, str, str]] = {
    "chicago": (
        *("chicago/crimes_2018.csv", "Longitude", "Latitude", "Date", "EPSG:26916"),
        "chicago/community_areas.geojson",
    ),
    "baltimore": (
        *("baltimore/bpd_part1_2011_2016.csv", "lon", "lat", "datetime", "EPSG:26918"),
        "baltimore/neighborhoods.geojson",
    ),
    "new_york": ("new_york/crimes_2014_2015.csv", "Longitude", "Latitude", "Occurrence Date", "EPSG:26918", ""),
    "mexico_city": (
        *("mexico_city/fgj_carpetas_2019-02_2020-01.csv", "lon", "lat", "fecha_hecho", "EPSG:32614"),
        "mexico_city/colonias.geojson",
    ),
    # Without an outline as GeoJSON; projected in feet.
    "portland": ("portland/burglary_2012_2017.csv", "x_coordina", "y_coordina", "occ_date", "EPSG:32610", ""),
}
#: The CRS of a file whose fields are no longitude and latitude.
PROJECTED = {"portland": "EPSG:2913"}


def judge_city(data: Path, name: str, folder: Path) -> dict[str, Any]:
    """Judge one city on both areas, and compare its hull with its outline."""
    file, longitude, latitude, time_field, crs, border = CITIES[name]
    frame = pd.read_csv(require_data(data, *file.split("/")), low_memory=False)
    if name in PROJECTED:
        x, y = map(np.array, transform(PROJECTED[name], crs, frame[longitude].tolist(), frame[latitude].tolist()))
    else:
        x, y = _lonlat(frame, crs, longitude, latitude)
    when = pd.to_datetime(frame[time_field], errors="coerce").to_numpy().astype("datetime64[s]")
    # The last two years are enough for a figure.
    known = np.isfinite(x) & np.isfinite(y) & ~np.isnat(when)
    known &= when > when[known].max() - np.timedelta64(730, "D")
    x, y, when = x[known], y[known], when[known]
    began = time.perf_counter()
    hull = draw_hull(x, y)
    found: dict[str, Any] = {"incidents": len(x), "strays": int((~hull.inside).sum())}
    found |= {"hull_seconds": round(time.perf_counter() - began, 2), "hull_km2": round(hull.square_km, 1)}
    if border:
        true = shapely.union_all([shapely.make_valid(shape(each)) for each in _outline(data / border, crs)])
        common = hull.shape.intersection(true).area
        found |= {
            "outline_covered": round(common / true.area, 3),
            "hull_within_outline": round(common / hull.shape.area, 3),
        }
    path = folder / "incidents.npz"
    write_exchange(path, Incidents(x, y, when, np.zeros(len(x), dtype=np.int32), ["all"], np.arange(len(x))))
    for area in ("rectangle", "hull"):
        out = str(folder / f"{area}.tif")
        run_job("rasterize", {"incidents": str(path), "output": out, "crs": crs, "cell_size": 500, "no_area": area})
        maps = read_heatmaps(out)
        judged = run_backtest(maps, ["constant", "prior_counts", "kde"], Plan(len(maps) - TEST), workers=1)
        kde = judged.scores["kde"]
        found[area] = {
            "cells": int(judged.heatmaps.mask.sum()),
            "never_hit": round(measure_never_hit(judged.heatmaps), 3),
            "hit_rate_5": round(kde.area.hit_rate, 4),
            "caught": round(kde.area.caught, 1),
            "of": int(kde.area.incidents),
            "pai_5": round(kde.area.pai, 2),
            "log_loss_ratio_constant": round(kde.log_loss / judged.scores["constant"].log_loss, 4),
            "notes": judged.notes,
        }
    return found


def main() -> None:
    """Judge the cities asked for, and print one JSON object."""
    parser = make_parser(str(__doc__))
    parser.add_argument("--cities", nargs="*", choices=list(CITIES), default=list(CITIES))
    options = parser.parse_args()
    found = {}
    for name in options.cities:
        with tempfile.TemporaryDirectory() as folder:
            found[name] = judge_city(options.data, name, Path(folder))
        print(name, json.dumps(found[name]), flush=True)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
