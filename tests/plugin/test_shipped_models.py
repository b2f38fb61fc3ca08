"""The models that chain the tools: what they ask for, what they make, and what is kept when a step fails."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from kit.algorithms import run_in_background
from kit.layers import METRES, make_square, read_bands
from qgis.core import (
    QgsApplication,
    QgsFeature,
    QgsGeometry,
    QgsProcessingAlgorithm,
    QgsProcessingContext,
    QgsProcessingModelAlgorithm,
    QgsProcessingModelChildAlgorithm,
    QgsProcessingOutputLayerDefinition,
    QgsProcessingParameterDefinition,
    QgsProject,
    QgsRasterLayer,
    QgsVectorLayer,
)

ROOT = Path(__file__).resolve().parents[2]
SHOWN = {
    "csv_to_risk_map": "From CSV to risk map",
    "incidents_to_forecast": "From incidents to forecast",
    "incidents_to_area_forecast": "From incidents to area forecast",
    "incidents_to_warnings": "From incidents to warnings",
    "incidents_to_outcomes": "From incidents to outcomes",
    "incidents_to_routes": "From incidents to routes",
}
#: Those that ask for a kind of forecaster.
WITH_KINDS = [
    name for name in SHOWN if name not in ("incidents_to_warnings", "incidents_to_outcomes", "incidents_to_routes")
]
HIDDEN = ("From CSV to risk map", "From incidents to forecast")
#: What each input of the models is an input of: its tool has its default, limits, help and options.
OF_TOOLS = {
    "csv": ("importincidents", "INPUT"),
    "format": ("importincidents", "PROFILE"),
    "categories": ("rasterizehotspots", "CATEGORIES"),
    "study_area": ("rasterizehotspots", "STUDY_AREA"),
    "cell_size": ("rasterizehotspots", "CELL_SIZE"),
    "time_bin": ("rasterizehotspots", "BIN_UNIT"),
    "kind": ("trainforecastmodel", "MODEL_KIND"),
    "steps": ("forecastrisk", "STEPS"),
    "spacing": ("crimescorelayer", "SPACING"),
    "x_column": ("importincidents", "X_FIELD"),
    "y_column": ("importincidents", "Y_FIELD"),
    "time_column": ("importincidents", "TIME_FIELD"),
    "category_column": ("importincidents", "CATEGORY_FIELD"),
    "id_column": ("importincidents", "ID_FIELD"),
    "date_order": ("importincidents", "DATE_ORDER"),
    "crs": ("importincidents", "CRS"),
    "saved_format": ("importincidents", "PROFILE_FILE"),
    "incidents": ("rasterizehotspots", "INPUT"),
    "time_field": ("rasterizehotspots", "TIME_FIELD"),
    "category_field": ("rasterizehotspots", "CATEGORY_FIELD"),
}
#: What the model of routes asks for, in the order of the work.
OF_ROUTES = {
    "csv": ("importincidents", "INPUT"),
    "format": ("importincidents", "PROFILE"),
    "streets": ("saferoutes", "INPUT"),
    "start": ("saferoutes", "START"),
    "end": ("saferoutes", "END"),
    "starts": ("saferoutes", "STARTS"),
    "starts_field": ("saferoutes", "STARTS_FIELD"),
    "ends": ("saferoutes", "ENDS"),
    "ends_field": ("saferoutes", "ENDS_FIELD"),
    "detour": ("saferoutes", "DETOUR"),
    "avoid": ("saferoutes", "AVOID"),
}
#: What the model of outcomes asks for, in the order of the work.
OF_OUTCOMES = {
    "incidents": ("joincontext", "INPUT"),
    "table": ("joincontext", "TABLE"),
    "table_file": ("joincontext", "TABLE_FILE"),
    "join": ("joincontext", "JOINED"),
    "outcome_field": ("trainoutcome", "OUTCOME_FIELD"),
    "outcome_values": ("trainoutcome", "OUTCOME_VALUES"),
    "kind": ("trainoutcome", "MODEL_KIND"),
    "maturity": ("trainoutcome", "MATURITY"),
    "ladder": ("trainoutcome", "LADDER"),
    "rows": ("predictoutcome", "ROWS"),
    "areas": ("predictoutcome", "AREAS"),
    "area_id": ("predictoutcome", "AREA_ID"),
    "area_name": ("predictoutcome", "AREA_NAME"),
    "publish": ("predictoutcome", "PUBLISH"),
}
#: What the model of areas asks for before the kind of model, in the order of the work.
OF_AREAS = {
    "incidents": "INPUT",
    "time_field": "TIME_FIELD",
    "category_field": "CATEGORY_FIELD",
    "categories": "CATEGORIES",
    "areas": "AREAS",
    "area_id": "AREA_ID",
    "area_name": "AREA_NAME",
    "area_column": "AREA_COLUMN",
    "time_bin": "BIN_UNIT",
    "delay": "DELAY",
}
#: What the model of warnings asks for, in the order of the work, but for how many windows.
OF_WARNINGS = {
    "incidents": "INPUT",
    "time_field": "TIME_FIELD",
    "category_field": "CATEGORY_FIELD",
    "areas": "AREAS",
    "area_id": "AREA_ID",
    "area_name": "AREA_NAME",
    "targets": "TARGETS",
    "similar": "SIMILAR",
    "window": "WINDOW",
    "begin": "BEGIN",
    "delay": "DELAY",
    "budget_kind": "BUDGET_KIND",
    "budget": "BUDGET",
}
#: The rasters and files of the whole chain; its layers go into one GeoPackage.
FILES = {
    "a_look_at_the_incidents": "look.html",
    "hotspot_grids": "grids.tif",
    "crime_index": "city.crimeindex",
    "report": "report.html",
    "trained_model": "city.crimemodel",
    "risk": "risk.tif",
    "risk_classes": "classes.tif",
}
#: What a log says of a model: how good its probabilities are, and what it catches.
VERDICT = r"{}, over [\d,]+ test maps?: .*log-loss [\d.]+ against .*catches .*\(\d+ of \d+"
TABLES = ("incidents", "refused_rows", "crime_scores", "class_polygons")


def find(name: str) -> QgsProcessingModelAlgorithm:
    """The model of an id, as the toolbox and qgis_process take it."""
    return QgsApplication.processingRegistry().algorithmById(f"crimerisk:{name}")


def list_inputs(name: str) -> list[str]:
    """The parameters that are no outputs, as the dialog shows them."""
    return [each.name() for each in find(name).parameterDefinitions() if not each.isDestination()]


def choose_outputs(name: str, folder: Path) -> dict[str, str]:
    """Files for all that a model makes; none is forgotten."""
    table = f"ogr:dbname='{folder / 'city.gpkg'}' table=\"{{}}\" (geom)"
    given = {key: str(folder / file) for key, file in {**FILES, "forecast_model": "m.crimemodel"}.items()}
    given.update({key: table.format(key) for key in TABLES})
    wanted = [each.name() for each in find(name).destinationParameterDefinitions()]
    return {key: given[key] for key in wanted}


def run_model(name: str, log: Any, **parameters: Any) -> dict[str, Any]:
    context = QgsProcessingContext()
    context.setProject(QgsProject.instance())
    results, fine = find(name).create().run(parameters, context, log)
    assert fine, log.errors
    return results


def count(folder: Path, table: str) -> int:
    return QgsVectorLayer(f"{folder / 'city.gpkg'}|layername={table}", table).featureCount()


@pytest.fixture(scope="module")
def city(plugin: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of files that no police publishes: two of forty days."""
    from crime_risk.bridge import client

    folder = tmp_path_factory.mktemp("city")
    path = folder / "city.csv"
    client.call("simulate", {"path": str(path), "incidents": 1500, "days": 40, "seed": 3})
    head, *rows = path.read_text(encoding="utf-8").splitlines()
    path.unlink()
    for number, part in enumerate((rows[::2], rows[1::2])):
        (folder / f"part {number}.csv").write_text("\n".join([head, *part]) + "\n", encoding="utf-8")
    return folder


