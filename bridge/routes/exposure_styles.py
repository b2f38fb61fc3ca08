"""The style of Network exposure: streets by their risk per metre, those without a risk of their own apart."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from qgis.core import QgsGraduatedSymbolRenderer, QgsRendererRange, QgsVectorLayer
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtGui import QColor

from ...riskengine.contract.texts import format_amount
from ..area_styles import name_fields
from ..crs import tr
from ..style_parts import list_colours, load_style

#: Lines are wider where the risk is higher, millimetres: classes are told apart without colours, too.
_WIDTHS = (0.2, 1.0)
#: Of streets without a risk of their own.
_AWAY = "#8a8a8a"


def style_network_exposure(layer: QgsVectorLayer, result: Mapping[str, Any]) -> None:
    """Style streets by their risk per metre.

    Parameters
    ----------
    result : mapping
        Of the job: `limits` of the classes, rising (one where all streets have the same risk), the `unit` of the risk,
        the `names` of its fields in this layer, the `percentile` above which a street's share is told, and `mostly`,
        the share outside the risk beyond which a street is in no class.
    """
    limits, unit, names = result["limits"], result["unit"], result["names"]
    load_style(layer, "network_exposure")
    titles = {
        "length_m": tr("Length, m"),
        "risk_per_m": tr("Risk per metre"),
        "exposure": tr("Exposure"),
        "above": tr("Share above the percentile"),
        "outside": tr("Share outside the risk"),
    }
    digits = {"length_m": 1, "risk_per_m": 3, "exposure": 1, "above": 2, "outside": 2}
    name_fields(
        layer, {names[key]: title for key, title in titles.items()}, {names[key]: n for key, n in digits.items()}
    )
    only = layer.renderer().ranges()[0]
    away = only.symbol().clone()
    away.symbolLayer(0).setPenStyle(Qt.PenStyle.DotLine)
    away.setColor(QColor(_AWAY))
    away.setWidth(2 * _WIDTHS[0])
    steps = list(pairwise(limits)) or [(each, each) for each in limits]
    ranges = []
    # The palest colour is lost on white paper, where lines are thin.
    for number, ((low, high), colour) in enumerate(zip(steps, list_colours(len(steps) + 1)[1:])):
        symbol = only.symbol().clone()
        symbol.setColor(colour)
        symbol.setWidth(_WIDTHS[0] + (_WIDTHS[1] - _WIDTHS[0]) * (number + 1) / len(steps))
        label = f"{_format_limit(low)} – {_format_limit(high)}"
        ranges.append(QgsRendererRange(low, high, symbol, f"{label} {unit}" if unit and not number else label))
    if result["outside"]:
        ranges.append(QgsRendererRange(-1, -1, away, tr("Outside the risk: the mean stands for it")))
    classed = f'if("{names["outside"]}" > {result["mostly"]}, -1, "{names["risk_per_m"]}")'
    layer.setRenderer(QgsGraduatedSymbolRenderer(classed, ranges))
    risk, length, above, outside = (f'"{names[key]}"' for key in ("risk_per_m", "length_m", "above", "outside"))
    layer.setMapTipTemplate(
        f"<b>[% format_number({risk}, 3) %] {unit}</b><br>[% format_number({length}, 0) %] m<br>"
        f"[% round(100 * {above}) %] % {tr('above percentile')} {result['percentile']:g}"
        f"[% if({outside} > 0, '<br>' || round(100 * {outside}) || ' % {tr('outside the risk')}', '') %]"
    )


def _format_limit(value: float) -> str:
    return format_amount(float(f"{value:.3g}"))
