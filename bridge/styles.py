"""Styles of the outputs: a QML from resources/styles, adjusted to what the layer holds, and remembered beside it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from qgis.core import (
    Qgis,
    QgsColorRampLegendNodeSettings,
    QgsColorRampShader,
    QgsDateTimeRange,
    QgsLayerMetadata,
    QgsMapUnitScale,
    QgsPalettedRasterRenderer,
    QgsPercentageNumericFormat,
    QgsRasterLayer,
    QgsRasterShader,
    QgsRasterTransparency,
    QgsRendererCategory,
    QgsRendererRange,
    QgsSingleBandPseudoColorRenderer,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QDate, QDateTime, Qt, QTime
from qgis.PyQt.QtGui import QColor
from qgis.PyQt.QtXml import QDomDocument

from .crs import tr

FOLDER = Path(__file__).resolve().parents[1] / "resources" / "styles"

#: Our style in a GeoPackage's table of styles.
STYLE_NAME = "Crime Risk"

#: Side of a grid's cell on the map, millimetres, at least: smaller squares fade into the background.
SMALLEST_CELL = 1.0

#: ColorBrewer YlOrRd: light is low, and it stays in order for colour-blind readers and in grey.
RAMP = ("#ffffb2", "#fecc5c", "#fd8d3c", "#f03b20", "#bd0026", "#800026", "#4d0018")


def load(layer: Any, name: str) -> None:
    """Apply resources/styles/`name`.qml.

    Not with loadNamedStyle, which prefers the style that a GeoPackage already holds for a table of that name.
    """
    document = QDomDocument()
    document.setContent((FOLDER / f"{name}.qml").read_text(encoding="utf-8"))
    layer.importNamedStyle(document)


def colours(number: int) -> list[QColor]:
    """`number` colours from light to dark, evenly along the ramp."""
    if number <= 5:
        return [QColor(RAMP[round(step * 4 / max(number - 1, 1))]) for step in range(number)]
    mixed = []
    for step in range(number):
        position = step * (len(RAMP) - 1) / (number - 1)
        low = min(int(position), len(RAMP) - 2)
        start, end, share = QColor(RAMP[low]), QColor(RAMP[low + 1]), position - low
        mixed.append(QColor(*(round(a + (b - a) * share) for a, b in zip(start.getRgb()[:3], end.getRgb()[:3]))))
    return mixed


def incidents(layer: QgsVectorLayer) -> None:
    """Small dots that stay readable where they lie on top of each other."""
    load(layer, "incidents")


def scores(layer: QgsVectorLayer, spacing: float | None = None) -> None:
    """Five even classes of the score; on a regular grid the markers fill their cells."""
    load(layer, "scores")
    if spacing and layer.crs().isValid():
        renderer = layer.renderer().clone()
        for number, entry in enumerate(renderer.ranges()):
            symbol = entry.symbol().clone()
            _fill_cell(symbol, spacing)
            renderer.updateRangeSymbol(number, symbol)
        layer.setRenderer(renderer)


def _fill_cell(symbol: Any, spacing: float) -> None:
    """Make a marker the square of a grid's cell, on small maps no smaller than can be seen."""
    marker = symbol.symbolLayer(0)
    marker.setShape(Qgis.MarkerShape.Square)
    marker.setSizeUnit(Qgis.RenderUnit.MapUnits)
    marker.setSize(spacing)
    scale = QgsMapUnitScale()
    scale.minSizeMMEnabled, scale.minSizeMM = True, SMALLEST_CELL
    marker.setSizeMapUnitScale(scale)


#: Lower and upper score of a class, and the percentiles of the incidents' own places that they stand for.
ScoreClass = tuple[float, float, int, int]


def _percentile_label(score_class: ScoreClass) -> str:
    low, high, begin, end = score_class
    return tr("{low} – {high} (percentile {begin} – {end} of incident places)").format(
        low=f"{low:.2f}", high=f"{high:.2f}", begin=begin, end=end
    )


