"""The main job, step by step, on a simulated city: what comes out, and how it looks."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kit.layers import read_band_times, read_bands
from qgis.core import (
    Qgis,
    QgsGraduatedSymbolRenderer,
    QgsMapLayer,
    QgsPalettedRasterRenderer,
    QgsRasterLayer,
    QgsSingleBandPseudoColorRenderer,
    QgsVectorLayer,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("Ciudad de México, año 1")


@pytest.fixture(scope="module")
def simulated(plugin: Any, folder: Path) -> dict[str, Any]:
    from crime_risk.bridge import client

    job = {"path": str(folder / "city.csv"), "incidents": 2000, "days": 60, "seed": 7, "dirt": 0.01}
    return client.call("simulate", job)


@pytest.fixture(scope="module")
def imported(run: Any, simulated: dict[str, Any], folder: Path) -> Any:
    target = f"ogr:dbname='{folder / 'city.gpkg'}' table=\"{{}}\" (geom)"
    return run(
        "importincidents",
        INPUT=simulated["path"],
        OUTPUT=target.format("incidents"),
        REFUSED=target.format("refused_rows"),
    )


@pytest.fixture(scope="module")
def incidents(imported: Any, folder: Path) -> QgsVectorLayer:
    layer = QgsVectorLayer(f"{folder / 'city.gpkg'}|layername=incidents", "incidents")
    assert layer.isValid()
    return layer


@pytest.fixture(scope="module")
def index(run: Any, incidents: QgsVectorLayer, folder: Path) -> Any:
    return run(
        "buildcrimeindex",
        INPUT=incidents,
        TIME_FIELD="occurred",
        CATEGORY_FIELD="category",
        OUTPUT=str(folder / "city.crimeindex"),
    )


@pytest.fixture(scope="module")
def scores(run: Any, index: Any, folder: Path) -> Any:
    return run(
        "crimescorelayer",
        INDEX=index["OUTPUT"],
        SPACING=400,
        OUTPUT=f"ogr:dbname='{folder / 'city.gpkg'}' table=\"scores\" (geom)",
    )


@pytest.fixture(scope="module")
def grids(run: Any, incidents: QgsVectorLayer, folder: Path) -> Any:
    return run(
        "rasterizehotspots",
        INPUT=incidents,
        TIME_FIELD="occurred",
        COLUMNS=12,
        ROWS=12,
        OUTPUT=str(folder / "grids.tif"),
    )


@pytest.fixture(scope="module")
def risk(run: Any, grids: Any, folder: Path, quick: dict[str, int]) -> Any:
    return run(
        "convlstmprediction",
        INPUT=grids["OUTPUT"],
        STEPS=3,
        OUTPUT=str(folder / "risk.tif"),
        OUTPUT_MODEL=str(folder / "city.crimemodel"),
        OUTPUT_REPORT=str(folder / "report.html"),
        **quick,
    )


@pytest.fixture(scope="module")
def classes(run: Any, risk: Any, folder: Path) -> Any:
    return run(
        "classifyrisk",
        INPUT=risk["OUTPUT"],
        OUTPUT=str(folder / "classes.tif"),
        POLYGONS=f"ogr:dbname='{folder / 'city.gpkg'}' table=\"zones\" (geom)",
    )


def history(layer: QgsMapLayer) -> str:
    """What the layer's own metadata say about how it was made."""
    return "\n".join(layer.metadata().history())


def test_import(simulated: dict[str, Any], imported: Any, incidents: QgsVectorLayer, folder: Path) -> None:
    dirty = sum(simulated["dirty"].values())
    assert dirty == 20
    assert imported["COUNT"] == incidents.featureCount() == 2000 - dirty
    assert imported["REFUSED_COUNT"] == dirty
    assert [field.name() for field in incidents.fields()][:3] == ["fid", "occurred", "category"]
    assert incidents.crs().authid() == "EPSG:4326"
    assert incidents.wkbType() == Qgis.WkbType.Point
    first = min(feature["occurred"] for feature in incidents.getFeatures())
    assert first.toString("yyyy-MM-ddTHH:mm:ss") == imported["FIRST"]
    assert "Import incidents" in history(incidents)
    assert incidents.listStylesInDatabase()[0] == 1
    refused = QgsVectorLayer(f"{folder / 'city.gpkg'}|layername=refused_rows", "refused")
    assert refused.featureCount() == dirty
    assert all(feature["line"] > 1 and feature["reason"] and feature["row"] for feature in refused.getFeatures())


