"""A panel and a risk of areas as inputs: every way to name them, what is made of them, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kit.algorithms import run_in_background
from kit.panel_file import make_panel_file
from qgis.core import (
    QgsDateTimeRange,
    QgsProcessingModelAlgorithm,
    QgsProcessingModelChildAlgorithm,
    QgsProcessingModelOutput,
    QgsProcessingModelParameter,
    QgsProcessingOutputLayerDefinition,
    QgsProcessingParameterFeatureSource,
    QgsProject,
    QgsVectorLayer,
    QgsVectorLayerTemporalContext,
)
from qgis.core import QgsProcessingModelChildParameterSource as Source
from qgis.PyQt.QtCore import QDate, QDateTime, Qt, QTime


@pytest.fixture(scope="module")
def panel(plugin: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The panel as *Count incidents by area* writes it; the engine's Python makes it."""
    path = tmp_path_factory.mktemp("panel") / "town.gpkg"
    make_panel_file(path, 36)
    return path


@pytest.fixture(scope="module")
def model(run: Any, panel: Path) -> str:
    ran = run("trainforecastmodel", INPUT=str(panel), MODEL_KIND="prior_counts", MODEL=f"{panel.parent}/m.crimemodel")
    assert (ran["MAPS"], ran["HELD_OUT_MAPS"]) == (36, 7)
    return str(ran["MODEL"])


@pytest.fixture(scope="module")
def risk(run: Any, panel: Path, model: str) -> Any:
    """Risk of the next two months."""
    folder = panel.parent
    made = {"AREAS": f"{folder}/risk.gpkg", "TOP": f"{folder}/top.gpkg"}
    return run("forecastrisk", INPUT=str(panel), MODEL=model, STEPS=2, **made)


def rows(path: str) -> list[dict[str, Any]]:
    layer = QgsVectorLayer(path, "rows", "ogr")
    assert layer.isValid()
    return [dict(zip(layer.fields().names(), row.attributes())) for row in layer.getFeatures()]


# The panel, however it is named.


def layer_in_project(source: str) -> QgsVectorLayer:
    layer = QgsVectorLayer(source, "counts", "ogr")
    assert layer.isValid(), source
    QgsProject.instance().addMapLayer(layer)
    return layer


@pytest.mark.parametrize("name", ["file", "counts_by_area", "areas", "bins", "layer", "layer id"])
def test_every_way_to_name_a_panel(name: str, run: Any, panel: Path, model: str, risk: Any, tmp_path: Path) -> None:
    source = str(panel) if name == "file" else f"{panel}|layername={name}"
    layer = layer_in_project(f"{panel}|layername=counts_by_area") if name.startswith("layer") else None
    given = source if layer is None else layer if name == "layer" else layer.id()
    ran = run("forecastrisk", INPUT=given, MODEL=model, STEPS=2, AREAS=str(tmp_path / "risk.gpkg"))
    assert rows(ran["AREAS"]) == rows(risk["AREAS"])
    assert ran["ORIGIN"] == "2023-01-01T00:00:00"
    assert "TOP" not in ran.results
    if layer is not None:
        QgsProject.instance().removeMapLayer(layer)


def test_a_filtered_layer_is_read_whole_and_says_so(run: Any, panel: Path, model: str, tmp_path: Path) -> None:
    layer = layer_in_project(f"{panel}|layername=areas")
    layer.setSubsetString("id = 'A'")
    ran = run("forecastrisk", INPUT=layer, MODEL=model, STEPS=2, AREAS=str(tmp_path / "risk.gpkg"))
    assert "The filter of the layer counts is not applied: all of the panel is read." in ran.log.warnings
    assert len(rows(ran["AREAS"])) == 8
    QgsProject.instance().removeMapLayer(layer)


