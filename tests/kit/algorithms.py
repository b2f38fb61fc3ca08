"""Running the plugin's algorithms as a user does: what comes out, what is said, and what is refused."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from qgis.core import (
    QgsApplication,
    QgsMapLayer,
    QgsProcessingAlgRunnerTask,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingUtils,
    QgsProject,
)
from qgis.PyQt.QtCore import QEventLoop, QTimer

#: The beginning and the end of a script in a QGIS of its own, whose first argument is the plugin's folder.
_BEGIN = """
import json, os, sys
from qgis.core import QgsApplication, QgsProject
application = QgsApplication([], False)
application.initQgis()
sys.path[:0] = [sys.argv[1], "/usr/share/qgis/python/plugins"]
from processing.core.Processing import Processing
Processing.initialize()
import processing
from crime_risk import classFactory
plugin = classFactory(None)
plugin.initProcessing()
"""
_END = """
print("RESULT " + json.dumps(result), flush=True)
plugin.unload()
os._exit(0)
"""


class Log(QgsProcessingFeedback):
    """Keeps what is said, and can cancel: after so many reports of progress, or at so many percent.

    How many reports there are depends on the machine's speed; where the moment matters it is told by the percentage.
    """

    def __init__(self, cancel_after: int | None = None, cancel_at: float | None = None) -> None:
        super().__init__(False)
        self.lines: list[str] = []
        self.warnings: list[str] = []
        self.errors: list[str] = []
        self.calls = 0
        self.highest = 0.0
        self.cancel_after = cancel_after
        self.cancel_at = cancel_at

    def setProgress(self, progress: float) -> None:  # noqa: N802
        self.calls += 1
        self.highest = max(self.highest, progress)
        if self.cancel_after is not None and self.calls > self.cancel_after:
            self.cancel()
        if self.cancel_at is not None and progress >= self.cancel_at:
            self.cancel()
        super().setProgress(progress)

    def pushInfo(self, info: str) -> None:  # noqa: N802
        self.lines.append(info)

    def pushWarning(self, warning: str) -> None:  # noqa: N802
        self.lines.append(warning)
        self.warnings.append(warning)

    def reportError(self, error: str, fatalError: bool = False) -> None:  # noqa: N802, N803
        self.errors.append(error)

    @property
    def text(self) -> str:
        """Everything but the errors."""
        return "\n".join(self.lines)


@dataclass
class Ran:
    """Results of an algorithm and what it said."""

    results: dict[str, Any]
    log: Log

    def __getitem__(self, name: str) -> Any:
        return self.results[name]

    def layer(self, name: str = "OUTPUT") -> QgsMapLayer:
        """The layer as Processing gives it to the project."""
        value = self.results[name]
        if isinstance(value, QgsMapLayer):
            return value
        return QgsProcessingUtils.mapLayerFromString(value, self.log.context)  # type: ignore[attr-defined]


def _full(algorithm: str) -> str:
    return algorithm if ":" in algorithm else f"crimerisk:{algorithm}"


def run_algorithm(algorithm: str, log: Log | None = None, **parameters: Any) -> Ran:
    """Run an algorithm as from the Python console."""
    import processing

    log = log or Log()
    context = QgsProcessingContext()
    context.setProject(QgsProject.instance())
    # Kept alive with the results: the layers in them belong to the context.
    log.context = context  # type: ignore[attr-defined]
    results = processing.run(_full(algorithm), parameters, context=context, feedback=log)
    return Ran(results, log)


def read_refusal(algorithm: str, log: Log | None = None, **parameters: Any) -> str:
    """Read the sentences with which an algorithm is refused; no traceback among them."""
    log = log or Log()
    with pytest.raises(QgsProcessingException) as caught:
        run_algorithm(algorithm, log, **parameters)
    said = "\n".join([str(caught.value), *log.errors])
    assert "Traceback" not in said, said
    return said


def run_in_background(algorithm: str, parameters: dict[str, Any], log: Log) -> tuple[bool, Ran]:
    """Run an algorithm as the toolbox does, for a minute at most: whether it went well, and what came out."""
    one = QgsApplication.processingRegistry().algorithmById(_full(algorithm)).create()
    context = QgsProcessingContext()
    context.setProject(QgsProject.instance())
    log.context = context  # type: ignore[attr-defined]
    task = QgsProcessingAlgRunnerTask(one, parameters, context, log)
    ended: list[tuple[bool, dict[str, Any]]] = []
    loop = QEventLoop()
    task.executed.connect(lambda fine, results: (ended.append((fine, results)), loop.quit()))
    QTimer.singleShot(60_000, loop.quit)
    QgsApplication.taskManager().addTask(task)
    loop.exec()
    assert ended, "the task did not end within a minute"
    fine, results = ended[0]
    return fine, Ran(results, log)


def run_script(lines: str, *arguments: Path, **environment: str) -> Any:
    """Run lines in a QGIS of its own, in which `processing` knows the algorithms; returns what they call `result`.

    The folder in which the plugin lies as ``crime_risk`` is the first argument, `sys.argv[1]`.
    """
    done = subprocess.run(
        [sys.executable, "-c", _BEGIN + lines + _END, *map(str, arguments)],
        env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"} | environment,
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    results = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    assert results, done.stderr
    return json.loads(results[0].removeprefix("RESULT "))
