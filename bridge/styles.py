"""Styles of the outputs: a QML from resources/styles, adjusted to what the layer holds, and remembered beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from qgis.core import (
    NULL,
    QgsCategorizedSymbolRenderer,
    QgsColorRampShader,
    QgsFeatureRequest,
    QgsPalettedRasterRenderer,
    QgsRasterLayer,
    QgsRendererCategory,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QDateTime
from qgis.PyQt.QtGui import QColor

from ..riskengine.contract.colours import QUALITATIVE, list_count_steps, list_picture_palette
from ..riskengine.contract.texts import show_name
from .about import LINES_PROPERTY, UNKNOWN, About, write_about
from .area_styles import (
    style_area_labels,
    style_class_areas,
    style_panel,
    style_panel_areas,
    style_places,
    style_risk_areas,
    style_table,
    style_warnings,
    style_warnings_tested,
)
from .crs import tr
from .exactness import open_by_name, write_exactness
from .label_styles import style_hits, style_labels
from .outcomes.rate_styles import style_outcome_areas, style_outcome_rates
from .outcomes.styles import (
    style_joined,
    style_outcome_outlook,
    style_outcome_shares,
    style_outcomes,
    style_outcomes_tested,
)
from .routes.exposure_styles import style_network_exposure
from .score_styles import (
    ScoreClass,
    choose_score_colour,
    read_score_classes,
    style_predicted_raster,
    style_predicted_scores,
    style_score_queries,
    style_scores,
)
from .style_parts import FOLDER, hide_zero, list_colours, load_style, set_pseudocolour, take_over
from .temporal import Edges, make_span_expression, set_bands_in_time, set_maps_in_time

__all__ = [
    "BY_RESULT",
    "FOLDER",
    "ScoreClass",
    "apply",
    "choose_score_colour",
    "list_colours",
    "load_style",
    "read_score_classes",
    "remember",
    "set_bands_in_time",
    "style_class_polygons",
    "style_classes",
    "style_heatmaps",
    "style_hits",
    "style_incidents",
    "style_labels",
    "style_panel",
    "style_panel_areas",
    "style_predicted_raster",
    "style_predicted_scores",
    "style_risk",
    "style_score_queries",
    "style_scores",
    "style_window_labels",
    "style_window_maps",
]

#: Our style in a GeoPackage's table of styles.
STYLE_NAME = "Crime Risk"

#: Maps of a stack whose values are looked at to choose the colours.
LOOKED_AT = 24


#: Categories of incidents that are told apart by colour; more are one colour.
MOST_CATEGORIES = 8


def style_incidents(layer: QgsVectorLayer, time_field: str, exactness: str) -> None:
    """Style incidents as small translucent points, by category where there are few; keep how exact their times are."""
    load_style(layer, "incidents")
    write_exactness(layer, time_field, exactness)
    field = layer.fields().lookupField("category")
    # One more than are told apart, and none at all, which counts as a value.
    names = sorted(map(str, layer.uniqueValues(field, MOST_CATEGORIES + 2) - {NULL})) if field >= 0 else []
    if not 1 < len(names) <= MOST_CATEGORIES:
        return
    symbol = layer.renderer().symbol()
    renderer = QgsCategorizedSymbolRenderer("category")
    for name, shade in zip(names, QUALITATIVE):
        own, colour = symbol.clone(), QColor(shade)
        colour.setAlpha(symbol.color().alpha())
        own.setColor(colour)
        renderer.addCategory(QgsRendererCategory(name, own, show_name(name)))
    # Those without a category, and what is added later.
    renderer.addCategory(QgsRendererCategory(None, symbol.clone(), tr("other, or none")))
    layer.setRenderer(renderer)


def style_heatmaps(layer: QgsRasterLayer, highest: int, edges: Edges) -> None:
    """Style counts in up to five steps; empty cells are transparent."""
    load_style(layer, "heatmaps")
    steps, labels = list_count_steps(highest)
    set_pseudocolour(layer, [float(step) for step in steps], labels, QgsColorRampShader.Type.Discrete)
    hide_zero(layer)
    set_bands_in_time(layer, edges)


def style_risk(layer: QgsRasterLayer, edges: Edges) -> None:
    """Style probabilities from the lowest to the highest, in even colours, the same for all maps."""
    load_style(layer, "risk")
    provider, bands = layer.dataProvider(), layer.bandCount()
    # Of a long stack every so many maps tell the range.
    looked_at = [provider.bandStatistics(band) for band in range(1, bands + 1, -(-bands // LOOKED_AT))]
    low = min(statistics.minimumValue for statistics in looked_at)
    high = max(statistics.maximumValue for statistics in looked_at)
    if not high > low:
        high = low + 1e-6
    values = [low + (high - low) * step / 6 for step in range(7)]
    set_pseudocolour(layer, values, [f"{value:.1%}" for value in values], QgsColorRampShader.Type.Interpolated)
    set_bands_in_time(layer, edges)


def style_classes(layer: QgsRasterLayer, labels: Sequence[str], edges: Edges) -> None:
    """Style classes: one colour and one legend line each."""
    load_style(layer, "classes")
    entries = [
        QgsPalettedRasterRenderer.Class(number, colour, label)
        for number, (colour, label) in enumerate(zip(list_colours(len(labels)), labels))
    ]
    take_over(layer, QgsPalettedRasterRenderer(layer.dataProvider(), 1, entries))
    set_bands_in_time(layer, edges)


def style_class_polygons(layer: QgsVectorLayer, labels: Sequence[str], edges: Edges) -> None:
    """Style polygons in the class raster's colours, and show each in its bin."""
    load_style(layer, "class_polygons")
    renderer = layer.renderer().clone()
    # The symbol belongs to its category, which must outlive the copying.
    category = renderer.categories()[0]
    symbol = category.symbol().clone()
    renderer.deleteAllCategories()
    for number, (colour, label) in enumerate(zip(list_colours(len(labels)), labels)):
        own = symbol.clone()
        own.setColor(colour)
        renderer.addCategory(QgsRendererCategory(number, own, label))
    # The first map lies on top, and is what is seen while the Temporal Controller is off: as of the raster.
    renderer.setOrderBy(QgsFeatureRequest.OrderBy([QgsFeatureRequest.OrderByClause("band", False)]))
    renderer.setOrderByEnabled(True)
    layer.setRenderer(renderer)
    three_digits = 'coalesce(round("mean_risk", 2 - floor(log10(abs("mean_risk")))), 0)'
    layer.setMapTipTemplate(f'<b>[% "label" %]</b><br>[% {make_span_expression()} %]<br>mean risk [% {three_digits} %]')
    set_maps_in_time(layer, edges)


