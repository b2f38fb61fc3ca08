"""A risk of areas as a file: rows in any order, what may be missing, and what is refused."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import pytest
import shapely

from riskengine.ground.errors import DataError, FormatError
from riskengine.maps.area_risk import is_area_risk, read_area_risk

#: Three squares side by side, each 100 m wide.
SQUARES = [shapely.box(500_000 + 100 * column, 180_000, 500_100 + 100 * column, 180_100) for column in range(3)]


def write(path: Path, shapes: list[Any], crs: str = "EPSG:27700", **fields: Any) -> Path:
    pyogrio.raw.write(
        path,
        np.array([shapely.to_wkb(shape) for shape in shapes], dtype=object),
        [np.asarray(values) for values in fields.values()],
        list(fields),
        layer="risk",
        driver="GPKG",
        geometry_type="Polygon",
        crs=crs,
    )
    return path


def test_rows_in_any_order(tmp_path: Path) -> None:
    april, may = np.datetime64("2022-04-01T00:00:00", "ms"), np.datetime64("2022-05-01T00:00:00", "ms")
    june = np.datetime64("2022-06-01T00:00:00", "ms")
    path = write(
        tmp_path / "risk.gpkg",
        [SQUARES[2], SQUARES[0], SQUARES[0], SQUARES[2]],
        id=np.array(["c", "a", "a", "c"], dtype=object),
        name=np.array(["Croydon", "Acton", "Acton", "Croydon"], dtype=object),
        start=np.array([may, may, april, april]),
        end=np.array([june, june, may, may]),
        risk=np.array([0.3, 0.1, 0.2, np.nan]),
    )
    found = read_area_risk(path)
    assert is_area_risk(path)
    assert found.areas.ids == ("c", "a"), "as the file names them, not by the alphabet"
    assert found.areas.names == ("Croydon", "Acton")
    assert found.risk.tolist()[1] == [0.3, 0.1]
    assert found.risk[0, 1] == 0.2
    assert np.isnan(found.risk[0, 0])
    assert found.edges == [
        ["2022-04-01T00:00:00", "2022-05-01T00:00:00"],
        ["2022-05-01T00:00:00", "2022-06-01T00:00:00"],
    ]
    assert found.areas.measure_sizes().tolist() == [10_000, 10_000]
    assert found.areas.geometries[1].bounds == SQUARES[0].bounds
    assert found.tags == {}


def test_nothing_but_a_risk(tmp_path: Path) -> None:
    """Another tool's polygons: one map of no known time, the areas numbered."""
    found = read_area_risk(write(tmp_path / "density.gpkg", SQUARES, risk=np.array([5, 7, 6])))
    assert found.areas.ids == found.areas.names == ("1", "2", "3")
    assert found.risk.tolist() == [[5.0, 7.0, 6.0]]
    assert (found.starts, found.ends, found.edges) == ([""], [""], [])


def test_what_was_known_when_it_was_made(tmp_path: Path) -> None:
    path = write(tmp_path / "risk.gpkg", SQUARES, risk=np.array([0.1, 0.2, 0.3]))
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE crimerisk (key TEXT, value TEXT)")
        database.execute("INSERT INTO crimerisk VALUES ('CRIMERISK_ORIGIN', '2022-05-01T00:00:00')")
    assert read_area_risk(path).tags == {"CRIMERISK_ORIGIN": "2022-05-01T00:00:00"}


def test_refusals(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"a\.gpkg has no field risk\. Choose polygons with a field risk, as"):
        read_area_risk(write(tmp_path / "a.gpkg", SQUARES, incidents=np.array([1, 2, 3])))
    with pytest.raises(DataError, match=r"b\.gpkg has no area with a risk\. Choose polygons that have"):
        read_area_risk(write(tmp_path / "b.gpkg", SQUARES, risk=np.full(3, np.nan)))
    twice = np.array(["a", "b", "b"], dtype=object)
    with pytest.raises(DataError, match=r"c\.gpkg has the area b on several rows of one bin\. Give every area an id"):
        read_area_risk(write(tmp_path / "c.gpkg", SQUARES, id=twice, risk=np.array([0.1, 0.2, 0.3])))
    (tmp_path / "d.gpkg").write_bytes(b"no database")
    with pytest.raises(FormatError, match=r"d\.gpkg cannot be read as areas with a risk"):
        read_area_risk(tmp_path / "d.gpkg", "reference")
    assert not is_area_risk(tmp_path / "d.gpkg")
