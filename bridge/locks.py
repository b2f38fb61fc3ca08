"""Locks that the system frees when their process dies, however it dies."""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

#: Start of the name of the folder of lock files, one for each user.
FOLDER = "crime_risk_locks_"


class Held(Exception):
    """Somebody else holds the lock.

    Attributes
    ----------
    owner : str
        Its process id, or ``unknown``.
    """

    def __init__(self, owner: str) -> None:
        super().__init__(owner)
        self.owner = owner


@contextmanager
def hold(path: Path) -> Iterator[None]:
    """Hold a lock file.

    Raises
    ------
    Held
        If another process, or another thread of this one, has it.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            _lock_handle(handle)
        except OSError:
            raise Held(os.read(handle, 20).decode("ascii", "replace").strip() or "unknown") from None
        os.ftruncate(handle, 0)
        os.write(handle, str(os.getpid()).encode("ascii"))
        yield
    finally:
        os.close(handle)


@contextmanager
def wait_for(path: Path, is_cancelled: Callable[[], bool], seconds: float = 600.0) -> Iterator[None]:
    """Hold a lock file, waiting until it is free.

    Raises
    ------
    Held
        If it is not free after so many seconds, or the wait is cancelled.
    """
    end = time.monotonic() + seconds
    while True:
        try:
            lock = hold(path)
            lock.__enter__()
            break
        except Held:
            if is_cancelled() or time.monotonic() > end:
                raise
            time.sleep(0.1)
    try:
        yield
    finally:
        lock.__exit__(None, None, None)


def lock_of(destination: Path, table: str = "") -> Path:
    """The lock file of a destination: one however its path is spelt, and never beside it."""
    folder = Path(tempfile.gettempdir()) / f"{FOLDER}{os.getuid() if hasattr(os, 'getuid') else 0}"
    folder.mkdir(mode=0o700, exist_ok=True)
    real = os.path.normcase(os.path.realpath(destination))
    return folder / hashlib.sha256(f"{real}\n{table.lower()}".encode()).hexdigest()[:32]


def _lock_handle(handle: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        # Beyond the text, which others may then still read.
        os.lseek(handle, 1000, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        os.lseek(handle, 0, os.SEEK_SET)
    else:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
