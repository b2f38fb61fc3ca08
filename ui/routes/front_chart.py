"""The trade-off: what each way costs in metres and saves in exposure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from qgis.PyQt.QtCore import QEvent, QPointF, QRectF, QSize, Qt, pyqtSignal
from qgis.PyQt.QtGui import QHelpEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from qgis.PyQt.QtWidgets import QSizePolicy, QToolTip, QWidget

from ...bridge.crs import tr
from ..tooltips import make_tooltip


class FrontChart(QWidget):
    """A dot for each way: to the right what it adds, upwards what it saves; a click chooses the nearest.

    Parameters
    ----------
    parent : QWidget, optional
    """

    #: The number of the way that was clicked.
    picked = pyqtSignal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._ways: Sequence[dict[str, Any]] = ()
        self._number = 0
        self.setAccessibleName(tr("Metres that ways add, and exposure that they save"))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_ways(self, ways: Sequence[dict[str, Any]], number: int) -> None:
        """Show ways, from the shortest to the least exposed, and choose one."""
        self._ways = ways
        self.choose(number)

    def choose(self, number: int) -> None:
        """Mark a way."""
        self._number = number
        self.setAccessibleDescription(self._ways[number]["label"] if self._ways else "")
        self.update()

    def sizeHint(self) -> QSize:
        metrics = self.fontMetrics()
        return QSize(metrics.averageCharWidth() * 30, metrics.height() * 9)

    minimumSizeHint = sizeHint  # noqa: N815

    def find_dots(self) -> list[QPointF]:
        """Where the dot of each way is."""
        plot = self._plot()
        farthest, most = self._ends()
        return [
            QPointF(
                plot.left() + plot.width() * way["added_m"] / farthest,
                plot.bottom() - plot.height() * max(_saved(way), 0.0) / most,
            )
            for way in self._ways
        ]

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self._ways:
            self.picked.emit(self._find_nearest(QPointF(event.pos())))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton and self._ways:
            self.picked.emit(self._find_nearest(QPointF(event.pos())))

    def event(self, event: QEvent) -> bool:
        """The way nearest to the mouse, in words."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent) and self._ways:
            words = self._ways[self._find_nearest(QPointF(event.pos()))]["words"]
            QToolTip.showText(event.globalPos(), make_tooltip(words), self)
            return True
        return super().event(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        if not self._ways:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        metrics, plot, dots = self.fontMetrics(), self._plot(), self.find_dots()
        ink, accent = self.palette().windowText().color(), self.palette().highlight().color()
        painter.setPen(ink)
        line = metrics.height()
        title = metrics.elidedText(tr("Exposure saved"), Qt.TextElideMode.ElideRight, self.width())
        painter.drawText(QRectF(0, 0, self.width(), line), Qt.AlignmentFlag.AlignLeft, title)
        below = QRectF(plot.left(), plot.bottom() + line * 0.2, plot.width(), line)
        farthest, most = self._ends()
        left, right = Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignRight
        painter.drawText(below, left, tr("0 m longer"))
        painter.drawText(below, right, tr("{metres} m longer").format(metres=f"{farthest:,.0f}"))
        beside = QRectF(0, plot.top() - line / 2, plot.left() - metrics.averageCharWidth(), line)
        painter.drawText(beside, right, f"{most:.0%}")
        painter.drawText(beside.translated(0, plot.height()), right, "0%")
        painter.setPen(QPen(self.palette().mid().color(), 1))
        painter.drawLine(plot.topLeft(), plot.bottomLeft())
        painter.drawLine(plot.bottomLeft(), plot.bottomRight())
        painter.setPen(QPen(ink, 1))
        # A step for each way: between two of them there is nothing to choose.
        for one, other in pairwise(dots):
            painter.drawLine(one, QPointF(other.x(), one.y()))
            painter.drawLine(QPointF(other.x(), one.y()), other)
        size = line / 7
        painter.setBrush(ink)
        for dot in dots if len(dots) < plot.width() / size else dots[:1] + dots[-1:]:
            painter.drawEllipse(dot, size, size)
        chosen = dots[self._number]
        painter.setPen(QPen(ink, max(line / 9, 1.5)))
        painter.setBrush(accent)
        painter.drawEllipse(chosen, size * 2.4, size * 2.4)

    def _plot(self) -> QRectF:
        metrics = self.fontMetrics()
        left, line = metrics.horizontalAdvance("100%") + metrics.averageCharWidth(), metrics.height()
        return QRectF(left, line * 1.7, self.width() - left - line * 0.6, self.height() - line * 3.2)

    def _ends(self) -> tuple[float, float]:
        """The metres at the right end, and the share at the upper one; never nothing."""
        farthest = max((way["added_m"] for way in self._ways), default=0.0)
        most = max((_saved(way) for way in self._ways), default=0.0)
        return max(farthest, 1.0), max(math.ceil(most * 20) / 20, 0.05)

    def _find_nearest(self, place: QPointF) -> int:
        dots = self.find_dots()
        return min(range(len(dots)), key=lambda number: (dots[number] - place).manhattanLength())


def _saved(way: dict[str, Any]) -> float:
    """None where the shortest way has no exposure to save."""
    return float(way["saved"] or 0.0)
