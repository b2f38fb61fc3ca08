"""Photographs of a QGIS window, for the probes that run inside one (`qgis --code`); needs no pytest and no engine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from qgis.PyQt.QtCore import QElapsedTimer, QEventLoop, QTimer


def settle(milliseconds: int = 500) -> None:
    """Let QGIS draw."""
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()


def wait_for(condition: Callable[[], Any], seconds: float = 60) -> None:
    """Let QGIS work until something has happened."""
    clock = QElapsedTimer()
    clock.start()
    while not condition():
        if clock.elapsed() > seconds * 1000:
            raise TimeoutError("waited in vain")
        settle(20)


def draw(canvas: Any) -> None:
    """Let the map show what it is asked for now, however long that takes."""
    done: list[bool] = []

    def note() -> None:
        done.append(True)

    canvas.stopRendering()
    canvas.mapCanvasRefreshed.connect(note)
    canvas.refresh()
    try:
        wait_for(lambda: done)
    finally:
        canvas.mapCanvasRefreshed.disconnect(note)


def photograph(widget: Any, path: Path) -> None:
    """Save a PNG of a widget as the user sees it."""
    settle()
    widget.grab().save(str(path))
