"""Every error a user can meet: one root, and a sentence that helps.

An error names the parameter, the value and the remedy, because it ends up in
a Processing log where the reader has nothing else to go by.
"""

from __future__ import annotations

from typing import Any


class CrimeRiskError(Exception):
    """Root of all errors of the engine.

    Parameters
    ----------
    problem : str
        What is wrong, as a sentence without its full stop.
    parameter : str, optional
        Name of the job parameter at fault.
    value : object, optional
        The offending value; only its text is kept.
    remedy : str, optional
        What to do about it, as a sentence without its full stop.
    """

    def __init__(
        self, problem: str, *, parameter: str | None = None, value: Any = None, remedy: str | None = None
    ) -> None:
        self.problem = problem
        self.parameter = parameter
        self.value = None if value is None else str(value)
        self.remedy = remedy
        super().__init__(self.describe())

    def describe(self) -> str:
        """Describe it on one line: problem, then remedy."""
        text = self.problem.rstrip(". ") + "."
        if self.remedy:
            text += " " + self.remedy.rstrip(". ") + "."
        # Names from files may hold halves of characters, which no log could write.
        return " ".join(text.split()).encode("utf-8", "backslashreplace").decode("utf-8")

    def to_dict(self) -> dict[str, str | None]:
        """The error as it travels over the worker's pipe."""
        return {
            "type": type(self).__name__,
            "message": self.describe(),
            "parameter": self.parameter,
            "value": self.value,
            "remedy": self.remedy,
        }


class ParameterError(CrimeRiskError, ValueError):
    """A parameter has a value that cannot work."""


class DataError(CrimeRiskError, ValueError):
    """The input was read, but what it holds cannot be used."""


class FormatError(CrimeRiskError, ValueError):
    """A file is truncated, foreign, or newer than this engine."""


class OutputError(CrimeRiskError, OSError):
    """A result cannot be written where it was asked for."""


class DependencyError(CrimeRiskError, ImportError):
    """An optional package of the engine is not installed."""


class Cancelled(CrimeRiskError):
    """The user asked to stop.

    Attributes
    ----------
    best : object or None
        What a training had reached, for whoever wants to keep it.
    """

    def __init__(self, problem: str = "Cancelled", best: Any = None) -> None:
        super().__init__(problem)
        self.best = best
