"""The engine's process: requests in, events out, as JSON lines over its pipes.

Requests: ``{"id": 1, "job": "score_points", "params": {…}}``, ``{"cancel": 1}``,
``{"shutdown": true}``.  Events carry the request's ``id`` and an ``event``: ``progress``
(``value``, ``text``), ``log`` (``level``, ``message``), ``result`` (``result``) or ``error``
(``error``, ``traceback``).  The first line is ``{"event": "ready", …}``.

Nothing heavy is imported before a job asks for it.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import queue
import sys
import threading
import time
import traceback
from collections.abc import Mapping
from typing import IO, Any

from . import __version__
from .ground.context import JobContext
from .ground.errors import CrimeRiskError, ParameterError
from .ground.failures import as_known, name_error

#: Progress is told at most this often; what nobody could read in between is left out.
PROGRESS_SECONDS = 0.05
#: How long a job may go on after the parent has died.
GRACE_SECONDS = 1.0


def to_jsonable(value: Any) -> Any:
    """Make a job's result valid JSON: numpy values become plain ones, NaN and infinity become null."""
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): to_jsonable(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [to_jsonable(item) for item in value]
    if hasattr(value, "dtype") and hasattr(value, "tolist"):
        if getattr(value.dtype, "kind", "") in "mM":
            value = value.astype(str)
            return to_jsonable(value.tolist() if value.ndim else (None if str(value) == "NaT" else str(value)))
        return to_jsonable(value.tolist())
    if hasattr(value, "isoformat"):
        return value.isoformat()
    # A stray type must not cost the user the result of a long training.
    return str(value)


def describe_error(error: BaseException, job: str) -> dict[str, Any]:
    """Describe an error to the user: type, one sentence, parameter, value, remedy; a traceback if it is unexpected."""
    known = as_known(error)
    if known is not None:
        return {"error": known.to_dict()}
    unexpected = CrimeRiskError(
        f"The job {job!r} failed unexpectedly ({name_error(error)})",
        remedy="Please report it together with this log",
    )
    return {
        "error": {**unexpected.to_dict(), "type": type(error).__name__},
        "traceback": "".join(traceback.format_exception(error)),
    }


def take_streams() -> tuple[IO[bytes], IO[bytes]]:
    """Take stdin and stdout away from everybody else.

    Whatever a library prints to stdout ends up on stderr and cannot corrupt the
    protocol.  Stdin becomes empty: on Windows a library that merely looks at a stdin on
    which a thread waits would hang.
    """
    sys.stdout.flush()
    source = os.fdopen(os.dup(0), "rb")
    sink = os.fdopen(os.dup(1), "wb")
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.close(empty)
    os.dup2(2, 1)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)
    return source, sink


class Channel:
    """Writes events, and thins out progress without losing the last word of it.

    Parameters
    ----------
    sink : binary file
        Where the lines go.
    """

    def __init__(self, sink: IO[bytes]) -> None:
        self._sink = sink
        self._lock = threading.Lock()
        self._pending: dict[str, Any] | None = None
        self._due = 0.0
        self._wake = threading.Event()
        threading.Thread(target=self._tick, name="progress", daemon=True).start()

    def send(self, event: Mapping[str, Any]) -> None:
        """Write one event, after any progress that still waits."""
        with self._lock:
            self._flush()
            self._write(event)

    def progress(self, identity: Any, value: float, text: str) -> None:
        """Report progress; within `PROGRESS_SECONDS` only the newest is told."""
        with self._lock:
            self._pending = {"id": identity, "event": "progress", "value": round(float(value), 6), "text": text}
            if time.monotonic() >= self._due:
                self._flush()
            else:
                self._wake.set()

    def _tick(self) -> None:
        while True:
            self._wake.wait()
            time.sleep(PROGRESS_SECONDS)
            with self._lock:
                self._wake.clear()
                self._flush()

    def _flush(self) -> None:
        if self._pending is not None:
            event, self._pending = self._pending, None
            self._due = time.monotonic() + PROGRESS_SECONDS
            self._write(event)

    def _write(self, event: Mapping[str, Any]) -> None:
        # ASCII with escapes is UTF-8 too, and carries file names that are not valid text.
        line = json.dumps(to_jsonable(event), allow_nan=False).encode("ascii") + b"\n"
        # A reader that is gone shows as the end of stdin, which ends the worker.
        with contextlib.suppress(OSError, ValueError):
            self._sink.write(line)
            self._sink.flush()


