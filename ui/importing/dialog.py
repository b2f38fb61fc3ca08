"""The dialog of *Import incidents*: the first rows as they will be read, and drop-downs of the file's columns.

It is the dialog that Processing generates, with more in it: it runs, logs, remembers and copies commands as that does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from processing.gui.AlgorithmDialog import AlgorithmDialog
from processing.gui.ParametersPanel import ParametersPanel
from qgis.core import QgsApplication, QgsProcessingAlgorithm, QgsProcessingException
from qgis.PyQt.QtCore import QTimer
from qgis.PyQt.QtWidgets import QComboBox, QLineEdit, QWidget

from ...bridge.crs import tr
from ...bridge.job_task import JobTask
from ...bridge.news import NEWS
from ...riskengine.contract.written_lists import quote_name
from .preview import Preview

#: Parameters that name a column, by what the preview says was taken for it.
COLUMNS = {
    "X_FIELD": "x",
    "Y_FIELD": "y",
    "TIME_FIELD": "time",
    "END_FIELD": "end",
    "CATEGORY_FIELD": "category",
    "ID_FIELD": "id",
}
#: Those of them that may name several, with commas between them.
_LISTS = ("TIME_FIELD", "END_FIELD")
#: Those that change nothing of how a file is read.
_AFTERWARDS = ("OUTPUT", "REFUSED", "INSPECTION", "SAVE_PROFILE")
#: Rows that are read at once; all are counted after them.
_FIRST = 2000
_PAUSE_MILLISECONDS = 400
#: Width and height that still show some rows and some parameters, and fit a small laptop.
_SMALLEST = 920, 700


class ImportDialog(AlgorithmDialog):
    """Processing's dialog with a look at the file.

    Parameters
    ----------
    algorithm : QgsProcessingAlgorithm
        *Import incidents*; it says what its job gets (`read_asked`).
    set_up_engine : callable
        Opens Crime Risk ▸ Set up engine…
    parent : QWidget, optional
    """

    def __init__(self, algorithm: QgsProcessingAlgorithm, set_up_engine: Any, parent: QWidget | None = None) -> None:
        super().__init__(algorithm, False, parent)
        self.mainWidget().preview.message.set_up_button.clicked.connect(set_up_engine)
        # When it is shown QGIS gives it the size of the algorithm dialog before it, which may hold no table.
        self.setMinimumSize(*_SMALLEST)

    def getParametersPanel(self, alg: QgsProcessingAlgorithm, parent: QWidget) -> ImportPanel:
        return ImportPanel(parent, alg)

    def done(self, result: int) -> None:
        """Stop looking when the dialog is closed."""
        self.mainWidget().stop()
        super().done(result)


class ImportPanel(ParametersPanel):
    """Processing's parameters, below a look at the file."""

    def __init__(self, parent: QWidget, algorithm: QgsProcessingAlgorithm) -> None:
        self.preview = Preview()
        self.columns: dict[str, QComboBox] = {}
        self._task: JobTask | None = None
        self._asked: dict[str, Any] | None = None
        super().__init__(parent, algorithm)
        # What could not be looked at without an engine can be with one.
        NEWS.engine_changed.connect(self._look_again)
        # What is typed is looked at when the typing pauses.
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(_PAUSE_MILLISECONDS)
        self._pause.timeout.connect(self.look)

    def initWidgets(self) -> None:
        """Processing's widgets; where a column is named, in a drop-down of the file's."""
        super().initWidgets()
        self.layout().insertWidget(0, self.preview, 1)
        self.layout().setStretch(1, 1)
        for name in COLUMNS:
            line = self.wrappers[name].wrappedWidget()
            if isinstance(line, QLineEdit):
                self.columns[name] = _add_drop_down(line)
        for name, wrapper in self.wrappers.items():
            if name not in _AFTERWARDS:
                wrapper.widgetValueHasChanged.connect(lambda *_: self._pause.start())

    def setParameters(self, parameters: dict[str, Any]) -> None:
        super().setParameters(parameters)
        self._pause.start()

    def stop(self) -> None:
        """Look no more."""
        self._pause.stop()
        task, self._task = self._task, None
        if task is not None:
            task.cancel()

    def look(self) -> None:
        """Read the first rows with what is given now, then count all."""
        parameters = {
            name: wrapper.parameterValue() for name, wrapper in self.wrappers.items() if name not in _AFTERWARDS
        }
        if not parameters.get("INPUT"):
            self.stop()
            self._asked = None
            self.preview.clear()
            return
        try:
            asked = self.algorithm().read_asked(parameters, self.processing_context)
        except QgsProcessingException as error:
            self.stop()
            self._asked = None
            self.preview.say_problem(str(error))
            return
        if asked == self._asked:
            return
        self.stop()
        self._asked = asked
        self.preview.say_reading()
        self._start(_FIRST)

    def _look_again(self) -> None:
        if self.isVisible():
            self.look()

    def _start(self, most: int | None) -> None:
        task = JobTask(tr("Look at the file"), "preview_import", {**(self._asked or {}), "most": most})
        task.ended.connect(self._show)
        # QGIS does not keep the Python side of a task alive.
        self._task = task
        QgsApplication.taskManager().addTask(task)

    def _show(self, task: JobTask) -> None:
        if task is not self._task:
            return
        self._task = None
        if task.answer is None:
            self._asked = None
            if not task.cancelled:
                self.preview.say_problem(task.problem, task.engine_missing)
            return
        more = not task.answer["whole"] and not task.answer["problem"]
        self.preview.show_answer(task.answer, counting=more)
        self._offer(task.answer)
        if more:
            self._start(None)

    def _offer(self, found: Mapping[str, Any]) -> None:
        """Offer the file's columns, with what is taken where nothing is chosen."""
        for name, combo in self.columns.items():
            taken = found["taken"].get(COLUMNS[name], "")
            taken = ", ".join(map(quote_name, taken)) if isinstance(taken, list) else taken
            combo.lineEdit().setPlaceholderText(tr("found: {column}").format(column=taken) if taken else "")
            names = ["", *(map(quote_name, found["header"]) if name in _LISTS else found["header"])]
            if [combo.itemText(number) for number in range(combo.count())] != names:
                text = combo.currentText()
                combo.blockSignals(True)
                combo.clear()
                combo.addItems(names)
                combo.setEditText(text)
                combo.blockSignals(False)


def _add_drop_down(line: QLineEdit) -> QComboBox:
    """Put a parameter's own line into a drop-down in its place, so that its value is what the line says."""
    combo = QComboBox(line.parentWidget())
    combo.setEditable(True)
    combo.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
    combo.setToolTip(line.toolTip())
    combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    place = _find_layout(line)
    place.replaceWidget(line, combo)
    combo.setLineEdit(line)
    return combo


def _find_layout(widget: QWidget) -> Any:
    """Find the layout that holds a widget, at any depth of its parent's."""
    waiting = [widget.parentWidget().layout()]
    while waiting:
        layout = waiting.pop()
        if layout.indexOf(widget) >= 0:
            return layout
        waiting += [item for number in range(layout.count()) if (item := layout.itemAt(number).layout()) is not None]
    raise LookupError(widget.objectName())
