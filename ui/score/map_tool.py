"""The map tool: click, and the place is asked."""

from __future__ import annotations

from qgis.core import QgsCoordinateReferenceSystem, QgsPointXY, QgsProject
from qgis.gui import QgsMapCanvas, QgsMapMouseEvent, QgsMapTool
from qgis.PyQt.QtCore import Qt, pyqtSignal

from ...bridge.crs import WGS84, tr, transform_point


def to_wgs84(canvas: QgsMapCanvas, point: QgsPointXY) -> QgsPointXY | None:
    """A place of the map in WGS 84; None where it has none."""
    return transform_point(
        point,
        canvas.mapSettings().destinationCrs(),
        QgsCoordinateReferenceSystem(WGS84),
        QgsProject.instance().transformContext(),
    )


def describe_no_place(canvas: QgsMapCanvas) -> str:
    """Describe why a place of the map cannot be asked."""
    if not canvas.mapSettings().destinationCrs().isValid():
        return tr("The map has no coordinate system. Choose one in Project ▸ Properties ▸ CRS, then ask again.")
    return tr("This part of the map lies outside the world. Ask nearer to the data.")


class ScoreMapTool(QgsMapTool):
    """Asks the place under a left click.

    Parameters
    ----------
    canvas : QgsMapCanvas
    title : str
        Of the tool.
    """

    #: The place in WGS 84.
    picked = pyqtSignal(QgsPointXY)
    failed = pyqtSignal(str)

    def __init__(self, canvas: QgsMapCanvas, title: str) -> None:
        super().__init__(canvas)
        self.setToolName(title)
        self.setCursor(Qt.CursorShape.CrossCursor)

    def canvasReleaseEvent(self, event: QgsMapMouseEvent) -> None:
        """Ask the place where the button was let go."""
        if event.button() != Qt.MouseButton.LeftButton:
            return
        self.pick(event.mapPoint())

    def pick(self, point: QgsPointXY) -> None:
        """Ask a place given in the map's CRS."""
        place = to_wgs84(self.canvas(), point)
        if place is None:
            self.failed.emit(describe_no_place(self.canvas()))
        else:
            self.picked.emit(place)