class Worker:
    """Runs requested jobs one after the other in the main thread, while a thread listens.

    Parameters
    ----------
    source, sink : binary file
        Requests come from `source`, events go to `sink`.
    """

    def __init__(self, source: IO[bytes], sink: IO[bytes]) -> None:
        self._source = source
        self._channel = Channel(sink)
        self._requests: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._cancels: dict[Any, threading.Event] = {}
        self._lock = threading.Lock()

    def serve(self) -> None:
        """Work until asked to stop or until stdin ends."""
        self._channel.send({"event": "ready", "version": __version__, "pid": os.getpid()})
        threading.Thread(target=self._listen, name="requests", daemon=True).start()
        while (request := self._requests.get()) is not None:
            self._work(request)

    def _listen(self) -> None:
        for line in self._source:
            try:
                request = json.loads(line)
                if not isinstance(request, dict):
                    raise ValueError("not an object")
                # It stands in a table of the jobs under way.
                if not all(isinstance(request.get(key), int | str | None) for key in ("id", "cancel")):
                    raise ValueError("a request's number is no number")
            except (ValueError, RecursionError) as error:
                self._refuse(None, f"A request is not a line of JSON ({error})")
                continue
            if "cancel" in request:
                with self._lock:
                    event = self._cancels.get(request["cancel"])
                if event is not None:
                    event.set()
            elif request.get("shutdown"):
                break
            elif isinstance(request.get("job"), str) and isinstance(request.get("params", {}), dict):
                with self._lock:
                    self._cancels[request.get("id")] = threading.Event()
                self._requests.put(request)
            else:
                self._refuse(request.get("id"), "A request needs a job's name and an object of params")
        self._end()

    def _refuse(self, identity: Any, problem: str) -> None:
        self._channel.send({"id": identity, "event": "error", "error": ParameterError(problem).to_dict()})

    def _end(self) -> None:
        with self._lock:
            for event in self._cancels.values():
                event.set()
        self._requests.put(None)
        # Nobody is left who could use a job that does not listen.
        timer = threading.Timer(GRACE_SECONDS, os._exit, (1,))
        timer.daemon = True
        timer.start()

    def _work(self, request: dict[str, Any]) -> None:
        identity = request.get("id")
        job = request["job"]
        channel = self._channel
        context = JobContext(
            on_progress=lambda share, text: channel.progress(identity, share, text),
            on_log=lambda message, level: channel.send(
                {"id": identity, "event": "log", "level": level, "message": message}
            ),
            cancelled=self._cancels[identity],
        )
        answer: dict[str, Any]
        try:
            from .jobs import run_job

            context.check_cancelled()
            answer = {"event": "result", "result": run_job(job, request.get("params", {}), context)}
        except (Exception, SystemExit) as error:
            if not isinstance(error, CrimeRiskError):
                traceback.print_exc()
            answer = {"event": "error", **describe_error(error, job)}
        with self._lock:
            self._cancels.pop(identity, None)
        channel.send({"id": identity, **answer})


def main() -> int:
    """Serve over this process's own stdin and stdout."""
    source, sink = take_streams()
    with contextlib.suppress(KeyboardInterrupt):
        Worker(source, sink).serve()
    sys.stderr.flush()
    # The listening thread may still sit in a read: leaving the ordinary way could wait for it.
    os._exit(0)
