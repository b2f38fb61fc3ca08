"""The forecasters that can be chosen, as QGIS shows them; and their settings, as a user writes them."""

from __future__ import annotations

import json
import re
from typing import Any

from qgis.core import (
    QgsProcessing,
    QgsProcessingAlgorithm,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingParameterMultipleLayers,
)

from ...bridge.crs import tr
from ...riskengine.contract.forecasters import FORECASTERS
from .. import refusals
from ..engine_algorithm import absolute

#: The options of an enumeration, in their order.
NAMES = tuple(FORECASTERS)

EXTRAS_HELP = (
    "Rasters that models may read beside the counts: one band is a static layer, resampled to the grid (for example "
    "a population density), and so is each band of a raster with a few. A stack made with Rasterize hotspot grids of "
    "the same cells and bins is a channel, of which only the past is read. Plain counts ignore them. A model that was "
    "trained with them needs them to forecast: the same file names, in the same order."
)
#: Settings that are parameters of their own.
_OWN = ("threshold", "seed")


def titles() -> list[str]:
    """List the forecasters as the options of an enumeration."""
    return [tr(record.title) for record in FORECASTERS.values()]


def title_of(name: str) -> str:
    """The title of a forecaster, translated; its name where we do not know it."""
    return tr(FORECASTERS[name].title if name in FORECASTERS else name)


def extras_parameter() -> QgsProcessingParameterMultipleLayers:
    """EXTRAS."""
    kind = QgsProcessing.SourceType.TypeRaster
    return QgsProcessingParameterMultipleLayers("EXTRAS", tr("Extra layers"), kind, optional=True)


def extras_of(
    algorithm: QgsProcessingAlgorithm, parameters: dict[str, Any], context: QgsProcessingContext
) -> list[str]:
    """Files of the extra layers.

    Raises
    ------
    QgsProcessingException
        If one of them is no layer: a model's steps come here without checkParameterValues, and QGIS leaves it out.
    """
    given = parameters.get("EXTRAS")
    found = algorithm.parameterAsLayerList(parameters, "EXTRAS", context)
    if given and len(found) < (len(given) if isinstance(given, list) else 1):
        raise QgsProcessingException(refusals.sentence(algorithm.parameterDefinition("EXTRAS"), given))
    return [absolute(layer.source()) for layer in found]


def parse_settings(text: str, example: str) -> dict[str, Any]:
    """Settings written as a JSON object, or as ``name=value`` with commas, semicolons or line ends between them.

    A value is read as JSON where it is some (a number, true, null, a list), else as text.

    Raises
    ------
    QgsProcessingException
        With what was meant to be there.
    """
    text = text.strip()
    if not text:
        return {}
    refusal = QgsProcessingException(
        tr("SETTINGS is {text}; write it such as {example}, or leave it empty.").format(text=text, example=example)
    )
    if text.startswith("{"):
        try:
            found = json.loads(text)
        except ValueError as error:
            raise refusal from error
        return dict(found)
    settings: dict[str, Any] = {}
    # A comma inside brackets belongs to a list.
    for part in re.split(r"[,;\n](?![^\[]*\])", text):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not part.strip():
            continue
        if not equals or not re.fullmatch(r"[A-Za-z_][\w.]*", name) or not value or name in settings:
            raise refusal
        settings[name] = _value(value)
    return settings


def settings_of(text: str) -> dict[str, Any]:
    """Settings of one forecaster.

    Raises
    ------
    QgsProcessingException
        If they cannot be read, or name what has a parameter of its own.
    """
    settings = parse_settings(text, "epochs=20, padding=reflect")
    _refuse_own(settings)
    return settings


def settings_by_model(text: str) -> dict[str, dict[str, Any]]:
    """Settings of several forecasters, by their names: ``convlstm.epochs=20`` or JSON of objects.

    Raises
    ------
    QgsProcessingException
        If they cannot be read, or name a forecaster that there is not.
    """
    example = "convlstm.epochs=20, ensemble.share=0.3"
    settings: dict[str, dict[str, Any]] = {}
    for key, value in parse_settings(text, example).items():
        model, _, name = key.partition(".")
        if model not in NAMES:
            raise QgsProcessingException(
                tr("SETTINGS names the model {model}, which there is not. Use one of {known}.").format(
                    model=model, known=", ".join(NAMES)
                )
            )
        own = {name: value} if name else value
        if not isinstance(own, dict):
            raise QgsProcessingException(
                tr("SETTINGS gives {model} the value {value}; write it such as {example}.").format(
                    model=model, value=value, example=example
                )
            )
        _refuse_own(own)
        settings.setdefault(model, {}).update(own)
    return settings


def _refuse_own(settings: dict[str, Any]) -> None:
    for name in _OWN:
        if name in settings:
            raise QgsProcessingException(
                tr("SETTINGS holds {name}={value}, but {name} has a parameter of its own. Give it there.").format(
                    name=name, value=settings[name]
                )
            )


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return {"True": True, "False": False, "None": None}.get(text, text)
