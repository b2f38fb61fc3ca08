"""A QGIS window of its own profile that runs a probe: a script which does what a user does, and writes what it saw."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


def need_window() -> None:
    """Skip where there is no QGIS or no display."""
    if not os.environ.get("DISPLAY") or not shutil.which("qgis"):
        pytest.skip("a QGIS window needs qgis and a display; scripts/test.sh desktop starts one under Xvfb")


def run_probe(
    probe: Path, folder: Path, environment: dict[str, str], seconds: float = 300, theme: str = "default"
) -> dict[str, Any]:
    """Run a probe in a QGIS whose profile lies in `folder`, and give what it found.

    The probe reads $PROBE_FOLDER and `environment`, and writes result.json into the folder; under ``error`` stands
    what went wrong.
    """
    settings = folder / "profile" / "profiles" / "default"
    (settings / "QGIS").mkdir(parents=True, exist_ok=True)
    plugins = settings / "python" / "plugins"
    if not plugins.is_dir():
        plugins.mkdir(parents=True)
        (plugins / "crime_risk").symlink_to(ROOT)
    (settings / "QGIS" / "QGIS3.ini").write_text(
        "[PythonPlugins]\ncrime_risk=true\nprocessing=true\n\n[qgis]\ncheckVersion=false\nshowTips340=false\n\n"
        f"[UI]\nUITheme={theme}\n",
        "utf-8",
    )
    wanted = {**os.environ, **environment, "PROBE_FOLDER": str(folder), "QT_QPA_PLATFORM": "xcb"}
    wanted.pop("QGIS_CUSTOM_CONFIG_PATH", None)
    command = ["qgis", "--nologo", "--noversioncheck", "--profiles-path", str(folder / "profile")]
    result = folder / "result.json"
    result.unlink(missing_ok=True)
    done = subprocess.run(
        [*command, "--code", str(probe)], env=wanted, capture_output=True, text=True, timeout=seconds, check=False
    )
    assert result.exists(), done.stderr[-3000:]
    found: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
    assert "error" not in found, found["error"]
    return found


def keep_pictures(folder: Path, *patterns: str) -> None:
    """Copy the pictures of a folder, or other files, to where they are wanted, if they are."""
    if pictures := os.environ.get("PROBE_PICTURES"):
        for pattern in patterns or ("*.png",):
            for picture in folder.glob(pattern):
                shutil.copy(picture, pictures)