@pytest.mark.parametrize("name", SHOWN)
def test_ids_have_no_spaces_and_titles_do(name: str) -> None:
    model = find(name)
    assert (model.displayName(), model.group()) == (SHOWN[name], "Models")
    assert model.canExecute()[0]
    for child in model.childAlgorithms():
        assert model.validateChildAlgorithm(child) == (True, [])
    assert not model.flags() & QgsProcessingAlgorithm.Flag.FlagHideFromToolbox
    assert " " not in model.create().id(), "a copy, which is what runs, has the id too"


def test_earlier_ids_are_hidden_and_nothing_else_is() -> None:
    provider = QgsApplication.processingRegistry().providerById("crimerisk")
    hidden = {one.name() for one in provider.algorithms() if one.flags() & one.Flag.FlagHideFromToolbox}
    assert hidden == set(HIDDEN)
    assert all(find(name).canExecute()[0] for name in HIDDEN)


@pytest.mark.parametrize("name", HIDDEN)
def test_an_earlier_id_in_a_saved_model_is_found(name: str, tmp_path: Path) -> None:
    saved = QgsProcessingModelAlgorithm("saved", "mine")
    child = QgsProcessingModelChildAlgorithm(f"crimerisk:{name}")
    child.setChildId("chain")
    saved.addChildAlgorithm(child)
    assert saved.toFile(str(tmp_path / "saved.model3"))
    again = QgsProcessingModelAlgorithm()
    assert again.fromFile(str(tmp_path / "saved.model3"))
    assert again.childAlgorithm("chain").algorithm().displayName() == name


