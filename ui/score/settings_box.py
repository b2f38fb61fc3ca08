"""What a question is asked with: index, model, date, radius; remembered for the next time."""

from __future__ import annotations

from pathlib import Path

from qgis.core import QgsSettings
from qgis.gui import QgsCollapsibleGroupBox, QgsDateEdit, QgsFileWidget
from qgis.PyQt.QtCore import QTimer, pyqtSignal
from qgis.PyQt.QtWidgets import QDoubleSpinBox, QFormLayout, QSpinBox, QWidget

from ...bridge import last_files
from ...bridge.crs import tr
from ...riskengine.contract.tools.base import parameters_of
from ...riskengine.contract.tools.score import ScoreQuestion
from ...riskengine.contract.tools.shared import CRIME_INDEX, SCORE_MODEL
from .query_task import Settings

_GROUP = "crime_risk/score_dock"
#: Typing and turning a wheel end some time after the last key.
_CALM_MILLISECONDS = 400
#: A box needs an end where the question has none.
_NO_LIMIT = 1_000_000


class SettingsBox(QgsCollapsibleGroupBox):
    """Index, model, reference date, radius, window and number of neighbours.

    Parameters
    ----------
    parent : QWidget, optional
    """

    #: The settings have changed, and have been calm for a moment.
    changed = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(tr("Data"), parent)
        self.setObjectName("crime_risk_score_settings")
        self.index_widget = _file_widget(tr("Choose a crime index"), tr(CRIME_INDEX))
        self.index_widget.lineEdit().setPlaceholderText(tr("made with Build crime index"))
        self.model_widget = _file_widget(tr("Choose a score model"), tr(SCORE_MODEL))
        self.model_widget.lineEdit().setPlaceholderText(tr("none: counted"))
        self.date_edit = QgsDateEdit()
        self.date_edit.setAllowNull(True)
        self.date_edit.setNullRepresentation(tr("last incident"))
        self.date_edit.setDisplayFormat("ddd d MMM yyyy")
        self.date_edit.setCalendarPopup(True)
        self.date_edit.clear()
        self.date_edit.setToolTip(tr("Incidents up to the end of this day count. By default up to the last incident."))
        self.radius_box = _spin(QDoubleSpinBox(), "radius")
        self.radius_box.setDecimals(0)
        self.window_box = _spin(QDoubleSpinBox(), "window_days")
        self.window_box.setDecimals(0)
        self.k_box = _spin(QSpinBox(), "k")

        form = QFormLayout(self)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.DontWrapRows)
        form.addRow(tr("Crime &index"), self.index_widget)
        form.addRow(tr("Score &model"), self.model_widget)
        form.addRow(tr("Re&ference date"), self.date_edit)
        form.addRow(tr("Radi&us"), self.radius_box)
        form.addRow(tr("Wi&ndow"), self.window_box)
        form.addRow(tr("&k nearest"), self.k_box)

        #: The files' widgets by their ending.
        self._files = {last_files.INDEX: self.index_widget, last_files.MODEL: self.model_widget}
        self._remembered()
        self._calm = QTimer(self)
        self._calm.setSingleShot(True)
        self._calm.setInterval(_CALM_MILLISECONDS)
        self._calm.timeout.connect(self._tell)
        for signal in (
            self.index_widget.fileChanged,
            self.model_widget.fileChanged,
            self.date_edit.valueChanged,
            self.radius_box.valueChanged,
            self.window_box.valueChanged,
            self.k_box.valueChanged,
        ):
            signal.connect(self._wait)

    def read_settings(self) -> Settings | None:
        """Read the settings; None while no index is chosen."""
        index = self.index_widget.filePath().strip()
        if not index:
            return None
        date = "" if self.date_edit.isNull() else f"{self.date_edit.date().toString('yyyy-MM-dd')}T23:59:59"
        return Settings(
            index,
            self.model_widget.filePath().strip(),
            date,
            self.radius_box.value(),
            self.window_box.value(),
            self.k_box.value(),
        )

    def take_file(self, path: str) -> None:
        """Take an index or a model that was just made; under a name taken already it is another file."""
        self._files[Path(path).suffix[1:].lower()].setFilePath(path)
        self._wait()

    def _wait(self) -> None:
        self._calm.start()

    def _tell(self) -> None:
        self._remember()
        self.changed.emit()

    def _remembered(self) -> None:
        kept = QgsSettings()
        kept.beginGroup(_GROUP)
        for ending, widget in self._files.items():
            widget.setFilePath(last_files.find_last(ending))
        self.radius_box.setValue(kept.value("radius", ScoreQuestion.radius, type=float))
        self.window_box.setValue(kept.value("window_days", ScoreQuestion.window_days, type=float))
        self.k_box.setValue(kept.value("k", ScoreQuestion.k, type=int))

    def _remember(self) -> None:
        # Not the date: tomorrow it would silently be another question.
        kept = QgsSettings()
        kept.beginGroup(_GROUP)
        for ending, widget in self._files.items():
            path = widget.filePath().strip()
            # A file that is away for now is not forgotten for another radius.
            if path != last_files.find_last(ending):
                last_files.remember(ending, path)
        kept.setValue("radius", self.radius_box.value())
        kept.setValue("window_days", self.window_box.value())
        kept.setValue("k", self.k_box.value())


def _file_widget(title: str, filters: str) -> QgsFileWidget:
    widget = QgsFileWidget()
    widget.setStorageMode(QgsFileWidget.StorageMode.GetFile)
    widget.setDialogTitle(title)
    widget.setFilter(filters)
    # The label's key leads to where one types.
    widget.setFocusProxy(widget.lineEdit())
    return widget


def _spin(box: QSpinBox | QDoubleSpinBox, key: str) -> QSpinBox | QDoubleSpinBox:
    """Set up a box of whole numbers as the question declares them."""
    parameter = next(each for each in parameters_of(ScoreQuestion) if each.key == key)
    assert parameter.shown is not None
    box.setRange(max(int(parameter.limits.low or 0), 1), int(parameter.limits.high or _NO_LIMIT))
    box.setValue(parameter.default)
    box.setSuffix(f" {tr(parameter.shown.unit)}" if parameter.shown.unit else "")
    box.setToolTip(tr(parameter.shown.help))
    return box
