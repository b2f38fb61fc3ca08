"""What every declared tool promises (`kit.tools.check_tool`), and that it runs with all it can write."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from kit.layers import EAST, METRES, NORTH, make_city_rows
from kit.outcomelayers import make_outcome_layer
from kit.streetlayers import make_streets
from kit.tools import algorithm_of, check_run, check_tool, list_tool_ids
from qgis.core import QgsFeature, QgsProcessingParameterRasterDestination, QgsProject, QgsVectorLayer

#: What makes a run short; all else is as a user gets it.
QUICK: dict[str, dict[str, Any]] = {
    "areahotspots": {"TESTS": 1, "CLASSIFIERS": [2]},
    "addcovariates": {"KEY_FIELD": "id", "FIELDS": "score"},
    "backtestforecast": {"MODELS": "recent_counts", "WORKERS": 1},
    "backtestwarnings": {"TARGETS": "Theft", "WINDOW": 2, "DELAY": 0, "MODELS": "level"},
    "countareas": {"UNITS": 1, "SIZE": 500},
    "checkroutes": {"MONTHS": 1, "PAIRS": 10, "NEAREST": 100, "FARTHEST": 50_000, "CONTROLS": 1},
    "convlstmprediction": {"SEQUENCE_LENGTH": 6, "EPOCHS": 1, "CHANNELS": 4, "LAYERS": 1},
    "crimescorelayer": {"SPACING": 500},
    "predictscore": {"SPACING": 500},
    "predictscoreraster": {"CELL_SIZE": 200},
    "trainforecastmodel": {"MODEL_KIND": "recent_counts"},
    "trainoutcome": {"MODEL_KIND": "rate_description", "COMPARE": "rate", "MATURITY": 7, "LADDER": False},
    "trainwarning": {"TARGETS": "Theft", "WINDOW": 2, "DELAY": 0, "MODEL_KIND": "level"},
    "trainwindownetwork": {"TARGETS": "Theft", "WINDOW": 6, "NETWORK": 0, "WIDTH": 30, "HEIGHT": 30, "EPOCHS": 1},
    "windowmaps": {"TARGETS": "Theft", "WINDOW": 12},
    "trainscoremodel": {
        "EPOCHS": 1,
        "FOLDS": 3,
        "COMPARE": False,
        "BLOCK_SIZE": 300,
        "WINDOW": 40,
        "RECENT_WINDOW": 20,
    },
}


@pytest.fixture
def inputs_of(
    town_layer: Any,
    index_file: Path,
    score_model_file: Path,
    grids_file: Path,
    forecast: Any,
    csv_file: Path,
    binary: Any,
    panel: str,
    squares: QgsVectorLayer,
    table: Any,
    points: Any,
    warning_model: str,
    crimes: QgsVectorLayer,
    outcome_model: str,
    streets: QgsVectorLayer,
) -> Any:
    """`inputs_of(tool)`: what it needs, by the names of Processing."""
    by_key = {
        "heatmaps": str(grids_file),
        "risk": binary["OUTPUT"],
        "areas": squares,
        "incidents": town_layer,
        "index": str(index_file),
        "path": str(csv_file),
        "panel": panel,
        "table": table,
        "network": streets,
    }
    models = {
        "crimemodel": forecast["OUTPUT_MODEL"],
        "crimescore": str(score_model_file),
        "crimeoutcome": outcome_model,
    }

    def inputs_of(name: str) -> dict[str, Any]:
        from crime_risk.riskengine.contract.tools import kinds
        from crime_risk.riskengine.contract.tools.base import parameters_of

        needed = [
            each
            for each in parameters_of(algorithm_of(name).tool)
            if each.shown is not None and not each.optional and not isinstance(each.kind, kinds.Destination)
        ]
        given = {each.name: by_key[each.key] for each in needed if each.key in by_key}
        files = [each for each in needed if getattr(each.kind, "ending", "") in models]
        given.update({each.name: models[each.kind.ending] for each in files})
        if name == "warn":
            given["MODEL"] = warning_model
        if name in ("outcomerates", "predictoutcome", "trainoutcome"):
            given["INPUT"] = crimes
        if name == "areahotspots":
            # It learns from twelve months, and those know three before.
            given["INPUT"] = points(make_city_rows(count=1200, days=520))
        if name in ("networkexposure", "saferoutes"):
            given["INCIDENTS"] = town_layer
        if name == "saferoutes":
            given["START"] = f"{EAST},{NORTH} [{METRES}]"
            given["END"] = f"{EAST + 2000},{NORTH + 1500} [{METRES}]"
        if name == "checkroutes":
            # A month is tested, and one before it is known.
            given["INCIDENTS"] = points(make_city_rows(count=600, days=100))
        if name == "joincontext":
            given["TABLE"] = squares
        return {**given, **QUICK.get(name, {})}

    return inputs_of


@pytest.fixture(scope="module")
def binary(run: Any, grids_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A forecast of the hotspot grids' own time that knew all: 1 where something happened."""
    return run("binarizeheatmaps", INPUT=str(grids_file), OUTPUT=str(tmp_path_factory.mktemp("binary") / "binary.tif"))


