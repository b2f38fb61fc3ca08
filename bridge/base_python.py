"""Finding the Python the engine's environment is made from."""

from __future__ import annotations

import json
import os
import shutil
import sys
import sysconfig
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from .processes import EngineSetupError, capture, make_clean_environment

MINIMUM = (3, 10)

# Understood by every Python, so that an old one can be named in the sentence.
_PROBE = """
import json, sys
problem = ""
try:
    import venv, ensurepip
except ImportError:
    problem = str(sys.exc_info()[1])
print(json.dumps([list(sys.version_info[:3]), sys.executable, problem]))
"""


@dataclass(frozen=True)
class BasePython:
    """A Python that can make virtual environments."""

    executable: str
    version: str


def list_pythons(explicit: str | os.PathLike[str] | None = None) -> list[BasePython]:
    """List the Pythons the engine can be made from, best first.

    Parameters
    ----------
    explicit : path, optional
        The user's own choice: then no other is looked at.

    Raises
    ------
    EngineSetupError
        If there is none: one sentence on why, one on what to do.
    """
    bases: dict[str, BasePython] = {}
    refused: list[str] = []
    for command in [[os.fspath(explicit)]] if explicit else _candidates():
        base = probe(command)
        if isinstance(base, BasePython):
            bases.setdefault(os.path.normcase(base.executable), base)
        elif base not in refused:
            refused.append(base)
    if bases:
        return list(bases.values())
    wanted = "Crime Risk needs Python {}.{} or newer with its venv module".format(*MINIMUM)
    raise EngineSetupError(f"{wanted}: {'; '.join(refused) or 'no Python was found'}. {_remedy()}.")


def probe(command: Sequence[str]) -> BasePython | str:
    """Try one interpreter; returns what is wrong with it as part of a sentence if it cannot serve."""
    name = " ".join(command)
    answer = capture([*command, "-I", "-c", _PROBE], make_clean_environment(), Path(tempfile.gettempdir()), seconds=30)
    try:
        version, executable, problem = json.loads((answer or "").strip().splitlines()[-1])
    except (ValueError, IndexError):
        return f"{name} does not run as Python 3"
    text = ".".join(str(part) for part in version)
    if tuple(version[:2]) < MINIMUM:
        return f"{name} is Python {text}, which is too old"
    if problem:
        return f"{name} (Python {text}) cannot make environments ({problem})"
    return BasePython(executable or command[0], text)


def _candidates() -> Iterator[list[str]]:
    """Interpreters worth trying, each an existing file: the one QGIS runs on, the system's, those on the PATH."""
    windows = sys.platform == "win32"
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    paths: list[Path] = []
    # Inside QGIS sys.executable may be QGIS itself; asking that would start a second QGIS.
    for program in (getattr(sys, "_base_executable", None), sys.executable):
        if program and Path(program).name.lower().startswith("python"):
            paths.append(Path(program))
    for prefix in dict.fromkeys((sys.base_prefix, sys.base_exec_prefix)):
        names = ["python.exe", "python3.exe"] if windows else [f"bin/{version}", "bin/python3"]
        paths.extend(Path(prefix) / name for name in names)
    # A build of QGIS may keep its interpreter in a folder of its own (vcpkg: tools/python3).
    folder = sysconfig.get_config_var("BINDIR")
    if folder and not windows:
        paths.append(Path(folder) / version)
    if sys.platform == "darwin" and sys.executable:
        paths.append(Path(sys.executable).parent / "bin" / "python3")
    if not windows:
        paths.append(Path("/usr/bin/python3"))
    if sys.platform == "darwin":
        # A program started from the Finder has none of these on its PATH.
        homes = ("/opt/homebrew/bin", "/usr/local/bin", "/Library/Frameworks/Python.framework/Versions/Current/bin")
        paths.extend(Path(home) / "python3" for home in homes)
    for name in ("python3.13", "python3.12", "python3.11", "python3.10", "python3", "python"):
        on_path = shutil.which(name)
        if on_path:
            paths.append(Path(on_path))
    for path in dict.fromkeys(paths):
        if path.is_file():
            yield [str(path)]
    launcher = shutil.which("py") if windows else None
    if launcher:
        yield [launcher, "-3"]


def _remedy() -> str:
    if sys.platform == "win32":
        step = "Install Python 3.12 from python.org"
    elif sys.platform == "darwin":
        step = "Install Python 3.12 from python.org or Homebrew"
    elif shutil.which("apt-get"):
        step = "Run: sudo apt install python3-venv"
    else:
        step = "Install Python 3 with its venv module"
    return f"{step}, or choose another one under Crime Risk ▸ Set up engine… and install again"
