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

from ..riskengine.contract.colours import list_shades

FOLDER = Path(__file__).resolve().parents[1] / "resources" / "styles"


def load_style(layer: Any, name: str) -> None:
    """Apply resources/styles/`name`.qml.

    Not with loadNamedStyle, which prefers the style that a GeoPackage already holds for a table of that name.
    """
    document = QDomDocument()
    document.setContent((FOLDER / f"{name}.qml").read_text(encoding="utf-8"))
    layer.importNamedStyle(document)


def list_colours(number: int) -> list[QColor]:
    """List `number` colours from light to dark, evenly along the ramp."""
    return [QColor(shade) for shade in list_shades(number)]


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
