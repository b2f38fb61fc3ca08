"""How exact the times of a layer are: a word that its metadata carry, and that the engine weighs with the values."""

from __future__ import annotations

from typing import get_args

from qgis.core import QgsDataProvider, QgsLayerMetadata, QgsVectorLayer

from ..riskengine.contract import tags
from ..riskengine.contract.choices import Exactness


def write_exactness(layer: QgsVectorLayer, field: str, exactness: str) -> None:
    """Keep how exact the times of a field are with the layer, until its metadata are saved."""
    metadata = QgsLayerMetadata(layer.metadata())
    metadata.setKeywords({**metadata.keywords(), tags.EXACTNESS: [_mark(field) + exactness]})
    layer.setMetadata(metadata)


def read_exactness(layer: QgsVectorLayer | None, field: str) -> str:
    """Read how exact the times of a field are: from the layer, or from its file; empty where nothing says it."""
    if layer is None:
        return ""
    words = layer.metadata().keywords(tags.EXACTNESS)
    if not words:
        # A layer that Processing opened by its path has not read what its table says.
        again = open_by_name(layer)
        again.loadDefaultMetadata()
        words = again.metadata().keywords(tags.EXACTNESS)
    mark = _mark(field)
    return next((each for each in get_args(Exactness) if mark + each in words), "")


def open_by_name(layer: QgsVectorLayer) -> QgsVectorLayer:
    """Open a layer again by its table's name: QGIS keeps metadata in a GeoPackage for tables that are named only."""
    source = layer.source()
    if layer.providerType() == "ogr" and source.lower().endswith(".gpkg"):
        parts = layer.dataProvider().subLayers()[0].split(QgsDataProvider.sublayerSeparator())
        source = f"{source}|layername={parts[1]}"
    return QgsVectorLayer(source, layer.name(), layer.providerType())


def _mark(field: str) -> str:
    return f"{field}: "
