"""Which incidents, which area, which period, which maps: the choices before a forecast, alone and in a model."""

from __future__ import annotations

import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kit.layers import EAST, METRES, NORTH, make_square, read_bands
from qgis.core import (
    Qgis,
    QgsCoordinateReferenceSystem,
    QgsFeature,
    QgsGeometry,
    QgsProcessingContext,
    QgsProcessingModelAlgorithm,
    QgsProcessingModelChildAlgorithm,
    QgsProcessingModelChildParameterSource,
    QgsProcessingModelOutput,
    QgsProcessingModelParameter,
    QgsProcessingParameterFile,
    QgsProcessingUtils,
    QgsProject,
    QgsRasterLayer,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import Qt


@pytest.fixture(scope="module")
def scattered(points: Any, town: Any) -> QgsVectorLayer:
    """The town, six incidents 60 km away from it in a year of their own, and one without a time."""
    rows = list(town)
    for number in range(6):
        when = datetime.datetime(2023, 3, 1 + number, 8)
        rows.append((EAST + 60_000, NORTH + 10 * number, when, "Theft"))
    rows.append((EAST, NORTH, None, "Theft"))
    return points(rows)


def given(layer: QgsVectorLayer, **parameters: Any) -> dict[str, Any]:
    return {"INPUT": layer, "TIME_FIELD": "occurred", **parameters}


@pytest.fixture(scope="module")
def area(run: Any, scattered: QgsVectorLayer, tmp_path_factory: pytest.TempPathFactory) -> Any:
    target = f"ogr:dbname='{tmp_path_factory.mktemp('área') / 'a.gpkg'}' table=\"{{}}\" (geom)"
    return run(
        "selectstudyarea",
        **given(scattered, OUTPUT=target.format("area"), INCIDENTS=target.format("kept"), REFUSED="memory:"),
    )


def test_the_box_leaves_the_far_ones_out(area: Any, scattered: QgsVectorLayer) -> None:
    assert (area["REFUSED_COUNT"], area["COUNT"] + area["LEFT_OUT"]) == (1, 306)
    assert 285 <= area["COUNT"] <= 300
    assert f"{area['LEFT_OUT']} of 306 incidents" in area.log.text
    layer = area.layer()
    assert layer.crs().authid() == METRES
    assert len(list(layer.getFeatures())) == 1
    feature = next(layer.getFeatures())
    assert (feature["method"], feature["incidents"], feature["left_out"]) == ("share", area["COUNT"], area["LEFT_OUT"])
    assert feature["share"] == pytest.approx(area["COUNT"] / 306)
    box = feature.geometry().boundingBox()
    assert feature["area_km2"] == pytest.approx(box.width() * box.height() / 1e6) == pytest.approx(area["AREA"])
    assert EAST < box.xMinimum() < box.xMaximum() < EAST + 5000
    assert area["EXTENT"].startswith(f"{box.xMinimum():.3f},{box.xMaximum():.3f},")
    assert area["EXTENT"].endswith(f"[{METRES}]")


def test_it_loads_as_an_outline_with_its_history(area: Any) -> None:
    layer = area.layer()
    symbol = layer.renderer().symbol().symbolLayer(0)
    assert symbol.brushStyle() == Qt.BrushStyle.NoBrush
    assert layer.listStylesInDatabase()[0] == 1
    assert "Select study area" in "\n".join(layer.metadata().history())


def test_the_incidents_inside_are_those_of_the_layer(area: Any, scattered: QgsVectorLayer) -> None:
    kept = area.layer("INCIDENTS")
    assert len(list(kept.getFeatures())) == area["COUNT"]
    assert kept.crs() == scattered.crs()
    assert [field.name() for field in kept.fields()][-2:] == ["occurred", "category"]
    refused = list(area.layer("REFUSED").getFeatures())
    assert [feature["reason"] for feature in refused] == ["no time given"]
    places = {feature.geometry().asWkt(9) for feature in scattered.getFeatures()}
    assert {feature.geometry().asWkt(9) for feature in kept.getFeatures()} < places


def test_rows_and_columns_by_events(run: Any, scattered: QgsVectorLayer) -> None:
    ran = run("selectstudyarea", **given(scattered, METHOD=1, EVENTS=7, CELL_SIZE=500, OUTPUT="memory:"))
    assert (ran["COUNT"] + ran["LEFT_OUT"], ran["CELL"]) == (306, 500)
    assert ran["LEFT_OUT"] >= 6
    box = next(ran["OUTPUT"].getFeatures()).geometry().boundingBox()
    assert box.xMinimum() % 500 == box.yMaximum() % 500 == 0
    all_of_them = run("selectstudyarea", **given(scattered, METHOD=1, EVENTS=1, OUTPUT="memory:"))
    assert all_of_them["LEFT_OUT"] == 0


def polygons(*texts: str) -> QgsVectorLayer:
    layer = QgsVectorLayer(f"Polygon?crs={METRES}", "districts", "memory")
    features = []
    for text in texts:
        feature = QgsFeature()
        feature.setGeometry(QgsGeometry.fromWkt(text))
        features.append(feature)
    layer.dataProvider().addFeatures(features)
    layer.updateExtents()
    QgsProject.instance().addMapLayer(layer, False)
    return layer


def test_any_polygons(run: Any, points: Any) -> None:
    noon = datetime.datetime(2024, 1, 1, 12)
    rows = [(EAST + x, NORTH + y, noon, "Theft") for x, y in ((50, 50), (150, 50), (250, 50), (950, 50), (50, 950))]
    # Two districts side by side and one that overlaps them: a place in both counts once.
    districts = polygons(make_square(0, 0, 100), make_square(100, 0, 100), make_square(20, 0, 100))
    ran = run(
        "selectstudyarea", **given(points(rows), METHOD=2, POLYGONS=districts, OUTPUT="memory:", INCIDENTS="memory:")
    )
    assert (ran["COUNT"], ran["LEFT_OUT"]) == (2, 3)
    assert ran["INCIDENTS"].featureCount() == 2
    assert "3 of 5 incidents (60.0%) lie outside the study area" in "\n".join(ran.log.warnings)
    feature = next(ran["OUTPUT"].getFeatures())
    assert feature.geometry().area() == pytest.approx(200 * 100, rel=1e-6), "the lines between districts are gone"
    assert ran["OUTPUT"].wkbType() == Qgis.WkbType.MultiPolygon


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"METHOD": 2}, "POLYGONS is empty. Choose a polygon layer, or another METHOD"),
        ({"SHARE": 0}, "SHARE is 0; give a number from 1 to 100"),
        ({"EVENTS": 0}, "EVENTS is 0; give a whole number from 1"),
        ({"METHOD": 1, "EVENTS": 5000}, "No row or column of the grid holds 5,000 incidents"),
        ({"CELL_SIZE": -1}, "CELL_SIZE is -1; it must be greater than 0"),
        ({"CELL_SIZE": 10}, "the limit is 1,000. Choose a larger cell size"),
        ({"METHOD": 7}, "METHOD is 7; choose one of 0: Smallest box"),
        ({"TIME_FIELD": "when"}, "the layer has no field when"),
    ],
)
def test_no_study_area(parameters: dict[str, Any], sentence: str, refusal: Any, scattered: Any, tmp_path: Path) -> None:
    output = tmp_path / "a.gpkg"
    assert sentence in refusal("selectstudyarea", **{**given(scattered), "OUTPUT": str(output), **parameters})
    assert not output.exists()


