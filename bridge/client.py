"""Calling the engine: JSON lines over the pipes of a process of its own.

Two workers: ``batch`` for the algorithms, ``interactive`` for the dock, so that a training
run never holds up a question.  Usable without QGIS and without Qt, from any thread.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import queue
import re
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from . import environment
from .engine_process import EngineProcess, Nonsense, encode

Progress = Callable[[float, str], None]
Log = Callable[[str, str], None]

#: A job that was asked to stop has this long before its process is ended.
CANCEL_SECONDS = 1.0
START_SECONDS = 120.0
_POLL_SECONDS = 0.05
_IDLE_DEATH_SECONDS = 0.5
_TRY_AGAIN = f"Try again; if it happens again, repair the engine with {environment.MENU} and report this log"


class EngineError(Exception):
    """A job failed; the message is a sentence with a remedy.

    Attributes
    ----------
    type : str
        Name of the engine's error class; ``EngineDied`` if its process ended.
    parameter, value, remedy : str or None
    traceback : str
        Only for what nobody expected.
    """

    def __init__(
        self,
        message: str,
        type: str = "EngineError",
        parameter: str | None = None,
        value: str | None = None,
        remedy: str | None = None,
        traceback: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.type = type
        self.parameter = parameter
        self.value = value
        self.remedy = remedy
        self.traceback = traceback


class EngineMissing(EngineError):
    """The engine is not installed; the message says what is missing and how to install it."""


class EngineCancelled(Exception):
    """The user cancelled the job, or the engine was shut down."""


def call(
    job: str,
    params: Mapping[str, Any],
    *,
    on_progress: Progress | None = None,
    on_log: Log | None = None,
    is_cancelled: Callable[[], bool] | None = None,
    worker: str = "batch",
    outputs: Iterable[str | os.PathLike[str]] = (),
) -> dict[str, Any]:
    """Run one job in the engine and wait for its result.

    Parameters
    ----------
    job : str
    params : mapping
        JSON-able.
    on_progress : callable, optional
        Gets a share in [0, 1] and a text, in the calling thread.
    on_log : callable, optional
        Gets a message and a level (``info``, ``warning``, ``error``), in the calling thread.
    is_cancelled : callable, optional
        Asked about twenty times a second, also while waiting for the worker to be free.
    worker : {"batch", "interactive"}
    outputs : paths, optional
        Files the job writes; what is left half-written of them when it does not end well is removed.

    Raises
    ------
    EngineMissing, EngineError, EngineCancelled
    """
    return _WORKERS[worker].call(
        job, params, on_progress or _ignore, on_log or _ignore, is_cancelled or _never, list(outputs)
    )


def shutdown() -> None:
    """End all workers; calls under way raise `EngineCancelled`.  A later call starts them again."""
    for worker in _WORKERS.values():
        worker.shutdown()


def remove_partials(paths: Iterable[str | os.PathLike[str]], pid: int) -> None:
    """Remove what process `pid` left half-written of `paths`, with sidecar files.

    The names are those of ``riskengine.ground.artefacts.make_partial_name``; a test holds both together.
    """
    for path in map(Path, paths):
        name = re.compile(rf"\.{re.escape(path.stem)}\.[0-9a-f]{{6}}-{pid}\.partial.*")
        with contextlib.suppress(OSError):
            for entry in list(path.parent.iterdir()):
                if name.fullmatch(entry.name):
                    entry.unlink()


class Answer(dict[str, Any]):
    """The result of a job; asked for what it does not hold, it says so in a sentence.

    Parameters
    ----------
    job : str
    result : mapping
    """

    def __init__(self, job: str, result: Mapping[str, Any]) -> None:
        super().__init__(result)
        self._job = job

    def __missing__(self, key: str) -> Any:
        raise _make_nonsensical(self._job, f"its result has no {key!r}")


class _DiedIdle(Exception):
    """The process had died before the request reached it, or talks to itself."""


class _Worker:
    """A place where one job runs at a time; its process is started when needed."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._process: EngineProcess | None = None
        self._number = 0

    def call(
        self,
        job: str,
        params: Mapping[str, Any],
        on_progress: Progress,
        on_log: Log,
        is_cancelled: Callable[[], bool],
        outputs: list[str | os.PathLike[str]],
    ) -> dict[str, Any]:
        while not self._turn.acquire(timeout=_POLL_SECONDS):
            if is_cancelled():
                raise EngineCancelled("Cancelled.")
        try:
            while True:
                before = self._process
                process = self._ready(on_log, is_cancelled)
                try:
                    return self._run(process, job, params, on_progress, on_log, is_cancelled, process is before)
                except _DiedIdle:
                    continue
                except BaseException:
                    remove_partials(outputs, process.pid)
                    raise
        finally:
            self._turn.release()

    def shutdown(self) -> None:
        # Without waiting for the turn: a running job must end, too.
        process = self._process
        if process is not None and process.is_alive():
            process.close(CANCEL_SECONDS)

    def _ready(self, on_log: Log, is_cancelled: Callable[[], bool]) -> EngineProcess:
        """Return the living process, or start one and wait until it says so."""
        if self._process is not None:
            if self._process.is_alive() and self._process.python == environment.python_of_engine():
                return self._process
            self._process.kill()
        state = environment.read_status()
        if not state.ready:
            raise EngineMissing(state.problem, type="EngineMissing", remedy=environment.MENU)
        if state.outdated:
            on_log(state.problem, "warning")
        try:
            process = self._process = EngineProcess()
        except OSError as error:
            raise EngineMissing(
                f"The engine's Python {environment.python_of_engine()} cannot be started ({error.strerror or error}). "
                f"Repair it with {environment.MENU}",
                type="EngineMissing",
                remedy=environment.MENU,
            ) from error
        end = time.monotonic() + START_SECONDS
        said: list[str] = []
        late = False
        event: dict[str, Any] | Nonsense | None
        while True:
            if is_cancelled():
                process.kill()
                raise EngineCancelled("Cancelled.")
            try:
                event = process.events.get(timeout=_POLL_SECONDS)
            except queue.Empty:
                if time.monotonic() < end:
                    continue
                process.kill()
                event, late = None, True
            if event is None:
                if process.killed and time.monotonic() < end:
                    raise EngineCancelled("The engine was shut down.")
                code, words = process.end()
                raise EngineError(
                    f"The engine did not start ({_ended(None if late else code)}){_quoted([*said, *words])}."
                    f" Repair it with {environment.MENU}",
                    type="EngineDied",
                    remedy=environment.MENU,
                )
            if isinstance(event, Nonsense):
                # Before the engine has the pipe to itself, Python or a package may greet.
                said = [*said, event.text][-5:]
            elif event["event"] == "ready":
                return process

    def _run(
        self,
        process: EngineProcess,
        job: str,
        params: Mapping[str, Any],
        on_progress: Progress,
        on_log: Log,
        is_cancelled: Callable[[], bool],
        reused: bool,
    ) -> dict[str, Any]:
        self._number += 1
        number = self._number
        asked: float | None = None
        heard = False
        began = time.monotonic()
        try:
            if reused and not process.drain():
                process.kill()
                raise _DiedIdle
            try:
                process.send({"id": number, "job": job, "params": dict(params)})
            except (TypeError, ValueError) as error:
                raise _unsendable(job, params) from error
            while True:
                if asked is None and is_cancelled():
                    asked = time.monotonic()
                    process.send({"cancel": number})
                if asked is not None and time.monotonic() > asked + CANCEL_SECONDS:
                    process.kill()
                    raise EngineCancelled("Cancelled.")
                try:
                    event = process.events.get(timeout=_POLL_SECONDS)
                except queue.Empty:
                    continue
                if event is None:
                    # Death while idle may show only now: the job has not begun, and a new process can do it.
                    idle = reused and not heard and asked is None and not process.killed
                    if idle and time.monotonic() < began + _IDLE_DEATH_SECONDS:
                        process.kill()
                        raise _DiedIdle
                    raise self._ending(process, job, asked is not None)
                heard = True
                if isinstance(event, Nonsense):
                    process.kill()
                    raise _make_nonsensical(job, f"it said {event.text!r}")
                kind = event["event"]
                # A request that the engine cannot read has no number there.
                if event.get("id") != number and not (kind == "error" and event.get("id") is None):
                    continue
                if kind == "progress":
                    on_progress(event["value"], event["text"])
                elif kind == "log":
                    on_log(event["message"], event["level"])
                elif kind == "result":
                    return Answer(job, event["result"])
                elif kind == "error":
                    raise _exception_of(event, asked is not None)
        except (EngineError, EngineCancelled, _DiedIdle):
            raise
        except BaseException:
            # The caller's own callback failed: nobody waits for this job any more.
            process.kill()
            raise

    def _ending(self, process: EngineProcess, job: str, cancelled: bool) -> Exception:
        by_us = process.killed
        code, words = process.end()
        if by_us or cancelled:
            return EngineCancelled("The engine was shut down." if by_us else "Cancelled.")
        if code == -9:
            why = "the system ended it, most likely because it ran out of memory"
            remedy = "Use a smaller area, larger cells or a shorter time, or close other programs"
        else:
            why, remedy = _ended(code), _TRY_AGAIN
        return EngineError(
            f"The engine ended during {job!r}: {why}{_quoted(words)}. {remedy}.", type="EngineDied", remedy=remedy
        )


