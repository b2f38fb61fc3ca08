"""A panel as a GeoPackage: what was written is read back, and any GIS sees what it holds."""

from __future__ import annotations

import contextlib
import random
import re
import sqlite3
from pathlib import Path

import numpy as np
import pyogrio
import pytest
import shapely
from kit.mutations import alter_bytes
from scipy.sparse import csr_array

from riskengine.contract import tags
from riskengine.ground.errors import CrimeRiskError, DataError, FormatError, OutputError
from riskengine.maps.areas import make_areas
from riskengine.maps.panel import Panel
from riskengine.maps.panelfile import read_categories, read_panel, read_tags, write_panel
from riskengine.maps.segments import Segments


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


def make_streets() -> Panel:
    lines = np.array([shapely.LineString([(0, y), (100, y)]) for y in (0, 50)], dtype=object)
    streets = Segments(("1", "2"), lines, "EPSG:27700", ("High Street", "Mill Lane"), 25.0)
    edges = np.array(["2021-01-01", "2021-01-02", "2021-01-03"], dtype="datetime64[s]")
    return Panel(np.array([[0, 0], [3, 0]], dtype=np.uint8), edges, np.ones(2, bool), streets, "1 days")


def test_street_segments_come_back_with_their_names_and_tolerance(tmp_path: Path) -> None:
    write_panel(tmp_path / "p.gpkg", make_streets())
    back = read_panel(tmp_path / "p.gpkg").support
    assert isinstance(back, Segments)
    assert back.names == ("High Street", "Mill Lane")
    assert back.tolerance == 25
    assert back.measure_sizes().tolist() == [100, 100]


def test_only_rows_above_zero_are_in_the_file(tmp_path: Path) -> None:
    write_panel(tmp_path / "p.gpkg", make_streets())
    with contextlib.closing(sqlite3.connect(tmp_path / "p.gpkg")) as database:
        assert database.execute("SELECT area, bin, incidents FROM counts").fetchall() == [(1, 1, 3)]
        assert database.execute("SELECT count(*) FROM bins").fetchone() == (2,)


def test_counts_of_categories_are_kept_beside_those_of_all(tmp_path: Path) -> None:
    panel = make_panel()
    theft = csr_array(np.array([[0, 1, 0], [1, 0, 0]]))
    write_panel(tmp_path / "p.gpkg", panel, {'Theft "from" shops': theft, "Arson": np.array([[0, 1, 0], [0, 300, 0]])})
    kept = read_categories(tmp_path / "p.gpkg", read_panel(tmp_path / "p.gpkg"))
    assert {name: each.toarray().tolist() for name, each in kept.items()} == {
        'Theft "from" shops': [[0, 1, 0], [1, 0, 0]],
        "Arson": [[0, 1, 0], [0, 300, 0]],
    }


def test_what_it_was_made_from_is_kept(tmp_path: Path) -> None:
    write_panel(tmp_path / "p.gpkg", make_panel(), made={tags.UNITS: "hexagons of 500 m"})
    assert read_tags(tmp_path / "p.gpkg")[tags.UNITS] == "hexagons of 500 m"


#: What somebody may do to a panel by hand or on purpose; each leaves a file that is none.
DAMAGE = {
    "no areas": "DELETE FROM areas",
    "a table that is gone": "DROP TABLE bins",
    "counts of no area": "UPDATE counts SET area = 99 WHERE fid = 1",
    "counts of no bin": "UPDATE counts SET bin = 99 WHERE fid = 1",
    "counts of a bin before the first": "UPDATE counts SET bin = -1 WHERE fid = 1",
    "fewer incidents than none": "UPDATE counts SET incidents = -5 WHERE fid = 1",
    "a count that is text": "UPDATE counts SET incidents = 'many' WHERE fid = 1",
    "a count that is missing": "UPDATE counts SET incidents = NULL WHERE fid = 1",
    "a count beyond all counts": "UPDATE counts SET incidents = 9223372036854775807 WHERE fid = 1",
    "a count twice": "INSERT INTO counts (area, bin, incidents) SELECT area, bin, incidents FROM counts",
    "an id twice": "UPDATE areas SET id = 'E01'",
    "an area without a shape": "UPDATE areas SET geom = NULL WHERE fid = 1",
    "a shape of other bytes": "UPDATE areas SET geom = x'00ff00ff' WHERE fid = 1",
    "a time that is none": "UPDATE bins SET start = 'yesterday' WHERE bin = 0",
    "a bin that ends before it begins": "UPDATE bins SET end = '1999-01-01T00:00:00.000Z' WHERE bin = 1",
    "bins with a hole between them": "UPDATE bins SET start = '2021-02-15T00:00:00.000Z' WHERE bin = 1",
    "a million bins": (
        "INSERT INTO bins WITH RECURSIVE n(b) AS (SELECT 2 UNION ALL SELECT b + 1 FROM n WHERE b < 1000000)"
        " SELECT b, date('2021-03-01', b || ' days'), date('2021-03-01', (b + 1) || ' days'), 1 FROM n"
    ),
    "bins of no length": "UPDATE crimerisk SET value = 'soon' WHERE key = 'CRIMERISK_BIN'",
    "a delay that is none": "UPDATE crimerisk SET value = 'late' WHERE key = 'CRIMERISK_DELAY'",
    "a delay before its time": "UPDATE crimerisk SET value = '-3' WHERE key = 'CRIMERISK_DELAY'",
    "a format that is none": "UPDATE crimerisk SET value = 'x' WHERE key = 'CRIMERISK_FORMAT'",
    "another kind": "UPDATE crimerisk SET value = 'risk' WHERE key = 'CRIMERISK_KIND'",
    "a newer format": "UPDATE crimerisk SET value = '99' WHERE key = 'CRIMERISK_FORMAT'",
}


@pytest.mark.parametrize("statement", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_panel_is_refused_with_a_sentence(tmp_path: Path, statement: str) -> None:
    path = tmp_path / "p.gpkg"
    write_panel(path, make_panel())
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        for (trigger,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f'DROP TRIGGER "{trigger}"')
        database.execute(statement)
    with pytest.raises((FormatError, DataError)) as refused:
        read_panel(path)
    assert str(path) in str(refused.value)
    assert re.search(r"Make it with Count incidents by area|Update the plugin", str(refused.value))


def test_bytes_that_were_changed_give_a_panel_or_a_sentence(tmp_path: Path) -> None:
    whole = tmp_path / "p.gpkg"
    write_panel(whole, make_panel())
    content = whole.read_bytes()
    path = tmp_path / "changed.gpkg"
    said, read = [], 0
    for seed in range(40):
        path.write_bytes(alter_bytes(content, random.Random(seed)))
        try:
            panel = read_panel(path)
        except CrimeRiskError as refused:
            said.append(str(refused))
        else:
            read += panel.counts.shape == (len(panel.edges) - 1, len(panel.support.ids))
    assert read + len(said) == 40
    assert all(str(path) in each for each in said)


def test_a_panel_that_cannot_be_written_whole_is_absent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "p.gpkg"
    write_panel(path, make_panel())
    before = path.read_bytes()

    def stop(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("riskengine.maps.panelfile.write_covariates", stop)
    with pytest.raises(OutputError, match=r"The disk is full: .*p\.gpkg could not be written"):
        write_panel(path, make_panel())
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
