"""Styles of areas and street segments: counts, classes of risk, what a forecast got right, top places, warnings."""

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
    QgsRuleBasedRenderer,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QMetaType
from qgis.PyQt.QtGui import QColor

from ..riskengine.contract.colours import LABELS, PLACES, list_count_steps
from ..riskengine.contract.warnings import FALSE_ALARM, HIT, MISSED, QUIET
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
#: Digits of numbers unlike the others: of thousands of areas one has a small share, and limits are whole counts, unless
#: they are of a probability.
_DIGITS = {"share": 5, "expected_share": 5, "low": 0, "high": 0}
_DIGITS_OF_WARNINGS = {
    **dict.fromkeys(("hour_part", "season_part", "place_part", "level_part", "recent_part"), 2),
    "usual_part": 4,
}
#: Classes of the probability of warnings.
_CLASSES = 5


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
        "probability": tr("Probability of one or more"),
        "warned": tr("Warned of"),
        "hour_part": tr("× hour and weekday"),
        "season_part": tr("× season"),
        "place_part": tr("× place"),
        "level_part": tr("× level of late"),
        "recent_part": tr("× recent crime"),
        "usual_part": tr("Usual number of events"),
        "events": tr("Events"),
        "areas": tr("Areas warned of"),
        "first": tr("Likeliest area"),
        "anywhere": tr("Probability anywhere"),
        "file": tr("Picture"),
        "band": tr("Band of the stack"),
        "target_events": tr("Events of the targets"),
    }


def ending_of(layer: QgsVectorLayer) -> str:
    """Find the ending of a style's name: of lines there is one of its own."""
    return "_lines" if layer.geometryType() == Qgis.GeometryType.Line else ""


def name_fields(
    layer: QgsVectorLayer, titles: Mapping[str, str] | None = None, digits: Mapping[str, int] | None = None
) -> None:
    """Give the fields titles that say what they hold, their numbers few digits, and their times no zone.

    Parameters
    ----------
    titles, digits : mapping, optional
        By the names of fields; left out, those of areas and windows.
    """
    titles = list_titles() if titles is None else titles
    if digits is None:
        digits = _DIGITS_OF_WARNINGS if layer.fields().lookupField("probability") >= 0 else _DIGITS
    for number, field in enumerate(layer.fields()):
        if field.name() in titles:
            layer.setFieldAlias(number, titles[field.name()])
        if field.name() in digits:
            layer.setEditorWidgetSetup(number, QgsEditorWidgetSetup("Range", {"Precision": digits[field.name()]}))
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


def style_table(
    layer: QgsVectorLayer, titles: Mapping[str, str] | None = None, digits: Mapping[str, int] | None = None
) -> None:
    """Give a table of places or windows titles, and columns that hold them; a row's number says nothing.

    See `name_fields` for titles and digits of other tables.
    """
    name_fields(layer, titles, digits)
    config = layer.attributeTableConfig()
    config.update(layer.fields())
    for number in range(layer.fields().count()):
        config.setColumnWidth(number, max(9 * len(layer.attributeDisplayName(number)), _LEAST_WIDTH))
    if (number := layer.fields().lookupField("fid")) >= 0:
        config.setColumnHidden(number, True)
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


def style_warnings(layer: QgsVectorLayer, edges: Edges) -> None:
    """Style areas by the probability of an event in even classes, and hatch those warned of; each in its window.

    While the Temporal Controller is off only the first window is drawn: later ones would lie over it.
    """
    load_style(layer, "warnings")
    field = layer.fields().lookupField("probability")
    low, high = (float(value or 0.0) for value in (layer.minimumValue(field), layer.maximumValue(field)))
    steps = [low + (high - low) * number / _CLASSES for number in range(_CLASSES + 1)] if high > low else [0.0, 1.0]
    rules = []
    for (begin, end), colour in zip(pairwise(steps), list_colours(len(steps) - 1)):
        until = "<=" if end == steps[-1] else "<"
        label = f"{100 * begin:.1f} – {100 * end:.1f} %"
        rules.append((f'"probability" >= {begin!r} AND "probability" {until} {end!r}', label, colour))
    _set_rules(layer, edges, rules, 'CASE WHEN "warned" = 1 THEN round(100 * "probability") || \' %\' END')
    said = {
        tr("probability of one or more"): make_percent_expression("probability", "low", "high"),
        tr("rank"): '"rank"',
        tr("warned of"): f"if(\"warned\" = 1, '{tr('yes')}', '{tr('no')}')",
        tr("hour and weekday ×"): 'format_number("hour_part", 2)',
        tr("season ×"): 'format_number("season_part", 2)',
        tr("place ×"): 'format_number("place_part", 2)',
        tr("level of late ×"): 'format_number("level_part", 2)',
        tr("recent crime ×"): 'format_number("recent_part", 2)',
    }
    _set_tip(layer, said)
    _finish(layer, edges)


def style_warnings_tested(layer: QgsVectorLayer, edges: Edges) -> None:
    """Style areas by what became of their warning, those warned of hatched; each in its window."""
    load_style(layer, "warnings")
    titles = {
        HIT: (tr("Hit: warned of, with an event"), LABELS["correct"]),
        FALSE_ALARM: (tr("False alarm: warned of, no event"), LABELS["false positive"]),
        MISSED: (tr("Missed: an event, not warned of"), LABELS["false negative"]),
        QUIET: (tr("Not warned of, no event"), "#00999999"),
    }
    rules = [(f"\"label\" = '{label}'", title, QColor(shade)) for label, (title, shade) in titles.items()]
    events = f"'{tr('event')}', '{tr('events')}'"
    _set_rules(layer, edges, rules, f'CASE WHEN "events" > 0 THEN "events" || \' \' || if("events" = 1, {events}) END')
    said = {
        tr("label"): '"label"',
        tr("events"): '"events"',
        tr("probability of one or more"): make_percent_expression("probability"),
    }
    _set_tip(layer, said)
    _finish(layer, edges)


def make_percent_expression(field: str, low: str = "", high: str = "") -> str:
    """Make an expression of a probability in per cent, with its interval where it has one."""
    shown = f'format_number("{field}" * 100, 1)'
    if low:
        shown += f" || ' (' || format_number(\"{low}\" * 100, 1) || ' – ' || format_number(\"{high}\" * 100, 1) || ')'"
    return f"{shown} || ' %'"


def _set_rules(layer: QgsVectorLayer, edges: Edges, rules: Sequence[tuple[str, str, QColor]], text: str) -> None:
    """Draw areas by filter, label and colour, those warned of hatched; with no time chosen the first window alone."""
    shown = make_shown_expression(list_spans(edges)[0][0])
    renderer = layer.renderer().clone()
    fill, warned = renderer.rootRule().children()
    symbol = fill.symbol().clone()
    for expression, label, colour in rules:
        own = symbol.clone()
        own.setColor(colour)
        rule = QgsRuleBasedRenderer.Rule(own, 0, 0, f"({shown}) AND {expression}", label)
        renderer.rootRule().insertChild(renderer.rootRule().children().index(warned), rule)
    renderer.rootRule().removeChild(fill)
    warned.setFilterExpression(f'({shown}) AND "warned" = 1')
    warned.setLabel(tr("Warned of"))
    layer.setRenderer(renderer)
    labeling = layer.labeling().clone()
    settings = labeling.settings()
    settings.fieldName = f"CASE WHEN {shown} THEN {text} END"
    labeling.setSettings(settings)
    layer.setLabeling(labeling)


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
