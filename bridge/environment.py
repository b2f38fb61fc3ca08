"""The engine's own Python environment: where it is, whether it is whole, how it is made and removed.

Runs without QGIS, too: ``python3 bridge/environment.py install|check|remove``.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

if not __package__:
    # Started as a script: the relative imports need to know the package (PEP 366).
    sys.path[0] = str(Path(__file__).resolve().parents[1])
    __package__ = Path(__file__).resolve().parent.name

from . import base_python as bases
from . import processes
from .pip_runner import Pip, PipError
from .processes import EngineSetupError, SetupCancelled

__all__ = [
    "EngineSetupError",
    "EngineStatus",
    "SetupCancelled",
    "child_environment",
    "engine_folder",
    "engine_python",
    "install",
    "remove",
    "status",
    "verify",
]

Progress = Callable[[float, str], None]
Log = Callable[[str], None]
Cancelled = Callable[[], bool]

MENU = "Crime Risk ▸ Set up engine…"
ROOT = Path(__file__).resolve().parents[1]
REQUIREMENTS = ROOT / "riskengine" / "requirements.txt"
OPTIONAL = ROOT / "riskengine" / "requirements-optional.txt"
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
CUDA = "cu130"
CUDA_INDEX = f"https://download.pytorch.org/whl/{CUDA}"

_STATE = "state.json"
_MODULES = {"scikit-learn": "sklearn"}

# One line of JSON per package, so that a broken one is named and the others are still tried.
_IMPORT = """
import importlib, importlib.metadata, json, sys
for pair in sys.argv[1:]:
    name, module = pair.split("=")
    answer = {"name": name, "version": "", "error": ""}
    try:
        loaded = importlib.import_module(module)
        if name == "torch":
            import torch
            answer["cuda"] = torch.version.cuda or ""
            answer["gpu"] = torch.cuda.is_available()
            torch.ones(1).numpy()
        if name == "rasterio":
            import rasterio.crs
            rasterio.crs.CRS.from_epsg(32614).to_wkt()
        try:
            answer["version"] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            answer["version"] = str(getattr(loaded, "__version__", "?"))
    except BaseException as error:
        answer["error"] = " ".join(str(error).split()) or type(error).__name__
    print("\\n" + json.dumps(answer), flush=True)
"""
_VERSIONS = """
import importlib.metadata as m, json, sys
def version(name):
    try:
        return m.version(name)
    except m.PackageNotFoundError:
        return ""
print(json.dumps({name: version(name) for name in sys.argv[1:]}))
"""


@dataclass
class EngineStatus:
    """What is known of the engine without starting it.

    Attributes
    ----------
    ready : bool
        Jobs can run.
    outdated : bool
        They can, but the plugin has come to ask for other packages.
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
    problem: str = ""
    packages: dict[str, str] = field(default_factory=dict)
    annoy: bool = False
    torch: str = "cpu"
    base_python: str = ""
    system_site_packages: bool = False


def engine_folder() -> Path:
    """Where the engine lives: $CRIMERISK_ENGINE, else the QGIS profile, else the checkout."""
    chosen = os.environ.get("CRIMERISK_ENGINE")
    if chosen:
        return Path(chosen).expanduser().absolute()
    core = sys.modules.get("qgis.core")
    if core is not None and core.QgsApplication.instance() is not None:
        profile = core.QgsApplication.qgisSettingsDirPath()
        if profile:
            return Path(profile) / "crime_risk" / "engine"
    return ROOT / ".engine"


def engine_python() -> Path:
    """The engine's interpreter, whether or not it exists."""
    venv = engine_folder() / "venv"
    return venv / "Scripts" / "python.exe" if os.name == "nt" else venv / "bin" / "python"


def child_environment() -> dict[str, str]:
    """What the engine's processes see: nothing of QGIS's Python, Qt, GDAL and PROJ."""
    environment = processes.clean_environment()
    environment["PYTHONPATH"] = str(ROOT)
    # Nothing is written into the plugin folder.
    environment["PYTHONPYCACHEPREFIX"] = str(engine_folder() / "pycache")
    return environment


