"""Points of a layer as places in metres; what is no place is refused with its reason."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from qgis.core import (
    Qgis,
    QgsCoordinateReferenceSystem,
    QgsExpression,
    QgsFeatureRequest,
    QgsGeometry,
    QgsMultiPoint,
    QgsPoint,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeatureSource,
    QgsProcessingFeedback,
)

from ..riskengine.contract.placeholders import find_placeholders
from ..riskengine.contract.texts import show_name
from . import plain_files
from .crs import WGS84, check_working_crs, choose_utm_zone, tr, transform_arrays

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

#: Farther than this from the middle of the incidents, a place is taken for a mistake.
_FAR_METRES = 1_000_000.0

#: A field to bring along: its name, the code of its numbers in `array`, and what makes such a number of a value.
#: Numbers take 8 bytes a feature, where the values themselves took hundreds.
Column = tuple[str, str, Callable[[Any], int]]


@dataclass
class Places:
    """Points of a layer in metres; `fid` are the features they came from."""

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    fid: NDArray[np.int64]
    crs: QgsCoordinateReferenceSystem
    refused: list[tuple[int, str]] = field(default_factory=list)
    attributes: list[NDArray[Any]] = field(default_factory=list)


def describe_table(source: QgsProcessingFeatureSource, polygons: bool = False) -> str:
    """Describe that a layer is a table without points, or polygons, and what to do; empty where it is none."""
    if source.wkbType() != Qgis.WkbType.NoGeometry:
        return ""
    if polygons:
        said = tr("The layer {name} is a table without polygons. Choose a polygon layer.")
    else:
        said = tr(
            "The layer {name} is a table without points. Run Create points layer from table on it, and choose what "
            "comes of it."
        )
    return said.format(name=show_name(source.sourceName()))


def require_crs(source: QgsProcessingFeatureSource, polygons: bool = False) -> QgsCoordinateReferenceSystem:
    """The layer's CRS, or a sentence saying how to give it one; a table would be no better off with one."""
    if why := describe_table(source, polygons):
        raise QgsProcessingException(why)
    crs = source.sourceCrs()
    if not crs.isValid():
        raise QgsProcessingException(
            tr(
                "The layer {name} has no CRS, so its distances are unknown. Set it with Layer ▸ Set CRS of Layer(s), "
                "or run Assign projection."
            ).format(name=show_name(source.sourceName()))
        )
    return crs


def read_places(
    source: QgsProcessingFeatureSource,
    context: QgsProcessingContext,
    feedback: QgsProcessingFeedback,
    crs: QgsCoordinateReferenceSystem | None = None,
    columns: Sequence[Column] = (),
    expression: str = "",
    file: plain_files.PlainFile | None = None,
) -> Places:
    """Read points, refuse what is not a place, and move the rest to metres.

    Parameters
    ----------
    source : QgsProcessingFeatureSource
        Points in any CRS.
    crs : QgsCoordinateReferenceSystem, optional
        Metric CRS to work in; by default the UTM zone of the incidents' middle.
    columns : sequence of Column
        Fields to bring along, in `Places.attributes` (an array each).
    expression : str
        Only features that satisfy it.
    file : PlainFile, optional
        What the source is, if it is nothing else: then the engine reads it, many times as fast.
    """
    source_crs = require_crs(source)
    if expression:
        _check_filter(expression, source)
    names = [name for name, _, _ in columns]
    rows = plain_files.read_points(file, names, feedback) if file is not None and not expression else None
    places = (
        _read_features(source, source_crs, feedback, columns, expression)
        if rows is None
        else _take_rows(rows, source_crs, columns)
    )
    _refuse_impossible(places)
    if len(places.x):
        _to_metres(places, crs, context, feedback)
    return places


def _take_rows(
    rows: Mapping[str, NDArray[Any]], crs: QgsCoordinateReferenceSystem, columns: Sequence[Column]
) -> Places:
    """Make places of what the engine has read; nothing but a missing geometry is wrong with plain points yet."""
    import numpy as np

    there = ~(np.isnan(rows["x"]) | np.isnan(rows["y"]))
    refused = [(int(fid), tr("no geometry")) for fid in rows["fid"][~there]]
    attributes = []
    for number, (_, code, convert) in enumerate(columns):
        if f"{number}_seconds" in rows:
            attributes.append(rows[f"{number}_seconds"][there])
            continue
        codes = rows[f"{number}_codes"][there]
        # Few texts stand for many rows; the last number is that of no text.
        numbers = np.array([*(convert(text) for text in rows[f"{number}_texts"].tolist()), convert("")], dtype=code)
        attributes.append(numbers[codes])
    return Places(rows["x"][there], rows["y"][there], rows["fid"][there], crs, refused, attributes)


