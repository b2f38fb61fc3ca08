"""One life of a worker: its process, its events and its last words."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import tempfile
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO, Any

from . import environment, processes


def encode(value: Any) -> bytes:
    """Encode JSON as the engine reads it: paths as text, and no number that is not finite."""
    return json.dumps(value, allow_nan=False, default=os.fspath).encode("ascii")


#: Children of a process that has ended are given this long to see it; they mostly take a tenth of a second.
_SECONDS_TO_TIDY = 15.0
#: No event is longer; what is, is no line of the engine's.
LONGEST_LINE = 1 << 28
#: Python's word on semaphores whose owner was ended by force; it has removed them, and nobody is helped by it.
_OF_TRACKER = "resource_tracker: There appear to be"
#: What each kind of event holds, and of which type.
_HOLDS: dict[str, dict[str, type | tuple[type, ...]]] = {
    "ready": {},
    "progress": {"value": (int, float), "text": str},
    "log": {"message": str, "level": str},
    "result": {"result": dict},
    "error": {"error": dict},
}


@dataclass(frozen=True)
class Nonsense:
    """Something on the pipe that is no event; the pipe is the engine's own, so nobody else said it.

    Attributes
    ----------
    text : str
        Its beginning, for a sentence.
    """

    text: str


def read_event(line: bytes) -> dict[str, Any] | Nonsense:
    """Read a line of the pipe, which may hold anything: whatever is no whole event of a known kind is nonsense."""
    try:
        event = json.loads(line, parse_constant=_refuse_constant)
    # Brackets within brackets without end are too deep for the reader.
    except (ValueError, RecursionError):
        return _make_nonsense(line)
    holds = _HOLDS.get(str(event.get("event"))) if isinstance(event, dict) else None
    if holds is None or not all(isinstance(event.get(name), kind) for name, kind in holds.items()):
        return _make_nonsense(line)
    return event


def _refuse_constant(name: str) -> float:
    raise ValueError(name)


def _make_nonsense(line: bytes) -> Nonsense:
    text = "".join(each if each.isprintable() else "?" for each in line[:60].decode("utf-8", "replace").strip())
    return Nonsense(text)


class EngineProcess:
    """A running ``python -m riskengine worker``."""

    def __init__(self) -> None:
        self.killed = False
        #: None ends them.
        self.events: queue.SimpleQueue[dict[str, Any] | Nonsense | None] = queue.SimpleQueue()
        self._words: deque[str] = deque(maxlen=50)
        self._write_lock = threading.Lock()
        self.python = environment.python_of_engine()
        self._popen = subprocess.Popen(
            [str(self.python), "-m", "riskengine", "worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment.make_child_environment(),
            # Not the user's current folder: it could hold modules of the same names, or vanish.
            cwd=tempfile.gettempdir(),
            **processes.make_popen_options(),
        )
        assert self._popen.stdin
        assert self._popen.stdout
        assert self._popen.stderr
        self._stdin: IO[bytes] = self._popen.stdin
        self._readers = [
            threading.Thread(target=self._read_events, args=(self._popen.stdout,), daemon=True),
            threading.Thread(target=self._read_words, args=(self._popen.stderr,), daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    @property
    def pid(self) -> int:
        return self._popen.pid

    def is_alive(self) -> bool:
        return self._popen.poll() is None and not self.killed

    def send(self, request: Mapping[str, Any]) -> None:
        """Write one request; a process that is gone shows as the end of its events.

        Raises
        ------
        TypeError, ValueError
            If JSON cannot carry the request; nothing was written then.
        """
        line = encode(request) + b"\n"
        with self._write_lock, contextlib.suppress(OSError, ValueError):
            self._stdin.write(line)
            self._stdin.flush()

    def kill(self) -> None:
        self.killed = True
        processes.kill_tree(self._popen)

    def close(self, seconds: float) -> None:
        """Ask it to end, and see to it."""
        self.killed = True
        self.send({"shutdown": True})
        with self._write_lock, contextlib.suppress(OSError):
            self._stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._popen.wait(seconds)
        processes.kill_tree(self._popen)

    def drain(self) -> bool:
        """Forget what it has said since the last job; returns whether it can be given another one."""
        while True:
            try:
                event = self.events.get_nowait()
            except queue.Empty:
                return True
            if not isinstance(event, dict):
                return False

    def end(self) -> tuple[int | None, list[str]]:
        """See it end, with whatever it started; returns its exit code and the last five lines it wrote to stderr."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._popen.wait(2)
        code = self._popen.poll()
        if code is not None:
            # Its children see that, and remove what it left behind; those that have only begun to start take seconds.
            processes.wait_for_group(self._popen, _SECONDS_TO_TIDY)
        self.kill()
        for reader in self._readers:
            reader.join(1)
        return code, list(self._words)[-5:]

    def _read_events(self, stream: IO[bytes]) -> None:
        try:
            while line := stream.readline(LONGEST_LINE):
                self.events.put(read_event(line))
        except (OSError, ValueError, MemoryError):
            # The end of the events says it all.
            pass
        finally:
            self.events.put(None)

    def _read_words(self, stream: IO[bytes]) -> None:
        with contextlib.suppress(OSError, ValueError):
            while raw := stream.readline(65536):
                text = raw.decode("utf-8", "replace").rstrip()
                if text and _OF_TRACKER not in text:
                    self._words.append(text)