def predicted_scores(
    layer: QgsVectorLayer,
    classes: Sequence[ScoreClass],
    names: dict[str, str],
    spacing: float | None = None,
) -> None:
    """The classes at percentiles, in the colours of `scores`, on points or polygons, with all numbers as a map tip.

    Parameters
    ----------
    names : dict
        What the fields score, lower, upper, percentile, incidents and count are called in this layer.
    spacing : float, optional
        Of a regular grid, whose markers fill their cells.
    """
    polygons = layer.geometryType() == Qgis.GeometryType.Polygon
    load(layer, "predicted_polygons" if polygons else "scores")
    renderer = layer.renderer().clone()
    # The symbol belongs to its range, which must outlive the copying.
    first = renderer.ranges()[0]
    symbol = first.symbol().clone()
    if spacing:
        _fill_cell(symbol, spacing)
    renderer.deleteAllClasses()
    renderer.setClassAttribute(f'"{names["score"]}"')
    shades = colours(5)
    for entry in classes:
        own = symbol.clone()
        own.setColor(shades[-(-entry[3] // 20) - 1])
        renderer.addClassRange(QgsRendererRange(entry[0], entry[1], own, _percentile_label(entry)))
    layer.setRenderer(renderer)
    layer.setMapTipTemplate(
        tr(
            "<b>{score}</b> ({lower} – {upper}), percentile {percentile}<br>about {count} incidents in the window"
            "<br>{incidents} recent incidents within 500 m"
        ).format(
            **{
                name: f"[% coalesce(format_number(\"{field}\", {digits}), '–') %]"
                for (name, field), digits in zip(names.items(), (2, 2, 2, 0, 0, 0))
            }
        )
    )


def predicted_raster(layer: QgsRasterLayer, classes: Sequence[ScoreClass]) -> None:
    """The classes of `predicted_scores` on a raster's first band."""
    load(layer, "predicted_raster")
    _pseudocolour(
        layer,
        [entry[1] for entry in classes],
        [_percentile_label(entry) for entry in classes],
        QgsColorRampShader.Type.Discrete,
    )


def score_queries(layer: QgsVectorLayer) -> None:
    """The classes of `scores` as large labelled markers, and a grey one for places without data."""
    load(layer, "score_queries")


@cache
def score_classes() -> tuple[tuple[float, float, str, str], ...]:
    """Lower and upper limit, colour (#rrggbb) and label of the score's classes, as the layers' style has them."""
    layer = QgsVectorLayer("Point?field=score:double", "scores", "memory")
    load(layer, "scores")
    return tuple(
        (entry.lowerValue(), entry.upperValue(), entry.symbol().color().name(), entry.label())
        for entry in layer.renderer().ranges()
    )


def score_colour(score: float) -> QColor:
    """The colour that the layers' style gives a score."""
    classes = score_classes()
    return QColor(next((colour for _, upper, colour, _ in classes if score <= upper), classes[-1][2]))


def _time(text: str) -> QDateTime:
    # Wall-clock time: in any zone with daylight saving some of it does not exist, in UTC all of it does.
    date, _, clock = text.partition("T")
    return QDateTime(QDate.fromString(date, "yyyy-MM-dd"), QTime.fromString(clock[:8], "HH:mm:ss"), Qt.TimeSpec.UTC)


def set_bands_in_time(layer: QgsRasterLayer, edges: Sequence[str]) -> None:
    """Give each band its half-open time range, so that the Temporal Controller plays the stack."""
    if len(edges) != layer.bandCount() + 1:
        return
    ranges = {
        band: QgsDateTimeRange(_time(edges[band - 1]), _time(edges[band]), True, False)
        for band in range(1, layer.bandCount() + 1)
    }
    properties = layer.temporalProperties()
    properties.setMode(Qgis.RasterTemporalMode.FixedRangePerBand)
    properties.setFixedRangePerBand(ranges)
    properties.setIsActive(len(ranges) > 1)


def _pseudocolour(layer: QgsRasterLayer, values: Sequence[float], labels: Sequence[str], kind: Any) -> None:
    shades = colours(len(values))
    ramp = QgsColorRampShader(min(values), max(values), None, kind)
    ramp.setColorRampItemList(
        [QgsColorRampShader.ColorRampItem(value, colour, label) for value, colour, label in zip(values, shades, labels)]
    )
    if kind == QgsColorRampShader.Type.Interpolated:
        settings = QgsColorRampLegendNodeSettings()
        percent = QgsPercentageNumericFormat()
        percent.setInputValues(QgsPercentageNumericFormat.InputValues.ValuesAreFractions)
        percent.setNumberDecimalPlaces(1)
        settings.setNumericFormat(percent)
        ramp.setLegendSettings(settings)
    shader = QgsRasterShader()
    shader.setRasterShaderFunction(ramp)
    renderer = QgsSingleBandPseudoColorRenderer(layer.dataProvider(), 1, shader)
    renderer.setClassificationMin(min(values))
    renderer.setClassificationMax(max(values))
    _take_over(layer, renderer)


def _take_over(layer: QgsRasterLayer, renderer: Any) -> None:
    """Replace the renderer but keep the opacity of the base style."""
    renderer.setOpacity(layer.renderer().opacity())
    layer.setRenderer(renderer)


def heatmaps(layer: QgsRasterLayer, highest: int, edges: Sequence[str]) -> None:
    """Counts in up to five steps; empty cells are transparent."""
    load(layer, "heatmaps")
    steps = sorted({max(round(highest ** (step / 4)), 1) for step in range(5)})
    labels = [str(step) if low + 1 == step else f"{low + 1} – {step}" for low, step in zip([0, *steps], steps)]
    _pseudocolour(layer, [float(step) for step in steps], labels, QgsColorRampShader.Type.Discrete)
    _hide_zero(layer)
    set_bands_in_time(layer, edges)


def _hide_zero(layer: QgsRasterLayer) -> None:
    transparency = QgsRasterTransparency()
    pixel = QgsRasterTransparency.TransparentSingleValuePixel(0.0, 0.0, 0.0)
    transparency.setTransparentSingleValuePixelList([pixel])
    layer.renderer().setRasterTransparency(transparency)


def risk(layer: QgsRasterLayer, edges: Sequence[str]) -> None:
    """Probabilities from the lowest to the highest of the first map, in even colours."""
    load(layer, "risk")
    statistics = layer.dataProvider().bandStatistics(1)
    low, high = statistics.minimumValue, statistics.maximumValue
    if not high > low:
        high = low + 1e-6
    values = [low + (high - low) * step / 6 for step in range(7)]
    _pseudocolour(layer, values, [f"{value:.1%}" for value in values], QgsColorRampShader.Type.Interpolated)
    set_bands_in_time(layer, edges)


def classes(layer: QgsRasterLayer, labels: Sequence[str], edges: Sequence[str]) -> None:
    """One colour and one legend line a class."""
    load(layer, "classes")
    entries = [
        QgsPalettedRasterRenderer.Class(number, colour, label)
        for number, (colour, label) in enumerate(zip(colours(len(labels)), labels))
    ]
    _take_over(layer, QgsPalettedRasterRenderer(layer.dataProvider(), 1, entries))
    set_bands_in_time(layer, edges)


def class_polygons(layer: QgsVectorLayer, labels: Sequence[str]) -> None:
    """The class raster's colours on polygons."""
    load(layer, "class_polygons")
    renderer = layer.renderer().clone()
    # The symbol belongs to its category, which must outlive the copying.
    category = renderer.categories()[0]
    symbol = category.symbol().clone()
    renderer.deleteAllCategories()
    for number, (colour, label) in enumerate(zip(colours(len(labels)), labels)):
        own = symbol.clone()
        own.setColor(colour)
        renderer.addCategory(QgsRendererCategory(number, own, label))
    layer.setRenderer(renderer)


def _forget_styles(layer: QgsVectorLayer) -> None:
    """Delete our earlier style of a table that was written again: saving does not replace it."""
    own, ids, names, _, _ = layer.listStylesInDatabase()
    # The layer's own styles come first, those of other tables after them.
    for identifier, name in zip(ids[:own], names[:own]):
        if name == STYLE_NAME:
            layer.deleteStyleFromDatabase(identifier)


def remember(layer: Any, title: str, history: str) -> None:
    """Keep style and history with the file, so that they are there when it is loaded again by hand."""
    metadata = QgsLayerMetadata(layer.metadata())
    metadata.setTitle(title)
    metadata.addHistoryItem(
        tr("{when}: made with Crime Risk, {history}").format(
            when=QDateTime.currentDateTime().toString("yyyy-MM-dd HH:mm"), history=history
        )
    )
    layer.setMetadata(metadata)
    source = layer.source().split("|")[0]
    if isinstance(layer, QgsRasterLayer) and Path(source).is_file():
        layer.saveNamedStyle(str(Path(source).with_suffix(".qml")))
        layer.saveDefaultMetadata()
    elif isinstance(layer, QgsVectorLayer) and layer.isSpatial() and source.lower().endswith(".gpkg"):
        _forget_styles(layer)
        layer.saveStyleToDatabase(STYLE_NAME, title, True, "")
        layer.saveDefaultMetadata()