def _read_features(
    source: QgsProcessingFeatureSource,
    source_crs: QgsCoordinateReferenceSystem,
    feedback: QgsProcessingFeedback,
    columns: Sequence[Column],
    expression: str,
) -> Places:
    import numpy as np

    positions = [source.fields().lookupField(name) for name, _, _ in columns]
    request = QgsFeatureRequest().setSubsetOfAttributes(positions)
    if expression:
        request.setFilterExpression(expression)
    xs, ys, fids = array("d"), array("d"), array("q")
    refused: list[tuple[int, str]] = []
    attributes = [array(code) for _, code, _ in columns]
    fill = [
        (position, convert, values.append) for position, (_, _, convert), values in zip(positions, columns, attributes)
    ]
    total = max(source.featureCount(), 1)
    for number, feature in enumerate(source.getFeatures(request, make_unchecked_flag())):
        if number % 4096 == 0:
            if feedback.isCanceled():
                raise QgsProcessingException(tr("Cancelled: nothing was written."))
            feedback.setProgress(20.0 * number / total)
        geometry = feature.geometry()
        point = geometry.constGet()
        if isinstance(point, QgsMultiPoint) and point.numGeometries() == 1:
            point = point.geometryN(0)
        if not isinstance(point, QgsPoint) or point.isEmpty():
            refused.append((feature.id(), _why_no_place(geometry)))
            continue
        xs.append(point.x())
        ys.append(point.y())
        fids.append(feature.id())
        for position, convert, append in fill:
            append(convert(feature.attribute(position)))
    # Views, not copies.
    x, y, fid = np.asarray(xs), np.asarray(ys), np.asarray(fids)
    return Places(x, y, fid, source_crs, refused, [np.asarray(values) for values in attributes])


def _why_no_place(geometry: QgsGeometry) -> str:
    if geometry.isEmpty():
        return tr("no geometry")
    if geometry.type() != Qgis.GeometryType.Point:
        return tr("not a point")
    return tr("a multipoint with several places; run Multipart to singleparts first")


def _check_filter(expression: str, source: QgsProcessingFeatureSource) -> None:
    # QGIS would ignore a filter it cannot read, and take every feature.
    parsed = QgsExpression(expression)
    unknown = [
        name
        for name in parsed.referencedColumns()
        if name != QgsFeatureRequest.ALL_ATTRIBUTES and source.fields().lookupField(name) < 0
    ]
    if parsed.hasParserError():
        why = " ".join(parsed.parserErrorString().split())
    elif unknown:
        why = tr("the layer has no field {names}").format(names=", ".join(sorted(unknown)))
    else:
        return
    raise QgsProcessingException(
        tr("FILTER is {expression}; it cannot be used: {why}. Mend the expression, or leave it empty.").format(
            expression=expression, why=why.rstrip(".")
        )
    )


def make_unchecked_flag() -> Any:
    """Make the flag with which a source gives every feature: of a point's geometry nothing can be wrong."""
    try:
        return Qgis.ProcessingFeatureSourceFlag.SkipGeometryValidityChecks
    except AttributeError:
        return QgsProcessingFeatureSource.FlagSkipGeometryValidityChecks


def _keep(places: Places, wanted: NDArray[np.bool_]) -> None:
    places.x, places.y, places.fid = places.x[wanted], places.y[wanted], places.fid[wanted]
    places.attributes = [values[wanted] for values in places.attributes]


def _refuse(places: Places, bad: NDArray[np.bool_], reason: str) -> None:
    if bad.any():
        places.refused.extend((int(fid), reason) for fid in places.fid[bad])
        _keep(places, ~bad)


def _refuse_all(places: Places, reasons: Mapping[str, NDArray[np.bool_]]) -> None:
    """Refuse the rows of each reason; no two share one."""
    import numpy as np

    fid = places.fid
    kept = np.ones(len(fid), dtype=bool)
    for reason, bad in reasons.items():
        places.refused.extend((int(each), reason) for each in fid[bad])
        kept &= ~bad
    if not kept.all():
        _keep(places, kept)


def _refuse_impossible(places: Places) -> None:
    import numpy as np

    _refuse(places, ~(np.isfinite(places.x) & np.isfinite(places.y)), tr("coordinates that are not numbers"))
    _refuse(places, (places.x == 0) & (places.y == 0), tr("coordinates (0, 0)"))
    found = find_placeholders(places.x, places.y, places.crs.isGeographic(), np.quantile)
    _refuse_all(places, {tr(reason): rows for reason, rows in found.items()})
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
    _refuse_all(
        places,
        {
            tr("longitude and latitude look swapped"): swapped,
            tr("coordinates outside the Earth"): impossible & ~swapped,
        },
    )


def _to_metres(
    places: Places,
    crs: QgsCoordinateReferenceSystem | None,
    context: QgsProcessingContext,
    feedback: QgsProcessingFeedback,
) -> None:
    import numpy as np

    if crs is not None and crs.isValid():
        target = check_working_crs(crs)
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
        target = choose_utm_zone(float(longitude[0]), float(latitude[0]))
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
