"""What reading a table says: to the log, and kept as the notes of a study."""

from __future__ import annotations

from ...contract.texts import end_sentence
from ...ground.context import JobContext


class Told:
    """A job's log that keeps what was said; an empty sentence is none."""

    def __init__(self, context: JobContext) -> None:
        self.context = context
        self.notes: list[str] = []

    def note(self, sentence: str) -> None:
        """Log a sentence and keep it."""
        if sentence:
            self.context.log(sentence)
            self.notes.append(end_sentence(sentence))

    def warn(self, sentence: str) -> None:
        """Log a sentence as a warning and keep it."""
        if sentence:
            self.context.warn(sentence)
            self.notes.append(end_sentence(sentence))
