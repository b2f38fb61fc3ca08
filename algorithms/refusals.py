"""Why parameters are refused, and what would be right: QGIS itself says only "Incorrect parameter value"."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from qgis.core import (
    QgsProcessing,
    QgsProcessingAlgorithm,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingParameterDefinition,
    QgsProcessingParameterEnum,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterFile,
    QgsProcessingParameterMapLayer,
    QgsProcessingParameterMultipleLayers,
    QgsProcessingParameterRasterLayer,
)

from ..bridge.crs import tr
from ..bridge.databases import text_of_destination
from ..riskengine.contract.texts import show_name
from ..riskengine.contract.tools import kinds
from ..riskengine.contract.tools.base import LARGEST_INTEGER, Parameter, Problem, Tool, parameters_of
from ..riskengine.contract.tools.refusals import (
    choose_shown_factor,
    describe_needed_ending,
    describe_requirement,
    describe_wrong_ending,
    is_refused,
)
from .destinations import file_of_output
from .texts import translate


def describe_refusal(definition: QgsProcessingParameterDefinition, value: Any) -> str:
    """Name the parameter, the value and the remedy."""
    name = definition.name()
    if value is None or value == "":
        return tr("{name} is empty. {title} is needed.").format(name=name, title=definition.description())
    return tr("{name} is {value}; {remedy}.").format(name=name, value=format_value(value), remedy=_remedy(definition))


def format_value(value: Any) -> str:
    """Format a value as a sentence names it; a layer by its name."""
    if isinstance(value, float):
        return f"{value:g}"
    return value.name() if hasattr(value, "name") and callable(value.name) else str(value)


def _remedy(definition: QgsProcessingParameterDefinition) -> str:
    if isinstance(definition, QgsProcessingParameterRasterLayer):
        return tr("it is missing, truncated or no raster. Choose a raster that QGIS can open")
    if isinstance(definition, QgsProcessingParameterMapLayer):
        return tr("it is missing, truncated or no layer. Choose a raster, or a layer of areas, that QGIS can open")
    if isinstance(definition, QgsProcessingParameterFeatureSource):
        return tr("it is missing or no vector layer. Choose a layer that QGIS can open")
    if isinstance(definition, QgsProcessingParameterMultipleLayers):
        return tr("at least one of them is missing or no layer. Choose layers that QGIS can open")
    if isinstance(definition, QgsProcessingParameterFile) and definition.extension():
        return describe_needed_ending(definition.extension(), translate)
    if isinstance(definition, QgsProcessingParameterEnum):
        options = "; ".join(f"{number}: {option}" for number, option in enumerate(definition.options()))
        return tr("choose one of {options}").format(options=options)
    return tr("that cannot be its value. Choose another for {title}").format(title=definition.description())


def describe_broken_limit(
    algorithm: QgsProcessingAlgorithm, parameter: Parameter, given: Mapping[str, Any], context: QgsProcessingContext
) -> str:
    """Say why a number is refused; empty where it is not.

    A text, an expression or a data-defined value may be no finite number either: QGIS lets "nan" pass.
    """
    value = given.get(parameter.name)
    if value is None or not isinstance(parameter.kind, kinds.Number):
        return ""
    number = algorithm.parameterAsDouble(dict(given), parameter.name, context)
    if parameter.whole and abs(number) > LARGEST_INTEGER:
        return tr("{name} is {value}; give a whole number up to {most}.").format(
            name=parameter.name, value=format_value(value), most=LARGEST_INTEGER
        )
    if not is_refused(parameter, number / choose_shown_factor(parameter)):
        return ""
    return tr("{name} is {value}; {requirement}.").format(
        name=parameter.name, value=format_value(value), requirement=describe_requirement(parameter, translate)
    )


def describe_wrong_name(parameter: Parameter, given: Mapping[str, Any]) -> str:
    """Say why the name of a file that later steps read is refused; empty where it is not, or QGIS makes it."""
    path, table = file_of_output(dict(given), parameter.name)
    if isinstance(parameter.kind, kinds.PanelDestination):
        text = text_of_destination(given.get(parameter.name))
        if table or (path is None and text not in ("", QgsProcessing.TEMPORARY_OUTPUT)):
            return tr("{name} is {value}; a panel is a file of its own: choose a file that ends in .gpkg.").format(
                name=parameter.name, value=show_name(text)
            )
    why = "" if path is None else describe_wrong_ending(parameter, path.name, translate)
    return f"{parameter.name} is {path}; {why}." if why else ""


def describe_first(problems: Iterable[Problem], tool: type[Tool], raw: Mapping[str, Any]) -> str:
    """Say what values that are right by themselves cannot do together: the first problem; empty where there is none.

    Parameters
    ----------
    raw : mapping
        What was given, by the names of Processing.
    """
    names = {parameter.key: parameter.name for parameter in parameters_of(tool)}
    for problem in problems:
        value = raw.get(names[problem.key])
        value = text_of_destination(value) or value
        return translate(problem.text, tool.__name__).format(
            **names, value=format_value(value) if value else tr("empty")
        )
    return ""


def refuse(why: str) -> None:
    """Raise what is wrong, if anything is.

    Raises
    ------
    QgsProcessingException
    """
    if why:
        raise QgsProcessingException(why)
