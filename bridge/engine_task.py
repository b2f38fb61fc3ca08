"""Setting up the engine in the background, as a task of QGIS."""

from __future__ import annotations

from qgis.core import QgsApplication, QgsTask
from qgis.PyQt.QtCore import QCoreApplication, pyqtSignal

from . import client, environment
from .news import NEWS


class EngineTask(QgsTask):
    """Installs, repairs or removes the engine; lives on when the dialog that started it is closed.

    Parameters
    ----------
    action : {"install", "repair", "remove"}
    base_python : str
        Empty to have it found.
    torch : {"cpu", "cuda"}
    system_site_packages : bool
    """

    progressed = pyqtSignal(float, str)
    logged = pyqtSignal(str)
    #: Whether it went well, and a sentence; always in the main thread.
    ended = pyqtSignal(bool, str)

    def __init__(
        self, action: str, base_python: str = "", torch: str = "cpu", system_site_packages: bool = False
    ) -> None:
        titles = {
            "install": _tr("Installing the Crime Risk engine"),
            "repair": _tr("Repairing the Crime Risk engine"),
            "remove": _tr("Removing the Crime Risk engine"),
        }
        super().__init__(titles[action], QgsTask.Flag.CanCancel)
        self.action = action
        self.base_python = base_python
        self.torch = torch
        self.system_site_packages = system_site_packages
        self.lines: list[str] = []
        self.last = (0.0, self.description())
        self.message = ""
        self.running = True
        # A task that is cancelled before its turn ends without `finished`.
        self.taskTerminated.connect(lambda: self._end(False))

    def run(self) -> bool:
        """Work; QGIS calls this in another thread."""
        try:
            # A running worker would keep files of the environment open.
            client.shutdown()
            if self.action == "remove":
                environment.remove()
                self.message = _tr("The engine was removed.")
                return True
            state = environment.install(
                self._progress,
                self._log,
                self.isCanceled,
                self.base_python or None,
                self.torch,
                self.system_site_packages,
                repair=self.action == "repair",
            )
            self.message = state.problem or _tr("The engine is ready.")
            return state.ready
        except environment.EngineSetupError as error:
            self.message = str(error)
        except Exception as error:
            # An exception that leaves run() would reach nobody.
            self.message = _tr("The set-up failed unexpectedly ({error}). Please report this log.").format(error=error)
        self._log(self.message)
        return False

    def finished(self, result: bool) -> None:
        """QGIS calls this in the main thread when `run` is over."""
        self._end(result)

    def _end(self, result: bool) -> None:
        if self.running:
            self.running = False
            self.ended.emit(result, self.message or _tr("Cancelled."))
            NEWS.engine_changed.emit()

    def _progress(self, share: float, text: str) -> None:
        self.last = (share, text)
        self.setProgress(share * 100)
        self.progressed.emit(share, text)

    def _log(self, line: str) -> None:
        self.lines.append(line)
        self.logged.emit(line)


_task: EngineTask | None = None


def find_task() -> EngineTask | None:
    """Find the task under way, or the last one."""
    return _task


def start(task: EngineTask) -> EngineTask:
    """Hand a task to QGIS, and hold on to it: QGIS does not keep the Python side alive.

    Raises
    ------
    EngineSetupError
        If one is under way.
    """
    global _task
    if _task is not None and _task.running:
        raise environment.EngineSetupError(_tr("The engine is being set up already."))
    _task = task
    QgsApplication.taskManager().addTask(task)
    return task


def _tr(text: str) -> str:
    return QCoreApplication.translate("CrimeRisk", text)
