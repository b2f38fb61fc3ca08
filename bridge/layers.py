"""From a QGIS layer to the engine: incidents with their times, polygons, extents."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qgis.core import (
    Qgis,
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsCsException,
    QgsFeatureRequest,
    QgsField,
    QgsGeometry,
    QgsJsonUtils,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeatureSource,
    QgsProcessingFeedback,
    QgsRectangle,
    QgsWkbTypes,
)
from qgis.PyQt.QtCore import QDate, QDateTime, QMetaType

from ..riskengine.contract.texts import list_names, show_name
from .crs import tr
from .places import Column, Places, read_places, require_crs
from .plain_files import PlainFile

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

#: The Julian day of 1970-01-01.
_EPOCH_DAY = 2440588
_NO_TIME = -(2**63)
#: The engine takes no longer text for a time, and arrays give every text the room of the longest.
_TIME_LENGTH = 64
_CATEGORY_LENGTH = 255

#: West, south, east, north.
Extent = tuple[float, float, float, float]

TIME_TYPES = {
    QMetaType.Type.QDate: "date",
    QMetaType.Type.QDateTime: "datetime",
    QMetaType.Type.QString: "text",
}


def seconds_of(value: Any) -> int:
    """Wall-clock seconds since 1970 of a QDate or QDateTime, whatever zone it carries; `_NO_TIME` for others."""
    # A clock that this computer's zone skips in spring makes the whole invalid, and its parts are what was written.
    if isinstance(value, QDateTime) and value.date().isValid() and value.time().isValid():
        day = value.date().toJulianDay() - _EPOCH_DAY
        return int(day) * 86_400 + value.time().msecsSinceStartOfDay() // 1000
    if isinstance(value, QDate) and value.isValid():
        return int(value.toJulianDay() - _EPOCH_DAY) * 86_400
    return _NO_TIME


def describe_missing_field(source: QgsProcessingFeatureSource, parameter: str, name: str) -> str:
    """Describe that a layer has no such field, in a sentence; empty if it has."""
    fields = source.fields()
    if fields.lookupField(name) >= 0:
        return ""
    return tr("{parameter}: the layer has no field {name}. It has: {known}.").format(
        parameter=parameter, name=show_name(name), known=list_names([field.name() for field in fields], 40)
    )


def describe_field_problem(
    source: QgsProcessingFeatureSource,
    time_field: str,
    category_field: str = "",
    reported_field: str = "",
    area_column: str = "",
    place_field: str = "",
    end_field: str = "",
) -> str:
    """Describe what is wrong with the choice of fields, in a sentence; empty if nothing is."""
    fields = source.fields()
    chosen = {
        "TIME_FIELD": time_field,
        "CATEGORY_FIELD": category_field,
        "REPORTED_FIELD": reported_field,
        "AREA_COLUMN": area_column,
        "PLACE_FIELD": place_field,
        "END_FIELD": end_field,
    }
    missing = (describe_missing_field(source, parameter, name) for parameter, name in chosen.items() if name)
    if why := next(filter(None, missing), ""):
        return why
    if not time_field:
        return tr("TIME_FIELD is empty. Choose the field that says when it happened.")
    problems = (
        _describe_type_problem(parameter, fields.field(fields.lookupField(chosen[parameter])))
        for parameter in ("TIME_FIELD", "REPORTED_FIELD", "END_FIELD")
        if chosen[parameter]
    )
    return next(filter(None, problems), "")


def _describe_type_problem(parameter: str, field: QgsField) -> str:
    if field.type() in TIME_TYPES:
        return ""
    if field.type() == QMetaType.Type.QTime:
        return tr(
            "{parameter}: {name} holds times of day without their dates. Choose the field of the dates, or make one of "
            'both with Field calculator: to_datetime("DATE" || \' \' || "{name}").'
        ).format(parameter=parameter, name=show_name(field.name()))
    return tr(
        "{parameter}: {name} is of type {type}, which is not a time. Choose a Date, DateTime or text field, "
        "or make one with Refactor fields."
    ).format(parameter=parameter, name=show_name(field.name()), type=field.typeName() or field.displayType())


def read_incidents(
    source: QgsProcessingFeatureSource,
    time_field: str,
    category_field: str,
    expression: str,
    folder: Path,
    context: QgsProcessingContext,
    feedback: QgsProcessingFeedback,
    crs: QgsCoordinateReferenceSystem | None = None,
    file: PlainFile | None = None,
    exactness: str = "",
    reported_field: str = "",
    area_column: str = "",
    place_field: str = "",
    end_field: str = "",
) -> Places:
    """Read a layer of incidents into `folder`/incidents.npz for the engine.

    The engine reads text times and refuses what has none; here only places are judged. `exactness` is what the layer
    says of its times.

    Raises
    ------
    QgsProcessingException
        If the layer has no features, no CRS, or nothing usable.
    """
    import numpy as np

    # Models and scripts come here without checkParameterValues.
    asked = (time_field, category_field, reported_field, area_column, place_field, end_field)
    if why := describe_field_problem(source, *asked):
        raise QgsProcessingException(why)
    coded = {
        "category": (category_field, "categories"),
        "area": (area_column, "areas"),
        "place": (place_field, "places"),
    }
    times = {"time": time_field, "reported": reported_field, "end": end_field}
    times = {name: field for name, field in times.items() if field}
    columns = [_make_time_column(source, field) for field in times.values()]
    named = {name: Codes(_CATEGORY_LENGTH) for name, (field, _) in coded.items() if field}
    columns += [(coded[name][0], "i", codes) for name, codes in named.items()]
    places = read_places(source, context, feedback, crs, columns, expression, file)
    if not len(places.x):
        reasons = reasons_text(places.refused)
        raise QgsProcessingException(
            tr(
                "The layer {name} has no incident to use{why}. Choose a layer with at least one point, "
                "and check the filter."
            ).format(name=show_name(source.sourceName()), why=f" ({reasons})" if reasons else "")
        )
    arrays: dict[str, NDArray[Any]] = {"x": places.x, "y": places.y, "fid": places.fid}
    for name, (_, _, convert), values in zip(times, columns, places.attributes):
        if isinstance(convert, Codes):
            arrays[f"{name}_text"] = convert.list_names()[values]
        else:
            arrays[name] = values
    arrays["category"] = np.full(len(places.x), -1, dtype=np.int32)
    arrays["categories"] = np.array([], dtype=np.str_)
    for (name, codes), values in zip(named.items(), places.attributes[len(times) :]):
        arrays[name], arrays[coded[name][1]] = values, codes.list_names()[:-1]
    arrays["exactness"] = np.array(exactness)
    np.savez(folder / "incidents.npz", **arrays)
    places.attributes = []
    return places


def _make_time_column(source: QgsProcessingFeatureSource, field: str) -> Column:
    """How a field of times is brought along: as seconds, or as text for the engine to read."""
    kind = TIME_TYPES[source.fields().field(source.fields().lookupField(field)).type()]
    return (field, "i", Codes(_TIME_LENGTH)) if kind == "text" else (field, "q", seconds_of)


class Codes:
    """Numbers the distinct texts of a column as they come: few texts stand for many features.

    Parameters
    ----------
    length : int
        Longer texts are cut, and end in an ellipsis then.
    """

    def __init__(self, length: int) -> None:
        self._length = length
        self._codes: dict[str, int] = {}

    def __call__(self, value: Any) -> int:
        """The code of a value as text; -1 for NULL and for the empty text."""
        text = value if isinstance(value, str) else _plain(value)
        if len(text) > self._length:
            text = text.strip()
            text = text if len(text) <= self._length else text[: self._length - 1] + "…"
        return self._codes.setdefault(text, len(self._codes)) if text else -1

    def list_names(self) -> NDArray[np.str_]:
        """List the texts by their codes, and the empty one for -1 at the end."""
        import numpy as np

        return np.array([*self._codes, ""], dtype=np.str_)


def _plain(value: Any) -> str:
    """A value that is not text, as text; empty for NULL."""
    return "" if value is None or (hasattr(value, "isNull") and value.isNull()) else str(value)


def read_polygons(
    source: QgsProcessingFeatureSource,
    crs: QgsCoordinateReferenceSystem,
    context: QgsProcessingContext,
) -> tuple[list[dict[str, Any]], Extent]:
    """The layer's polygons in `crs` as GeoJSON geometries, and their extent."""
    require_crs(source, polygons=True)
    request = QgsFeatureRequest().setNoAttributes().setDestinationCrs(crs, context.transformContext())
    geometries = [feature.geometry() for feature in source.getFeatures(request)]
    polygons = [geometry for geometry in geometries if geometry.type() == Qgis.GeometryType.Polygon]
    rectangle = QgsRectangle()
    for polygon in polygons:
        rectangle.combineExtentWith(polygon.boundingBox())
    if rectangle.isEmpty():
        raise QgsProcessingException(
            tr("The layer {name} has no polygon. Choose a polygon layer that covers the incidents.").format(
                name=show_name(source.sourceName())
            )
        )
    shapes = [json.loads(polygon.asJson(6)) for polygon in polygons if not polygon.isEmpty()]
    return shapes, _corners(rectangle)