def test_inputs_come_in_the_order_of_the_work() -> None:
    grids = ["categories", "study_area", "cell_size", "time_bin", "kind", "steps"]
    shown = ["csv", "format", *grids, "spacing"]
    assert list_inputs("csv_to_risk_map")[: len(shown)] == shown
    rest = [find("csv_to_risk_map").parameterDefinition(name) for name in list_inputs("csv_to_risk_map")[len(shown) :]]
    assert rest
    assert all(each.flags() & each.Flag.FlagAdvanced and each.flags() & each.Flag.FlagOptional for each in rest[:4])
    assert list_inputs("incidents_to_forecast") == ["incidents", "time_field", "category_field", *grids]
    assert list_inputs("incidents_to_area_forecast") == [*OF_AREAS, "kind", "steps"]
    assert list_inputs("incidents_to_warnings") == [*OF_WARNINGS, "windows"]
    assert list_inputs("incidents_to_outcomes") == list(OF_OUTCOMES)
    assert list_inputs("incidents_to_routes") == list(OF_ROUTES)


def test_a_chain_of_areas_needs_them_and_chooses_their_fields() -> None:
    """The tool does without them where it makes squares; the chain does not make any."""
    asked = {each.name(): each for each in find("incidents_to_area_forecast").parameterDefinitions()}
    assert not asked["areas"].flags() & asked["areas"].Flag.FlagOptional
    layers = {name: asked[name].parentLayerParameterName() for name in ("area_id", "area_name", "area_column")}
    assert layers == {"area_id": "areas", "area_name": "areas", "area_column": "incidents"}


def test_outputs_come_in_the_order_of_the_work() -> None:
    made = [each.name() for each in find("csv_to_risk_map").destinationParameterDefinitions()]
    wanted = ["incidents", "hotspot_grids", "crime_index", "crime_scores", "report", "risk", "risk_classes"]
    assert [name for name in made if name in wanted] == wanted
    made = [each.name() for each in find("incidents_to_area_forecast").destinationParameterDefinitions()]
    of_areas = ["forecast_model", "report", "risk_by_area", "top_places", "risk_classes_by_area"]
    assert made == ["counts_by_area", "refused_incidents", *of_areas]


