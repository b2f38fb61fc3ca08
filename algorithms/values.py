"""What was given to an algorithm, as the job takes it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeatureSource,
    QgsProcessingFeatureSourceDefinition,
    QgsProcessingFeedback,
    QgsVectorLayer,
)

from ..bridge import area_layers, layers
from ..bridge.areas import write_areas, write_units
from ..bridge.crs import WGS84, tr
from ..bridge.exactness import read_exactness
from ..bridge.places import Places, read_places
from ..bridge.plain_files import PlainFile, find_plain_file, write_features
from ..bridge.polygon_places import read_inner_points
from ..riskengine.contract.fieldnames import find_field
from ..riskengine.contract.texts import show_name
from ..riskengine.contract.tools import kinds
from ..riskengine.contract.tools.base import Parameter, Tool, parameters_of
from ..riskengine.contract.tools.refusals import choose_shown_factor
from . import destinations, refusals, settings
from .definitions import is_several
from .engine_algorithm import EngineAlgorithm


class Asked:
    """One run of an algorithm: what was given, and what has been read of it.

    Attributes
    ----------
    folder : Path
        For the exchange with the engine; removed when the run ends.
    parameters : dict
        By the names of Processing, choices as their integers.
    places : Places or None
        The incidents or points that were read.
    source : QgsProcessingFeatureSource or None
        The layer they come from.
    job : dict
        What the job gets.
    """

    def __init__(
        self,
        algorithm: EngineAlgorithm,
        tool: type[Tool],
        parameters: dict[str, Any],
        context: QgsProcessingContext,
        feedback: QgsProcessingFeedback,
        folder: Path,
    ) -> None:
        self.algorithm = algorithm
        self.parameters = parameters
        self.context = context
        self.feedback = feedback
        self.folder = folder
        self.places: Places | None = None
        self.source: QgsProcessingFeatureSource | None = None
        self.job: dict[str, Any] = {}
        self._by_key = {(each.group, each.key): each for each in parameters_of(tool)}
        self._crs: QgsCoordinateReferenceSystem | None = None

    def prepare(self) -> dict[str, Any]:
        """Read everything that the declaration names; returns the job's parameters.

        Raises
        ------
        QgsProcessingException
            With a sentence, if something cannot be read.
        """
        for parameter in self._by_key.values():
            # A grid is for those who give no places.
            if parameter.job and not (parameter.group and self.places is not None):
                target = self.job.setdefault(parameter.group, {}) if parameter.group else self.job
                self._put(target, parameter)
        return self.job

    def _put(self, target: dict[str, Any], parameter: Parameter) -> None:
        value = self.read(parameter)
        if isinstance(parameter.kind, kinds.Polygons) and value is not None:
            value, extent = value
            if "extent" in target and target["extent"] is None:
                target["extent"] = extent
        # Left empty it is what the declaration says.
        if value is not None or (parameter.shown is not None and parameter.nullable):
            target[parameter.key] = value

    def read(self, parameter: Parameter) -> Any:
        """Read the value of one parameter as the job takes it; None where it was left empty, or is of no use."""
        if parameter.where is not None:
            chosen = self.find_parameter(parameter.where.key)
            if not parameter.where.allows(self.read(chosen)):
                return None
        return _READERS[type(parameter.kind)](self, parameter)

    def find_parameter(self, key: str, group: str = "") -> Parameter:
        """Find a parameter of the declaration."""
        return self._by_key[group, key]

    def read_given(self, parameter: Parameter | str) -> Any:
        """Read what was given for a parameter, or for a Processing parameter by its name; None for nothing."""
        return self.parameters.get(parameter if isinstance(parameter, str) else parameter.name)

    def read_text(self, key: str) -> str:
        """Read a text of Processing's own: a field, an expression; empty where the tool has no such parameter."""
        if ("", key) not in self._by_key:
            return ""
        name = self.find_parameter(key).name
        return str(self.algorithm.parameterAsString(self.parameters, name, self.context))

    def open_source(self, key: str, group: str = "") -> QgsProcessingFeatureSource | None:
        """Open the features of a layer; None where there is no layer.

        Raises
        ------
        QgsProcessingException
            If what was given is none: a model's steps come here without checkParameterValues. And if only what is
            selected is asked for, and nothing is.
        """
        name = self.find_parameter(key, group).name
        source = self.algorithm.parameterAsSource(self.parameters, name, self.context)
        if source is None and (self.parameters.get(name) is not None or not self.find_parameter(key, group).optional):
            raise QgsProcessingException(self.algorithm.invalidSourceError(self.parameters, name))
        given = self.parameters.get(name)
        only_selected = isinstance(given, QgsProcessingFeatureSourceDefinition) and given.selectedFeaturesOnly
        if source is not None and only_selected and not source.featureCount():
            raise QgsProcessingException(
                tr(
                    "{parameter}: nothing is selected in the layer {name}. Select features, or switch off Selected "
                    "features only."
                ).format(parameter=name, name=show_name(source.sourceName()))
            )
        return source

    def find_file(self, parameter: Parameter) -> PlainFile | None:
        """Find the file that a layer is, if it is nothing but a table of one: then the engine reads it."""
        layer = self.algorithm.parameterAsVectorLayer(self.parameters, parameter.name, self.context)
        return find_plain_file(self.read_given(parameter), layer)

    @property
    def crs(self) -> QgsCoordinateReferenceSystem:
        """The CRS of the work: that of the incidents, of the grids, or of the index."""
        if self._crs is None:
            index = str(self.job["index"])
            self._crs = QgsCoordinateReferenceSystem(
                self.algorithm.run_job("index_info", {"index": index}, self.feedback, (), 0, 1)["crs"]
            )
        return self._crs

    # How each kind is read.

    def _number(self, parameter: Parameter) -> float | None:
        algorithm, name = self.algorithm, parameter.name
        if parameter.shown is None or (
            self.read_given(parameter) is None and algorithm.parameterDefinition(name).defaultValue() is None
        ):
            return None
        if parameter.whole:
            return int(algorithm.parameterAsInt(self.parameters, name, self.context))
        return float(algorithm.parameterAsDouble(self.parameters, name, self.context)) / choose_shown_factor(parameter)

    def _flag(self, parameter: Parameter) -> bool | None:
        if parameter.shown is None:
            return None
        return bool(self.algorithm.parameterAsBoolean(self.parameters, parameter.name, self.context))

    def _moment(self, parameter: Parameter) -> str | None:
        when = self.algorithm.parameterAsDateTime(self.parameters, parameter.name, self.context)
        return str(when.toString("yyyy-MM-ddTHH:mm:ss")) if when.isValid() else None

    def _point(self, parameter: Parameter) -> list[float] | None:
        if parameter.optional and not self.read_given(parameter):
            return None
        wgs84 = QgsCoordinateReferenceSystem(WGS84)
        point = self.algorithm.parameterAsPoint(self.parameters, parameter.name, self.context, wgs84)
        return [point.x(), point.y()]

    def _text(self, parameter: Parameter) -> Any:
        if parameter.shown is None:
            return None
        text = self.algorithm.parameterAsString(self.parameters, parameter.name, self.context)
        return settings.list_of(parameter, text) if is_several(parameter) else text or None

    def _choice(self, parameter: Parameter) -> Any:
        values = parameter.kind.values
        if not is_several(parameter):
            return values[self.algorithm.parameterAsEnum(self.parameters, parameter.name, self.context)]
        # Of an enumeration that is left empty QGIS says that its first entry is chosen.
        if self.read_given(parameter) in (None, "", []) and parameter.nullable:
            return None
        numbers = self.algorithm.parameterAsEnums(self.parameters, parameter.name, self.context)
        return [values[number] for number in numbers] or None

    def _settings(self, parameter: Parameter) -> dict[str, Any]:
        text = self.algorithm.parameterAsString(self.parameters, parameter.name, self.context)
        return settings.settings_of(parameter, text)

    def _chosen_crs(self, parameter: Parameter) -> str | None:
        # Where no incidents are given, and no map, nothing here says where the work is done.
        found = self._crs is not None or ("", "index") in self._by_key
        crs = (
            self.crs
            if parameter.kind.working and found
            else self.algorithm.parameterAsCrs(self.parameters, parameter.name, self.context)
        )
        return (crs.authid() or crs.toWkt()) if crs.isValid() else None

    def _extent(self, parameter: Parameter) -> layers.Extent | None:
        algorithm, name = self.algorithm, parameter.name
        rectangle = algorithm.parameterAsExtent(self.parameters, name, self.context)
        if rectangle.isNull():
            return None
        given = algorithm.parameterAsExtentCrs(self.parameters, name, self.context)
        return layers.extent_in(rectangle, given, self.crs, self.context)

    def _file(self, parameter: Parameter) -> str | None:
        path = self.algorithm.read_file_input(self.parameters, parameter.name, self.context)
        if not path and not parameter.optional:
            definition = self.algorithm.parameterDefinition(parameter.name)
            raise QgsProcessingException(refusals.describe_refusal(definition, self.read_given(parameter)))
        return path or None

    def _files(self, parameter: Parameter) -> list[str]:
        paths = self.algorithm.parameterAsFileList(self.parameters, parameter.name, self.context)
        return [self.algorithm.to_absolute(path) for path in paths if path]

    def _raster(self, parameter: Parameter) -> str | None:
        if parameter.optional and not self.read_given(parameter):
            return None
        layer = self.algorithm.read_map_input(self.parameters, parameter.name, self.context)
        if isinstance(layer, QgsVectorLayer):
            return self._areas_layer(parameter, layer)
        # The grids say where the work is done, whatever lies beside them.
        if self._crs is None or parameter.key == "heatmaps":
            self._crs = layer.crs()
        return self.algorithm.to_absolute(layer.source())

    def _areas_layer(self, parameter: Parameter, layer: QgsVectorLayer) -> str:
        """A panel's file, or the features of a risk in a file of their own."""
        if parameter.kind.holds == "risk":
            crs = area_layers.choose_metric_crs(layer, self.context)
            self._crs = self._crs or crs
            path = self.folder / f"{parameter.key}.gpkg"
            area_layers.write_risk(layer, crs, path, self.context, self.feedback)
            return str(path)
        panel = area_layers.find_panel(layer)
        if panel is None:
            raise QgsProcessingException(area_layers.describe_no_panel(parameter.name, layer))
        if layer.subsetString():
            self.feedback.pushWarning(
                tr("The filter of the layer {name} is not applied: all of the panel is read.").format(
                    name=show_name(layer.name())
                )
            )
        self._crs = area_layers.find_panel_crs(panel)
        return self.algorithm.to_absolute(str(panel))

    def _rasters(self, parameter: Parameter) -> list[str]:
        given = self.read_given(parameter)
        layers = self.algorithm.parameterAsLayerList(self.parameters, parameter.name, self.context)
        # A model's steps come here without checkParameterValues, and QGIS leaves out what is no layer.
        if given and len(layers) < (len(given) if isinstance(given, list) else 1):
            raise QgsProcessingException(
                refusals.describe_refusal(self.algorithm.parameterDefinition(parameter.name), given)
            )
        return [self.algorithm.to_absolute(layer.source()) for layer in layers]

    def _incidents(self, parameter: Parameter) -> str | None:
        source = self.open_source(parameter.key)
        if source is None:
            return None
        own = ("", "crs") in self._by_key
        crs = self.algorithm.parameterAsCrs(self.parameters, "CRS", self.context) if own else self.crs
        fields = self.read_text("time_field"), self.read_text("category_field"), self.read_text("filter")
        self.source = source
        file = self.find_file(parameter)
        layer = self.algorithm.parameterAsVectorLayer(self.parameters, parameter.name, self.context)
        self.places = layers.read_incidents(
            source,
            *fields,
            self.folder,
            self.context,
            self.feedback,
            crs,
            file,
            exactness=read_exactness(layer, fields[0]),
            reported_field=self.read_text("reported_field"),
            area_column=self.read_text("area_column"),
            place_field=self.read_text("place_field"),
            end_field=self.read_text("end_field"),
        )
        self._crs = self.places.crs
        if not own:
            self._report_refused()
        return str(self.folder / "incidents.npz")

    def _report_refused(self) -> None:
        assert self.places is not None
        total = len(self.places.x) + len(self.places.refused)
        self.algorithm.report_refused(self.places.refused, total, self.feedback)

    def _places(self, parameter: Parameter) -> str | None:
        import numpy as np

        source = self.open_source(parameter.key)
        if source is None:
            return None
        polygons = parameter.kind.polygons and layers.has_polygons(source)
        self.source = source
        self.places = (
            read_inner_points(source, self.context, self.feedback, self.crs)
            if polygons
            else read_places(source, self.context, self.feedback, self.crs, file=self.find_file(parameter))
        )
        layers.require_places(self.places, source)
        np.savez(self.folder / "points.npz", x=self.places.x, y=self.places.y, fid=self.places.fid)
        return str(self.folder / "points.npz")

    def _polygons(self, parameter: Parameter) -> tuple[list[dict[str, Any]], layers.Extent] | None:
        source = self.open_source(parameter.key, parameter.group)
        return None if source is None else layers.read_polygons(source, self.crs, self.context)

    def _areas(self, parameter: Parameter) -> str | None:
        source = self.open_source(parameter.key)
        if source is None:
            return None
        path = self.folder / "areas.geojson"
        write_areas(source, self.read_text("area_name"), self.crs, path, self.context)
        return str(path)

    def _units(self, parameter: Parameter) -> str | None:
        source = self.open_source(parameter.key)
        if source is None:
            return None
        path = self.folder / "areas.npz"
        fields = self.read_text("area_id"), self.read_text("area_name")
        write_units(source, *fields, self.crs, path, self.context, self.feedback)
        return str(path)

    def _field(self, parameter: Parameter) -> Any:
        names = self.algorithm.parameterAsStrings(self.parameters, parameter.name, self.context)
        names = [name for name in names if name]
        return names if is_several(parameter) else next(iter(names), None)

    def _table(self, parameter: Parameter) -> str | None:
        source = self.open_source(parameter.key)
        if source is None:
            return None
        self.source = source
        wanted: dict[str, None] = {}
        for each in self._by_key.values():
            if isinstance(each.kind, kinds.Field) and each.kind.of == parameter.key:
                given = self.read(each) or []
                for asked in given if isinstance(given, list) else [given]:
                    name = find_field(asked, source.fields().names()) or asked
                    refusals.refuse(layers.describe_missing_field(source, each.name, name))
                    wanted[name] = None
        path = self.folder / f"{parameter.key}.gpkg"
        if parameter.kind.whole:
            wanted = dict.fromkeys(source.fields().names())
            file = self.find_file(parameter)
            if file is not None:
                # The engine may run in another folder.
                return f"{file.path.absolute()}|layername={file.table}"
        write_features(source, wanted, path, self.context, self.feedback)
        return str(path)

    def _feature_ids(self, parameter: Parameter) -> str | None:
        return (
            str(self.folder / "kept.npy")
            if self.read_given(self.find_parameter(parameter.kind.of)) is not None
            else None
        )

    def _scratch(self, parameter: Parameter) -> str:
        return str(self.folder / parameter.kind.name)

    def _layer_name(self, parameter: Parameter) -> str:
        # Of several layers the last one read is another's.
        source = self.open_source(parameter.kind.of, parameter.group)
        return str(source.sourceName()) if source is not None else ""

    def _raster_destination(self, parameter: Parameter) -> str | None:
        return self.algorithm.read_raster_destination(self.parameters, parameter.name, self.context) or None

    def _file_destination(self, parameter: Parameter) -> str | None:
        if parameter.kind.outlives:
            path = self.algorithm.parameterAsFileOutput(self.parameters, parameter.name, self.context)
            return self.algorithm.to_absolute(path) or None
        return self.algorithm.read_file_destination(self.parameters, parameter.name, self.context) or None

    def _panel_destination(self, parameter: Parameter) -> str | None:
        # As tables are: made in the exchange folder, and brought to its place with all else.
        path = self.algorithm.parameterAsOutputLayer(self.parameters, parameter.name, self.context)
        return str(self.folder / "panel.gpkg") if path else None

    def _folder_destination(self, parameter: Parameter) -> str | None:
        # Written where a failure leaves nothing, and brought to its place when all is there.
        return str(self.folder / parameter.key) if self.read_given(parameter) else None

    def _vector_destination(self, parameter: Parameter) -> str | None:
        """A file in the exchange folder: where a GeoPackage is asked for one of its name, which is its table's too."""
        if self.read_given(parameter) is None:
            return None
        path, table = destinations.layer_of_output(self.parameters, parameter.name)
        folder = self.folder / parameter.key
        folder.mkdir(exist_ok=True)
        if path is None or path.suffix.lower() != ".gpkg":
            # A FlatGeobuf is written faster, but has no dates without a time.
            return str(folder / f"{parameter.key}.{'gpkg' if parameter.kind.of else 'fgb'}")
        return str(folder / (f"{parameter.key}.gpkg" if table else path.name))