def dissolve(shapes: list[dict[str, Any]]) -> QgsGeometry:
    """Dissolve GeoJSON polygons to one geometry, without the lines between them."""
    parts = [QgsJsonUtils.geometryFromGeoJson(json.dumps(shape)) for shape in shapes]
    union = QgsGeometry.unaryUnion(parts)
    if union.isEmpty():
        # A polygon that crosses itself has no union until it is mended.
        union = QgsGeometry.unaryUnion([part.makeValid() for part in parts])
    return union


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


def require_places(places: Places, source: QgsProcessingFeatureSource) -> None:
    """Refuse a layer of which nothing is left to score."""
    if not len(places.x):
        raise QgsProcessingException(
            tr("The layer {name} has no point to score ({why}).").format(
                name=show_name(source.sourceName()), why=reasons_text(places.refused) or tr("no features")
            )
        )


def has_polygons(source: QgsProcessingFeatureSource) -> bool:
    """Say whether a layer holds polygons."""
    return bool(QgsWkbTypes.geometryType(source.wkbType()) == Qgis.GeometryType.Polygon)


def reasons_text(refused: Iterable[tuple[int, str]]) -> str:
    """Reasons with their counts, most frequent first."""
    counts = Counter(reason for _, reason in refused)
    return "; ".join(f"{number:,} × {reason}" for reason, number in counts.most_common())
