"""What the Layers panel says of a raster: which map is shown, never "Band 1 (Gray)"; and how its layers are called."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kit.layers import write_bands
from osgeo import gdal
from qgis.core import (
    QgsApplication,
    QgsContrastEnhancement,
    QgsDateTimeRange,
    QgsLayerTreeModel,
    QgsMapLayerLegendUtils,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingOutputLayerDefinition,
    QgsProject,
    QgsRasterLayer,
    QgsSingleBandGrayRenderer,
)
from qgis.gui import QgsMapCanvas
from qgis.PyQt.QtCore import QDateTime, Qt

DAYS = [("2024-12-30T00:00:00", "2024-12-31T00:00:00"), ("2024-12-31T00:00:00", "2025-01-01T00:00:00")]
ALWAYS = QgsDateTimeRange(QDateTime(), QDateTime())


class Panel:
    """A Layers panel beside a map, with our lines in it."""

    def __init__(self) -> None:
        from crime_risk.ui.legend_lines import LegendLines

        self.project, self.canvas = QgsProject(), QgsMapCanvas()
        self.model = QgsLayerTreeModel(self.project.layerTreeRoot())
        self.lines = LegendLines(self.project, self.canvas)

    def add(self, layer: QgsRasterLayer) -> QgsRasterLayer:
        self.project.addMapLayer(layer)
        return layer

    def read(self, layer: QgsRasterLayer) -> str:
        """The line above the colours."""
        node = self.project.layerTreeRoot().findLayer(layer.id())
        return str(self.model.layerLegendNodes(node)[0].data(Qt.ItemDataRole.DisplayRole))


@pytest.fixture
def panel(plugin: Any) -> Iterator[Panel]:
    made = Panel()
    yield made
    made.lines.close()


@pytest.fixture
def raster(tmp_path: Path) -> Any:
    def write(maps: int = 2, name: str = "risk") -> QgsRasterLayer:
        path = write_bands(tmp_path / f"{name}.tif", [[[0.1, 0.2], [0.3, 0.4 + map / 10]] for map in range(maps)])
        return QgsRasterLayer(path, name)

    return write


def style(kind: str, layer: QgsRasterLayer, edges: Any) -> None:
    from crime_risk.bridge import styles

    facts = {"edges": edges, "highest": 3, "labels": ["correct", "false positive"], "classes": [(0.0, 1.0, 0, 100)]}
    styles.apply(kind, layer, facts)


@pytest.mark.parametrize("kind", ["risk", "heatmaps", "classes", "labels"])
def test_the_legend_names_the_map_that_is_shown(panel: Panel, raster: Any, kind: str) -> None:
    layer = raster()
    style(kind, layer, DAYS)
    panel.add(layer)
    assert panel.read(layer) == "Map of Mon 30 Dec 2024"
    second = layer.temporalProperties().fixedRangePerBand()[2]
    panel.canvas.setTemporalRange(second)
    assert panel.read(layer) == "Map of Tue 31 Dec 2024"
    later = QgsDateTimeRange(second.begin().addDays(7), second.end().addDays(7), True, False)
    panel.canvas.setTemporalRange(later)
    assert panel.read(layer) == "No map of Tue 7 Jan 2025"
    panel.canvas.setTemporalRange(ALWAYS)
    assert panel.read(layer) == "Map of Mon 30 Dec 2024"


def test_another_band_and_another_renderer_are_named_too(panel: Panel, raster: Any) -> None:
    layer = raster()
    style("risk", layer, DAYS)
    panel.add(layer)
    grey = QgsSingleBandGrayRenderer(layer.dataProvider(), 2)
    contrast = QgsContrastEnhancement(layer.dataProvider().dataType(2))
    contrast.setContrastEnhancementAlgorithm(
        QgsContrastEnhancement.ContrastEnhancementAlgorithm.StretchToMinimumMaximum
    )
    grey.setContrastEnhancement(contrast)
    layer.setRenderer(grey)
    assert panel.read(layer) == "Map of Tue 31 Dec 2024"


def test_a_single_map_is_named_whatever_the_map_shows(panel: Panel, raster: Any) -> None:
    layer = raster(1)
    style("risk", layer, DAYS[1:])
    panel.add(layer)
    panel.canvas.setTemporalRange(QgsDateTimeRange(QDateTime(2020, 1, 1, 0, 0), QDateTime(2020, 1, 2, 0, 0)))
    assert panel.read(layer) == "Map of Tue 31 Dec 2024"


def test_a_score_has_no_day_but_a_name_also_when_it_is_opened_by_hand(panel: Panel, raster: Any) -> None:
    from crime_risk.bridge import styles

    layer = raster(2, "score")
    file = gdal.Open(layer.source(), gdal.GA_Update)
    file.GetRasterBand(2).SetDescription("lower")
    file = None
    layer.reload()
    style("predicted_raster", layer, [])
    styles.remember(layer, "Predicted score", "a tool")
    opened = QgsRasterLayer(layer.source(), "opened")
    panel.add(opened)
    assert panel.read(opened) == "Predicted score"
    shown = opened.renderer().clone()
    shown.setInputBand(2)
    opened.setRenderer(shown)
    assert panel.read(opened) == "Predicted score: lower"


def test_another_tools_raster_keeps_its_legend(panel: Panel, raster: Any) -> None:
    layer = panel.add(raster(1, "hillshade"))
    assert panel.read(layer).startswith("Band 1")


def test_a_name_that_the_user_gave_stays(panel: Panel, raster: Any) -> None:
    layer = raster()
    style("risk", layer, DAYS)
    panel.add(layer)
    node = panel.project.layerTreeRoot().findLayer(layer.id())
    QgsMapLayerLegendUtils.setLegendNodeUserLabel(node, 0, "Our forecast")
    panel.canvas.setTemporalRange(layer.temporalProperties().fixedRangePerBand()[2])
    panel.model.refreshLayerLegend(node)
    assert panel.read(layer) == "Our forecast"
    QgsMapLayerLegendUtils.setLegendNodeUserLabel(node, 0, "")
    layer.legendChanged.emit()
    assert panel.read(layer) == "Map of Tue 31 Dec 2024"


def test_everything_is_let_go_whatever_was_added(plugin: Any, raster: Any) -> None:
    from crime_risk.ui.legend_lines import LegendLines

    project, canvas, kept, silent = QgsProject(), QgsMapCanvas(), raster(), raster(name="silent")
    lines = LegendLines(project, canvas)
    project.addMapLayer(kept)
    project.blockSignals(True)
    project.addMapLayer(silent)
    project.blockSignals(False)
    lines.close()
    # Nothing is named any more, for all that is said.
    style("risk", kept, DAYS)
    canvas.setTemporalRange(kept.temporalProperties().fixedRangePerBand()[2])
    kept.legendChanged.emit()
    assert not project.layerTreeRoot().findLayer(kept.id()).customProperty("legend/label-0")


def test_what_is_in_the_project_before_the_plugin_is_named(plugin: Any, raster: Any) -> None:
    from crime_risk.ui.legend_lines import LegendLines

    project, canvas, layer = QgsProject(), QgsMapCanvas(), raster()
    style("risk", layer, DAYS)
    project.addMapLayer(layer)
    lines = LegendLines(project, canvas)
    lines.close()
    node = project.layerTreeRoot().findLayer(layer.id())
    assert node.customProperty("legend/label-0") == "Map of Mon 30 Dec 2024"


def test_a_project_made_without_the_plugin_is_named_when_it_is_opened(
    panel: Panel, raster: Any, tmp_path: Path
) -> None:
    made, layer = QgsProject(), raster()
    style("risk", layer, DAYS)
    made.addMapLayer(layer)
    assert made.write(str(tmp_path / "city.qgz"))
    assert panel.project.read(str(tmp_path / "city.qgz"))
    (opened,) = panel.project.mapLayers().values()
    assert panel.read(opened) == "Map of Mon 30 Dec 2024"


# Names of layers.


@pytest.fixture
def load(plugin: Any, tmp_path: Path) -> Any:
    """The names of what a tool, or a model, loads into the project."""

    def names(algorithm: Any, outputs: dict[str, str], **given: Any) -> dict[str, str]:
        context, project = QgsProcessingContext(), QgsProject()
        context.setProject(project)
        if isinstance(algorithm, str):
            algorithm = QgsApplication.processingRegistry().createAlgorithmById(f"crimerisk:{algorithm}")
        for name, file in outputs.items():
            given[name] = QgsProcessingOutputLayerDefinition(str(tmp_path / file), project)
        feedback = QgsProcessingFeedback()
        assert algorithm.run(given, context, feedback)[1], feedback.textLog()
        return {Path(key.split("|")[0]).name: each.name for key, each in context.layersToLoadOnCompletion().items()}

    return names


def test_every_map_of_a_forecast_says_what_and_when(load: Any, run: Any, town_layer: Any, tmp_path: Path) -> None:
    grids = str(tmp_path / "grids.tif")
    given = {"TIME_FIELD": "occurred", "CATEGORY_FIELD": "category", "COLUMNS": 12, "ROWS": 12, "BIN_UNIT": "days"}
    category = sorted(town_layer.uniqueValues(town_layer.fields().lookupField("category")))[0]
    made = load("rasterizehotspots", {"OUTPUT": "grids.tif"}, INPUT=town_layer, CATEGORIES=category, **given)
    assert made["grids.tif"].startswith("Hotspot grids, ")
    assert made["grids.tif"].endswith(f", {category}")
    span = made["grids.tif"].removeprefix("Hotspot grids, ")
    assert load("binarizeheatmaps", {"OUTPUT": "b.tif"}, INPUT=grids)["b.tif"] == f"Binary maps, {span}"
    assert load("fillheatmapgaps", {"OUTPUT": "f.tif"}, INPUT=grids)["f.tif"] == f"Filled hotspot grids, {span}"
    model = str(tmp_path / "m.crimemodel")
    run("trainforecastmodel", INPUT=grids, MODEL_KIND="prior_counts", MODEL=model)
    risk = load("forecastrisk", {"OUTPUT": "risk.tif"}, MODEL=model, INPUT=grids, STEPS=1)["risk.tif"]
    assert risk.startswith("Risk, ")
    assert risk.endswith(f", {category}")
    when = risk.removeprefix("Risk, ")
    assert load("classifyrisk", {"OUTPUT": "c.tif", "POLYGONS": "p.gpkg"}, INPUT=str(tmp_path / "risk.tif")) == {
        "c.tif": f"Risk classes, {when}",
        "p.gpkg": f"Class polygons, {when}",
    }
    fine = load("upsamplerisk", {"OUTPUT": "u.tif"}, INPUT=str(tmp_path / "risk.tif"))
    assert fine["u.tif"] == f"Risk for display, {when}"
    judged = load(
        "backtestforecast",
        {"RISK": "r.tif", "LABELS": "l.tif", "HITS": "h.gpkg"},
        INPUT=grids,
        MODELS="prior_counts",
        REPORT=str(tmp_path / "r.html"),
    )
    assert len(judged) == 3
    assert all(name.endswith(f" 2024, {category}") for name in judged.values()), judged


def test_layers_of_points_say_of_which_days(load: Any, index_file: Path, score_model_file: Path) -> None:
    scores = load("crimescorelayer", {"OUTPUT": "s.gpkg"}, INDEX=str(index_file), SPACING=2000)
    assert scores["s.gpkg"].startswith("Crime scores, 365 days to ")
    raster = load("predictscoreraster", {"OUTPUT": "r.tif"}, INDEX=str(index_file), MODEL=str(score_model_file))
    assert raster["r.tif"].startswith("Predicted score, 31 days to ")
