"""Any layer or table as a file for the engine: the features that were asked for, with some of their fields."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from qgis.core import (
    Qgis,
    QgsFeatureRequest,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeatureSource,
    QgsProcessingFeedback,
    QgsVectorFileWriter,
)

from ..riskengine.contract.texts import list_names
from .crs import tr

#: Names that no field of a layer has: of the column of numbers, and of that of geometries.
_NUMBERS, _SHAPES = "crimerisk_fid", "crimerisk_geom"
#: Fields that a sentence names.
_LISTED = 40


def write_features(
    source: QgsProcessingFeatureSource,
    fields: Iterable[str],
    path: Path,
    context: QgsProcessingContext,
    feedback: QgsProcessingFeedback,
) -> None:
    """Write the features of a source, with their geometries as they are, into a GeoPackage.

    Raises
    ------
    QgsProcessingException
        If there is no such field, or the user cancels.
    """
    known = source.fields()
    wanted = []
    for name in fields:
        if known.lookupField(name) < 0:
            raise QgsProcessingException(
                tr("The layer {name} has no field {field}. It has: {known}.").format(
                    name=source.sourceName(), field=name, known=list_names([each.name() for each in known], _LISTED)
                )
            )
        wanted.append(known.lookupField(name))
    # The engine mends what is invalid, and says so.
    source.setInvalidGeometryCheck(Qgis.InvalidGeometryCheck.NoCheck)
    layer = source.materialize(QgsFeatureRequest().setSubsetOfAttributes(wanted), feedback)
    if feedback.isCanceled():
        raise QgsProcessingException(tr("Cancelled: nothing was written."))
    options = QgsVectorFileWriter.SaveVectorOptions()
    options.driverName = "GPKG"
    options.layerName = "table"
    options.layerOptions = [f"FID={_NUMBERS}", f"GEOMETRY_NAME={_SHAPES}", "SPATIAL_INDEX=NO"]
    options.feedback = feedback
    error, why, *_ = QgsVectorFileWriter.writeAsVectorFormatV3(layer, str(path), context.transformContext(), options)
    if error != QgsVectorFileWriter.WriterError.NoError:
        raise QgsProcessingException(why)
