"""Crime Risk ▸ Set up engine…: what is installed, and buttons to install, repair and remove it."""

from __future__ import annotations

import sys
from pathlib import Path

from qgis.gui import QgsFileWidget
from qgis.PyQt.QtCore import QCoreApplication, QSize, Qt, QTimer
from qgis.PyQt.QtGui import QFontDatabase, QGuiApplication
from qgis.PyQt.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMessageBox,
    QPlainTextEdit,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from ..bridge import engine_task, environment
from .tooltips import make_tooltip


class EngineDialog(QDialog):
    """Shows and changes the state of the engine.

    The work is done by a task of QGIS: closing the dialog does not end it, and a dialog
    opened later shows the same task.

    Parameters
    ----------
    parent : QWidget, optional
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("CrimeRiskEngineDialog")
        self.setWindowTitle(self._tr("Crime Risk: set up engine"))
        self._task: engine_task.EngineTask | None = None
        #: How many of the task's lines the log shows.
        self._shown = 0

        self.state_label = QLabel()
        self.state_label.setWordWrap(True)
        self.state_label.setTextFormat(Qt.TextFormat.PlainText)
        self.state_label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.state_label.setMinimumHeight(2 * self.fontMetrics().lineSpacing())
        self.state_label.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)

        # A path has no place to break a line at: in a field it can be scrolled and copied.
        self.folder_field = QLineEdit()
        self.folder_field.setReadOnly(True)

        self.torch_box = QComboBox()
        self.torch_box.addItem(self._tr("CPU (works everywhere; about 350 MB to download)"), "cpu")
        if sys.platform != "darwin":
            self.torch_box.addItem(self._tr("CUDA (NVIDIA cards; several GB to download)"), "cuda")

        self.python_widget = QgsFileWidget()
        self.python_widget.setStorageMode(QgsFileWidget.StorageMode.GetFile)
        self.python_widget.setDialogTitle(self._tr("Choose a Python 3.10 or newer"))
        self.python_widget.lineEdit().setPlaceholderText(self._tr("found automatically (Python 3.10 or newer)"))
        self.site_box = QCheckBox(self._tr("Keep the packages this Python already has"))
        self.site_box.setToolTip(
            self._tr("For a Python of your own in which PyTorch, rasterio and others work: only the rest is installed.")
        )

        form = QFormLayout()
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        form.addRow(self._tr("Folder"), self.folder_field)
        form.addRow(self._tr("PyTorch"), self.torch_box)
        form.addRow(self._tr("Base Python"), self.python_widget)
        form.addRow("", self.site_box)

        self.progress_bar = QProgressBar()
        self.progress_bar.setRange(0, 1000)
        self.step_label = QLabel()
        self.step_label.setWordWrap(True)
        self.step_label.setTextFormat(Qt.TextFormat.PlainText)
        self.step_label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.log_view = QPlainTextEdit()
        self.log_view.setReadOnly(True)
        self.log_view.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.log_view.setPlaceholderText(self._tr("The log of the installation appears here."))
        self.log_view.setMaximumBlockCount(20000)

        self.install_button = QPushButton()
        self.install_button.setDefault(True)
        self.remove_button = QPushButton(self._tr("Remove…"))
        self.cancel_button = QPushButton(self._tr("Cancel installation"))
        self.copy_button = QPushButton(self._tr("Copy log"))
        self.close_button = QPushButton(self._tr("Close"))
        buttons = QHBoxLayout()
        for button in (self.install_button, self.cancel_button, self.remove_button):
            buttons.addWidget(button)
        buttons.addStretch(1)
        for button in (self.copy_button, self.close_button):
            buttons.addWidget(button)
        for button in (self.remove_button, self.cancel_button, self.copy_button, self.close_button):
            button.setAutoDefault(False)

        layout = QVBoxLayout(self)
        layout.addWidget(self.state_label)
        layout.addLayout(form)
        layout.addWidget(self.progress_bar)
        layout.addWidget(self.step_label)
        layout.addWidget(self.log_view, 1)
        layout.addLayout(buttons)

        self.install_button.clicked.connect(self._install)
        self.remove_button.clicked.connect(self._ask_remove)
        self.cancel_button.clicked.connect(self._cancel)
        self.copy_button.clicked.connect(self._copy)
        self.close_button.clicked.connect(self.close)

        now = environment.read_status()
        self.torch_box.setCurrentIndex(max(self.torch_box.findData(now.torch), 0))
        self.site_box.setChecked(now.system_site_packages)
        task = engine_task.find_task()
        if task is not None:
            self._attach(task)
        self._refresh()

    def sizeHint(self) -> QSize:
        """Wide enough for pip's lines."""
        return QSize(760, 560)

    def showEvent(self, event: object) -> None:
        """The engine may have been changed elsewhere since the dialog was last open."""
        super().showEvent(event)
        self._refresh()

    def start(self, action: str) -> None:
        """Start installing, repairing or removing.

        Parameters
        ----------
        action : {"install", "repair", "remove"}
        """
        task = engine_task.EngineTask(
            action,
            self.python_widget.filePath().strip(),
            self.torch_box.currentData(),
            self.site_box.isChecked(),
        )
        self.log_view.clear()
        try:
            engine_task.start(task)
        except environment.EngineSetupError as error:
            self.step_label.setText(str(error))
            self.step_label.show()
            return
        self._attach(task)
        self._refresh()

    def _attach(self, task: engine_task.EngineTask) -> None:
        self._task = task
        self._shown = 0
        self.log_view.clear()
        # Connected first, then shown: the task already runs, and what it said in between would be lost.
        task.progressed.connect(self._show_progress)
        task.logged.connect(self._show_lines)
        task.ended.connect(self._show_end)
        self._show_lines()
        if task.running:
            self._show_progress(*task.last)
        elif task.message:
            self.step_label.setText(task.message)

    def _refresh(self) -> None:
        now = environment.read_status()
        running = self._task is not None and self._task.running
        self.folder_field.setText(str(Path(now.folder)))
        self.state_label.setText(self._running_text() if running else self._state_text(now))
        if now.ready and not now.outdated:
            self.install_button.setText(self._tr("Repair"))
        elif now.outdated:
            self.install_button.setText(self._tr("Update"))
        else:
            self.install_button.setText(self._tr("Install"))
        self.install_button.setEnabled(not running)
        self.remove_button.setEnabled(not running and Path(now.folder).is_dir())
        self.cancel_button.setVisible(running)
        self.progress_bar.setVisible(running)
        self.step_label.setVisible(bool(self.step_label.text()))
        for widget in (self.torch_box, self.python_widget, self.site_box):
            widget.setEnabled(not running)
        self.copy_button.setEnabled(bool(self.log_view.toPlainText()))

    def _running_text(self) -> str:
        assert self._task is not None
        return self._tr("{action}… You may close this window and go on working.").format(
            action=self._task.description()
        )

    def _state_text(self, now: environment.EngineStatus) -> str:
        if now.state != "ready":
            return {
                "missing": self._tr("The engine is not installed. Press Install; it takes a few minutes and 1.6 GB."),
                "broken": self._tr("The Python that the engine was made from is gone. Press Install to mend it."),
                "interrupted": self._tr(
                    "The installation was not finished. Press Install; it goes on where it stopped."
                ),
                "outdated": self._tr("The engine works, but this version of Crime Risk needs an update. Press Update."),
            }[now.state]
        text = self._tr("The engine is ready: PyTorch {torch} ({build}), rasterio {rasterio}, pandas {pandas}.").format(
            torch=now.packages.get("torch", "?").partition("+")[0],
            build=now.torch.upper(),
            rasterio=now.packages.get("rasterio", "?"),
            pandas=now.packages.get("pandas", "?"),
        )
        if now.annoy:
            return text + " " + self._tr("Annoy {annoy} is available.").format(annoy=now.packages.get("annoy", ""))
        return text + " " + self._tr("Annoy is not available; the exact index serves.")

    def _install(self) -> None:
        now = environment.read_status()
        self.start("repair" if now.ready and not now.outdated else "install")

    def _ask_remove(self) -> None:
        answer = QMessageBox.question(
            self,
            self.windowTitle(),
            # Qt would take a folder's name for HTML here, too.
            make_tooltip(
                self._tr("Remove the engine in {folder}? Your data stay; it can be installed again.").format(
                    folder=environment.choose_engine_folder()
                )
            ),
        )
        if answer == QMessageBox.StandardButton.Yes:
            self.start("remove")

    def _cancel(self) -> None:
        if self._task is not None:
            self.step_label.setText(self._tr("Cancelling…"))
            self.cancel_button.setEnabled(False)
            self._task.cancel()

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.log_view.toPlainText())
        self.copy_button.setText(self._tr("Copied"))
        QTimer.singleShot(1500, self._offer_copy)

    def _offer_copy(self) -> None:
        self.copy_button.setText(self._tr("Copy log"))

    def _show_progress(self, share: float, text: str) -> None:
        self.progress_bar.setValue(round(share * 1000))
        if self.cancel_button.isEnabled():
            self.step_label.setText(text)
            self.step_label.show()

    def _show_lines(self, _line: str = "") -> None:
        """Whatever the task has said that is not shown yet: a signal only tells that there is something."""
        if self._task is None:
            return
        lines = self._task.lines[self._shown :]
        self._shown += len(lines)
        for line in lines:
            self.log_view.appendPlainText(line)
            self.copy_button.setEnabled(True)

    def _show_end(self, well: bool, message: str) -> None:
        self._show_lines()
        self.cancel_button.setEnabled(True)
        self.step_label.setText(message)
        self.progress_bar.setValue(1000 if well else 0)
        self._refresh()

    @staticmethod
    def _tr(text: str) -> str:
        return QCoreApplication.translate("CrimeRisk", text)
