"""A job of the engine in the background, as a task of QGIS, for windows that wait for its answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qgis.core import QgsTask
from qgis.PyQt.QtCore import pyqtSignal

from . import client
from .crs import tr


class JobTask(QgsTask):
    """Runs one job in another thread, in the worker that is kept for questions.

    Parameters
    ----------
    title : str
    job : str
    params : mapping
        JSON-able.

    Attributes
    ----------
    answer : dict or None
    problem : str
        The sentence of a failure.
    engine_missing, cancelled : bool
    """

    progressed = pyqtSignal(float, str)
    #: The task itself; always in the main thread.
    ended = pyqtSignal(object)

    def __init__(self, title: str, job: str = "", params: Mapping[str, Any] | None = None) -> None:
        super().__init__(title, QgsTask.Flag.CanCancel | QgsTask.Flag.Silent)
        self.answer: dict[str, Any] | None = None
        self.problem = ""
        self.engine_missing = False
        self.cancelled = False
        self._job = job
        self._params = dict(params or {})
        self._over = False
        # A task that is cancelled before its turn ends without `finished`.
        self.taskTerminated.connect(self._end)

    def run(self) -> bool:
        """Ask; QGIS calls this in another thread."""
        try:
            self.answer = self.ask()
            return True
        except client.EngineCancelled:
            self.cancelled = True
        except client.EngineError as error:
            self.problem = error.message
            self.engine_missing = isinstance(error, client.EngineMissing)
        except Exception as error:
            # An exception that leaves run() would reach nobody.
            self.problem = tr("The question failed unexpectedly ({error}). Please report it.").format(error=error)
        return False

    def ask(self) -> dict[str, Any]:
        """Ask the engine; in another thread."""
        return self.call(self._job, self._params)

    def call(self, job: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """Run a job with this task's progress and cancel."""
        return client.call(job, params, on_progress=self._progress, is_cancelled=self.isCanceled, worker="interactive")

    def _progress(self, share: float, text: str) -> None:
        self.setProgress(share * 100)
        self.progressed.emit(share, text)

    def finished(self, result: bool) -> None:
        """QGIS calls this in the main thread when `run` is over."""
        self._end()

    def _end(self) -> None:
        if not self._over:
            self._over = True
            self.ended.emit(self)
