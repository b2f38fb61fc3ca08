"""Contexts of jobs that keep what is said, and that cancel."""

from __future__ import annotations

from collections.abc import Callable

from riskengine.ground.context import JobContext


class Recorder(JobContext):
    """Keeps the log and the progress of a job, and can cancel it.

    Parameters
    ----------
    cancel_when : callable, optional
        Given this recorder after each report of progress; the job is cancelled once it returns True.

    Attributes
    ----------
    entries : list of (str, str)
        Level and message of what was logged.
    shares : list of float
    texts : list of str
        Share and text of each report of progress.
    """

    def __init__(self, cancel_when: Callable[[Recorder], bool] | None = None) -> None:
        super().__init__(self._keep_progress, lambda message, level: self.entries.append((level, message)))
        self.entries: list[tuple[str, str]] = []
        self.shares: list[float] = []
        self.texts: list[str] = []
        self._cancel_when = cancel_when

    def _keep_progress(self, share: float, text: str) -> None:
        self.shares.append(share)
        self.texts.append(text)
        if self._cancel_when is not None and self._cancel_when(self):
            self.cancelled.set()

    @property
    def messages(self) -> list[str]:
        """What was logged, of any level."""
        return [message for _, message in self.entries]

    @property
    def lines(self) -> list[str]:
        """What was logged, each behind its level."""
        return [f"{level}: {message}" for level, message in self.entries]

    @property
    def warnings(self) -> list[str]:
        """What was logged as a warning."""
        return [message for level, message in self.entries if level == "warning"]


def make_stopping_context(epoch: int) -> Recorder:
    """Make a context that cancels a training in the middle of an epoch."""
    return Recorder(lambda said: said.texts[-1].startswith(f"epoch {epoch} of"))


def make_cancelled_context() -> JobContext:
    """Make a context that is cancelled before the job begins."""
    context = JobContext()
    context.cancelled.set()
    return context