@pytest.mark.parametrize("name", SHOWN)
def test_what_a_chain_is_for_must_be_made(name: str) -> None:
    """The tools do without it, since they make one thing of grids and another of areas."""
    needed = {
        each.name()
        for each in find(name).destinationParameterDefinitions()
        if not each.flags() & QgsProcessingParameterDefinition.Flag.FlagOptional
    }
    ends = {"risk", "risk_classes"}
    others = {
        "incidents_to_area_forecast": {f"{end}_by_area" for end in ends},
        "incidents_to_warnings": {"warning_model", "warnings"},
        "incidents_to_outcomes": {"outcome_model", "outcomes"},
        "incidents_to_routes": {"routes"},
    }
    assert others.get(name, ends) <= needed


@pytest.mark.parametrize("name", SHOWN)
def test_an_input_is_what_its_tool_says(name: str) -> None:
    """After a change of a default or limit there, `scripts/make_model.py` must be run."""
    model = find(name)
    for own in list_inputs(name):
        tool, parameter = find_origin(name, own)
        asked, declared = model.parameterDefinition(own), find(tool).parameterDefinition(parameter)
        assert type(asked) is type(declared), own
        assert (asked.help(), asked.defaultValue()) == (declared.help(), declared.defaultValue()), own
        assert not asked.help() or asked.help() in model.shortHelpString(), own
        ignored = {"name", "description", "flags", "parent_layer"}
        kept, said = ({k: v for k, v in each.toVariantMap().items() if k not in ignored} for each in (asked, declared))
        assert kept == said, own
    others = {
        "incidents_to_warnings": ("windows", "Next windows"),
        "incidents_to_outcomes": ("ladder", "Ladder"),
        "incidents_to_routes": ("detour", "Cap on detour [%]"),
    }
    last, title = others.get(name, ("steps", "Maps to forecast"))
    assert model.parameterDefinition(last).description() == title


def find_origin(name: str, own: str) -> tuple[str, str]:
    """The tool and its parameter that an input of a model is."""
    if name == "incidents_to_area_forecast" and own in OF_AREAS:
        return "countareas", OF_AREAS[own]
    if name == "incidents_to_warnings":
        return ("warn", "NEXT") if own == "windows" else ("trainwarning", OF_WARNINGS[own])
    if name == "incidents_to_outcomes":
        return OF_OUTCOMES[own]
    if name == "incidents_to_routes":
        return OF_ROUTES[own]
    return OF_TOOLS[own]


def test_the_forecaster_is_the_default_one() -> None:
    from crime_risk.riskengine.contract.forecasters import DEFAULT, FORECASTERS

    for name in WITH_KINDS:
        kinds = find(name).parameterDefinition("kind")
        assert kinds.options() == [record.title for record in FORECASTERS.values()]
        assert kinds.options()[kinds.defaultValue()] == FORECASTERS[DEFAULT].title


def test_from_a_folder_to_a_risk_map(city: Path, log_of: Any, tmp_path: Path) -> None:
    """Of two categories, in any case and spacing: grids, index and scores are of the same incidents."""
    log = log_of()
    outputs = choose_outputs("csv_to_risk_map", tmp_path)
    given = {"csv": str(city), "categories": " burglary;THEFT ", "cell_size": 2500, "steps": 2, "spacing": 2000}
    results = run_model("csv_to_risk_map", log, time_bin=1, **given, **outputs)
    for file in FILES.values():
        assert (tmp_path / file).stat().st_size > 0, file
    assert count(tmp_path, "incidents") == 1500
    layer = QgsVectorLayer(f"{tmp_path / 'city.gpkg'}|layername=incidents", "i")
    layer.setSubsetString("lower(category) in ('burglary', 'theft')")
    assert 0 < layer.featureCount() < 1500
    assert results["CHILD_RESULTS"]["3_index"]["COUNT"] == layer.featureCount()
    assert read_bands(tmp_path / "grids.tif", nan=True).shape[0] == 40
    assert read_bands(tmp_path / "risk.tif", nan=True).shape[0] == 2
    assert re.search(VERDICT.format("Ensemble"), log.text), log.text
    scores = QgsVectorLayer(f"{tmp_path / 'city.gpkg'}|layername=crime_scores", "s")
    assert scores.renderer().type() == "graduatedSymbol"
    assert QgsRasterLayer(str(tmp_path / "classes.tif"), "c").renderer().type() == "paletted"


