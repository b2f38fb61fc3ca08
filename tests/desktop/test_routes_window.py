"""The routes dock in a real QGIS with the real engine: two clicks, every kind of risk, and the plugin unloaded."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kit.probes import keep_pictures, need_window, run_probe
from osgeo import gdal

#: Another city to ask in, as the JSON that the probe reads; for photographs.
OTHER = "PROBE_ROUTES_OF"
WEST, SOUTH = -87.70, 41.80
#: Degrees between the nodes of two rows of streets: along the upper one it is a fifth longer.
EAST, NORTH, COLUMNS = 0.003, 0.001, 4


def write_town(folder: Path) -> dict[str, Any]:
    """Write two rows of streets, and risks that are ten times as high on the straight one."""
    town = {
        "streets": [(line, {"exposure": 1000.0 if lower else 100.0}) for line, lower in list_streets()],
        "incidents": [
            (make_point(number * EAST / 15, 0.0), {"occurred": f"2019-{number % 12 + 1:02d}-11T10:00:00"})
            for number in range(60)
        ],
        "areas": [(make_band(row), {"id": str(row), "risk": 1.0 if row else 10.0}) for row in range(2)],
        "scores": [
            (make_point(column * EAST / 4, row * NORTH), {"predicted_score": 0.1 if row else 0.9})
            for column in range(4 * COLUMNS + 1)
            for row in range(2)
        ],
    }
    files = {}
    for name, features in town.items():
        made = [{"type": "Feature", "properties": known, "geometry": shape} for shape, known in features]
        files[name] = str(folder / f"{name}.geojson")
        Path(files[name]).write_text(json.dumps({"type": "FeatureCollection", "features": made}), encoding="utf-8")
    files["raster"] = str(folder / "raster.tif")
    raster = gdal.GetDriverByName("GTiff").Create(files["raster"], 2 * COLUMNS + 2, 2, 1, gdal.GDT_Float32)
    raster.SetGeoTransform((WEST - EAST / 2, EAST / 2, 0, SOUTH + 1.5 * NORTH, 0, -NORTH))
    raster.SetProjection(
        'GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563]],'
        'PRIMEM["Greenwich",0],UNIT["degree",0.0174532925199433],AUTHORITY["EPSG","4326"]]'
    )
    raster.GetRasterBand(1).WriteArray(np.repeat([[1.0], [10.0]], 2 * COLUMNS + 2, axis=1))
    del raster
    start, end = (make_point(column * EAST, 0.0)["coordinates"] for column in (0, COLUMNS))
    extent = [WEST - NORTH, SOUTH - 4 * NORTH, WEST + COLUMNS * EAST + NORTH, SOUTH + 5 * NORTH]
    return {**files, "exposure": "exposure", "start": start, "end": end, "extent": extent}


def list_streets() -> Iterator[tuple[dict[str, Any], bool]]:
    """The streets of both rows, and those between them; of each, whether it is of the lower row."""
    for column in range(COLUMNS + 1):
        yield make_street((column, 0), (column, 1)), False
        for row in range(2 if column < COLUMNS else 0):
            yield make_street((column, row), (column + 1, row)), row == 0


def make_street(*nodes: tuple[int, int]) -> dict[str, Any]:
    places = [make_point(column * EAST, row * NORTH)["coordinates"] for column, row in nodes]
    return {"type": "LineString", "coordinates": places}


def make_point(east: float, north: float) -> dict[str, Any]:
    return {"type": "Point", "coordinates": [round(WEST + east, 7), round(SOUTH + north, 7)]}


def make_band(row: int) -> dict[str, Any]:
    """A polygon around a row of streets."""
    left, right = -EAST, (COLUMNS + 1) * EAST
    low, high = (row - 0.5) * NORTH, (row + 0.5) * NORTH
    corners = ((left, low), (right, low), (right, high), (left, high), (left, low))
    return {"type": "Polygon", "coordinates": [[make_point(*corner)["coordinates"] for corner in corners]]}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    need_window()
    folder = tmp_path_factory.mktemp("routes")
    probe, routes = Path(__file__).with_name("routes_probe.py"), json.dumps(write_town(folder))
    seen = run_probe(probe, folder, {"PROBE_ROUTES": routes})
    if other := os.environ.get(OTHER):
        for name, theme in (("dock", "default"), ("dock_dark", "Night Mapping")):
            run_probe(probe, folder, {"PROBE_ROUTES": other, "PROBE_PICTURE": name}, theme=theme)
        keep_pictures(folder)
    return seen


def test_the_engine_is_warmed_up_and_says_what_it_has_read(found: dict[str, Any]) -> None:
    # Eight of 249 m along the parallel, five of 111 m along the meridian.
    assert found["about"].startswith("13 streets, 2,550\N{NO-BREAK SPACE}m; density of 60 incidents, ")


def test_two_clicks_are_answered_from_incidents(found: dict[str, Any]) -> None:
    answer = found["answers"]["incidents"]
    assert answer["ways"] >= 2
    assert answer["saved"] > 0.05
    assert "less exposed to reported crime" in answer["words"]


@pytest.mark.parametrize(
    ("risk", "title"),
    [
        ("raster", "risk raster raster"),
        ("areas", "risk of areas"),
        ("scores", "scores in predicted_score"),
        ("exposure", "field exposure of the streets"),
    ],
)
def test_another_risk_is_the_risk_that_it_is(found: dict[str, Any], risk: str, title: str) -> None:
    answer = found["answers"][risk]
    assert answer["risk"] == title
    # Four blocks at a tenth, and two crossings: the straight way has ten times the risk all along.
    assert answer["saved"] > 0.6


def test_unloading_the_plugin_leaves_nothing(found: dict[str, Any]) -> None:
    assert found["bands"] > 0
    assert found["left"] == [[], False, 0]
