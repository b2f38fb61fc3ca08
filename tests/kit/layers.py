"""Layers made from rows, and rasters written and read, for the plugin's tests."""

from __future__ import annotations

import datetime
import math
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from osgeo import gdal, osr
from qgis.core import (
    Qgis,
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsFeature,
    QgsField,
    QgsGeometry,
    QgsPointXY,
    QgsProcessingOutputLayerDefinition,
    QgsProject,
    QgsProperty,
    QgsRasterLayer,
    QgsRemappingSinkDefinition,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QDate, QDateTime, QMetaType, Qt, QTime

gdal.UseExceptions()

#: x and y in EPSG:32610 (Portland), wall-clock time, category.
Row = tuple[float, float, Any, Any]
METRES = "EPSG:32610"
#: The south-western corner of the town.
EAST, NORTH = 525_000.0, 5_040_000.0
#: Degrees, metres, international feet, US survey feet, metres of a world-wide projection.
SYSTEMS = ("EPSG:4326", METRES, "EPSG:2913", "EPSG:2927", "EPSG:3857")

_KINDS = {
    "datetime": QMetaType.Type.QDateTime,
    "date": QMetaType.Type.QDate,
    "time": QMetaType.Type.QTime,
    "text": QMetaType.Type.QString,
    "integer": QMetaType.Type.Int,
}


def make_city_rows(count: int = 300, days: int = 40, seed: int = 1) -> list[Row]:
    """Make incidents of a small town: three clusters within 3 km, `days` days from 2024-01-01, two categories."""
    chance = random.Random(seed)
    rows: list[Row] = []
    for number in range(count):
        east, north = ((600, 700), (2200, 900), (1500, 2300))[number % 3]
        angle, distance = chance.uniform(0, 2 * math.pi), chance.expovariate(1 / 150)
        when = datetime.datetime(2024, 1, 1) + datetime.timedelta(
            days=number * days // count, seconds=chance.randrange(86_400)
        )
        place = EAST + east + distance * math.cos(angle), NORTH + north + distance * math.sin(angle)
        rows.append((*place, when, "Burglary" if number % 4 else "Theft"))
    return rows


def _time(value: Any, kind: str) -> Any:
    if value is None or kind == "integer":
        return value
    if isinstance(value, str):
        return value
    if kind == "date":
        return QDate(value.year, value.month, value.day)
    if kind == "text":
        return value.isoformat(sep=" ")
    clock = QTime(value.hour, value.minute, value.second)
    if kind == "time":
        return clock
    return QDateTime(QDate(value.year, value.month, value.day), clock, Qt.TimeSpec.UTC)


def make_points(
    rows: Sequence[Sequence[Any]],
    crs: str = "EPSG:4326",
    kind: str = "datetime",
    geometry: str = "Point",
    raw: bool = False,
) -> QgsVectorLayer:
    """Make a memory layer of `Row`s, whose metres are brought to `crs`.

    A row's place may also be WKT (taken as it is) or None for NULL.
    """
    layer = QgsVectorLayer(f"{geometry}?crs={crs}" if crs else geometry, "reports", "memory")
    if not crs:
        layer.setCrs(QgsCoordinateReferenceSystem())
    layer.dataProvider().addAttributes(
        [QgsField("occurred", _KINDS[kind]), QgsField("category", QMetaType.Type.QString)]
    )
    layer.updateFields()
    move = QgsCoordinateTransform(
        QgsCoordinateReferenceSystem(METRES), QgsCoordinateReferenceSystem(crs or METRES), QgsProject.instance()
    )
    features = []
    for x, y, when, category in rows:
        feature = QgsFeature(layer.fields())
        if isinstance(x, str):
            feature.setGeometry(QgsGeometry.fromWkt(x))
        elif x is not None:
            point = QgsPointXY(x, y) if raw else move.transform(QgsPointXY(x, y))
            feature.setGeometry(QgsGeometry.fromPointXY(point))
        feature.setAttributes([_time(when, kind), category])
        features.append(feature)
    assert layer.dataProvider().addFeatures(features)[0]
    layer.updateExtents()
    # Owned by the project: otherwise the first run takes the layer, and its context deletes it.
    QgsProject.instance().addMapLayer(layer, False)
    return layer


def make_square(x: float, y: float, side: float) -> str:
    """Make a polygon as WKT, metres from the town's corner."""
    x, y = EAST + x, NORTH + y
    return f"Polygon (({x} {y}, {x + side} {y}, {x + side} {y + side}, {x} {y + side}, {x} {y}))"


def read_bands(path: str | Path, nan: bool = False) -> Any:
    """Read a raster's bands, shape (bands, rows, columns), as stored, or as numbers in which no data is NaN."""
    dataset = gdal.Open(str(path))
    array = dataset.ReadAsArray().reshape(-1, dataset.RasterYSize, dataset.RasterXSize)
    if nan:
        nodata = dataset.GetRasterBand(1).GetNoDataValue()
        array = array.astype("float64")
        if nodata is not None:
            array[array == nodata] = math.nan
    return array


def write_bands(path: Path, values: Any, like: str | Path | None = None, nodata: float | None = None) -> str:
    """Write a raster of another tool, without a word about time; returns its path.

    One or more bands of 100 m cells from the town's corner to the south, or over the same box as the raster `like`.
    """
    array = np.asarray(values, dtype=np.float32)
    array = array[None] if array.ndim == 2 else array
    count, rows, columns = array.shape
    if like is None:
        system = osr.SpatialReference()
        system.ImportFromEPSG(32610)
        place, projection = (EAST, 100.0, 0.0, NORTH, 0.0, -100.0), system.ExportToWkt()
    else:
        other = gdal.Open(str(like))
        west, width, _, north, _, height = other.GetGeoTransform()
        finer = width * other.RasterXSize / columns, height * other.RasterYSize / rows
        place, projection = (west, finer[0], 0.0, north, 0.0, finer[1]), other.GetProjection()
    file = gdal.GetDriverByName("GTiff").Create(str(path), columns, rows, count, gdal.GDT_Float32)
    file.SetGeoTransform(place)
    file.SetProjection(projection)
    for number, band in enumerate(array, 1):
        file.GetRasterBand(number).WriteArray(band)
        if nodata is not None:
            file.GetRasterBand(number).SetNoDataValue(nodata)
    del file
    return str(path)


def read_band_times(layer: QgsRasterLayer, form: str = "yyyy-MM-ddTHH:mm:ss") -> list[tuple[str, str]]:
    """Read the time ranges of a raster's bands, which must all be half-open."""
    properties = layer.temporalProperties()
    assert properties.mode() == Qgis.RasterTemporalMode.FixedRangePerBand
    spans = []
    for band in range(1, layer.bandCount() + 1):
        span = properties.fixedRangePerBand()[band]
        assert span.includeBeginning()
        assert not span.includeEnd()
        spans.append((span.begin().toString(form), span.end().toString(form)))
    return spans


def make_appending(target: QgsVectorLayer) -> QgsProcessingOutputLayerDefinition:
    """Append to a layer, each field to the one of its name, as the dialog's Append to Layer… does."""
    mapping = QgsRemappingSinkDefinition()
    mapping.setDestinationFields(target.fields())
    mapping.setDestinationCrs(target.crs())
    mapping.setDestinationWkbType(target.wkbType())
    names = [name for name in target.fields().names() if name != "fid"]
    mapping.setFieldMap({name: QgsProperty.fromField(name) for name in names})
    definition = QgsProcessingOutputLayerDefinition(target.source())
    definition.setRemappingDefinition(mapping)
    return definition
