"""Outputs: whole or not at all, wherever they go and whenever the user cancels."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from qgis.core import (
    QgsApplication,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingOutputLayerDefinition,
    QgsProject,
    QgsVectorLayer,
)

CSV = "longitude,latitude,datetime,category\n" + "".join(
    f"-122.{600_000 + 97 * number},45.{500_000 + 13 * number},2024-01-{number % 28 + 1:02} 12:00,Theft\n"
    if number % 10
    else f",,2024-01-{number % 28 + 1:02} 12:00,Theft\n"
    for number in range(12_000)
)


@pytest.fixture(scope="module")
def csv_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("csv") / "many.csv"
    path.write_text(CSV, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def many(points: Any) -> Any:
    """A layer of which every second feature is refused: enough for cancelling while the table is written."""
    import datetime

    noon = datetime.datetime(2024, 1, 5, 12)
    return points(
        [(525_000 + row % 3000, 5_040_000 + row % 777, noon if row % 2 else None, "") for row in range(24_000)]
    )


@pytest.fixture
def jobs(
    csv_file: Path, many: Any, index_file: Path, grids_file: Path, forecast: Any, quick: Any
) -> Callable[..., Any]:
    """Parameters of each algorithm, all of its outputs going into a folder (vector ones into one GeoPackage)."""

    def jobs(algorithm: str, folder: Path) -> dict[str, Any]:
        table = f"ogr:dbname='{folder / 'out.gpkg'}' table=\"{{}}\" (geom)"
        return {
            "importincidents": {"INPUT": str(csv_file), "OUTPUT": table.format("a"), "REFUSED": table.format("b")},
            "buildcrimeindex": {
                "INPUT": many,
                "TIME_FIELD": "occurred",
                "OUTPUT": str(folder / "out.crimeindex"),
                "REFUSED": table.format("b"),
            },
            "crimescorelayer": {"INDEX": str(index_file), "SPACING": 25, "OUTPUT": table.format("a")},
            "rasterizehotspots": {
                "INPUT": many,
                "TIME_FIELD": "occurred",
                "BIN_UNIT": 1,
                "OUTPUT": str(folder / "out.tif"),
                "REFUSED": table.format("b"),
            },
            "convlstmprediction": {
                "INPUT": str(grids_file),
                "OUTPUT": str(folder / "out.tif"),
                "OUTPUT_MODEL": str(folder / "out.crimemodel"),
                "OUTPUT_REPORT": str(folder / "out.html"),
                **quick,
            },
            "classifyrisk": {
                "INPUT": forecast["OUTPUT"],
                "OUTPUT": str(folder / "out.tif"),
                "POLYGONS": table.format("b"),
            },
            "selectstudyarea": {
                "INPUT": many,
                "TIME_FIELD": "occurred",
                "OUTPUT": table.format("a"),
                "INCIDENTS": table.format("c"),
                "REFUSED": table.format("b"),
            },
            "fillheatmapgaps": {"INPUT": str(grids_file), "OUTPUT": str(folder / "out.tif")},
            "binarizeheatmaps": {"INPUT": str(grids_file), "OUTPUT": str(folder / "out.tif")},
            "upsamplerisk": {"INPUT": forecast["OUTPUT"], "OUTPUT": str(folder / "out.tif")},
        }[algorithm]

    return jobs


ALL = (
    "importincidents",
    "buildcrimeindex",
    "crimescorelayer",
    "rasterizehotspots",
    "convlstmprediction",
    "classifyrisk",
    "selectstudyarea",
    "fillheatmapgaps",
    "binarizeheatmaps",
    "upsamplerisk",
)


@pytest.fixture
def existing(tmp_path: Path) -> Path:
    """A folder with a GeoPackage that holds a table of somebody else's."""
    from osgeo import ogr

    package = ogr.GetDriverByName("GPKG").CreateDataSource(str(tmp_path / "out.gpkg"))
    layer = package.CreateLayer("precious", geom_type=ogr.wkbNone)
    layer.CreateField(ogr.FieldDefn("name", ogr.OFTString))
    feature = ogr.Feature(layer.GetLayerDefn())
    feature["name"] = "still here"
    layer.CreateFeature(feature)
    del feature, layer, package
    return tmp_path