def test_what_a_forecast_says_of_areas(risk: Any) -> None:
    made = rows(risk["AREAS"])
    assert [row["name"] for row in made] == ["Alder", "Birch", "Cedar", "Dogwood"] * 2
    first = {row["id"]: row for row in made[:4]}
    assert {name: row["rank"] for name, row in first.items()} == {"B": 1, "C": 2, "A": 3, "D": 4}
    assert first["D"]["risk"] > first["B"]["risk"], "by its probability the largest would come first"
    assert all(row["low"] <= row["expected"] <= row["high"] for row in made)
    assert [row["start"].toString("yyyy-MM-dd hh:mm") for row in made[3:5]] == ["2023-01-01 00:00", "2023-02-01 00:00"]
    top = rows(risk["TOP"])
    assert [(row["rank"], row["id"], row["km2"]) for row in top[:3]] == [(1, "B", 1.0), (2, "C", 2.0), (3, "A", 1.0)]
    assert [row["share"] for row in top[:4]] == pytest.approx([0.1, 0.3, 0.4, 1.0])


# How it looks.


def test_areas_arrive_styled_in_time_and_with_their_card(risk: Any) -> None:
    layer = QgsVectorLayer(f"{risk['AREAS']}|layername=risk", "risk", "ogr")
    categories = layer.renderer().categories()
    assert [each.label() for each in categories] == [
        "Other 25 % of the area",
        "Riskiest 25 to 75 % of the area",
        "Riskiest 9 to 25 % of the area",
        "Riskiest 4 to 9 % of the area",
        "Riskiest 4 % of the area",
    ]
    assert layer.renderer().classAttribute() == "class"
    shades = [each.symbol().color().name() for each in categories]
    assert shades == ["#ffffb2", "#fecc5c", "#fd8d3c", "#f03b20", "#bd0026"]
    assert layer.opacity() == pytest.approx(0.6)
    # QGIS 3.40 switches the time of a GeoPackage's table off after reading its style: read it again.
    layer.loadDefaultStyle()
    assert layer.temporalProperties().isActive()
    january, february, march = (QDateTime(QDate(2023, month, 1), QTime(0, 0), Qt.TimeSpec.UTC) for month in (1, 2, 3))
    shown = [shown_in(layer, *span) for span in ((january, february), (february, march))]
    assert shown == [4, 4]
    assert layer.attributeDisplayName(layer.fields().lookupField("expected")) == "Expected incidents"
    assert 'format_number("expected", 2)' in layer.mapTipTemplate()
    layer.loadDefaultMetadata()
    assert layer.metadata().abstract() == risk["CARD"], "print layouts show it"
    assert risk["CARD"].startswith("Forecast for Jan – Feb 2023 (4 areas, 2 months). Model: Prior counts, trained on")
    assert "never of persons" in risk["CARD"]
    assert layer.metadata().keywords("crimerisk:time") == ["Jan 2023"]


def test_segments_are_lines_and_the_riskiest_lie_on_top(plugin: Any) -> None:
    from crime_risk.bridge import styles

    fields = "field=name:string&field=start:datetime&field=end:datetime&field=class:integer&field=risk:double"
    layer = QgsVectorLayer(f"MultiLineString?crs=EPSG:27700&{fields}", "segments", "memory")
    styles.apply("risk_areas", layer, {"class_labels": ["Other", "Riskiest"], "edges": ["2023-01-01T00:00:00"] * 2})
    categories = layer.renderer().categories()
    assert [each.symbol().color().name() for each in categories] == ["#ffffb2", "#bd0026"]
    assert [each.symbol().width() for each in categories] == [0.9, 0.9]
    order = [(each.expression().expression(), each.ascending()) for each in layer.renderer().orderBy().list()]
    assert order == [('"start"', False), ('"class"', True)]
    assert not layer.temporalProperties().isActive(), "one map has nothing to play"


def shown_in(layer: QgsVectorLayer, begin: QDateTime, end: QDateTime) -> int:
    """How many features the Temporal Controller shows in a span."""
    context = QgsVectorLayerTemporalContext()
    context.setLayer(layer)
    wanted = layer.temporalProperties().createFilterString(context, QgsDateTimeRange(begin, end, True, False))
    return sum(1 for _ in layer.getFeatures(wanted))


