"""Styles of the crime score's layers; callers have them from `styles`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from qgis.core import (
    Qgis,
    QgsColorRampShader,
    QgsFillSymbol,
    QgsGeometryGeneratorSymbolLayer,
    QgsProperty,
    QgsRasterLayer,
    QgsRendererRange,
    QgsSimpleMarkerSymbolLayer,
    QgsSymbolLayer,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtGui import QColor

from .crs import tr
from .style_parts import list_colours, load_style, set_pseudocolour

#: Of a square in a legend, millimetres.
_SAMPLE_SIZE = 4.0


def style_scores(layer: QgsVectorLayer, spacing: float | None = None) -> None:
    """Style scores: five even classes; on a regular grid squares fill the cells."""
    load_style(layer, "scores")
    if spacing and layer.crs().isValid():
        renderer = layer.renderer().clone()
        for number, entry in enumerate(renderer.ranges()):
            symbol = entry.symbol().clone()
            _fill_cell(symbol, spacing)
            renderer.updateRangeSymbol(number, symbol)
        layer.setRenderer(renderer)


def _fill_cell(symbol: Any, spacing: float) -> None:
    """Draw a marker as the square of a grid's cell, whatever the project's CRS: `spacing` is in the layer's metres.

    A marker with a size in map units would be as wide in degrees, and in Web Mercator too narrow. In a legend there is
    no place, and so no scale: there the square is one on the screen.
    """
    # Of a legend's sample there is no feature: next to nothing is drawn.
    half = f"if(@id is null, 0.000001, {spacing / 2:.10g})"
    corners = (f"translate($geometry, {x}{half}, {y}{half})" for x, y in (("-", "-"), ("-", ""), ("", "")))
    made = f"make_rectangle_3points({', '.join(corners)})"
    square = QgsGeometryGeneratorSymbolLayer.create({"geometryModifier": made})
    square.setSymbolType(Qgis.SymbolType.Fill)
    fill = QgsFillSymbol.createSimple({"outline_style": "no"})
    fill.setColor(symbol.color())
    square.setSubSymbol(fill)
    sample = QgsSimpleMarkerSymbolLayer(Qgis.MarkerShape.Square, _SAMPLE_SIZE)
    sample.setColor(symbol.color())
    sample.setStrokeStyle(Qt.PenStyle.NoPen)
    in_legend = QgsProperty.fromExpression("@id is null")
    sample.setDataDefinedProperty(QgsSymbolLayer.Property.PropertyLayerEnabled, in_legend)
    symbol.changeSymbolLayer(0, square)
    symbol.appendSymbolLayer(sample)


#: Lower and upper score of a class, and the percentiles of the incidents' own places that they stand for.
ScoreClass = tuple[float, float, int, int]


def _percentile_label(score_class: ScoreClass) -> str:
    low, high, begin, end = score_class
    return tr("{low} – {high} (percentile {begin} – {end} of incident places)").format(
        low=f"{low:.2f}", high=f"{high:.2f}", begin=begin, end=end
    )


def style_predicted_scores(
    layer: QgsVectorLayer,
    classes: Sequence[ScoreClass],
    names: dict[str, str],
    spacing: float | None = None,
) -> None:
    """Style predicted scores: the classes at percentiles in the colours of `style_scores`, all numbers as a map tip.

    Parameters
    ----------
    names : dict
        What the fields score, lower, upper, percentile, incidents and count are called in this layer.
    spacing : float, optional
        Of a regular grid, whose cells are filled.
    """
    polygons = layer.geometryType() == Qgis.GeometryType.Polygon
    load_style(layer, "predicted_polygons" if polygons else "scores")
    renderer = layer.renderer().clone()
    # The symbol belongs to its range, which must outlive the copying.
    first = renderer.ranges()[0]
    symbol = first.symbol().clone()
    if spacing:
        _fill_cell(symbol, spacing)
    renderer.deleteAllClasses()
    renderer.setClassAttribute(f'"{names["score"]}"')
    shades = list_colours(5)
    for entry in classes:
        own = symbol.clone()
        own.setColor(shades[-(-entry[3] // 20) - 1])
        renderer.addClassRange(QgsRendererRange(entry[0], entry[1], own, _percentile_label(entry)))
    layer.setRenderer(renderer)
    layer.setMapTipTemplate(
        tr(
            "<b>{score}</b> ({lower} – {upper}), percentile {percentile}<br>incidents in the window: about {count}"
            "<br>recent incidents within 500 m: {incidents}"
        ).format(
            **{
                name: f"[% coalesce(format_number(\"{field}\", {digits}), '–') %]"
                for (name, field), digits in zip(names.items(), (2, 2, 2, 0, 0, 0))
            }
        )
    )


def style_predicted_raster(layer: QgsRasterLayer, classes: Sequence[ScoreClass]) -> None:
    """Style a raster's first band by the classes of `style_predicted_scores`."""
    load_style(layer, "predicted_raster")
    set_pseudocolour(
        layer,
        [entry[1] for entry in classes],
        [_percentile_label(entry) for entry in classes],
        QgsColorRampShader.Type.Discrete,
    )


def style_score_queries(layer: QgsVectorLayer) -> None:
    """Style answers: the classes of `style_scores` as large labelled markers, a grey one for places without data."""
    load_style(layer, "score_queries")


@cache
def read_score_classes() -> tuple[tuple[float, float, str, str], ...]:
    """Read lower and upper limit, colour (#rrggbb) and label of the score's classes, as the layers' style has them."""
    layer = QgsVectorLayer("Point?field=score:double", "scores", "memory")
    load_style(layer, "scores")
    return tuple(
        (entry.lowerValue(), entry.upperValue(), entry.symbol().color().name(), entry.label())
        for entry in layer.renderer().ranges()
    )


def choose_score_colour(score: float) -> QColor:
    """Choose the colour that the layers' style gives a score."""
    classes = read_score_classes()
    return QColor(next((colour for _, upper, colour, _ in classes if score <= upper), classes[-1][2]))
