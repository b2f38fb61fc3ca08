"""Processing parameters, made from the declarations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qgis.core import (
    QgsProcessing,
    QgsProcessingOutputNumber,
    QgsProcessingOutputString,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterCrs,
    QgsProcessingParameterDateTime,
    QgsProcessingParameterDefinition,
    QgsProcessingParameterEnum,
    QgsProcessingParameterExpression,
    QgsProcessingParameterExtent,
    QgsProcessingParameterFeatureSink,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterField,
    QgsProcessingParameterFile,
    QgsProcessingParameterFileDestination,
    QgsProcessingParameterFolderDestination,
    QgsProcessingParameterMapLayer,
    QgsProcessingParameterMultipleLayers,
    QgsProcessingParameterNumber,
    QgsProcessingParameterPoint,
    QgsProcessingParameterRasterDestination,
    QgsProcessingParameterRasterLayer,
    QgsProcessingParameterString,
    QgsProcessingParameterVectorDestination,
)

from ..riskengine.contract.tools import kinds
from ..riskengine.contract.tools.base import LARGEST_INTEGER, NEEDED, Group, Output, Parameter, parameters_of
from ..riskengine.contract.tools.refusals import choose_shown_factor
from .texts import translate

_SOURCES = QgsProcessing.SourceType


def definitions_of(tool: type[Group]) -> list[QgsProcessingParameterDefinition]:
    """Make the Processing parameters of a tool, in the order of its declaration."""
    names = {parameter.key: parameter.name for parameter in parameters_of(tool)}
    made = []
    for parameter in parameters_of(tool):
        if parameter.shown is None:
            continue
        definition = _MAKERS[type(parameter.kind)](parameter, names)
        if parameter.shown.help:
            definition.setHelp(translate(parameter.shown.help, parameter.owner))
        flags, flag = definition.flags(), QgsProcessingParameterDefinition.Flag
        if parameter.shown.advanced:
            flags |= flag.FlagAdvanced
        definition.setFlags(flags | flag.FlagOptional if _optional(parameter) else flags & ~flag.FlagOptional)
        made.append(definition)
    return made


def output_of(output: Output) -> QgsProcessingOutputNumber | QgsProcessingOutputString:
    """Make the Processing output of a number or text."""
    kind = QgsProcessingOutputNumber if output.kind == "number" else QgsProcessingOutputString
    return kind(output.name, translate(output.title))


def _optional(parameter: Parameter) -> bool:
    working = isinstance(parameter.kind, kinds.Crs) and parameter.kind.working
    return parameter.optional or working


def _title(parameter: Parameter) -> str:
    assert parameter.shown is not None
    title = translate(parameter.shown.title, parameter.owner)
    return f"{title} [{translate(parameter.shown.unit)}]" if parameter.shown.unit else title


def _default(parameter: Parameter) -> Any:
    return None if parameter.default is NEEDED else parameter.default


def _number(parameter: Parameter, names: dict[str, str]) -> QgsProcessingParameterNumber:
    kinds_of_number = QgsProcessingParameterNumber.Type
    factor, default, limits = choose_shown_factor(parameter), _default(parameter), parameter.limits
    definition = QgsProcessingParameterNumber(
        parameter.name,
        _title(parameter),
        kinds_of_number.Integer if parameter.whole else kinds_of_number.Double,
        default if default is None or factor == 1 else default * factor,
        _optional(parameter),
    )
    if limits.low is not None:
        definition.setMinimum(limits.low * factor)
    if limits.high is not None:
        definition.setMaximum(min(limits.high * factor, LARGEST_INTEGER) if parameter.whole else limits.high * factor)
    return definition


def _flag(parameter: Parameter, names: dict[str, str]) -> QgsProcessingParameterBoolean:
    return QgsProcessingParameterBoolean(parameter.name, _title(parameter), _default(parameter))


def _moment(parameter: Parameter, names: dict[str, str]) -> QgsProcessingParameterDateTime:
    return QgsProcessingParameterDateTime(parameter.name, _title(parameter), optional=_optional(parameter))


def _point(parameter: Parameter, names: dict[str, str]) -> QgsProcessingParameterPoint:
    return QgsProcessingParameterPoint(parameter.name, _title(parameter), None, _optional(parameter))


def _text(parameter: Parameter, names: dict[str, str]) -> QgsProcessingParameterString:
    default = _default(parameter)
    if isinstance(default, list):
        default = f"{parameter.kind.separator} ".join(
            f"{each:g}" if isinstance(each, float) else str(each) for each in default
        )
    return QgsProcessingParameterString(
        parameter.name, _title(parameter), default or None, parameter.kind.long, _optional(parameter)
    )


def _choice(parameter: Parameter, names: dict[str, str]) -> QgsProcessingParameterEnum:
    values = parameter.kind.values
    titles = [translate(title, parameter.owner) for title in parameter.kind.titles.values()]
    several, default = is_several(parameter), _default(parameter)
    if several:
        chosen = None if default is None else [values.index(each) for each in default]
    else:
        chosen = values.index(default)
    optional = parameter.nullable and None not in values
    return QgsProcessingParameterEnum(parameter.name, _title(parameter), titles, several, chosen, optional)


def is_several(parameter: Parameter) -> bool:
    """Whether several values of a choice may be taken."""
    return getattr(parameter.type, "__origin__", None) is list


def _settings(parameter: Parameter, names: dict[str, str]) -> QgsProcessingParameterString:
    return QgsProcessingParameterString(parameter.name, _title(parameter), None, True, True)


def _crs(parameter: Parameter, names: dict[str, str]) -> QgsProcessingParameterCrs:
    return QgsProcessingParameterCrs(parameter.name, _title(parameter), None, _optional(parameter))


def _extent(parameter: Parameter, names: dict[str, str]) -> QgsProcessingParameterExtent:
    return QgsProcessingParameterExtent(parameter.name, _title(parameter), None, _optional(parameter))


def _field(parameter: Parameter, names: dict[str, str]) -> QgsProcessingParameterField:
    return QgsProcessingParameterField(
        parameter.name,
        _title(parameter),
        _default(parameter) or None,
        names[parameter.kind.of],
        allowMultiple=is_several(parameter),
        optional=_optional(parameter),
    )


def _expression(parameter: Parameter, names: dict[str, str]) -> QgsProcessingParameterExpression:
    return QgsProcessingParameterExpression(
        parameter.name, _title(parameter), _default(parameter) or "", names[parameter.kind.of], _optional(parameter)
    )


def _file(parameter: Parameter, names: dict[str, str]) -> QgsProcessingParameterFile:
    return QgsProcessingParameterFile(
        parameter.name,
        _title(parameter),
        extension=parameter.kind.ending,
        optional=_optional(parameter),
        fileFilter=translate(parameter.kind.filter),
    )


def _files(parameter: Parameter, names: dict[str, str]) -> QgsProcessingParameterMultipleLayers:
    return QgsProcessingParameterMultipleLayers(
        parameter.name, _title(parameter), _SOURCES.TypeFile, None, _optional(parameter)
    )


def _raster(parameter: Parameter, names: dict[str, str]) -> QgsProcessingParameterRasterLayer:
    return QgsProcessingParameterRasterLayer(parameter.name, _title(parameter), None, _optional(parameter))


def _map_layer(parameter: Parameter, names: dict[str, str]) -> QgsProcessingParameterMapLayer:
    types = [_SOURCES.TypeRaster, _SOURCES.TypeVectorAnyGeometry]
    return QgsProcessingParameterMapLayer(parameter.name, _title(parameter), None, _optional(parameter), types)


def _rasters(parameter: Parameter, names: dict[str, str]) -> QgsProcessingParameterMultipleLayers:
    return QgsProcessingParameterMultipleLayers(
        parameter.name, _title(parameter), _SOURCES.TypeRaster, None, _optional(parameter)
    )


def _vector(*sources: Any) -> Callable[[Parameter, dict[str, str]], QgsProcessingParameterFeatureSource]:
    def made(parameter: Parameter, names: dict[str, str]) -> QgsProcessingParameterFeatureSource:
        return QgsProcessingParameterFeatureSource(
            parameter.name, _title(parameter), list(sources), None, _optional(parameter)
        )

    return made


def _places(parameter: Parameter, names: dict[str, str]) -> QgsProcessingParameterFeatureSource:
    polygons = (_SOURCES.TypeVectorPolygon,) if parameter.kind.polygons else ()
    return _vector(_SOURCES.TypeVectorPoint, *polygons)(parameter, names)


def _table(parameter: Parameter, names: dict[str, str]) -> QgsProcessingParameterFeatureSource:
    return _vector(_SOURCES.TypeVectorLine if parameter.kind.lines else _SOURCES.TypeVector)(parameter, names)


def _raster_destination(parameter: Parameter, names: dict[str, str]) -> QgsProcessingParameterRasterDestination:
    return QgsProcessingParameterRasterDestination(
        parameter.name, _title(parameter), None, _optional(parameter), parameter.kind.created
    )


def _file_destination(parameter: Parameter, names: dict[str, str]) -> QgsProcessingParameterFileDestination:
    return QgsProcessingParameterFileDestination(
        parameter.name,
        _title(parameter),
        translate(parameter.kind.filter),
        None,
        _optional(parameter),
        parameter.kind.created,
    )


def _panel_destination(parameter: Parameter, names: dict[str, str]) -> QgsProcessingParameterVectorDestination:
    return QgsProcessingParameterVectorDestination(
        parameter.name,
        _title(parameter),
        _SOURCES.TypeVectorAnyGeometry,
        None,
        _optional(parameter),
        parameter.kind.created,
    )


def _folder_destination(parameter: Parameter, names: dict[str, str]) -> QgsProcessingParameterFolderDestination:
    return QgsProcessingParameterFolderDestination(
        parameter.name, _title(parameter), None, _optional(parameter), parameter.kind.created
    )


_GEOMETRIES = {
    "point": _SOURCES.TypeVectorPoint,
    "line": _SOURCES.TypeVectorLine,
    "polygon": _SOURCES.TypeVectorPolygon,
    "any": _SOURCES.TypeVectorAnyGeometry,
    "none": _SOURCES.TypeVector,
}


def _vector_destination(parameter: Parameter, names: dict[str, str]) -> QgsProcessingParameterFeatureSink:
    return QgsProcessingParameterFeatureSink(
        parameter.name,
        _title(parameter),
        _GEOMETRIES[parameter.kind.geometry],
        None,
        _optional(parameter),
        parameter.kind.created,
        # What is appended to a layer that is there is one transaction.
        True,
    )


_MAKERS: dict[type[kinds.Kind], Callable[[Any, dict[str, str]], QgsProcessingParameterDefinition]] = {
    kinds.Number: _number,
    kinds.Flag: _flag,
    kinds.Moment: _moment,
    kinds.Point: _point,
    kinds.Text: _text,
    kinds.Choice: _choice,
    kinds.Settings: _settings,
    kinds.Crs: _crs,
    kinds.Extent: _extent,
    kinds.Field: _field,
    kinds.Expression: _expression,
    kinds.File: _file,
    kinds.Files: _files,
    kinds.Raster: _raster,
    kinds.MapLayer: _map_layer,
    kinds.Rasters: _rasters,
    kinds.Incidents: _vector(_SOURCES.TypeVectorPoint),
    kinds.Places: _places,
    kinds.Polygons: _vector(_SOURCES.TypeVectorPolygon),
    kinds.Areas: _vector(_SOURCES.TypeVectorPolygon),
    kinds.Units: _vector(_SOURCES.TypeVectorPolygon, _SOURCES.TypeVectorLine),
    kinds.Table: _table,
    kinds.RasterDestination: _raster_destination,
    kinds.FileDestination: _file_destination,
    kinds.PanelDestination: _panel_destination,
    kinds.FolderDestination: _folder_destination,
    kinds.VectorDestination: _vector_destination,
}
