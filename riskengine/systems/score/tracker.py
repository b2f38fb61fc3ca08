"""Progress of several networks fitted at once: epoch, losses and time left, in one line."""

from __future__ import annotations

import threading
import time

from ...ground.context import JobContext
from .fitting import Curves, Watch

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
        self._told = 0.0
        self._lock = threading.Lock()

    def watch(self, number: int, name: str) -> Watch:
        """What the fitting of network `number` (from 0) calls after each epoch."""

        def told(curves: Curves, epochs: int) -> None:
            with self._lock:
                self._shares[number] = len(curves.development) / epochs
                self._tell(name, curves, epochs)

        return told

    def done(self, number: int) -> None:
        """Network `number` is fitted, perhaps before its last epoch."""
        with self._lock:
            self._shares[number] = 1.0

    def _tell(self, name: str, curves: Curves, epochs: int) -> None:
        now = time.perf_counter()
        if now - self._told < _PAUSE:
            self._context.check_cancelled()
            return
        self._told = now
        share = sum(self._shares) / len(self._shares)
        left = (now - self._started) * (1 - share) / max(share, 1e-6)
        text = (
            f"{name}, epoch {len(curves.development)} of {epochs}: train {curves.train[-1]:.4f},"
            f" development {curves.development[-1]:.4f}; {time_left(left)} left"
        )
        self._context.progress(share, text)


def time_left(seconds: float) -> str:
    """As people say it."""
    if seconds < 90:
        return f"about {max(1, round(seconds))} s"
    return f"about {round(seconds / 60)} min"
