"""Inputs that are a raster or a layer of areas: what they are, what goes together, and which results are left out."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsMapLayer, QgsProcessingContext, QgsProcessingFeedback, QgsVectorLayer

from ..bridge.area_layers import describe_no_panel, describe_no_risk, find_panel
from ..bridge.crs import tr
from ..riskengine.contract.texts import list_names
from ..riskengine.contract.tools import kinds
from ..riskengine.contract.tools.base import Parameter, Tool, parameters_of
from ..riskengine.contract.tools.units import list_foreign_results, list_map_layers, list_unit_problems
from . import destinations, refusals
from .engine_algorithm import EngineAlgorithm


def describe_misfit(
    algorithm: EngineAlgorithm, tool: type[Tool], parameters: dict[str, Any], context: QgsProcessingContext
) -> str:
    """Say why a layer cannot be read, which layers do not go together, or which result is not made of such units.

    Empty where all is well, and where there is no such layer: that is said elsewhere.
    """
    given = _open_layers(algorithm, tool, parameters, context)
    for parameter, layer in given:
        if isinstance(layer, QgsVectorLayer) and (why := _describe_unreadable(parameter, layer)):
            return why
    if not given:
        return ""
    are_areas = {parameter.key: isinstance(layer, QgsVectorLayer) for parameter, layer in given}
    wanted = {each.key: destinations.is_named(parameters, each.name) for each in parameters_of(tool)}
    return refusals.describe_first(list_unit_problems(tool, are_areas, wanted), tool, parameters)


def leave_out_foreign(
    algorithm: EngineAlgorithm,
    tool: type[Tool],
    parameters: dict[str, Any],
    context: QgsProcessingContext,
    feedback: QgsProcessingFeedback,
) -> dict[str, Any]:
    """Leave out temporary results that are not made of the units given, and say so.

    Raises
    ------
    QgsProcessingException
        If nothing is left of what was asked for.
    """
    layers = _open_layers(algorithm, tool, parameters, context)
    if not layers:
        return parameters
    first, layer = layers[0]
    areas = isinstance(layer, QgsVectorLayer)
    foreign = [each.name for each in list_foreign_results(tool, areas) if parameters.get(each.name) is not None]
    if not foreign:
        return parameters
    what = tr("a layer of areas") if areas else tr("a raster")
    left = {name: value for name, value in parameters.items() if name not in foreign}
    asked = (each.name for each in parameters_of(tool) if isinstance(each.kind, kinds.Destination))
    if all(left.get(name) is None for name in asked):
        refusals.refuse(
            tr("{name} is empty, but {input} is {what}, whose result it is. Choose a file for it.").format(
                name=list_foreign_results(tool, not areas)[0].name, input=first.name, what=what
            )
        )
    feedback.pushInfo(
        tr("Left out, since {input} is {what}: {names}.").format(
            names=list_names(foreign, len(foreign)), input=first.name, what=what
        )
    )
    # None, where a name that is missing would stand for the default.
    return {**left, **dict.fromkeys(foreign)}


def _open_layers(
    algorithm: EngineAlgorithm, tool: type[Tool], parameters: dict[str, Any], context: QgsProcessingContext
) -> list[tuple[Parameter, QgsMapLayer]]:
    """The layers that are given and can be opened, that which decides on the units first."""
    wanted = [each for each in list_map_layers(tool) if parameters.get(each.name)]
    opened = [(each, algorithm.parameterAsLayer(parameters, each.name, context)) for each in wanted]
    return [(each, layer) for each, layer in opened if layer is not None]


def _describe_unreadable(parameter: Parameter, layer: QgsVectorLayer) -> str:
    assert isinstance(parameter.kind, kinds.MapLayer)
    if parameter.kind.holds == "risk":
        return describe_no_risk(parameter.name, layer)
    return "" if find_panel(layer) is not None else describe_no_panel(parameter.name, layer)