def test_no_incident_in_the_polygons(refusal: Any, town_layer: Any) -> None:
    away = polygons(make_square(90_000, 0, 100))
    said = refusal("selectstudyarea", **given(town_layer, METHOD=2, POLYGONS=away, OUTPUT="memory:"))
    assert "None of the 300 incidents lies inside the polygons" in said


def test_the_period(run: Any, scattered: QgsVectorLayer, tmp_path: Path) -> None:
    report = tmp_path / "informe año.html"
    ran = run("selectperiod", **given(scattered, REPORT=str(report), INCIDENTS="memory:", REFUSED="memory:"))
    # 40 days from 2024-01-01: January holds 31/40 of 300 incidents, February up to the 9th; both are useful by half of
    # the median of 6, 68 and 232 or so.
    assert (ran["START"], ran["END"]) == ("2024-01-01T00:00:00", "2024-02-10T00:00:00")
    assert (ran["COUNT"], ran["LEFT_OUT"], ran["MONTHS"], ran["REFUSED_COUNT"]) == (300, 6, 2, 1)
    assert ran["INCIDENTS"].featureCount() == 300
    assert "6 of 306 incidents (2.0%) lie outside the period and are left out" in ran.log.text
    assert "2 of 12 months chosen" in ran.log.text
    kept = "Mon 1 Jan – Fri 9 Feb 2024 is kept: 2 of 12 months, with 300 of 306 incidents; 6 (1.96"
    assert kept in " ".join(report.read_text(encoding="utf-8").split())
    fuller = run("selectperiod", **given(scattered, LEAST=100))
    assert (fuller["START"], fuller["END"], fuller["LIMIT"]) == ("2024-01-01T00:00:00", "2024-02-01T00:00:00", 100)
    assert "REPORT" not in fuller.results


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"LEAST": 5000}, "No month holds 5,000 incidents; the fullest, 2024-01, holds"),
        ({"LEAST": 0}, "LEAST is 0; give a number from 1"),
        ({"SHARE": -3}, "SHARE is -3; give a number from 1 to 1000"),
        ({"INPUT": None}, "INPUT is empty"),
        ({"FILTER": "\"category\" = 'Arson'"}, "has no incident to use"),
    ],
)
def test_no_period(parameters: dict[str, Any], sentence: str, refusal: Any, scattered: Any, tmp_path: Path) -> None:
    report = tmp_path / "r.html"
    assert sentence in refusal("selectperiod", **{**given(scattered), "REPORT": str(report), **parameters})
    assert not report.exists()


