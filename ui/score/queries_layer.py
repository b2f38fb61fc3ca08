"""The layer "Crime score queries": every place that was asked, with its answer."""

from __future__ import annotations

from pathlib import Path

from qgis.core import (
    QgsFeature,
    QgsField,
    QgsGeometry,
    QgsProject,
    QgsVectorFileWriter,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QMetaType

from ...bridge import styles
from ...bridge.crs import tr
from ...riskengine.contract.texts import count_text
from .answers import Answer

TABLE = "crime_score_queries"
#: Marks our layer, whatever the user calls it.
_MARK = "crime_risk/score_queries"

FIELDS = (
    ("name", QMetaType.Type.QString),
    ("longitude", QMetaType.Type.Double),
    ("latitude", QMetaType.Type.Double),
    ("score", QMetaType.Type.Double),
    ("lower", QMetaType.Type.Double),
    ("upper", QMetaType.Type.Double),
    ("percentile", QMetaType.Type.Double),
    ("incidents", QMetaType.Type.LongLong),
    ("queried", QMetaType.Type.QDateTime),
    ("model", QMetaType.Type.QString),
    ("index", QMetaType.Type.QString),
)


def find() -> QgsVectorLayer | None:
    """Find the project's layer of queries; None if there is none, or the user removed it."""
    for layer in QgsProject.instance().mapLayers().values():
        if isinstance(layer, QgsVectorLayer) and layer.providerType() == "memory" and layer.customProperty(_MARK):
            return layer
    return None


def add(answer: Answer) -> QgsVectorLayer:
    """Add an answer to the layer; the layer is made, styled and put into the project when it is not there."""
    layer = find() or _make()
    feature = QgsFeature(layer.fields())
    feature.setGeometry(QgsGeometry.fromPointXY(answer.point))
    values = {
        "name": answer.name,
        "longitude": answer.point.x(),
        "latitude": answer.point.y(),
        "score": answer.score,
        "lower": answer.lower,
        "upper": answer.upper,
        "percentile": answer.percentile,
        "incidents": answer.incidents,
        "queried": answer.time,
        "model": answer.model or None,
        "index": answer.index,
    }
    for name, value in values.items():
        # The user may have removed a field.
        if (number := layer.fields().lookupField(name)) >= 0:
            feature.setAttribute(number, value)
    layer.dataProvider().addFeature(feature)
    layer.updateExtents()
    layer.triggerRepaint()
    return layer


def _make() -> QgsVectorLayer:
    layer = QgsVectorLayer("Point?crs=EPSG:4326", tr("Crime score queries"), "memory")
    layer.dataProvider().addAttributes([QgsField(name, kind) for name, kind in FIELDS])
    layer.updateFields()
    styles.style_score_queries(layer)
    # After the style, which brings custom properties of its own.
    layer.setCustomProperty(_MARK, True)
    QgsProject.instance().addMapLayer(layer)
    return layer


def save(path: str) -> str:
    """Save the layer's features as a table of a GeoPackage, styled; a sentence says how it went.

    Other tables of an existing GeoPackage are kept.
    """
    layer = find()
    if layer is None or not layer.featureCount():
        return tr("There is no query to save yet. Ask a place first.")
    target = Path(path)
    if target.suffix.lower() != ".gpkg":
        target = target.with_name(f"{target.name}.gpkg")
    options = QgsVectorFileWriter.SaveVectorOptions()
    options.driverName = "GPKG"
    options.layerName = TABLE
    action = QgsVectorFileWriter.ActionOnExistingFile
    options.actionOnExistingFile = action.CreateOrOverwriteLayer if target.exists() else action.CreateOrOverwriteFile
    error, why, *_ = QgsVectorFileWriter.writeAsVectorFormatV3(
        layer, str(target), QgsProject.instance().transformContext(), options
    )
    if error != QgsVectorFileWriter.WriterError.NoError:
        return tr("The queries were not saved to {path} ({why}). Choose a folder you may write to.").format(
            path=target, why=" ".join(why.split()).rstrip(". ")
        )
    saved = QgsVectorLayer(f"{target}|layername={TABLE}", layer.name(), "ogr")
    if saved.isValid():
        styles.style_score_queries(saved)
        styles.remember(saved, layer.name(), tr("Crime score dock"))
    count = count_text(layer.featureCount(), "query was", "queries were")
    return tr("{count} saved to {path}.").format(count=count, path=target)