def _unsendable(job: str, params: Mapping[str, Any]) -> EngineError:
    """Name what JSON cannot carry: a number that is not finite, or an object of no known kind."""

    def carried(value: Any) -> bool:
        try:
            encode(value)
        except (TypeError, ValueError):
            return False
        return True

    name = next((name for name, value in params.items() if not carried(value)), "params")
    value = f"{params.get(name)!r:.60}"
    return EngineError(
        f"{name!r} of the job {job!r} is {value}: the engine cannot be given that. Choose a finite number, a text or "
        "a list of them.",
        type="ParameterError",
        parameter=name,
        value=value,
        remedy="Choose a finite number, a text or a list of them",
    )


def _make_nonsensical(job: str, what: str) -> EngineError:
    return EngineError(
        f"The engine gave no answer that makes sense to {job!r}: {what}. {_TRY_AGAIN}.",
        type="EngineNonsense",
        remedy=_TRY_AGAIN,
    )


def _exception_of(event: Mapping[str, Any], cancelled: bool) -> Exception:
    error = {name: None if value is None else str(value) for name, value in event["error"].items()}
    if cancelled or error.get("type") == "Cancelled":
        return EngineCancelled("Cancelled.")
    return EngineError(
        error.get("message") or "The engine failed without a reason.",
        type=error.get("type") or "EngineError",
        parameter=error.get("parameter"),
        value=error.get("value"),
        remedy=error.get("remedy"),
        traceback=str(event.get("traceback") or ""),
    )


def _ended(code: int | None) -> str:
    if code is None:
        return "it does not answer"
    if code < 0:
        return f"signal {-code}"
    return f"exit code {code:#x}" if sys.platform == "win32" and code > 255 else f"exit code {code}"


def _quoted(words: list[str]) -> str:
    return f"; its last words: {' | '.join(words).rstrip('. ')}" if words else ""


def _ignore(*_: Any) -> None:
    return None


def _never() -> bool:
    return False


_WORKERS = {"batch": _Worker(), "interactive": _Worker()}
atexit.register(shutdown)