def test_a_category_that_is_not_there_is_said_by_name(city: Path, log_of: Any, tmp_path: Path) -> None:
    log = log_of()
    outputs = choose_outputs("csv_to_risk_map", tmp_path)
    fine, _ = run_in_background("csv_to_risk_map", {"csv": str(city), "categories": "O'Brien", **outputs}, log)
    assert not fine
    assert "O'Brien" in "\n".join(log.errors)
    assert not (tmp_path / "city.crimeindex").exists()


def test_columns_are_named_by_hand(log_of: Any, tmp_path: Path) -> None:
    from crime_risk.riskengine.contract.tools.incidents import FORMATS

    places = [f"{-0.1 - day % 4 / 100},{51.5 + day % 7 / 100}" for day in range(99)]
    rows = [f"{17 + day % 5},{3 * day % 29 + 1}/2/2024,{place}" for day, place in enumerate(places)]
    path = tmp_path / "messy.csv"
    path.write_text("\n".join(["a,b,c,d", *rows]) + "\n", encoding="utf-8")
    columns = {"x_column": "c", "y_column": "d", "time_column": "b", "category_column": "a", "date_order": 2}
    given = {"csv": str(path), "format": list(FORMATS).index("columns"), **columns, "cell_size": 2000}
    run_model("csv_to_risk_map", log_of(), **given, kind=1, **choose_outputs("csv_to_risk_map", tmp_path))
    layer = QgsVectorLayer(f"{tmp_path / 'city.gpkg'}|layername=incidents", "i")
    assert {feature["category"] for feature in layer.getFeatures()} == {"17", "18", "19", "20", "21"}
    assert {feature["occurred"].date().month() for feature in layer.getFeatures()} == {2}


def test_what_was_made_before_a_failure_is_kept_and_loaded(log_of: Any, tmp_path: Path) -> None:
    """As the toolbox does it: nine days are too few to train a network with, and enough for all before."""
    from crime_risk.riskengine.contract.forecasters import FORECASTERS
    from processing.gui.Postprocessing import handleAlgorithmResults

    rows = "".join(f"-0.1{n % 7},51.5{n % 9},2021-04-0{n % 9 + 1} 12:0{n % 8},Theft\n" for n in range(90))
    path = tmp_path / "few days.csv"
    path.write_text("longitude,latitude,datetime,category\n" + rows, encoding="utf-8")
    project, temporary = QgsProject.instance(), QgsProcessingOutputLayerDefinition("TEMPORARY_OUTPUT")
    temporary.destinationProject = project
    layers = dict.fromkeys(("incidents", "crime_scores", "hotspot_grids", "risk", "risk_classes"), temporary)
    files = {name: str(tmp_path / FILES[name]) for name in ("crime_index", "trained_model", "report")}
    log = log_of()
    given = {"csv": str(path), "cell_size": 2000, "spacing": 2000, **layers, **files}
    fine, ran = run_in_background("csv_to_risk_map", {**given, "kind": list(FORECASTERS).index("convlstm")}, log)
    assert not fine
    assert "Error encountered while running Train forecast model" in log.errors[0]
    assert "9 maps" in log.errors[0]
    said = next(line for line in log.text.splitlines() if line.startswith("The steps before are done"))
    grids, index = re.findall(r"\(([^)]*)\)", said)
    assert said.endswith(f"Incidents; Hotspot grids ({grids}); Crime index ({index}); Crime scores."), "in memory"
    assert Path(grids).is_file()
    assert index == str(tmp_path / "city.crimeindex")
    assert (tmp_path / "city.crimeindex").stat().st_size > 0
    assert not (tmp_path / "city.crimemodel").exists()
    before = set(project.mapLayers())
    assert handleAlgorithmResults(find("csv_to_risk_map"), log.context, log, ran.results)
    loaded = [node.layer() for node in project.layerTreeRoot().findLayers() if node.layerId() not in before]
    names = [layer.name().split(",")[0] for layer in loaded]
    assert names == ["Crime scores", "Hotspot grids", "Incidents"], "what was made last lies on top"
    assert len(log.errors) == 1, log.errors
    project.removeMapLayers([layer.id() for layer in loaded])