def status() -> EngineStatus:
    """Tell from the files whether the engine is ready, missing, interrupted or outdated."""
    folder = engine_folder()
    state = _read_state(folder)
    found = EngineStatus(
        folder=str(folder),
        packages=state.get("packages", {}),
        annoy=bool(state.get("annoy")),
        torch=state.get("torch", "cpu"),
        base_python=state.get("base_python", ""),
        system_site_packages=bool(state.get("system_site_packages")),
    )
    if not engine_python().exists():
        if state and (folder / "venv").exists():
            found.problem = (
                f"The Python that the engine was made from ({found.base_python}) is gone. Repair it with {MENU}"
            )
        else:
            found.problem = (
                "The Crime Risk engine (a Python environment of its own with PyTorch, rasterio and others) is not "
                f"installed in {folder}. Install it with {MENU}"
            )
    elif state.get("stage") != "ready":
        found.problem = f"The installation of the engine in {folder} was not finished. Go on with {MENU}"
    else:
        found.ready = True
        if state.get("requirements") != _fingerprint():
            found.outdated = True
            found.problem = f"The engine was installed for another version of Crime Risk and needs an update: {MENU}"
    return found


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
    folder = engine_folder()
    installation = _Installation(
        folder, on_progress or _ignore, on_log or _ignore, is_cancelled or _never, base_python, torch
    )
    with _file_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with _lock(folder):
            installation.run(system_site_packages, repair)
    return status()


def verify(on_progress: Progress | None = None, is_cancelled: Cancelled | None = None) -> dict[str, str]:
    """Import every package in the engine's Python; returns what cannot be imported, and why."""
    answers = _import_all(_names(), engine_folder(), on_progress or _ignore, is_cancelled or _never)
    return {name: answer["error"] for name, answer in answers.items() if answer["error"]}


def remove() -> None:
    """Delete the engine: its environment, its caches and its state, and nothing else.

    Raises
    ------
    EngineSetupError
        If it is being installed, or a file is in use.
    """
    folder = engine_folder()
    if not folder.is_dir():
        return
    with _file_errors(folder), _lock(folder):
        (folder / _STATE).unlink(missing_ok=True)
        for name in ("venv", "pycache", "tmp"):
            _delete(folder / name)
        for name in (_STATE + ".partial", "kept.txt"):
            (folder / name).unlink(missing_ok=True)
    (folder / "install.lock").unlink(missing_ok=True)
    if not any(folder.iterdir()):
        folder.rmdir()


