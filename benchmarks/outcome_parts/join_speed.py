"""Speed of Join context, as a ratio within a run: the engine's join against bare pandas merges and one pass of GEOS.

Table in, table out: Chicago's 156,385 incidents of 2018 with their dates as published texts, weather by date, census by
key, and community areas by location. What either side makes is compared, so that neither leaves something out. What is
read from files beforehand is in no time.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pandas as pd
import pyogrio
import shapely
from common import require_data, say

from riskengine.contract.tools.joincontext import JoinContext
from riskengine.ground.context import JobContext
from riskengine.ground.tables import Chunk, write_table
from riskengine.ground.wholetables import read_whole_table
from riskengine.jobs.models import model_of
from riskengine.systems.outcomes.context.joining import join_context
from riskengine.systems.outcomes.context.tables import AnyTable, read_text_table

#: How often either side joins everything, one after the other.
ALTERNATIONS = 9
_AREA = "area_number"


def join_vs_bare(data: Path) -> dict[str, Any]:
    """Join everything in turns with the engine and with pandas and GEOS; returns the ratio of the median seconds."""
    chicago = data / "chicago"
    files = [chicago / name for name in ("crimes_2018.csv", "weather_2018_2019.csv", "census_community_areas.csv")]
    areas = require_data(data, "chicago", "community_areas.geojson")
    crimes, weather, census = (pd.read_csv(require_data(file)) for file in files)
    _, _, written, (numbers, *_) = pyogrio.raw.read(areas, columns=[_AREA])
    polygons = shapely.from_wkb(written)
    tables: list[AnyTable] = [*(read_text_table(file, JobContext()) for file in files[1:]), read_whole_table(areas)]
    with tempfile.TemporaryDirectory() as folder:
        incidents = read_whole_table(_write_layer(crimes, Path(folder) / "crimes.gpkg"))
        parameters = model_of(JoinContext)(incidents="crimes", table="context", output="joined")
        ours, bare = list[float](), list[float]()
        for _ in range(ALTERNATIONS):
            began = time.perf_counter()
            joined = [join_context(parameters, incidents, table) for table in tables]  # type: ignore[arg-type]
            between = time.perf_counter()
            merged = _merge(crimes, weather, census, polygons, numbers)
            bare.append(time.perf_counter() - between)
            ours.append(between - began)
    made = {name: values for each in joined for name, values in zip(each.fields, each.columns, strict=True)}
    for name in ("TMAX", "HARDSHIP INDEX", _AREA):
        np.testing.assert_array_equal(made[name].astype(float), merged[name].to_numpy(dtype=float))
    ratio = median(ours) / median(bare)
    say(f"join: {median(ours):.3f} s, bare {median(bare):.3f} s, ratio {ratio:.2f}")
    return {"join_vs_bare": ratio, "join_seconds": median(ours), "join_bare_seconds": median(bare)}


def _write_layer(crimes: pd.DataFrame, path: Path) -> Path:
    kinds = {"O": "text", "f": "real", "b": "text"}
    fields = {name: kinds.get(crimes[name].dtype.kind, "text") for name in crimes}
    columns = [
        crimes[name].to_numpy() if kind == "real" else crimes[name].astype(object).where(crimes[name].notna(), None)
        for name, kind in fields.items()
    ]
    texts = [
        [None if value is None else str(value) for value in column] if kind == "text" else column
        for column, kind in zip(columns, fields.values(), strict=True)
    ]
    chunk = Chunk(texts, crimes["Longitude"].to_numpy(), crimes["Latitude"].to_numpy())
    write_table(path, fields, [chunk], "point", "EPSG:4326")
    return path


def _merge(
    crimes: pd.DataFrame, weather: pd.DataFrame, census: pd.DataFrame, polygons: Any, numbers: Any
) -> pd.DataFrame:
    """The same by hand: two merges, and all points in a tree that is asked with each polygon."""
    days = weather.assign(day=pd.to_datetime(weather["DATE"]))
    merged = crimes.assign(day=pd.to_datetime(crimes["Date"]).dt.normalize()).merge(days, on="day", how="left")
    merged = merged.merge(census, left_on="CommunityArea", right_on="Community Area Number", how="left")
    tree = shapely.STRtree(shapely.points(merged["Longitude"], merged["Latitude"]))
    area, point = tree.query(polygons, predicate="intersects")
    found = np.full(len(merged), np.nan)
    # Of areas that share a border the first one has it.
    found[point[::-1]] = numbers[area[::-1]]
    merged[_AREA] = found
    return merged
