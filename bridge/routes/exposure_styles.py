"""The style of Network exposure: streets by their risk per metre, in classes of as many metres each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from qgis.core import QgsGraduatedSymbolRenderer, QgsRendererRange, QgsVectorLayer

from ...riskengine.contract.texts import format_amount, tr
from ..area_styles import name_fields
from ..style_parts import list_colours, load_style

#: Lines are wider where the risk is higher, millimetres: classes are told apart without colours, too.
_WIDTHS = (0.2, 1.1)


def style_network_exposure(
    layer: QgsVectorLayer, limits: Sequence[float], unit: str, names: Mapping[str, str], percentile: float
) -> None:
    """Style streets by their risk per metre.

    Parameters
    ----------
    limits : sequence of float
        Of the classes, rising; one where all streets have the same risk.
    unit : str
        Of the risk; empty for none.
    names : dict of str to str
        What the fields length_m, risk_per_m, exposure, above and outside are called in this layer.
    percentile : float
        Above which a street's share is told.
    """
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
    steps = list(pairwise(limits)) or [(limits[0], limits[0])]
    ranges = []
    for number, ((low, high), colour) in enumerate(zip(steps, list_colours(len(steps)))):
        symbol = only.symbol().clone()
        symbol.setColor(colour)
        symbol.setWidth(_WIDTHS[0] + (_WIDTHS[1] - _WIDTHS[0]) * (number + 1) / len(steps))
        label = f"{_format_limit(low)} – {_format_limit(high)}"
        ranges.append(QgsRendererRange(low, high, symbol, f"{label} {unit}" if unit and not number else label))
    layer.setRenderer(QgsGraduatedSymbolRenderer(names["risk_per_m"], ranges))
    risk, length, above, outside = (f'"{names[key]}"' for key in ("risk_per_m", "length_m", "above", "outside"))
    layer.setMapTipTemplate(
        f"<b>[% format_number({risk}, 3) %] {unit}</b><br>[% format_number({length}, 0) %] m<br>"
        f"[% round(100 * {above}) %] % {tr('above percentile')} {percentile:g}"
        f"[% if({outside} > 0, '<br>' || round(100 * {outside}) || ' % {tr('outside the risk')}', '') %]"
    )


def _format_limit(value: float) -> str:
    return format_amount(float(f"{value:.3g}"))
