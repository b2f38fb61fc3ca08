"""How exact the times of a layer are: a word that its metadata carry, and that the engine weighs with the values."""

from __future__ import annotations

from typing import get_args

from qgis.core import QgsLayerMetadata, QgsVectorLayer

from ..riskengine.contract import tags
from ..riskengine.contract.choices import Exactness
from .outputs import file_of


def write_exactness(layer: QgsVectorLayer, field: str, exactness: str) -> None:
    """Keep how exact the times of a field are with the layer, until its metadata are saved."""
    metadata = QgsLayerMetadata(layer.metadata())
    metadata.setKeywords({**metadata.keywords(), tags.EXACTNESS: [_mark(layer, field) + exactness]})
    layer.setMetadata(metadata)


def read_exactness(layer: QgsVectorLayer | None, field: str) -> str:
    """Read how exact the times of a field are: from the layer, or from beside its file; empty where nothing says it."""
    if layer is None:
        return ""
    words = layer.metadata().keywords(tags.EXACTNESS)
    if not words:
        # A layer that Processing opened by its path has not read what lies beside the file.
        again = QgsVectorLayer(layer.source(), "", layer.providerType())
        words = again.metadata().keywords(tags.EXACTNESS) if again.loadDefaultMetadata()[1] else []
    mark = _mark(layer, field)
    return next((each for each in get_args(Exactness) if mark + each in words), "")


def _mark(layer: QgsVectorLayer, field: str) -> str:
    # All tables of a GeoPackage share one file of metadata.
    return f"{file_of(layer.source())[1]}.{field}: "
