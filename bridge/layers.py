"""From a QGIS layer to the engine: incidents with times, points to score, polygons."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qgis.core import (
    Qgis,
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsCsException,
    QgsFeatureRequest,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeatureSource,
    QgsProcessingFeedback,
    QgsRectangle,
)
from qgis.PyQt.QtCore import QDate, QDateTime, QMetaType

from .crs import WGS84, checked_working_crs, tr, transform_arrays, utm_zone

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

#: The Julian day of 1970-01-01.
_EPOCH_DAY = 2440588
_NO_TIME = -(2**63)
#: Farther than this from the middle of the incidents, a place is taken for a mistake.
_FAR_METRES = 1_000_000.0

#: West, south, east, north.
Extent = tuple[float, float, float, float]

TIME_TYPES = {
    QMetaType.Type.QDate: "date",
    QMetaType.Type.QDateTime: "datetime",
    QMetaType.Type.QString: "text",
}


@dataclass
class Places:
    """Points of a layer in metres; `fid` are the features they came from."""

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    fid: NDArray[np.int64]
    crs: QgsCoordinateReferenceSystem
    refused: list[tuple[int, str]] = field(default_factory=list)
    attributes: list[list[Any]] = field(default_factory=list)


def require_crs(source: QgsProcessingFeatureSource) -> QgsCoordinateReferenceSystem:
    """The layer's CRS, or a sentence saying how to give it one."""
    crs = source.sourceCrs()
    if not crs.isValid():
        raise QgsProcessingException(
            tr(
                "The layer {name} has no CRS, so its distances are unknown. Set it with Layer ▸ Set CRS of Layer(s), "
                "or run Assign projection."
            ).format(name=source.sourceName())
        )
    return crs


def seconds_of(value: Any) -> int:
    """Wall-clock seconds since 1970 of a QDate or QDateTime, whatever zone it carries; `_NO_TIME` for others."""
    if isinstance(value, QDateTime) and value.isValid():
        day = value.date().toJulianDay() - _EPOCH_DAY
        return int(day) * 86_400 + value.time().msecsSinceStartOfDay() // 1000
    if isinstance(value, QDate) and value.isValid():
        return int(value.toJulianDay() - _EPOCH_DAY) * 86_400
    return _NO_TIME


def read_places(
    source: QgsProcessingFeatureSource,
    context: QgsProcessingContext,
    feedback: QgsProcessingFeedback,
    crs: QgsCoordinateReferenceSystem | None = None,
    fields: Iterable[str] = (),
    expression: str = "",
) -> Places:
    """Read points, refuse what is not a place, and move the rest to metres.

    Parameters
    ----------
    source : QgsProcessingFeatureSource
        Points in any CRS.
    crs : QgsCoordinateReferenceSystem, optional
        Metric CRS to work in; by default the UTM zone of the incidents' middle.
    fields : iterable of str
        Attributes to bring along, in `Places.attributes` (a list per field).
    expression : str
        Only features that satisfy it.
    """
    import numpy as np

    source_crs = require_crs(source)
    names = [name for name in fields if name]
    positions = [source.fields().lookupField(name) for name in names]
    request = QgsFeatureRequest().setSubsetOfAttributes(positions)
    if expression:
        request.setFilterExpression(expression)
    xs: list[float] = []
    ys: list[float] = []
    fids: list[int] = []
    refused: list[tuple[int, str]] = []
    attributes: list[list[Any]] = [[] for _ in names]
    total = max(source.featureCount(), 1)
    for number, feature in enumerate(source.getFeatures(request, _no_validity_check())):
        if number % 4096 == 0:
            if feedback.isCanceled():
                raise QgsProcessingException(tr("Cancelled: nothing was written."))
            feedback.setProgress(20.0 * number / total)
        geometry = feature.geometry()
        if geometry.isEmpty():
            refused.append((feature.id(), tr("no geometry")))
            continue
        if geometry.type() != Qgis.GeometryType.Point:
            refused.append((feature.id(), tr("not a point")))
            continue
        if geometry.isMultipart():
            points = geometry.asMultiPoint()
            if len(points) != 1:
                refused.append(
                    (feature.id(), tr("a multipoint with several places; run Multipart to singleparts first"))
                )
                continue
            point = points[0]
        else:
            point = geometry.asPoint()
        xs.append(point.x())
        ys.append(point.y())
        fids.append(feature.id())
        for column, position in zip(attributes, positions):
            column.append(feature.attribute(position))
    places = Places(np.array(xs), np.array(ys), np.array(fids, dtype=np.int64), source_crs, refused, attributes)
    _refuse_impossible(places)
    if len(places.x):
        _to_metres(places, crs, context, feedback)
    return places


