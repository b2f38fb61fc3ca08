"""Starting the engine's Python: a clean environment, output line by line, and an end when asked."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

#: What QGIS, conda or a virtual environment set for their own Python and their own GDAL.
_FOREIGN_PREFIXES = ("PYTHON", "GDAL_", "PROJ_", "QT_", "CONDA", "_CONDA", "_CE_", "DYLD_", "OSGEO4W")
_FOREIGN = {"LD_LIBRARY_PATH", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__", "GDAL", "PROJ_LIB", "GEOTIFF_CSV"}
#: These would make pip install somewhere else; everything else of pip's configuration is the user's and stays.
_REDIRECTING = {"PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_REQUIRE_VIRTUALENV"}

#: Runs a module like ``python -m``, and takes the whole process group along when the parent dies.
_WATCHED = """
import os, runpy, signal, sys, threading
pipe = os.dup(0)
os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
def watch():
    try:
        while os.read(pipe, 1):
            pass
    except OSError:
        pass
    if hasattr(os, "killpg"):
        os.killpg(0, signal.SIGKILL)
    os._exit(1)
threading.Thread(target=watch, daemon=True).start()
sys.argv = sys.argv[1:]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""


class EngineSetupError(Exception):
    """The engine could not be set up; the message is a sentence with a remedy."""


class SetupCancelled(EngineSetupError):
    """The user asked the set-up to stop; what was installed so far is kept for the next time."""

    def __init__(self) -> None:
        super().__init__("Cancelled. What was installed so far is kept; installing again goes on from there.")


def make_clean_environment() -> dict[str, str]:
    """Make this process's environment without what belongs to QGIS's Python, Qt, GDAL and PROJ.

    The user's pip configuration, certificates, proxies, HOME, PATH and OPENBLAS_* stay.
    """
    kept = {
        key: value
        for key, value in os.environ.items()
        if not key.upper().startswith(_FOREIGN_PREFIXES) and key.upper() not in _FOREIGN | _REDIRECTING
    }
    kept["PYTHONUTF8"] = "1"
    return kept


def make_popen_options() -> dict[str, Any]:
    """Make a process group of its own, and no console window on Windows."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}


def kill_tree(process: subprocess.Popen[bytes], gently: float = 0.0) -> None:
    """End a process started with `make_popen_options` and all its children.

    Parameters
    ----------
    process : Popen
    gently : float
        Seconds it has to clean up after an interrupt, before it is killed.
    """
    if sys.platform == "win32":
        subprocess.run(
            ["taskkill", "/T", "/F", "/PID", str(process.pid)],
            capture_output=True,
            creationflags=subprocess.CREATE_NO_WINDOW,
        )
        process.kill()
    else:
        if gently and process.poll() is None:
            _signal_group(process.pid, signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(gently)
        _signal_group(process.pid, signal.SIGKILL)
    process.wait()


def wait_for_group(process: subprocess.Popen[bytes], seconds: float) -> None:
    """Give the children of a process that has ended so long to end by themselves; elsewhere than on POSIX, no time."""
    end = time.monotonic() + seconds
    while sys.platform != "win32" and time.monotonic() < end:
        try:
            os.killpg(process.pid, 0)
        except (ProcessLookupError, PermissionError):
            return
        time.sleep(0.02)


def _signal_group(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def make_watched_command(python: str | Path, module: str, *arguments: str) -> list[str]:
    """Make the command for ``python -m module``, which ends together with this process."""
    return [str(python), "-c", _WATCHED, module, *arguments]


def run(
    command: Sequence[str],
    environment: Mapping[str, str],
    folder: Path,
    on_line: Callable[[str], None],
    is_cancelled: Callable[[], bool],
) -> tuple[int, list[str]]:
    """Run a command to its end, giving its output line by line.

    Returns
    -------
    code : int
    tail : list of str
        The last 200 lines.

    Raises
    ------
    SetupCancelled
        After the command and its children have been ended.
    """
    tail: deque[str] = deque(maxlen=200)
    lines: queue.Queue[str | None] = queue.Queue()
    process = subprocess.Popen(
        list(command),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=dict(environment),
        cwd=folder,
        **make_popen_options(),
    )

    def read() -> None:
        assert process.stdout is not None
        for raw in process.stdout:
            lines.put(raw.decode("utf-8", "replace").rstrip())
        lines.put(None)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        while True:
            if is_cancelled():
                raise SetupCancelled
            try:
                line = lines.get(timeout=0.1)
            except queue.Empty:
                if process.poll() is None:
                    continue
                # A grandchild may keep the pipe open for ever.
                reader.join(1)
                line = lines.get_nowait() if not lines.empty() else None
            if line is None:
                return process.wait(), list(tail)
            if line:
                tail.append(line)
                on_line(line)
    except BaseException:
        kill_tree(process, gently=3.0)
        raise
    finally:
        assert process.stdin is not None
        process.stdin.close()


def capture(command: Sequence[str], environment: Mapping[str, str], folder: Path, seconds: float = 60) -> str | None:
    """Return what a short command prints, or None if it fails, hangs or does not exist."""
    options = make_popen_options()
    try:
        done = subprocess.run(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=dict(environment),
            cwd=folder,
            timeout=seconds,
            **options,
        )
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else None
