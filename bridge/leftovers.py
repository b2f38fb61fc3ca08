"""Temporary folders, named by the process that made them; those of processes that are gone are swept away."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from ..riskengine.contract.owners import is_of_this_host, make_owner
from . import locks

#: For the exchange with the engine, within QGIS's own temporary folder, whose name starts with processing_.
EXCHANGE = "crime_risk_"
#: Beside a destination, hidden.
BESIDE = ".crime_risk_"
#: Those of the engine's own processes.
_ENGINE = "crimerisk_"
_FOLDER = re.compile(r"(?:\.?crime_risk_|crimerisk_)([0-9a-f]{6})-(\d+)_\w+")
_FILE = re.compile(r"\..+\.([0-9a-f]{6})-(\d+)\.partial(?:\.\w+)?")
#: Those of versions before 0.5 name no process: after a day nobody works with them any more.
_NAMELESS = re.compile(r"crime_risk_\w{8}")
_NAMELESS_SECONDS = 86_400.0
_LOCK_SECONDS = 30 * 86_400.0


def make_folder(parent: Path, kind: str) -> Path:
    """Make a temporary folder that says whose it is."""
    return Path(tempfile.mkdtemp(prefix=f"{kind}{make_owner()}_", dir=parent))


def sweep_temporary() -> list[Path]:
    """Remove the exchange folders of processes that were killed; returns those removed."""
    root = Path(tempfile.gettempdir())
    _forget_locks(root)
    folders = [*root.glob(f"processing_*/{EXCHANGE}*"), *root.glob(f"{_ENGINE}*")]
    return _sweep(path for path in folders if path.is_dir() and not path.is_symlink())


def _forget_locks(root: Path) -> None:
    """Remove the empty files of locks that nobody has taken for a month."""
    for path in root.glob(f"{locks.FOLDER}*/*"):
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > _LOCK_SECONDS:
                path.unlink()


def sweep_beside(folder: Path) -> list[Path]:
    """Remove what killed processes have left half-written in a folder of results; returns what was removed."""
    return _sweep([*folder.glob(f"{BESIDE}*"), *folder.glob(".*.partial*")])


def _sweep(candidates: Iterable[Path]) -> list[Path]:
    removed = []
    for path in candidates:
        if not _is_abandoned(path):
            continue
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            # Another user's, or held open: it is no worse than it was.
            with contextlib.suppress(OSError):
                path.unlink()
        removed.append(path)
    return removed


def _is_abandoned(path: Path) -> bool:
    owner = (_FOLDER if path.is_dir() else _FILE).fullmatch(path.name)
    if owner is not None:
        return is_of_this_host(owner[1]) and not is_alive(int(owner[2]))
    try:
        return bool(_NAMELESS.fullmatch(path.name)) and time.time() - path.stat().st_mtime > _NAMELESS_SECONDS
    except OSError:
        return False


def is_alive(pid: int) -> bool:
    """Whether a process of this number runs; true where the system does not tell."""
    if sys.platform == "win32":
        import ctypes

        # Windows has no signal that does nothing.
        handle = ctypes.windll.kernel32.OpenProcess(0x0010_0000, False, pid)
        if not handle:
            return ctypes.windll.kernel32.GetLastError() != 87
        waited = ctypes.windll.kernel32.WaitForSingleObject(handle, 0)
        ctypes.windll.kernel32.CloseHandle(handle)
        return bool(waited == 0x102)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True
