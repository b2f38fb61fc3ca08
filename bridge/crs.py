"""Choosing a coordinate system in metres, and moving many points at once."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from qgis.core import (
    Qgis,
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

from ..riskengine.contract.utm import find_utm_code

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

WGS84 = "EPSG:4326"
WGS84_ELLIPSOID = "EPSG:7030"

#: Points that are transformed at once: as Python lists, all of a large layer would fill the memory.
_BLOCK = 100_000


def tr(text: str) -> str:
    """Translate in the plugin's one context."""
    return QCoreApplication.translate("CrimeRisk", text)


def choose_utm_zone(longitude: float, latitude: float) -> QgsCoordinateReferenceSystem:
    """Choose the WGS 84 UTM zone of a place; the polar stereographic system beyond 84° N or 80° S."""
    return QgsCoordinateReferenceSystem(find_utm_code(longitude, latitude))


def is_metric(crs: QgsCoordinateReferenceSystem) -> bool:
    """Say whether distances in `crs` are metres on the ground."""
    return (
        crs.isValid()
        and not crs.isGeographic()
        and not _is_mercator(crs)
        and math.isclose(QgsUnitTypes.fromUnitToUnitFactor(crs.mapUnits(), Qgis.DistanceUnit.Meters), 1.0)
    )


def _is_mercator(crs: QgsCoordinateReferenceSystem) -> bool:
    # Web Mercator among them, not UTM and its like ("utm", "tmerc"), whose scale hardly differs from 1.
    return crs.projectionAcronym() == "merc"


def describe_crs_problem(crs: QgsCoordinateReferenceSystem) -> str:
    """Describe why distances cannot be measured in `crs`, in a sentence; empty if they can."""
    if is_metric(crs):
        return ""
    if _is_mercator(crs):
        problem = tr(
            "CRS: {crs} is a Mercator projection, whose units are longer than metres on the ground the farther from "
            "the equator: at 51° 200 of them are 125 m. Choose another projected CRS in metres, or leave it empty for "
            "the UTM zone of the incidents."
        )
    else:
        problem = tr("CRS: {crs} does not measure in metres. Choose a projected CRS in metres, or leave it empty.")
    return problem.format(crs=crs.authid() or crs.description() or "?")


def check_working_crs(crs: QgsCoordinateReferenceSystem) -> QgsCoordinateReferenceSystem:
    """Refuse a choice in which distances cannot be measured."""
    if problem := describe_crs_problem(crs):
        raise QgsProcessingException(problem)
    return crs


def transform_arrays(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    source: QgsCoordinateReferenceSystem,
    target: QgsCoordinateReferenceSystem,
    context: QgsCoordinateTransformContext,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Transform many points in few calls of PROJ; what cannot be transformed becomes NaN."""
    import numpy as np

    if source == target or not len(x):
        return x, y
    transform = QgsCoordinateTransform(source, target, context)
    moved_x, moved_y = np.empty(len(x)), np.empty(len(y))
    for start in range(0, len(x), _BLOCK):
        part = slice(start, start + _BLOCK)
        moved_x[part], moved_y[part] = _transformed_block(transform, x[part].tolist(), y[part].tolist()).T
    return moved_x, moved_y


def transform_point(
    point: QgsPointXY,
    source: QgsCoordinateReferenceSystem,
    target: QgsCoordinateReferenceSystem,
    context: QgsCoordinateTransformContext,
) -> QgsPointXY | None:
    """Bring one point to another CRS; None where it cannot be brought there."""
    if not source.isValid() or not target.isValid():
        return None
    x, y = _transformed(QgsCoordinateTransform(source, target, context), point.x(), point.y())
    return QgsPointXY(x, y) if math.isfinite(x) and math.isfinite(y) else None


def _transformed_block(transform: QgsCoordinateTransform, x: list[float], y: list[float]) -> NDArray[np.float64]:
    import numpy as np

    line = QgsLineString(x, y)
    try:
        line.transform(transform)
    except QgsCsException:
        return np.array([_transformed(transform, *point) for point in zip(x, y)], dtype=np.float64)
    # WKB of a line: byte order, type and count (9 bytes), then pairs of doubles.
    return np.frombuffer(bytes(line.asWkb()), dtype="<f8", offset=9).reshape(-1, 2)


def _transformed(transform: QgsCoordinateTransform, x: float, y: float) -> tuple[float, float]:
    try:
        point = transform.transform(QgsPointXY(x, y))
    except QgsCsException:
        return math.nan, math.nan
    return point.x(), point.y()
