"""Why a parameter's value is refused, and what would be right: QGIS itself says only "Incorrect parameter value"."""

from __future__ import annotations

import math
from typing import Any

from qgis.core import (
    QgsProcessingParameterDefinition,
    QgsProcessingParameterEnum,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterFile,
    QgsProcessingParameterMultipleLayers,
    QgsProcessingParameterNumber,
    QgsProcessingParameterRasterLayer,
)

from ..bridge.crs import tr


def sentence(definition: QgsProcessingParameterDefinition, value: Any) -> str:
    """Name the parameter, the value and the remedy."""
    name = definition.name()
    if value is None or value == "":
        return tr("{name} is empty. {title} is needed.").format(name=name, title=definition.description())
    return tr("{name} is {value}; {remedy}.").format(name=name, value=text(value), remedy=_remedy(definition))


def text(value: Any) -> str:
    """A value as a sentence names it; a layer by its name."""
    return value.name() if hasattr(value, "name") and callable(value.name) else str(value)


def _remedy(definition: QgsProcessingParameterDefinition) -> str:
    if isinstance(definition, QgsProcessingParameterNumber):
        return _number(definition)
    if isinstance(definition, QgsProcessingParameterRasterLayer):
        return tr("it is missing, truncated or no raster. Choose a raster that QGIS can open")
    if isinstance(definition, QgsProcessingParameterFeatureSource):
        return tr("it is missing or no vector layer. Choose a layer that QGIS can open")
    if isinstance(definition, QgsProcessingParameterMultipleLayers):
        return tr("at least one of them is missing or no layer. Choose layers that QGIS can open")
    if isinstance(definition, QgsProcessingParameterFile) and definition.extension():
        return tr("choose a file that ends in .{extension}").format(extension=definition.extension())
    if isinstance(definition, QgsProcessingParameterEnum):
        options = "; ".join(f"{number}: {option}" for number, option in enumerate(definition.options()))
        return tr("choose one of {options}").format(options=options)
    return tr("that cannot be its value. Choose another for {title}").format(title=definition.description())


def _number(definition: QgsProcessingParameterNumber) -> str:
    whole = definition.dataType() == QgsProcessingParameterNumber.Type.Integer
    kind = tr("a whole number") if whole else tr("a number")
    low, high = definition.minimum(), definition.maximum()
    # QGIS writes "no limit" as the largest double.
    bounded_below, bounded_above = low > -1e300, not math.isinf(high) and high < 1e300
    if bounded_below and bounded_above:
        return tr("give {kind} from {low} to {high}").format(kind=kind, low=f"{low:g}", high=f"{high:g}")
    if bounded_below:
        return tr("give {kind} from {low}").format(kind=kind, low=f"{low:g}")
    return tr("give {kind}").format(kind=kind)
