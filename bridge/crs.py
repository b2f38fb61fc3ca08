"""Choosing a coordinate system in metres, and moving many points at once."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsCoordinateTransformContext,
    QgsCsException,
    QgsLineString,
    QgsPointXY,
    QgsProcessingException,
    QgsUnitTypes,
)
from qgis.PyQt.QtCore import QCoreApplication

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

WGS84 = "EPSG:4326"


def tr(text: str) -> str:
    """Translate in the plugin's one context."""
    return QCoreApplication.translate("CrimeRisk", text)


def utm_zone(longitude: float, latitude: float) -> QgsCoordinateReferenceSystem:
    """The WGS 84 UTM zone of a place; the polar stereographic system beyond 84° N or 80° S."""
    if latitude > 84 or latitude < -80:
        return QgsCoordinateReferenceSystem("EPSG:32661" if latitude > 0 else "EPSG:32761")
    zone = min(int((longitude + 180) // 6) % 60 + 1, 60)
    return QgsCoordinateReferenceSystem(f"EPSG:{(32600 if latitude >= 0 else 32700) + zone}")


def is_metric(crs: QgsCoordinateReferenceSystem) -> bool:
    """Whether distances in `crs` are metres."""
    return (
        crs.isValid()
        and not crs.isGeographic()
        and math.isclose(QgsUnitTypes.fromUnitToUnitFactor(crs.mapUnits(), _metres()), 1.0)
    )


def _metres() -> Any:
    from qgis.core import Qgis

    return Qgis.DistanceUnit.Meters


def checked_working_crs(crs: QgsCoordinateReferenceSystem) -> QgsCoordinateReferenceSystem:
    """Refuse a user's choice that does not measure in metres."""
    if not is_metric(crs):
        raise QgsProcessingException(
            tr(
                "The working CRS {crs} does not measure in metres. Choose a projected CRS in metres, or leave it empty."
            ).format(crs=crs.authid() or crs.description() or "?")
        )
    return crs


def transform_arrays(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    source: QgsCoordinateReferenceSystem,
    target: QgsCoordinateReferenceSystem,
    context: QgsCoordinateTransformContext,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Transform many points in one call of PROJ; what cannot be transformed becomes NaN."""
    import numpy as np

    if source == target or not len(x):
        return x, y
    transform = QgsCoordinateTransform(source, target, context)
    line = QgsLineString(x.tolist(), y.tolist())
    try:
        line.transform(transform)
    except QgsCsException:
        points = [_transformed(transform, *point) for point in zip(x.tolist(), y.tolist())]
        moved = np.array(points, dtype=np.float64)
        return moved[:, 0], moved[:, 1]
    # WKB of a line: byte order, type and count (9 bytes), then pairs of doubles.
    pairs = np.frombuffer(bytes(line.asWkb()), dtype="<f8", offset=9).reshape(-1, 2)
    return pairs[:, 0].copy(), pairs[:, 1].copy()


def _transformed(transform: QgsCoordinateTransform, x: float, y: float) -> tuple[float, float]:
    try:
        point = transform.transform(QgsPointXY(x, y))
    except QgsCsException:
        return math.nan, math.nan
    return point.x(), point.y()
