"""Tables as files: whole or not at all, with Arrow or without, and the two GDALs of one process agree."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import pytest
import rasterio
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kit.tables import list_tables, read_table
from rasterio.warp import transform

from riskengine.ground import tables
from riskengine.ground.errors import Cancelled, OutputError
from riskengine.ground.tables import Chunk, extend_table, write_table
from riskengine.maps.areas import make_areas

FIELDS = {"when": "datetime", "kind": "text", "few": "integer", "many": "long", "risk": "real"}
WAYS = pytest.mark.parametrize("arrow", [True, False], ids=["arrow", "arrays"])


def make_chunk(rows: int = 3) -> Chunk:
    when = np.datetime64("2019-02-01T23:00:00") + np.arange(rows)
    columns = [when, ["é", None, ""] * rows, [1, None, -5] * rows, [2**40, None, 0] * rows, [0.5, None, 1.0] * rows]
    return Chunk([each[:rows] for each in columns], np.arange(rows) * 1.5, np.arange(rows) * -0.25)


def turn_arrow(monkeypatch: pytest.MonkeyPatch, on: bool) -> None:
    if on and not tables.has_arrow():
        pytest.skip("pyarrow is not installed in this engine")
    monkeypatch.setattr(tables, "has_arrow", lambda: on)


@WAYS
def test_what_is_written_is_read(arrow: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    turn_arrow(monkeypatch, arrow)
    assert write_table(tmp_path / "a b.gpkg", FIELDS, [make_chunk(), make_chunk(1)], "point", "EPSG:4326") == 4
    assert list_tables(tmp_path / "a b.gpkg") == ["a b"]
    read = read_table(tmp_path / "a b.gpkg")
    assert read["place"] == [(0, 0), (1.5, -0.25), (3.0, -0.5), (0, 0)]
    assert read["kind"] == ["é", None, "", "é"]
    assert read["few"] == [1, None, -5, 1]
    assert read["many"] == [2**40, None, 0, 2**40]
    assert read["risk"] == [0.5, None, 1.0, 0.5]
    # In UTC, in which every wall-clock time exists and no reader moves it.
    assert read["when"][0] == "2019-02-01T23:00:00.000Z"
    assert [file.name for file in tmp_path.iterdir()] == ["a b.gpkg"]


@WAYS
@pytest.mark.parametrize("ending", ["gpkg", "fgb", "geojson"])
def test_a_table_without_rows_is_a_table(
    arrow: bool, ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    turn_arrow(monkeypatch, arrow)
    assert write_table(tmp_path / f"none.{ending}", FIELDS, [], "point", "EPSG:4326") == 0
    fids, _ = pyogrio.raw.read(tmp_path / f"none.{ending}", return_fids=True)[1:3]
    assert len(fids) == 0


@WAYS
def test_polygons_and_plain_tables(arrow: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    turn_arrow(monkeypatch, arrow)
    ring = [[0, 0], [2, 0], [2, 2], [0, 0]]
    hole = [[1.5, 0.5], [1.6, 0.6], [1.6, 0.5], [1.5, 0.5]]
    shapes = [{"type": "Polygon", "coordinates": [ring, hole]}]
    write_table(tmp_path / "p.gpkg", {"area": "real"}, [Chunk([[2.0]], shapes=shapes)], "polygon", "EPSG:32614")
    info = pyogrio.read_info(tmp_path / "p.gpkg")
    assert (info["geometry_type"], info["crs"], tuple(info["total_bounds"])) == ("Polygon", "EPSG:32614", (0, 0, 2, 2))
    write_table(tmp_path / "t.gpkg", {"line": "long"}, [Chunk([[7, 8]])])
    assert read_table(tmp_path / "t.gpkg")["line"] == [7, 8]


@WAYS
def test_polygons_of_several_parts(arrow: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Areas of one part and of two lie in one table, whatever the format."""
    turn_arrow(monkeypatch, arrow)
    one, two = shapely.box(0, 0, 2, 2), shapely.MultiPolygon([shapely.box(3, 0, 4, 1), shapely.box(5, 0, 6, 1)])
    areas, _ = make_areas(["one", "two"], np.array([one, two], dtype=object), "EPSG:32614")
    for ending in ("gpkg", "fgb", "json"):
        path = tmp_path / f"p.{ending}"
        chunk = Chunk([list(areas.ids)], shapes=areas.pack_shapes())
        assert write_table(path, {"id": "text"}, [chunk], "multipolygon", "EPSG:32614") == 2
    for ending in ("gpkg", "fgb"):
        meta, _, shapes, _ = pyogrio.raw.read(tmp_path / f"p.{ending}")
        assert meta["geometry_type"] == "MultiPolygon"
        assert shapely.area(shapely.from_wkb(shapes)).tolist() == [4.0, 2.0]
    rows = json.loads((tmp_path / "p.json").read_text())
    assert [(shape["type"], name) for shape, name in rows] == [("MultiPolygon", "one"), ("MultiPolygon", "two")]