def test_layers_are_named_after_what_and_when(log_of: Any, panel: Path, model: str) -> None:
    """As in the dialog of QGIS: temporary layers, loaded when it ends; the raster, which is none of areas, left out."""
    names = ("OUTPUT", "AREAS", "TOP")
    loaded = {name: QgsProcessingOutputLayerDefinition("TEMPORARY_OUTPUT", QgsProject.instance()) for name in names}
    fine, ran = run_in_background("forecastrisk", {"INPUT": str(panel), "MODEL": model, **loaded}, log_of())
    assert fine, ran.log.text
    assert "Left out, since INPUT is a layer of areas: OUTPUT." in ran.log.lines
    context = ran.log.context
    assert sorted(details.name for details in context.layersToLoadOnCompletion().values()) == [
        "Risk by area, Jan 2023",
        "Top places, Jan 2023",
    ]
    top = context.getMapLayer(ran["TOP"])
    titles = [top.attributeDisplayName(number) for number in range(top.fields().count())]
    assert titles[:3] == ["Rank", "Id", "Area"]
    assert "Size, km²" in titles


# Classes.


@pytest.mark.parametrize("way", ["file", "memory", "degrees"])
def test_classes_of_areas(way: str, run: Any, risk: Any, tmp_path: Path) -> None:
    """The risk as a file, as a layer that is none, and in degrees: the same areas in the same classes."""
    layer = QgsVectorLayer(risk["AREAS"], "risk", "ogr")
    given: Any = risk["AREAS"]
    if way == "memory":
        from qgis.core import QgsFeatureRequest

        given = layer.materialize(QgsFeatureRequest())
    elif way == "degrees":
        import processing

        given = processing.run(
            "native:reprojectlayer", {"INPUT": layer, "TARGET_CRS": "EPSG:4326", "OUTPUT": "memory:"}
        )["OUTPUT"]
    if way != "file":
        QgsProject.instance().addMapLayer(given)
    ran = run("classifyrisk", INPUT=given, METHOD="shares", SHARES="10, 30", AREAS=str(tmp_path / "classes.gpkg"))
    made = rows(ran["AREAS"])
    assert [(row["id"], row["class"]) for row in made] == [("A", 0), ("B", 2), ("C", 1), ("D", 0)] * 2
    assert made[1]["label"] == "Riskiest 10 % of the area"
    assert made[3]["size"] == pytest.approx(6e6, rel=0.01)
    assert [row["start"].toString("yyyy-MM-dd hh:mm") for row in made[3:5]] == ["2023-01-01 00:00", "2023-02-01 00:00"]
    if way != "file":
        QgsProject.instance().removeMapLayer(given)


def test_classes_arrive_styled_with_their_thresholds_and_card(run: Any, risk: Any, tmp_path: Path) -> None:
    ran = run("classifyrisk", INPUT=risk["AREAS"], PERCENTILES="50", AREAS=str(tmp_path / "classes.gpkg"))
    layer = QgsVectorLayer(f"{ran['AREAS']}|layername=classes", "classes", "ogr")
    labels = [each.label() for each in layer.renderer().categories()]
    assert labels == ["Up to the 50th percentile", "Above the 50th percentile"]
    layer.loadDefaultStyle()
    assert layer.temporalProperties().isActive()
    layer.loadDefaultMetadata()
    said = f"Classes by percentiles of the areas; thresholds of the first map: {ran['THRESHOLDS']}."
    assert layer.metadata().abstract() == f"{risk['CARD']} {said}"
    assert [row["class"] for row in rows(ran["AREAS"])][:4] == [0, 1, 0, 1]


# What is refused, before any work.


