"""Layers of the project for the engine: taken in the main thread, written in another, kept while nothing changed."""

from __future__ import annotations

import itertools
import shutil
from collections import Counter
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from qgis.core import (
    Qgis,
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransformContext,
    QgsFeatureIterator,
    QgsFeatureRequest,
    QgsFeatureSource,
    QgsFields,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingUtils,
    QgsProject,
    QgsVectorLayer,
    QgsVectorLayerFeatureSource,
)

from ...bridge import area_layers, client, leftovers
from ...bridge.layers import read_incidents
from ...bridge.outputs import file_of
from ...bridge.plain_files import find_plain_file, write_features


class Snapshot(QgsFeatureSource):
    """The features that a layer has now, for another thread.

    Parameters
    ----------
    layer : QgsVectorLayer
    """

    def __init__(self, layer: QgsVectorLayer) -> None:
        super().__init__()
        self._source = QgsVectorLayerFeatureSource(layer)
        self._name, self._crs, self._kind = layer.name(), layer.crs(), layer.wkbType()
        self._count = layer.featureCount()

    def getFeatures(self, request: QgsFeatureRequest | None = None, flags: Any = None) -> QgsFeatureIterator:
        """The features that a request asks for."""
        return self._source.getFeatures(QgsFeatureRequest() if request is None else request)

    def sourceCrs(self) -> QgsCoordinateReferenceSystem:
        return self._crs

    def sourceName(self) -> str:
        return self._name

    def fields(self) -> QgsFields:
        return self._source.fields()

    def featureCount(self) -> int:
        return self._count

    def wkbType(self) -> Qgis.WkbType:
        return self._kind

    def setInvalidGeometryCheck(self, check: Any) -> None:
        """Nothing is checked: the engine mends what is invalid."""


@dataclass(frozen=True)
class Taken:
    """A layer as it was when it was taken; two are equal while the layer is unchanged.

    Attributes
    ----------
    key : hashable
    file : str
        What the engine can read itself; empty where it has to be written.
    time_field : str
        Of incidents; other layers are written as they are.
    areas : bool
        Whether it is polygons with a risk, which are written as the tools hand them over.
    """

    key: Hashable
    file: str = ""
    time_field: str = ""
    areas: bool = False
    snapshot: Snapshot | None = field(default=None, compare=False, repr=False)


class LayersAtHand:
    """What was taken and written of layers, by layer."""

    def __init__(self) -> None:
        self._changes: Counter[str] = Counter()
        self._watched: dict[str, Callable[[], None]] = {}
        self._written: dict[Taken, dict[str, str]] = {}
        self._folder: Path | None = None
        self._numbers = itertools.count()

    def take(self, layer: QgsVectorLayer, time_field: str = "", areas: bool = False) -> Taken:
        """Take a layer; in the main thread, and at once."""
        self._watch(layer)
        path, _ = file_of(layer.source())
        stamp = None
        if path is not None and path.is_file():
            stat = path.stat()
            stamp = (stat.st_mtime_ns, stat.st_size)
        state = (layer.source(), layer.subsetString(), layer.crs().authid(), layer.featureCount(), stamp)
        key = (layer.id(), self._changes[layer.id()], *state, time_field, areas)
        # A tool's own reading of incidents by the engine could wait behind a training: they are read here.
        plain = None if time_field or areas else find_plain_file(layer, layer)
        if plain is not None:
            return Taken(key, f"{plain.path.absolute()}|layername={plain.table}")
        return Taken(key, "", time_field, areas, Snapshot(layer))

    def write(
        self, taken: Taken, context: QgsCoordinateTransformContext, feedback: QgsProcessingFeedback
    ) -> dict[str, str]:
        """Write what was taken, in any thread, unless it is there: its path, and the CRS of incidents.

        Raises
        ------
        EngineError
            If the layer cannot be used, or the user cancels.
        """
        if taken.file:
            return {"path": taken.file}
        if taken not in self._written:
            assert taken.snapshot is not None
            folder = self._make_folder()
            processing = QgsProcessingContext()
            processing.setTransformContext(context)
            try:
                if taken.time_field:
                    places = read_incidents(taken.snapshot, taken.time_field, "", "", folder, processing, feedback)
                    name = places.crs.authid() or places.crs.toWkt()
                    self._keep(taken, {"path": str(folder / "incidents.npz"), "crs": name})
                elif taken.areas:
                    path = folder / "risk.gpkg"
                    layer = taken.snapshot.materialize(QgsFeatureRequest(), feedback)
                    crs = area_layers.choose_metric_crs(layer, processing)
                    area_layers.write_risk(layer, crs, path, processing, feedback)
                    self._keep(taken, {"path": str(path)})
                else:
                    path = folder / "layer.gpkg"
                    write_features(taken.snapshot, taken.snapshot.fields().names(), path, processing, feedback)
                    self._keep(taken, {"path": str(path)})
            except QgsProcessingException as error:
                shutil.rmtree(folder, ignore_errors=True)
                if feedback.isCanceled():
                    raise client.EngineCancelled("Cancelled.") from error
                raise client.EngineError(str(error)) from error
        return self._written[taken]

    def close(self) -> None:
        """Remove what was written."""
        for layer_id, forget in self._watched.items():
            layer = QgsProject.instance().mapLayer(layer_id)
            if layer is not None:
                for signal in (layer.dataChanged, layer.layerModified):
                    signal.disconnect(forget)
        self._watched.clear()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None
        self._written.clear()

    def _watch(self, layer: QgsVectorLayer) -> None:
        layer_id = layer.id()
        if layer_id in self._watched:
            return

        def count() -> None:
            self._changes[layer_id] += 1

        self._watched[layer_id] = count
        for signal in (layer.dataChanged, layer.layerModified):
            signal.connect(count)

    def _make_folder(self) -> Path:
        if self._folder is None:
            self._folder = leftovers.make_folder(Path(QgsProcessingUtils.tempFolder()), leftovers.EXCHANGE)
        folder = self._folder / str(next(self._numbers))
        folder.mkdir()
        return folder

    def _keep(self, taken: Taken, what: dict[str, str]) -> None:
        """Keep what was written, in the place of what the layer was before."""
        assert isinstance(taken.key, tuple)
        for before in [each for each in self._written if each.key[0] == taken.key[0]]:
            shutil.rmtree(Path(self._written.pop(before)["path"]).parent, ignore_errors=True)
        # Its features are in the file now.
        self._written[replace(taken, snapshot=None)] = what
