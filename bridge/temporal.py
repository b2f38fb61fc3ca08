"""When a layer is shown: bands and features with their half-open time ranges, for the Temporal Controller."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from qgis.core import (
    Qgis,
    QgsDateTimeRange,
    QgsFeatureRequest,
    QgsLayerMetadata,
    QgsMapLayer,
    QgsRasterLayer,
    QgsVectorLayer,
    QgsVectorLayerTemporalContext,
)
from qgis.PyQt.QtCore import QDate, QDateTime, Qt, QTime

#: ISO times of the edges of bins that follow each other, or the start and the end of each.
Edges = Sequence[str] | Sequence[Sequence[str]]


def to_wall_clock(text: str) -> QDateTime:
    """Bring an ISO time, `yyyy-mm-ddThh:mm:ss`, to Qt.

    In UTC: in any zone with daylight saving some of the wall clock's times do not exist, in UTC all of them do.
    """
    date, _, clock = text.partition("T")
    return QDateTime(QDate.fromString(date, "yyyy-MM-dd"), QTime.fromString(clock[:8], "HH:mm:ss"), Qt.TimeSpec.UTC)


def list_spans(edges: Edges) -> list[tuple[str, str]]:
    """List the start and the end of each bin."""
    if edges and isinstance(edges[0], str):
        return list(pairwise(str(edge) for edge in edges))
    return [(str(start), str(end)) for start, end in edges]


def set_bands_in_time(layer: QgsRasterLayer, edges: Edges) -> None:
    """Give each band its half-open time range, so that the Temporal Controller plays the stack."""
    bins = list_spans(edges)
    if len(bins) != layer.bandCount():
        return
    ranges = {
        band: QgsDateTimeRange(to_wall_clock(start), to_wall_clock(end), True, False)
        for band, (start, end) in enumerate(bins, 1)
    }
    properties = layer.temporalProperties()
    properties.setMode(Qgis.RasterTemporalMode.FixedRangePerBand)
    properties.setFixedRangePerBand(ranges)
    properties.setIsActive(len(ranges) > 1)
    _describe_time(layer, bins)


def _describe_time(layer: QgsMapLayer, bins: list[tuple[str, str]]) -> None:
    """The layer's metadata say from when to when it is."""
    metadata = QgsLayerMetadata(layer.metadata())
    extent = metadata.extent()
    extent.setTemporalExtents([QgsDateTimeRange(to_wall_clock(bins[0][0]), to_wall_clock(bins[-1][1]), True, False)])
    metadata.setExtent(extent)
    layer.setMetadata(metadata)


def set_features_in_time(
    layer: QgsVectorLayer, start: str = "start", end: str = "end", active: bool = True, midnights: bool = False
) -> None:
    """Show each feature from its field `start` up to, not including, its field `end`; at once where not `active`.

    By expressions that read the wall clock: compared as fields, times of a GeoPackage are texts there, whose "Z" makes
    an end that is no longer meant, and in other zones than UTC they are shifted by the zone.

    Where all are `midnights`, of which a summer time skips none, they are read in a quarter of the time: QGIS computes
    them for every feature whenever it draws.
    """
    properties = layer.temporalProperties()
    properties.setMode(Qgis.VectorTemporalMode.FeatureDateTimeStartAndEndFromExpressions)
    properties.setStartField(start)
    properties.setEndField(end)
    make_expression = _midnight_expression if midnights else _wall_clock_expression
    properties.setStartExpression(make_expression(start))
    properties.setEndExpression(make_expression(end))
    properties.setLimitMode(Qgis.VectorTemporalLimitMode.IncludeBeginExcludeEnd)
    properties.setIsActive(active)


def set_maps_in_time(layer: QgsVectorLayer, edges: Edges) -> None:
    """Show the features of each map, made of a raster's bands, in its bin, and say when they are."""
    bins = list_spans(edges)
    # Clocks skip a midnight on a Sunday or Friday, where they do: no week, month or quarter begins then.
    days = [day for span in bins for day in map(to_wall_clock, span)]
    midnights = all(first.daysTo(after) >= 7 for first, after in zip(days[::2], days[1::2])) and all(
        day.time() == QTime(0, 0) for day in days
    )
    set_features_in_time(layer, active=len(bins) > 1, midnights=midnights)
    if bins:
        _describe_time(layer, bins)


def make_shown_expression(first: str, start: str = "start") -> str:
    """Make an expression that is true of features that a map shows: all of its time, or else those of the first map.

    Parameters
    ----------
    first : str
        When the first map begins, as ISO text.
    """
    begin = f"to_datetime('{first[:19].replace('T', ' ')}', 'yyyy-MM-dd HH:mm:ss')"
    return f"@map_start_time IS NOT NULL OR {_wall_clock_expression(start)} <= {begin}"


def find_first_map(layer: QgsVectorLayer, time: QgsDateTimeRange) -> QgsDateTimeRange | None:
    """Find the span of the first map that polygons or lines have within a time; None where they have none.

    Of shapes that lie on each other, a map each, the first is drawn on top.
    """
    names = ("start", "end")
    places = [layer.fields().lookupField(name) for name in names]
    context = QgsVectorLayerTemporalContext()
    context.setLayer(layer)
    request = QgsFeatureRequest().setFilterExpression(layer.temporalProperties().createFilterString(context, time))
    request.setSubsetOfAttributes(places).setFlags(QgsFeatureRequest.Flag.NoGeometry)
    first = min(
        (tuple(map(_read_wall_clock, map(each.attribute, names))) for each in layer.getFeatures(request)), default=None
    )
    return QgsDateTimeRange(*map(to_wall_clock, first), True, False) if first is not None else None


def _read_wall_clock(moment: QDateTime) -> str:
    return f"{moment.date().toString('yyyy-MM-dd')}T{moment.time().toString('HH:mm:ss')}"


def make_span_expression(start: str = "start", end: str = "end") -> str:
    """Make an expression of the span from one field to another, as `contract.dates.format_span` says those of bins."""
    first, after = _wall_clock_expression(start), _wall_clock_expression(end)
    last = f"{after} - to_interval('1 second')"
    day, clock = "'ddd d MMM yyyy'", "'HH:mm'"
    return (
        f"with_variable('first', {first}, with_variable('last', {last}, format_date(@first, {day}, 'en') || CASE "
        f"WHEN to_date(@first) <> to_date(@last) THEN ' – ' || format_date(@last, {day}, 'en') "
        f"WHEN format_date(@first, {clock}) <> '00:00' OR format_date(@last, {clock}) <> '23:59' "
        f"THEN ', ' || format_date(@first, {clock}) || ' – ' || format_date({after}, {clock}) ELSE '' END))"
    )


def _wall_clock_expression(field: str) -> str:
    parts = ", ".join(f'{part}("{field}")' for part in ("year", "month", "day", "hour", "minute", "second"))
    return f"make_datetime({parts})"


def _midnight_expression(field: str) -> str:
    return f'to_datetime(to_date("{field}"))'
