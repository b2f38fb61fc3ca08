"""Asking the engine in the background: one question at a time, and the last one wins."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qgis.core import (
    QgsApplication,
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransformContext,
    QgsPointXY,
    QgsProject,
)
from qgis.PyQt.QtCore import QObject, pyqtSignal

from ...bridge import client
from ...bridge.crs import WGS84, tr, transform_point
from ...bridge.job_task import JobTask

#: The CRS of the index asked last, by path, time and size of the file.
_crs: dict[tuple[str, int, int], str] = {}


@dataclass(frozen=True)
class Settings:
    """What a question is asked with.

    Attributes
    ----------
    index, model : str
        Paths; no model if empty.
    reference_time : str
        ISO; empty for the time of the last incident.
    radius, window_days : float
    k : int
    """

    index: str
    model: str = ""
    reference_time: str = ""
    radius: float = 200.0
    window_days: float = 365.0
    k: int = 10

    def to_params(self) -> dict[str, Any]:
        """Make the job's parameters without the place."""
        return {
            "index": self.index,
            "model": self.model or None,
            "reference_time": self.reference_time or None,
            "radius": self.radius,
            "window_days": self.window_days,
            "k": self.k,
        }


@dataclass(frozen=True)
class Question:
    """A named place in WGS 84; without a point the engine only warms up."""

    settings: Settings
    name: str = ""
    point: QgsPointXY | None = None


class QueryTask(JobTask):
    """One question, asked in another thread.

    Parameters
    ----------
    question : Question
    context : QgsCoordinateTransformContext
    """

    def __init__(self, question: Question, context: QgsCoordinateTransformContext) -> None:
        super().__init__(tr("Crime score"))
        self.question = question
        self._context = context

    def ask(self) -> dict[str, Any]:
        """Bring the place to the index's CRS, and ask."""
        params = self.question.settings.to_params()
        if self.question.point is not None:
            crs = QgsCoordinateReferenceSystem(self._index_crs())
            there = transform_point(self.question.point, QgsCoordinateReferenceSystem(WGS84), crs, self._context)
            if there is None:
                raise client.EngineError(
                    tr("This place cannot be brought to the index's coordinate system. Ask nearer to the data.")
                )
            params.update(x=there.x(), y=there.y())
        return self.call("query_score", params)

    def _index_crs(self) -> str:
        path = self.question.settings.index
        try:
            stat = Path(path).stat()
            key = (path, stat.st_mtime_ns, stat.st_size)
        except OSError:
            # The engine says in a sentence what is wrong with the file.
            key = (path, 0, 0)
        if key not in _crs:
            crs = str(self.call("index_info", {"index": path})["crs"])
            _crs.clear()
            _crs[key] = crs
        return _crs[key]


def _make_query(question: Question) -> QueryTask:
    return QueryTask(question, QgsProject.instance().transformContext())


class Asker(QObject):
    """Sends one question at a time; of those that come meanwhile only the last is asked.

    What is under way is not cancelled for another place with the same settings: it warms up what the next question
    needs, and its answer is dropped.

    Parameters
    ----------
    make_task : callable, optional
        Makes the task of a question; questions have `settings` and a `point`, which is None for one that only warms up.
    """

    started = pyqtSignal()
    progressed = pyqtSignal(float, str)
    #: A task that ended and was not overtaken.
    answered = pyqtSignal(object)
    #: Nothing is under way any more.
    idle = pyqtSignal()

    def __init__(self, make_task: Callable[[Any], JobTask] | None = None) -> None:
        super().__init__()
        self._make_task = make_task or _make_query
        # QGIS does not keep the Python side of a task alive.
        self._task: Any = None
        self._next: Any = None
        self._dropped = False

    @property
    def busy(self) -> bool:
        """Whether a question is under way."""
        return self._task is not None

    def ask(self, question: Any) -> None:
        """Ask; whatever was asked before and is not answered will not be."""
        if self._task is None:
            self._start(question)
            return
        # Warming up never overtakes a place.
        if question.point is None and self._next is not None and self._next.point is not None:
            return
        self._next = question
        # Nor does it take the answer away from one that is under way.
        if question.point is None and self._task.question.point is not None:
            return
        if self._task.question.settings != question.settings:
            self._task.cancel()

    def drop(self) -> None:
        """Forget every question; nothing more is told of them."""
        self._next = None
        if self._task is not None:
            self._dropped = True
            self._task.cancel()

    def _start(self, question: Any) -> None:
        self._dropped = False
        self._task = self._make_task(question)
        self._task.progressed.connect(self._progress)
        self._task.ended.connect(self._end)
        self.started.emit()
        QgsApplication.taskManager().addTask(self._task)

    def _progress(self, share: float, text: str) -> None:
        if not self._dropped:
            self.progressed.emit(share, text)

    def _end(self, task: JobTask) -> None:
        self._task = None
        following, self._next = self._next, None
        overtaken = self._dropped or (following is not None and following.point is not None)
        if not overtaken and not task.cancelled and (task.answer is not None or task.problem):
            self.answered.emit(task)
        if following is not None:
            self._start(following)
        else:
            self.idle.emit()