def test_results_of_the_other_units(
    refusal: Callable[..., str], panel: Path, model: str, risk: Any, grids_file: Path, tmp_path: Path
) -> None:
    areas, raster = str(tmp_path / "a.gpkg"), str(tmp_path / "r.tif")
    said = refusal("forecastrisk", INPUT=str(panel), MODEL=model, OUTPUT=raster, AREAS=areas)
    assert f"OUTPUT is {raster}, but INPUT is a layer of areas. Leave OUTPUT empty: AREAS has the result." in said
    said = refusal("forecastrisk", INPUT=str(grids_file), MODEL=model, OUTPUT=raster, AREAS=areas)
    assert f"AREAS is {areas}, but INPUT is a raster. Leave AREAS empty: OUTPUT has the result." in said
    said = refusal("forecastrisk", INPUT=str(panel), MODEL=model, OUTPUT="TEMPORARY_OUTPUT")
    assert "AREAS is empty, but INPUT is a layer of areas, whose result it is. Choose a file for it." in said
    said = refusal("forecastrisk", INPUT=str(panel), MODEL=model)
    assert "OUTPUT is empty, and so is every other result: nothing would be written. Choose a file for one." in said
    said = refusal("backtestforecast", INPUT=str(panel), LABELS=raster)
    assert f"LABELS is {raster}, but INPUT is a layer of areas. Leave LABELS empty: BY_AREA has the result." in said
    said = refusal("classifyrisk", INPUT=risk["AREAS"], REFERENCE=str(grids_file), AREAS=areas)
    assert "INPUT is a layer of areas, but REFERENCE is a raster. Choose the same areas for REFERENCE." in said
    said = refusal("evaluaterisk", INPUT=str(grids_file), GRIDS=str(panel))
    assert "GRIDS is a layer of areas, but INPUT is a raster. Choose the same areas for INPUT." in said
    assert not list(tmp_path.iterdir())


def test_layers_that_are_no_panel(
    refusal: Callable[..., str], risk: Any, panel: Path, town_layer: Any, tmp_path: Path
) -> None:
    made = {"MODEL": str(tmp_path / "m.crimemodel")}
    for layer in (risk["AREAS"], town_layer):
        said = refusal("trainforecastmodel", INPUT=layer, **made)
        assert ", a layer without counts by area and time. Make them of it with Count incidents by area, and" in said
    areas = str(tmp_path / "a.gpkg")
    said = refusal("classifyrisk", INPUT=str(panel), AREAS=areas)
    assert ", which holds counts and no risk. Forecast from it with Forecast risk, and choose its Risk by area." in said
    said = refusal("classifyrisk", INPUT=town_layer, AREAS=areas)
    assert ", which are no polygons with a number in the field risk. Choose Risk by area of Forecast risk, or" in said
    said = refusal("trainforecastmodel", INPUT=str(tmp_path / "nowhere.gpkg"), **made)
    assert f"INPUT is {tmp_path / 'nowhere.gpkg'}; it is missing, truncated or no layer. Choose a raster, or a" in said
    assert not list(tmp_path.iterdir())


def test_a_panel_is_never_overwritten(refusal: Callable[..., str], panel: Path, model: str) -> None:
    """Of a panel all tables are read, whichever was chosen."""
    before = panel.read_bytes()
    for table in ("counts", "areas", "crimerisk"):
        into = f"ogr:dbname='{panel}' table=\"{table}\" (geom)"
        said = refusal("forecastrisk", INPUT=f"{panel}|layername=counts_by_area", MODEL=model, AREAS=into)
        assert f"The destination of AREAS, {panel}, is also an input and would be overwritten." in said
    assert panel.read_bytes() == before


# Judged.


def test_what_areas_were_in_a_backtest(run: Any, panel: Path, tmp_path: Path) -> None:
    """Rasters and points of grids are left out; each area and month stands in BY_AREA, styled by what it was."""
    given = {"INPUT": str(panel), "MODELS": "recent_counts", "WORKERS": 1, "PERCENTILE": 90}
    left_out = dict.fromkeys(("RISK", "LABELS", "HITS"), "TEMPORARY_OUTPUT")
    ran = run("backtestforecast", **given, **left_out, BY_AREA=str(tmp_path / "by_area.gpkg"))
    assert "Left out, since INPUT is a layer of areas: RISK, LABELS, HITS." in ran.log.lines
    made = rows(ran["BY_AREA"])
    assert len(made) == 4 * ran["MAPS"] == 28
    # Each year has the same months.
    assert [row["incidents"] for row in made[:4]] == [0, 1, 1, 1]
    assert {row["label"] for row in made} >= {"correct", "true negative"}
    assert sum(row["flagged"] * size for row, size in zip(made, [1, 1, 2, 6] * 7)) == pytest.approx(0.1 * 70)
    layer = QgsVectorLayer(ran["BY_AREA"], "labels", "ogr")
    categories = {each.value(): (each.label(), each.symbol().color()) for each in layer.renderer().categories()}
    assert categories["correct"][0] == "Correct: flagged, with an incident"
    assert categories["correct"][1].name() == "#009e73"
    assert categories["true negative"][1].alpha() == 0, "most of the map, and says nothing"


