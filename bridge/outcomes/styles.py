"""Styles of how likely an outcome is: incidents by their class, blocks and areas by their share, and the outlook."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from qgis.core import (
    NULL,
    Qgis,
    QgsCategorizedSymbolRenderer,
    QgsFillSymbol,
    QgsGraduatedSymbolRenderer,
    QgsMarkerSymbol,
    QgsRendererCategory,
    QgsRendererRange,
    QgsSymbol,
    QgsVectorLayer,
)

from ...riskengine.contract.colours import OUTCOME_CLASSES, OUTCOME_OUTLINE
from ...riskengine.contract.outcomes import CLASSES
from ..area_styles import make_percent_expression, name_fields, style_table
from ..crs import tr
from ..style_parts import list_colours, load_style

#: Of points, in millimetres: there are many of the unlikely ones, and few of the others.
_SIZES = {"likely": 2.0, "between": 1.4, "unlikely": 1.2}
#: Classes of the share expected of blocks and areas, and how large the point of a block is, in millimetres.
_STEPS, _SHARE_SIZE = 5, 3.0
#: What an expected number of outcomes is rounded to.
_DIGITS = {"outcomes": 1}


def list_outcome_titles() -> dict[str, str]:
    """List what the fields are called in tables and forms, by their names."""
    return {
        "probability": tr("Probability"),
        "low": tr("95 % from"),
        "high": tr("95 % to"),
        "class": tr("Class"),
        "note": tr("Note"),
        "block": tr("Block"),
        "id": tr("Id"),
        "area": tr("Id of the area"),
        "name": tr("Area"),
        "category": tr("Category"),
        "description": tr("Description"),
        "location": tr("Kind of location"),
        "day": tr("Day"),
        "n": tr("Incidents"),
        "outcomes": tr("Outcomes to expect"),
        "hidden": tr("Hidden for publishing"),
        "found": tr("Found by police"),
        "observed": tr("With the outcome"),
        "feature_id": tr("Feature"),
    }


def style_joined(layer: QgsVectorLayer) -> None:
    """Style incidents with joined fields as all incidents, where they are points."""
    if layer.geometryType() == Qgis.GeometryType.Point:
        load_style(layer, "incidents")


def list_class_titles(likely: float, unlikely: float) -> dict[str, str]:
    """List what a legend calls the classes, by their thresholds."""
    low, high = f"{100 * unlikely:g} %", f"{100 * likely:g} %"
    return {
        "likely": tr("Likely: above {high}").format(high=high),
        "between": tr("Between: {low} to {high}").format(low=low, high=high),
        "unlikely": tr("Unlikely: below {low}").format(low=low),
    }


def style_outcomes(
    layer: QgsVectorLayer, names: Mapping[str, str], likely: float, unlikely: float, said: Mapping[str, str]
) -> None:
    """Style incidents by the class of their probability, the likely on top; those without one are not drawn.

    Parameters
    ----------
    names : mapping of str to str
        What the fields probability, low, high, class and note are called in this layer.
    said : mapping of str to str
        Further fields of the map tip, by their titles.
    """
    titles = list_outcome_titles()
    name_fields(layer, {names[key]: title for key, title in titles.items() if key in names}, {})
    _set_classes(layer, names["class"], likely, unlikely)
    lines = [
        f"{title} [% coalesce(\"{field}\", '–') %]" for title, field in said.items() if _has_field(layer, field)
    ]
    probability = make_percent_expression(*(names[key] for key in ("probability", "low", "high")))
    head = f"<b>[% coalesce({probability}, '{tr('not rated')}') %]</b>"
    layer.setMapTipTemplate("<br>".join([head, *lines, f"[% coalesce(\"{names['note']}\", '') %]"]))


def style_outcomes_tested(layer: QgsVectorLayer, likely: float, unlikely: float) -> None:
    """Style the incidents of a test by their class; the map tip says what became of each."""
    name_fields(layer, list_outcome_titles(), {})
    _set_classes(layer, "class", likely, unlikely)
    observed = f"if(\"observed\" = 1, '{tr('with the outcome')}', '{tr('without it')}')"
    lines = ['[% "category" %]', "[% coalesce(\"description\", '') %]", '[% "day" %]']
    head = f"<b>[% {make_percent_expression('probability')} %]</b>, [% {observed} %]"
    layer.setMapTipTemplate("<br>".join([head, *lines]))


def style_outcome_shares(layer: QgsVectorLayer) -> None:
    """Style blocks and areas by fifths of their shares: nearly all of them are of one class.

    A share that is hidden for publishing is an outline. The legend begins with a line that says what classes are.
    """
    name_fields(layer, list_outcome_titles(), {})
    field = layer.fields().lookupField("probability")
    shares = sorted(float(value) for value in layer.uniqueValues(field) if value not in (None, NULL))
    places = {round(number * (len(shares) - 1) / _STEPS) for number in range(_STEPS + 1)} if shares else set()
    steps = [shares[place] for place in sorted(places)]
    steps *= 2 if len(steps) == 1 else 1
    named = _has_field(layer, "name")
    ranges = [QgsRendererRange(-2, -2, _make_nothing(layer), _title_shares(named, len(steps) - 1))] if steps else []
    for (begin, end), colour in zip(pairwise(steps), list_colours(len(steps) - 1)):
        label = tr("{low} – {high} % expected").format(low=f"{100 * begin:.1f}", high=f"{100 * end:.1f}")
        ranges.append(QgsRendererRange(begin, end, _make_symbol(layer, colour.name(), _SHARE_SIZE), label))
    if layer.maximumValue(layer.fields().lookupField("hidden")) == 1:
        hidden = tr("Hidden for publishing")
        ranges.append(QgsRendererRange(-1, -1, _make_symbol(layer, "#ffffff", _SHARE_SIZE), hidden))
    layer.setRenderer(QgsGraduatedSymbolRenderer('coalesce("probability", -1)', ranges))
    called = '"name"' if named else '"block"'
    shown = f"coalesce({make_percent_expression('probability', 'low', 'high')}, '{tr('hidden for publishing')}')"
    layer.setMapTipTemplate(f'<b>[% {called} %]</b><br>[% {shown} %]<br>{tr("incidents")} [% "n" %]')


def _title_shares(areas: bool, classes: int) -> str:
    """The line above the classes, which no feature has."""
    if classes == _STEPS:
        return tr("Fifths of the areas by their share") if areas else tr("Fifths of the blocks by their share")
    return tr("Areas in order of their share") if areas else tr("Blocks in order of their share")


def style_outcome_outlook(layer: QgsVectorLayer) -> None:
    """Give the outlook titles, and columns that hold them."""
    style_table(layer, list_outcome_titles(), _DIGITS)


def _has_field(layer: QgsVectorLayer, name: str) -> bool:
    return bool(layer.fields().lookupField(name) >= 0)


def _set_classes(layer: QgsVectorLayer, field: str, likely: float, unlikely: float) -> None:
    if not layer.isSpatial():
        return
    titles = list_class_titles(likely, unlikely)
    renderer = QgsCategorizedSymbolRenderer(field)
    for level, name in reversed(list(enumerate(CLASSES))):
        symbol = _make_symbol(layer, OUTCOME_CLASSES[name], _SIZES[name], name != "unlikely")
        # Each class is drawn over those that are less likely, without sorting all points.
        symbol.symbolLayer(0).setRenderingPass(level)
        renderer.addCategory(QgsRendererCategory(name, symbol, titles[name]))
    renderer.setUsingSymbolLevels(True)
    layer.setRenderer(renderer)


def _make_nothing(layer: QgsVectorLayer) -> QgsSymbol:
    nothing = {"color": "0,0,0,0", "outline_style": "no", "style": "no"}
    if layer.geometryType() == Qgis.GeometryType.Polygon:
        return QgsFillSymbol.createSimple(nothing)
    return QgsMarkerSymbol.createSimple({**nothing, "name": "circle"})


def _make_symbol(layer: QgsVectorLayer, colour: str, size: float, outlined: bool = True) -> QgsSymbol:
    outline: dict[str, Any] = {"color": colour, "outline_color": OUTCOME_OUTLINE, "outline_width": "0.1"}
    if not outlined:
        # Outlines of thousands of small points would darken them.
        outline["outline_style"] = "no"
    if layer.geometryType() == Qgis.GeometryType.Polygon:
        return QgsFillSymbol.createSimple(outline)
    return QgsMarkerSymbol.createSimple({**outline, "name": "circle", "size": str(size)})
