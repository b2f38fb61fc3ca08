"""From risk to map: classes by percentile, share and reference, finer maps for display, and the print layout."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from kit.layers import read_band_times, read_bands, write_bands
from qgis.core import (
    Qgis,
    QgsColorRampShader,
    QgsLayoutExporter,
    QgsLayoutItemMap,
    QgsLayoutItemScaleBar,
    QgsPalettedRasterRenderer,
    QgsPrintLayout,
    QgsProject,
    QgsRasterLayer,
    QgsReadWriteContext,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtGui import QImage
from qgis.PyQt.QtXml import QDomDocument

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def hundred(tmp_path: Path) -> str:
    """Two maps of a hundred cells, risks 0 to 0.99 and the same half as high."""
    import numpy as np

    one = np.arange(100).reshape(10, 10) / 100
    return write_bands(tmp_path / "hundred.tif", np.stack([one, one / 2]), nodata=-9999)


def test_shares_of_the_area(run: Any, hundred: str, tmp_path: Path) -> None:
    ran = run("classifyrisk", INPUT=hundred, METHOD=1, SHARES="5; 20", OUTPUT=str(tmp_path / "each.tif"))
    classes = read_bands(ran["OUTPUT"])
    for band in classes:
        assert [(band == number).sum() for number in range(3)] == [80, 15, 5]
    renderer = ran.layer().renderer()
    assert isinstance(renderer, QgsPalettedRasterRenderer)
    assert [entry.label for entry in renderer.classes()] == [
        "Other 80 % of the area",
        "Riskiest 5 to 20 % of the area",
        "Riskiest 5 % of the area",
    ]
    assert ran["THRESHOLDS"] == "0.8, 0.95"
    assert "Riskiest 5 % of the area: 10 cells" in ran.log.text
    whole = run("classifyrisk", INPUT=hundred, METHOD=1, SHARES="5,20", OVER=1, OUTPUT=str(tmp_path / "whole.tif"))
    # The 40 riskiest of the 200 cells: of the second map, whose risk ends at 0.495, none.
    assert [(band > 0).sum() for band in read_bands(whole["OUTPUT"])] == [40, 0]


def test_a_reference_gives_the_percentiles(run: Any, hundred: str, tmp_path: Path) -> None:
    new = write_bands(tmp_path / "new.tif", [[0.1, 0.3725, 0.38, 0.99]], nodata=-9999)
    ran = run("classifyrisk", INPUT=new, REFERENCE=hundred, PERCENTILES="75", OUTPUT=str(tmp_path / "o.tif"))
    # Three quarters of the 200 cells of the reference lie at most at 0.49 of its upper and lower map together.
    import numpy as np

    limit = float(np.percentile(read_bands(hundred), 75))
    assert ran["THRESHOLDS"] == f"{limit:.6g}"
    assert read_bands(ran["OUTPUT"]).ravel().tolist() == [int(value > limit) for value in (0.1, 0.3725, 0.38, 0.99)]
    assert "over all 2 maps of the reference" in ran.log.text
    by_itself = run("classifyrisk", INPUT=new, PERCENTILES="75", OUTPUT=str(tmp_path / "p.tif"))
    assert by_itself["THRESHOLDS"] != ran["THRESHOLDS"]


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"METHOD": 1, "SHARES": ""}, "SHARES is empty; give rising numbers between 0 and 100 such as 1, 5, 10, 20"),
        ({"METHOD": 1, "SHARES": "ten"}, "SHARES is ten; give numbers with commas between them, such as 1, 5, 10, 20"),
        ({"METHOD": 1, "SHARES": "20, 10"}, "SHARES is 20, 10; give rising numbers between 0 and 100"),
        ({"METHOD": 1, "SHARES": "0, 10"}, "SHARES is 0, 10; give rising numbers between 0 and 100"),
        ({"METHOD": 3}, "METHOD is 3; choose one of 0: Percentiles of the risk; 1: Shares of the area"),
        (
            {"REFERENCE": "nowhere.tif"},
            "REFERENCE is nowhere.tif; it is missing, truncated or no layer. Choose a raster, or a layer of",
        ),
    ],
)
def test_classes_that_cannot_be(
    parameters: dict[str, Any], sentence: str, refusal: Any, hundred: str, tmp_path: Path
) -> None:
    output = tmp_path / "o.tif"
    assert sentence in refusal("classifyrisk", INPUT=hundred, OUTPUT=str(output), **parameters)
    assert not output.exists()


def test_shares_need_no_reference(refusal: Any, hundred: str, tmp_path: Path) -> None:
    said = refusal("classifyrisk", INPUT=hundred, METHOD=1, REFERENCE=hundred, OUTPUT=str(tmp_path / "o.tif"))
    assert "Leave REFERENCE empty, or choose percentiles" in said


def test_percentiles_are_not_asked_for_with_shares(run: Any, hundred: str, tmp_path: Path) -> None:
    ran = run("classifyrisk", INPUT=hundred, METHOD=1, PERCENTILES="none", OUTPUT=str(tmp_path / "o.tif"))
    assert read_bands(ran["OUTPUT"]).max() == 4


@pytest.fixture(scope="module")
def fine(run: Any, forecast: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    path = tmp_path_factory.mktemp("fein") / "fine.tif"
    return run("upsamplerisk", INPUT=forecast["OUTPUT"], FACTOR=4, METHOD=1, OUTPUT=str(path))


def test_a_finer_map_keeps_place_time_and_style(fine: Any, forecast: Any) -> None:
    coarse, layer = forecast.layer(), fine.layer()
    assert (fine["WIDTH"], fine["HEIGHT"]) == (48, 48) == (layer.width(), layer.height())
    assert fine["CELL"] == pytest.approx(coarse.rasterUnitsPerPixelX() / 4)
    assert layer.extent().toString(3) == coarse.extent().toString(3)
    assert layer.crs() == coarse.crs()
    assert layer.bandCount() == coarse.bandCount() == 2
    assert read_band_times(layer, "yyyy-MM-dd") == read_band_times(coarse, "yyyy-MM-dd")
    assert layer.temporalProperties().isActive()
    shader = layer.renderer().shader().rasterShaderFunction()
    assert shader.colorRampType() == QgsColorRampShader.Type.Interpolated
    assert shader.colorRampItemList()[0].label.endswith("%")
    assert "4 times finer than the forecast, cubic" in layer.metadata().abstract()
    assert "for display only" in "\n".join(fine.log.warnings)
    low, high = read_bands(forecast["OUTPUT"]).min(), read_bands(forecast["OUTPUT"]).max()
    assert low <= read_bands(fine["OUTPUT"]).min() < read_bands(fine["OUTPUT"]).max() <= high


def test_the_border_keeps_its_outline(run: Any, tmp_path: Path) -> None:
    risk = write_bands(tmp_path / "risk.tif", [[-9999, 0.25, 0.25], [0.25, 0.25, 0.25]], nodata=-9999)
    for method in (0, 1):
        values = read_bands(
            run("upsamplerisk", INPUT=risk, FACTOR=2, METHOD=method, OUTPUT=str(tmp_path / "o.tif"))["OUTPUT"]
        )[0]
        assert (values[:2, :2] == -9999).all()
        assert (values == -9999).sum() == 4
        assert (values[values != -9999] == 0.25).all()


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"FACTOR": 1}, "FACTOR is 1; give a whole number from 2 to 20"),
        ({"FACTOR": 21}, "FACTOR is 21; give a whole number from 2 to 20"),
        ({"METHOD": 5}, "METHOD is 5; choose one of 0: Bilinear"),
        ({"INPUT": "nowhere.tif"}, "INPUT is nowhere.tif; it is missing, truncated or no raster"),
        ({"INPUT": None}, "INPUT is empty"),
    ],
)
def test_nothing_finer(parameters: dict[str, Any], sentence: str, refusal: Any, hundred: str, tmp_path: Path) -> None:
    output = tmp_path / "o.tif"
    assert sentence in refusal("upsamplerisk", **{"INPUT": hundred, "OUTPUT": str(output), **parameters})
    assert not output.exists()


def test_a_map_of_nothing(refusal: Any, tmp_path: Path) -> None:
    empty, output = write_bands(tmp_path / "empty.tif", [[-9999, -9999]], nodata=-9999), tmp_path / "o.tif"
    assert "has no cell with a value" in refusal("upsamplerisk", INPUT=empty, OUTPUT=str(output))
    assert not output.exists()


# Styles that other algorithms' results are given.


def test_labels_and_hits(plugin: Any, tmp_path: Path) -> None:
    from crime_risk.bridge import styles
    from crime_risk.riskengine.contract.colours import LABELS

    layer = QgsRasterLayer(write_bands(tmp_path / "labels.tif", [[0, 1, 2], [3, 4, 5]], nodata=-9999), "labels")
    edges = [("2024-03-01T00:00:00", "2024-03-02T00:00:00")]
    styles.style_labels(layer, ["true negative", *LABELS], edges)
    entries = layer.renderer().classes()
    assert [int(entry.value) for entry in entries] == [0, 1, 2, 3, 4, 5]
    assert entries[0].color.alpha() == 0, "true negatives let the map below be seen"
    assert [entry.color.name() for entry in entries[1:]] == list(LABELS.values())
    assert len({entry.color.name() for entry in entries[1:]}) == 5
    assert entries[3].label == "Missed, but a neighbour was flagged"
    assert read_band_times(layer, "yyyy-MM-dd") == [("2024-03-01", "2024-03-02")]
    fields = "field=start:datetime&field=end:datetime&field=incidents:integer&field=risk:double&field=label:string"
    points = QgsVectorLayer(f"Point?crs=EPSG:32610&{fields}", "hits", "memory")
    styles.style_hits(points)
    categories = {category.value(): category.symbol().color().name() for category in points.renderer().categories()}
    assert {name: colour for name, colour in LABELS.items() if name in categories} == categories
    times = points.temporalProperties()
    assert (times.startField(), times.endField(), times.isActive()) == ("start", "end", True)
    assert times.limitMode() == Qgis.VectorTemporalLimitMode.IncludeBeginExcludeEnd


# The print layout.


@pytest.fixture
def project() -> Any:
    """The current one: expressions look layers up there."""
    project = QgsProject.instance()
    crs, before = project.crs(), set(project.mapLayers())
    yield project
    project.removeMapLayers(list(set(project.mapLayers()) - before))
    project.setCrs(crs)


def open_layout(project: QgsProject) -> QgsPrintLayout:
    document = QDomDocument()
    text = (ROOT / "resources" / "layouts" / "crime_risk.qpt").read_text(encoding="utf-8")
    assert document.setContent(text)[0] if isinstance(document.setContent(text), tuple) else document.setContent(text)
    layout = QgsPrintLayout(project)
    items, fine = layout.loadFromTemplate(document, QgsReadWriteContext())
    assert fine
    assert {item.id() for item in items if hasattr(item, "id")} >= {
        *("title", "date", "map", "legend", "scale bar", "card", "credits")
    }
    return layout


def shown(layout: QgsPrintLayout, name: str) -> str:
    return layout.itemById(name).currentText()


def test_the_legend_of_a_new_layout_names_no_map(project: QgsProject, fine: Any) -> None:
    from crime_risk.ui.risk_layout import make_layout

    layer = QgsRasterLayer(fine["OUTPUT"], "my risk")
    layer.loadDefaultStyle()
    project.addMapLayer(layer)
    legend = make_layout(project).itemById("legend")
    (node,) = legend.model().rootGroup().findLayers()
    lines = legend.model().layerLegendNodes(node)
    assert lines, "the legend is empty"
    # QGIS puts the name of the first map there, whichever is shown.
    assert not any("Band" in str(line.data(Qt.ItemDataRole.DisplayRole)) for line in lines)


def test_the_layout_shows_the_risk(project: QgsProject, fine: Any, tmp_path: Path) -> None:
    layer = QgsRasterLayer(fine["OUTPUT"], "my risk")
    layer.loadDefaultMetadata()
    project.addMapLayer(layer)
    project.setCrs(layer.crs())
    layout = open_layout(project)
    view = layout.itemById("map")
    assert isinstance(view, QgsLayoutItemMap)
    view.setLayers([layer])
    view.zoomToExtent(layer.extent())
    assert shown(layout, "title") == "Risk for display"
    first, second = read_band_times(layer, "yyyy-MM-dd")
    # Bins of a day; of a layer drawn without a time the first is shown.
    assert first == ("2024-02-10", "2024-02-11")
    assert shown(layout, "date") == "Sat 10 Feb 2024"
    assert "4 times finer than the forecast" in shown(layout, "card")
    assert "EPSG:32610" in shown(layout, "credits")
    bar = layout.itemById("scale bar")
    assert isinstance(bar, QgsLayoutItemScaleBar)
    assert bar.linkedMap() is view
    assert layout.itemById("legend").linkedMap() is view
    layer.temporalProperties().setIsActive(True)
    view.setIsTemporal(True)
    view.setTemporalRange(layer.temporalProperties().fixedRangePerBand()[2])
    assert second == ("2024-02-11", "2024-02-12")
    assert shown(layout, "date") == "Sun 11 Feb 2024"
    settings = QgsLayoutExporter.ImageExportSettings()
    settings.dpi = 60
    path = str(tmp_path / "map.png")
    assert QgsLayoutExporter(layout).exportToImage(path, settings) == QgsLayoutExporter.ExportResult.Success
    image = QImage(path)
    assert image.width() / image.height() == pytest.approx(297 / 210, rel=0.01)

    def colours(left: float, top: float, right: float, bottom: float) -> set[str]:
        """Colours within a part of the page, millimetres."""
        scale = image.width() / 297
        return {
            image.pixelColor(x, y).name()
            for x in range(int(left * scale), int(right * scale))
            for y in range(int(top * scale), int(bottom * scale))
        }

    assert len(colours(60, 60, 150, 160)) > 30, "the map is empty"
    for name, part in (
        ("title", (10, 8, 100, 17)),
        ("date", (10, 18, 100, 26)),
        ("legend", (208, 28, 287, 70)),
        ("card", (208, 136, 287, 150)),
        ("scale bar", (208, 180, 287, 193)),
        ("credits", (10, 195, 200, 203)),
    ):
        assert len(colours(*part)) > 2, f"{name} is empty"
    assert colours(288, 0, 297, 209) == {"#ffffff"}, "something runs over the page's edge"


def test_the_layout_of_an_empty_map(project: QgsProject) -> None:
    layout = open_layout(project)
    assert (shown(layout, "title"), shown(layout, "date"), shown(layout, "card")) == ("Risk map", "", "")
