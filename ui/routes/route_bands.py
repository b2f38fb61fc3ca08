"""What an answer draws on the map: the chosen way strong, the shortest dotted, the others thin, and both ends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qgis.core import Qgis, QgsCoordinateReferenceSystem, QgsGeometry, QgsPointXY
from qgis.gui import QgsMapCanvas, QgsRubberBand
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtGui import QColor

from ...bridge.crs import WGS84
from ...riskengine.contract.colours import QUALITATIVE
from ..score.markers import INK, RIM, Bands

#: Told apart by width and dashes, too, for readers of grey.
CHOSEN = QColor(QUALITATIVE[0])


def make_line(way: dict[str, Any]) -> list[QgsPointXY]:
    """Make the vertices of a way, WGS 84."""
    return [QgsPointXY(x, y) for x, y in way["line"]]


class RouteBands(Bands):
    """The rubber bands of the places and ways.

    Parameters
    ----------
    canvas : QgsMapCanvas
    """

    def __init__(self, canvas: QgsMapCanvas) -> None:
        super().__init__(canvas)
        self._crs = QgsCoordinateReferenceSystem(WGS84)
        self._places: tuple[QgsPointXY | None, QgsPointXY | None] = (None, None)
        self._ways: Sequence[dict[str, Any]] = ()
        self._number = 0
        #: The chosen way, by its parts.
        self.chosen: list[QgsRubberBand] = []
        self.others: list[QgsRubberBand] = []
        self.ends: list[QgsRubberBand] = []

    def show_places(self, start: QgsPointXY | None, end: QgsPointXY | None) -> None:
        """Draw start and end: a ring and a filled circle."""
        self._places = (start, end)
        self._take_off(self.ends)
        for point, filled in ((start, False), (end, True)):
            if point is not None:
                band = self._band(Qgis.GeometryType.Point, QgsGeometry.fromPointXY(point), 1.5)
                self._icon(band, QgsRubberBand.IconType.ICON_CIRCLE, 0.8)
                band.setFillColor(INK if filled else QColor(Qt.GlobalColor.white))
                self.ends.append(band)

    def show_ways(self, ways: Sequence[dict[str, Any]], number: int) -> None:
        """Draw ways in the place of others, and choose one of them."""
        self._take_off(self.others)
        self._ways = ways
        self._draw_others()
        self.choose(number)

    def choose(self, number: int) -> None:
        """Draw this way above the others."""
        self._number = number
        self._take_off(self.chosen)
        if not self._ways:
            return
        shape = QgsGeometry.fromPolylineXY(make_line(self._ways[number]))
        band = self._band(Qgis.GeometryType.Line, shape, 3.0)
        band.setColor(CHOSEN)
        self.chosen.append(band)
        # The ends stay on top.
        self.show_places(*self._places)

    def clear(self) -> None:
        """Take everything off the map."""
        self._places, self._ways = (None, None), ()
        for bands in (self.chosen, self.others, self.ends):
            self._take_off(bands)

    def _draw_others(self) -> None:
        if len(self._ways) > 2:
            rest = QgsGeometry.fromMultiPolylineXY([make_line(way) for way in self._ways[1:]])
            band = self._band(Qgis.GeometryType.Line, rest, 0.5)
            band.setColor(QColor(INK.red(), INK.green(), INK.blue(), 130))
            band.setSecondaryStrokeColor(QColor(Qt.GlobalColor.transparent))
            self.others.append(band)
        if self._ways:
            band = self._band(Qgis.GeometryType.Line, QgsGeometry.fromPolylineXY(make_line(self._ways[0])), 1.5)
            band.setSecondaryStrokeColor(RIM)
            band.setLineStyle(Qt.PenStyle.DotLine)
            self.others.append(band)

    def _redraw(self) -> None:
        self.show_ways(self._ways, self._number)
        self.show_places(*self._places)

    def _take_off(self, bands: list[QgsRubberBand]) -> None:
        while bands:
            self._remove(bands.pop())
