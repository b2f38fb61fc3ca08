"""What QGIS sees of the plugin: its algorithms, its metadata, and what it says without an engine."""

from __future__ import annotations

import configparser
from pathlib import Path
from typing import Any

import pytest
from qgis.core import Qgis, QgsApplication, QgsProcessingAlgorithm, QgsProcessingModelAlgorithm

ROOT = Path(__file__).resolve().parents[2]
ALGORITHMS = {
    "importincidents": ("Import incidents", "Incidents"),
    "buildcrimeindex": ("Build crime index", "Crime score"),
    "crimescorelayer": ("Compute crime score layer", "Crime score"),
    "trainscoremodel": ("Train score model", "Crime score"),
    "predictscore": ("Predict score layer", "Crime score"),
    "predictscoreraster": ("Predict score raster", "Crime score"),
    "rasterizehotspots": ("Rasterize hotspot grids", "Hotspot grids"),
    "convlstmprediction": ("Run ConvLSTM prediction", "Forecast"),
    "classifyrisk": ("Classify percentile risk", "Risk"),
    "trainforecastmodel": ("Train forecast model", "Forecast"),
    "forecastrisk": ("Forecast risk", "Forecast"),
    "backtestforecast": ("Backtest forecasts", "Forecast"),
    "evaluaterisk": ("Evaluate risk map", "Risk"),
    "selectstudyarea": ("Select study area", "Hotspot grids"),
    "selectperiod": ("Select period", "Hotspot grids"),
    "fillheatmapgaps": ("Fill heatmap gaps", "Hotspot grids"),
    "binarizeheatmaps": ("Binarize heatmaps", "Hotspot grids"),
    "upsamplerisk": ("Upsample risk map", "Risk"),
}


def algorithm(name: str) -> QgsProcessingAlgorithm:
    return QgsApplication.processingRegistry().algorithmById(f"crimerisk:{name}")


def test_provider(plugin: Any) -> None:
    provider = QgsApplication.processingRegistry().providerById("crimerisk")
    assert provider.name() == "Crime Risk"
    assert not provider.icon().isNull()
    assert Path(provider.svgIconPath()).is_file()
    names = {one.name() for one in provider.algorithms() if not isinstance(one, QgsProcessingModelAlgorithm)}
    assert names == set(ALGORITHMS)
    models = [one for one in provider.algorithms() if isinstance(one, QgsProcessingModelAlgorithm)]
    assert models, "the shipped model is not offered"
    assert all(one.canExecute()[0] for one in models)


@pytest.mark.parametrize("name", ALGORITHMS)
def test_algorithm_describes_itself(name: str, plugin: Any) -> None:
    one = algorithm(name)
    assert (one.displayName(), one.group()) == ALGORITHMS[name]
    assert one.groupId()
    assert len(one.tags()) >= 4
    assert len(one.shortDescription()) > 20
    assert len(one.shortHelpString()) > 200
    assert Path(one.svgIconPath()).is_file()
    assert not one.icon().isNull()
    assert one.canExecute()[0]
    for parameter in one.parameterDefinitions():
        assert parameter.description(), parameter.name()
        assert parameter.name() == parameter.name().upper()
    copy = one.create()
    assert type(copy) is type(one)
    assert copy is not one
    assert [p.name() for p in copy.parameterDefinitions()] == [p.name() for p in one.parameterDefinitions()]
    # Runs in a background thread: QGIS would otherwise freeze for the length of a training.
    assert not one.flags() & Qgis.ProcessingAlgorithmFlag.NoThreading


@pytest.mark.parametrize("name", ALGORITHMS)
def test_without_an_engine(
    name: str,
    engine: Any,
    refusal: Any,
    town_layer: Any,
    index_file: Path,
    score_model_file: Path,
    grids_file: Path,
    forecast: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine.shutdown()
    empty = tmp_path / "no engine"
    empty.mkdir()
    monkeypatch.setenv("CRIMERISK_ENGINE", str(empty))
    given: dict[str, Any] = {
        "importincidents": {"INPUT": __file__},
        "buildcrimeindex": {"INPUT": town_layer, "TIME_FIELD": "occurred"},
        "crimescorelayer": {"INDEX": str(index_file)},
        "trainscoremodel": {"INPUT": str(index_file), "MODEL": str(tmp_path / "m.crimescore")},
        "predictscore": {"INDEX": str(index_file), "MODEL": str(score_model_file)},
        "predictscoreraster": {"INDEX": str(index_file), "MODEL": str(score_model_file)},
        "rasterizehotspots": {"INPUT": town_layer, "TIME_FIELD": "occurred"},
        "convlstmprediction": {"INPUT": str(grids_file)},
        "classifyrisk": {"INPUT": forecast["OUTPUT"]},
        "trainforecastmodel": {"INPUT": str(grids_file), "MODEL": str(tmp_path / "m.crimemodel")},
        "forecastrisk": {"INPUT": str(grids_file), "MODEL": forecast["OUTPUT_MODEL"]},
        "backtestforecast": {"INPUT": str(grids_file), "RISK": str(tmp_path / "r.tif")},
        "evaluaterisk": {"INPUT": forecast["OUTPUT"], "GRIDS": str(grids_file)},
        "selectstudyarea": {"INPUT": town_layer, "TIME_FIELD": "occurred"},
        "selectperiod": {"INPUT": town_layer, "TIME_FIELD": "occurred", "REPORT": str(tmp_path / "r.html")},
        "fillheatmapgaps": {"INPUT": str(grids_file)},
        "binarizeheatmaps": {"INPUT": str(grids_file)},
        "upsamplerisk": {"INPUT": forecast["OUTPUT"]},
    }[name]
    said = refusal(name, **given, OUTPUT=str(tmp_path / "out.tif"))
    assert "Crime Risk ▸ Set up engine…" in said
    assert str(empty) in said or "not installed" in said
    assert sorted(tmp_path.iterdir()) == [empty]
    provider = QgsApplication.processingRegistry().providerById("crimerisk")
    provider.refreshAlgorithms()
    assert set(ALGORITHMS) <= {one.name() for one in provider.algorithms()}


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
