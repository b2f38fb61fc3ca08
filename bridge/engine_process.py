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
from typing import IO, Any

from . import environment, processes


def encode(value: Any) -> bytes:
    """Encode JSON as the engine reads it: paths as text, and no number that is not finite."""
    return json.dumps(value, allow_nan=False, default=os.fspath).encode("ascii")


class EngineProcess:
    """A running ``python -m riskengine worker``."""

    def __init__(self) -> None:
        self.killed = False
        self.events: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
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

    def describe_end(self) -> tuple[int | None, list[str]]:
        """Describe exit code and the last five lines it wrote to stderr, once it has ended."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._popen.wait(2)
        for reader in self._readers:
            reader.join(1)
        return self._popen.poll(), list(self._words)[-5:]

    def _read_events(self, stream: IO[bytes]) -> None:
        with contextlib.suppress(OSError, ValueError):
            for line in stream:
                with contextlib.suppress(ValueError):
                    self.events.put(json.loads(line))
        self.events.put(None)

    def _read_words(self, stream: IO[bytes]) -> None:
        with contextlib.suppress(OSError, ValueError):
            while raw := stream.readline(65536):
                text = raw.decode("utf-8", "replace").rstrip()
                if text:
                    self._words.append(text)
