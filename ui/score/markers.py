"""What an answer draws on the map: the place, its circle, and lines to the nearest incidents."""

from __future__ import annotations

from collections.abc import Iterable

from qgis.core import (
    Qgis,
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsCsException,
    QgsGeometry,
    QgsPointXY,
    QgsProject,
    QgsRectangle,
)
from qgis.gui import QgsMapCanvas, QgsRubberBand
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtGui import QColor, QFontMetricsF

from ...bridge.crs import WGS84, choose_utm_zone, tr, transform_point
from .answers import Answer

#: Dark lines with a light rim are seen on light and on dark maps.
INK, RIM = QColor("#202020"), QColor(255, 255, 255, 210)
HIGHLIGHT = QColor("#00b7ff")
_CIRCLE_SEGMENTS = 24
#: Radii that the map shows around a place it goes to.
_AROUND = 5


class Bands:
    """Draws rubber bands on a map.

    Parameters
    ----------
    canvas : QgsMapCanvas
    """

    def __init__(self, canvas: QgsMapCanvas) -> None:
        self._canvas = canvas
        self._crs = QgsCoordinateReferenceSystem()
        canvas.destinationCrsChanged.connect(self._redraw)

    def clear(self) -> None:
        """Take everything off the map."""
        raise NotImplementedError

    def close(self) -> None:
        """Clear, for good."""
        self.clear()
        self._canvas.destinationCrsChanged.disconnect(self._redraw)

    def _redraw(self) -> None:
        """Draw again what is drawn, in the map's new CRS."""
        raise NotImplementedError

    def _band(self, kind: Qgis.GeometryType, geometry: QgsGeometry, width: float) -> QgsRubberBand:
        band = QgsRubberBand(self._canvas, kind)
        band.setColor(INK)
        band.setSecondaryStrokeColor(RIM)
        band.setWidth(max(round(width * self._unit() / 8), 1))
        shape = QgsGeometry(geometry)
        if not _bring(shape, self._crs, self._canvas):
            band.setToGeometry(shape)
        return band

    def _icon(self, band: QgsRubberBand, icon: QgsRubberBand.IconType, size: float) -> None:
        band.setIcon(icon)
        band.setIconSize(round(size * self._unit()))

    def _unit(self) -> float:
        """About a line of text: what is legible on this screen."""
        return QFontMetricsF(self._canvas.font()).height()

    def _remove(self, band: QgsRubberBand | None) -> None:
        if band is not None:
            self._canvas.scene().removeItem(band)