def test_the_earlier_chain_runs(city: Path, log_of: Any, tmp_path: Path) -> None:
    """With the parameters that commands and saved models hold, and the network that it always trained."""
    given = {"csv": str(city / "part 0.csv"), "spacing": 2000, "cell_size": 2500, "epochs": 1, "steps": 1}
    log = log_of()
    run_model("From CSV to risk map", log, **given, **choose_outputs("From CSV to risk map", tmp_path))
    assert re.search(VERDICT.format("ConvLSTM"), log.text), log.text
    assert count(tmp_path, "incidents") == 750
    assert (tmp_path / "classes.tif").stat().st_size > 0


@pytest.mark.parametrize("name", ["incidents_to_forecast", "From incidents to forecast"])
def test_from_incidents_to_forecast(name: str, log_of: Any, town_layer: Any, tmp_path: Path) -> None:
    import numpy as np
    from crime_risk.riskengine.contract.forecasters import FORECASTERS

    given = {"incidents": town_layer, "time_bin": 1, "kind": list(FORECASTERS).index("recent_counts"), "steps": 2}
    given.update(category_field="category", categories="Theft")
    run_model(name, log_of(), **given, **choose_outputs(name, tmp_path))
    for file in ("risk.tif", "classes.tif"):
        assert read_bands(tmp_path / file, nan=True).shape[0] == 2
    assert (tmp_path / "report.html").stat().st_size > 1000
    assert np.nansum(read_bands(tmp_path / "grids.tif", nan=True)) == 75, "thefts alone"