_READERS: dict[type[kinds.Kind], Callable[[Asked, Any], Any]] = {
    kinds.Number: Asked._number,
    kinds.Flag: Asked._flag,
    kinds.Moment: Asked._moment,
    kinds.Point: Asked._point,
    kinds.Text: Asked._text,
    kinds.Choice: Asked._choice,
    kinds.Settings: Asked._settings,
    kinds.Crs: Asked._chosen_crs,
    kinds.Extent: Asked._extent,
    kinds.File: Asked._file,
    kinds.Files: Asked._files,
    kinds.Raster: Asked._raster,
    kinds.MapLayer: Asked._raster,
    kinds.Rasters: Asked._rasters,
    kinds.Incidents: Asked._incidents,
    kinds.Places: Asked._places,
    kinds.Polygons: Asked._polygons,
    kinds.Areas: Asked._areas,
    kinds.Units: Asked._units,
    kinds.Table: Asked._table,
    kinds.Field: Asked._field,
    kinds.FeatureIds: Asked._feature_ids,
    kinds.Scratch: Asked._scratch,
    kinds.LayerName: Asked._layer_name,
    kinds.RasterDestination: Asked._raster_destination,
    kinds.FileDestination: Asked._file_destination,
    kinds.PanelDestination: Asked._panel_destination,
    kinds.FolderDestination: Asked._folder_destination,
    kinds.VectorDestination: Asked._vector_destination,
}
