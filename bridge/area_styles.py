"""Styles of areas and street segments: counts, classes of risk, what a forecast got right, top places."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from qgis.core import (
    Qgis,
    QgsCategorizedSymbolRenderer,
    QgsEditorWidgetSetup,
    QgsFeatureRequest,
    QgsGraduatedSymbolRenderer,
    QgsRendererCategory,
    QgsRendererRange,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QMetaType
from qgis.PyQt.QtGui import QColor

from ..riskengine.contract.colours import LABELS, PLACES, list_count_steps
from .crs import tr
from .label_styles import format_label
from .style_parts import list_colours, load_style
from .temporal import Edges, list_spans, make_shown_expression, make_span_expression, set_maps_in_time

#: Places to go to whose rank is written beside them.
_RANKED = 10
#: Of a column, in pixels: a time, or most names.
_LEAST_WIDTH = 140
#: How a table shows numbers and times.
_WIDGETS = {
    QMetaType.Type.Double: ("Range", {"Precision": 3}),
    QMetaType.Type.QDateTime: ("DateTime", {"display_format": "yyyy-MM-dd HH:mm", "allow_null": True}),
}
#: Digits of numbers unlike the others: of thousands of areas one has a small share, and limits are whole counts.
_DIGITS = {"share": 5, "expected_share": 5, "low": 0, "high": 0}


def list_titles() -> dict[str, str]:
    """List what the fields of areas are called in tables and forms, by their names."""
    return {
        "rank": tr("Rank"),
        "id": tr("Id"),
        "name": tr("Area"),
        "start": tr("From"),
        "end": tr("Until, not included"),
        "risk": tr("Probability of one or more"),
        "expected": tr("Expected incidents"),
        "low": tr("95 % from"),
        "high": tr("95 % to"),
        "percentile": tr("Percentile of the area"),
        "class": tr("Class"),
        "change": tr("Change, incidents per bin"),
        "km2": tr("Size, km²"),
        "share": tr("Share of the area so far"),
        "expected_share": tr("Share of incidents so far"),
        "incidents": tr("Incidents"),
        "before": tr("Incidents before"),
        "flagged": tr("Part that is flagged"),
        "label": tr("Label"),
        "size": tr("Size, m² (of segments m)"),
    }


def ending_of(layer: QgsVectorLayer) -> str:
    """Find the ending of a style's name: of lines there is one of its own."""
    return "_lines" if layer.geometryType() == Qgis.GeometryType.Line else ""


def name_fields(layer: QgsVectorLayer) -> None:
    """Give the fields titles that say what they hold, their numbers few digits, and their times no zone."""
    titles = list_titles()
    for number, field in enumerate(layer.fields()):
        if field.name() in titles:
            layer.setFieldAlias(number, titles[field.name()])
        if field.name() in _DIGITS:
            layer.setEditorWidgetSetup(number, QgsEditorWidgetSetup("Range", {"Precision": _DIGITS[field.name()]}))
        elif field.type() in _WIDGETS:
            layer.setEditorWidgetSetup(number, QgsEditorWidgetSetup(*_WIDGETS[field.type()]))


def style_panel(layer: QgsVectorLayer, highest: int, edges: Edges) -> None:
    """Style counts in up to five steps, as hotspot grids have them, and show each in its bin."""
    load_style(layer, f"panel{ending_of(layer)}")
    # The symbol belongs to its range, which must outlive the copying.
    only = layer.renderer().ranges()[0]
    steps, labels = list_count_steps(max(highest, 1))
    ranges = []
    for (before, step), label, colour in zip(pairwise([0, *steps]), labels, list_colours(len(steps))):
        own = only.symbol().clone()
        own.setColor(colour)
        ranges.append(QgsRendererRange(before + 0.5, step + 0.5, own, label))
    layer.setRenderer(QgsGraduatedSymbolRenderer("incidents", ranges))
    layer.setMapTipTemplate(
        """<b>[% "name" %]</b><br>[% "incidents" %] [% if("incidents" = 1, 'incident', 'incidents') %], """
        f"[% {make_span_expression()} %]"
    )
    set_maps_in_time(layer, edges)


def style_panel_areas(layer: QgsVectorLayer) -> None:
    """Style the areas of a panel: outlines below the counts, where there may be none."""
    load_style(layer, f"panel_areas{ending_of(layer)}")


def style_risk_areas(layer: QgsVectorLayer, labels: Sequence[str], edges: Edges) -> None:
    """Style a forecast by its classes of risk per km²: by probability large areas would win for their size alone."""
    style_class_areas(layer, labels, edges)
    said = {
        tr("probability of one or more"): "format_number(\"risk\" * 100, 1) || ' %'",
        tr("expected"): "format_number(\"expected\", 2) || ' (' || \"low\" || ' – ' || \"high\" || ')'",
        tr("change"): 'format_number("change", 2)',
        tr("rank"): '"rank"',
    }
    _set_tip(layer, said)


