"""Styles of Outcome rates: areas by whether their rate is above what is expected, and the table of rates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qgis.core import (
    Qgis,
    QgsCategorizedSymbolRenderer,
    QgsFillSymbol,
    QgsMarkerSymbol,
    QgsProperty,
    QgsRendererCategory,
    QgsSymbol,
    QgsSymbolLayer,
    QgsVectorLayer,
)

from ...riskengine.contract.colours import OUTCOME_AREAS
from ...riskengine.contract.outcomes import AREA_LABELS
from ..area_styles import make_percent_expression, name_fields, style_table
from ..crs import tr

#: Diameters of points, in millimetres: the area is as the number of incidents.
_LEAST, _MOST = 1.5, 9.0
#: Before the names of fields of what victims reported, which the map shows.
_VICTIMS = "victims_"


def list_rate_titles() -> dict[str, str]:
    """List what the fields are called in tables and forms, by their names."""
    titles = {
        "incidents": tr("Incidents"),
        "outcomes": tr("With the outcome"),
        "rate": tr("Rate"),
        "rate_low": tr("Rate, 95 % from"),
        "rate_high": tr("Rate, 95 % to"),
        "expected": tr("Expected rate"),
        "difference": tr("Observed less expected"),
        "differ_low": tr("Difference, 95 % from"),
        "differ_high": tr("Difference, 95 % to"),
        "label": tr("Comparison"),
    }
    return {
        **titles,
        **{f"{_VICTIMS}{name}": tr("Victims: {title}").format(title=title) for name, title in titles.items()},
        "id": tr("Id"),
        "name": tr("Area"),
        "rows": tr("Of"),
        "by": tr("By"),
        "parent": tr("Category"),
        "value": tr("Value"),
        "low": tr("95 % from"),
        "high": tr("95 % to"),
        "shrunk": tr("Shrunk rate"),
        "share": tr("Share of all"),
    }


def style_outcome_rates(layer: QgsVectorLayer) -> None:
    """Give the table of rates titles, and columns that hold them."""
    style_table(layer, list_rate_titles(), {"share": 5})


def style_outcome_areas(layer: QgsVectorLayer, incidents: int) -> None:
    """Style areas by how the rate of victims' reports compares with the expected one.

    Parameters
    ----------
    incidents : int
        Of the largest area: points are as large as they have incidents.
    """
    name_fields(layer, list_rate_titles(), {})
    renderer = QgsCategorizedSymbolRenderer(f"{_VICTIMS}label")
    for label, title in AREA_LABELS.items():
        symbol = _make_symbol(layer, OUTCOME_AREAS[label], f"{_VICTIMS}incidents", incidents)
        renderer.addCategory(QgsRendererCategory(label, symbol, tr(title)))
    layer.setRenderer(renderer)
    fields = {name: f"{_VICTIMS}{name}" for name in list_rate_titles()}
    observed = make_percent_expression(fields["rate"], fields["rate_low"], fields["rate_high"])
    difference = " || ' … ' || ".join(
        f'format_number("{fields[name]}" * 100, 1)' for name in ("differ_low", "differ_high")
    )
    said = {
        tr("observed"): observed,
        tr("expected"): make_percent_expression(fields["expected"]),
        tr("difference, points"): f"format_number(\"{fields['difference']}\" * 100, 1) || ' (' || {difference} || ')'",
        tr("incidents"): f'"{fields["incidents"]}"',
    }
    lines = [f"{title} [% coalesce({expression}, '–') %]" for title, expression in said.items()]
    layer.setMapTipTemplate("<br>".join(["""<b>[% coalesce("name", "id") %]</b>""", *lines]))


def _make_symbol(layer: QgsVectorLayer, colour: str, field: str, incidents: int) -> QgsSymbol:
    look: Mapping[str, Any] = {"color": colour, "outline_color": "90,90,90", "outline_width": "0.1"}
    if layer.geometryType() == Qgis.GeometryType.Polygon:
        fill = QgsFillSymbol.createSimple(dict(look))
        fill.setOpacity(0.75)
        return fill
    marker = QgsMarkerSymbol.createSimple({**look, "name": "circle", "size": str(_LEAST)})
    size = f'max({_LEAST}, {_MOST} * sqrt("{field}" / {max(incidents, 1)}))'
    marker.symbolLayer(0).setDataDefinedProperty(QgsSymbolLayer.Property.Size, QgsProperty.fromExpression(size))
    return marker
