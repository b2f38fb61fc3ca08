"""What a file holds and how it will be read, shown before anything is imported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtGui import QBrush
from qgis.PyQt.QtWidgets import QAbstractItemView, QTableWidget, QTableWidgetItem, QTabWidget, QVBoxLayout, QWidget

from ...bridge.crs import tr
from ...riskengine.contract.texts import count_text
from ..message import Message
from ..tooltips import make_tooltip

#: Longer texts of a cell are cut; the tooltip holds more of them.
_CELL = 60


class Preview(QWidget):
    """A sentence on what would be imported, the first rows as they are, and the same rows as they will be read."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.message = Message()
        self.rows = _make_table()
        self.read = _make_table()
        self.tabs = QTabWidget()
        self.tabs.addTab(self.rows, tr("Rows of the file"))
        self.tabs.addTab(self.read, tr("As they will be read"))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.message)
        layout.addWidget(self.tabs)
        self.clear()

    def clear(self) -> None:
        """Show nothing but what to do."""
        self.message.say(tr("Choose a file: its first rows are shown here, with how they will be read."))
        self.tabs.hide()

    def say_reading(self) -> None:
        """Say that the file is being read."""
        self.message.say(tr("Reading the first rows…"))

    def say_problem(self, problem: str, set_up: bool = False) -> None:
        """Show why nothing can be shown."""
        self.message.say(problem, "error", set_up)
        self.tabs.hide()

    def show_answer(self, found: Mapping[str, Any], counting: bool) -> None:
        """Show what the job ``preview_import`` has found.

        Parameters
        ----------
        found : mapping
        counting : bool
            All rows are being counted still.
        """
        level = "error" if found["problem"] else "warning" if found["refused"] else "info"
        self.message.say(describe_answer(found, counting), level)
        _fill(self.rows, found["header"], found["rows"])
        columns = [tr("Line"), tr("Time"), tr("X or longitude"), tr("Y or latitude"), tr("Category"), tr("Refused")]
        # A refused row has a reason; what could be read of it stays, since it says what is wrong.
        read = [
            [str(row["line"]), row["time"], _number(row["x"]), _number(row["y"]), row["category"], row["reason"]]
            for row in found["read"]
        ]
        _fill(self.read, columns, read, [number for number, row in enumerate(found["read"]) if row["reason"]])
        self.tabs.setTabEnabled(1, bool(read))
        self.tabs.show()


def describe_answer(found: Mapping[str, Any], counting: bool = False) -> str:
    """Describe in sentences which columns are taken for what, and how many rows would be refused."""
    taken = found["taken"]
    parts = []
    if taken:
        said = tr("Time from {time}; place from {x} and {y} in {crs}; category from {category}.")
        if taken["x"] == taken["y"]:
            said = tr("Time from {time}; place from {x} in {crs}; category from {category}.")
        parts.append(
            said.format(
                time=", ".join(taken["time"]),
                x=taken["x"],
                y=taken["y"],
                crs=taken["crs"],
                category=taken["category"] or tr("no column"),
            )
        )
        if taken["format"]:
            parts.insert(0, tr("Format: {format}.").format(format=taken["format"]))
    if found["problem"]:
        parts.append(found["problem"])
    elif found["tried"]:
        tried = count_text(found["tried"], tr("row"), tr("rows"))
        rows = tried if found["whole"] else tr("the first {tried}").format(tried=tried)
        said = (
            tr("{refused} of {rows} would be refused") if found["refused"] else tr("{rows} read, none would be refused")
        )
        reasons = ", ".join(f"{count:,} × {reason}" for reason, count in found["reasons"].items())
        sentence = said.format(refused=f"{found['refused']:,}", rows=rows)
        parts.append(sentence + (f": {reasons}." if reasons else "."))
        if counting and not found["whole"]:
            parts.append(tr("Counting all rows…"))
    return " ".join(parts)


def _make_table() -> QTableWidget:
    table = QTableWidget()
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
    table.verticalHeader().hide()
    table.setAlternatingRowColors(True)
    table.verticalHeader().setDefaultSectionSize(round(table.fontMetrics().height() * 1.5))
    return table


def _fill(table: QTableWidget, header: Sequence[str], rows: Sequence[Sequence[str]], grey: Sequence[int] = ()) -> None:
    table.clear()
    table.setColumnCount(len(header))
    table.setRowCount(len(rows))
    table.setHorizontalHeaderLabels([_cut(name, _CELL) for name in header])
    brush = QBrush(table.palette().placeholderText())
    for number, fields in enumerate(rows):
        # A row may have more fields than the header.
        for column, text in enumerate(fields[: len(header)]):
            item = QTableWidgetItem(_cut(text, _CELL))
            item.setFlags(Qt.ItemFlag.ItemIsEnabled)
            if len(text) > _CELL:
                item.setToolTip(make_tooltip(text))
            if number in grey:
                item.setForeground(brush)
            table.setItem(number, column, item)
    table.resizeColumnsToContents()
    for column in range(len(header)):
        table.setColumnWidth(column, min(table.columnWidth(column), 260))


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.10g}"
