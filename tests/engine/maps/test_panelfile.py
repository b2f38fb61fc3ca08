"""A panel as a GeoPackage: what was written is read back, and any GIS sees what it holds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyogrio
import pytest
import shapely

from riskengine.ground.errors import FormatError
from riskengine.maps.areas import make_areas
from riskengine.maps.panel import Panel
from riskengine.maps.panelfile import read_panel, write_panel


def make_panel() -> Panel:
    squares = np.array([shapely.box(x, 0, x + 100, 100) for x in (0, 100, 200)], dtype=object)
    areas, _ = make_areas(["E01", "E02", "E03"], squares, "EPSG:27700")
    edges = np.array(["2021-01-01", "2021-02-01", "2021-03-01"], dtype="datetime64[s]")
    counts = np.array([[0, 2, 0], [1, 300, 0]], dtype=np.uint16)
    return Panel(counts, edges, np.ones(3, bool), areas, "1 months", np.array([True, False]), ["Burglary"], delay=2)


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    panel = make_panel()
    write_panel(tmp_path / "p.gpkg", panel)
    back = read_panel(tmp_path / "p.gpkg")
    assert np.array_equal(back.counts, panel.counts)
    assert np.array_equal(back.edges, panel.edges)
    assert np.array_equal(back.observed, panel.observed)
    assert back.support.ids == panel.support.ids
    assert back.bin == "1 months"
    assert back.delay == 2
    assert back.categories == ["Burglary"]
    assert shapely.equals(back.support.geometries, panel.support.geometries).all()


def test_any_gis_sees_the_counts_with_their_times(tmp_path: Path) -> None:
    """GDAL lists the view as a layer: a row for each area and bin above zero, with its polygon."""
    write_panel(tmp_path / "p.gpkg", make_panel(), by_category={"Burglary": make_panel().counts})
    layers = dict(pyogrio.list_layers(tmp_path / "p.gpkg").tolist())
    assert layers["areas"]
    assert layers["counts_by_area"]
    meta, _, shapes, values = pyogrio.raw.read(tmp_path / "p.gpkg", layer="counts_by_area")
    rows = dict(zip(meta["fields"].tolist(), values, strict=True))
    assert rows["id"].tolist() == ["E02", "E01", "E02"]
    assert rows["incidents"].tolist() == [2, 1, 300]
    assert rows["start"].astype("datetime64[D]").astype(str).tolist() == ["2021-01-01", "2021-02-01", "2021-02-01"]
    assert rows["Burglary"].tolist() == [2, 1, 300]
    assert shapely.area(shapely.from_wkb(shapes)).tolist() == [1e4, 1e4, 1e4]


def test_a_database_that_is_no_panel_is_refused_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "other.gpkg"
    pyogrio.raw.write(
        path, shapely.to_wkb([shapely.Point(0, 0)]), [np.array([1])], ["a"], geometry_type="Point", crs="EPSG:27700"
    )
    with pytest.raises(FormatError, match="Count incidents by area"):
        read_panel(path)
