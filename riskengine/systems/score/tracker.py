"""Progress of several networks fitted at once: epoch, losses and time left, in one line."""

from __future__ import annotations

import threading
import time

from ...ground.context import JobContext
from ...learning.loop import Curves, format_time_left
from .fitting import Watch

#: Seconds between two lines, so that quick epochs do not flood the log.
_PAUSE = 0.3


class Tracker:
    """Turns the epochs of several networks into one progress.

    Parameters
    ----------
    context : JobContext
    networks : int
        How many will be fitted.
    """

    def __init__(self, context: JobContext, networks: int) -> None:
        self._context = context
        self._shares = [0.0] * networks
        self._started = time.perf_counter()
        self._reported = 0.0
        self._lock = threading.Lock()

    def watch(self, number: int, name: str) -> Watch:
        """Make what the fitting of network `number` (from 0) calls after each epoch."""

        def report(curves: Curves, epochs: int) -> None:
            with self._lock:
                self._shares[number] = len(curves.validation) / epochs
                self._report(name, curves, epochs)

        return report

    def count_fitted(self, number: int) -> None:
        """Count network `number` as fitted, perhaps before its last epoch."""
        with self._lock:
            self._shares[number] = 1.0

    def _report(self, name: str, curves: Curves, epochs: int) -> None:
        now = time.perf_counter()
        if now - self._reported < _PAUSE:
            self._context.check_cancelled()
            return
        self._reported = now
        share = sum(self._shares) / len(self._shares)
        text = (
            f"{name}, epoch {len(curves.validation)} of {epochs}: train {curves.loss[-1]:.4f},"
            f" development {curves.validation[-1]:.4f}; {format_time_left(now - self._started, share)} left"
        )
        self._context.progress(share, text)