def style_window_maps(layer: QgsRasterLayer, legend: Sequence[tuple[int, str]], edges: Edges) -> None:
    """Style pictures by their palette; the legend names what has a meaning, and shades between have no line's text."""
    shades, named = list_picture_palette(), dict(legend)
    numbers = [*named, *(number for number in range(len(shades)) if number not in named)]
    entries = [
        QgsPalettedRasterRenderer.Class(number, QColor(shades[number]), named.get(number, "")) for number in numbers
    ]
    layer.setRenderer(QgsPalettedRasterRenderer(layer.dataProvider(), 1, entries))
    layer.setCustomProperty(LINES_PROPERTY, len(named))
    set_bands_in_time(layer, edges)


def style_window_labels(layer: QgsVectorLayer, closed: bool) -> None:
    """Give the table of labels titles; published windows hold their end, too."""
    style_table(layer)
    if closed:
        layer.setFieldAlias(layer.fields().lookupField("end"), tr("Until, included"))


#: Styles that depend on what the job found, by the names that declarations use.
BY_RESULT: dict[str, Callable[[Any, Mapping[str, Any]], None]] = {
    "incidents": lambda layer, result: style_incidents(layer, result["time_field"], result["exactness"]),
    "heatmaps": lambda layer, result: style_heatmaps(layer, result["highest"], result["edges"]),
    "risk": lambda layer, result: style_risk(layer, result["edges"]),
    "classes": lambda layer, result: style_classes(layer, result["labels"], result["edges"]),
    "class_polygons": lambda layer, result: style_class_polygons(layer, result["labels"], result["edges"]),
    "panel": lambda layer, result: style_panel(layer, result["highest"], result["edges"]),
    "risk_areas": lambda layer, result: style_risk_areas(layer, result["class_labels"], result["edges"]),
    "class_areas": lambda layer, result: style_class_areas(layer, result["labels"], result["edges"]),
    "area_labels": lambda layer, result: style_area_labels(layer, result["edges"]),
    "places": lambda layer, result: style_places(layer, result["edges"]),
    "top_places": lambda layer, result: style_table(layer),
    "network_exposure": lambda layer, result: style_network_exposure(
        layer, result["limits"], result["unit"], result["names"], result["percentile"]
    ),
    "warnings": lambda layer, result: style_warnings(layer, result["edges"]),
    "warnings_tested": lambda layer, result: style_warnings_tested(layer, result["edges"]),
    "next_windows": lambda layer, result: style_table(layer),
    "labels": lambda layer, result: style_labels(layer, result["labels"], result["edges"]),
    "hits": lambda layer, result: style_hits(layer),
    "window_maps": lambda layer, result: style_window_maps(layer, result["legend"], result["edges"]),
    "window_labels": lambda layer, result: style_window_labels(layer, result["closed"]),
    "context": lambda layer, result: style_joined(layer),
    "outcomes": lambda layer, result: style_outcomes(
        layer, result["names"], *result["thresholds"], result["said_fields"]
    ),
    "outcomes_tested": lambda layer, result: style_outcomes_tested(layer, *result["thresholds"]),
    "outcome_shares": lambda layer, result: style_outcome_shares(layer),
    "outcome_rates": lambda layer, result: style_outcome_rates(layer),
    "outcome_areas": lambda layer, result: style_outcome_areas(layer, result["largest_area"]),
    "outcome_outlook": lambda layer, result: style_outcome_outlook(layer),
    "predicted_raster": lambda layer, result: style_predicted_raster(layer, result["classes"]),
}


