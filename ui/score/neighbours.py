"""The nearest incidents as a table; what is selected is highlighted on the map."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qgis.PyQt.QtCore import Qt, pyqtSignal
from qgis.PyQt.QtGui import QKeyEvent
from qgis.PyQt.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem, QWidget

from ...bridge.crs import tr
from ...riskengine.contract.texts import show_name
from ..tooltips import make_tooltip

_NUMBER = Qt.ItemDataRole.UserRole
#: Letters of a category in a cell, which shows as many as fit.
_LONGEST = 200


class _Cell(QTableWidgetItem):
    """Sorts by its value, not by its text."""

    def __init__(self, text: str, value: Any, number: int) -> None:
        super().__init__(text)
        self._value = value
        self.setData(_NUMBER, number)

    def __lt__(self, other: QTableWidgetItem) -> bool:
        return bool(self._value < other._value) if isinstance(other, _Cell) else super().__lt__(other)


class NeighbourTable(QTableWidget):
    """Distance, age and category of the nearest incidents.

    Parameters
    ----------
    parent : QWidget, optional
    """

    #: Positions, in the answer's order, of the selected incidents.
    highlighted = pyqtSignal(list)
    #: The position of an incident to go to.
    asked_for = pyqtSignal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(0, 3, parent)
        self.setAccessibleName(tr("Nearest incidents"))
        self.setHorizontalHeaderLabels([tr("Distance"), tr("Age"), tr("Category")])
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setAlternatingRowColors(True)
        self.setShowGrid(False)
        # Long categories end in an ellipsis; the tooltip has the whole.
        self.setWordWrap(False)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        # Tab leads on, arrows move inside.
        self.setTabKeyNavigation(False)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(round(self.fontMetrics().height() * 1.5))
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setMinimumSectionSize(self.fontMetrics().averageCharWidth() * 4)
        fitting, rest = QHeaderView.ResizeMode.ResizeToContents, QHeaderView.ResizeMode.Stretch
        for column, mode in enumerate((fitting, fitting, rest)):
            header.setSectionResizeMode(column, mode)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.setMinimumHeight(self.fontMetrics().height() * 8)
        self.itemSelectionChanged.connect(self._tell)
        self.itemDoubleClicked.connect(lambda item: self.asked_for.emit(item.data(_NUMBER)))

    def show_incidents(self, incidents: Sequence[dict[str, Any]]) -> None:
        """Show the incidents of an answer, nearest first."""
        self.setSortingEnabled(False)
        self.clearSelection()
        self.setRowCount(len(incidents))
        for number, incident in enumerate(incidents):
            category = incident["category"] or ""
            cells = (
                _Cell(tr("{distance} m").format(distance=f"{incident['distance']:,.0f}"), incident["distance"], number),
                _Cell(tr("{age} days").format(age=f"{incident['age_days']:,.0f}"), incident["age_days"], number),
                _Cell(show_name(category, _LONGEST) if category else tr("none"), category, number),
            )
            for column, cell in enumerate(cells):
                cell.setToolTip(make_tooltip(f"{category or tr('no category')}\n{incident['time'].replace('T', ' ')}"))
                if column < 2:
                    cell.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
                self.setItem(number, column, cell)
        self.setSortingEnabled(True)
        self.sortByColumn(0, Qt.SortOrder.AscendingOrder)
        self.scrollToTop()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter goes to the incident, as a double click does."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentItem() is not None:
            self.asked_for.emit(self.currentItem().data(_NUMBER))
            return
        super().keyPressEvent(event)

    def _tell(self) -> None:
        self.highlighted.emit(sorted({item.data(_NUMBER) for item in self.selectedItems()}))