class Markers(Bands):
    """The rubber bands of one answer.

    Parameters
    ----------
    canvas : QgsMapCanvas
    """

    def __init__(self, canvas: QgsMapCanvas) -> None:
        super().__init__(canvas)
        self._answer: Answer | None = None
        self._centre = QgsPointXY()
        self.circle: QgsRubberBand | None = None
        self.lines: QgsRubberBand | None = None
        self.ends: QgsRubberBand | None = None
        self.place: QgsRubberBand | None = None
        self.highlight: QgsRubberBand | None = None
        self._highlighted: list[int] = []

    def show(self, answer: Answer) -> None:
        """Draw an answer in place of the last one."""
        self.clear()
        crs = QgsCoordinateReferenceSystem(answer.result["crs"])
        context = QgsProject.instance().transformContext()
        centre = transform_point(answer.point, QgsCoordinateReferenceSystem(WGS84), crs, context)
        if centre is None:
            return
        self._answer, self._crs, self._centre = answer, crs, centre
        polygon, line, point = (
            Qgis.GeometryType.Polygon,
            Qgis.GeometryType.Line,
            Qgis.GeometryType.Point,
        )
        here = QgsGeometry.fromPointXY(centre)
        self.circle = self._band(polygon, here.buffer(answer.result["radius"], _CIRCLE_SEGMENTS), 1.5)
        self.circle.setFillColor(QColor(INK.red(), INK.green(), INK.blue(), 25))
        ends = self.list_neighbours()
        if ends and answer.known:
            rays = QgsGeometry.fromMultiPolylineXY([[centre, end] for end in ends])
            self.lines = self._band(line, rays, 0.5)
            self.ends = self._band(point, QgsGeometry.fromMultiPointXY(ends), 0.5)
            self._icon(self.ends, QgsRubberBand.IconType.ICON_CIRCLE, 0.4)
        # A ring, which leaves the feature of the queries' layer to be seen.
        self.place = self._band(point, here, 1.0)
        self._icon(self.place, QgsRubberBand.IconType.ICON_CIRCLE, 1.3)
        self.place.setFillColor(QColor(Qt.GlobalColor.transparent))

    def list_neighbours(self) -> list[QgsPointXY]:
        """List the nearest incidents in the index's CRS, in the answer's order."""
        near = self._answer.result["nearest"] if self._answer else []
        return [QgsPointXY(incident["x"], incident["y"]) for incident in near]

    def highlight_incidents(self, numbers: Iterable[int]) -> None:
        """Mark these of the nearest incidents, and only them."""
        self._remove(self.highlight)
        self.highlight = None
        self._highlighted = list(numbers)
        ends = self.list_neighbours()
        chosen = [ends[number] for number in self._highlighted if number < len(ends)]
        if chosen:
            points = QgsGeometry.fromMultiPointXY(chosen)
            self.highlight = self._band(Qgis.GeometryType.Point, points, 1.0)
            self._icon(self.highlight, QgsRubberBand.IconType.ICON_CIRCLE, 0.8)
            self.highlight.setFillColor(HIGHLIGHT)

    def go_to(self, number: int) -> str:
        """Centre the map on one of the nearest incidents; a sentence if that cannot be done."""
        ends = self.list_neighbours()
        return centre_on(self._canvas, ends[number], self._crs) if number < len(ends) else ""

    def clear(self) -> None:
        """Take everything off the map."""
        for band in (self.circle, self.lines, self.ends, self.place, self.highlight):
            self._remove(band)
        self.circle = self.lines = self.ends = self.place = self.highlight = None
        self._answer, self._highlighted = None, []

    def _redraw(self) -> None:
        if self._answer is not None:
            chosen = self._highlighted
            self.show(self._answer)
            self.highlight_incidents(chosen)


def _bring(shape: QgsGeometry, crs: QgsCoordinateReferenceSystem, canvas: QgsMapCanvas) -> str:
    """Transform a geometry to the map's CRS; a sentence if that cannot be done."""
    target = canvas.mapSettings().destinationCrs()
    try:
        shape.transform(QgsCoordinateTransform(crs, target, QgsProject.instance().transformContext()))
    except QgsCsException:
        return tr("The map's coordinate system {crs} cannot show this place.").format(crs=target.authid())
    return ""


def centre_on(canvas: QgsMapCanvas, point: QgsPointXY, crs: QgsCoordinateReferenceSystem) -> str:
    """Centre the map on a point; a sentence if that cannot be done."""
    shape = QgsGeometry.fromPointXY(point)
    if why := _bring(shape, crs, canvas):
        return why
    canvas.setCenter(shape.asPoint())
    canvas.refresh()
    return ""


def show_place(canvas: QgsMapCanvas, place: QgsPointXY, radius: float) -> str:
    """Let the map show a place in WGS 84 with its circle; a sentence if that cannot be done."""
    zone = choose_utm_zone(place.x(), place.y())
    context = QgsProject.instance().transformContext()
    centre = transform_point(place, QgsCoordinateReferenceSystem(WGS84), zone, context)
    if centre is None:
        return tr("The map cannot go to this place.")
    shape = QgsGeometry.fromRect(QgsRectangle.fromCenterAndSize(centre, _AROUND * radius, _AROUND * radius))
    if why := _bring(shape, zone, canvas):
        return why
    canvas.setExtent(shape.boundingBox())
    canvas.refresh()
    return ""
