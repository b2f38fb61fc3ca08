"""Layers on their way to where the user wants them: whole, or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qgis.core import (
    Qgis,
    QgsCoordinateReferenceSystem,
    QgsFeature,
    QgsFeatureSink,
    QgsFields,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingOutputLayerDefinition,
    QgsProcessingUtils,
    QgsVectorLayer,
)

from ..bridge import databases, outputs
from ..bridge.crs import tr
from ..bridge.landing import Landing, sentences
from . import destinations
from .engine_algorithm import EngineAlgorithm

_GPKG = ".gpkg"


@dataclass
class Rows:
    """Features made here, one by one."""

    fields: QgsFields
    geometry: Any
    crs: QgsCoordinateReferenceSystem
    features: Iterable[QgsFeature]
    count: int

    def is_empty_table(self) -> bool:
        """Whether it is a table that says nothing."""
        return not self.count and self.geometry == Qgis.WkbType.NoGeometry


@dataclass
class Table:
    """A file of one table that the engine has written: a GeoPackage for a GeoPackage, else a FlatGeobuf.

    Attributes
    ----------
    path : Path
    layer_fields : collection of str or None
        Of a table with the rows of a layer, a GeoPackage always: the layer's fields. A column of ids that is none of
        them goes nowhere else.
    """

    path: Path
    layer_fields: Collection[str] | None = None

    def open(self) -> QgsVectorLayer:
        """Open it as a layer."""
        return QgsVectorLayer(str(self.path), self.path.stem, "ogr")

    def is_empty_table(self) -> bool:
        """Whether it is a table that says nothing."""
        layer = self.open()
        return not layer.isSpatial() and next(layer.getFeatures(), None) is None

    def read(self, layer: QgsVectorLayer) -> tuple[QgsFields, Iterable[QgsFeature]]:
        """Read fields and features of the opened layer, as they are for another file."""
        fields, ids = layer.fields(), layer.primaryKeyAttributes()
        if self.layer_fields is None or not ids or fields[ids[0]].name() in self.layer_fields:
            return fields, layer.getFeatures()
        fields.remove(ids[0])
        return fields, (_leave_out(feature, ids[0], fields) for feature in layer.getFeatures())


def _leave_out(feature: QgsFeature, number: int, fields: QgsFields) -> QgsFeature:
    made = QgsFeature(fields, feature.id())
    made.setGeometry(feature.geometry())
    values = feature.attributes()
    made.setAttributes(values[:number] + values[number + 1 :])
    return made


@dataclass
class Sink:
    """Where a layer goes, and the part of the progress bar that its writing has."""

    algorithm: EngineAlgorithm
    parameters: dict[str, Any]
    name: str
    context: QgsProcessingContext
    feedback: QgsProcessingFeedback
    folder: Path
    low: float = 90.0
    high: float = 100.0

    def write(self, rows: Rows | Table, landing: Landing) -> str:
        """Write the layer, to land with the others of the run; returns its id, as Processing has it.

        Raises
        ------
        QgsProcessingException
            If it cannot be written, or on cancel: then what was there before is there still.
        """
        # Asked before the file is moved.
        empty = rows.is_empty_table()
        destination = self._write(rows, landing)
        if empty:
            # It is there for a model's next step; among the layers of a project it would only be in the way.
            waiting = self.context.layersToLoadOnCompletion()
            waiting.pop(destination, None)
            self.context.setLayersToLoadOnCompletion(waiting)
        return destination

    def _write(self, rows: Rows | Table, landing: Landing) -> str:
        self._go_on()
        path, table = destinations.layer_of_output(self.parameters, self.name)
        if destinations.is_appended(self.parameters, self.name):
            return self._fill(self.parameters, rows, at_once=True)[1]
        if path is None:
            return self._write_elsewhere(rows)
        if table and path.suffix.lower() == _GPKG:
            made = rows.path if isinstance(rows, Table) else self._write_file(self.folder / f"{self.name}.gpkg", rows)
            landing.add_table(path, table, made)
        elif isinstance(rows, Table) and path.suffix.lower() == _GPKG:
            place = landing.make_place(path)
            with sentences(path):
                shutil.move(rows.path, place)
        else:
            self._write_file(landing.make_place(path), rows)
        self.feedback.setProgress(self.high)
        self._go_on()
        return self._announce(f"{path}|layername={table}" if table else str(path))

    def _write_file(self, path: Path, rows: Rows | Table) -> Path:
        """Write a file that nobody else knows yet."""
        # The layer is to be loaded from its final place, which QGIS is told of later.
        given = self.parameters[self.name]
        definition = QgsProcessingOutputLayerDefinition(str(path))
        if isinstance(given, QgsProcessingOutputLayerDefinition):
            definition.createOptions = given.createOptions
        written, destination = self._fill({**self.parameters, self.name: definition}, rows)
        layer = QgsVectorLayer(destination, "written", "ogr")
        # Some formats do not know how many rows they have when they have none.
        if not layer.isValid() or max(layer.featureCount(), 0) != written:
            raise QgsProcessingException(
                tr("{name} could not be written as {path}. Free some disk space or choose another destination.").format(
                    name=self.name, path=path.name
                )
            )
        return path

    def _write_elsewhere(self, rows: Rows | Table) -> str:
        """Write to memory, or to a database."""

        def fill(parameters: dict[str, Any]) -> tuple[int, str]:
            return self._fill(parameters, rows)

        layer_id = databases.write_whole(self.parameters, self.name, self.context, fill)
        return fill(self.parameters)[1] if layer_id is None else self._announce(layer_id)

    def _fill(self, parameters: dict[str, Any], rows: Rows | Table, at_once: bool = False) -> tuple[int, str]:
        """Make the sink and fill it; returns how many rows, and the layer's id.

        All at once is one transaction of the layer's provider: what is appended is all there, or nothing of it.
        """
        if isinstance(rows, Table):
            layer = rows.open()
            fields, features = rows.read(layer)
            sink, destination = self._make(parameters, fields, layer.wkbType(), layer.crs())
            expected = layer.featureCount()
        else:
            sink, destination = self._make(parameters, rows.fields, rows.geometry, rows.crs)
            features, expected = rows.features, rows.count
        batch = {"batch_size": max(expected, 1) + 1} if at_once else {}
        count = outputs.fill_sink(sink, features, expected, self.feedback, self.low, self.high, **batch)
        # Files are closed only when the sink is gone.
        del sink
        return count, destination

    def _make(
        self, parameters: dict[str, Any], fields: QgsFields, geometry: Any, crs: QgsCoordinateReferenceSystem
    ) -> tuple[QgsFeatureSink, str]:
        sink, destination = self.algorithm.parameterAsSink(parameters, self.name, self.context, fields, geometry, crs)
        if sink is None:
            raise QgsProcessingException(self.algorithm.invalidSinkError(self.parameters, self.name))
        return sink, destination

    def _announce(self, destination: str) -> str:
        """Have the layer loaded when the algorithm ends, where that was asked for."""
        given = self.parameters[self.name]
        if isinstance(given, QgsProcessingOutputLayerDefinition) and given.destinationProject is not None:
            title = given.destinationName or self.algorithm.parameterDefinition(self.name).description()
            self.context.addLayerToLoadOnCompletion(
                destination,
                QgsProcessingContext.LayerDetails(
                    title, given.destinationProject, self.name, QgsProcessingUtils.LayerHint.Vector
                ),
            )
        return destination

    def _go_on(self) -> None:
        # Making a sink may empty what was there: not for somebody who has already changed their mind.
        if self.feedback.isCanceled():
            raise QgsProcessingException(tr("Cancelled: nothing was written."))
