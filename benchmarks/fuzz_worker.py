"""Altered lines to a living worker, each of them an input: it is answered as our protocol says, or refused by us."""

from __future__ import annotations

import json
import os
import random
import select
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.common import ROOT
from riskengine.ground import errors
from riskengine.ground.errors import CrimeRiskError

sys.path.insert(0, str(ROOT / "tests"))
from kit.mutations import alter_bytes, alter_description

FILES = ROOT / "tests" / "contracts" / "files" / "0.3.0"
#: A line is answered within so many seconds, the worker's start included.
SECONDS = 45.0
#: Names of the errors that are ours.
OURS = {name for name, each in vars(errors).items() if isinstance(each, type) and issubclass(each, CrimeRiskError)}
_EVENTS = {"progress", "log", "result", "error"}


class WorkerFailed(Exception):
    """The worker died, hangs, or answers with something that is not ours."""


class FuzzedWorker:
    """A worker that is sent one line after the other, started anew when it has died.

    Parameters
    ----------
    folder : path
        In which it works.
    """

    def __init__(self, folder: Path) -> None:
        # Deep enough that no altered path leads out of it.
        self._folder = folder / "w" / "o" / "r" / "k"
        self._folder.mkdir(parents=True, exist_ok=True)
        self._process: subprocess.Popen[bytes] | None = None
        self._buffer = b""
        self._asked = 0

    def ask(self, line: bytes) -> list[dict[str, Any]]:
        """Send a line, and read what it says until it has answered the next one, which is always the same.

        Raises
        ------
        WorkerFailed
        """
        process = self._start()
        self._asked += 1
        last = f"last {self._asked}"
        assert process.stdin is not None
        after = json.dumps({"id": last, "job": "index_info", "params": {"index": ""}}).encode()
        try:
            process.stdin.write(line + b"\n" + after + b"\n")
            events: list[dict[str, Any]] = []
            until = time.monotonic() + SECONDS
            while True:
                event = self._read(until)
                if event.get("id") == last:
                    check_event(event)
                    return events
                events.append(event)
        except (OSError, WorkerFailed) as error:
            self.stop()
            raise error if isinstance(error, WorkerFailed) else WorkerFailed(f"the worker died ({error})") from error

    def _start(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            environment = {**os.environ, "PYTHONPATH": str(ROOT)}
            self._process = subprocess.Popen(
                [sys.executable, "-m", "riskengine", "worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=self._folder,
                env=environment,
                bufsize=0,
            )
            self._buffer = b""
            if self._read(time.monotonic() + SECONDS).get("event") != "ready":
                raise WorkerFailed("the worker does not say that it is ready")
        return self._process

    def _read(self, until: float) -> dict[str, Any]:
        assert self._process is not None
        assert self._process.stdout is not None
        while b"\n" not in self._buffer:
            ready, _, _ = select.select([self._process.stdout], [], [], max(until - time.monotonic(), 0))
            if not ready:
                raise WorkerFailed(f"no answer within {SECONDS:g} s")
            more = os.read(self._process.stdout.fileno(), 1 << 16)
            if not more:
                raise WorkerFailed("the worker died")
            self._buffer += more
        line, self._buffer = self._buffer.split(b"\n", 1)
        try:
            event = json.loads(line)
        except ValueError:
            raise WorkerFailed(f"it says {line[:80]!r}, which is no line of JSON") from None
        if not isinstance(event, dict):
            raise WorkerFailed(f"it says {line[:80]!r}, which is no event")
        return event

    def stop(self) -> None:
        """End the worker."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._process = None


def check_event(event: dict[str, Any]) -> None:
    """Refuse an event that is none of the protocol, or an error that is not ours.

    Raises
    ------
    WorkerFailed
    """
    if event.get("event") not in _EVENTS:
        raise WorkerFailed(f"{event.get('event')} is no event")
    if event["event"] != "error":
        return
    error = event["error"]
    if "traceback" in event or error["type"] not in OURS:
        raise WorkerFailed(f"an error that is not ours: {error['type']}: {error['message']}")


def is_cancel(line: bytes) -> bool:
    """Say whether a line cancels something, which is not answered."""
    try:
        return "cancel" in json.loads(line)
    except (ValueError, TypeError):
        return False


def make_line(dice: random.Random, folder: Path) -> bytes:
    """Make an altered request for one of the quick jobs; neither the end of the worker nor a line end is in it."""
    index, grids = str(FILES / "city.crimeindex"), str(folder / "grids.tif")
    requests: tuple[tuple[str, dict[str, Any]], ...] = (
        ("index_info", {"index": index}),
        ("query_score", {"index": index, "x": 500_000.0, "y": 5_318_000.0, "radius": 300.0, "k": 3}),
        ("classify", {"risk": grids, "output": "classes.tif", "percentiles": [50.0, 90.0], "over": "stack"}),
        ("import_csv", {"path": str(folder / "rows.csv"), "folder": ".", "output": "made.gpkg"}),
        ("score_points", {"index": index, "grid": {"spacing": 400.0}, "radius": 300.0, "output": "scores.npz"}),
    )
    while True:
        job, given = dice.choice(requests)
        request = {"id": dice.choice((1, "one", None)), "job": job, "params": given}
        if dice.random() < 0.7:
            changed = {**request, "params": alter_description(given, dice)}
        else:
            changed = alter_description(request, dice)
        if isinstance(changed, dict) and changed.get("shutdown"):
            continue
        line = json.dumps(changed).encode()
        return (alter_bytes(line, dice) if dice.random() < 0.3 else line).replace(b"\n", b" ")
