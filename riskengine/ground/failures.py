"""Failures as sentences: whatever stops a piece of work, said so that a user can do something about it."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from .errors import Cancelled, CrimeRiskError, DataError, DependencyError, OutputError, ParameterError

_MEMORY_WORDS = ("can't allocate memory", "not enough memory", "out of memory", "unable to allocate")


def describe_failure(error: BaseException) -> str:
    """Say what stopped a piece of work, in one line."""
    known = as_known(error)
    return known.describe() if known is not None else f"It failed unexpectedly ({name_error(error)})."


def name_error(error: BaseException) -> str:
    """Name an error nobody foresaw: its kind, and what it says of itself."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}{': ' + text if text else ''}"


@contextmanager
def keep_going(warn: Callable[[str], None], what: str) -> Iterator[None]:
    """Turn whatever fails in the block, but a cancel, into a warning: hours of work must not be lost to it.

    Parameters
    ----------
    warn : callable
        Takes the sentence.
    what : str
        What is lost, and what is not, without its full stop.
    """
    try:
        yield
    except Cancelled:
        raise
    except Exception as error:
        warn(f"{what}. {describe_failure(error)}")


def as_known(error: BaseException) -> CrimeRiskError | None:
    """Return the error as one that has a sentence and a remedy; None for one that nobody foresaw."""
    if isinstance(error, CrimeRiskError):
        return error
    text = " ".join(str(error).split())
    if isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError) and any(words in text.lower() for words in _MEMORY_WORDS)
    ):
        return CrimeRiskError(
            f"The engine ran out of memory{f' ({text})' if text else ''}",
            remedy="Use a smaller area, larger cells or a shorter time, or close other programs",
        )
    if isinstance(error, ImportError):
        return DependencyError(
            f"A package of the engine cannot be imported ({text})",
            value=error.name,
            remedy="Open Crime Risk ▸ Set up engine… and update or repair it",
        )
    if isinstance(error, OSError):
        return _file_error(error, text)
    if type(error).__name__ == "ValidationError" and hasattr(error, "errors"):
        fault = error.errors()[0]
        name = ".".join(str(part) for part in fault["loc"]) or "parameters"
        return ParameterError(
            f"Parameter {name!r} is {fault.get('input')!r}: {fault['msg']}", parameter=name, value=fault.get("input")
        )
    return None


def _file_error(error: OSError, text: str) -> CrimeRiskError:
    name = error.filename
    if error.errno == errno.ENOSPC:
        return OutputError(
            f"The disk is full{f': {name} could not be written' if name else ''}",
            value=name,
            remedy="Free some space or choose another destination",
        )
    if isinstance(error, FileNotFoundError) and name:
        return DataError(f"The file {name} does not exist", value=name, remedy="Choose a file that exists")
    if isinstance(error, PermissionError) and name:
        return OutputError(
            f"{name} may not be opened ({error.strerror})",
            value=name,
            remedy="Choose a file and a folder you may use, and close programs that hold the file open",
        )
    return DataError(
        f"A file cannot be read or written ({text})", value=name, remedy="Check the file and the disk it is on"
    )