def test_a_report_that_cannot_be_written_or_is_cancelled(
    refusal: Any, run: Any, log_of: Any, scattered: Any, tmp_path: Path
) -> None:
    said = refusal("selectperiod", **given(scattered, REPORT=str(tmp_path / "no" / "r.html")))
    assert "The destination of REPORT" in said
    assert "lies in a folder that does not exist" in said
    whole = log_of()
    run("selectperiod", log=whole, **given(scattered, INCIDENTS="memory:", REFUSED="memory:"))
    for step in (0, whole.calls // 2, whole.calls - 2):
        targets = {"REPORT": str(tmp_path / "r.html"), "INCIDENTS": str(tmp_path / "i.gpkg")}
        said = refusal("selectperiod", log=log_of(step), **given(scattered, REFUSED="memory:", **targets))
        assert "Cancelled: nothing was written." in said
        assert not list(tmp_path.iterdir())


@pytest.fixture(scope="module")
def gappy(run: Any, points: Any, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Four days of one cell: two incidents, nothing, nothing, five incidents."""
    rows = [(EAST, NORTH, datetime.datetime(2024, 1, 1, hour), "Theft") for hour in range(2)]
    rows += [(EAST, NORTH, datetime.datetime(2024, 1, 4, hour), "Theft") for hour in range(5)]
    path = tmp_path_factory.mktemp("gaps") / "days.tif"
    run("rasterizehotspots", **given(points(rows), CELL_SIZE=100, OUTPUT=str(path)))
    return str(path)


def values(path: str) -> list[float]:
    """Read the values in the study area, map by map."""
    bands = read_bands(path, nan=True)
    return bands[~np.isnan(bands)].tolist()


def tag(path: str, name: str) -> str | None:
    from osgeo import gdal

    return gdal.Open(path).GetMetadataItem(name)


def test_linear_filling_says_that_it_looks_ahead(run: Any, gappy: str, tmp_path: Path) -> None:
    ran = run("fillheatmapgaps", INPUT=gappy, METHOD=1, OUTPUT=str(tmp_path / "filled.tif"))
    assert values(ran["OUTPUT"]) == [2, 3, 4, 5]
    assert (ran["BINS"], ran["GAPS_FOUND"], ran["OBSERVED"]) == (4, 2, 2)
    assert "looks ahead" in "\n".join(ran.log.warnings)
    assert tag(ran["OUTPUT"], "CRIMERISK_FILLED_LOOKS_AHEAD") == "1"
    assert tag(ran["OUTPUT"], "CRIMERISK_UNOBSERVED") == "1 2"
    layer = ran.layer()
    assert "they look ahead" in layer.metadata().abstract()
    assert "Fill heatmap gaps" in "\n".join(layer.metadata().history())
    assert layer.temporalProperties().isActive()
    assert len(layer.temporalProperties().fixedRangePerBand()) == 4
    binary = run("binarizeheatmaps", INPUT=ran["OUTPUT"], THRESHOLD=3, OUTPUT=str(tmp_path / "binary.tif"))
    assert values(binary["OUTPUT"]) == [0, 0, 1, 1]
    assert (binary["HOTSPOTS"], binary["SHARE"]) == (2, 0.5)
    assert tag(binary["OUTPUT"], "CRIMERISK_UNOBSERVED") == "1 2"
    assert "they look ahead" in binary.layer().metadata().abstract()


def test_carried_forward_and_only_marked(run: Any, gappy: str, tmp_path: Path) -> None:
    ran = run("fillheatmapgaps", INPUT=gappy, OUTPUT=str(tmp_path / "filled.tif"))
    assert values(ran["OUTPUT"]) == [2, 2, 2, 5]
    assert "looks ahead" not in ran.log.text
    # Two empty maps of four may well be chance.
    assert ["2 maps are without any incident" in line for line in ran.log.warnings] == [True]
    assert "repeat the last observed one" in ran.layer().metadata().abstract()
    marked = run("fillheatmapgaps", INPUT=gappy, METHOD=2, OUTPUT=str(tmp_path / "marked.tif"))
    assert values(marked["OUTPUT"]) == [2, 0, 0, 5]
    assert tag(marked["OUTPUT"], "CRIMERISK_UNOBSERVED") == "1 2"
    quiet = run("fillheatmapgaps", INPUT=gappy, GAPS=1, OUTPUT=str(tmp_path / "quiet.tif"))
    assert values(quiet["OUTPUT"]) == [2, 0, 0, 5]
    assert quiet["GAPS_FOUND"] == 0
    # What is marked can be filled later.
    later = run("fillheatmapgaps", INPUT=marked["OUTPUT"], GAPS=1, METHOD=1, OUTPUT=str(tmp_path / "later.tif"))
    assert values(later["OUTPUT"]) == [2, 3, 4, 5]


@pytest.mark.parametrize("algorithm", ["fillheatmapgaps", "binarizeheatmaps"])
def test_not_a_stack_of_ours(algorithm: str, refusal: Any, forecast: Any, tmp_path: Path) -> None:
    output = tmp_path / "o.tif"
    said = refusal(algorithm, INPUT=forecast["OUTPUT"], OUTPUT=str(output))
    assert "is a raster, but not a stack of hotspot grids" in said
    assert "Make it with Rasterize hotspot grids" in said
    missing = tmp_path / "missing.tif"
    assert "is missing, truncated or no raster" in refusal(algorithm, INPUT=str(missing), OUTPUT=str(output))
    assert not output.exists()


def test_a_threshold_below_nothing(refusal: Any, gappy: str, tmp_path: Path) -> None:
    said = refusal("binarizeheatmaps", INPUT=gappy, THRESHOLD=-1, OUTPUT=str(tmp_path / "o.tif"))
    assert "THRESHOLD is -1; give a number from 0" in said


def test_one_stack_a_category(run: Any, town_layer: Any, tmp_path: Path) -> None:
    folder = tmp_path / "por categoría"
    ran = run(
        "rasterizehotspots",
        **given(
            town_layer, CATEGORY_FIELD="category", CELL_SIZE=250, STACKS=str(folder), OUTPUT=str(tmp_path / "o.tif")
        ),
    )
    assert ran["STACKS"] == str(folder)
    assert ran["CATEGORY_COUNT"] == 2
    assert sorted(path.name for path in folder.glob("*.tif")) == ["Burglary.tif", "Theft.tif"]
    total = values(ran["OUTPUT"])
    parts = [values(str(folder / name)) for name in ("Burglary.tif", "Theft.tif")]
    assert [sum(cell) for cell in zip(*parts)] == total
    assert sum(parts[1]) == 75
    layer = QgsRasterLayer(str(folder / "Theft.tif"), "Theft")
    assert layer.renderer().type() == "singlebandpseudocolor", "the style lies beside the file"
    assert len(layer.temporalProperties().fixedRangePerBand()) == layer.bandCount() == 40
    # Into the same folder again, over what was there.
    again = run(
        "rasterizehotspots",
        **given(
            town_layer,
            CATEGORY_FIELD="category",
            CATEGORIES="theft",
            CELL_SIZE=500,
            STACKS=str(folder),
            OUTPUT=str(tmp_path / "again.tif"),
        ),
    )
    assert again["CATEGORY_COUNT"] == 1
    assert f"Replaced in {folder}: Theft.tif" in again.log.text
    assert QgsRasterLayer(str(folder / "Theft.tif"), "Theft").rasterUnitsPerPixelX() == 500
    assert QgsRasterLayer(str(folder / "Burglary.tif"), "Burglary").rasterUnitsPerPixelX() == 250
    assert not list(folder.glob(".*")), "nothing is left of the swap"


def test_stacks_overwrite_nothing_else(refusal: Any, town_layer: Any, tmp_path: Path) -> None:
    """Neither a file that is no stack, nor OUTPUT in the same folder; and then none of them is written."""
    folder = tmp_path / "stacks"
    folder.mkdir()
    usual = given(town_layer, CATEGORY_FIELD="category", CELL_SIZE=250, STACKS=str(folder))
    said = refusal("rasterizehotspots", **usual, OUTPUT=str(folder / "Theft.tif"))
    assert f"OUTPUT is {folder / 'Theft.tif'}, which is also the file of a category in STACKS" in said
    assert not list(folder.iterdir())
    (folder / "Theft.tif").write_bytes(b"precious")
    said = refusal("rasterizehotspots", **usual, OUTPUT=str(tmp_path / "o.tif"))
    assert f"STACKS is {folder}, where Theft.tif would be overwritten" in said
    assert "Choose another folder." in said
    assert [file.read_bytes() for file in folder.iterdir()] == [b"precious"]
    assert not (tmp_path / "o.tif").exists()


def test_stacks_come_all_or_none(plugin: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second cannot be put in its place: the folder is what it was."""
    from crime_risk.algorithms import stacks

    made, target = tmp_path / "made", tmp_path / "target"
    for folder, names in ((made, "abc"), (target, "ab")):
        folder.mkdir()
        for name in names:
            (folder / name).write_text(f"{folder.name} {name}")
    replace = Path.replace

    def stuck(source: Path, place: Path) -> Path:
        if source.name == ".b.new":
            raise PermissionError(13, "the file is used by another program")
        return replace(source, place)

    monkeypatch.setattr(stacks, "_is_stack", lambda path: True)
    monkeypatch.setattr(Path, "replace", stuck)
    with pytest.raises(Exception, match=r"STACKS: .* cannot be written \(the file is used by another program\)"):
        stacks.bring(made, target, ["a", "b", "c"], str(tmp_path / "o.tif"))
    assert {file.name: file.read_text() for file in target.iterdir()} == {"a": "target a", "b": "target b"}


def test_stacks_that_cannot_be_written(refusal: Any, town_layer: Any, tmp_path: Path) -> None:
    output = str(tmp_path / "o.tif")
    said = refusal("rasterizehotspots", **given(town_layer, STACKS=str(tmp_path / "s"), OUTPUT=output))
    assert f"STACKS is {tmp_path / 's'}, but CATEGORY_FIELD is empty. Choose the field that holds" in said
    more = {"CATEGORY_FIELD": "category", "OUTPUT": output}
    nowhere = tmp_path / "no" / "s"
    said = refusal("rasterizehotspots", **given(town_layer, STACKS=str(nowhere), **more))
    assert f"The destination of STACKS, {nowhere}, lies in a folder that does not exist" in said
    (tmp_path / "file").write_text("x")
    said = refusal("rasterizehotspots", **given(town_layer, STACKS=str(tmp_path / "file"), **more))
    assert "STACKS" in said
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file"]


@pytest.mark.parametrize(
    ("unit", "length", "bins"),
    # 40 days from a Monday on; the last day ends with the hour of its last incident.
    [(0, 1, range(937, 961)), (0, 6, range(157, 161)), (1, 1, [40]), (2, 1, [6]), (3, 1, [2])],
)
def test_from_an_hour_to_a_month(unit: int, length: int, bins: Any, run: Any, town_layer: Any, tmp_path: Path) -> None:
    ran = run(
        "rasterizehotspots",
        **given(town_layer, BIN_UNIT=unit, BIN_LENGTH=length, CELL_SIZE=777, OUTPUT=str(tmp_path / "o.tif")),
    )
    assert ran["BINS"] in bins
    assert ran["COUNT"] == 300
    layer = ran.layer()
    ranges = list(layer.temporalProperties().fixedRangePerBand().values())
    assert all(one.end() == two.begin() for one, two in pairwise(ranges))
    assert layer.metadata().extent().temporalExtents()[0].begin() == ranges[0].begin()


Source = QgsProcessingModelChildParameterSource


def chain() -> QgsProcessingModelAlgorithm:
    """Import, study area, period, grids, gaps, classes, as one would draw it in the model designer."""
    made, fixed = Source.fromChildOutput, Source.fromStaticValue
    found = {"INPUT": made("import", "OUTPUT"), "TIME_FIELD": fixed("occurred")}
    steps: list[tuple[str, str, dict[str, Any], dict[str, str]]] = [
        ("import", "importincidents", {"INPUT": Source.fromModelParameter("csv")}, {}),
        ("area", "selectstudyarea", {**found, "SHARE": fixed(90)}, {"OUTPUT": "area"}),
        ("period", "selectperiod", found, {"REPORT": "report"}),
        (
            "grids",
            "rasterizehotspots",
            {
                **found,
                "STUDY_AREA": made("area", "OUTPUT"),
                "START": made("period", "START"),
                "END": made("period", "END"),
                "CELL_SIZE": fixed(500),
                "BIN_UNIT": fixed(0),
                "BIN_LENGTH": fixed(6),
            },
            {"OUTPUT": "grids"},
        ),
        ("fill", "fillheatmapgaps", {"INPUT": made("grids", "OUTPUT"), "METHOD": fixed(1)}, {"OUTPUT": "filled"}),
        ("classes", "classifyrisk", {"INPUT": made("fill", "OUTPUT"), "OVER": fixed(1)}, {"OUTPUT": "classes"}),
    ]
    model = QgsProcessingModelAlgorithm("selection", "tests", "tests")
    model.addModelParameter(QgsProcessingParameterFile("csv", "CSV file"), QgsProcessingModelParameter("csv"))
    for name, algorithm, parameters, outputs in steps:
        child = QgsProcessingModelChildAlgorithm(f"crimerisk:{algorithm}")
        child.setChildId(name)
        child.setDescription(name)
        for key, source in parameters.items():
            child.addParameterSources(key, [source])
        final = {}
        for key, title in outputs.items():
            final[title] = QgsProcessingModelOutput(title, title)
            final[title].setChildId(name)
            final[title].setChildOutputName(key)
        child.setModelOutputs(final)
        model.addChildAlgorithm(child)
    model.updateDestinationParameters()
    assert not [why for child in model.childAlgorithms() for why in model.validateChildAlgorithm(child)[1]]
    return model


FILES = {"area": "gpkg", "report": "html", "grids": "tif", "filled": "tif", "classes": "tif"}


def test_in_a_model(log_of: Any, engine: Any, tmp_path: Path) -> None:
    """The period's start and end, and the study area, go from step to step."""
    csv = tmp_path / "city.csv"
    engine.call("simulate", {"path": str(csv), "incidents": 1500, "days": 45, "seed": 3})
    context = QgsProcessingContext()
    context.setProject(QgsProject.instance())
    files = {name: str(tmp_path / f"{name}.{kind}") for name, kind in FILES.items()}
    log = log_of()
    _, fine = chain().run({"csv": str(csv), **files}, context, log)
    assert fine, log.errors
    assert "looks ahead" in "\n".join(log.warnings)
    grids = QgsProcessingUtils.mapLayerFromString(files["grids"], context)
    classes = QgsRasterLayer(files["classes"], "classes")
    area = QgsVectorLayer(files["area"], "area")
    assert (tmp_path / "report.html").stat().st_size > 1000
    assert grids.bandCount() == classes.bandCount()
    first = grids.temporalProperties().fixedRangePerBand()[1]
    assert first.begin().toString("yyyy-MM-ddTHH:mm:ss") == "2024-01-01T00:00:00"
    box = next(area.getFeatures()).geometry().boundingBox()
    assert grids.crs() == area.crs() != QgsCoordinateReferenceSystem()
    for low, high in (
        (grids.extent().xMinimum(), box.xMinimum()),
        (grids.extent().yMinimum(), box.yMinimum()),
        (box.xMaximum(), grids.extent().xMaximum()),
        (box.yMaximum(), grids.extent().yMaximum()),
    ):
        assert 0 <= high - low < 500, "the grid covers the study area, and no more than a cell beyond"
    assert tag(files["filled"], "CRIMERISK_KIND") == "heatmaps"
    assert len(classes.temporalProperties().fixedRangePerBand()) == grids.bandCount()
