"""Forecasts made for the catch: three tools in QGIS, on cells and areas, and the layer of the places to go to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kit.algorithms import run_in_background
from kit.layers import read_bands
from kit.panel_file import make_panel_file
from osgeo import gdal
from qgis.core import (
    QgsDateTimeRange,
    QgsExpression,
    QgsExpressionContext,
    QgsExpressionContextScope,
    QgsExpressionContextUtils,
    QgsFeature,
    QgsGeometry,
    QgsMapSettings,
    QgsProcessingModelAlgorithm,
    QgsProcessingModelChildAlgorithm,
    QgsProcessingModelOutput,
    QgsProcessingOutputLayerDefinition,
    QgsProject,
    QgsRasterLayer,
    QgsRectangle,
    QgsSymbolLayer,
    QgsVectorLayer,
)
from qgis.core import QgsProcessingModelChildParameterSource as Source

gdal.UseExceptions()

#: Six cells over windows of four days: of 40 days two windows are held out.
CATCH = {"AIM": "catch", "CATCH_SIZE": 6, "CATCH_UNIT": "units", "HORIZON": 4}
FIELDS = ["rank", "id", "name", "start", "end", "expected", "km2", "share", "expected_share", "before"]


def rows(source: str) -> list[dict[str, Any]]:
    layer = QgsVectorLayer(source, "rows", "ogr")
    assert layer.isValid(), source
    return [dict(zip(layer.fields().names(), row.attributes())) for row in layer.getFeatures()]


@pytest.fixture(scope="module")
def trained(run: Any, grids_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A model made for the catch, by the default kind."""
    folder = tmp_path_factory.mktemp("catch")
    return run("trainforecastmodel", INPUT=str(grids_file), **CATCH, MODEL=str(folder / "catch.crimemodel"))


@pytest.fixture(scope="module")
def model(trained: Any) -> str:
    return str(trained["MODEL"])


