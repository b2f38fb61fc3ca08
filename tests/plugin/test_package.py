"""The zip that users install."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = """
import json, os, sys
from qgis.core import QgsApplication
application = QgsApplication([], False)
application.initQgis()
sys.path[:0] = [sys.argv[1], "/usr/share/qgis/python/plugins"]
from processing.core.Processing import Processing
Processing.initialize()
import processing
from crime_risk import classFactory
plugin = classFactory(None)
plugin.initProcessing()
layer = processing.run("crimerisk:importincidents", {"INPUT": sys.argv[2], "OUTPUT": "memory:"})["OUTPUT"]
names = [one.name() for one in QgsApplication.processingRegistry().providerById("crimerisk").algorithms()]
print("RESULT " + json.dumps([layer.featureCount(), sys.modules["crime_risk"].__file__, len(names)]), flush=True)
plugin.unload()
os._exit(0)
"""


@pytest.fixture(scope="module")
def package() -> Path:
    done = subprocess.run(
        ["bash", str(ROOT / "scripts" / "package.sh")], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.strip().splitlines()[-1])


def test_what_is_in_it(package: Path) -> None:
    with zipfile.ZipFile(package) as bundle:
        names = set(bundle.namelist())
        assert bundle.testzip() is None
    assert {name.split("/")[0] for name in names} == {"crime_risk"}
    for needed in (
        "__init__.py",
        "metadata.txt",
        "LICENSE",
        "plugin.py",
        "algorithms/provider.py",
        "bridge/client.py",
        "riskengine/requirements.txt",
        "riskengine/__main__.py",
        "riskengine/intake/profiles/chicago.json",
        "riskengine/report/templates/forecast.html",
        "riskengine/report/templates/backtest.html",
        "riskengine/report/templates/training.html",
        "riskengine/report/templates/period.html",
        "resources/icons/crime_risk.svg",
        "resources/styles/scores.qml",
        "resources/styles/labels.qml",
        "resources/styles/hits.qml",
        "resources/styles/study_area.qml",
        "resources/layouts/crime_risk.qpt",
        "resources/models/main_chain.model3",
        "resources/models/forecast_chain.model3",
        "ui/engine_dialog.py",
    ):
        assert f"crime_risk/{needed}" in names, needed
    for unwanted in ("tests/", "benchmarks/", "scripts/", ".engine/", ".git", "__pycache__", ".pyc", ".dev/"):
        assert not [name for name in names if unwanted in name], unwanted


def test_it_loads_and_runs_from_anywhere(package: Path, tmp_path: Path) -> None:
    plugins = tmp_path / "Plugins für Ánálisis — 犯罪"
    with zipfile.ZipFile(package) as bundle:
        bundle.extractall(plugins)
    rows = "".join(f"-0.1{number},51.5{number},2021-04-0{number + 1} 12:00,Theft\n" for number in range(5))
    data = tmp_path / "reported crimes é.csv"
    data.write_text("longitude,latitude,datetime,category\n" + rows, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(plugins), str(data)],
        env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"},
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    assert lines, done.stdout + done.stderr
    count, file, algorithms = json.loads(lines[0].removeprefix("RESULT "))
    assert count == 5
    assert file.startswith(str(plugins))
    assert algorithms >= 7