def make_wards() -> QgsVectorLayer:
    """Nine squares of 1 km over the town."""
    layer = QgsVectorLayer(f"Polygon?crs={METRES}&field=code:string&field=title:string", "wards", "memory")
    for number in range(9):
        feature = QgsFeature(layer.fields())
        feature.setAttributes([f"W{number}", f"Ward {number}"])
        square = make_square(1000 * (number % 3), 1000 * (number // 3), 1000)
        feature.setGeometry(QgsGeometry.fromWkt(square))
        layer.dataProvider().addFeature(feature)
    return layer


def run_by_area(town: QgsVectorLayer, log: Any, folder: Path, **more: Any) -> tuple[bool, Any]:
    """The chain of areas on the town's days: whether it went well, and what came out of it."""
    files = {"counts_by_area": "counts.gpkg", "forecast_model": "m.crimemodel", "report": "report.html"}
    files |= {"risk_by_area": "risk.gpkg", "top_places": "top.gpkg", "risk_classes_by_area": "classes.gpkg"}
    given = {"incidents": town, "category_field": "category", "areas": make_wards(), "area_id": "code", "time_bin": 1}
    given |= {key: str(folder / file) for key, file in files.items()}
    return run_in_background("incidents_to_area_forecast", {**given, **more}, log)


def read_rows(path: Path) -> list[dict[str, Any]]:
    layer = QgsVectorLayer(str(path), "rows", "ogr")
    return [dict(zip(each.fields().names(), each.attributes(), strict=True)) for each in layer.getFeatures()]


def test_from_incidents_to_area_forecast(log_of: Any, town_layer: Any, tmp_path: Path) -> None:
    from crime_risk.riskengine.contract.forecasters import FORECASTERS

    log = log_of()
    kind = list(FORECASTERS).index("recent_counts")
    asked = {"area_name": "title", "categories": "Theft", "delay": 2, "kind": kind, "steps": 3}
    fine, _ = run_by_area(town_layer, log, tmp_path, **asked)
    assert fine, log.errors
    assert sum(row["incidents"] for row in read_rows(tmp_path / "counts.gpkg|layername=counts_by_area")) == 75
    risk = read_rows(tmp_path / "risk.gpkg|layername=risk")
    assert {row["name"] for row in risk} == {f"Ward {number}" for number in range(9)}
    days = sorted({row["start"].toString("yyyy-MM-dd") for row in risk})
    assert days == ["2024-02-12", "2024-02-13", "2024-02-14"], "two days after the counts are over, and not known"
    classes = read_rows(tmp_path / "classes.gpkg|layername=classes")
    assert len(classes) == len(risk) == 27
    assert [row["rank"] for row in read_rows(tmp_path / "top.gpkg")][:9] == list(range(1, 10))
    assert (tmp_path / "report.html").stat().st_size > 1000


def test_counts_by_area_are_kept_when_the_training_fails(log_of: Any, town_layer: Any, tmp_path: Path) -> None:
    from crime_risk.riskengine.contract.forecasters import FORECASTERS

    log = log_of()
    fine, _ = run_by_area(town_layer, log, tmp_path, kind=list(FORECASTERS).index("convlstm"))
    assert not fine
    assert "Error encountered while running Train forecast model" in log.errors[0]
    said = next(line for line in log.text.splitlines() if line.startswith("The steps before are done"))
    assert str(tmp_path / "counts.gpkg") in said
    assert len(read_rows(tmp_path / "counts.gpkg|layername=areas")) == 9
    assert not (tmp_path / "m.crimemodel").exists()


def test_the_demo_asks_for_what_there_is() -> None:
    """Every parameter that `scripts/demo.sh` names exists, and what a tool needs is given."""
    script = (ROOT / "scripts" / "demo.sh").read_text(encoding="utf-8").replace("\\\n", " ")
    calls = re.findall(r"run_tool (\w+)((?: +\w+=(?:\"[^\"]*(?:\([^)]*\)\")?[^\"]*\"|\w+))+)", script)
    assert [tool for tool, _ in calls][:2] == ["csv_to_risk_map", "backtestforecast"]
    assert len(calls) == script.count("run_tool ")
    for tool, given in calls:
        names = set(re.findall(r" (\w+)=", given))
        known = {each.name(): each for each in find(tool).parameterDefinitions()}
        assert names <= set(known), tool
        optional = {name for name, each in known.items() if each.flags() & each.Flag.FlagOptional}
        needed = {name for name, each in known.items() if each.defaultValue() is None} - optional
        assert needed <= names, tool


@pytest.mark.parametrize("name", [*WITH_KINDS, "From incidents to forecast"])
def test_a_new_forecaster_is_offered_without_a_new_file(name: str, tmp_path: Path) -> None:
    """What a file says of the choices was true when it was written."""
    from crime_risk.algorithms.shipped_models import ShippedModel

    path = tmp_path / "older.model3"
    text = find(name).path.read_text(encoding="utf-8")
    assert 'value="SFTT"' in text
    path.write_text(text.replace('value="SFTT"', 'value="Of old"'), encoding="utf-8")
    model = ShippedModel(path)
    assert model.parameterDefinition("kind").options()[12] == "SFTT"