@pytest.fixture(scope="module")
def forecast(run: Any, model: str, grids_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What the model gives without being asked for the catch again."""
    folder = tmp_path_factory.mktemp("places")
    made = {"OUTPUT": str(folder / "risk.tif"), "PLACES": str(folder / "places.gpkg")}
    return run("forecastrisk", INPUT=str(grids_file), MODEL=model, **made)


@pytest.fixture(scope="module")
def backtest(run: Any, grids_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("backtest")
    made = {
        "PLACES": str(folder / "places.gpkg"),
        "LABELS": str(folder / "labels.tif"),
        "HITS": str(folder / "hits.gpkg"),
        "RISK": str(folder / "risk.tif"),
    }
    return run("backtestforecast", INPUT=str(grids_file), **CATCH, WORKERS=1, **made)


def test_training_means_the_ensemble_for_the_catch_and_says_so(trained: Any) -> None:
    assert trained["KIND"] == "catch"
    assert "Ensemble for the catch" in trained.log.text
    assert "6 cells" in trained["VERDICT"]
    assert trained["HELD_OUT_MAPS"] == 8
    assert 0 < trained["CAUGHT"] <= trained["INCIDENTS_COUNT"]
    assert 0 < trained["CAUGHT_BY_PRIOR_COUNTS"] <= trained["INCIDENTS_COUNT"]
    assert trained["CATCH_PAI"] > 1, "three clusters are no even spread"
    assert 0 < trained["CATCH_PEI"] <= 1


def test_a_forecast_gives_the_places_of_the_window_as_a_whole(forecast: Any, grids_file: Path) -> None:
    made = rows(forecast["PLACES"])
    assert [name for name in made[0] if name != "fid"] == FIELDS
    assert [row["rank"] for row in made] == [1, 2, 3, 4, 5, 6]
    assert {row["start"].toString("yyyy-MM-dd") for row in made} == {"2024-02-10"}
    assert {row["end"].toString("yyyy-MM-dd") for row in made} == {"2024-02-14"}, "four days, as the model was made"
    expected = [row["expected"] for row in made]
    assert expected == sorted(expected, reverse=True), "cells are of one size"
    for name in ("share", "expected_share"):
        assert [row[name] for row in made] == sorted(row[name] for row in made), f"{name} adds up"
    counts = read_bands(grids_file, nan=True)
    assert sorted(row["before"] for row in made)[-1] == counts[~(counts != counts)].reshape(40, -1).sum(axis=0).max()


def test_the_raster_is_the_risk_of_the_window(forecast: Any) -> None:
    risk = read_bands(forecast["OUTPUT"], nan=True)
    assert risk.shape[0] == 1
    best = rows(forecast["PLACES"])[0]["expected"]
    assert float(risk[risk == risk].max()) == pytest.approx(1 - 2.718281828**-best, abs=1e-4)
    assert gdal.Open(forecast["OUTPUT"]).GetMetadataItem("CRIMERISK_BIN") == "4 days"


def test_a_window_of_its_own_and_another_size(run: Any, model: str, grids_file: Path, tmp_path: Path) -> None:
    given = {"INPUT": str(grids_file), "MODEL": model, "STEPS": 2, "CATCH_SIZE": 3, "CATCH_UNIT": "units"}
    made = rows(run("forecastrisk", **given, PLACES=str(tmp_path / "places.gpkg"))["PLACES"])
    assert [row["rank"] for row in made] == [1, 2, 3]
    assert made[0]["end"].toString("yyyy-MM-dd") == "2024-02-12"


@pytest.mark.parametrize(
    ("unit", "size", "number"), [("share", 5, 2), ("km2", 0.2, 3), ("units", 7, 7), ("units", 1, 1)]
)
def test_every_unit(
    unit: str, size: float, number: int, run: Any, model: str, grids_file: Path, tmp_path: Path
) -> None:
    """45 cells of 0.0637 km² in the study area: whole cells, rounded down."""
    given = {"INPUT": str(grids_file), "MODEL": model, "CATCH_SIZE": size, "CATCH_UNIT": unit}
    assert len(rows(run("forecastrisk", **given, PLACES=str(tmp_path / "places.gpkg"))["PLACES"])) == number


def test_probabilities_of_a_model_made_for_the_catch(run: Any, model: str, grids_file: Path, tmp_path: Path) -> None:
    """A raster of each bin; the temporary layer of places, which Processing asks for by itself, is left out."""
    given = {"INPUT": str(grids_file), "MODEL": model, "AIM": "probabilities", "STEPS": 3}
    ran = run("forecastrisk", **given, OUTPUT=str(tmp_path / "risk.tif"), PLACES="TEMPORARY_OUTPUT")
    assert read_bands(ran["OUTPUT"], nan=True).shape[0] == 3
    assert "PLACES" not in ran.results


def test_a_model_of_probabilities_chooses_no_places_unasked(
    run: Any, refusal: Any, grids_file: Path, tmp_path: Path
) -> None:
    """As it was made it gives a risk alone, and says so; asked for the catch it chooses places by its probabilities."""
    given = {"INPUT": str(grids_file), "MODEL": str(tmp_path / "m.crimemodel")}
    run("trainforecastmodel", **given, MODEL_KIND="recent_counts")
    ran = run("forecastrisk", **given, OUTPUT=str(tmp_path / "r.tif"), PLACES="TEMPORARY_OUTPUT")
    assert "PLACES" not in ran.results
    asked = {"AIM": "catch", "CATCH_SIZE": 4, "CATCH_UNIT": "units", "STEPS": 4}
    ran = run("forecastrisk", **given, **asked, PLACES=str(tmp_path / "p.gpkg"))
    assert [row["rank"] for row in rows(ran["PLACES"])] == [1, 2, 3, 4]
    assert "The model was made for probabilities" in ran.log.text


# The layer of the places.


@pytest.mark.parametrize("ending", ["geojson", "shp", "fgb"])
def test_places_in_other_formats(ending: str, run: Any, model: str, grids_file: Path, tmp_path: Path) -> None:
    ran = run("forecastrisk", INPUT=str(grids_file), MODEL=model, PLACES=str(tmp_path / f"places.{ending}"))
    assert sorted(row["rank"] for row in rows(ran["PLACES"])) == [1, 2, 3, 4, 5, 6]


def test_places_arrive_named_styled_and_with_their_card(log_of: Any, model: str, grids_file: Path) -> None:
    """As in the dialog of QGIS: temporary layers, loaded when it ends."""
    loaded = QgsProcessingOutputLayerDefinition("TEMPORARY_OUTPUT", QgsProject.instance())
    given = {"INPUT": str(grids_file), "MODEL": model, "OUTPUT": loaded, "PLACES": loaded}
    fine, ran = run_in_background("forecastrisk", given, log_of())
    assert fine, ran.log.text
    names = {details.name for details in ran.log.context.layersToLoadOnCompletion().values()}
    assert names == {
        "Risk, Sat 10 – Tue 13 Feb 2024",
        "Places to go to, Sat 10 – Tue 13 Feb 2024 (Ensemble for the catch)",
    }
    layer = ran.log.context.getMapLayer(ran["PLACES"])
    assert [each.label() for each in layer.renderer().ranges()] == ["Rank 1 – 2", "Rank 3 – 4", "Rank 5 – 6"]
    shades = [each.symbol().color().lightness() for each in layer.renderer().ranges()]
    assert shades == sorted(shades), "the first the darkest, in grey too"
    assert layer.labelsEnabled()
    assert layer.metadata().abstract() == ran["CARD"], "print layouts show it"
    titles = {layer.attributeDisplayName(number) for number in range(layer.fields().count())}
    assert {"Rank", "Expected incidents", "Incidents before", "Share of the area so far"} <= titles


@pytest.mark.parametrize("geometry", ["Polygon", "LineString"])
def test_every_place_has_a_class(geometry: str, plugin: Any) -> None:
    """Of one place, and of two: no class is empty, and none is left without; street segments are lines."""
    for number, labels in ((1, ["Rank 1"]), (2, ["Rank 1", "Rank 2"]), (4, ["Rank 1 – 2", "Rank 3", "Rank 4"])):
        layer = make_places([("2024-01-01", number)], geometry)
        assert [each.label() for each in layer.renderer().ranges()] == labels
        assert all(layer.renderer().rangeForValue(rank) is not None for rank in range(1, number + 1))


@pytest.mark.parametrize(
    ("side", "scale", "wide"), [(76.2, 150_000, True), (76.2, 10_000, False), (3000, 150_000, False)]
)
def test_cells_stay_in_sight_on_a_map_of_a_city(side: float, scale: float, wide: bool, plugin: Any) -> None:
    layer = make_places([("2024-01-01", 1)])
    # The symbol belongs to its range.
    ranges = layer.renderer().ranges()
    properties = ranges[0].symbol().symbolLayer(0).dataDefinedProperties()
    expression = QgsExpression(properties.property(QgsSymbolLayer.Property.PropertyStrokeWidth).expressionString())
    row = QgsFeature()
    row.setGeometry(QgsGeometry.fromRect(QgsRectangle(0, 0, side, side)))
    context, scope = QgsExpressionContext(), QgsExpressionContextScope()
    scope.setVariable("map_scale", scale)
    context.appendScope(scope)
    context.setFeature(row)
    drawn = expression.evaluate(context)
    assert drawn == pytest.approx(1.6 - 1000 * side / scale if wide else 0.3)


def make_places(windows: list[tuple[str, int]], geometry: str = "Polygon") -> QgsVectorLayer:
    """A layer of windows that begin so and have so many places, styled."""
    from crime_risk.bridge import styles
    from crime_risk.bridge.temporal import to_wall_clock

    fields = "field=rank:integer&field=name:string&field=start:datetime&field=end:datetime"
    layer = QgsVectorLayer(f"{geometry}?crs=EPSG:32630&{fields}", "places", "memory")
    spans = []
    for begin, number in windows:
        start = to_wall_clock(f"{begin}T00:00:00")
        end = start.addDays(7)
        spans.append([each.toString("yyyy-MM-ddTHH:mm:ss") for each in (start, end)])
        for rank in range(1, number + 1):
            row = QgsFeature(layer.fields())
            row.setAttributes([rank, f"cell {rank}", start, end])
            layer.dataProvider().addFeature(row)
    styles.apply("places", layer, {"edges": spans})
    return layer


def drawn(layer: QgsVectorLayer, time: QgsDateTimeRange | None) -> Iterator[tuple[str, int]]:
    """What the renderer and the labels make of the layer on a map that shows `time`."""
    settings = QgsMapSettings()
    if time is not None:
        settings.setIsTemporal(True)
        settings.setTemporalRange(time)
    context = QgsExpressionContext(QgsExpressionContextUtils.globalProjectLayerScopes(layer))
    context.appendScope(QgsExpressionContextUtils.mapSettingsScope(settings))
    expression = QgsExpression(layer.renderer().classAttribute())
    for row in layer.getFeatures():
        context.setFeature(row)
        context.setFields(layer.fields())
        if expression.evaluate(context) is not None:
            yield row["start"].toString("yyyy-MM-dd"), row["rank"]


def test_without_a_time_only_the_first_window_is_drawn(plugin: Any) -> None:
    """All windows at once would pass for one, with twice as many places as can be covered."""
    layer = make_places([("2024-01-01", 2), ("2024-01-08", 2)])
    assert list(drawn(layer, None)) == [("2024-01-01", 1), ("2024-01-01", 2)]
    assert layer.temporalProperties().isActive()
    second = [row["start"] for row in layer.getFeatures()][-1]
    during = QgsDateTimeRange(second, second.addDays(7), True, False)
    assert ("2024-01-08", 2) in list(drawn(layer, during)), "which of them it is QGIS chooses by their times"


# Tested.


def test_a_backtest_of_the_catch(backtest: Any) -> None:
    assert backtest["MODEL"] == "catch"
    assert backtest["MAPS"] == 2
    said = "With the catch the models left at their default are Ensemble for the catch and its simple baselines."
    assert said in backtest.log.lines
    plan = "2 windows of 4 days from Fri 2 Feb 2024 on are forecast, each of 4 days as a whole, from 32 maps"
    assert plan in backtest.log.text
    assert "6 cells (0.382 km², 13.3 % of the area)" in backtest.log.text.replace("\xa0", " ")
    made = rows(backtest["PLACES"])
    assert [row["rank"] for row in made] == [1, 2, 3, 4, 5, 6] * 2
    assert sum(row["incidents"] for row in made) == backtest["CAUGHT"]
    assert [row["start"].toString("MM-dd") for row in made[5:7]] == ["02-02", "02-06"]


def test_labels_and_hits_are_those_of_the_places(backtest: Any) -> None:
    layer = QgsRasterLayer(backtest["LABELS"], "labels")
    assert layer.bandCount() == 2, "a band for each window"
    flagged = sum(row["incidents"] for row in rows(backtest["HITS"]) if row["label"] == "correct")
    assert flagged == backtest["CAUGHT"]
    assert sum(row["incidents"] for row in rows(backtest["HITS"])) == backtest["INCIDENTS_COUNT"]


def test_all_models_are_tried_on_moved_grids(run: Any, grids_file: Path, town_layer: Any, tmp_path: Path) -> None:
    given = {"INPUT": str(grids_file), **CATCH, "INCIDENTS": town_layer, "OFFSETS": 2, "WORKERS": 1}
    ran = run("backtestforecast", **given, REPORT=str(tmp_path / "report.html"))
    assert ran["MODEL"] == "catch"
    assert not ran.log.warnings or "could not" not in " ".join(ran.log.warnings), ran.log.warnings
    assert "prior counts" in Path(ran["REPORT"]).read_text(encoding="utf-8").lower()


def test_a_whole_window_is_tested_whatever_the_share(run: Any, grids_file: Path) -> None:
    ran = run("backtestforecast", INPUT=str(grids_file), **{**CATCH, "HORIZON": 10}, TEST=0.1, WORKERS=1)
    assert ran["MAPS"] == 1
    assert "from 30 maps and more" in ran.log.text


# Areas.


@pytest.fixture(scope="module")
def panel(plugin: Any, tmp_path_factory: pytest.TempPathFactory) -> str:
    return make_panel_file(tmp_path_factory.mktemp("panel") / "town.gpkg", 36)


def test_areas_from_training_to_a_test(run: Any, panel: str, tmp_path: Path) -> None:
    """Four areas of 1, 1, 2 and 6 km²: a quarter as a whole, two areas can be covered."""
    catch = {"AIM": 1, "CATCH_SIZE": 2, "CATCH_UNIT": 2, "HORIZON": 3}
    trained = run("trainforecastmodel", INPUT=panel, **catch, MODEL=str(tmp_path / "m.crimemodel"))
    assert trained["KIND"] == "catch"
    made = run(
        "forecastrisk",
        INPUT=panel,
        MODEL=trained["MODEL"],
        AREAS=str(tmp_path / "risk.gpkg"),
        PLACES=str(tmp_path / "places.gpkg"),
    )
    places = rows(made["PLACES"])
    assert {row["name"] for row in places} == {"Birch", "Dogwood"}, "two areas, of any size: those with the most"
    assert [row["end"].toString("yyyy-MM-dd") for row in places] == ["2023-04-01"] * 2
    assert len(rows(made["AREAS"])) == 4, "one window"
    ground = {"CATCH_SIZE": 30, "CATCH_UNIT": "share", "AIM": "catch"}
    made = run("forecastrisk", INPUT=panel, MODEL=trained["MODEL"], **ground, PLACES=str(tmp_path / "ground.gpkg"))
    places = rows(made["PLACES"])
    assert {row["name"] for row in places} == {"Birch", "Cedar"}, "3 km²: those with the most for their size"
    tested = run("backtestforecast", INPUT=panel, **catch, WORKERS=1, PLACES=str(tmp_path / "tested.gpkg"))
    assert tested["MAPS"] == len(rows(tested["PLACES"])) / 2
    assert tested["CAUGHT"] == sum(row["incidents"] for row in rows(tested["PLACES"]))


# Refused, in sentences.


@pytest.mark.parametrize(
    ("tool", "given", "sentence"),
    [
        ("trainforecastmodel", {"CATCH_SIZE": 0}, "CATCH_SIZE is 0; it must be greater than 0, usually 5."),
        (
            "trainforecastmodel",
            {"CATCH_SIZE": 120, "CATCH_UNIT": "share"},
            "CATCH_SIZE is 120 per cent of the area; give at most 100, or another CATCH_UNIT.",
        ),
        (
            "backtestforecast",
            {"CATCH_SIZE": 2.5},
            "CATCH_SIZE is 2.5, but cells and areas are covered whole; give a whole number.",
        ),
        (
            "trainforecastmodel",
            {"THRESHOLD": 2},
            "THRESHOLD is 2, but a catch counts every incident, so AIM knows no threshold. Set THRESHOLD to 1, or AIM "
            "to probabilities.",
        ),
        (
            "trainforecastmodel",
            {"AIM": "probabilities", "HORIZON": 13},
            "HORIZON is 13, but only with the catch are so many bins forecast as one. Set AIM to the catch, or HORIZON "
            "to 1: probabilities are forecast for each bin.",
        ),
        (
            "trainforecastmodel",
            {"SETTINGS": "flagged=0.1"},
            "SETTINGS holds flagged=0.1, but flagged has a parameter of its own, CATCH_SIZE. Give it there.",
        ),
        (
            "backtestforecast",
            {"SETTINGS": "catch.window=3"},
            "SETTINGS holds window=3, but window has a parameter of its own, HORIZON. Give it there.",
        ),
        (
            "backtestforecast",
            {"CONTROL": True},
            "CONTROL is given, but AIM asks for the catch, where it is not done. Leave it out.",
        ),
        ("trainforecastmodel", {"CATCH_UNIT": 3}, "CATCH_UNIT is 3; choose one of 0: Per cent of the area;"),
        ("trainforecastmodel", {"HORIZON": 30}, "horizon is 30: a window of 30 days cannot be held out"),
        ("trainforecastmodel", {"CATCH_SIZE": 5000}, "catch_size is 5000, but the whole study area is only 45"),
    ],
)
def test_what_cannot_be_caught(
    tool: str, given: dict[str, Any], sentence: str, refusal: Any, grids_file: Path, tmp_path: Path
) -> None:
    made = {"MODEL": str(tmp_path / "m.crimemodel")} if tool == "trainforecastmodel" else {}
    said = refusal(tool, **{"INPUT": str(grids_file), **CATCH, **made, **given})
    assert sentence in said
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"CATCH_SIZE": 5}, "CATCH_SIZE is 5, but CATCH_UNIT does not say of what. Give both, or neither."),
        ({"CATCH_UNIT": 0}, "CATCH_UNIT is given, but CATCH_SIZE is empty. Give both, or neither."),
        (
            {"CATCH_SIZE": 5, "CATCH_UNIT": 0, "AIM": 1},
            "CATCH_SIZE is 5, but AIM asks for probabilities. Leave it empty or ask for the catch.",
        ),
    ],
)
def test_a_catch_said_by_half(
    given: dict[str, Any], sentence: str, refusal: Any, model: str, grids_file: Path, tmp_path: Path
) -> None:
    made = {"OUTPUT": str(tmp_path / "r.tif")}
    assert sentence in refusal("forecastrisk", INPUT=str(grids_file), MODEL=model, **made, **given)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("tool", ["forecastrisk", "backtestforecast"])
def test_places_are_written_with_the_catch_alone(
    tool: str, refusal: Any, model: str, grids_file: Path, tmp_path: Path
) -> None:
    places = str(tmp_path / "places.gpkg")
    given = {"MODEL": model, "OUTPUT": str(tmp_path / "r.tif")} if tool == "forecastrisk" else {}
    said = refusal(tool, INPUT=str(grids_file), AIM="probabilities", **given, PLACES=places)
    assert (
        f"PLACES is {places}, but it is written only where AIM is The catch: which few places to go to. Leave it empty,"
        " or choose that."
    ) in said
    assert not list(tmp_path.iterdir())


# In a model.


def test_a_model_from_grids_to_places(run: Any, grids_file: Path, tmp_path: Path) -> None:
    """Training and forecast as steps of a model, whose output the places are."""
    from qgis.core import QgsProcessingModelParameter, QgsProcessingParameterRasterLayer

    fixed, grids = Source.fromStaticValue, Source.fromModelParameter("grids")
    chain: dict[str, tuple[str, dict[str, Any]]] = {
        "train": ("trainforecastmodel", {"INPUT": grids, **{name: fixed(value) for name, value in CATCH.items()}}),
        "forecast": ("forecastrisk", {"INPUT": grids, "MODEL": Source.fromChildOutput("train", "MODEL")}),
    }
    whole = QgsProcessingModelAlgorithm("Catch", "Models", "models")
    whole.addModelParameter(QgsProcessingParameterRasterLayer("grids", "Grids"), QgsProcessingModelParameter("grids"))
    for name, (tool, parameters) in chain.items():
        child = QgsProcessingModelChildAlgorithm(f"crimerisk:{tool}")
        child.setChildId(name)
        for parameter, source in parameters.items():
            child.addParameterSources(parameter, [source])
        if name == "forecast":
            places = QgsProcessingModelOutput("places", "Where to go")
            places.setChildId(name)
            places.setChildOutputName("PLACES")
            child.setModelOutputs({"places": places})
        whole.addChildAlgorithm(child)
    whole.updateDestinationParameters()
    import processing

    path = str(tmp_path / "where.gpkg")
    (asked,) = whole.destinationParameterDefinitions()
    assert processing.run(whole, {"grids": str(grids_file), asked.name(): path})[asked.name()] == path
    assert [row["rank"] for row in rows(path)] == [1, 2, 3, 4, 5, 6]