def style_class_areas(layer: QgsVectorLayer, labels: Sequence[str], edges: Edges) -> None:
    """Style areas by their class, each shown in its bin; the first map lies on top where no time is chosen."""
    load_style(layer, f"class_areas{ending_of(layer)}")
    shades = zip(list_colours(len(labels)), labels)
    _set_categories(layer, "class", dict(enumerate(shades)))
    _set_tip(layer, {tr("class"): '"label"', tr("risk"): 'format_number("risk", 4)'})
    _finish(layer, edges)


def style_area_labels(layer: QgsVectorLayer, edges: Edges) -> None:
    """Style areas by what they were in each bin; what was neither flagged nor hit is an outline."""
    load_style(layer, f"class_areas{ending_of(layer)}")
    shades = {name: (QColor(shade), format_label(name)) for name, shade in LABELS.items()}
    quiet = QColor(0, 0, 0, 0)
    _set_categories(layer, "label", {**shades, "true negative": (quiet, format_label("true negative"))})
    said = {
        tr("label"): '"label"',
        tr("incidents"): '"incidents"',
        tr("forecast"): "format_number(\"risk\" * 100, 1) || ' %'",
        tr("flagged"): "format_number(\"flagged\" * 100, 0) || ' %'",
    }
    _set_tip(layer, said)
    _finish(layer, edges)


def style_top_places(layer: QgsVectorLayer) -> None:
    """Give the table of top places titles, and columns that hold them; a row's number says less than its rank."""
    name_fields(layer)
    config = layer.attributeTableConfig()
    config.update(layer.fields())
    for number in range(layer.fields().count()):
        config.setColumnWidth(number, max(9 * len(layer.attributeDisplayName(number)), _LEAST_WIDTH))
    config.setColumnHidden(layer.fields().lookupField("fid"), True)
    layer.setAttributeTableConfig(config)


def style_places(layer: QgsVectorLayer, edges: Edges) -> None:
    """Style places to go to by thirds of their ranks, the first ones with their rank; each is shown in its window.

    While the Temporal Controller is off only the first window is drawn: those of several lie side by side, and would
    pass for one.
    """
    load_style(layer, f"places{ending_of(layer)}")
    shown = make_shown_expression(list_spans(edges)[0][0])
    only = layer.renderer().ranges()[0]
    last = max(int(layer.maximumValue(layer.fields().lookupField("rank")) or 1), 1)
    classes = min(len(PLACES), last)
    ends = [-(-last * number // classes) for number in range(classes + 1)]
    ranges = []
    for (before, end), shade in zip(pairwise(ends), PLACES):
        own = only.symbol().clone()
        own.setColor(QColor(shade))
        label = f"{before + 1:,} – {end:,}" if end > before + 1 else f"{end:,}"
        ranges.append(QgsRendererRange(before + 0.5, end + 0.5, own, tr("Rank {ranks}").format(ranks=label)))
    renderer = QgsGraduatedSymbolRenderer(f'CASE WHEN {shown} THEN "rank" END', ranges)
    renderer.setOrderBy(QgsFeatureRequest.OrderBy([QgsFeatureRequest.OrderByClause('"rank"', False)]))
    renderer.setOrderByEnabled(True)
    layer.setRenderer(renderer)
    labeling = layer.labeling().clone()
    settings = labeling.settings()
    settings.fieldName = f'CASE WHEN "rank" <= {_RANKED} AND ({shown}) THEN "rank" END'
    labeling.setSettings(settings)
    layer.setLabeling(labeling)
    said = {
        tr("rank"): '"rank"',
        tr("expected"): 'format_number("expected", 1)',
        tr("incidents before"): '"before"',
    }
    if layer.fields().lookupField("incidents") >= 0:
        said[tr("incidents in the window")] = '"incidents"'
    _set_tip(layer, said)
    _finish(layer, edges)


def _set_categories(layer: QgsVectorLayer, field: str, shades: Mapping[object, tuple[QColor, str]]) -> None:
    # The symbol belongs to its category, which must outlive the copying.
    category = layer.renderer().categories()[0]
    renderer = QgsCategorizedSymbolRenderer(field)
    for value, (colour, label) in shades.items():
        own = category.symbol().clone()
        own.setColor(colour)
        renderer.addCategory(QgsRendererCategory(value, own, label))
    # The first map lies on top, and in each the riskiest: lines run over each other.
    clause = QgsFeatureRequest.OrderByClause
    renderer.setOrderBy(QgsFeatureRequest.OrderBy([clause('"start"', False), clause(f'"{field}"', True)]))
    renderer.setOrderByEnabled(True)
    layer.setRenderer(renderer)


def _set_tip(layer: QgsVectorLayer, said: Mapping[str, str]) -> None:
    """Say so of each area when the mouse is over it; what is not known is a dash."""
    lines = [f"{title} [% coalesce({expression}, '–') %]" for title, expression in said.items()]
    head = """<b>[% coalesce("name", "id") %]</b>"""
    layer.setMapTipTemplate("<br>".join([head, f"[% {make_span_expression()} %]", *lines]))


def _finish(layer: QgsVectorLayer, edges: Edges) -> None:
    name_fields(layer)
    set_maps_in_time(layer, edges)
