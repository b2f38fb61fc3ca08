"""The engine's own Python environment: where it is, whether it is whole, how it is made and removed.

Runs without QGIS, too: ``python3 bridge/environment.py install|check|remove``.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

if not __package__:
    # Started as a script: the relative imports need to know the package (PEP 366).
    sys.path[0] = str(Path(__file__).resolve().parents[1])
    __package__ = Path(__file__).resolve().parent.name

from . import engine_state
from .engine_state import (
    MENU,
    EngineStatus,
    choose_engine_folder,
    make_child_environment,
    python_of_engine,
    read_status,
)
from .installation import Cancelled, Installation, Log, Progress, import_all
from .processes import EngineSetupError, SetupCancelled

__all__ = [
    "MENU",
    "EngineSetupError",
    "EngineStatus",
    "SetupCancelled",
    "choose_engine_folder",
    "install",
    "make_child_environment",
    "python_of_engine",
    "read_status",
    "remove",
    "verify",
]


def install(
    on_progress: Progress | None = None,
    on_log: Log | None = None,
    is_cancelled: Cancelled | None = None,
    base_python: str | os.PathLike[str] | None = None,
    torch: str | None = None,
    system_site_packages: bool | None = None,
    repair: bool = False,
) -> EngineStatus:
    """Make the engine, finish it, or bring it up to date; about a second if it is whole already.

    Parameters
    ----------
    on_progress : callable, optional
        Gets a share in [0, 1] and a text.
    on_log : callable, optional
        Gets lines.
    is_cancelled : callable, optional
        Asked a few times a second.
    base_python : path, optional
        The interpreter to make it from; found by itself if not given.
    torch : {"cpu", "cuda"}, optional
        As before if not given, else the CPU build.
    system_site_packages : bool, optional
        Keep what the base Python can already import and install only the rest; as before if not given.
    repair : bool
        Verify by importing everything even if the engine seems whole, and mend it.

    Raises
    ------
    EngineSetupError
        With a sentence that says what to do.
    SetupCancelled
    """
    folder = choose_engine_folder()
    listeners = (on_progress or _ignore, on_log or _ignore, is_cancelled or _never)
    with engine_state.file_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with engine_state.lock(folder):
            Installation(folder, *listeners, base_python, torch).run(system_site_packages, repair)
    return read_status()


def verify(on_progress: Progress | None = None, is_cancelled: Cancelled | None = None) -> dict[str, str]:
    """Import every package in the engine's Python; returns what cannot be imported, and why."""
    answers = import_all(
        engine_state.list_packages(), choose_engine_folder(), on_progress or _ignore, is_cancelled or _never
    )
    return {name: answer["error"] for name, answer in answers.items() if answer["error"]}


def remove() -> None:
    """Delete the engine: its environment, its caches and its state, and nothing else.

    Raises
    ------
    EngineSetupError
        If it is being installed, or a file is in use.
    """
    folder = choose_engine_folder()
    if not folder.is_dir():
        return
    with engine_state.file_errors(folder), engine_state.lock(folder):
        engine_state.forget(folder)
        for name in ("venv", "pycache", "tmp"):
            engine_state.delete(folder / name)
        (folder / "kept.txt").unlink(missing_ok=True)
    (folder / "install.lock").unlink(missing_ok=True)
    if not any(folder.iterdir()):
        folder.rmdir()


def _ignore(*_: Any) -> None:
    return None


def _never() -> bool:
    return False


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(description="The engine of Crime Risk: install, check or remove it.")
    parser.add_argument("command", choices=["install", "check", "remove"])
    parser.add_argument("--folder", help="where the engine lives (default: $CRIMERISK_ENGINE, else .engine)")
    parser.add_argument("--torch", choices=["cpu", "cuda"], help="build of PyTorch (default: as before, else cpu)")
    parser.add_argument("--base-python", help="the Python to make it from (default: found)")
    parser.add_argument("--system-site-packages", action="store_true", help="keep what the base Python has")
    parser.add_argument("--repair", action="store_true", help="verify and mend even if it seems complete")
    given = parser.parse_args(arguments)
    if given.folder:
        os.environ["CRIMERISK_ENGINE"] = str(Path(given.folder).absolute())
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace", line_buffering=True)
    try:
        if given.command == "remove":
            remove()
            print(f"Removed the engine in {choose_engine_folder()}.")
            return 0
        if given.command == "install":
            site = True if given.system_site_packages else None
            install(_shown(), print, None, given.base_python, given.torch, site, given.repair)
            print(f"The engine is ready in {choose_engine_folder()}.")
            return 0
        return _check()
    except KeyboardInterrupt:
        print(SetupCancelled(), file=sys.stderr)
    except EngineSetupError as error:
        print(error, file=sys.stderr)
    return 1


def _check() -> int:
    now = read_status()
    broken = verify() if now.ready else {}
    needed = {engine_state.name_of_pin(pin) for pin in engine_state.read_pins(engine_state.REQUIREMENTS)}
    print(json.dumps({**asdict(now), "broken": broken}, indent=1, ensure_ascii=False))
    if now.problem:
        print(now.problem, file=sys.stderr)
    return 0 if now.ready and not now.outdated and not needed & set(broken) else 1


def _shown() -> Progress:
    last = -1

    def show(share: float, text: str) -> None:
        nonlocal last
        if int(share * 100) > last:
            last = int(share * 100)
            print(f"{last:3d} % {text}")

    return show


if __name__ == "__main__":
    sys.exit(main())
