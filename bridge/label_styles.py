"""Styles of what a forecast got right and wrong: the raster of labels, and the points of incidents it is judged by."""

from __future__ import annotations

from collections.abc import Sequence

from qgis.core import QgsPalettedRasterRenderer, QgsRasterLayer, QgsVectorLayer
from qgis.PyQt.QtGui import QColor

from ..riskengine.contract.colours import LABELS
from .crs import tr
from .style_parts import load_style, take_over
from .temporal import Edges, make_span_expression, set_bands_in_time, set_features_in_time

#: A true negative lets the map below be seen.
_SHADES = {"true negative": "#00999999", **LABELS}


def format_label(name: str) -> str:
    """Format a label as a legend shows it."""
    titles = {
        "true negative": tr("Not flagged, no incident"),
        "correct": tr("Correct: flagged, with an incident"),
        "false negative": tr("Missed: an incident, not flagged"),
        "false negative, neighbour": tr("Missed, but a neighbour was flagged"),
        "false positive": tr("Flagged, no incident"),
        "false positive, neighbour": tr("Flagged, incident in a neighbour"),
    }
    return titles.get(name, name)


def style_labels(layer: QgsRasterLayer, names: Sequence[str], edges: Edges) -> None:
    """Style labels: one colour and one legend line each; what is neither flagged nor hit is transparent."""
    load_style(layer, "labels")
    entries = [
        QgsPalettedRasterRenderer.Class(code, QColor(_SHADES.get(name, "#000000")), format_label(name))
        for code, name in enumerate(names)
    ]
    take_over(layer, QgsPalettedRasterRenderer(layer.dataProvider(), 1, entries))
    set_bands_in_time(layer, edges)


def style_hits(layer: QgsVectorLayer) -> None:
    """Style cells with incidents: coloured by their label, larger with more incidents, each shown in its own bin."""
    load_style(layer, "hits")
    layer.setMapTipTemplate(
        """<b>[% "incidents" %]</b> [% if("incidents" = 1, 'incident', 'incidents') %], """
        f"[% {make_span_expression()} %]"
        """<br>forecast [% format_number("risk" * 100, 1) %] %: [% "label" %]"""
    )
    set_features_in_time(layer)