def apply(name: str, layer: Any, result: Mapping[str, Any]) -> None:
    """Give a layer the style of that name: adjusted to the job's result, or as resources/styles has it."""
    if name in BY_RESULT:
        BY_RESULT[name](layer, result)
    else:
        load_style(layer, name)


def _forget_styles(layer: QgsVectorLayer) -> None:
    """Delete our earlier style of a table that was written again: saving does not replace it."""
    own, ids, names, _, _ = layer.listStylesInDatabase()
    # The layer's own styles come first, those of other tables after them.
    for identifier, name in zip(ids[:own], names[:own]):
        if name == STYLE_NAME:
            layer.deleteStyleFromDatabase(identifier)


def remember(layer: Any, title: str, history: str, about: About = UNKNOWN) -> None:
    """Keep style and history with the file, so that they are there when it is loaded again by hand."""
    made = tr("{when}: made with Crime Risk, {history}").format(
        when=QDateTime.currentDateTime().toString("yyyy-MM-dd HH:mm"), history=history
    )
    write_about(layer, title, about, made)
    metadata = layer.metadata()
    source = layer.source().split("|")[0]
    if isinstance(layer, QgsRasterLayer) and Path(source).is_file():
        _require(*layer.saveNamedStyle(str(Path(source).with_suffix(".qml"))))
        layer.saveDefaultMetadata()
    elif isinstance(layer, QgsVectorLayer) and layer.isSpatial() and source.lower().endswith(".gpkg"):
        _forget_styles(layer)
        why = layer.saveStyleToDatabase(STYLE_NAME, title, True, "")
        _require(why, not why)
        named = open_by_name(layer)
        named.setMetadata(metadata)
        named.saveDefaultMetadata()


def _require(why: str, fine: bool) -> None:
    """Say that a style was not kept; the layer is there all the same."""
    if not fine:
        raise OSError(
            tr("its style could not be kept with the file, so it has none when it is loaded again: {why}").format(
                why=" ".join(why.split()).rstrip(".") or "?"
            )
        )
