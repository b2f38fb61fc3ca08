"""Scripts that no test runs find what they import of ours, and QGIS finds its own Python whatever stands on PATH."""

from __future__ import annotations

import ast
import importlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = sorted([*(ROOT / "benchmarks").glob("*.py"), *(ROOT / "tests" / "contracts").glob("*.py")])


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_what_a_script_imports_is_there(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.ImportFrom) or not (node.module or "").startswith("riskengine"):
            continue
        module = importlib.import_module(str(node.module))
        for alias in node.names:
            if not hasattr(module, alias.name):
                importlib.import_module(f"{node.module}.{alias.name}")


@pytest.fixture
def foreign_python(tmp_path: Path) -> dict[str, str]:
    """An environment in which a virtual environment is activated whose Python knows nothing of QGIS."""
    if os.name == "nt" or shutil.which("bash") is None:
        pytest.skip("scripts/ needs bash, and the system has none.")
    folder = tmp_path / "venv" / "bin"
    folder.mkdir(parents=True)
    (folder / "python3").symlink_to(sys.executable)
    (tmp_path / "venv" / "pyvenv.cfg").write_text("home = /usr/bin\ninclude-system-site-packages = false\n")
    path = os.pathsep.join([str(folder), os.environ["PATH"]])
    return {**os.environ, "PATH": path, "VIRTUAL_ENV": str(folder.parent), "CONDA_PREFIX": str(folder.parent)}


def in_a_script(commands: str, environment: dict[str, str], *arguments: str) -> str:
    """What a script that begins as those in scripts/ do prints."""
    done = subprocess.run(
        ["bash", "-c", f'. "{ROOT}/scripts/common.sh"\n{commands}', "script", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    return done.stdout + done.stderr


def test_a_script_puts_the_python_of_qgis_first(foreign_python: dict[str, str], tmp_path: Path) -> None:
    system = tmp_path / "system" / "python3"
    system.parent.mkdir()
    system.symlink_to("/usr/bin/python3")
    misleading = {"PYTHONHOME": "/none", "PYTHONPATH": "/none", "PYTHONEXECUTABLE": "/none", "PROJ_DATA": "/none"}
    environment = {**foreign_python, **misleading, "QGIS_PYTHON": str(system)}
    told = in_a_script("type -P python3; env", environment).splitlines()
    assert told[0] == str(system)
    assert not {line.partition("=")[0] for line in told[1:]} & misleading.keys()


def test_qgis_starts_its_python_with_another_first_on_path(foreign_python: dict[str, str], tmp_path: Path) -> None:
    if shutil.which("qgis_process") is None:
        pytest.skip("QGIS is not installed: there is no qgis_process to start.")
    told = in_a_script('QGIS_CUSTOM_CONFIG_PATH="$1" qgis_process plugins', foreign_python, str(tmp_path))
    assert "Couldn't load SIP" not in told
    assert "processing" in told
