"""Counts by month around the place, as bars."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qgis.PyQt.QtCore import QDate, QEvent, QLocale, QRectF, QSize, Qt
from qgis.PyQt.QtGui import QHelpEvent, QPainter, QPaintEvent, QPen
from qgis.PyQt.QtWidgets import QSizePolicy, QToolTip, QWidget

from ...bridge.crs import tr
from ...riskengine.contract.texts import count_text, part_text


def format_month(month: str) -> str:
    """Format ``2019-02`` as the locale writes it, such as Feb 2019."""
    return QLocale().toString(QDate.fromString(f"{month}-01", "yyyy-MM-dd"), "MMM yyyy")


class MonthlyChart(QWidget):
    """Bars of the incidents per month; months that the window or the data cut are hollow.

    Parameters
    ----------
    parent : QWidget, optional
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._months: list[dict[str, Any]] = []
        self.setAccessibleName(tr("Incidents per month around the place"))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_months(self, months: Sequence[dict[str, Any]]) -> None:
        """Show these months, oldest first; those without a day of data would look like calm ones."""
        self._months = [month for month in months if month["known_days"] > 0]
        self.setAccessibleDescription("; ".join(map(self._words, self._months)))
        self.update()

    def sizeHint(self) -> QSize:
        metrics = self.fontMetrics()
        return QSize(metrics.averageCharWidth() * 30, metrics.height() * 6)

    minimumSizeHint = sizeHint  # noqa: N815

    def event(self, event: QEvent) -> bool:
        """The month under the mouse, in words."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            for box, month in zip(self._boxes(), self._months):
                if box.left() <= event.pos().x() < box.right():
                    QToolTip.showText(event.globalPos(), self._words(month), self)
                    return True
            QToolTip.hideText()
            return True
        return super().event(event)

    @staticmethod
    def _words(month: dict[str, Any]) -> str:
        words = tr("{month}: {incidents}").format(
            month=format_month(month["month"]), incidents=count_text(month["count"], "incident")
        )
        if _cut(month):
            words += f" ({part_text(round(month['known_days']), month['of_days'], 'day')})"
        return words

    def _plot(self) -> QRectF:
        metrics = self.fontMetrics()
        return QRectF(1, metrics.height() * 1.2, self.width() - 2, self.height() - metrics.height() * 2.5)

    def _boxes(self) -> list[QRectF]:
        """A month's share of the width, as high as its count."""
        plot = self._plot()
        step = plot.width() / max(len(self._months), 1)
        highest = max([month["count"] for month in self._months] + [1])
        boxes = []
        for number, month in enumerate(self._months):
            high = plot.height() * month["count"] / highest
            boxes.append(QRectF(plot.left() + number * step, plot.bottom() - high, step, high))
        return boxes

    def paintEvent(self, event: QPaintEvent) -> None:
        if not self._months:
            return
        painter = QPainter(self)
        metrics, plot, boxes = self.fontMetrics(), self._plot(), self._boxes()
        ink, bar = self.palette().windowText().color(), self.palette().highlight().color()
        counts = [month["count"] for month in self._months]
        painter.setPen(ink)
        title = tr("Incidents per month, at most {count}").format(count=f"{max(counts):,}")
        title = metrics.elidedText(title, Qt.TextElideMode.ElideRight, self.width())
        painter.drawText(QRectF(0, 0, self.width(), metrics.height()), Qt.AlignmentFlag.AlignLeft, title)
        for box, month in zip(boxes, self._months):
            gap = max(box.width() * 0.12, 0.5)
            inner = box.adjusted(gap, 0, -gap, 0)
            if _cut(month):
                painter.setPen(QPen(bar, 1, Qt.PenStyle.DashLine))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawRect(inner.adjusted(0.5, 0.5, -0.5, 0))
            else:
                painter.fillRect(inner, bar)
        painter.setPen(QPen(ink, 1))
        painter.drawLine(plot.bottomLeft(), plot.bottomRight())
        self._label_months(painter, boxes)

    def _label_months(self, painter: QPainter, boxes: Sequence[QRectF]) -> None:
        """As many months as there is room for, the first among them."""
        metrics, plot = self.fontMetrics(), self._plot()
        room = max(metrics.horizontalAdvance(format_month(month["month"])) for month in self._months)
        every = max(int(-(-(room + metrics.averageCharWidth() * 2) // boxes[0].width())), 1)
        for number in range(0, len(boxes), every):
            left = boxes[number].left()
            if left + room <= self.width():
                line = QRectF(left, plot.bottom() + metrics.height() * 0.15, room, metrics.height())
                text = format_month(self._months[number]["month"])
                painter.drawText(line, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, text)


def _cut(month: dict[str, Any]) -> bool:
    """Whether noticeably less than the whole month lies in the window and has data."""
    return month["known_days"] < month["of_days"] - 0.5
