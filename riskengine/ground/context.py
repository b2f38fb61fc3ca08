"""What a running job may say and must listen to: progress, log, cancel."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ..contract.texts import clean_text, end_sentence
from .errors import Cancelled


class JobContext:
    """Progress, log and cancel of one running job.

    The default one says nothing and is never cancelled, so every function of
    the engine can be called from a script without further ado.

    Parameters
    ----------
    on_progress : callable, optional
        Called with a share in [0, 1] and a short text (may be empty).
    on_log : callable, optional
        Called with a message and a level: ``info``, ``warning`` or ``error``.
    cancelled : threading.Event, optional
        Set by somebody else when the job should stop.
    """

    def __init__(
        self,
        on_progress: Callable[[float, str], None] | None = None,
        on_log: Callable[[str, str], None] | None = None,
        cancelled: threading.Event | None = None,
    ) -> None:
        self._on_progress = on_progress
        self._on_log = on_log
        self.cancelled = cancelled or threading.Event()
        self._span = (0.0, 1.0)

    def progress(self, share: float, text: str = "") -> None:
        """Report a share in [0, 1] of the current step; raises `Cancelled` when asked to stop."""
        self.check_cancelled()
        if self._on_progress is not None:
            low, high = self._span
            self._on_progress(low + (high - low) * min(max(share, 0.0), 1.0), clean_text(text))

    def log(self, message: str, level: str = "info") -> None:
        """Tell the user something worth keeping, in sentences; a stop at the end that is left out is added."""
        if self._on_log is not None:
            self._on_log(end_sentence(clean_text(message)), level)

    def warn(self, message: str) -> None:
        """Log with level ``warning``."""
        self.log(message, "warning")

    def check_cancelled(self) -> None:
        """Raise `Cancelled` if the user asked to stop."""
        if self.cancelled.is_set():
            raise Cancelled()

    @contextmanager
    def step(self, low: float, high: float) -> Iterator[None]:
        """Within the block, progress 0 to 1 covers only `low` to `high` of the whole."""
        outer = self._span
        span = outer[1] - outer[0]
        self._span = (outer[0] + span * low, outer[0] + span * high)
        try:
            yield
        finally:
            self._span = outer
