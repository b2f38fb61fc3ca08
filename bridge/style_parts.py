"""What the styles share: the QML in resources/styles, one ramp of colours, and renderers made with it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from qgis.core import (
    QgsColorRampLegendNodeSettings,
    QgsColorRampShader,
    QgsPercentageNumericFormat,
    QgsRasterLayer,
    QgsRasterShader,
    QgsRasterTransparency,
    QgsSingleBandPseudoColorRenderer,
)
from qgis.PyQt.QtGui import QColor
from qgis.PyQt.QtXml import QDomDocument

FOLDER = Path(__file__).resolve().parents[1] / "resources" / "styles"

#: ColorBrewer YlOrRd: light is low, and it stays in order for colour-blind readers and in grey.
RAMP = ("#ffffb2", "#fecc5c", "#fd8d3c", "#f03b20", "#bd0026", "#800026", "#4d0018")

#: Okabe and Ito's colours, told apart by colour-blind readers, with a grey instead of the black: for names.
QUALITATIVE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#f0e442", "#666666")


def load_style(layer: Any, name: str) -> None:
    """Apply resources/styles/`name`.qml.

    Not with loadNamedStyle, which prefers the style that a GeoPackage already holds for a table of that name.
    """
    document = QDomDocument()
    document.setContent((FOLDER / f"{name}.qml").read_text(encoding="utf-8"))
    layer.importNamedStyle(document)


def list_colours(number: int) -> list[QColor]:
    """List `number` colours from light to dark, evenly along the ramp."""
    if number <= 5:
        return [QColor(RAMP[round(step * 4 / max(number - 1, 1))]) for step in range(number)]
    mixed = []
    for step in range(number):
        position = step * (len(RAMP) - 1) / (number - 1)
        low = min(int(position), len(RAMP) - 2)
        start, end, share = QColor(RAMP[low]), QColor(RAMP[low + 1]), position - low
        mixed.append(QColor(*(round(a + (b - a) * share) for a, b in zip(start.getRgb()[:3], end.getRgb()[:3]))))
    return mixed


def set_pseudocolour(layer: QgsRasterLayer, values: Sequence[float], labels: Sequence[str], kind: Any) -> None:
    shades = list_colours(len(values))
    ramp = QgsColorRampShader(min(values), max(values), None, kind)
    ramp.setColorRampItemList(
        [QgsColorRampShader.ColorRampItem(value, colour, label) for value, colour, label in zip(values, shades, labels)]
    )
    if kind == QgsColorRampShader.Type.Interpolated:
        settings = QgsColorRampLegendNodeSettings()
        percent = QgsPercentageNumericFormat()
        percent.setInputValues(QgsPercentageNumericFormat.InputValues.ValuesAreFractions)
        percent.setNumberDecimalPlaces(1)
        settings.setNumericFormat(percent)
        ramp.setLegendSettings(settings)
    shader = QgsRasterShader()
    shader.setRasterShaderFunction(ramp)
    renderer = QgsSingleBandPseudoColorRenderer(layer.dataProvider(), 1, shader)
    renderer.setClassificationMin(min(values))
    renderer.setClassificationMax(max(values))
    take_over(layer, renderer)


def take_over(layer: QgsRasterLayer, renderer: Any) -> None:
    """Replace the renderer but keep the opacity of the base style."""
    renderer.setOpacity(layer.renderer().opacity())
    layer.setRenderer(renderer)


def hide_zero(layer: QgsRasterLayer) -> None:
    transparency = QgsRasterTransparency()
    pixel = QgsRasterTransparency.TransparentSingleValuePixel(0.0, 0.0, 0.0)
    transparency.setTransparentSingleValuePixelList([pixel])
    layer.renderer().setRasterTransparency(transparency)
