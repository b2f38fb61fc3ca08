"""The places asked so far: go there again, copy them, clear them."""

from __future__ import annotations

import re
from collections.abc import Iterable

from qgis.PyQt.QtCore import QSize, Qt, pyqtSignal
from qgis.PyQt.QtGui import QIcon, QKeyEvent, QKeySequence, QPainter, QPixmap
from qgis.PyQt.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from ...bridge import styles
from ...bridge.crs import tr
from ...riskengine.contract.dates import format_moment
from ..tooltips import make_tooltip
from .answer_words import list_sentences
from .answers import Answer

_ANSWER = Qt.ItemDataRole.UserRole
_COLUMNS = ("name", "longitude", "latitude", "score", "lower", "upper", "percentile", "incidents", "queried", "model")
#: Numbers, and places given by two of them, are no formulas.
_NUMBERS = re.compile(r"[-+\d.,\s]+")
#: Older ones make room; the layer keeps them all.
LONGEST = 500


def as_table(answers: Iterable[Answer]) -> str:
    """Answers as tab-separated text with a header, for a spreadsheet."""
    lines = ["\t".join((*_COLUMNS, "index"))]
    for answer in answers:
        values = (
            answer.name,
            f"{answer.point.x():.6f}",
            f"{answer.point.y():.6f}",
            *("" if part is None else f"{part:.4f}" for part in (answer.score, answer.lower, answer.upper)),
            "" if answer.percentile is None else f"{answer.percentile:.2f}",
            str(answer.incidents),
            answer.time.toString(Qt.DateFormat.ISODate),
            answer.model,
            answer.index,
        )
        lines.append("\t".join(as_cell(value) for value in values))
    return "\n".join(lines)


def as_cell(value: str) -> str:
    """A text on one line that no spreadsheet takes for a formula."""
    cell = " ".join(value.split())
    return f"'{cell}" if cell.startswith(tuple("=+-@")) and not _NUMBERS.fullmatch(cell) else cell


class AnswerList(QListWidget):
    """Answers, whose keys do what the buttons do."""

    copied = pyqtSignal()
    opened = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setAlternatingRowColors(True)
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMinimumHeight(self.fontMetrics().height() * 6)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copied.emit()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.opened.emit()
        else:
            super().keyPressEvent(event)


class History(QWidget):
    """A list of answers, newest first.

    Parameters
    ----------
    parent : QWidget, optional
    """

    #: An `Answer` to show again, where the map goes.
    chosen = pyqtSignal(object)
    cleared = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.list = AnswerList()
        self.list.setAccessibleName(tr("Places asked so far"))
        side = round(self.fontMetrics().height() * 0.8)
        self.list.setIconSize(QSize(side, side))
        self.go_button = QPushButton(tr("&Go to"))
        self.go_button.setToolTip(tr("Show this answer again, and the map around it (Enter)"))
        self.copy_button = QPushButton(tr("Cop&y"))
        self.copy_button.setToolTip(tr("Copy the selected answers, or all, as a table (Ctrl+C)"))
        self.clear_button = QPushButton(tr("Clear"))
        self.clear_button.setToolTip(tr("Empty this list and the map's markers; the layer of queries stays"))
        buttons = QHBoxLayout()
        for button in (self.go_button, self.copy_button, self.clear_button):
            buttons.addWidget(button)
        buttons.addStretch(1)
        layout = QVBoxLayout(self)
        layout.addWidget(self.list, 1)
        layout.addLayout(buttons)
        self.save_button = QPushButton(tr("Save &queries…"))
        self.save_button.setToolTip(tr('Save the layer "Crime score queries" as a GeoPackage'))
        layout.addWidget(self.save_button, 0, Qt.AlignmentFlag.AlignLeft)
        self.go_button.clicked.connect(self._go)
        self.copy_button.clicked.connect(self.copy)
        self.clear_button.clicked.connect(self.clear)
        self.list.itemDoubleClicked.connect(self._go)
        self.list.opened.connect(self._go)
        self.list.copied.connect(self.copy)
        self.list.itemSelectionChanged.connect(self._refresh)
        self._refresh()

    def add(self, answer: Answer) -> None:
        """Put an answer on top."""
        score = "–" if answer.score is None else f"{answer.score:.2f}"
        item = QListWidgetItem(self._icon(answer), tr("{score}  {place}").format(score=score, place=answer.name))
        item.setData(_ANSWER, answer)
        asked = tr("Asked {time}").format(time=format_moment(answer.time.toString(Qt.DateFormat.ISODate)))
        item.setToolTip(make_tooltip("\n".join((answer.name, *list_sentences(answer), asked))))
        self.list.insertItem(0, item)
        while self.list.count() > LONGEST:
            self.list.takeItem(self.list.count() - 1)
        self.list.clearSelection()
        self._refresh()

    def list_answers(self) -> list[Answer]:
        """List all of them, newest first."""
        return [self.list.item(row).data(_ANSWER) for row in range(self.list.count())]

    def copy(self) -> None:
        """Copy the selected answers, or all."""
        rows = sorted(self.list.row(item) for item in self.list.selectedItems()) or range(self.list.count())
        QApplication.clipboard().setText(as_table(self.list.item(row).data(_ANSWER) for row in rows))

    def clear(self) -> None:
        """Forget them all."""
        self.list.clear()
        self._refresh()
        self.cleared.emit()

    def _go(self) -> None:
        item = self.list.currentItem() or self.list.item(0)
        if item is not None:
            self.chosen.emit(item.data(_ANSWER))

    def _refresh(self) -> None:
        for button in (self.go_button, self.copy_button, self.clear_button):
            button.setEnabled(self.list.count() > 0)

    def _icon(self, answer: Answer) -> QIcon:
        """A square of the score's colour."""
        ratio = self.devicePixelRatioF()
        picture = QPixmap(self.list.iconSize() * ratio)
        picture.setDevicePixelRatio(ratio)
        picture.fill(Qt.GlobalColor.transparent)
        painter = QPainter(picture)
        painter.setPen(self.palette().mid().color())
        painter.setBrush(self.palette().mid() if answer.score is None else styles.choose_score_colour(answer.score))
        side = self.list.iconSize().width()
        painter.drawRect(0, 0, side - 1, side - 1)
        painter.end()
        return QIcon(picture)