def _no_validity_check() -> Any:
    try:
        return Qgis.ProcessingFeatureSourceFlag.SkipGeometryValidityChecks
    except AttributeError:
        return QgsProcessingFeatureSource.FlagSkipGeometryValidityChecks


def _keep(places: Places, wanted: NDArray[np.bool_]) -> None:
    places.x, places.y, places.fid = places.x[wanted], places.y[wanted], places.fid[wanted]
    kept = wanted.tolist()
    places.attributes = [[value for value, keep in zip(column, kept) if keep] for column in places.attributes]


def _refuse(places: Places, bad: NDArray[np.bool_], reason: str) -> None:
    if bad.any():
        places.refused.extend((int(fid), reason) for fid in places.fid[bad])
        _keep(places, ~bad)


def _refuse_impossible(places: Places) -> None:
    import numpy as np

    _refuse(places, ~(np.isfinite(places.x) & np.isfinite(places.y)), tr("coordinates that are not numbers"))
    _refuse(places, (places.x == 0) & (places.y == 0), tr("coordinates (0, 0)"))
    if not len(places.x) or not places.crs.isGeographic():
        return
    x, y = places.x, places.y
    impossible = (np.abs(y) > 90) | (np.abs(x) > 360)
    swapped = (np.abs(y) > 90) & (np.abs(x) <= 90)
    fine = ~impossible
    if fine.sum() > 20:
        # The box of the middle 98 % of the places: a swapped pair falls back into it.
        west, east = np.percentile(x[fine], [1, 99])
        south, north = np.percentile(y[fine], [1, 99])
        outside = (x < west - 1) | (x > east + 1) | (y < south - 1) | (y > north + 1)
        swapped |= outside & (y >= west - 0.1) & (y <= east + 0.1) & (x >= south - 0.1) & (x <= north + 0.1)
    # Hardly anybody lives beyond these parallels, but swapped American longitudes lie there.
    if swapped.sum() > len(x) / 2 or not -60 < np.median(y) < 84:
        raise QgsProcessingException(
            tr(
                "The incidents lie around longitude {x}, latitude {y}: longitude and latitude look swapped. "
                "Run Swap X and Y coordinates on the layer, or import it again with the columns exchanged."
            ).format(x=f"{np.median(x):.2f}", y=f"{np.median(y):.2f}")
        )
    reasons = np.where(swapped, 1, np.where(impossible, 2, 0))
    _refuse(places, reasons == 1, tr("longitude and latitude look swapped"))
    _refuse(places, reasons[reasons != 1] == 2, tr("coordinates outside the Earth"))


def _to_metres(
    places: Places,
    crs: QgsCoordinateReferenceSystem | None,
    context: QgsProcessingContext,
    feedback: QgsProcessingFeedback,
) -> None:
    import numpy as np

    if crs is not None and crs.isValid():
        target = checked_working_crs(crs)
    else:
        middle = np.array([np.median(places.x)]), np.array([np.median(places.y)])
        longitude, latitude = transform_arrays(
            *middle, places.crs, QgsCoordinateReferenceSystem(WGS84), context.transformContext()
        )
        if not np.isfinite(longitude[0]) or abs(latitude[0]) > 84:
            raise QgsProcessingException(
                tr(
                    "The middle of the layer, ({x}, {y}) in {crs}, is no place on Earth where people live. "
                    "Check the layer's CRS, and whether X and Y are swapped."
                ).format(x=f"{middle[0][0]:.2f}", y=f"{middle[1][0]:.2f}", crs=places.crs.authid())
            )
        target = utm_zone(float(longitude[0]), float(latitude[0]))
        if target != places.crs:
            feedback.pushInfo(
                tr("Working in {crs} (metres), chosen from the middle of the incidents").format(
                    crs=f"{target.description()} [{target.authid()}]"
                )
            )
    x, y = transform_arrays(places.x, places.y, places.crs, target, context.transformContext())
    finite = np.isfinite(x) & np.isfinite(y)
    far = ~finite
    if finite.any():
        far |= np.hypot(x - np.median(x[finite]), y - np.median(y[finite])) > _FAR_METRES
    places.x, places.y, places.crs = x, y, target
    _refuse(places, far, tr("more than 1,000 km from the other incidents"))