def tables(package: Path) -> set[str]:
    with sqlite3.connect(package) as connection:
        assert connection.execute("select name from precious").fetchall() == [("still here",)]
        return {name for (name,) in connection.execute("select table_name from gpkg_contents")}


def cancelled_runs(algorithm: str, jobs: Any, folder: Path, logs: list[Any]) -> int:
    """Run once per log, each of which cancels at its moment; the last one may succeed."""
    import processing

    cancelled = 0
    for log in logs:
        context = QgsProcessingContext()
        context.setProject(QgsProject.instance())
        try:
            processing.run(f"crimerisk:{algorithm}", jobs(algorithm, folder), context=context, feedback=log)
        except QgsProcessingException as error:
            said = "\n".join([str(error), *log.errors])
            assert "Cancelled: nothing was written." in said
            assert "Traceback" not in said
            cancelled += 1
            continue
        # Cancelled after the last moment: the outputs are whole.
    return cancelled


@pytest.mark.parametrize("algorithm", ALL)
def test_cancel_at_any_moment_leaves_nothing(
    algorithm: str, jobs: Any, run: Any, log_of: type, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    whole = log_of()
    run(algorithm, log=whole, **jobs(algorithm, tmp_path_factory.mktemp("whole")))
    assert whole.calls > 1
    # At the start, at several moments on the way, and at the very last call.
    steps = sorted({0, 1, *(whole.calls * part // 6 for part in range(1, 6)), whole.calls - 2})
    for step in steps:
        done = cancelled_runs(algorithm, jobs, tmp_path, [log_of(step)])
        if done:
            assert not list(tmp_path.iterdir()), f"cancelled after {step} of {whole.calls} calls"
        else:
            for file in tmp_path.iterdir():
                file.unlink()


@pytest.mark.parametrize("algorithm", ["importincidents", "buildcrimeindex", "crimescorelayer", "classifyrisk"])
def test_cancel_keeps_the_other_tables(algorithm: str, jobs: Any, log_of: type, existing: Path) -> None:
    # At the start; and where the engine ends and the tables are written.
    for log in (log_of(0), log_of(cancel_at=60)):
        assert cancelled_runs(algorithm, jobs, existing, [log]) == 1
        assert tables(existing / "out.gpkg") == {"precious"}


@pytest.mark.parametrize("algorithm", ["importincidents", "buildcrimeindex", "crimescorelayer", "classifyrisk"])
def test_success_keeps_the_other_tables(algorithm: str, jobs: Any, run: Any, existing: Path) -> None:
    for _ in range(2):
        run(algorithm, **jobs(algorithm, existing))
        assert "precious" in tables(existing / "out.gpkg")
        assert {"a", "b"} & tables(existing / "out.gpkg")


def test_a_failure_keeps_the_file_that_was_there(refusal: Any, town_layer: Any, tmp_path: Path) -> None:
    old = tmp_path / "old.tif"
    old.write_bytes(b"precious")
    refusal("rasterizehotspots", INPUT=town_layer, TIME_FIELD="occurred", CELL_SIZE=0.5, OUTPUT=str(old))
    assert old.read_bytes() == b"precious"


def test_cancel_during_training_is_quick(
    run: Any, refusal: Any, log_of: type, grids_file: Path, tmp_path: Path
) -> None:
    import time

    class CancelsInTraining(log_of):  # type: ignore[misc, valid-type]
        asked = 0.0

        def setProgressText(self, text: str) -> None:  # noqa: N802
            if "poch" in text and not self.asked:
                self.asked = time.monotonic()
                self.cancel()

    log = CancelsInTraining()
    said = refusal(
        "convlstmprediction",
        log=log,
        INPUT=str(grids_file),
        EPOCHS=1000,
        CHANNELS=32,
        OUTPUT=str(tmp_path / "risk.tif"),
        OUTPUT_MODEL=str(tmp_path / "town.crimemodel"),
    )
    assert log.asked
    assert time.monotonic() - log.asked < 5
    assert "Cancelled: nothing was written." in said
    assert not list(tmp_path.iterdir())


def test_the_engine_killed_in_training(run: Any, refusal: Any, log_of: type, grids_file: Path, tmp_path: Path) -> None:
    import os
    import signal

    from crime_risk.bridge import client

    class Kills(log_of):  # type: ignore[misc, valid-type]
        killed = False

        def setProgressText(self, text: str) -> None:  # noqa: N802
            if "poch" in text and not self.killed:
                self.killed = True
                os.kill(client._WORKERS["batch"]._process.pid, signal.SIGKILL)

    said = refusal(
        "convlstmprediction", log=Kills(), INPUT=str(grids_file), EPOCHS=1000, OUTPUT=str(tmp_path / "risk.tif")
    )
    assert "ran out of memory" in said
    assert "smaller area" in said
    assert not list(tmp_path.iterdir())
    # The next run has an engine again.
    assert run("classifyrisk", INPUT=str(grids_file), OUTPUT=str(tmp_path / "classes.tif"))["OUTPUT"]


def test_cancel_from_another_thread(run: Any, log_of: type, grids_file: Path, tmp_path: Path) -> None:
    training = threading.Event()

    class Tells(log_of):  # type: ignore[misc, valid-type]
        def setProgressText(self, text: str) -> None:  # noqa: N802
            if "poch" in text:
                training.set()

    log = Tells()
    canceller = threading.Thread(target=lambda: (training.wait(60), log.cancel()))
    canceller.start()
    with pytest.raises(QgsProcessingException, match="Cancelled: nothing was written"):
        run(
            "convlstmprediction",
            log=log,
            INPUT=str(grids_file),
            EPOCHS=5000,
            CHANNELS=32,
            OUTPUT=str(tmp_path / "risk.tif"),
        )
    canceller.join()
    assert not list(tmp_path.iterdir())


def test_temporary_outputs(run: Any, jobs: Any, tmp_path: Path) -> None:
    for algorithm in ALL:
        parameters = jobs(algorithm, tmp_path)
        for name in ("OUTPUT", "REFUSED", "POLYGONS", "INCIDENTS", "OUTPUT_MODEL", "OUTPUT_REPORT"):
            if name in parameters:
                parameters[name] = "TEMPORARY_OUTPUT"
        ran = run(algorithm, **parameters)
        assert ran["OUTPUT"]
    assert not list(tmp_path.iterdir())
    assert QgsApplication.instance() is not None


@pytest.mark.parametrize("name", ["a.gpkg", "a.shp", "a.geojson", "a.kml", "a.fgb"])
@pytest.mark.parametrize("wrapped", [False, True])
def test_cancel_leaves_nothing_of_any_format(
    name: str, wrapped: bool, run: Any, log_of: Any, index_file: Path, tmp_path: Path
) -> None:
    target = str(tmp_path / name)
    output = QgsProcessingOutputLayerDefinition(target) if wrapped else target
    whole = run("crimescorelayer", INDEX=str(index_file), SPACING=15, OUTPUT=output)
    # Several batches of features, so that there is a moment between two of them.
    assert whole["COUNT"] > 10_000
    assert (tmp_path / name).is_file()
    for file in tmp_path.iterdir():
        file.unlink()
    with pytest.raises(QgsProcessingException, match="Cancelled"):
        run("crimescorelayer", log=log_of(cancel_at=90.5), INDEX=str(index_file), SPACING=15, OUTPUT=output)
    assert not list(tmp_path.iterdir())


def test_cancelled_before_it_began(run: Any, log_of: Any, jobs: Any, tmp_path: Path) -> None:
    for algorithm in ALL:
        log = log_of()
        log.cancel()
        with pytest.raises(QgsProcessingException, match="Cancelled: nothing was written"):
            run(algorithm, log=log, **jobs(algorithm, tmp_path))
        assert not list(tmp_path.iterdir())


def test_an_input_is_never_overwritten(
    run: Any, refusal: Any, forecast: Any, index_file: Path, town_layer: Any, tmp_path: Path
) -> None:
    import shutil

    import processing

    raster, package = tmp_path / "risk.tif", tmp_path / "town.gpkg"
    shutil.copy(forecast["OUTPUT"], raster)
    processing.run("native:savefeatures", {"INPUT": town_layer, "OUTPUT": str(package)})
    before = {file: file.read_bytes() for file in (raster, package)}
    for algorithm, parameters in (
        ("classifyrisk", {"INPUT": str(raster), "OUTPUT": str(raster)}),
        ("classifyrisk", {"INPUT": str(raster), "POLYGONS": str(raster), "OUTPUT": "TEMPORARY_OUTPUT"}),
        ("crimescorelayer", {"INDEX": str(index_file), "POINTS": str(package), "OUTPUT": str(package)}),
        ("buildcrimeindex", {"INPUT": str(package), "TIME_FIELD": "occurred", "OUTPUT": str(package)}),
    ):
        said = refusal(algorithm, **parameters)
        assert "is also an input and would be overwritten. Choose another file." in said
        assert {file: file.read_bytes() for file in before} == before
    # A table of its own beside the input's is what the shipped model writes.
    table = f"ogr:dbname='{package}' table=\"scores\" (geom)"
    run("crimescorelayer", INDEX=str(index_file), POINTS=f"{package}|layername=town", OUTPUT=table)


def test_a_raster_is_a_geotiff(refusal: Any, town_layer: Any, tmp_path: Path) -> None:
    said = refusal("rasterizehotspots", INPUT=town_layer, TIME_FIELD="occurred", OUTPUT=str(tmp_path / "a.png"))
    assert "rasters are written as GeoTIFF" in said
    assert "ends in .tif" in said


def test_links_to_an_input(refusal: Any, forecast: Any, town_layer: Any, tmp_path: Path) -> None:
    import os
    import shutil

    import processing

    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    raster, package = tmp_path / "real" / "risk.tif", tmp_path / "real" / "town.gpkg"
    shutil.copy(forecast["OUTPUT"], raster)
    processing.run("native:savefeatures", {"INPUT": town_layer, "OUTPUT": str(package)})
    (tmp_path / "soft.tif").symlink_to(raster)
    os.link(raster, tmp_path / "hard.tif")
    before = {file: file.read_bytes() for file in (raster, package)}
    rasters = [tmp_path / "link" / "risk.tif", tmp_path / "soft.tif", tmp_path / "hard.tif"]
    rasters.append(tmp_path / "link" / ".." / "real" / "risk.tif")
    table = f"ogr:dbname='{tmp_path / 'link' / 'town.gpkg'}' table=\"Town\" (geom)"
    town = {"INPUT": str(package), "TIME_FIELD": "occurred", "OUTPUT": str(tmp_path / "a.crimeindex")}
    for algorithm, parameters in (
        *(("classifyrisk", {"INPUT": str(raster), "OUTPUT": str(path)}) for path in rasters),
        ("classifyrisk", {"INPUT": str(tmp_path / "soft.tif"), "OUTPUT": str(raster)}),
        # The input names no table, but it has one.
        ("buildcrimeindex", {**town, "REFUSED": table}),
    ):
        said = refusal(algorithm, **parameters)
        assert "is also an input and would be overwritten. Choose another file." in said
        assert {file: file.read_bytes() for file in before} == before


def test_two_outputs_to_one_file(refusal: Any, jobs: Any, tmp_path: Path) -> None:
    file = str(tmp_path / "same.gpkg")
    table = f"ogr:dbname='{tmp_path / 'out.gpkg'}' table=\"{{}}\" (geom)"
    for algorithm, first, second, parameters in (
        ("importincidents", "OUTPUT", "REFUSED", {"OUTPUT": file, "REFUSED": file}),
        ("importincidents", "OUTPUT", "REFUSED", {"OUTPUT": file, "REFUSED": QgsProcessingOutputLayerDefinition(file)}),
        ("importincidents", "OUTPUT", "REFUSED", {"OUTPUT": table.format("a"), "REFUSED": table.format("A")}),
        ("importincidents", "OUTPUT", "REFUSED", {"OUTPUT": str(tmp_path / "out.gpkg")}),
        ("importincidents", "OUTPUT", "REFUSED", {"REFUSED": str(tmp_path / "." / "out.gpkg")}),
        ("buildcrimeindex", "OUTPUT", "REFUSED", {"OUTPUT": file, "REFUSED": file}),
        ("convlstmprediction", "OUTPUT_MODEL", "OUTPUT_REPORT", {"OUTPUT_MODEL": file, "OUTPUT_REPORT": file}),
    ):
        said = refusal(algorithm, **{**jobs(algorithm, tmp_path), **parameters})
        assert f"{first} and {second} both go to {tmp_path}" in said
        assert "Choose another file for one of them" in said
        assert not list(tmp_path.iterdir())


def test_what_cannot_be_removed_hides_nothing(
    jobs: Any, run: Any, log_of: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from crime_risk.bridge import outputs

    discard = outputs.discard

    def stuck(path: str) -> None:
        if "a.tif" in path:
            raise PermissionError("the file is used by another program")
        discard(path)

    monkeypatch.setattr(outputs, "discard", stuck)
    parameters = {
        **jobs("classifyrisk", tmp_path),
        "OUTPUT": str(tmp_path / "a.tif"),
        "POLYGONS": str(tmp_path / "b.fgb"),
    }
    # The raster is written by then, the polygons are not.
    log = log_of(cancel_at=90.5)
    with pytest.raises(QgsProcessingException, match="Cancelled: nothing was written"):
        run("classifyrisk", log=log, **parameters)
    assert [file.name for file in tmp_path.glob("*.tif")] == ["a.tif"]
    (warning,) = (line for line in log.warnings if "could not be removed" in line)
    assert str(tmp_path / "a.tif") in warning
    assert "used by another program" in warning
    assert "remove it yourself" in warning


def test_cancel_before_the_sink_keeps_what_was_there(jobs: Any, run: Any, log_of: Any, tmp_path: Path) -> None:
    """Making a sink empties an existing file, so it is not made for a run that is already cancelled."""
    old = tmp_path / "old.gpkg"
    run("importincidents", **{**jobs("importincidents", tmp_path), "OUTPUT": str(old)})
    before = old.read_bytes()
    with pytest.raises(QgsProcessingException, match="Cancelled: nothing was written"):
        run("importincidents", log=log_of(1), **{**jobs("importincidents", tmp_path), "OUTPUT": str(old)})
    assert old.read_bytes() == before


@pytest.mark.parametrize("name", ["town.idx", "town", "town.crimeindex.bak"])
@pytest.mark.parametrize(
    ("algorithm", "output", "ending"),
    [
        ("buildcrimeindex", "OUTPUT", "crimeindex"),
        ("trainforecastmodel", "MODEL", "crimemodel"),
        ("convlstmprediction", "OUTPUT_MODEL", "crimemodel"),
        ("trainscoremodel", "MODEL", "crimescore"),
    ],
)
def test_a_name_that_later_steps_would_refuse_is_refused_before_any_work(
    algorithm: str,
    output: str,
    ending: str,
    name: str,
    refusal: Any,
    engine: Any,
    town_layer: Any,
    grids_file: Path,
    index_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given: dict[str, dict[str, Any]] = {
        "buildcrimeindex": {"INPUT": town_layer, "TIME_FIELD": "occurred"},
        "trainforecastmodel": {"INPUT": str(grids_file)},
        "convlstmprediction": {"INPUT": str(grids_file), "OUTPUT": str(tmp_path / "risk.tif")},
        "trainscoremodel": {"INPUT": str(index_file)},
    }
    asked: list[str] = []
    monkeypatch.setattr(engine, "call", lambda job, *_, **__: asked.append(job))
    path = tmp_path / name
    said = refusal(algorithm, **{**given[algorithm], output: str(path)})
    assert f"{output} is {path}; choose a file that ends in .{ending}." in said
    assert asked == []
    assert not list(tmp_path.iterdir())


def test_an_ending_in_capitals_is_taken_by_the_step_after(run: Any, town_layer: Any, tmp_path: Path) -> None:
    index = run("buildcrimeindex", INPUT=town_layer, TIME_FIELD="occurred", OUTPUT=str(tmp_path / "TOWN.CRIMEINDEX"))
    scored = run("crimescorelayer", INDEX=index["OUTPUT"], SPACING=500, OUTPUT="memory:")
    assert scored["COUNT"] > 0


def test_a_name_that_qgis_makes_is_taken_by_the_step_after(run: Any, grids_file: Path, tmp_path: Path) -> None:
    given = {"INPUT": str(grids_file), "MODEL_KIND": 1}
    trained = run("trainforecastmodel", **given, MODEL="TEMPORARY_OUTPUT")
    risk = str(tmp_path / "risk.tif")
    assert run("forecastrisk", INPUT=str(grids_file), MODEL=trained["MODEL"], OUTPUT=risk)["OUTPUT"] == risk


def test_a_report_may_have_any_ending(run: Any, grids_file: Path, tmp_path: Path) -> None:
    """No later step reads it."""
    report = str(tmp_path / "report.htm")
    given = {"INPUT": str(grids_file), "MODEL_KIND": 1, "MODEL": "TEMPORARY_OUTPUT"}
    assert run("trainforecastmodel", **given, REPORT=report)["REPORT"] == report


@pytest.mark.parametrize("ending", ["csv", "xlsx", "ods", "TXT"])
@pytest.mark.parametrize(
    ("algorithm", "output", "places"),
    [
        ("importincidents", "OUTPUT", "points"),
        ("selectstudyarea", "OUTPUT", "areas"),
        ("selectstudyarea", "INCIDENTS", "points"),
        ("classifyrisk", "POLYGONS", "areas"),
        ("crimescorelayer", "OUTPUT", "points"),
    ],
)
def test_places_do_not_go_where_they_would_be_lost(
    algorithm: str, output: str, places: str, ending: str, refusal: Any, jobs: Any, tmp_path: Path
) -> None:
    file = tmp_path / f"a.{ending}"
    said = refusal(algorithm, **{**jobs(algorithm, tmp_path), output: str(file)})
    assert f"The destination of {output} is {file}, but a .{ending.lower()} file cannot hold {places}" in said
    assert "choose a GeoPackage (.gpkg)" in said
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("ending", ["csv", "xlsx", "ods", "gpkg", "dbf"])
def test_a_table_goes_to_any_format_of_tables(ending: str, run: Any, jobs: Any, tmp_path: Path) -> None:
    file = tmp_path / f"refused.{ending}"
    ran = run("importincidents", **{**jobs("importincidents", tmp_path), "REFUSED": str(file)})
    # QGIS adds the ending of a GeoPackage to one that it does not write.
    assert Path(ran["REFUSED"]) == (file.with_name("refused.dbf.gpkg") if ending == "dbf" else file)
    assert QgsVectorLayer(ran["REFUSED"], "read", "ogr").featureCount() == 1200


@pytest.mark.parametrize("ending", ["shp", "txt"])
def test_a_table_does_not_go_where_only_places_are_held(ending: str, refusal: Any, jobs: Any, tmp_path: Path) -> None:
    file = tmp_path / f"refused.{ending}"
    said = refusal("importincidents", **{**jobs("importincidents", tmp_path), "REFUSED": str(file)})
    assert f"The destination of REFUSED is {file}, but a .{ending} file cannot hold a table without places." in said
    assert not list(tmp_path.iterdir())


def test_a_shapefile_is_warned_of_where_times_go_to_it(run: Any, jobs: Any, tmp_path: Path) -> None:
    def list_warnings(algorithm: str, output: str, ending: str) -> list[str]:
        given = {**jobs(algorithm, tmp_path), output: str(tmp_path / f"{algorithm}{output}.{ending}")}
        return [line for line in run(algorithm, **given).log.warnings if "shapefile" in line]

    for algorithm, output in (("importincidents", "OUTPUT"), ("selectstudyarea", "INCIDENTS")):
        (warning,) = list_warnings(algorithm, output, "shp")
        assert warning.startswith(f"{output} goes to a shapefile, {tmp_path}/{algorithm}{output}.shp, which keeps")
        assert "ten letters" in warning
        assert "GeoPackage (.gpkg)" in warning
        assert not list_warnings(algorithm, output, "fgb")
    # What is said of shapefiles is so.
    layer = QgsVectorLayer(str(tmp_path / "importincidentsOUTPUT.shp"), "read", "ogr")
    assert layer.fields().field("occurred").typeName() == "String"
    # Areas have no times.
    assert not list_warnings("selectstudyarea", "OUTPUT", "shp")
