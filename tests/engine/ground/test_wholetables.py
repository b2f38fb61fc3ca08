"""Whole tables come back as they were, with more fields, with Arrow or without."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import pytest
import shapely
from kit.tables import read_table

from riskengine.ground import tables, wholetables
from riskengine.ground.errors import FormatError
from riskengine.ground.wholetables import read_whole_table, write_whole_table

WAYS = pytest.mark.parametrize("arrow", [True, False], ids=["arrow", "arrays"])
NAMES = ["Kind", "count", "big", "rate", "done", "day", "when"]


@pytest.fixture
def way(arrow: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if arrow and not tables.has_arrow():
        pytest.skip("pyarrow is not installed in this engine")
    monkeypatch.setattr(wholetables, "has_arrow", lambda: arrow)


def make_file(path: Path, ids: str = "fid", geometry: str | None = "Point", **more: Any) -> Path:
    """Write four rows of every type, of which the third holds nothing but its id."""
    gone = np.array([False, False, True, False])
    times = ["2024-03-31T02:30:05.250", "1969-12-31T23:59:59", "NaT", "2024-10-27T02:30:00"]
    columns = {
        "Kind": (np.array(["Ä", "", None, "x" * 300], dtype=object), None),
        "count": (np.array([1, -2, 0, 3], dtype=np.int32), gone),
        "big": (np.array([2**40, 1, 0, 5]), gone),
        "rate": (np.array([0.1, -1e300, np.nan, 0]), None),
        "done": (np.array([True, False, False, True]), gone),
        "day": (np.array(["2024-02-29", "1969-01-01", "NaT", "2024-01-01"], dtype="datetime64[D]"), None),
        "when": (np.array(times, dtype="datetime64[ms]"), None),
        **more,
    }
    shapes = np.array([shapely.to_wkb(shapely.Point(x, -x)) if x != 2 else None for x in range(4)], dtype=object)
    pyogrio.raw.write(
        path,
        None if geometry is None else shapes,
        [values for values, _ in columns.values()],
        list(columns),
        field_mask=[mask for _, mask in columns.values()],
        driver="GPKG",
        layer="rows",
        geometry_type=geometry,
        crs="EPSG:4326",
        layer_options={
            "FID": ids,
            "GEOMETRY_NAME": "crimerisk_geom" if ids == "crimerisk_fid" else "the_geom",
            "SPATIAL_INDEX": "NO",
        },
        gdal_tz_offsets={"when": np.full(4, 100, dtype=np.uint8)},
    )
    return path


def change(path: Path, command: str) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(command)


@WAYS
@pytest.mark.parametrize("geometry", ["Point", None])
def test_every_value_is_as_it_was(way: None, geometry: str | None, tmp_path: Path) -> None:
    source = make_file(tmp_path / "source.gpkg", geometry=geometry)
    change(source, "UPDATE rows SET fid = fid * 10")
    table = read_whole_table(f"{source}|layername=rows")
    written = tmp_path / "made.gpkg"
    names = write_whole_table(written, table, {"new": "real"}, [np.array([0.5, np.nan, 1, 2])])
    assert names == ["new"]
    before, after = read_table(source), read_table(written)
    assert after.pop("new") == [0.5, None, 1, 2]
    assert list(after) == list(before)
    for name in before:
        assert after[name] == before[name], name
    assert before["fid"] == [10, 20, 30, 40]
    # What SQLite has as the same number may be of another type.
    types = [pyogrio.read_info(path)["dtypes"].tolist() for path in (source, written)]
    assert types[1][:-1] == types[0]
    assert [pyogrio.read_info(path)["geometry_type"] for path in (source, written)] == [geometry, geometry]


@WAYS
def test_columns_are_read_by_their_kind(way: None, tmp_path: Path) -> None:
    table = read_whole_table(make_file(tmp_path / "source.gpkg"))
    assert list(table.fields) == NAMES
    assert list(table.fields.values()) == ["text", "integer", "long", "real", "boolean", "date", "datetime"]
    assert table.crs == "EPSG:4326"
    assert len(table) == 4
    assert table.column("Kind").tolist() == ["Ä", "", None, "x" * 300]
    assert table.column("big")[:2].tolist() == [2**40, 1]
    assert np.isnan(table.column("big")[2])
    assert table.column("day").astype(str).tolist() == ["2024-02-29", "1969-01-01", "NaT", "2024-01-01"]
    assert str(table.column("when")[0]) == "2024-03-31T02:30:05.250"
    x, y = table.points()
    assert x[[0, 1, 3]].tolist() == [0, 1, 3]
    assert y[[0, 1, 3]].tolist() == [0, -1, -3]
    assert np.isnan(x[2])
    codes, labels = table.code("Kind")
    assert [None if code < 0 else labels[code] for code in codes] == ["Ä", "", None, "x" * 300]
    codes, labels = table.code("count")
    # A column of whole numbers with a gap is one of real numbers, but a label has no point.
    assert [None if code < 0 else labels[code] for code in codes] == ["1", "-2", None, "3"]
    codes, labels = table.code("done")
    assert [None if code < 0 else labels[code] for code in codes] == ["True", "False", None, "True"]


@WAYS
def test_new_fields_are_of_their_kinds_and_never_take_a_name(way: None, tmp_path: Path) -> None:
    table = read_whole_table(make_file(tmp_path / "source.gpkg"))
    when = np.array(["2020-01-01T05", "NaT", "2020-01-02", "2020-01-03"], dtype="datetime64[s]")
    fields = {"kind": "text", "KIND": "long", "FID": "integer", "the_geom": "datetime", "d": "date", "b": "boolean"}
    columns = [["a", None, "", "ü"], [1, None, 3, 2**40], [1, 2, 3, 4], when, when, [True, None, False, True]]
    names = write_whole_table(tmp_path / "made.gpkg", table, fields, columns)
    assert names == ["kind_2", "KIND_3", "FID_2", "the_geom_2", "d", "b"]
    made = read_table(tmp_path / "made.gpkg")
    assert made["kind_2"] == ["a", None, "", "ü"]
    assert made["KIND_3"] == [1, None, 3, 2**40]
    assert made["the_geom_2"][:2] == ["2020-01-01T05:00:00.000Z", None]
    assert made["d"] == ["2020-01-01", None, "2020-01-02", "2020-01-03"]
    assert made["b"] == [1, None, 0, 1]
    assert made["place"] == [(0, 0), (1, -1), None, (3, -3)]


@WAYS
def test_the_plugins_own_columns_are_not_shown(way: None, tmp_path: Path) -> None:
    table = read_whole_table(make_file(tmp_path / "source.gpkg", "crimerisk_fid"))
    write_whole_table(tmp_path / "made.gpkg", table, {"new": "text"}, [["a", "b", "c", "d"]])
    assert list(read_table(tmp_path / "made.gpkg")) == ["fid", *NAMES, "new", "place"]
    # A field of the layer that was its id column before becomes it again, but never changes the order of rows.
    for ids, columns in (([3, 5, 6, 9], ["fid"]), ([9, 1, 2, 3], ["fid_2", "fid"])):
        path = make_file(tmp_path / f"{ids[0]}.gpkg", "crimerisk_fid", fid=(np.array(ids), None))
        write_whole_table(tmp_path / "again.gpkg", read_whole_table(path), {}, [])
        made = read_table(tmp_path / "again.gpkg")
        assert made["fid"] == ids
        assert made["Kind"][0] == "Ä"
        assert [name for name in made if name.startswith("fid")] == columns


@WAYS
def test_a_flatgeobuf_keeps_ids_that_the_user_has_seen(way: None, tmp_path: Path) -> None:
    for ids, expected in (("number", ["number", *NAMES, "new"]), ("crimerisk_fid", [*NAMES, "new"])):
        table = read_whole_table(make_file(tmp_path / f"{ids}.gpkg", ids))
        write_whole_table(tmp_path / f"{ids}.fgb", table, {"new": "text"}, [["a", None, "c", "d"]])
        meta, _, shapes, columns = pyogrio.raw.read(tmp_path / f"{ids}.fgb")
        assert meta["fields"].tolist() == expected
        assert columns[-1].tolist() == ["a", None, "c", "d"]
        assert shapely.get_x(shapely.from_wkb(shapes))[[0, 1, 3]].tolist() == [0, 1, 3]


@WAYS
def test_times_with_a_shift_stay_by_the_wall_clock(way: None, tmp_path: Path) -> None:
    source = make_file(tmp_path / "source.gpkg")
    change(source, "UPDATE rows SET \"when\" = '2024-07-01T10:00:00.000+02:00' WHERE fid = 1")
    table = read_whole_table(source)
    assert str(table.column("when")[0]) == "2024-07-01T10:00:00.000"
    write_whole_table(tmp_path / "made.gpkg", table, {}, [])
    assert read_table(tmp_path / "made.gpkg")["when"][0] == "2024-07-01T10:00:00.000Z"


@WAYS
def test_a_csv_is_a_table_of_texts(way: None, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("id,OGC_FID,what\n7,a,\n8,b,Ä\n", encoding="utf-8")
    table = read_whole_table(tmp_path / "rows.csv")
    assert table.fields == {"id": "text", "OGC_FID": "text", "what": "text"}
    write_whole_table(tmp_path / "made.gpkg", table, {"n": "real"}, [[1.0, None]])
    assert read_table(tmp_path / "made.gpkg") == {
        "fid": [1, 2],
        "id": ["7", "8"],
        "OGC_FID": ["a", "b"],
        "what": ["", "Ä"],
        "n": [1.0, None],
    }


def test_what_is_no_table_is_refused_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "rows.gpkg").write_text("nothing")
    with pytest.raises(FormatError, match="cannot be read as a table"):
        read_whole_table(tmp_path / "rows.gpkg")
    make_file(tmp_path / "good.gpkg")
    with pytest.raises(FormatError, match="cannot be read as a table"):
        read_whole_table(f"{tmp_path / 'good.gpkg'}|layername=other")


@WAYS
@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("ending", ["gpkg", "fgb"])
def test_a_table_without_places_can_be_given_some(ending: str, tmp_path: Path) -> None:
    table = read_whole_table(make_file(tmp_path / "plain.gpkg", geometry=None))
    x, y = np.array([500_000.0, 2.0, np.nan, 4.0]), np.array([4_600_000.0, 3.0, 1.0, 5.0])
    path = tmp_path / f"placed.{ending}"
    write_whole_table(path, table.place(x, y, "EPSG:32616"), {"more": "real"}, [x])
    again = read_whole_table(path)
    assert again.geometry == "Point"
    assert "32616" in again.crs
    placed = np.array([True, True, False, True])
    for seen, wanted in zip(again.points(), (x, y), strict=True):
        np.testing.assert_array_equal(seen, np.where(placed, wanted, np.nan))
    assert [name for name in again.fields if name in NAMES] == NAMES


@WAYS
@pytest.mark.usefixtures("way")
def test_names_that_are_twice_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("a,b,a,A\n1,2,3,4\n", encoding="utf-8")
    table = read_whole_table(tmp_path / "rows.csv")
    assert [table.column(name)[0] for name in table.fields] == ["1", "2", "3", "4"]
    assert write_whole_table(tmp_path / "made.gpkg", table, {"a": "text"}, [["5"]]) == ["a_4"]
    made = read_table(tmp_path / "made.gpkg")
    assert made == {"fid": [1], "a": ["1"], "b": ["2"], "a_2": ["3"], "A_3": ["4"], "a_4": ["5"]}
    # Capitals alone tell apart what is read, but nothing in a GeoPackage.
    (tmp_path / "case.csv").write_text("Date,DATE\nx,y\n", encoding="utf-8")
    table = read_whole_table(tmp_path / "case.csv")
    assert list(table.fields) == ["Date", "DATE"]
    write_whole_table(tmp_path / "case.gpkg", table, {"date": "text"}, [["z"]])
    assert read_table(tmp_path / "case.gpkg") == {"fid": [1], "Date": ["x"], "DATE_2": ["y"], "date_3": ["z"]}


@WAYS
def test_rows_can_be_repeated_with_other_shapes_and_new_ids(way: None, tmp_path: Path) -> None:
    table = read_whole_table(make_file(tmp_path / "in.gpkg"))
    lines = [f"LINESTRING (0 {number}, 1 {number})" for number in range(3)]
    shapes = np.asarray(shapely.to_wkb(shapely.from_wkt(lines)), dtype=object)
    made = table.reshape(np.array([3, 0, 3]), shapes, "LineString")
    assert len(made) == 3
    assert (made.fids.tolist(), made.crs, made.geometry) == ([1, 2, 3], "EPSG:4326", "LineString")
    write_whole_table(tmp_path / "out.gpkg", made, {}, [])
    again = read_whole_table(tmp_path / "out.gpkg")
    assert again.geometry == "LineString"
    assert again.column("Kind").tolist() == ["x" * 300, "Ä", "x" * 300]
    assert again.column("count").tolist() == [3, 1, 3]
    assert shapely.to_wkt(shapely.from_wkb(again.shapes()), rounding_precision=0).tolist() == lines
    # The table itself is as it was.
    assert table.column("count").tolist()[:2] == [1, -2]
    assert table.geometry == "Point"