def test_a_forecast_of_areas_is_judged_and_hindsight_is_found(
    run: Any, panel: Path, model: str, tmp_path: Path
) -> None:
    """What a forecast knew goes with its layer: one made by a model that has seen the months is no test."""
    early = make_panel_file(tmp_path / "early.gpkg", 30)
    ran = run("forecastrisk", INPUT=early, MODEL=model, STEPS=3, AREAS=str(tmp_path / "risk.gpkg"))
    assert ran["ORIGIN"] == "2022-07-01T00:00:00"
    made = run("evaluaterisk", INPUT=ran["AREAS"], GRIDS=str(panel), BY_AREA=str(tmp_path / "judged.gpkg"))
    assert made["MAPS"] == 3
    assert [row["incidents"] for row in rows(made["BY_AREA"])[:4]] == [0, 1, 0, 1]
    said = "The risk was made from the very incidents that it is judged by, those up to Dec 2022: all 3 months judged"
    assert said in "\n".join(made.log.warnings)


# In a model.


def test_a_model_from_incidents_to_classes_of_areas(run: Any, town_layer: Any, tmp_path: Path) -> None:
    """Each step takes what the one before has made, panel and polygons, none of which has a name."""
    from_child, fixed = Source.fromChildOutput, Source.fromStaticValue
    chain: dict[str, tuple[str, dict[str, Any]]] = {
        "count": (
            "countareas",
            {"INPUT": Source.fromModelParameter("incidents"), "UNITS": fixed(1), "SIZE": fixed(400)},
        ),
        "train": (
            "trainforecastmodel",
            {"INPUT": from_child("count", "OUTPUT"), "MODEL_KIND": fixed("recent_counts")},
        ),
        "forecast": (
            "forecastrisk",
            {"INPUT": from_child("count", "OUTPUT"), "MODEL": from_child("train", "MODEL"), "STEPS": fixed(2)},
        ),
        "classes": ("classifyrisk", {"INPUT": from_child("forecast", "AREAS"), "METHOD": fixed(1)}),
    }
    model = QgsProcessingModelAlgorithm("Areas", "Models", "models")
    points = QgsProcessingParameterFeatureSource("incidents", "Incidents")
    model.addModelParameter(points, QgsProcessingModelParameter("incidents"))
    for name, (tool, parameters) in chain.items():
        child = QgsProcessingModelChildAlgorithm(f"crimerisk:{tool}")
        child.setChildId(name)
        for key, source in parameters.items():
            child.addParameterSources(key, [source])
        model.addChildAlgorithm(child)
    output = QgsProcessingModelOutput("classes", "classes")
    output.setChildId("classes")
    output.setChildOutputName("AREAS")
    child = model.childAlgorithm("classes")
    child.setModelOutputs({"classes": output})
    model.setChildAlgorithm(child)
    model.updateDestinationParameters()
    import processing

    (asked,) = model.destinationParameterDefinitions()
    made = processing.run(model, {"incidents": town_layer, asked.name(): str(tmp_path / "classes.gpkg")})
    classes = rows(made[asked.name()])
    squares = {row["id"] for row in classes}
    assert len(classes) == 2 * len(squares)
    assert {0, 4} <= {row["class"] for row in classes} <= set(range(5))
    assert all(row["risk"] > 0 for row in classes)
