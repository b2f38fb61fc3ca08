"""The zip that users install."""

from __future__ import annotations

import subprocess
import zipfile
from pathlib import Path

import pytest
from kit.algorithms import run_script

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = """
layer = processing.run("crimerisk:importincidents", {"INPUT": sys.argv[2], "OUTPUT": "memory:"})["OUTPUT"]
names = [one.name() for one in QgsApplication.processingRegistry().providerById("crimerisk").algorithms()]
result = [layer.featureCount(), sys.modules["crime_risk"].__file__, len(names)]
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
        "riskengine/report/templates/training.html",
        "riskengine/report/templates/backtest.html",
        "riskengine/report/templates/training.html",
        "riskengine/report/templates/period.html",
        "resources/icons/crime_risk.svg",
        "resources/styles/scores.qml",
        "resources/styles/labels.qml",
        "resources/styles/hits.qml",
        "resources/styles/study_area.qml",
        "resources/layouts/crime_risk.qpt",
        "resources/models/csv_to_risk_map.model3",
        "resources/models/incidents_to_forecast.model3",
        "resources/models/earlier/From CSV to risk map.model3",
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
    count, file, algorithms = run_script(SCRIPT, plugins, data)
    assert count == 5
    assert file.startswith(str(plugins))
    assert algorithms >= 7