def test_another_ending_means_rows_as_json(tmp_path: Path) -> None:
    """What jobs have written before tables stays what their callers read."""
    write_table(tmp_path / "rows.json", FIELDS, [make_chunk(1)], "point", "EPSG:4326")
    assert json.loads((tmp_path / "rows.json").read_text(encoding="utf-8")) == [
        [0.0, 0.0, "2019-02-01T23:00:00", "é", 1, 2**40, 0.5]
    ]


@WAYS
@pytest.mark.parametrize("failure", [Cancelled(), ValueError("in the middle")])
def test_what_fails_in_the_middle_leaves_what_was_there(
    failure: Exception, arrow: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    turn_arrow(monkeypatch, arrow)
    write_table(tmp_path / "a.gpkg", FIELDS, [make_chunk()], "point", "EPSG:4326")
    before = (tmp_path / "a.gpkg").read_bytes()

    def chunks() -> Iterator[Chunk]:
        yield make_chunk(5000)
        raise failure

    with pytest.raises(type(failure)):
        write_table(tmp_path / "a.gpkg", FIELDS, chunks(), "point", "EPSG:4326")
    assert (tmp_path / "a.gpkg").read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["a.gpkg"]


def test_a_folder_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="does not exist"):
        write_table(tmp_path / "no" / "a.gpkg", FIELDS, [make_chunk()], "point", "EPSG:4326")


needs_arrow = pytest.mark.skipif(not tables.has_arrow(), reason="pyarrow is not installed in this engine")


@needs_arrow
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(chosen=st.sets(st.integers(1, 60)), random=st.randoms(use_true_random=False))
def test_extended_rows_stay_and_get_their_own_values(chosen: set[int], random: Any, tmp_path: Path) -> None:
    path = tmp_path / "source.gpkg"
    if not path.exists():
        write_table(path, FIELDS, [make_chunk(30), make_chunk(30)], "point", "EPSG:4326")
    fids = [*chosen]
    random.shuffle(fids)
    ids = np.array(fids, dtype=np.int64)
    extend_table(tmp_path / "more.gpkg", path, "source", ids, {"score": "real", "n": "long"}, [ids / 2, ids])
    before, after = read_table(path), read_table(tmp_path / "more.gpkg")
    assert {name: after[name] for name in before} == before
    assert after["n"] == [fid if fid in chosen else None for fid in after["fid"]]
    assert after["score"] == [fid / 2 if fid in chosen else None for fid in after["fid"]]


@needs_arrow
def test_extended_tables_keep_ids_that_are_no_row_numbers(tmp_path: Path) -> None:
    path = tmp_path / "source.gpkg"
    write_table(path, FIELDS, [make_chunk(9)], "point", "EPSG:4326")
    with sqlite3.connect(path) as database:
        database.create_function("ST_IsEmpty", 1, lambda blob: 0)
        for name in ("ST_MinX", "ST_MaxX", "ST_MinY", "ST_MaxY"):
            database.create_function(name, 1, lambda blob: 0.0)
        database.execute("DELETE FROM source WHERE fid % 2 = 0")
    ids = np.array([9, 1], dtype=np.int64)
    extend_table(tmp_path / "more.gpkg", path, "source", ids, {"n": "long"}, [ids])
    after = read_table(tmp_path / "more.gpkg")
    assert (after["fid"], after["n"]) == ([1, 3, 5, 7, 9], [1, None, None, None, 9])


def test_both_gdals_of_the_process_agree(tmp_path: Path) -> None:
    """Rasterio and pyogrio each bring one: read and reproject with both, in either order."""
    assert rasterio.__gdal_version__ == pyogrio.__gdal_version_string__
    longitude, latitude = [-99.13, -99.2], [19.43, 19.5]
    x, y = (np.array(each) for each in transform("EPSG:4326", "EPSG:32614", longitude, latitude))
    write_table(tmp_path / "metres.gpkg", {"n": "long"}, [Chunk([[1, 2]], x, y)], "point", "EPSG:32614")
    info = pyogrio.read_info(tmp_path / "metres.gpkg")
    again = transform(info["crs"], "EPSG:4326", info["total_bounds"][::2], info["total_bounds"][1::2])
    assert np.allclose(np.sort(again[0]), np.sort(longitude), atol=1e-9)
    assert np.allclose(again[1], latitude, atol=1e-9)
    profile = {"driver": "GTiff", "width": 2, "height": 2, "count": 1, "dtype": "uint8", "crs": info["crs"]}
    with rasterio.open(tmp_path / "a.tif", "w", **profile) as raster:
        raster.write(np.ones((1, 2, 2), dtype=np.uint8))
    with rasterio.open(tmp_path / "a.tif") as raster:
        assert raster.crs.to_string() == info["crs"]
    assert pyogrio.read_info(tmp_path / "metres.gpkg")["features"] == 2