@pytest.fixture(scope="module")
def warning_model(run: Any, town_layer: Any, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A model of warnings of the whole town."""
    path = tmp_path_factory.mktemp("warning") / "warning.crimemodel"
    return str(run("trainwarning", INPUT=town_layer, **QUICK["trainwarning"], MODEL=str(path))["MODEL"])


@pytest.fixture(scope="module")
def crimes(plugin: Any) -> QgsVectorLayer:
    """Incidents with an outcome."""
    return make_outcome_layer()


@pytest.fixture(scope="module")
def outcome_model(run: Any, crimes: QgsVectorLayer, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A table of rates of them."""
    path = tmp_path_factory.mktemp("outcome") / "outcome.crimeoutcome"
    return str(run("trainoutcome", INPUT=crimes, **QUICK["trainoutcome"], MODEL=str(path))["MODEL"])


@pytest.fixture(scope="module")
def streets(plugin: Any) -> QgsVectorLayer:
    """Streets of the town."""
    return make_streets()


@pytest.fixture(scope="module")
def panel(run: Any, town_layer: Any, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The town's incidents by squares of 1500 m."""
    path = tmp_path_factory.mktemp("panel") / "panel.gpkg"
    return str(run("countareas", INPUT=town_layer, UNITS="squares", SIZE=1500, OUTPUT=str(path))["OUTPUT"])


@pytest.fixture(scope="module")
def squares(panel: str) -> QgsVectorLayer:
    """The panel's areas."""
    areas = QgsVectorLayer(panel.replace("counts_by_area", "areas"), "areas", "ogr")
    QgsProject.instance().addMapLayer(areas, False)
    return areas


@pytest.fixture(scope="module")
def table(squares: QgsVectorLayer) -> Any:
    """A table with a score of each of the panel's areas."""
    made = QgsVectorLayer("None?field=id:string&field=score:double", "scores", "memory")
    for number, area in enumerate(squares.getFeatures()):
        row = QgsFeature(made.fields())
        row.setAttributes([area["id"], float(number)])
        assert made.dataProvider().addFeature(row)
    QgsProject.instance().addMapLayer(made, False)
    return made


@pytest.fixture(scope="module")
def csv_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CSV of three incidents and a row that is none."""
    path = tmp_path_factory.mktemp("csv") / "some.csv"
    rows = [f"-122.6{number}1,45.5{number}2,2024-01-0{number + 1} 12:00,Theft" for number in range(3)]
    path.write_text("\n".join(["longitude,latitude,datetime,category", *rows, ",,2024-01-01 12:00,Theft"]) + "\n")
    return path


@pytest.mark.parametrize("name", list_tool_ids())
def test_tool(name: str, inputs_of: Any, tmp_path: Path) -> None:
    check_tool(name, inputs_of(name), tmp_path)


@pytest.mark.parametrize("name", list_tool_ids())
def test_tool_runs(name: str, inputs_of: Any, tmp_path: Path) -> None:
    check_run(name, inputs_of(name), tmp_path)


@pytest.mark.parametrize("name", list_tool_ids())
def test_tool_without_an_engine(
    name: str, inputs_of: Any, engine: Any, refusal: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says what is missing, and where to set it up."""
    given = inputs_of(name)
    engine.shutdown()
    empty = tmp_path / "no engine"
    empty.mkdir()
    monkeypatch.setenv("CRIMERISK_ENGINE", str(empty))
    destinations = {
        each.name(): str(tmp_path / f"{each.name()}.{each.defaultFileExtension() or 'file'}")
        for each in algorithm_of(name).destinationParameterDefinitions()
        # Rasters may be optional where what is made follows from the input.
        if not each.flags() & each.Flag.FlagOptional or isinstance(each, QgsProcessingParameterRasterDestination)
    }
    said = refusal(name, **{**destinations, **given})
    assert "Crime Risk ▸ Set up engine…" in said
    assert str(empty) in said or "not installed" in said
    assert sorted(tmp_path.iterdir()) == [empty]
