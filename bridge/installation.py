"""Making, finishing and mending the engine's environment."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import base_python as bases
from . import engine_state, processes
from .pip_runner import Pip, PipError
from .processes import EngineSetupError, SetupCancelled

Progress = Callable[[float, str], None]
Log = Callable[[str], None]
Cancelled = Callable[[], bool]

CPU_INDEX = "https://download.pytorch.org/whl/cpu"
CUDA = "cu130"
CUDA_INDEX = f"https://download.pytorch.org/whl/{CUDA}"
_MODULES = {"scikit-learn": "sklearn"}
_WITHOUT = {
    "annoy": "annoy could not be compiled; the exact index serves.",
    "pyarrow": "pyarrow could not be installed; tables are written as plain arrays, which takes longer.",
}

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


class Installation:
    """One run of `environment.install`, under the lock."""

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
        self.before = engine_state.read_state(folder)
        self.torch = torch or self.before.get("torch", "cpu")
        if self.torch not in ("cpu", "cuda"):
            raise EngineSetupError(f"torch is {torch!r}: choose 'cpu' or 'cuda'.")
        if self.torch == "cuda" and sys.platform == "darwin":
            raise EngineSetupError("There is no CUDA build of PyTorch for macOS. Choose the CPU build.")
        self.state: dict[str, Any] = {}
        self.site = False

    def run(self, system_site_packages: bool | None, repair: bool) -> None:
        """Do what is still to do."""
        site = system_site_packages
        self.site = bool(self.before.get("system_site_packages")) if site is None else site
        if not repair and self._is_whole():
            self.log(f"The engine in {self.folder} is complete.")
            self.on_progress(1.0, "The engine is complete")
            return
        engine_state.delete(self.folder / "tmp")
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
        engine_state.delete(self.folder / "tmp")
        self.on_progress(1.0, "The engine is ready")

    def _is_whole(self) -> bool:
        now = engine_state.read_status()
        if not now.ready or now.outdated or now.torch != self.torch or now.system_site_packages != self.site:
            return False
        if self.base_python and not self._same_base(now.base_python):
            return False
        text = processes.capture(
            [str(engine_state.python_of_engine()), "-c", _VERSIONS, *now.packages],
            engine_state.make_child_environment(),
            self.folder,
            seconds=60,
        )
        try:
            return bool(text) and (self.site or json.loads(text or "") == now.packages)
        except ValueError:
            return False

    def _same_base(self, executable: str) -> bool:
        wanted = bases.list_pythons(self.base_python)[0].executable
        return os.path.normcase(os.path.realpath(wanted)) == os.path.normcase(os.path.realpath(executable))

    def _prepare(self) -> bool:
        """Keep the environment that is there if it can be used; True if it was made anew."""
        before = self.before
        usable = (
            engine_state.python_of_engine().exists()
            and (not self.base_python or self._same_base(before.get("base_python", "")))
            and bool(before.get("system_site_packages", engine_state.has_site(self.folder))) == self.site
            and processes.capture(
                [str(engine_state.python_of_engine()), "-c", "import pip"],
                engine_state.make_child_environment(),
                self.folder,
            )
            is not None
        )
        if not usable:
            self._create()
            return True
        self.log(f"Going on with the environment in {self.folder}.")
        base = before.get("base_python") or engine_state.read_home(self.folder)
        self._begin(base)
        return False

    def _create(self) -> None:
        self.on_progress(0.0, "Looking for Python")
        problem: EngineSetupError | None = None
        for base in bases.list_pythons(self.base_python):
            engine_state.delete(self.folder / "venv")
            self.log(f"Making an environment with Python {base.version} ({base.executable}) in {self.folder}.")
            self.on_progress(0.01, f"Making an environment with Python {base.version}")
            options = ["--system-site-packages"] if self.site else []
            command = processes.make_watched_command(base.executable, "venv", *options, str(self.folder / "venv"))
            environment = processes.make_clean_environment()
            code, tail = processes.run(command, environment, self.folder, self.log, self.is_cancelled)
            if code == 0 and engine_state.python_of_engine().exists():
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
        engine_state.write_state(self.folder, self.state)

    def _fill(self) -> None:
        environment = engine_state.make_child_environment()
        # pip must not see the checkout's folders as packages.
        del environment["PYTHONPATH"]
        pip = Pip(engine_state.python_of_engine(), self.folder, environment, self.log, self.is_cancelled)
        pins = [
            pin for pin in engine_state.read_pins(engine_state.REQUIREMENTS) if engine_state.name_of_pin(pin) != "torch"
        ]
        have: dict[str, dict[str, Any]] = {}
        kept: list[str] = []
        if self.site:
            have = import_all(engine_state.list_packages(), self.folder, self._part(0.03, 0.06), self.is_cancelled)
            have = {name: answer for name, answer in have.items() if not answer["error"]}
            self.log("Kept as they are: " + (", ".join(f"{n} {a['version']}" for n, a in have.items()) or "none"))
            pins = [engine_state.name_of_pin(pin) for pin in pins if engine_state.name_of_pin(pin) not in have]
            kept = self._constraints(have)
        if pins:
            self.on_progress(0.06, "Installing the packages")
            pip.install(["--only-binary", ":all:", *kept, *dict.fromkeys(pins)], self._part(0.06, 0.5))
        if "torch" not in have:
            self._install_torch(pip, kept)
        if "annoy" not in have:
            self._install_optional(pip, kept)
        self._verify()

    def _constraints(self, have: dict[str, dict[str, Any]]) -> list[str]:
        """Keep pip from putting another numpy over the one that the base's packages were compiled for."""
        file = self.folder / "kept.txt"
        lines = [f"{name}=={answer['version']}" for name, answer in have.items() if answer["version"][:1].isdigit()]
        file.write_text("\n".join(lines) + "\n", "utf-8")
        return ["--constraint", str(file)] if lines else []

    def _install_torch(self, pip: Pip, kept: list[str]) -> None:
        pin = next(
            pin for pin in engine_state.read_pins(engine_state.REQUIREMENTS) if engine_state.name_of_pin(pin) == "torch"
        )
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

    def _install_optional(self, pip: Pip, kept: list[str]) -> None:
        part = self._part(0.85, 0.92)
        pins: dict[str, list[str]] = {}
        for pin in engine_state.read_pins(engine_state.OPTIONAL):
            pins.setdefault(engine_state.name_of_pin(pin), []).append(pin)
        for number, (name, lines) in enumerate(pins.items()):
            part(number / len(pins), f"Installing {name}")
            try:
                pip.install([*kept, *([name] if self.site else lines)], part)
            except PipError as error:
                self.log(f"{_WITHOUT[name]} {error}")

    def _verify(self) -> None:
        answers = import_all(engine_state.list_packages(), self.folder, self._part(0.92, 1.0), self.is_cancelled)
        optional = {engine_state.name_of_pin(pin) for pin in engine_state.read_pins(engine_state.OPTIONAL)}
        broken = {name: a["error"] for name, a in answers.items() if a["error"] and name not in optional}
        if broken:
            names = "; ".join(f"{name} ({error})" for name, error in broken.items())
            raise EngineSetupError(
                f"Packages were installed but cannot be imported: {names}. Choose another base Python, or press Repair."
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
            requirements=engine_state.compute_fingerprint(),
            packages={name: a["version"] for name, a in answers.items() if not a["error"]},
            annoy="annoy" in answers and not answers["annoy"]["error"],
        )
        engine_state.write_state(self.folder, self.state)
        self.log("Ready: " + ", ".join(f"{name} {version}" for name, version in self.state["packages"].items()))

    def _part(self, low: float, high: float) -> Progress:
        return lambda share, text: self.on_progress(low + (high - low) * share, text)


def import_all(
    names: list[str], folder: Path, on_progress: Progress, is_cancelled: Cancelled
) -> dict[str, dict[str, Any]]:
    """Import packages in the engine's Python; returns name, version and error of each."""
    answers: dict[str, dict[str, Any]] = {}

    def on_line(line: str) -> None:
        if line.startswith('{"name"'):
            answer = json.loads(line)
            answers[answer["name"]] = answer
            on_progress(len(answers) / len(names), f"Verified {answer['name']}")

    pairs = [f"{name}={_MODULES.get(name, name.replace('-', '_'))}" for name in names]
    on_progress(0.0, "Verifying the packages")
    command = [str(engine_state.python_of_engine()), "-c", _IMPORT, *pairs]
    code, tail = processes.run(command, engine_state.make_child_environment(), folder, on_line, is_cancelled)
    for name in names:
        # An import may end the process itself, by a crash in compiled code.
        last = tail[-1] if tail and not tail[-1].startswith("{") else f"exit code {code}"
        answers.setdefault(name, {"name": name, "version": "", "error": f"the import ended Python: {last}"})
    return answers
