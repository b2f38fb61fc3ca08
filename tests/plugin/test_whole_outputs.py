"""A failed run leaves what was there before, whole; two runs onto one file; what killed runs leave is swept."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kit.layers import make_appending
from kit.tables import list_tables, read_table
from qgis.core import (
    QgsProcessing,
    QgsProcessingException,
    QgsProcessingFeatureSourceDefinition,
    QgsProcessingOutputLayerDefinition,
    QgsProject,
    QgsVectorLayer,
)

HEAD = "longitude,latitude,datetime,category,note\n"
FORMATS = ("gpkg", "shp", "geojson", "fgb")


def write_csv(path: Path, rows: int, note: str = "") -> Path:
    lines = (f"-122.6{n:05},45.5{n:05},2024-01-{n % 28 + 1:02} 12:00,Theft,{note}{n}\n" for n in range(rows))
    path.write_text(HEAD + "".join(lines), encoding="utf-8")
    return path


def take_down(folder: Path) -> dict[str, Any]:
    """Take down what lies in a folder, hidden or not; of a GeoPackage its tables: reading it changes its header."""
    return {
        str(path.relative_to(folder)): {name: read_table(path, name) for name in list_tables(path)}
        if path.suffix == ".gpkg"
        else path.read_bytes()
        for path in folder.rglob("*")
        # While a layer is open its log lies beside it.
        if path.is_file() and not path.name.endswith(("-wal", "-shm"))
    }


def count_rows(path: str) -> int:
    layer = QgsVectorLayer(path, "read", "ogr")
    assert layer.isValid(), path
    return sum(1 for _ in layer.getFeatures())


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of four megabytes."""
    place = tmp_path / "small disk"
    place.mkdir()
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("a small file system can be mounted by root on Linux only")
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(place)], capture_output=True)
    if mounted.returncode:
        pytest.skip("no file system can be mounted here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.mark.parametrize("ending", FORMATS)
def test_a_full_disk_keeps_the_layer_before(
    ending: str, run: Any, refusal: Any, small_disk: Path, tmp_path: Path
) -> None:
    target = str(small_disk / f"incidents.{ending}")
    run("importincidents", INPUT=str(write_csv(tmp_path / "few.csv", 400)), OUTPUT=target)
    before = take_down(small_disk)
    assert count_rows(target) == 400
    many = write_csv(tmp_path / "many.csv", 40_000, "a note that takes some room " * 4)
    said = refusal("importincidents", INPUT=str(many), OUTPUT=target)
    assert "written" in said
    assert "disk space" in said
    assert take_down(small_disk) == before


def test_a_full_disk_keeps_the_table_before_and_the_tables_beside(
    run: Any, refusal: Any, small_disk: Path, tmp_path: Path
) -> None:
    package = small_disk / "city.gpkg"
    table = f"ogr:dbname='{package}' table=\"{{}}\" (geom)"
    few = str(write_csv(tmp_path / "few.csv", 500))
    run("importincidents", INPUT=few, OUTPUT=table.format("first"))
    run("importincidents", INPUT=few, OUTPUT=table.format("second"))
    before = take_down(small_disk)
    assert list_tables(package) == ["first", "second"]
    many = write_csv(tmp_path / "many.csv", 40_000, "a note that takes some room " * 4)
    said = refusal("importincidents", INPUT=str(many), OUTPUT=table.format("second"))
    assert "disk space" in said
    assert take_down(small_disk) == before


def test_a_table_is_replaced_whole_with_its_index(run: Any, tmp_path: Path) -> None:
    package = tmp_path / "city.gpkg"
    for rows in (500, 90):
        ran = run(
            "importincidents",
            INPUT=str(write_csv(tmp_path / "some.csv", rows)),
            OUTPUT=f"ogr:dbname='{package}' table=\"incidents\" (geom)",
        )
        assert ran["OUTPUT"] == f"{package}|layername=incidents"
    layer = QgsVectorLayer(ran["OUTPUT"], "read", "ogr")
    assert layer.featureCount() == 90
    assert layer.extent().width() > 0
    with sqlite3.connect(package) as database:
        assert database.execute("SELECT count(*) FROM rtree_incidents_geom").fetchone() == (90,)
        counted = "SELECT feature_count FROM gpkg_ogr_contents WHERE table_name = 'incidents'"
        assert database.execute(counted).fetchone() == (90,)
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_writer_that_fails_midway(run: Any, refusal: Any, town_layer: Any, tmp_path: Path) -> None:
    """Of the features made in QGIS one cannot be had: a table and a file, both there before."""
    from crime_risk.algorithms import features

    package = tmp_path / "kept.gpkg"
    given = {"INPUT": town_layer, "TIME_FIELD": "occurred", "OUTPUT": "TEMPORARY_OUTPUT"}
    targets = (f"ogr:dbname='{package}' table=\"kept\" (geom)", str(tmp_path / "kept.shp"), str(package))
    select_rows = features.select_rows

    def fail(*arguments: Any) -> Any:
        rows = select_rows(*arguments)
        whole = rows.features

        def broken() -> Iterator[Any]:
            for number, each in enumerate(whole):
                if number == 100:
                    raise OSError(28, "No space left on device")
                yield each

        rows.features = broken()
        return rows

    for target in targets:
        run("selectstudyarea", INCIDENTS=target, **given)
        before = take_down(tmp_path)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(features, "select_rows", fail)
            said = refusal("selectstudyarea", INCIDENTS=target, **given)
        assert "No space left on device" in said
        assert take_down(tmp_path) == before


def test_an_open_geopackage_is_replaced_with_its_log(run: Any, tmp_path: Path) -> None:
    """SQLite would read the log of the old file together with the new one."""
    target = tmp_path / "incidents.gpkg"
    run("importincidents", INPUT=str(write_csv(tmp_path / "a.csv", 300)), OUTPUT=str(target))
    database = sqlite3.connect(target)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("CREATE TABLE other (a)")
    database.commit()
    assert Path(f"{target}-wal").stat().st_size > 0
    run("importincidents", INPUT=str(write_csv(tmp_path / "b.csv", 50)), OUTPUT=str(target))
    database.close()
    assert len(read_table(target)["fid"]) == 50
    with sqlite3.connect(target) as again:
        assert again.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_shapefile_leaves_no_part_of_the_one_before(run: Any, tmp_path: Path) -> None:
    target = tmp_path / "incidents.shp"
    run("importincidents", INPUT=str(write_csv(tmp_path / "a.csv", 300)), OUTPUT=str(target))
    (tmp_path / "incidents.qix").write_bytes(b"an index of the layer before")
    run("importincidents", INPUT=str(write_csv(tmp_path / "b.csv", 50)), OUTPUT=str(target))
    assert count_rows(str(target)) == 50
    assert not (tmp_path / "incidents.qix").exists()


@pytest.mark.parametrize("ending", [*FORMATS, "table"])
def test_every_format_holds_the_same_rows(ending: str, run: Any, tmp_path: Path) -> None:
    package = tmp_path / "all.gpkg"
    target = f"ogr:dbname='{package}' table=\"rows\" (geom)" if ending == "table" else str(tmp_path / f"rows.{ending}")
    ran = run("importincidents", INPUT=str(write_csv(tmp_path / "a.csv", 60)), OUTPUT=target)
    layer = QgsVectorLayer(str(ran["OUTPUT"]), "read", "ogr")
    notes = sorted(int(each["note"]) for each in layer.getFeatures())
    assert notes == list(range(60))
    assert not [path.name for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_a_layer_is_loaded_where_that_is_asked_for(run: Any, tmp_path: Path) -> None:
    project, package = QgsProject(), tmp_path / "all.gpkg"
    for target, place in (
        (str(tmp_path / "a.gpkg"), str(tmp_path / "a.gpkg")),
        (f"ogr:dbname='{package}' table=\"b\" (geom)", f"{package}|layername=b"),
        (f"ogr:dbname='{package}' table=\"c\" (geom)", f"{package}|layername=c"),
    ):
        output = QgsProcessingOutputLayerDefinition(target, project)
        ran = run("importincidents", INPUT=str(write_csv(tmp_path / "a.csv", 60)), OUTPUT=output)
        assert ran["OUTPUT"] == place
        details = ran.log.context.layersToLoadOnCompletion()[place]
        assert (details.name, details.outputName) == ("Incidents, Mon 1 – Sun 28 Jan 2024", "OUTPUT")


def test_two_runs_onto_one_file(run: Any, refusal: Any, tmp_path: Path) -> None:
    from crime_risk.bridge import locks

    source, target = str(write_csv(tmp_path / "a.csv", 60)), tmp_path / "incidents.gpkg"
    run("importincidents", INPUT=source, OUTPUT=str(target))
    (tmp_path / "sub").mkdir()
    with locks.hold(locks.lock_of(target, "*")):
        said = refusal("importincidents", INPUT=source, OUTPUT=str(tmp_path / "sub" / ".." / "incidents.gpkg"))
    assert f"process {os.getpid()}" in said
    assert "Wait until that has ended, or choose another file" in said
    assert run("importincidents", INPUT=source, OUTPUT=str(target))["COUNT"] == 60


def test_a_file_in_use_is_waited_for(run: Any, tmp_path: Path) -> None:
    """Two runs put different tables into one file: the later waits for the moment in which the earlier writes."""
    from crime_risk.bridge import locks

    package = tmp_path / "city.gpkg"
    table = f"ogr:dbname='{package}' table=\"{{}}\" (geom)"
    source = str(write_csv(tmp_path / "a.csv", 60))
    run("importincidents", INPUT=source, OUTPUT=table.format("first"))
    held, free = threading.Event(), threading.Event()

    def write_another() -> None:
        with locks.hold(locks.lock_of(package)):
            held.set()
            free.wait(60)

    other = threading.Thread(target=write_another)
    other.start()
    assert held.wait(60)
    threading.Timer(0.5, free.set).start()
    assert run("importincidents", INPUT=source, OUTPUT=table.format("second"))["COUNT"] == 60
    assert free.is_set()
    other.join()
    assert list_tables(package) == ["first", "second"]


def test_two_runs_make_two_tables_of_one_new_file(tmp_path: Path, run: Any) -> None:
    """Neither was there when the other began: the later to land puts its table beside the earlier one's."""
    from crime_risk.bridge.landing import Landing

    package, sources = tmp_path / "city.gpkg", {}
    for name in ("first", "second"):
        sources[name] = tmp_path / f"{name}.gpkg"
        run("importincidents", INPUT=str(write_csv(tmp_path / "a.csv", 60)), OUTPUT=str(sources[name]))
    with Landing() as one, Landing() as other:
        one.add_table(package, "first", sources["first"])
        other.add_table(package, "second", sources["second"])
        one.land()
        other.land()
    assert list_tables(package) == ["first", "second"]
    assert len(read_table(package, "first")["fid"]) == 60


def test_what_follows_a_failure_is_put_back(tmp_path: Path) -> None:
    """Of three files the last cannot come to its place."""
    from crime_risk.bridge.landing import Landing

    old, new, blocked = (tmp_path / name for name in ("one.csv", "two.csv", "three.csv"))
    old.write_text("before", encoding="utf-8")
    with Landing() as together:
        for path in (old, new, blocked):
            together.make_place(path).write_text("after", encoding="utf-8")
        blocked.mkdir()
        with pytest.raises(QgsProcessingException):
            together.land()
    assert old.read_text(encoding="utf-8") == "before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.csv", "three.csv"]


def test_a_journal_of_a_killed_program_is_not_read_with_the_new_file(run: Any, tmp_path: Path) -> None:
    target = tmp_path / "incidents.gpkg"
    run("importincidents", INPUT=str(write_csv(tmp_path / "a.csv", 3000)), OUTPUT=str(target))
    script = (
        "import os, sqlite3, sys; base = sqlite3.connect(sys.argv[1], isolation_level=None); "
        "base.execute('PRAGMA journal_mode = DELETE'); base.execute('PRAGMA cache_size = 5'); base.execute('BEGIN'); "
        "base.execute('CREATE TABLE other AS SELECT * FROM incidents'); "
        "base.execute('DELETE FROM gpkg_contents'); os._exit(1)"
    )
    subprocess.run([sys.executable, "-c", script, str(target)])
    assert Path(f"{target}-journal").stat().st_size > 0
    run("importincidents", INPUT=str(write_csv(tmp_path / "b.csv", 50)), OUTPUT=str(target))
    assert len(read_table(target)["fid"]) == 50
    with sqlite3.connect(target) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert database.execute("SELECT name FROM sqlite_master WHERE name = 'other'").fetchone() is None


@pytest.mark.parametrize("name", ["out", "out.v2", "o'brien.GPKG"])
def test_names_as_people_give_them(name: str, run: Any, tmp_path: Path) -> None:
    """QGIS adds the ending of a GeoPackage where there is none that means a format."""
    (tmp_path / "o'brien").mkdir()
    target = tmp_path / "o'brien" / name
    ran = run("importincidents", INPUT=str(write_csv(tmp_path / "a.csv", 60)), OUTPUT=str(target))
    assert Path(ran["OUTPUT"]) == (target if "GPKG" in name else target.with_name(f"{name}.gpkg"))
    assert count_rows(ran["OUTPUT"]) == 60
    table = f"ogr:dbname='{tmp_path / 'tables.gpkg'!s}' table=\"it's\" (geom)"
    again = run("importincidents", INPUT=str(tmp_path / "a.csv"), OUTPUT=table)
    assert count_rows(again["OUTPUT"]) == 60


def test_rows_are_appended_in_one_piece(run: Any, refusal: Any, town_layer: Any, tmp_path: Path) -> None:
    from crime_risk.algorithms import features

    package = tmp_path / "kept.gpkg"
    given = {"INPUT": town_layer, "TIME_FIELD": "occurred", "OUTPUT": "TEMPORARY_OUTPUT"}
    run("selectstudyarea", INCIDENTS=str(package), **given)
    before = read_table(package)
    target = QgsVectorLayer(str(package), "kept", "ogr")
    run("selectstudyarea", INCIDENTS=make_appending(target), **given)
    rows = len(before["fid"])
    after = read_table(package)
    assert len(after["fid"]) == 2 * rows
    assert after["place"][:rows] == before["place"]
    assert sorted(after["category"][rows:]) == sorted(before["category"])

    def fail(*arguments: Any) -> Any:
        made = select_rows(*arguments)
        whole = list(made.features)

        def broken() -> Iterator[Any]:
            yield from whole[:-1]
            raise OSError(28, "No space left on device")

        made.features = broken()
        return made

    select_rows = features.select_rows
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(features, "select_rows", fail)
        said = refusal("selectstudyarea", INCIDENTS=make_appending(target), **given)
    assert "No space left on device" in said
    assert len(read_table(package)["fid"]) == 2 * rows


def make_dead_process() -> int:
    """The number of a process that has ended."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    return ended.pid


def test_what_killed_runs_left_is_swept(run: Any, plugin: Any, tmp_path: Path) -> None:
    from crime_risk.bridge import leftovers
    from crime_risk.riskengine.contract.owners import make_owner

    dead, alive = make_dead_process(), os.getppid()
    temporary = Path(tempfile.gettempdir())
    session = temporary / "processing_tested"
    folders = [session / f"crime_risk_{make_owner(pid)}_abc" for pid in (dead, alive)]
    folders += [temporary / f"crimerisk_{make_owner(pid)}_abc" for pid in (dead, alive)]
    # Those of other computers, and what is the user's, are nobody's business here.
    folders += [session / f"crime_risk_0a0b0c-{dead}_abc", temporary / "crimerisk_thesis"]
    try:
        for folder in folders:
            folder.mkdir(parents=True)
            (folder / "grids.npy").write_bytes(b"hours of work")
        leftovers.sweep_temporary()
        assert [folder.exists() for folder in folders] == [False, True, False, True, True, True]
    finally:
        for folder in (*folders, session):
            shutil.rmtree(folder, ignore_errors=True)
    beside = [tmp_path / f".crime_risk_{make_owner(pid)}_abc" for pid in (dead, alive)]
    beside += [tmp_path / f".risk.{make_owner(pid)}.partial.tif" for pid in (dead, alive)]
    beside += [tmp_path / f".risk.0a0b0c-{dead}.partial.tif", tmp_path / f".notes.{dead}.partial.mp4"]
    for each in beside[:2]:
        each.mkdir()
    for each in beside[2:]:
        each.write_bytes(b"half")
    run("importincidents", INPUT=str(write_csv(tmp_path / "a.csv", 60)), OUTPUT=str(tmp_path / "incidents.gpkg"))
    assert [each.exists() for each in beside] == [False, True, False, True, True, True]


def test_a_full_folder_for_temporary_files_is_a_sentence(
    run: Any, refusal: Any, small_disk: Path, tmp_path: Path, town_layer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from crime_risk.algorithms import tool_algorithm
    from qgis.core import QgsProcessingUtils

    class Full(QgsProcessingUtils):
        @staticmethod
        def tempFolder(*_: Any) -> str:  # noqa: N802
            return str(small_disk)

    monkeypatch.setattr(tool_algorithm, "QgsProcessingUtils", Full)
    (small_disk / "full").write_bytes(b"x" * (4 * 2**20 - 8192))
    given = {"INPUT": town_layer, "TIME_FIELD": "occurred"}
    said = refusal("buildcrimeindex", **given, OUTPUT=str(tmp_path / "a.crimeindex"))
    assert "folder for temporary files" in said
    assert not list(tmp_path.glob("*.crimeindex"))
    assert [path.name for path in small_disk.iterdir()] == ["full"]


def test_a_style_that_cannot_be_kept_is_said(run: Any, forecast: Any, tmp_path: Path) -> None:
    from kit.algorithms import Log

    (tmp_path / "classes.qml").mkdir()
    log = Log()
    ran = run("classifyrisk", log=log, INPUT=forecast["OUTPUT"], OUTPUT=str(tmp_path / "classes.tif"))
    assert Path(ran["OUTPUT"]).is_file()
    assert any("style could not be kept with the file" in line for line in log.warnings)


def test_a_database_table_is_replaced_whole(run: Any, tmp_path: Path) -> None:
    from osgeo import ogr

    path = tmp_path / "city.sqlite"
    ogr.GetDriverByName("SQLite").CreateDataSource(str(path), ["SPATIALITE=YES"])
    target = f"spatialite:dbname='{path}' table=\"incidents\" (geom)"
    for rows in (300, 40):
        ran = run("importincidents", INPUT=str(write_csv(tmp_path / "a.csv", rows)), OUTPUT=target)
        assert ran["COUNT"] == rows
        layer = QgsVectorLayer(f"dbname='{path}' table=\"incidents\" (geom)", "read", "spatialite")
        assert layer.isValid()
        assert layer.featureCount() == rows
        del layer
    with sqlite3.connect(path) as database:
        names = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    assert not [name for name in names if "crime_risk" in name]


ROUTES = ("plain", "memory", "filter", "selection", "join", "shapefile")


@pytest.mark.parametrize("route", ROUTES)
def test_scores_are_the_same_by_every_route(
    route: str, run: Any, index_file: Path, town_layer: Any, tmp_path: Path
) -> None:
    """The engine writes the layer where the points are a plain file; all other layers go through QGIS."""
    import processing

    file = str(tmp_path / f"town.{'shp' if route == 'shapefile' else 'gpkg'}")
    processing.run("native:savefeatures", {"INPUT": town_layer, "OUTPUT": file})
    layer = QgsVectorLayer(file, "town", "ogr")
    given: Any = layer
    wanted = range(300)
    if route == "memory":
        given = town_layer
    elif route == "filter":
        layer.setSubsetString("category = 'Theft'")
        wanted = range(0, 300, 4)
    elif route == "selection":
        layer.selectByIds([5, 6])
        given = QgsProcessingFeatureSourceDefinition(QgsProject.instance().addMapLayer(layer).id(), True)
        wanted = range(4, 6)
    elif route == "join":
        from qgis.core import QgsField
        from qgis.PyQt.QtCore import QMetaType

        layer.addExpressionField("'x' || category", QgsField("made", QMetaType.Type.QString))
    alone = run("crimescorelayer", INDEX=str(index_file), POINTS=town_layer, OUTPUT=str(tmp_path / "alone.gpkg"))
    expected = read_table(alone["OUTPUT"])
    ran = run("crimescorelayer", INDEX=str(index_file), POINTS=given, OUTPUT=str(tmp_path / "scores.gpkg"))
    scores = read_table(ran["OUTPUT"])
    for name in ("place", "category", "score", "score_abs", "percentile"):
        assert scores[name] == [expected[name][row] for row in wanted], name
    if route == "join":
        assert scores["made"] == [f"x{category}" for category in scores["category"]]
    if route == "plain":
        assert list(scores) == list(expected)
        assert scores["occurred"] == expected["occurred"]


def test_times_of_other_zones_are_not_moved(run: Any, index_file: Path, town_layer: Any, tmp_path: Path) -> None:
    import processing

    file = tmp_path / "town.gpkg"
    processing.run("native:savefeatures", {"INPUT": town_layer, "OUTPUT": str(file)})
    with sqlite3.connect(file) as database:
        for name in ("IsEmpty", "MinX", "MaxX", "MinY", "MaxY"):
            database.create_function(f"ST_{name}", 1, lambda blob: 0)
        database.execute("UPDATE town SET occurred = '2024-01-05T10:00:00.000+02:00' WHERE fid = 7")
    before = next(each for each in QgsVectorLayer(str(file), "t", "ogr").getFeatures() if each.id() == 7)["occurred"]
    ran = run("crimescorelayer", INDEX=str(index_file), POINTS=str(file), OUTPUT=str(tmp_path / "scores.gpkg"))
    after = next(each for each in QgsVectorLayer(ran["OUTPUT"], "t", "ogr").getFeatures() if each.id() == 7)
    assert after["occurred"].toString() == before.toString()


def test_memory_layers_have_no_field_of_the_exchange(run: Any, tmp_path: Path) -> None:
    ran = run(
        "importincidents",
        INPUT=str(write_csv(tmp_path / "a.csv", 60)),
        OUTPUT=QgsProcessing.TEMPORARY_OUTPUT,
        REFUSED=QgsProcessing.TEMPORARY_OUTPUT,
    )
    assert ran.layer("OUTPUT").fields().names() == ["occurred", "category", "note"]
    assert ran.layer("REFUSED").fields().names() == ["line", "reason", "row"]
