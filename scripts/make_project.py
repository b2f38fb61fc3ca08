"""Put the demo's outputs into one styled QGIS project and photograph it; run with QGIS's Python.

Usage: make_project.py FOLDER TITLE  (FOLDER holds crime_risk.gpkg, hotspots.tif, risk.tif, classes.tif)
"""

from __future__ import annotations

import math
import os
import sys
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from qgis.core import (
    Qgis,
    QgsApplication,
    QgsColorRampLegendNodeSettings,
    QgsDateTimeRange,
    QgsLayoutExporter,
    QgsLayoutItemLabel,
    QgsLayoutItemLegend,
    QgsLayoutItemMap,
    QgsLayoutItemScaleBar,
    QgsLayoutPoint,
    QgsLayoutSize,
    QgsLegendStyle,
    QgsMapLayer,
    QgsMapLayerLegendUtils,
    QgsPrintLayout,
    QgsProject,
    QgsRasterLayer,
    QgsRectangle,
    QgsReferencedRectangle,
    QgsSingleBandPseudoColorRenderer,
    QgsTextFormat,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtGui import QFont

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from riskengine.contract.dates import format_moment, format_span
from riskengine.contract.texts import count_text

# Tables of the GeoPackage and rasters, top of the layer tree first.
LAYERS = (
    ("incidents", "Incidents"),
    ("class_polygons", "Class polygons"),
    ("crime_scores", "Crime scores"),
    ("predicted_scores", "Predicted scores"),
    ("classes.tif", "Risk classes"),
    ("risk.tif", "Risk"),
    ("next_maps.tif", "Risk of the next seven maps"),
    ("hotspots.tif", "Hotspot grids"),
    ("refused_rows", "Refused rows"),
)
# Not every file is large enough for a score model or the default forecaster, or has rows to refuse.
PERHAPS = ("Predicted scores", "Refused rows", "Risk of the next seven maps")
# Side by side in the photograph: layers, and what the colours mean.
PHOTOGRAPHED = {
    "Crime scores": "Crime score, from 0 to 1",
    "Hotspot grids": "Incidents in a cell",
    "Risk": "Probability of an incident in a cell",
    "Risk classes": "Class of the risk",
}


def load(folder: Path) -> dict[str, QgsMapLayer]:
    """All outputs that are there, with the style saved beside them."""
    layers: dict[str, QgsMapLayer] = {}
    for name, title in LAYERS:
        if name.endswith(".tif"):
            layer: QgsMapLayer = QgsRasterLayer(str(folder / name), title)
        else:
            layer = QgsVectorLayer(f"{folder / 'crime_risk.gpkg'}|layername={name}", title, "ogr")
        if layer.isValid() or title not in PERHAPS:
            layers[title] = layer
    broken = [title for title, layer in layers.items() if not layer.isValid()]
    if broken:
        sys.exit(f"Not there, or not readable, in {folder}: {', '.join(broken)}")
    return layers


def add_to_project(project: QgsProject, layers: dict[str, QgsMapLayer], title: str) -> None:
    """The tree, with the classes and scores visible and the rest one click away."""
    project.setTitle(title)
    project.setCrs(layers["Risk"].crs())
    root = project.layerTreeRoot()
    for name, layer in layers.items():
        project.addMapLayer(layer, False)
        node = root.addLayer(layer)
        node.setItemVisibilityChecked(name == "Risk classes")
        node.setExpanded(name == "Risk classes")
    ahead = layers.get("Risk of the next seven maps")
    if ahead is not None:
        # QGIS reads the times of a raster's bands from its style, but switches them off.
        ahead.temporalProperties().setIsActive(True)
    times = [
        span
        for layer in (layers["Hotspot grids"], ahead)
        if layer is not None
        for _, span in sorted(layer.temporalProperties().fixedRangePerBand().items())
    ]
    if times:
        project.timeSettings().setTemporalRange(QgsDateTimeRange(times[0].begin(), times[-1].end()))
    project.viewSettings().setDefaultViewExtent(QgsReferencedRectangle(layers["Risk"].extent(), layers["Risk"].crs()))


def describe(layers: dict[str, QgsMapLayer], name: str) -> str:
    """Describe of when a map of the photograph is, and of how many incidents."""
    incidents, layer = layers["Incidents"], layers[name]
    number = count_text(incidents.featureCount(), "incident")
    if not isinstance(layer, QgsRasterLayer):
        field = next(field for field in range(incidents.fields().count()) if incidents.fields()[field].isDateOrTime())
        ends = (incidents.minimumValue(field), incidents.maximumValue(field))
        first, last = (format_moment(end.toString(Qt.DateFormat.ISODate)).partition(",")[0] for end in ends)
        return f"{number}, {first} – {last}"
    # The map that is shown while the Temporal Controller is off.
    span = layer.temporalProperties().fixedRangePerBand()[1]
    when = format_span(*(end.toString(Qt.DateFormat.ISODate) for end in (span.begin(), span.end())))
    if name != "Hotspot grids":
        return f"{when}, forecast from {number}"
    counted = layer.dataProvider().bandStatistics(1).sum
    return f"{when}: {count_text(round(counted), 'incident')}"


def photograph(project: QgsProject, layers: dict[str, QgsMapLayer], title: str, path: Path) -> None:
    """Four maps side by side with their legends."""
    layout = QgsPrintLayout(project)
    layout.initializeDefaults()
    layout.setName("Crime Risk")
    layout.pageCollection().page(0).setPageSize(QgsLayoutSize(420, 160))
    _label(layout, title, 8, 2.5, 20, bold=True)
    extent = QgsRectangle(layers["Risk"].extent())
    extent.scale(1.02)
    for number, (name, meaning) in enumerate(PHOTOGRAPHED.items()):
        left = 8 + 102 * number
        _label(layout, name, left, 14, 12, bold=True)
        _label(layout, describe(layers, name), left, 19.5, 8)
        item = QgsLayoutItemMap(layout)
        layout.addLayoutItem(item)
        item.attemptMove(QgsLayoutPoint(left, 24))
        item.attemptResize(QgsLayoutSize(98, 98))
        item.setLayers([layers[name]])
        item.setKeepLayerSet(True)
        item.zoomToExtent(extent)
        item.setFrameEnabled(True)
        legend = QgsLayoutItemLegend(layout)
        layout.addLayoutItem(legend)
        legend.setAutoUpdateModel(False)
        group = legend.model().rootGroup()
        group.clear()
        _show_steps(layers[name])
        node = group.addLayer(layers[name])
        node.setName(meaning)
        if isinstance(layers[name], QgsRasterLayer):
            # A raster's first legend line is the name of its band.
            lines = len(legend.model().layerLegendNodes(node))
            QgsMapLayerLegendUtils.setLegendNodeOrder(node, list(range(1, lines)))
            legend.model().refreshLayerLegend(node)
        for style in (QgsLegendStyle.Style.Subgroup, QgsLegendStyle.Style.SymbolLabel):
            changed = QgsLegendStyle(legend.style(style))
            changed.setTextFormat(_text(7))
            legend.setStyle(style, changed)
        legend.setSymbolHeight(3)
        legend.setColumnCount(2)
        legend.setSplitLayer(True)
        legend.attemptMove(QgsLayoutPoint(left, 123))
    scale = QgsLayoutItemScaleBar(layout)
    layout.addLayoutItem(scale)
    scale.setLinkedMap(next(item for item in layout.items() if isinstance(item, QgsLayoutItemMap)))
    scale.setUnits(Qgis.DistanceUnit.Kilometers)
    scale.setUnitLabel("km")
    scale.setNumberOfSegments(1)
    scale.setNumberOfSegmentsLeft(0)
    # A quarter of the map's width, as a round number of kilometres.
    quarter = extent.width() / 4000
    power = 10.0 ** math.floor(math.log10(quarter))
    scale.setUnitsPerSegment(max(step * power for step in (1, 2, 5) if step * power <= quarter))
    scale.setTextFormat(_text(8))
    scale.attemptMove(QgsLayoutPoint(340, 4))
    if not QgsLayoutExporter(layout).renderPageToImage(0, dpi=110).save(str(path)):
        sys.exit(f"The map could not be written to {path}")
    project.layoutManager().addLayout(layout)


def _show_steps(layer: QgsMapLayer) -> None:
    """Give a legend a label at each step of the colours instead of a bar with two ends; in this project alone."""
    if isinstance(layer, QgsRasterLayer) and isinstance(layer.renderer(), QgsSingleBandPseudoColorRenderer):
        ramp = layer.renderer().shader().rasterShaderFunction()
        settings = QgsColorRampLegendNodeSettings(ramp.legendSettings())
        settings.setUseContinuousLegend(False)
        ramp.setLegendSettings(settings)


def _text(size: int, bold: bool = False) -> QgsTextFormat:
    font = QFont("DejaVu Sans")
    font.setBold(bold)
    text = QgsTextFormat()
    text.setFont(font)
    text.setSize(size)
    return text


def _label(layout: QgsPrintLayout, text: str, x: float, y: float, size: int, bold: bool = False) -> None:
    label = QgsLayoutItemLabel(layout)
    label.setText(text)
    label.setTextFormat(_text(size, bold))
    layout.addLayoutItem(label)
    label.attemptMove(QgsLayoutPoint(x, y))
    label.attemptResize(QgsLayoutSize(320, 12))


if __name__ == "__main__":
    target, heading = Path(sys.argv[1]).absolute(), sys.argv[2]
    application = QgsApplication([], False)
    application.initQgis()
    project = QgsProject.instance()
    loaded = load(target)
    add_to_project(project, loaded, heading)
    photograph(project, loaded, heading, target / "map.png")
    if not project.write(str(target / "crime_risk.qgz")):
        sys.exit(f"The project could not be written: {project.error()}")
    project.clear()
    application.exitQgis()
