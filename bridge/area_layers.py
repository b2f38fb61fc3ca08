"""Layers of areas: a panel is a file, whichever of its layers is chosen; a risk is any layer with such a field."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from qgis.core import (
    Qgis,
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsCsException,
    QgsFeature,
    QgsFeatureRequest,
    QgsField,
    QgsFields,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsVectorFileWriter,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QDateTime, QMetaType, Qt

from ..riskengine.contract import tags
from ..riskengine.contract.texts import show_name
from ..riskengine.contract.tools.kinds import RISK_FIELDS
from . import outputs
from .about import read_tags
from .crs import WGS84, choose_utm_zone, is_metric, tr, transform_point

_TYPES = {"text": QMetaType.Type.QString, "real": QMetaType.Type.Double, "datetime": QMetaType.Type.QDateTime}
_RISK = "risk"
_SHAPES = (Qgis.GeometryType.Polygon, Qgis.GeometryType.Line)


def find_panel(layer: QgsVectorLayer) -> Path | None:
    """Find the panel that a layer belongs to, whichever of its tables it shows; None for any other layer."""
    path, _ = outputs.file_of(layer.source())
    return path if path is not None and list_panel_tables(path) else None


def list_panel_tables(path: Path) -> list[str]:
    """List all tables of a panel; none of any other file."""
    with contextlib.suppress(sqlite3.Error, ValueError), contextlib.closing(_open(path)) as database:
        about = dict(database.execute(f"SELECT key, value FROM {tags.ABOUT_TABLE}").fetchall())
        if about.get(tags.KIND) == tags.PANEL_KIND:
            return [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type != 'index'")]
    return []


def find_panel_crs(path: Path) -> QgsCoordinateReferenceSystem:
    """Find the CRS in which a panel's areas lie."""
    return QgsVectorLayer(f"{path}|layername={tags.AREAS_TABLE}", "areas", "ogr").crs()


def describe_no_panel(parameter: str, layer: QgsVectorLayer) -> str:
    """Say why a vector layer cannot be what forecasts are made from."""
    return tr(
        "{parameter} is {name}, a layer without counts by area and time. Make them of it with Count incidents by area, "
        "and choose the panel that this writes (a GeoPackage)."
    ).format(parameter=parameter, name=show_name(layer.name()))


def describe_no_risk(parameter: str, layer: QgsVectorLayer) -> str:
    """Say why the features of a layer cannot be ranked by risk; empty where they can."""
    name = show_name(layer.name())
    if find_panel(layer) is not None:
        return tr(
            "{parameter} is {name}, which holds counts and no risk. Forecast from it with Forecast risk, and choose "
            "its Risk by area."
        ).format(parameter=parameter, name=name)
    field = layer.fields().lookupField(_RISK)
    if layer.geometryType() not in _SHAPES or field < 0 or not layer.fields()[field].isNumeric():
        return tr(
            "{parameter} is {name}, which are no polygons with a number in the field risk. Choose Risk by area of "
            "Forecast risk, or name the field with the risk so."
        ).format(parameter=parameter, name=name)
    if not layer.crs().isValid():
        return tr("{parameter} is {name}, which has no CRS. Set it in the layer's properties.").format(
            parameter=parameter, name=name
        )
    return ""


def choose_metric_crs(layer: QgsVectorLayer, context: QgsProcessingContext) -> QgsCoordinateReferenceSystem:
    """Choose the layer's own CRS where it measures in metres, else the UTM zone of its middle."""
    if is_metric(layer.crs()):
        return layer.crs()
    wgs84 = QgsCoordinateReferenceSystem(WGS84)
    middle = transform_point(layer.extent().center(), layer.crs(), wgs84, context.transformContext())
    return choose_utm_zone(middle.x(), middle.y()) if middle is not None else layer.crs()


def write_risk(
    layer: QgsVectorLayer,
    crs: QgsCoordinateReferenceSystem,
    path: Path,
    context: QgsProcessingContext,
    feedback: QgsProcessingFeedback,
) -> None:
    """Write the features of a layer with a risk as `riskengine.maps.area_risk` reads them, in a CRS in metres.

    Raises
    ------
    QgsProcessingException
        If they cannot be brought to the CRS or written, or the user cancels.
    """
    own = layer.fields()
    positions = {name: own.lookupField(name) for name in RISK_FIELDS}
    kept = {name: place for name, place in positions.items() if place >= 0}
    fields = QgsFields()
    for name in kept:
        fields.append(QgsField(name, _TYPES[RISK_FIELDS[name]]))
    options = QgsVectorFileWriter.SaveVectorOptions()
    options.driverName, options.layerName = "GPKG", _RISK
    options.layerOptions = ["SPATIAL_INDEX=NO", "FID=crimerisk_fid", "GEOMETRY_NAME=crimerisk_geom"]
    known = context.transformContext()
    writer = QgsVectorFileWriter.create(str(path), fields, layer.wkbType(), crs, known, options)
    moved = QgsCoordinateTransform(layer.crs(), crs, known)
    request = QgsFeatureRequest().setSubsetOfAttributes(list(kept.values()))
    request.setInvalidGeometryCheck(Qgis.InvalidGeometryCheck.NoCheck)
    try:
        for number, feature in enumerate(layer.getFeatures(request)):
            if number % 1024 == 0 and feedback.isCanceled():
                raise QgsProcessingException(tr("Cancelled: nothing was written."))
            made, shape = QgsFeature(fields), feature.geometry()
            shape.transform(moved)
            made.setGeometry(shape)
            made.setAttributes([_convert(feature.attribute(place), RISK_FIELDS[name]) for name, place in kept.items()])
            writer.addFeature(made)
        writer.flushBuffer()
    except QgsCsException as error:
        raise QgsProcessingException(
            tr("The areas of {name} cannot be brought to {crs}. Check the CRS of the layer.").format(
                name=show_name(layer.name()), crs=crs.authid()
            )
        ) from error
    why = writer.errorMessage()
    # The file is closed only when its writer is gone.
    del writer
    if why:
        raise QgsProcessingException(tr("The areas could not be handed over ({why}).").format(why=why))
    _write_tags(path, read_tags(layer))


def _convert(value: object, kind: str) -> object:
    """A value as its field holds it; times by the wall clock, whatever zone they carry."""
    if value is None or (hasattr(value, "isNull") and value.isNull()):
        return None
    if kind == "text":
        return str(value)
    if kind == "datetime":
        return QDateTime(value.date(), value.time(), Qt.TimeSpec.UTC) if isinstance(value, QDateTime) else None
    return value


def _write_tags(path: Path, known: dict[str, str]) -> None:
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        database.execute(f"CREATE TABLE {tags.ABOUT_TABLE} (key TEXT PRIMARY KEY NOT NULL, value TEXT)")
        database.executemany(f"INSERT INTO {tags.ABOUT_TABLE} VALUES (?, ?)", known.items())


def _open(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
