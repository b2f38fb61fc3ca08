"""The ways asked for so far: show them again, copy them, clear them."""

from __future__ import annotations

from qgis.PyQt.QtCore import Qt, pyqtSignal
from qgis.PyQt.QtWidgets import QApplication, QHBoxLayout, QListWidgetItem, QPushButton, QVBoxLayout, QWidget

from ...bridge.crs import tr
from ...riskengine.contract.dates import format_moment
from ..score.history import LONGEST, AnswerList, as_cell
from ..tooltips import make_tooltip
from .route_task import RouteAnswer

_ANSWER = Qt.ItemDataRole.UserRole
_COLUMNS = ("kind", "metres", "minutes", "exposure", "added_m", "saved", "above")


def as_table(answers: list[RouteAnswer]) -> str:
    """The ways of answers as tab-separated text with a header, for a spreadsheet."""
    lines = ["\t".join(("start", "end", *_COLUMNS))]
    for answer in answers:
        question = answer.question
        assert question.start is not None
        assert question.end is not None
        names = as_cell(question.start.name), as_cell(question.end.name)
        for way in answer.ways:
            values = ("" if way[each] is None else f"{way[each]:.6g}" for each in _COLUMNS[1:])
            lines.append("\t".join((*names, way["kind"], *values)))
    return "\n".join(lines)


class RouteHistory(QWidget):
    """A list of answers, newest first.

    Parameters
    ----------
    parent : QWidget, optional
    """

    #: A `RouteAnswer` to show again.
    chosen = pyqtSignal(object)
    cleared = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.list = AnswerList()
        self.list.setAccessibleName(tr("Ways asked for so far"))
        self.go_button = QPushButton(tr("S&how again"))
        self.go_button.setToolTip(tr("Show these ways again, and the map around them (Enter)"))
        self.copy_button = QPushButton(tr("Cop&y"))
        self.copy_button.setToolTip(tr("Copy the selected ways, or all, as a table (Ctrl+C)"))
        self.clear_button = QPushButton(tr("Clear"))
        self.clear_button.setToolTip(tr("Empty this list and the map's ways; layers stay"))
        self._buttons = (self.go_button, self.copy_button, self.clear_button)
        row = QHBoxLayout()
        for button in self._buttons:
            row.addWidget(button)
        row.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.list, 1)
        layout.addLayout(row)
        self.go_button.clicked.connect(self._go)
        self.copy_button.clicked.connect(self.copy)
        self.clear_button.clicked.connect(self.clear)
        self.list.itemDoubleClicked.connect(self._go)
        self.list.opened.connect(self._go)
        self.list.copied.connect(self.copy)
        self._refresh()

    def add(self, answer: RouteAnswer) -> None:
        """Put an answer on top."""
        item = QListWidgetItem(tr("{label}: {places}").format(label=answer.ways[-1]["label"], places=answer.name))
        item.setData(_ANSWER, answer)
        asked = tr("Asked {time}").format(time=format_moment(answer.time.toString(Qt.DateFormat.ISODate)))
        item.setToolTip(make_tooltip("\n".join((answer.name, answer.result["headline"], asked))))
        self.list.insertItem(0, item)
        while self.list.count() > LONGEST:
            self.list.takeItem(self.list.count() - 1)
        self.list.clearSelection()
        self._refresh()

    def copy(self) -> None:
        """Copy the selected answers, or all."""
        rows = sorted(self.list.row(item) for item in self.list.selectedItems()) or range(self.list.count())
        QApplication.clipboard().setText(as_table([self.list.item(row).data(_ANSWER) for row in rows]))

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
        for button in self._buttons:
            button.setEnabled(self.list.count() > 0)