def read_incidents(
    source: QgsProcessingFeatureSource,
    time_field: str,
    category_field: str,
    expression: str,
    folder: Path,
    context: QgsProcessingContext,
    feedback: QgsProcessingFeedback,
    crs: QgsCoordinateReferenceSystem | None = None,
) -> Places:
    """Read a layer of incidents into `folder`/incidents.npz for the engine.

    The engine reads text times and refuses what has none; here only places are judged.

    Raises
    ------
    QgsProcessingException
        If the layer has no features, no CRS, or nothing usable.
    """
    import numpy as np

    places = read_places(source, context, feedback, crs, (time_field, category_field), expression)
    if not len(places.x):
        reasons = reasons_text(places.refused)
        raise QgsProcessingException(
            tr(
                "The layer {name} has no incident to use{why}. Choose a layer with at least one point, "
                "and check the filter."
            ).format(name=source.sourceName(), why=f" ({reasons})" if reasons else "")
        )
    arrays: dict[str, NDArray[Any]] = {"x": places.x, "y": places.y, "fid": places.fid}
    times = places.attributes[0]
    kind = source.fields().field(time_field).type()
    if TIME_TYPES.get(kind) == "text":
        arrays["time_text"] = np.array([value if isinstance(value, str) else "" for value in times], dtype=np.str_)
    else:
        arrays["time"] = np.array([seconds_of(value) for value in times], dtype=np.int64)
    names: dict[str, int] = {}
    codes = np.full(len(places.x), -1, dtype=np.int32)
    if category_field:
        values = [value if isinstance(value, str) else _plain(value) for value in places.attributes[1]]
        codes[:] = [names.setdefault(value, len(names)) if value else -1 for value in values]
    arrays["category"] = codes
    arrays["categories"] = np.array(list(names) or [""], dtype=np.str_)[: len(names)]
    np.savez(folder / "incidents.npz", **arrays)
    places.attributes = []
    return places


def _plain(value: Any) -> str:
    """A category that is not text, as text; empty for NULL."""
    return "" if value is None or (hasattr(value, "isNull") and value.isNull()) else str(value)


def read_polygons(
    source: QgsProcessingFeatureSource,
    crs: QgsCoordinateReferenceSystem,
    context: QgsProcessingContext,
) -> tuple[list[dict[str, Any]], Extent]:
    """The layer's polygons in `crs` as GeoJSON geometries, and their extent."""
    require_crs(source)
    request = QgsFeatureRequest().setNoAttributes().setDestinationCrs(crs, context.transformContext())
    geometries = [feature.geometry() for feature in source.getFeatures(request)]
    polygons = [geometry for geometry in geometries if geometry.type() == Qgis.GeometryType.Polygon]
    rectangle = QgsRectangle()
    for polygon in polygons:
        rectangle.combineExtentWith(polygon.boundingBox())
    if rectangle.isEmpty():
        raise QgsProcessingException(
            tr("The layer {name} has no polygon. Choose a polygon layer that covers the incidents.").format(
                name=source.sourceName()
            )
        )
    shapes = [json.loads(polygon.asJson(6)) for polygon in polygons if not polygon.isEmpty()]
    return shapes, _corners(rectangle)


def _corners(rectangle: QgsRectangle) -> Extent:
    return rectangle.xMinimum(), rectangle.yMinimum(), rectangle.xMaximum(), rectangle.yMaximum()


def extent_in(
    rectangle: QgsRectangle,
    rectangle_crs: QgsCoordinateReferenceSystem,
    crs: QgsCoordinateReferenceSystem,
    context: QgsProcessingContext,
) -> Extent:
    """An extent as (west, south, east, north) in `crs`."""
    if rectangle_crs.isValid() and rectangle_crs != crs:
        try:
            rectangle = QgsCoordinateTransform(rectangle_crs, crs, context.transformContext()).transformBoundingBox(
                rectangle
            )
        except QgsCsException as error:
            raise QgsProcessingException(
                tr("The extent cannot be brought to {crs}. Choose an extent around the incidents.").format(
                    crs=crs.authid()
                )
            ) from error
    return _corners(rectangle)


def reasons_text(refused: Iterable[tuple[int, str]]) -> str:
    """Reasons with their counts, most frequent first."""
    counts = Counter(reason for _, reason in refused)
    return "; ".join(f"{number:,} × {reason}" for reason, number in counts.most_common())
