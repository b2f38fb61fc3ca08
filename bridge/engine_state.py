"""What is known of the engine without starting it: where it lives, what was installed, who is at it."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import locks, processes
from .processes import EngineSetupError

MENU = "Crime Risk ▸ Set up engine…"
ROOT = Path(__file__).resolve().parents[1]
REQUIREMENTS = ROOT / "riskengine" / "requirements.txt"
OPTIONAL = ROOT / "riskengine" / "requirements-optional.txt"
_STATE = "state.json"


@dataclass
class EngineStatus:
    """What is known of the engine without starting it.

    Attributes
    ----------
    ready : bool
        Jobs can run.
    outdated : bool
        They can, but the plugin has come to ask for other packages.
    state : str
        ``missing``, ``broken`` (its base Python is gone), ``interrupted``, ``outdated`` or ``ready``.
    problem : str
        A sentence with the remedy; empty if all is well.
    packages : dict
        Name to version, as imported when it was installed.
    annoy : bool
        The Annoy index is available; without it the exact index serves.
    """

    folder: str
    ready: bool = False
    outdated: bool = False
    state: str = "missing"
    problem: str = ""
    packages: dict[str, str] = field(default_factory=dict)
    annoy: bool = False
    torch: str = "cpu"
    base_python: str = ""
    system_site_packages: bool = False


def choose_engine_folder() -> Path:
    """Choose where the engine lives: $CRIMERISK_ENGINE, else the QGIS profile, else the checkout."""
    chosen = os.environ.get("CRIMERISK_ENGINE")
    if chosen:
        return Path(chosen).expanduser().absolute()
    own = find_own_folder()
    return own / "engine" if own else ROOT / ".engine"


def find_own_folder() -> Path | None:
    """Find the folder of Crime Risk in the user's QGIS profile; None outside QGIS."""
    core = sys.modules.get("qgis.core")
    if core is not None and core.QgsApplication.instance() is not None:
        profile = core.QgsApplication.qgisSettingsDirPath()
        if profile:
            return Path(profile) / "crime_risk"
    return None


def python_of_engine() -> Path:
    """Name the engine's interpreter, whether or not it exists."""
    venv = choose_engine_folder() / "venv"
    return venv / "Scripts" / "python.exe" if os.name == "nt" else venv / "bin" / "python"


def make_child_environment() -> dict[str, str]:
    """Make what the engine's processes see: nothing of QGIS's Python, Qt, GDAL and PROJ."""
    environment = processes.make_clean_environment()
    environment["PYTHONPATH"] = str(ROOT)
    # Nothing is written into the plugin folder.
    environment["PYTHONPYCACHEPREFIX"] = str(choose_engine_folder() / "pycache")
    return environment


def read_status() -> EngineStatus:
    """Read from the files whether the engine is ready, missing, interrupted or outdated."""
    folder = choose_engine_folder()
    state = read_state(folder)
    engine = EngineStatus(
        folder=str(folder),
        packages=state.get("packages", {}),
        annoy=bool(state.get("annoy")),
        torch=state.get("torch", "cpu"),
        base_python=state.get("base_python", ""),
        system_site_packages=bool(state.get("system_site_packages")),
    )
    if not python_of_engine().exists():
        if state and (folder / "venv").exists():
            engine.state = "broken"
            engine.problem = (
                f"The Python that the engine was made from ({engine.base_python}) is gone: repair it with {MENU}"
            )
        else:
            engine.problem = (
                "The Crime Risk engine (a Python environment of its own with PyTorch, rasterio and others) is not "
                f"installed in {folder}: install it with {MENU}"
            )
    elif state.get("stage") != "ready":
        engine.state = "interrupted"
        engine.problem = f"The installation of the engine in {folder} was not finished: go on with {MENU}"
    else:
        engine.ready = True
        engine.state = "ready"
        if state.get("requirements") != compute_fingerprint():
            engine.state = "outdated"
            engine.outdated = True
            engine.problem = f"The engine was installed for another version of Crime Risk and needs an update: {MENU}"
    return engine


def read_pins(file: Path) -> list[str]:
    """Read a requirements file without its comments."""
    lines = (line.strip() for line in file.read_text("utf-8").splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def name_of_pin(pin: str) -> str:
    """Name the package that a pin is for."""
    return re.split(r"[=<>!~;\s]", pin, maxsplit=1)[0]


def list_packages() -> list[str]:
    """List every package of the engine, optional ones last."""
    return list(dict.fromkeys(name_of_pin(pin) for pin in read_pins(REQUIREMENTS) + read_pins(OPTIONAL)))


def compute_fingerprint() -> str:
    """Compute a hash of what is asked for: comments may change, pins may not."""
    return hashlib.sha256("\n".join(read_pins(REQUIREMENTS) + read_pins(OPTIONAL)).encode()).hexdigest()[:16]


def read_state(folder: Path) -> dict[str, Any]:
    """Read what the last installation wrote; empty if there is none or it cannot be read."""
    try:
        state = json.loads((folder / _STATE).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return state if isinstance(state, dict) and state.get("format") == 1 else {}


def write_state(folder: Path, state: dict[str, Any]) -> None:
    """Replace the state as a whole."""
    partial = folder / (_STATE + ".partial")
    partial.write_text(json.dumps(state, indent=1, ensure_ascii=False), "utf-8")
    partial.replace(folder / _STATE)


def forget(folder: Path) -> None:
    """Remove the state first of all: what is left is no engine any more."""
    for name in (_STATE, _STATE + ".partial"):
        (folder / name).unlink(missing_ok=True)


def _configuration(folder: Path) -> dict[str, str]:
    """Read pyvenv.cfg, for an environment that was made without leaving a state."""
    try:
        lines = (folder / "venv" / "pyvenv.cfg").read_text("utf-8").splitlines()
    except (OSError, ValueError):
        return {}
    pairs = (line.partition("=") for line in lines)
    return {key.strip(): value.strip() for key, _, value in pairs}


def has_site(folder: Path) -> bool:
    """Say whether the environment sees its base Python's packages."""
    return _configuration(folder).get("include-system-site-packages", "").lower() == "true"


def read_home(folder: Path) -> str:
    """Read the interpreter the environment was made from."""
    return _configuration(folder).get("executable", "")


def delete(path: Path) -> None:
    """Remove a folder; a link only itself, never what it points to."""
    if path.is_symlink():
        path.unlink()
    elif path.exists():

        def writable(function: Callable[[str], Any], name: str, _: Any) -> None:
            # Windows refuses to delete read-only files.
            Path(name).chmod(stat.S_IWRITE)
            function(name)

        shutil.rmtree(path, onerror=writable)


@contextmanager
def file_errors(folder: Path) -> Iterator[None]:
    """Turn trouble with files into a sentence."""
    try:
        yield
    except OSError as error:
        raise EngineSetupError(
            f"The engine folder {folder} cannot be used ({error.strerror or error}{_of(error)}). Close other QGIS "
            "windows, check the disk, or set CRIMERISK_ENGINE to a folder of your own."
        ) from error


def _of(error: OSError) -> str:
    return f": {error.filename}" if error.filename else ""


@contextmanager
def lock(folder: Path) -> Iterator[None]:
    """Hold the folder's lock; the system frees it when the process dies, however it dies."""
    try:
        with locks.hold(folder / "install.lock"):
            yield
    except locks.Held as held:
        raise EngineSetupError(
            f"The engine in {folder} is already being set up by process {held.owner}. Wait until that has ended."
        ) from None
