"""Processes that run folds: started afresh (spawn), so that it works alike on every system.

They read the stack from a file that each sees as an array, and leave their forecasts in files: nothing large goes
through a pipe, and the system keeps one copy of the stack in memory for all of them.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from multiprocessing.connection import wait
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from ..contract.forecasters import title_of
from ..contract.texts import count_text
from ..ground.context import JobContext
from ..ground.errors import Cancelled
from ..maps.panel import Extras, Panel
from .task import Outcome, Task, attempt

if TYPE_CHECKING:
    from typing_extensions import Self

#: How often progress and cancel are checked.
_POLL_SECONDS = 0.1
#: A process that does not listen is given this long after a cancel.
_GRACE = 0.7
#: Tasks handed out beyond those that run: forecasts not yet collected lie on disk.
_AHEAD = 2


class PoolBroken(Exception):
    """A process ended without an answer.

    Attributes
    ----------
    began : bool
        False when none got as far as to take a task: processes cannot be started here, as from a script without
        ``if __name__ == "__main__"``.
    """

    def __init__(self, began: bool) -> None:
        super().__init__(began)
        self.began = began


class Pool:
    """A few processes with one stack; a context manager.

    Parameters
    ----------
    workers : int
    folder : path
        Where stack and forecasts lie.
    heatmaps : Panel
    tasks : int
        In all, for their progress.
    """

    def __init__(self, workers: int, folder: Path, heatmaps: Panel, tasks: int) -> None:
        self._workers, self._folder = workers, folder
        spawn = multiprocessing.get_context("spawn")
        self._cancel = spawn.Event()
        # One more, in which a process says that it has begun.
        self._shares = spawn.Array("d", tasks + 1, lock=False)
        counts, channels = folder / "counts.npy", folder / "channels.npy"
        if not counts.exists():
            np.save(counts, heatmaps.counts, allow_pickle=False)
            np.save(channels, heatmaps.extras.channels, allow_pickle=False)
        extras = replace(heatmaps.extras, channels=Extras().channels)
        shell = replace(heatmaps, counts=heatmaps.counts[:0], extras=extras)
        self._pool = ProcessPoolExecutor(
            workers, mp_context=spawn, initializer=_begin, initargs=(str(folder), shell, self._shares, self._cancel)
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        if kind is not None:
            self._cancel.set()
            # One that is still starting does not listen yet; nobody wants what they would give.
            for process in list((getattr(self._pool, "_processes", None) or {}).values()):
                process.terminate()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def map(self, tasks: Sequence[Task], start: int, context: JobContext, total: int) -> Iterator[Outcome]:
        """Outcomes of ``tasks[start:]`` in order.

        Raises
        ------
        PoolBroken
            If a process ended without an answer: that of the first task not yielded, or one after it.
        Cancelled
        """
        waiting: list[tuple[int, Future[Any]]] = []
        following = start
        try:
            while waiting or following < len(tasks):
                while following < len(tasks) and len(waiting) < self._workers + _AHEAD:
                    waiting.append((following, self._pool.submit(_work, following, tasks[following])))
                    following += 1
                number, future = waiting[0]
                try:
                    answer = future.result(timeout=_POLL_SECONDS)
                except NotYet:
                    self._tell(tasks, number, context, total)
                    continue
                waiting.pop(0)
                self._shares[number] = 1.0
                self._tell(tasks, number, context, total)
                yield self._read(number, tasks[number], answer)
        except BrokenProcessPool as error:
            context.check_cancelled()
            raise PoolBroken(bool(self._shares[-1])) from error

    def _tell(self, tasks: Sequence[Task], number: int, context: JobContext, total: int) -> None:
        what = f"{title_of(tasks[number].model)}: {number + 1} of {count_text(total, 'fit')}"
        context.progress(sum(self._shares[:-1]) / total, what)

    def _read(self, number: int, task: Task, answer: dict[str, Any]) -> Outcome:
        if answer["failure"]:
            return Outcome(task, None, answer["seconds"], answer["failure"])
        path = self._folder / f"risk{number}.npy"
        risk = np.load(path, allow_pickle=False)
        path.unlink()
        return Outcome(task, risk, answer["seconds"], long_run=answer["long_run"])


#: What `_begin` leaves for `_work` in a process of the pool.
_held: dict[str, Any] = {}


def _begin(folder: str, shell: Panel, shares: Any, cancel: Any) -> None:
    """In a new process: open the stack, and see to it that no orphan goes on working."""
    threading.Thread(target=_watch, args=(cancel, Path(folder)), daemon=True).start()
    try:
        counts = np.load(Path(folder) / "counts.npy", mmap_mode="r", allow_pickle=False)
        channels = np.load(Path(folder) / "channels.npy", mmap_mode="r" if shell.extras.channel_names else None)
    except FileNotFoundError:
        if Path(folder).exists():
            raise
        # Another process of the pool has tidied up after the one that started both: there is nobody to tell.
        os._exit(1)
    heatmaps = replace(shell, counts=counts, extras=replace(shell.extras, channels=channels))
    _held.update(folder=Path(folder), heatmaps=heatmaps, shares=shares, cancel=cancel)
    shares[-1] = 1.0


def _watch(cancel: Any, folder: Path) -> None:
    """End this process when the one that started it is gone, or soon after a cancel.

    Whoever was ended by force could not tidy up: what it left is removed here, as far as the system allows.
    """
    parent = multiprocessing.parent_process()
    while not cancel.is_set():
        if parent is not None and wait([parent.sentinel], timeout=_POLL_SECONDS):
            shutil.rmtree(folder, ignore_errors=True)
            os._exit(1)
        if parent is None:
            time.sleep(_POLL_SECONDS)
    time.sleep(_GRACE)
    os._exit(1)


def _work(number: int, task: Task) -> dict[str, Any]:
    """In a process of the pool: run one task and leave its forecast in a file."""
    shares, cancel = _held["shares"], _held["cancel"]

    def progress(share: float, text: str) -> None:
        shares[number] = share

    context = JobContext(progress, cancelled=cast(threading.Event, cancel))
    try:
        outcome = attempt(task, _held["heatmaps"], context)
    except Cancelled:
        return {"failure": "Cancelled", "seconds": 0.0}
    if outcome.risk is not None:
        np.save(_held["folder"] / f"risk{number}.npy", outcome.risk, allow_pickle=False)
    return {"failure": outcome.failure, "seconds": outcome.seconds, "long_run": outcome.long_run}