class _Installation:
    """One run of `install`, under the lock."""

    def __init__(
        self,
        folder: Path,
        on_progress: Progress,
        on_log: Log,
        is_cancelled: Cancelled,
        base_python: str | os.PathLike[str] | None,
        torch: str | None,
    ) -> None:
        self.folder = folder
        self.on_progress = on_progress
        self.log = on_log
        self.is_cancelled = is_cancelled
        self.base_python = base_python
        self.before = _read_state(folder)
        self.torch = torch or self.before.get("torch", "cpu")
        if self.torch not in ("cpu", "cuda"):
            raise EngineSetupError(f"torch is {torch!r}: choose 'cpu' or 'cuda'.")
        if self.torch == "cuda" and sys.platform == "darwin":
            raise EngineSetupError("There is no CUDA build of PyTorch for macOS. Choose the CPU build.")
        self.state: dict[str, Any] = {}
        self.site = False

    def run(self, system_site_packages: bool | None, repair: bool) -> None:
        site = system_site_packages
        self.site = bool(self.before.get("system_site_packages")) if site is None else site
        if not repair and self._is_whole():
            self.log(f"The engine in {self.folder} is complete.")
            self.on_progress(1.0, "The engine is complete")
            return
        _delete(self.folder / "tmp")
        fresh = self._prepare()
        try:
            self._fill()
        except EngineSetupError as error:
            # What a killed pip or a moved base Python left behind is not worth mending piece by piece.
            damaged = not isinstance(error, (SetupCancelled, PipError)) or getattr(error, "cause", "") == "unknown"
            if fresh or not damaged or isinstance(error, SetupCancelled):
                raise
            self.log(f"{error} The environment is damaged and is made anew.")
            self._create()
            self._fill()
        _delete(self.folder / "tmp")
        self.on_progress(1.0, "The engine is ready")

    def _is_whole(self) -> bool:
        now = status()
        if not now.ready or now.outdated or now.torch != self.torch or now.system_site_packages != self.site:
            return False
        if self.base_python and not self._same_base(now.base_python):
            return False
        text = processes.capture(
            [str(engine_python()), "-c", _VERSIONS, *now.packages], child_environment(), self.folder, seconds=60
        )
        try:
            return bool(text) and (self.site or json.loads(text or "") == now.packages)
        except ValueError:
            return False

    def _same_base(self, executable: str) -> bool:
        wanted = bases.find(self.base_python)[0].executable
        return os.path.normcase(os.path.realpath(wanted)) == os.path.normcase(os.path.realpath(executable))

    def _prepare(self) -> bool:
        """Keep the environment that is there if it can be used; True if it was made anew."""
        before = self.before
        usable = (
            engine_python().exists()
            and (not self.base_python or self._same_base(before.get("base_python", "")))
            and bool(before.get("system_site_packages", _has_site(self.folder))) == self.site
            and processes.capture([str(engine_python()), "-c", "import pip"], child_environment(), self.folder)
            is not None
        )
        if not usable:
            self._create()
            return True
        self.log(f"Going on with the environment in {self.folder}.")
        base = before.get("base_python") or _home(self.folder)
        self._begin(base)
        return False

    def _create(self) -> None:
        self.on_progress(0.0, "Looking for Python")
        problem: EngineSetupError | None = None
        for base in bases.find(self.base_python):
            _delete(self.folder / "venv")
            self.log(f"Making an environment with Python {base.version} ({base.executable}) in {self.folder}.")
            self.on_progress(0.01, f"Making an environment with Python {base.version}")
            options = ["--system-site-packages"] if self.site else []
            command = processes.watched(base.executable, "venv", *options, str(self.folder / "venv"))
            environment = processes.clean_environment()
            code, tail = processes.run(command, environment, self.folder, self.log, self.is_cancelled)
            if code == 0 and engine_python().exists():
                self._begin(base.executable)
                return
            why = tail[-1].rstrip(". ") if tail else f"exit code {code}"
            problem = problem or EngineSetupError(
                f"Python {base.version} ({base.executable}) could not make an environment in {self.folder} ({why}). "
                f"Choose another Python, or set CRIMERISK_ENGINE to another folder."
            )
        assert problem is not None
        raise problem

    def _begin(self, base: str) -> None:
        """Note that work goes on: until it is done, nobody takes the engine for whole."""
        self.state = {
            "format": 1,
            "stage": "installing",
            "torch": self.torch,
            "system_site_packages": self.site,
            "base_python": base,
        }
        _write_state(self.folder, self.state)

    def _fill(self) -> None:
        environment = child_environment()
        # pip must not see the checkout's folders as packages.
        del environment["PYTHONPATH"]
        pip = Pip(engine_python(), self.folder, environment, self.log, self.is_cancelled)
        pins = [pin for pin in _pins(REQUIREMENTS) if _name(pin) != "torch"]
        have: dict[str, dict[str, Any]] = {}
        kept: list[str] = []
        if self.site:
            have = _import_all(_names(), self.folder, self._part(0.03, 0.06), self.is_cancelled)
            have = {name: answer for name, answer in have.items() if not answer["error"]}
            self.log("Kept as they are: " + (", ".join(f"{n} {a['version']}" for n, a in have.items()) or "none"))
            pins = [_name(pin) for pin in pins if _name(pin) not in have]
            kept = self._constraints(have)
        if pins:
            self.on_progress(0.06, "Installing the packages")
            pip.install(["--only-binary", ":all:", *kept, *dict.fromkeys(pins)], self._part(0.06, 0.5))
        if "torch" not in have:
            self._install_torch(pip, kept)
        if "annoy" not in have:
            self._install_annoy(pip, kept)
        self._verify()

    def _constraints(self, have: dict[str, dict[str, Any]]) -> list[str]:
        """Keep pip from putting another numpy over the one that the base's packages were compiled for."""
        file = self.folder / "kept.txt"
        lines = [f"{name}=={answer['version']}" for name, answer in have.items() if answer["version"][:1].isdigit()]
        file.write_text("\n".join(lines) + "\n", "utf-8")
        return ["--constraint", str(file)] if lines else []

    def _install_torch(self, pip: Pip, kept: list[str]) -> None:
        pin = next(pin for pin in _pins(REQUIREMENTS) if _name(pin) == "torch")
        number = pin.split("==")[1].split(";")[0].strip()
        part = self._part(0.5, 0.85)
        part(0.0, f"Installing PyTorch ({self.torch.upper()})")
        if self.before.get("torch", self.torch) != self.torch:
            pip.uninstall("torch")
        wheels = ["--only-binary", ":all:", *kept]
        linux = sys.platform.startswith("linux")
        if self.torch == "cuda":
            if linux:
                # "===" takes PyPI's build, which is the CUDA one, and not a "+cpu" of the same number.
                pip.install([*wheels, f"torch==={number}"], part)
            else:
                pip.install([*wheels, "--extra-index-url", CUDA_INDEX, f"torch=={number}+{CUDA}"], part)
        elif not linux:
            pip.install([*wheels, f"torch=={number}"], part)
        else:
            # On Linux the plain name is the CUDA build: never taken unasked.
            try:
                pip.install([*wheels, f"torch=={number}+cpu"], part)
            except PipError as error:
                if error.cause not in ("unavailable", "network"):
                    raise
                self.log(f"Your package index has no CPU build of PyTorch; asking {CPU_INDEX}.")
                pip.install([*wheels, "--extra-index-url", CPU_INDEX, f"torch=={number}+cpu"], part)

    def _install_annoy(self, pip: Pip, kept: list[str]) -> None:
        part = self._part(0.85, 0.92)
        part(0.0, "Installing annoy")
        pin = _pins(OPTIONAL)[0]
        try:
            pip.install([*kept, _name(pin) if self.site else pin], part)
        except PipError as error:
            self.log(f"annoy could not be compiled; the exact index serves. {error}")

    def _verify(self) -> None:
        answers = _import_all(_names(), self.folder, self._part(0.92, 1.0), self.is_cancelled)
        optional = {_name(pin) for pin in _pins(OPTIONAL)}
        broken = {name: a["error"] for name, a in answers.items() if a["error"] and name not in optional}
        if broken:
            told = "; ".join(f"{name} ({error})" for name, error in broken.items())
            raise EngineSetupError(
                f"Packages were installed but cannot be imported: {told}. Choose another base Python, or press Repair."
            )
        torch = answers["torch"]
        if self.torch == "cuda" and not torch.get("cuda"):
            raise EngineSetupError(
                f"The CPU build of PyTorch ({torch['version']}) was installed although CUDA was chosen. "
                "Remove the engine, and check which package index pip uses."
            )
        if self.torch == "cuda" and not torch.get("gpu"):
            self.log("PyTorch finds no CUDA device; jobs will run on the CPU.")
        self.state.update(
            stage="ready",
            requirements=_fingerprint(),
            packages={name: a["version"] for name, a in answers.items() if not a["error"]},
            annoy="annoy" in answers and not answers["annoy"]["error"],
        )
        _write_state(self.folder, self.state)
        self.log("Ready: " + ", ".join(f"{name} {version}" for name, version in self.state["packages"].items()))

    def _part(self, low: float, high: float) -> Progress:
        return lambda share, text: self.on_progress(low + (high - low) * share, text)


