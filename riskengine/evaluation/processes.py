"""Processes that work side by side: started afresh (spawn), so that it works alike on every system.

What all of them read lies in files that each sees as arrays, and what is large and made by them is left in files:
nothing large goes through a pipe, and the system keeps one copy in memory for all of them.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing.connection import wait
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ..ground.context import JobContext
from ..ground.errors import Cancelled

if TYPE_CHECKING:
    from typing_extensions import Self

#: What is said of an item whose process was ended from outside.
LOST = "Its process was ended from outside, probably because memory ran out."
#: How often progress and cancel are checked.
_POLL_SECONDS = 0.1
#: A process that does not listen is given this long after a cancel.
_GRACE = 0.7
#: Items handed out beyond those that run: answers not yet collected may lie on disk.
_AHEAD = 2


@dataclass(frozen=True)
class Work:
    """What processes do; another process must be able to import its functions.

    Attributes
    ----------
    open : callable
        Called once in each process with the folder and `given`: what every item is worked on with.
    given : object
        Small; it goes through a pipe.
    do : callable
        Called with what was opened, the item's number, the item and a context that knows of a cancel and takes
        progress: the answer, which is small too. An error ends everything.
    describe : callable
        What is said while the item of a number is waited for.
    """

    open: Callable[[Path, Any], Any]
    given: Any
    do: Callable[[Any, int, Any, JobContext], Any]
    describe: Callable[[int], str]


class PoolBroken(Exception):
    """A process ended without an answer.

    Attributes
    ----------
    began : bool
        False when none got as far as to take an item: processes cannot be started here, as from a script without
        ``if __name__ == "__main__"``.
    """

    def __init__(self, began: bool) -> None:
        super().__init__(began)
        self.began = began


def run_apart(
    work: Work, items: Sequence[Any], folder: Path, context: JobContext, workers: int, total: int | None = None
) -> Generator[Any, None, None]:
    """Answers in the order of the items; None for one whose process was ended from outside.

    A process that is killed, as for its memory, takes all others of its pool with it. What was not finished is then
    done by one process at a time, so that it is known whose it was.

    Parameters
    ----------
    work : Work
    items : sequence
    folder : path
        Where what is exchanged lies.
    context : JobContext
        Progress 0 to 1 over all items.
    workers : int
        Processes.
    total : int, optional
        Items that progress counts to, where others follow.

    Raises
    ------
    PoolBroken
        If no process could begin.
    Cancelled
    """
    number = 0
    while number < len(items):
        try:
            with _Pool(work, workers, folder, len(items)) as pool:
                for answer in pool.map(items, number, context, total or len(items)):
                    number += 1
                    yield answer
        except PoolBroken as broken:
            if not broken.began:
                raise
            if workers > 1:
                context.warn("A process ended unexpectedly; the rest is done by one at a time")
                workers = 1
                continue
            number += 1
            yield None


class _Pool:
    """A few processes with one folder; a context manager."""

    def __init__(self, work: Work, workers: int, folder: Path, items: int) -> None:
        self._work, self._workers = work, workers
        spawn = multiprocessing.get_context("spawn")
        self._cancel = spawn.Event()
        # One more, in which a process says that it has begun.
        self._shares = spawn.Array("d", items + 1, lock=False)
        given = (str(folder), work.open, work.given, self._shares, self._cancel)
        self._pool = ProcessPoolExecutor(workers, mp_context=spawn, initializer=_begin, initargs=given)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        if kind is not None:
            self._cancel.set()
            # One that is still starting does not listen yet; nobody wants what they would give.
            for process in list((getattr(self._pool, "_processes", None) or {}).values()):
                process.terminate()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def map(self, items: Sequence[Any], start: int, context: JobContext, total: int) -> Iterator[Any]:
        """Answers of ``items[start:]`` in order.

        Raises
        ------
        PoolBroken
            If a process ended without an answer: that of the first item not yielded, or one after it.
        Cancelled
        """
        waiting: list[tuple[int, Future[Any]]] = []
        following = start
        try:
            while waiting or following < len(items):
                while following < len(items) and len(waiting) < self._workers + _AHEAD:
                    waiting.append((following, self._pool.submit(_work, self._work.do, following, items[following])))
                    following += 1
                number, future = waiting[0]
                try:
                    answer = future.result(timeout=_POLL_SECONDS)
                except NotYet:
                    self._tell(number, context, total)
                    continue
                waiting.pop(0)
                self._shares[number] = 1.0
                self._tell(number, context, total)
                yield answer
        except BrokenProcessPool as error:
            context.check_cancelled()
            raise PoolBroken(bool(self._shares[-1])) from error

    def _tell(self, number: int, context: JobContext, total: int) -> None:
        context.progress(sum(self._shares[:-1]) / total, self._work.describe(number))


#: What `_begin` leaves for `_work` in a process of the pool.
_held: dict[str, Any] = {}


def _begin(folder: str, opener: Callable[[Path, Any], Any], given: Any, shares: Any, cancel: Any) -> None:
    """In a new process: open what it works on, and see to it that no orphan goes on working."""
    threading.Thread(target=_watch, args=(cancel, Path(folder)), daemon=True).start()
    try:
        opened = opener(Path(folder), given)
    except FileNotFoundError:
        if Path(folder).exists():
            raise
        # Another process of the pool has tidied up after the one that started both: there is nobody to tell.
        os._exit(1)
    _held.update(opened=opened, shares=shares, cancel=cancel)
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


def _work(do: Callable[[Any, int, Any, JobContext], Any], number: int, item: Any) -> Any:
    """In a process of the pool: work on one item."""
    shares, cancel = _held["shares"], _held["cancel"]

    def progress(share: float, text: str) -> None:
        shares[number] = share

    try:
        return do(_held["opened"], number, item, JobContext(progress, cancelled=cast(threading.Event, cancel)))
    except Cancelled:
        # Nobody waits for it any more.
        return None
