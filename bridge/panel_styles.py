"""Styles of panels: counts by area or street segment, and the areas themselves below them."""

from __future__ import annotations

from itertools import pairwise

from qgis.core import Qgis, QgsGraduatedSymbolRenderer, QgsRendererRange, QgsVectorLayer

from ..riskengine.contract.colours import list_count_steps
from .style_parts import list_colours, load_style
from .temporal import Edges, make_span_expression, set_maps_in_time


def style_panel(layer: QgsVectorLayer, highest: int, edges: Edges) -> None:
    """Style counts in up to five steps, as hotspot grids have them, and show each in its bin."""
    load_style(layer, f"panel{_ending_of(layer)}")
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
    load_style(layer, f"panel_areas{_ending_of(layer)}")


def _ending_of(layer: QgsVectorLayer) -> str:
    return "_lines" if layer.geometryType() == Qgis.GeometryType.Line else ""
