"""What `benchmarks/abuse.py` judges by finds what it looks for: each detector is shown one offence."""

from __future__ import annotations

import os
import signal
import sqlite3
import struct
import subprocess
import sys
import time
import zipfile
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    import abuse_checks

    return abuse_checks


def geopackage(path: Path, rows: int, tables: tuple[str, ...] = ("out",), indexed: int | None = None) -> None:
    """As much of a GeoPackage as is looked at."""
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as base, base:
        base.execute("CREATE TABLE gpkg_contents (table_name TEXT)")
        base.execute("CREATE TABLE gpkg_geometry_columns (table_name TEXT, column_name TEXT)")
        base.execute("CREATE TABLE gpkg_ogr_contents (table_name TEXT, feature_count INTEGER)")
        for table in tables:
            base.execute(f"CREATE TABLE {table} (fid INTEGER PRIMARY KEY, geom BLOB, category TEXT)")
            base.executemany(f"INSERT INTO {table} (category) VALUES (?)", [(f"kind {row}",) for row in range(rows)])
            base.execute(f"CREATE TABLE rtree_{table}_geom (id INTEGER)")
            entries = rows if indexed is None else indexed
            base.executemany(f"INSERT INTO rtree_{table}_geom VALUES (?)", [(row,) for row in range(entries)])
            base.execute("INSERT INTO gpkg_contents VALUES (?)", (table,))
            base.execute("INSERT INTO gpkg_geometry_columns VALUES (?, 'geom')", (table,))
            base.execute("INSERT INTO gpkg_ogr_contents VALUES (?, ?)", (table, rows))


def test_a_geopackage_is_the_old_the_new_gone_or_lost(checks: Any, tmp_path: Path) -> None:
    path, other = tmp_path / "out.gpkg", tmp_path / "other.gpkg"
    geopackage(path, 3)
    geopackage(other, 5)
    old, new = checks.contents(path), checks.contents(other)
    assert checks.state(path, old, new) == "old"
    assert checks.state(other, old, new) == "new"
    geopackage(path, 4)
    assert checks.state(path, old, new) == "neither: {'out': '4'}"
    geopackage(path, 5)
    with closing(sqlite3.connect(path)) as base, base:
        base.execute("UPDATE out SET category = 'another' WHERE fid = 2")
    assert checks.state(path, old, new).startswith("neither")
    path.write_bytes(other.read_bytes()[:9000])
    assert checks.state(path, old, new).startswith("broken")
    path.write_bytes(b"")
    assert checks.state(path, old, new).startswith("broken")
    path.unlink()
    assert checks.state(path, old, new) == "gone"


def test_a_table_beside_it_that_is_hurt_counts_as_lost(checks: Any, tmp_path: Path) -> None:
    path = tmp_path / "out.gpkg"
    geopackage(path, 3, ("incidents", "kept"))
    old = checks.contents(path)
    with closing(sqlite3.connect(path)) as base, base:
        base.execute("DELETE FROM kept WHERE fid = 1")
    assert checks.state(path, old, {"incidents": "-", "kept": "-"}) == "neither: {'incidents': '3', 'kept': '2'}"


def test_what_a_journal_holds_is_read_and_the_journal_is_counted(checks: Any, tmp_path: Path) -> None:
    path = tmp_path / "out.gpkg"
    geopackage(path, 3)
    old = checks.contents(path)
    with closing(sqlite3.connect(path)) as base:
        base.execute("PRAGMA journal_mode = WAL")
        base.execute("PRAGMA wal_autocheckpoint = 0")
        assert checks.open_journals(path) == []
        base.execute("INSERT INTO out (category) VALUES ('late')")
        base.commit()
        before = path.read_bytes()
        assert checks.state(path, old, {}).startswith(("new", "neither"))
        assert checks.contents(path)["out"].startswith("4 ")
        assert checks.open_journals(path) == ["out.gpkg-wal"]
        assert checks.state_without_journal(path, tmp_path / "alone", old, {"out": "-"}) == "old"
        assert path.read_bytes() == before


def test_faults_of_a_geopackage_whose_rows_are_whole(checks: Any, tmp_path: Path) -> None:
    path = tmp_path / "out.gpkg"
    geopackage(path, 3)
    assert checks.faults(path, {"out"}) == []
    geopackage(path, 3, indexed=2)
    assert checks.faults(path, {"out"}) == ["spatial index of out has 2 of 3 rows"]
    assert checks.faults(path, {"out"}, indexed=False) == []
    geopackage(path, 3, ("out", "out_partial"))
    assert checks.faults(path, {"out"}) == ["table out_partial that nobody asked for"]
    geopackage(path, 3)
    with closing(sqlite3.connect(path)) as base, base:
        base.execute("UPDATE gpkg_ogr_contents SET feature_count = 9")
    assert checks.faults(path, {"out"}) == ["table out says 9 rows and has 3"]


def test_files_that_end_too_early(checks: Any, tmp_path: Path) -> None:
    geojson, page, bundle = (tmp_path / name for name in ("out.geojson", "out.html", "out.crimeindex"))
    geojson.write_text('{"features": [{"a": 1}, {"a": 2}]}')
    page.write_text("<html>Whole.</html>\n")
    with zipfile.ZipFile(bundle, "w") as made:
        made.writestr("x.npy", b"1" * 500)
    for path in (geojson, page, bundle):
        old = checks.contents(path)
        assert checks.state(path, old, {"": "another"}) == "old"
        path.write_bytes(path.read_bytes()[:-10])
        assert checks.state(path, old, {"": "another"}).startswith("broken"), path


