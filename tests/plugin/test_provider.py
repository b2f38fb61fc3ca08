"""What QGIS sees of the plugin: its algorithms, its metadata, and what it says without an engine."""

from __future__ import annotations

import configparser
from pathlib import Path
from typing import Any

import pytest
from kit.tools import list_tool_ids
from qgis.core import QgsApplication, QgsProcessingModelAlgorithm

ROOT = Path(__file__).resolve().parents[2]


def test_provider(plugin: Any) -> None:
    provider = QgsApplication.processingRegistry().providerById("crimerisk")
    assert provider.name() == "Crime Risk"
    assert not provider.icon().isNull()
    assert Path(provider.svgIconPath()).is_file()
    names = {one.name() for one in provider.algorithms() if not isinstance(one, QgsProcessingModelAlgorithm)}
    assert names == set(list_tool_ids())
    models = [one for one in provider.algorithms() if isinstance(one, QgsProcessingModelAlgorithm)]
    assert models, "the shipped model is not offered"
    assert all(one.canExecute()[0] for one in models)


def test_loading_again_and_unloading(plugin: Any) -> None:
    from crime_risk.algorithms.provider import CrimeRiskProvider

    second = CrimeRiskProvider()
    assert not QgsApplication.processingRegistry().addProvider(second), "the id is taken, and QGIS says so"


@pytest.fixture(scope="module")
def metadata() -> configparser.SectionProxy:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(ROOT / "metadata.txt", encoding="utf-8")
    return parser["general"]


def test_metadata(metadata: configparser.SectionProxy) -> None:
    for key in ("name", "description", "about", "version", "author", "email", "tracker", "repository", "changelog"):
        assert metadata.get(key, "").strip(), key
    assert metadata["qgisMinimumVersion"] == "3.40"
    assert metadata["qgisMaximumVersion"] == "4.99"
    assert metadata.getboolean("hasProcessingProvider")
    assert metadata["category"] == "Analysis"
    assert (ROOT / metadata["icon"]).is_file()
    assert len(metadata["tags"].split(",")) >= 5
    assert metadata["changelog"].startswith(metadata["version"])
    from crime_risk.riskengine import __version__

    assert __version__ == metadata["version"]
    assert "GNU GENERAL PUBLIC LICENSE" in (ROOT / "LICENSE").read_text(encoding="utf-8")


def test_pb_tool_deploys_what_is_there() -> None:
    parser = configparser.ConfigParser()
    parser.read(ROOT / "pb_tool.cfg")
    files = parser["files"]
    for key in ("python_files", "extras"):
        for name in files[key].split():
            assert (ROOT / name).is_file(), f"{key}: {name}"
    for name in files["extra_dirs"].split():
        assert (ROOT / name).is_dir(), name
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert packages <= set(files["extra_dirs"].split()), "a package would not be deployed"