def test_index(imported: Any, index: Any) -> None:
    assert (index["COUNT"], index["REFUSED_COUNT"], index["RECALL"]) == (imported["COUNT"], 0, 1.0)
    assert (index["FIRST"], index["LAST"]) == (imported["FIRST"], imported["LAST"])
    assert "UTM zone" in index.log.text


def test_scores(scores: Any, index: Any, folder: Path) -> None:
    layer = QgsVectorLayer(f"{folder / 'city.gpkg'}|layername=scores", "scores")
    assert layer.featureCount() == scores["COUNT"] > 100
    assert scores["REFERENCE"] == index["LAST"]
    assert scores["INCIDENTS"] == index["COUNT"]
    for feature in layer.getFeatures():
        assert feature["score_abs"] >= 0
        assert 0 <= feature["score"] <= 1
        assert 0 <= feature["percentile"] <= 100
    renderer = layer.renderer()
    assert isinstance(renderer, QgsGraduatedSymbolRenderer), "the style was not kept in the GeoPackage"
    assert renderer.classAttribute() == "score"
    assert len(renderer.ranges()) == 5
    assert "Compute crime score layer" in history(layer)
    low = sum(feature["score"] < 0.3 for feature in layer.getFeatures())
    assert scores["SCORE_LOW"] == low


def test_grids(grids: Any, imported: Any) -> None:
    layer = QgsRasterLayer(grids["OUTPUT"], "grids")
    assert Path(grids["OUTPUT"]).with_suffix(".qml").is_file()
    assert (layer.width(), layer.height(), layer.bandCount()) == (12, 12, grids["BINS"])
    assert grids["COUNT"] + grids["LEFT_OUT"] == imported["COUNT"]
    # Three of the simulated places lie apart from all others, and that is said.
    assert grids["LEFT_OUT"] == 3
    assert any(line.startswith("3 of 1,980 incidents lie apart") for line in grids.log.warnings)
    days = read_band_times(layer)
    assert len(days) == grids["BINS"] == 60
    assert days[0] == ("2024-01-01T00:00:00", "2024-01-02T00:00:00")
    assert all(end == start for (_, end), (start, _) in pairwise(days))
    # QGIS itself switches the properties off when a file is opened by hand; as loaded by Processing they are on.
    loaded = grids.layer()
    assert loaded.temporalProperties().isActive()
    assert isinstance(layer.renderer(), QgsSingleBandPseudoColorRenderer)
    assert "2024-01-01" in layer.bandName(1)
    assert "Rasterize hotspot grids" in history(loaded)
    assert layer.loadDefaultMetadata()[1]
    assert history(layer) == history(loaded), "the history was not kept beside the file"
    provider = layer.dataProvider()
    total = sum(
        provider.bandStatistics(band, Qgis.RasterBandStatistic.Sum).sum for band in range(1, layer.bandCount() + 1)
    )
    assert total == grids["COUNT"]
    assert "Cell size" in grids.log.text


def test_forecast(risk: Any, grids: Any, folder: Path) -> None:
    layer = QgsRasterLayer(risk["OUTPUT"], "risk")
    assert layer.bandCount() == 3
    last = read_band_times(QgsRasterLayer(grids["OUTPUT"], "grids"))[-1]
    assert read_band_times(layer)[0][0] == last[1], "the forecast must follow the last map"
    statistics = layer.dataProvider().bandStatistics(1, Qgis.RasterBandStatistic.All)
    assert 0 <= statistics.minimumValue < statistics.maximumValue <= 1
    assert isinstance(layer.renderer(), QgsSingleBandPseudoColorRenderer)
    assert (folder / "city.crimemodel").stat().st_size > 1000
    report = (folder / "report.html").read_text(encoding="utf-8")
    assert "constant" in report.lower()
    assert "prior" in report.lower()
    assert risk["HELD_OUT"] == 12
    assert risk["LOG_LOSS_RATIO_CONSTANT"] > 0
    assert risk["VERDICT"]
    assert risk["VERDICT"] in risk.log.text


