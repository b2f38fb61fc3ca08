"""Where an algorithm's outputs go, checked before any work."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from qgis.core import (
    QgsProcessing,
    QgsProcessingAlgorithm,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingOutputLayerDefinition,
    QgsProcessingParameterDefinition,
    QgsProcessingParameterFeatureSink,
    QgsProcessingParameterFile,
    QgsProcessingParameterFolderDestination,
    QgsProcessingParameterRasterDestination,
    QgsProviderRegistry,
    QgsVectorFileWriter,
)

from ..bridge import databases, leftovers, locks, outputs
from ..bridge.area_layers import list_panel_tables
from ..bridge.crs import tr
from ..riskengine.contract.tools import kinds
from ..riskengine.contract.tools.base import Tool, parameters_of
from ..riskengine.contract.tools.results import list_unasked_results

_SHAPEFILE = ".shp"
#: What QGIS writes without the places, and that in which it writes no table that has none.
_PLACELESS = (".csv", ".ods", ".txt", ".xlsx")
_PLACES_ONLY = (_SHAPEFILE, ".txt")
_SOURCES = QgsProcessing.SourceType


def file_of_output(parameters: dict[str, Any], name: str) -> tuple[Path | None, str]:
    """Find file and layer name that an output goes to; (None, "") if it goes to no file."""
    return outputs.file_of(databases.text_of_destination(parameters.get(name)))


def is_appended(parameters: dict[str, Any], name: str) -> bool:
    """Whether the rows of an output are appended to a layer that is there."""
    value = parameters.get(name)
    return isinstance(value, QgsProcessingOutputLayerDefinition) and value.useRemapping()


def is_named(parameters: dict[str, Any], name: str) -> bool:
    """Whether an output goes where the user has chosen, and will outlive the session."""
    text = databases.text_of_destination(parameters.get(name))
    path, _ = outputs.file_of(text)
    if path is None:
        return bool(text) and text != "TEMPORARY_OUTPUT" and not text.startswith("memory")
    return not outputs.is_temporary(path)


def leave_out(tool: type[Tool], given: Mapping[str, Any], parameters: dict[str, Any]) -> dict[str, Any]:
    """Leave out the temporary results that are not made as the choices are; `given` are their values by key."""
    # None, where a name that is missing would stand for the default.
    return {**parameters, **{each.name: None for each in list_unasked_results(tool, given)}}


def layer_of_output(parameters: dict[str, Any], name: str) -> tuple[Path | None, str]:
    """Find file and layer name of a vector output; QGIS writes a GeoPackage where the ending means no format."""
    path, table = file_of_output(parameters, name)
    if path is None or path.suffix[1:].lower() in QgsVectorFileWriter.supportedFormatExtensions():
        return path, table
    return path.with_name(f"{path.name}.gpkg"), table


def _file_of(definition: QgsProcessingParameterDefinition, parameters: dict[str, Any]) -> tuple[Path | None, str]:
    find = layer_of_output if isinstance(definition, QgsProcessingParameterFeatureSink) else file_of_output
    return find(parameters, definition.name())


def check(algorithm: QgsProcessingAlgorithm, parameters: dict[str, Any], context: QgsProcessingContext) -> None:
    """Refuse destinations that cannot be written, or would destroy an input or one another.

    Raises
    ------
    QgsProcessingException
        Naming the output, the path and the remedy.
    """
    inputs = _inputs(algorithm, parameters, context)
    earlier: list[tuple[str, Path, str]] = []
    for definition in algorithm.destinationParameterDefinitions():
        name = definition.name()
        path, layer = _file_of(definition, parameters)
        given, _ = file_of_output(parameters, name)
        if path is None or given is None:
            databases.check_table(parameters.get(name), name)
            continue
        if isinstance(definition, QgsProcessingParameterFolderDestination):
            # A folder may be there already; its place is judged like that of a file in it.
            outputs.check_destination(str(path / "file" if path.is_dir() else path), name)
            continue
        outputs.check_destination(str(path), name)
        if isinstance(definition, QgsProcessingParameterFeatureSink):
            _check_format(definition, path)
        if isinstance(definition, QgsProcessingParameterRasterDestination) and _is_no_tiff(path):
            raise QgsProcessingException(
                tr(
                    "The destination of {name} is {path}, but rasters are written as GeoTIFF. "
                    "Choose a file that ends in .tif."
                ).format(name=name, path=path)
            )
        for taken, taken_layer in inputs:
            # As it was given, too: QGIS adds an ending to one that is none of its formats.
            if any(outputs.clashes(each, layer, taken, taken_layer) for each in {path, given}):
                raise QgsProcessingException(
                    tr(
                        "The destination of {name}, {path}, is also an input and would be overwritten. "
                        "Choose another file."
                    ).format(name=name, path=path)
                )
        for other, taken, taken_layer in earlier:
            if outputs.clashes(path, layer, taken, taken_layer):
                raise QgsProcessingException(
                    tr(
                        "{other} and {name} both go to {path}, where one would overwrite the other. Choose another "
                        "file for one of them, or save both to a GeoPackage as tables of different names."
                    ).format(other=other, name=name, path=path)
                )
        earlier.append((name, path, layer))


def _check_format(definition: QgsProcessingParameterFeatureSink, path: Path) -> None:
    ending = path.suffix.lower()
    if definition.dataType() == _SOURCES.TypeVector:
        if ending in _PLACES_ONLY:
            raise QgsProcessingException(
                tr(
                    "The destination of {name} is {path}, but a {ending} file cannot hold a table without places. "
                    "Choose a table (.csv) or a GeoPackage (.gpkg)."
                ).format(name=definition.name(), path=path, ending=ending)
            )
    elif ending in _PLACELESS:
        places = {
            _SOURCES.TypeVectorPoint: tr("points"),
            _SOURCES.TypeVectorPolygon: tr("areas"),
        }.get(definition.dataType(), tr("points or areas"))
        raise QgsProcessingException(
            tr(
                "The destination of {name} is {path}, but a {ending} file cannot hold {places}: choose a GeoPackage "
                "(.gpkg), which QGIS can export as a table afterwards."
            ).format(name=definition.name(), path=path, ending=ending, places=places)
        )


def warn_of_losses(tool: type[Tool], parameters: dict[str, Any], feedback: QgsProcessingFeedback) -> None:
    """Warn of destinations that keep less than the layer has: shapefiles of incidents, or of other times."""
    for parameter in parameters_of(tool):
        if not isinstance(parameter.kind, kinds.VectorDestination) or not parameter.kind.has_times:
            continue
        path, _ = layer_of_output(parameters, parameter.name)
        if path is not None and path.suffix.lower() == _SHAPEFILE:
            feedback.pushWarning(
                tr(
                    "{name} goes to a shapefile, {path}, which keeps dates with times as text only, and ten letters of "
                    "a field's name. A GeoPackage (.gpkg) keeps both."
                ).format(name=parameter.name, path=path)
            )


@contextmanager
def claim(algorithm: QgsProcessingAlgorithm, parameters: dict[str, Any]) -> Iterator[None]:
    """Keep the destinations for one run; what killed runs have left half-written beside them is removed first.

    Raises
    ------
    QgsProcessingException
        If another run is at work on one of them.
    """
    with ExitStack() as held:
        for definition in algorithm.destinationParameterDefinitions():
            name = definition.name()
            path, table = _file_of(definition, parameters)
            if path is None:
                continue
            leftovers.sweep_beside(path.parent)
            try:
                held.enter_context(locks.hold(locks.lock_of(path, table or "*")))
            except locks.Held as taken:
                raise QgsProcessingException(
                    tr(
                        "The destination of {name}, {path}, is what another run (process {owner}) writes to. Wait "
                        "until that has ended, or choose another file."
                    ).format(name=name, path=path, owner=taken.owner)
                ) from None
        yield


def _is_no_tiff(path: Path) -> bool:
    return path.suffix.lower() not in ("", ".tif", ".tiff")


def _inputs(
    algorithm: QgsProcessingAlgorithm, parameters: dict[str, Any], context: QgsProcessingContext
) -> list[tuple[Path, str]]:
    files = []
    for definition in algorithm.parameterDefinitions():
        name = definition.name()
        if definition.isDestination() or parameters.get(name) is None:
            continue
        if isinstance(definition, QgsProcessingParameterFile):
            sources = [algorithm.parameterAsFile(parameters, name, context)]
        elif definition.type() in ("source", "raster", "layer"):
            layer = algorithm.parameterAsLayer(parameters, name, context)
            sources = [layer.source() if layer is not None else ""]
        elif definition.type() == "multilayer":
            sources = (
                algorithm.parameterAsFileList(parameters, name, context)
                if definition.layerType() == QgsProcessing.SourceType.TypeFile
                else [layer.source() for layer in algorithm.parameterAsLayerList(parameters, name, context)]
            )
        else:
            continue
        for source in sources:
            path, layer_name = outputs.file_of(source)
            if path is None:
                continue
            # Of a panel all tables are read, whichever of its layers was chosen.
            panel = list_panel_tables(path) if definition.type() == "layer" else []
            files += [(path, table) for table in panel or [layer_name or _first_table(path)]]
    return files


def _first_table(path: Path) -> str:
    """The table that a GeoPackage opens when none is named."""
    if path.suffix.lower() != ".gpkg":
        return ""
    layers = QgsProviderRegistry.instance().querySublayers(str(path))
    return layers[0].name() if layers else ""
