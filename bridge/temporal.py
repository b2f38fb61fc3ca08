"""When a layer is shown: bands and features with their half-open time ranges, for the Temporal Controller."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from qgis.core import Qgis, QgsDateTimeRange, QgsRasterLayer, QgsVectorLayer
from qgis.PyQt.QtCore import QDate, QDateTime, Qt, QTime

#: ISO times of the edges of bins that follow each other, or the start and the end of each.
Edges = Sequence[str] | Sequence[Sequence[str]]


def wall_clock(text: str) -> QDateTime:
    """An ISO time, `yyyy-mm-ddThh:mm:ss`.

    In UTC: in any zone with daylight saving some of the wall clock's times do not exist, in UTC all of them do.
    """
    date, _, clock = text.partition("T")
    return QDateTime(QDate.fromString(date, "yyyy-MM-dd"), QTime.fromString(clock[:8], "HH:mm:ss"), Qt.TimeSpec.UTC)


def spans(edges: Edges) -> list[tuple[str, str]]:
    """The start and the end of each bin."""
    if edges and isinstance(edges[0], str):
        return list(pairwise(str(edge) for edge in edges))
    return [(str(start), str(end)) for start, end in edges]


def set_bands_in_time(layer: QgsRasterLayer, edges: Edges) -> None:
    """Give each band its half-open time range, so that the Temporal Controller plays the stack."""
    bins = spans(edges)
    if len(bins) != layer.bandCount():
        return
    ranges = {
        band: QgsDateTimeRange(wall_clock(start), wall_clock(end), True, False)
        for band, (start, end) in enumerate(bins, 1)
    }
    properties = layer.temporalProperties()
    properties.setMode(Qgis.RasterTemporalMode.FixedRangePerBand)
    properties.setFixedRangePerBand(ranges)
    properties.setIsActive(len(ranges) > 1)


def set_features_in_time(layer: QgsVectorLayer, start: str, end: str) -> None:
    """Show each feature from its field `start` up to, not including, its field `end`."""
    properties = layer.temporalProperties()
    properties.setMode(Qgis.VectorTemporalMode.FeatureDateTimeStartAndEndFromFields)
    properties.setStartField(start)
    properties.setEndField(end)
    properties.setLimitMode(Qgis.VectorTemporalLimitMode.IncludeBeginExcludeEnd)
    properties.setIsActive(True)
