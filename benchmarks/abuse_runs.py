"""A qgis_process under way, with all that it has started: how the abuse benchmark watches and ends it."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import abuse_checks as checks
from common import make_qgis_environment

ORPHAN_SECONDS = 5.0
#: Nothing tried here takes longer undisturbed.
LONGEST_SECONDS = 120.0
POLL_SECONDS = 0.01


class Run:
    """A qgis_process under way."""

    def __init__(self, scratch: Path, algorithm: str, inputs: dict[str, Any], temporary: Path | None = None) -> None:
        self.mark = f"{os.getpid()}-{next(NUMBERS)}"
        self._log = scratch / f"log-{self.mark}"
        given = scratch / f"given-{self.mark}"
        given.write_text(json.dumps({"inputs": inputs}), encoding="utf-8")
        environment = make_qgis_environment() | {
            checks.MARK: self.mark,
            "QGIS_CUSTOM_CONFIG_PATH": str(scratch / "profile"),
            "TMPDIR": str(temporary or scratch / "tmp"),
            "LC_ALL": "C.UTF-8",
        }
        self.began = time.monotonic()
        with given.open() as source, self._log.open("w") as log:
            self.process = subprocess.Popen(
                ["qgis_process", "run", algorithm, "-"],
                stdin=source,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment,
                # A benchmark that a script starts in the background ignores SIGINT, and so would its children.
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            )

        RUNS.append(self)

    def age(self) -> float:
        return time.monotonic() - self.began

    def ended(self) -> bool:
        return self.process.poll() is not None

    def worker(self) -> int | None:
        """Process id of the engine's worker, once it is there."""
        for pid in _children(self.process.pid):
            with contextlib.suppress(OSError):
                if b"riskengine" in Path(f"/proc/{pid}/cmdline").read_bytes():
                    return pid
        return None

    def pool(self) -> int:
        """How many processes of a pool run."""
        return sum("multiprocessing.spawn" in command for command in checks.running(self.mark).values())

    def until(self, condition: Callable[[], Any]) -> bool:
        """Wait until something holds; False if the run ended before."""
        while not condition():
            if self.ended() or self.age() > LONGEST_SECONDS:
                return False
            time.sleep(POLL_SECONDS)
        return True

    def end(self) -> int | None:
        """Wait for the end: its exit code, None if it had to be ended."""
        try:
            return self.process.wait(max(LONGEST_SECONDS - self.age(), 1.0))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return None

    def orphans(self) -> list[str]:
        """What is still alive after the end; it is ended now."""
        end = time.monotonic() + ORPHAN_SECONDS
        while (alive := checks.running(self.mark)) and time.monotonic() < end:
            time.sleep(5 * POLL_SECONDS)
        for pid in alive:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return [command[-200:] for command in alive.values()]

    def said(self) -> str:
        """What it printed but for its results."""
        lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(line for line in lines if not line.startswith((" ", "{", "}")))


NUMBERS = itertools.count()
RUNS: list[Run] = []


def _children(pid: int) -> list[int]:
    children = []
    with contextlib.suppress(OSError):
        # A thread may have started it: each lists its own.
        for task in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(OSError):
                children += [int(child) for child in (task / "children").read_text().split()]
    return children


def take_stock(folder: Path) -> list[tuple[str, int, int]]:
    """What shows that something is being written; a reader, too, makes an empty journal."""
    seen = []
    for each in folder.iterdir():
        with contextlib.suppress(OSError):
            found = each.stat()
            if not (each.name.endswith("-shm") or (each.name.endswith("-wal") and not found.st_size)):
                seen.append((each.name, found.st_size, found.st_mtime_ns))
    return sorted(seen)


def is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True