def _import_all(
    names: list[str], folder: Path, on_progress: Progress, is_cancelled: Cancelled
) -> dict[str, dict[str, Any]]:
    answers: dict[str, dict[str, Any]] = {}

    def on_line(line: str) -> None:
        if line.startswith('{"name"'):
            answer = json.loads(line)
            answers[answer["name"]] = answer
            on_progress(len(answers) / len(names), f"Verified {answer['name']}")

    pairs = [f"{name}={_MODULES.get(name, name)}" for name in names]
    on_progress(0.0, "Verifying the packages")
    command = [str(engine_python()), "-c", _IMPORT, *pairs]
    code, tail = processes.run(command, child_environment(), folder, on_line, is_cancelled)
    for name in names:
        # An import may end the process itself, by a crash in compiled code.
        last = tail[-1] if tail and not tail[-1].startswith("{") else f"exit code {code}"
        answers.setdefault(name, {"name": name, "version": "", "error": f"the import ended Python: {last}"})
    return answers


def _pins(file: Path) -> list[str]:
    lines = (line.strip() for line in file.read_text("utf-8").splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def _name(pin: str) -> str:
    return re.split(r"[=<>!~;\s]", pin, maxsplit=1)[0]


def _names() -> list[str]:
    return list(dict.fromkeys(_name(pin) for pin in _pins(REQUIREMENTS) + _pins(OPTIONAL)))


def _fingerprint() -> str:
    """Comments may change, pins may not."""
    return hashlib.sha256("\n".join(_pins(REQUIREMENTS) + _pins(OPTIONAL)).encode()).hexdigest()[:16]


def _read_state(folder: Path) -> dict[str, Any]:
    try:
        state = json.loads((folder / _STATE).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return state if isinstance(state, dict) and state.get("format") == 1 else {}


def _write_state(folder: Path, state: dict[str, Any]) -> None:
    partial = folder / (_STATE + ".partial")
    partial.write_text(json.dumps(state, indent=1, ensure_ascii=False), "utf-8")
    os.replace(partial, folder / _STATE)


def _configuration(folder: Path) -> dict[str, str]:
    """Read pyvenv.cfg, for an environment that was made without leaving a state."""
    try:
        lines = (folder / "venv" / "pyvenv.cfg").read_text("utf-8").splitlines()
    except (OSError, ValueError):
        return {}
    pairs = (line.partition("=") for line in lines)
    return {key.strip(): value.strip() for key, _, value in pairs}


def _has_site(folder: Path) -> bool:
    return _configuration(folder).get("include-system-site-packages", "").lower() == "true"


def _home(folder: Path) -> str:
    return _configuration(folder).get("executable", "")


def _delete(path: Path) -> None:
    if path.is_symlink():
        path.unlink()
    elif path.exists():

        def writable(function: Callable[[str], Any], name: str, _: Any) -> None:
            # Windows refuses to delete read-only files.
            os.chmod(name, stat.S_IWRITE)
            function(name)

        shutil.rmtree(path, onerror=writable)


@contextmanager
def _file_errors(folder: Path) -> Iterator[None]:
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
def _lock(folder: Path) -> Iterator[None]:
    """Hold the folder's lock; the system frees it when the process dies, however it dies."""
    path = folder / "install.lock"
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            _lock_handle(handle)
        except OSError:
            owner = os.read(handle, 20).decode("ascii", "replace").strip() or "unknown"
            raise EngineSetupError(
                f"The engine in {folder} is already being set up by process {owner}. Wait until that has ended."
            ) from None
        os.ftruncate(handle, 0)
        os.write(handle, str(os.getpid()).encode("ascii"))
        yield
    finally:
        os.close(handle)


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
            print(f"Removed the engine in {engine_folder()}.")
            return 0
        if given.command == "install":
            site = True if given.system_site_packages else None
            install(_shown(), print, None, given.base_python, given.torch, site, given.repair)
        return _check(given.command == "check")
    except KeyboardInterrupt:
        print(SetupCancelled(), file=sys.stderr)
    except EngineSetupError as error:
        print(error, file=sys.stderr)
    return 1


def _check(importing: bool) -> int:
    now = status()
    broken = verify() if importing and now.ready else {}
    needed = {_name(pin) for pin in _pins(REQUIREMENTS)}
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
