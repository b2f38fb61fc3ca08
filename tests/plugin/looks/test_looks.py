"""What a user sees of a result on the map: symbols of the right size, categories by colour, no empty tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from kit.layers import write_bands
from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsFeature,
    QgsGeometry,
    QgsMapRendererSequentialJob,
    QgsMapSettings,
    QgsPointXY,
    QgsProcessingContext,
    QgsProcessingOutputLayerDefinition,
    QgsProject,
    QgsRasterLayer,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QSize
from qgis.PyQt.QtGui import QColor, QImage

SPACING = 250.0
SIDE = 12


@pytest.fixture
def scores(plugin: Any) -> QgsVectorLayer:
    """A grid of scores with one point left out in its middle, in a UTM zone."""
    from crime_risk.bridge import styles

    layer = QgsVectorLayer("Point?crs=EPSG:32616&field=score:double", "scores", "memory")
    features = []
    for row in range(SIDE):
        for column in range(SIDE):
            if (row, column) == (SIDE // 2, SIDE // 2):
                continue
            feature = QgsFeature(layer.fields())
            feature.setAttributes([0.9])
            feature.setGeometry(QgsGeometry.fromPointXY(QgsPointXY(440000 + SPACING * column, 4630000 + SPACING * row)))
            features.append(feature)
    layer.dataProvider().addFeatures(features)
    layer.updateExtents()
    styles.style_scores(layer, SPACING)
    return layer


def draw(layer: QgsVectorLayer, crs: str) -> tuple[QImage, QgsCoordinateTransform, QgsMapSettings]:
    settings = QgsMapSettings()
    settings.setLayers([layer])
    target = QgsCoordinateReferenceSystem(crs)
    settings.setDestinationCrs(target)
    settings.setOutputSize(QSize(400, 400))
    settings.setBackgroundColor(QColor("#0000ff"))
    there = QgsCoordinateTransform(layer.crs(), target, QgsProject.instance())
    extent = layer.extent()
    extent.grow(SPACING)
    settings.setExtent(there.transformBoundingBox(extent))
    job = QgsMapRendererSequentialJob(settings)
    job.start()
    job.waitForFinished()
    return job.renderedImage(), there, settings


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:32616", "EPSG:3857"])
def test_squares_of_scores_fill_their_cells_and_no_more_in_any_crs(scores: QgsVectorLayer, crs: str) -> None:
    image, there, settings = draw(scores, crs)

    def is_drawn(x: float, y: float) -> bool:
        pixel = settings.mapToPixel().transform(there.transform(QgsPointXY(440000 + x, 4630000 + y)))
        return image.pixelColor(round(pixel.x()), round(pixel.y())).red() > 100

    middle = SPACING * (SIDE // 2)
    assert not is_drawn(middle, middle), "a neighbour covers the empty cell"
    for aside in (-0.4, 0.4):
        # Just inside the neighbours, next to the border of the empty cell.
        assert is_drawn(middle + SPACING * (1 + aside), middle)
        assert is_drawn(middle, middle + SPACING * (1 + aside))
        assert not is_drawn(middle + SPACING * aside, middle)
    assert not is_drawn(-0.7 * SPACING, 0), "beyond the grid"


@pytest.mark.parametrize(
    "name", ["risk", "classes", "class_polygons", "predicted_raster", "predicted_polygons", "scores"]
)
def test_fills_let_the_names_on_a_basemap_be_read(plugin: Any, tmp_path: Path, name: str) -> None:
    from crime_risk.bridge import styles

    if name in ("risk", "classes", "predicted_raster"):
        layer: Any = QgsRasterLayer(write_bands(tmp_path / "a.tif", [[0.1, 0.2], [0.3, 0.4]]), name)
        styles.load_style(layer, name)
        opacity = layer.renderer().opacity()
    else:
        layer = QgsVectorLayer(f"{'Point' if name == 'scores' else 'Polygon'}?field=score:double", name, "memory")
        styles.load_style(layer, name)
        opacity = layer.opacity()
    # Black on white, seen through the darkest and the lightest colour, keeps a third of its contrast.
    assert 0.4 <= opacity <= 2 / 3


@pytest.fixture
def city(tmp_path: Path) -> Any:
    def write(kinds: int, last: str = "2.3,48.8,2024-03-01 10:00,kind 0") -> str:
        path = tmp_path / f"city_{kinds}.csv"
        rows = [
            f"{2.3 + n / 1000},{48.8 + n / 1000},2024-03-{n % 28 + 1:02d} 10:00,kind {n % kinds}" for n in range(60)
        ]
        path.write_text("\n".join(["longitude,latitude,datetime,category", *rows, last]), "utf-8")
        return str(path)

    return write


@pytest.mark.parametrize(("kinds", "coloured"), [(3, True), (8, True), (9, False), (1, False)])
def test_few_categories_are_told_apart_by_colour(run: Any, city: Any, kinds: int, coloured: bool) -> None:
    layer = run("importincidents", INPUT=city(kinds), OUTPUT="memory:", CATEGORY_FIELD="category").layer("OUTPUT")
    renderer = layer.renderer()
    assert (renderer.type() == "categorizedSymbol") == coloured
    if coloured:
        shades = {entry.symbol().color().name() for entry in renderer.categories()}
        assert len(shades) == kinds + 1
        assert all(
            entry.symbol().color().alpha() < 200 and entry.symbol().size() < 2 for entry in renderer.categories()
        )


def test_too_many_categories_are_one_colour_also_beside_incidents_without_one(run: Any, city: Any) -> None:
    path = Path(city(9))
    head, *rows = path.read_text("utf-8").splitlines()
    path.write_text("\n".join([head, "2.3,48.8,2024-03-01 10:00,", *rows]), "utf-8")
    layer = run("importincidents", INPUT=str(path), OUTPUT="memory:", CATEGORY_FIELD="category").layer("OUTPUT")
    assert layer.renderer().type() == "singleSymbol"


@pytest.mark.parametrize(("last", "loaded"), [("2.3,48.8,2024-03-01 10:00,a", False), (",,2024-03-01 10:00,a", True)])
def test_a_table_without_rows_is_not_loaded(plugin: Any, city: Any, tmp_path: Path, last: str, loaded: bool) -> None:
    from qgis.core import QgsApplication, QgsProcessingFeedback

    context, project = QgsProcessingContext(), QgsProject()
    context.setProject(project)
    algorithm = QgsApplication.processingRegistry().createAlgorithmById("crimerisk:importincidents")
    given = {
        "INPUT": city(2, last),
        "OUTPUT": QgsProcessingOutputLayerDefinition(str(tmp_path / "o.gpkg"), project),
        "REFUSED": QgsProcessingOutputLayerDefinition(str(tmp_path / "r.csv"), project),
    }
    results, fine = algorithm.run(given, context, QgsProcessingFeedback())
    assert fine
    names = [details.outputName for details in context.layersToLoadOnCompletion().values()]
    assert names == (["OUTPUT", "REFUSED"] if loaded else ["OUTPUT"])
    assert Path(results["REFUSED"]).exists(), "a model's next step finds it all the same"


def test_a_layer_is_called_after_what_it_holds(plugin: Any, run: Any, city: Any, tmp_path: Path) -> None:
    from qgis.core import QgsApplication, QgsProcessingFeedback

    incidents = run("importincidents", INPUT=city(2), OUTPUT=str(tmp_path / "i.gpkg"), CATEGORY_FIELD="category")
    for name, said in (("", "Hotspot grids, Fri 1 – Wed 27 Mar 2024, kind 0"), ("mine", "mine")):
        context, project = QgsProcessingContext(), QgsProject()
        context.setProject(project)
        algorithm = QgsApplication.processingRegistry().createAlgorithmById("crimerisk:rasterizehotspots")
        output = QgsProcessingOutputLayerDefinition(str(tmp_path / "grids.tif"), project)
        output.destinationName = name
        given = {"INPUT": incidents["OUTPUT"], "CATEGORY_FIELD": "category", "CATEGORIES": "kind 0", "BIN_UNIT": "days"}
        fine = algorithm.run({**given, "OUTPUT": output}, context, QgsProcessingFeedback())[1]
        assert fine
        assert [each.name for each in context.layersToLoadOnCompletion().values()] == [said]