def test_a_raster_that_ends_too_early(checks: Any, tmp_path: Path) -> None:
    numpy, rasterio = pytest.importorskip("numpy"), pytest.importorskip("rasterio")
    path = tmp_path / "out.tif"
    shape = {"driver": "GTiff", "width": 64, "height": 64, "count": 2, "dtype": "uint8"}
    shape["transform"] = rasterio.transform.from_origin(0, 64, 1, 1)
    with rasterio.open(path, "w", **shape) as raster:
        raster.write(numpy.full((2, 64, 64), 7, "uint8"))
    old = checks.contents(path)
    assert checks.state(path, old, {"": "another"}) == "old"
    path.write_bytes(path.read_bytes()[:5000])
    assert checks.state(path, old, {"": "another"}).startswith(("broken", "neither"))


def test_a_shapefile_that_is_not_whole(checks: Any, tmp_path: Path) -> None:
    path = tmp_path / "out.shp"
    for suffix in (".shp", ".shx"):
        path.with_suffix(suffix).write_bytes(bytes(24) + struct.pack(">i", 50) + bytes(72))
    dbf = path.with_suffix(".dbf")
    dbf.write_bytes(b"\3\1\1\1" + struct.pack("<IHH", 3, 33, 10) + bytes(21) + b"x" * 30)
    old = checks.contents(path)
    dbf.write_bytes(b"\3\1\1\2" + dbf.read_bytes()[4:])
    assert checks.state(path, old, {"": "another"}) == "old"
    dbf.write_bytes(dbf.read_bytes()[:-8])
    assert checks.state(path, old, {"": "another"}).startswith("broken")
    dbf.unlink()
    assert checks.state(path, old, {"": "another"}) == "broken: there is no .dbf"


def test_what_is_left_beside_it_is_named(checks: Any, tmp_path: Path) -> None:
    for name in ("out.gpkg", ".out.4711.partial.gpkg", "out.gpkg-shm"):
        (tmp_path / name).touch()
    (tmp_path / ".crime_risk").mkdir()
    assert checks.leftovers(tmp_path, {"out.gpkg"}) == [".crime_risk/", ".out.4711.partial.gpkg", "out.gpkg-shm"]


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="What runs is read from /proc.")
def test_a_process_whose_parent_is_dead_is_found(checks: Any) -> None:
    mark = f"test-{os.getpid()}"
    sleeper = "import time; time.sleep(60)"
    parent = f"import subprocess, sys; print(subprocess.Popen([sys.executable, '-c', {sleeper!r}]).pid, flush=True)"
    # Not `run`: the sleeper holds the pipe open.
    done = subprocess.Popen(
        [sys.executable, "-c", parent], env={**os.environ, checks.MARK: mark}, stdout=subprocess.PIPE, text=True
    )
    assert done.stdout is not None
    orphan = int(done.stdout.readline())
    try:
        done.wait(30)
        found = checks.running(mark)
        assert set(found) == {orphan}
        assert "time.sleep" in found[orphan]
        assert checks.running(f"{mark}0") == {}
    finally:
        os.kill(orphan, signal.SIGKILL)
        done.stdout.close()
    end = time.monotonic() + 10
    while checks.running(mark) and time.monotonic() < end:
        time.sleep(0.05)
    assert checks.running(mark) == {}


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("The disk is full: /a/b.tif could not be written. Free some space.", True),
        ("Traceback (most recent call last):\nOSError: no space\nThe disk is full and that is all.", False),
        ("Warning 1: Field category of width 255 truncated to 254.", False),
        ("ERROR 1: failed", False),
        ("", False),
    ],
)
def test_a_sentence(checks: Any, said: str, told: bool) -> None:
    assert checks.is_sentence(said) is told


@pytest.mark.parametrize(
    ("found", "code", "said", "offences"),
    [
        ("new", 0, "", set()),
        ("old", -9, "", set()),
        ("old", 1, "The disk is full, so nothing was written.", set()),
        ("old", 1, "", {"unsaid"}),
        ("old", None, "", {"unsaid"}),
        ("old", 0, "", {"false_success"}),
        ("gone", -9, "", {"lost"}),
        ("neither: {'out': '4'}", -9, "", {"lost", "partial"}),
        ("broken: no end", 0, "", {"lost", "partial", "false_success"}),
    ],
)
def test_a_case_is_judged(checks: Any, found: str, code: int | None, said: str, offences: set[str]) -> None:
    assert set(checks.judge(found, code, said, must_say=code != -9).why()) == offences


def test_two_at_once_are_judged(checks: Any) -> None:
    one, two, mixed = {"t": "5 a"}, {"t": "6 b"}, {"t": "11 c"}
    for found, codes, lost in (
        (one, (0, 0), 0),
        (two, (0, 0), 0),
        (one, (0, 1), 0),
        (two, (0, 1), 1),
        (mixed, (0, 0), 1),
        ("gone", (1, 0), 1),
        (mixed, (1, 1), 0),
    ):
        verdict = checks.race_verdict(found, zip(codes, (one, two)), apart=False)
        assert (len(verdict.lost), len(verdict.false_success)) == (lost, lost), (found, codes)
    one, two = {"kept": "1 k", "a": "5 a"}, {"kept": "1 k", "b": "6 b"}
    assert not checks.race_verdict({**one, **two}, [(0, one), (0, two)], apart=True).why()
    assert len(checks.race_verdict(one, [(0, one), (0, two)], apart=True).lost) == 1
    assert not checks.race_verdict(one, [(0, one), (1, two)], apart=True).why()