def test_classes(classes: Any, folder: Path) -> None:
    layer = QgsRasterLayer(classes["OUTPUT"], "classes")
    renderer = layer.renderer()
    assert isinstance(renderer, QgsPalettedRasterRenderer)
    assert [entry.label for entry in renderer.classes()] == [
        "Up to the 25th percentile",
        "25th to 75th percentile",
        "75th to 91st percentile",
        "91st to 96th percentile",
        "Above the 96th percentile",
    ]
    assert layer.bandCount() == len(read_band_times(layer)) == 3
    zones = QgsVectorLayer(f"{folder / 'city.gpkg'}|layername=zones", "zones")
    assert zones.featureCount() > 5
    cell = layer.rasterUnitsPerPixelX() ** 2
    area = sum(feature["area_m2"] for feature in zones.getFeatures() if feature["band"] == 1)
    # All of the study area, and nothing beyond it.
    inside = np.isfinite(read_bands(classes["OUTPUT"], nan=True)[0]).sum()
    assert 100 < inside < 144
    assert area == pytest.approx(inside * cell)
    assert {feature["label"] for feature in zones.getFeatures()} <= {entry.label for entry in renderer.classes()}
    assert all(0 <= feature["mean_risk"] <= 1 for feature in zones.getFeatures())
    assert zones.renderer().type() == "categorizedSymbol"
    assert len(zones.renderer().categories()) == 5


def test_all_in_one_geopackage(classes: Any, scores: Any, folder: Path) -> None:
    package = QgsVectorLayer(str(folder / "city.gpkg"), "all")
    names = {part.split("!!::!!")[1] for part in package.dataProvider().subLayers()}
    assert {"incidents", "refused_rows", "scores", "zones"} <= names


def test_same_seed_same_forecast(run: Any, grids: Any, risk: Any, quick: dict[str, int], tmp_path: Path) -> None:
    again = run("convlstmprediction", INPUT=grids["OUTPUT"], STEPS=3, OUTPUT=str(tmp_path / "a.tif"), **quick)
    other = run("convlstmprediction", INPUT=grids["OUTPUT"], STEPS=3, OUTPUT=str(tmp_path / "b.tif"), SEED=1, **quick)
    assert np.array_equal(read_bands(risk["OUTPUT"]), read_bands(again["OUTPUT"]))
    assert not np.array_equal(read_bands(risk["OUTPUT"]), read_bands(other["OUTPUT"]))


def test_a_saved_model_forecasts_without_training(run: Any, grids: Any, risk: Any, tmp_path: Path) -> None:
    applied = run(
        "convlstmprediction", INPUT=grids["OUTPUT"], MODEL=risk["OUTPUT_MODEL"], STEPS=3, OUTPUT=str(tmp_path / "r.tif")
    )
    assert np.array_equal(read_bands(applied["OUTPUT"]), read_bands(risk["OUTPUT"]))


def test_annoy_says_how_much_it_finds(run: Any, incidents: QgsVectorLayer, index: Any, tmp_path: Path) -> None:
    built = run(
        "buildcrimeindex",
        INPUT=incidents,
        TIME_FIELD="occurred",
        METHOD=1,
        TREES=20,
        OUTPUT=str(tmp_path / "a.crimeindex"),
    )
    assert 0.5 < built["RECALL"] <= 1
    assert "recall" in built.log.text
    if "exact index serves" in built.log.text:
        pytest.skip("annoy could not be compiled on this machine")
    published = run("crimescorelayer", INDEX=built["OUTPUT"], POINTS=incidents, METHOD=1, OUTPUT="memory:")
    exact = run("crimescorelayer", INDEX=index["OUTPUT"], POINTS=incidents, OUTPUT="memory:")
    pairs = list(
        zip(
            (feature["score_abs"] for feature in published["OUTPUT"].getFeatures()),
            (feature["score_abs"] for feature in exact["OUTPUT"].getFeatures()),
        )
    )
    assert all(found <= true for found, true in pairs), "Annoy cannot find what is not there"
    assert sum(found for found, _ in pairs) > 0.9 * sum(true for _, true in pairs)
    # Asked exactly, an Annoy index misses nothing.
    again = run("crimescorelayer", INDEX=built["OUTPUT"], POINTS=incidents, OUTPUT="memory:")
    assert [feature["score_abs"] for feature in again["OUTPUT"].getFeatures()] == [true for _, true in pairs]
