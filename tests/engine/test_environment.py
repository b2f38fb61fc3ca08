"""The engine's environment without a network: finding Python, resuming, mending, and saying what is wrong."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from kit.waiting import is_alive, wait_for

from bridge import base_python, engine_state, environment, installation, pip_runner, processes

ROOT = Path(__file__).resolve().parents[2]
posix = pytest.mark.skipif(sys.platform == "win32", reason="uses shell scripts and POSIX signals")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "motor ñ 北"
    monkeypatch.setenv("CRIMERISK_ENGINE", str(path))
    return path


def script(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(["#!/bin/sh", *lines, ""]), "utf-8")
    path.chmod(0o755)
    return path


def fake_python(path: Path, version: Sequence[int], problem: str = "") -> Path:
    return script(path, "cat <<'END'", json.dumps([list(version), str(path), problem]), "END")


class FakePip:
    """Writes little packages instead of installing; tells what was asked for."""

    asked: list[list[str]]
    fail: dict[str, pip_runner.PipError]
    broken: set[str]

    def __init__(self, python: Path, folder: Path, *_: Any) -> None:
        self.site = next((folder / "venv").glob("lib/python*/site-packages"))
        (self.site / "pip").mkdir(exist_ok=True)
        (self.site / "pip" / "__init__.py").touch()

    def install(self, arguments: Sequence[str], on_progress: Callable[[float, str], None]) -> None:
        type(self).asked.append(list(arguments))
        on_progress(0.5, "Collecting")
        for argument in arguments:
            name = engine_state.name_of_pin(argument)
            if name in self.fail:
                raise self.fail[name]
            if name in engine_state.list_packages():
                self.put(name, argument.rpartition("==")[2].split(";")[0] or "1")

    def put(self, name: str, version: str) -> None:
        info = self.site / f"{name.replace('-', '_')}-1.dist-info"
        if info.exists():
            return
        package = self.site / {"scikit-learn": "sklearn"}.get(name, name.replace("-", "_"))
        package.mkdir()
        text = {
            "torch": "class version: cuda = None\nclass cuda:\n    is_available = staticmethod(lambda: False)\n"
            "class ones:\n    def __init__(self, n): pass\n    def numpy(self): pass\n",
        }.get(name, "")
        (package / "__init__.py").write_text("import gone" if name in self.broken else text)
        if name == "rasterio":
            (package / "crs.py").write_text(
                "class CRS:\n    def to_wkt(self): pass\n    from_epsg = classmethod(lambda cls, code: cls())\n"
            )
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")

    def uninstall(self, name: str) -> None:
        type(self).asked.append(["uninstall", name])


@pytest.fixture
def fake_pip(monkeypatch: pytest.MonkeyPatch) -> type[FakePip]:
    fake = type("Fake", (FakePip,), {"asked": [], "fail": {}, "broken": set()})
    monkeypatch.setattr(installation, "Pip", fake)
    watched = processes.make_watched_command

    def make_command(python: str | Path, module: str, *arguments: str) -> list[str]:
        # The real pip is nobody's here, and takes most of the time of making an environment.
        return watched(python, module, *(("--without-pip",) if module == "venv" else ()), *arguments)

    monkeypatch.setattr(processes, "make_watched_command", make_command)
    return fake


# Finding a Python


@posix
def test_unfit_pythons_are_refused_with_a_sentence(tmp_path: Path) -> None:
    old = fake_python(tmp_path / "python3.9", (3, 9, 18))
    bare = fake_python(tmp_path / "python3.12", (3, 12, 1), "No module named 'ensurepip'")
    other = script(tmp_path / "qgis", "echo QGIS 3.40; exit 0")
    for path, words in (
        (old, "is Python 3.9.18, which is too old"),
        (bare, "cannot make environments (No module named 'ensurepip')"),
        (other, "does not run as Python 3"),
        (tmp_path / "absent", "does not run as Python 3"),
    ):
        with pytest.raises(environment.EngineSetupError) as caught:
            base_python.list_pythons(path)
        message = str(caught.value)
        assert words in message
        assert message.startswith("Crime Risk needs Python 3.10 or newer")
        assert "Set up engine…" in message
        assert "\n" not in message


@posix
def test_the_first_fit_python_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = fake_python(tmp_path / "python3", (3, 8, 0))
    good = fake_python(tmp_path / "python 3.12 ñ", (3, 12, 1))
    monkeypatch.setattr(base_python, "_candidates", lambda: [[str(old)], [str(good)], [str(good)]])
    assert base_python.list_pythons() == [base_python.BasePython(str(good), "3.12.1")]


def test_this_machine_has_a_python() -> None:
    assert all(tuple(map(int, base.version.split(".")))[:2] >= (3, 10) for base in base_python.list_pythons())


def test_qgis_itself_is_never_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    qgis = tmp_path / "qgis-bin.exe"
    qgis.touch()
    monkeypatch.setattr(sys, "executable", str(qgis))
    monkeypatch.setattr(sys, "_base_executable", str(qgis), raising=False)
    assert [str(qgis)] not in list(base_python._candidates())


# What the children see


def test_the_environment_is_scrubbed_but_pips_configuration_stays(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = {
        "PYTHONHOME": "x",
        "PYTHONSTARTUP": "x",
        "GDAL_DATA": "x",
        "PROJ_LIB": "x",
        "PROJ_DATA": "x",
        "LD_LIBRARY_PATH": "/x",
        "QT_PLUGIN_PATH": "x",
        "VIRTUAL_ENV": "x",
        "CONDA_PREFIX": "x",
        "PIP_TARGET": "x",
    }
    kept = {
        "PIP_INDEX_URL": "http://a",
        "PIP_FIND_LINKS": "/w",
        "SSL_CERT_FILE": "/c",
        "REQUESTS_CA_BUNDLE": "/c",
        "HTTPS_PROXY": "http://p",
        "OPENBLAS_CORETYPE": "Haswell",
        "HOME": "/h",
    }
    for name, value in {**gone, **kept}.items():
        monkeypatch.setenv(name, value)
    seen = environment.make_child_environment()
    assert not set(gone) & set(seen)
    assert {name: seen[name] for name in kept} == kept
    assert (seen["PYTHONUTF8"], seen["PYTHONPATH"]) == ("1", str(ROOT))
    assert seen["PYTHONPYCACHEPREFIX"] == str(folder / "pycache")
    assert seen["PATH"] == os.environ["PATH"]


# Installing


@posix
def test_install_verify_and_come_back_at_once(folder: Path, fake_pip: type[FakePip]) -> None:
    told: list[float] = []
    lines: list[str] = []
    state = environment.install(lambda share, _: told.append(share), lines.append)
    assert state.ready
    assert state.annoy
    assert state.problem == ""
    assert state.packages["scikit-learn"]
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert environment.read_status() == state
    if sys.platform == "linux":
        assert any("torch==2.13.0+cpu" in arguments for arguments in fake_pip.asked)
    assert "annoy" in fake_pip.asked[-2][-1]
    assert "pyarrow" in fake_pip.asked[-1][-1]
    steps = len(fake_pip.asked)
    began = time.monotonic()
    assert environment.install() == state
    assert time.monotonic() - began < 3
    assert len(fake_pip.asked) == steps
    # A package that has gone is noticed, and put back.
    info = next((folder / "venv").glob("lib/python*/site-packages/pandas-1.dist-info"))
    (info / "METADATA").unlink()
    info.rmdir()
    lines.clear()
    subprocess.run(["rm", "-r", str(info.parent / "pandas")], check=True)
    assert environment.install(on_log=lines.append).ready
    assert any("Going on with the environment" in line for line in lines)


@posix
def test_killed_in_the_middle_it_goes_on_later(folder: Path, fake_pip: type[FakePip]) -> None:
    code = (
        "import os, signal, sys; sys.path.insert(0, sys.argv[1])\n"
        "from bridge import environment, installation\n"
        "class Pip:\n"
        "    def __init__(self, *_): pass\n"
        "    def install(self, *_): os.kill(os.getpid(), signal.SIGKILL)\n"
        "installation.Pip = Pip; environment.install(print, print)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(ROOT)], capture_output=True)
    assert done.returncode == -signal.SIGKILL
    state = environment.read_status()
    assert (state.ready, state.state) == (False, "interrupted")
    assert "was not finished: go on with Crime Risk ▸ Set up engine…" in state.problem
    lines: list[str] = []
    assert environment.install(on_log=lines.append).ready
    assert any("Going on with the environment" in line for line in lines)
    assert not any("Making an environment" in line for line in lines)


@posix
def test_a_damaged_environment_is_made_anew(folder: Path, fake_pip: type[FakePip]) -> None:
    fake_pip.broken = {"scipy"}
    with pytest.raises(environment.EngineSetupError, match=r"cannot be imported: scipy \(No module named 'gone'\)"):
        environment.install()
    assert environment.read_status().state == "interrupted"
    # The package stays broken, as pip takes it for installed: only starting over helps.
    fake_pip.broken = set()
    lines: list[str] = []
    assert environment.install(on_log=lines.append).ready
    assert any("is made anew" in line for line in lines)


@posix
def test_an_environment_whose_python_has_gone_is_made_anew(folder: Path, fake_pip: type[FakePip]) -> None:
    environment.install()
    python = environment.python_of_engine()
    python.unlink()
    python.symlink_to(folder / "gone")
    assert environment.read_status().state == "broken"
    assert environment.install().ready


@posix
def test_without_a_compiler_the_rest_stands(folder: Path, fake_pip: type[FakePip]) -> None:
    cause, sentence = pip_runner.explain(["error: command 'x86_64-linux-gnu-g++' failed: No such file"], 1, folder)
    fake_pip.fail = {"annoy": pip_runner.PipError(sentence, cause)}
    lines: list[str] = []
    state = environment.install(on_log=lines.append)
    assert state.ready
    assert not state.annoy
    told = [line for line in lines if "annoy could not be compiled; the exact index serves" in line]
    assert len(told) == 1
    assert "C++ compiler" in told[0]
    fake_pip.fail = {}
    assert environment.install(repair=True).annoy


@pytest.mark.skipif(sys.platform != "linux", reason="only on Linux the plain name is the CUDA build")
def test_cuda_is_never_taken_unasked(folder: Path, fake_pip: type[FakePip]) -> None:
    fake_pip.fail = {"torch": pip_runner.PipError("No build of torch.", "unavailable")}
    with pytest.raises(environment.EngineSetupError, match="No build of torch"):
        environment.install()
    torch = [arguments for arguments in fake_pip.asked if any("torch" in pin for pin in arguments)]
    assert [arguments[-1] for arguments in torch] == ["torch==2.13.0+cpu", "torch==2.13.0+cpu"]
    assert "--extra-index-url" not in torch[0]
    assert installation.CPU_INDEX in torch[1]
    fake_pip.fail = {}
    with pytest.raises(environment.EngineSetupError, match=r"CPU build of PyTorch .* although CUDA was chosen"):
        environment.install(torch="cuda")
    assert ["uninstall", "torch"] in fake_pip.asked
    assert any("torch===2.13.0" in arguments for arguments in fake_pip.asked)
    with pytest.raises(environment.EngineSetupError, match="'gpu'"):
        environment.install(torch="gpu")


@posix
def test_what_the_base_python_has_is_kept(folder: Path, fake_pip: type[FakePip]) -> None:
    environment.install(system_site_packages=True)
    base = environment.read_status().base_python
    code = "import numpy, sys; print(numpy.__version__)"
    numpy = processes.capture([base, "-c", code], processes.make_clean_environment(), folder)
    asked = [pin for arguments in fake_pip.asked for pin in arguments]
    assert not any(pin.startswith("numpy==2") for pin in asked)
    assert ("numpy" in asked) == (numpy is None)
    if numpy:
        assert f"numpy=={numpy.strip()}" in (folder / "kept.txt").read_text().splitlines()
    assert engine_state.has_site(folder)
    assert environment.install().system_site_packages


@posix
def test_cancel_keeps_what_is_there(folder: Path, fake_pip: type[FakePip]) -> None:
    with pytest.raises(environment.SetupCancelled):
        environment.install(is_cancelled=lambda: True)
    assert not environment.read_status().ready
    assert environment.install().ready


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("CRIMERISK_ENGINE", str(tmp_path / "file" / "engine"))
    with pytest.raises(environment.EngineSetupError, match=r"The engine folder .* cannot be used .*CRIMERISK_ENGINE"):
        environment.install()


# State, lock, removal


def test_changed_pins_need_an_update(folder: Path) -> None:
    python = environment.python_of_engine()
    python.parent.mkdir(parents=True)
    python.touch()
    assert environment.read_status().state == "interrupted"
    (folder / "state.json").write_text("{half")
    assert environment.read_status().state == "interrupted"
    engine_state.write_state(folder, {"format": 1, "stage": "ready", "requirements": "other"})
    state = environment.read_status()
    assert state.ready
    assert state.outdated
    assert "needs an update" in state.problem
    engine_state.write_state(
        folder, {"format": 1, "stage": "ready", "requirements": engine_state.compute_fingerprint()}
    )
    assert environment.read_status().problem == ""


@posix
def test_two_installations_do_not_collide_and_a_dead_one_does_not_matter(folder: Path) -> None:
    folder.mkdir()
    code = (
        "import sys, time; sys.path.insert(0, sys.argv[1])\n"
        "from bridge import engine_state, environment\n"
        "with engine_state.lock(environment.choose_engine_folder()):\n    print('held', flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(ROOT)], stdout=subprocess.PIPE) as other:
        assert other.stdout
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(environment.EngineSetupError, match=f"already being set up by process {other.pid}"):
            environment.install()
        other.kill()
    environment.remove()
    assert not folder.exists()


@posix
def test_remove_takes_only_the_engine(folder: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "data.csv").touch()
    folder.mkdir()
    (folder / "mine.txt").touch()
    (folder / "venv").symlink_to(precious)
    (folder / "pycache" / "a").mkdir(parents=True)
    engine_state.write_state(folder, {"format": 1, "stage": "ready"})
    environment.remove()
    assert [path.name for path in folder.iterdir()] == ["mine.txt"]
    assert (precious / "data.csv").exists()
    assert environment.read_status().state == "missing"
    environment.remove()


@posix
def test_the_command_line_checks_and_explains(folder: Path) -> None:
    command = [sys.executable, str(ROOT / "bridge" / "environment.py"), "check", "--folder", str(folder)]
    done = subprocess.run(command, capture_output=True, cwd="/")
    assert done.returncode == 1
    assert json.loads(done.stdout)["state"] == "missing"
    assert "is not installed in" in done.stderr.decode()
    assert not folder.exists()


# pip and its children


@pytest.mark.parametrize(
    ("line", "cause", "remedy"),
    [
        (
            "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
            "disk",
            "Free some",
        ),
        ("SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED]", "tls", "PIP_CERT"),
        ("ProxyError('Cannot connect to proxy.', OSError('Tunnel failed: 407", "proxy", "HTTPS_PROXY"),
        ("Failed to establish a new connection: [Errno -3] Temporary failure in name resolution", "network", "again"),
        ("error: Microsoft Visual C++ 14.0 or greater is required.", "compiler", "install"),
        ("annoymodule.h:1:10: fatal error: Python.h: No such file or directory", "compiler", "install"),
        ("ERROR: No matching distribution found for torch==2.13.0+cpu", "unavailable", "another base Python"),
        ("ERROR: Could not install packages due to an OSError: [Errno 13] Permission denied: 'x'", "permission", "own"),
        (
            "HINT: This error might have occurred since this system does not have Windows Long Path support",
            "path",
            "long",
        ),
        ("ERROR: something new", "unknown", "something new"),
    ],
)
def test_known_failures_have_a_remedy(line: str, cause: str, remedy: str, tmp_path: Path) -> None:
    # pip ends a failed connection with the same words as a package that does not exist.
    tail = [line, "ERROR: No matching distribution found for numpy"] if cause == "network" else [line, "more"]
    found, sentence = pip_runner.explain(tail, 1, tmp_path)
    assert found == cause
    assert remedy in sentence
    assert "\n" not in sentence


def test_pip_itself_fails_with_a_sentence(tmp_path: Path) -> None:
    pip = pip_runner.Pip(Path(sys.executable), tmp_path, processes.make_clean_environment(), print, lambda: False)
    arguments = ["--no-index", "--target", str(tmp_path / "t"), "crime-risk-nothing==1"]
    with pytest.raises(pip_runner.PipError, match="No build of crime-risk-nothing==1") as caught:
        pip.install(arguments, lambda *_: None)
    assert caught.value.cause == "unavailable"


def test_pips_lines_become_progress() -> None:
    told: list[tuple[float, str]] = []
    reader = pip_runner._Reader(lambda *event: told.append(event))
    lines = [
        "Collecting torch==2.13.0",
        "  Downloading https://x/torch-2.13.0-cp311-linux.whl (191.8 MB)",
        "Progress 50000000 of 100000000",
        "Installing collected packages: torch",
        "Successfully installed torch-2.13.0",
    ]
    quiet = [reader.read(line) for line in lines]
    assert quiet == [False, False, True, False, False]
    assert [share for share, _ in told] == sorted(share for share, _ in told)
    assert told[1][1] == "Downloading torch-2.13.0 (191.8 MB)"
    assert told[2][1].endswith("50 of 100 MB")
    assert told[-1][0] == 1.0


@posix
def test_cancel_ends_a_command_with_its_children(tmp_path: Path) -> None:
    lines: list[str] = []
    command = ["sh", "-c", "trap '' INT; sleep 600 & echo $!; wait; sleep 600"]
    with pytest.raises(processes.SetupCancelled):
        processes.run(command, processes.make_clean_environment(), tmp_path, lines.append, lambda: bool(lines))
    wait_for(lambda: not is_alive(int(lines[0])))


@posix
def test_pip_ends_with_qgis(tmp_path: Path) -> None:
    (tmp_path / "sleeper.py").write_text("import os, time; print(os.getpid(), flush=True); time.sleep(600)")
    code = (
        "import sys; from pathlib import Path; sys.path.insert(0, sys.argv[1])\n"
        "from bridge import processes\n"
        "environment = {**processes.make_clean_environment(), 'PYTHONPATH': sys.argv[2]}\n"
        "command = processes.make_watched_command(sys.executable, 'sleeper')\n"
        "processes.run(command, environment, Path(sys.argv[2]), lambda l: print(l, flush=True), lambda: False)"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(ROOT), str(tmp_path)], stdout=subprocess.PIPE) as parent:
        assert parent.stdout
        pid = int(parent.stdout.readline())
        assert is_alive(pid)
        parent.kill()
    wait_for(lambda: not is_alive(pid))
