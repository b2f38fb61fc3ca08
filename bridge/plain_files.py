"""Layers that are nothing but a table of a GeoPackage, which the engine then reads itself; any other made one."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qgis.core import (
    Qgis,
    QgsFeatureRequest,
    QgsFields,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeatureSource,
    QgsProcessingFeatureSourceDefinition,
    QgsProcessingFeedback,
    QgsProcessingUtils,
    QgsProviderRegistry,
    QgsVectorFileWriter,
    QgsVectorLayer,
    QgsWkbTypes,
)
from qgis.PyQt.QtCore import QMetaType

from ..riskengine.contract.tools.kinds import EXCHANGE_ID, EXCHANGE_SHAPES
from . import client, leftovers, outputs
from .crs import tr

#: Of these the engine gives back just what it has read.
_TYPES = {
    QMetaType.Type.Int,
    QMetaType.Type.LongLong,
    QMetaType.Type.Double,
    QMetaType.Type.QString,
    QMetaType.Type.QDate,
    QMetaType.Type.QDateTime,
}


@dataclass
class PlainFile:
    """A table of a GeoPackage."""

    path: Path
    table: str


def find_plain_file(value: Any, layer: QgsVectorLayer | None) -> PlainFile | None:
    """The file of which a layer shows every row and nothing else; None if there is more to it.

    That is a layer with a filter, a selection that alone is asked for, joined or virtual fields, edits that are not
    saved, kinds of fields, geometries or times that would not come back as they were, and any layer of another format.

    Parameters
    ----------
    value : object
        What was given to the algorithm.
    layer : QgsVectorLayer or None
        The layer it means.
    """
    if isinstance(value, QgsProcessingFeatureSourceDefinition) and (
        value.selectedFeaturesOnly or value.featureLimit != -1 or value.filterExpression
    ):
        return None
    if layer is None or layer.providerType() != "ogr" or layer.dataProvider().storageType() != "GPKG":
        return None
    if layer.subsetString() or layer.isEditable() or layer.vectorJoins():
        return None
    # Measures and curves would not come back as they were.
    if QgsWkbTypes.hasM(layer.wkbType()) or QgsWkbTypes.isCurvedType(layer.wkbType()):
        return None
    # Such as one kind of geometry of a table that holds several.
    parts = QgsProviderRegistry.instance().decodeUri("ogr", layer.source())
    if any(value for name, value in parts.items() if name not in ("path", "layerName")):
        return None
    # A view has no ids of its own.
    if not layer.primaryKeyAttributes():
        return None
    path, table = outputs.file_of(layer.source())
    if path is None or not path.is_file():
        return None
    fields = layer.fields()
    if any(fields.fieldOrigin(number) != QgsFields.FieldOrigin.OriginProvider for number in range(fields.count())):
        return None
    if any(field.type() not in _TYPES or field.typeName() == "JSON" for field in fields):
        return None
    times = [field.name() for field in fields if field.type() == QMetaType.Type.QDateTime]
    table = table or _only_table(path)
    return PlainFile(path, table) if table and _in_one_zone(path, table, times) else None


def _only_table(path: Path) -> str:
    with contextlib.suppress(sqlite3.Error), _opened(path) as database:
        tables = database.execute("SELECT table_name FROM gpkg_contents WHERE data_type = 'features'").fetchall()
        return str(tables[0][0]) if len(tables) == 1 else ""
    return ""


def _in_one_zone(path: Path, table: str, times: list[str]) -> bool:
    """Whether all times are in UTC: others would come back moved."""
    try:
        with _opened(path) as database:
            for name in times:
                column = outputs.quote_name(name)
                query = f"SELECT 1 FROM {outputs.quote_name(table)} WHERE {column} NOT LIKE '%Z' LIMIT 1"
                if database.execute(query).fetchone() is not None:
                    return False
    except sqlite3.Error:
        return False
    return True


def _opened(path: Path) -> contextlib.closing[sqlite3.Connection]:
    return contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True))


def read_points(file: PlainFile, names: Sequence[str], feedback: QgsProcessingFeedback) -> dict[str, Any] | None:
    """Have the engine read a file's points and some of its fields.

    Returns
    -------
    dict of str to ndarray or None
        As `riskengine.ground.tables.read_points` says; None where it cannot: then QGIS can.
    """
    import numpy as np

    folder = leftovers.make_folder(Path(QgsProcessingUtils.tempFolder()), leftovers.EXCHANGE)
    try:
        output = folder / "points.npz"
        job = {"path": str(file.path), "table": file.table, "fields": list(names), "output": str(output)}
        if client.call("read_points", job, is_cancelled=feedback.isCanceled)["rows"] is None:
            return None
        with np.load(output, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except client.EngineCancelled as error:
        raise QgsProcessingException(tr("Cancelled: nothing was written.")) from error
    except client.EngineError:
        # An engine without the packages for it: what is wrong is said when it is asked for the work itself.
        return None
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def write_features(
    source: QgsProcessingFeatureSource,
    fields: Iterable[str],
    path: Path,
    context: QgsProcessingContext,
    feedback: QgsProcessingFeedback,
) -> None:
    """Write the features of a source, with their geometries as they are and some fields, into a GeoPackage.

    Raises
    ------
    QgsProcessingException
        If it cannot be written, or the user cancels.
    """
    wanted = [source.fields().lookupField(name) for name in fields]
    # The engine mends what is invalid, and says so.
    source.setInvalidGeometryCheck(Qgis.InvalidGeometryCheck.NoCheck)
    layer = source.materialize(QgsFeatureRequest().setSubsetOfAttributes(wanted), feedback)
    if feedback.isCanceled():
        raise QgsProcessingException(tr("Cancelled: nothing was written."))
    options = QgsVectorFileWriter.SaveVectorOptions()
    options.driverName = "GPKG"
    options.layerName = "table"
    options.layerOptions = [f"FID={EXCHANGE_ID}", f"GEOMETRY_NAME={EXCHANGE_SHAPES}", "SPATIAL_INDEX=NO"]
    options.feedback = feedback
    error, why, *_ = QgsVectorFileWriter.writeAsVectorFormatV3(layer, str(path), context.transformContext(), options)
    if error != QgsVectorFileWriter.WriterError.NoError:
        raise QgsProcessingException(why)
