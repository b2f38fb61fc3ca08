"""Train an outcome model and predict with it in QGIS: layers with a style, what is hidden, left out and refused."""

from __future__ import annotations

import csv
import itertools
from pathlib import Path
from typing import Any

import pytest
from kit.algorithms import run_in_background
from kit.outcomelayers import make_area_layer, make_outcome_layer
from qgis.core import NULL, Qgis, QgsProject, QgsVectorLayer

ADDED = ["probability", "low", "high", "class", "note"]
GIVEN = {"MODEL_KIND": "rate_location", "COMPARE": "rate", "MATURITY": 7, "LADDER": False}
FOUND = ("NARCOTICS", "CRIMINAL TRESPASS")


def open_layer(destination: str) -> QgsVectorLayer:
    layer = QgsVectorLayer(destination, "rows", "ogr")
    assert layer.isValid(), destination
    return layer


def read(destination: str) -> list[dict[str, Any]]:
    layer = open_layer(destination)
    names = layer.fields().names()
    rows = (zip(names, each.attributes(), strict=True) for each in layer.getFeatures())
    return [{name: None if value == NULL else value for name, value in row} for row in rows]


@pytest.fixture(scope="module")
def crimes(plugin: Any) -> QgsVectorLayer:
    return make_outcome_layer()


@pytest.fixture(scope="module")
def trained(run: Any, crimes: QgsVectorLayer, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("outcome model")
    made = {
        "MODEL": str(folder / "arrest.crimeoutcome"),
        "REPORT": str(folder / "report.html"),
        "TABLE": str(folder / "figures.csv"),
        "TESTED": str(folder / "tested.gpkg"),
    }
    return run("trainoutcome", INPUT=crimes, **GIVEN, **made)


@pytest.fixture(scope="module")
def predict(run: Any, trained: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """`predict(layer, **parameters)`: with all that the tool can write."""

    def predicted(layer: Any, **parameters: Any) -> Any:
        folder = tmp_path_factory.mktemp("predicted")
        made = {name: str(folder / f"{name.lower()}.gpkg") for name in ("OUTPUT", "BLOCKS", "BY_AREA", "OUTLOOK")}
        return run("predictoutcome", INPUT=layer, MODEL=trained["MODEL"], **{**made, **parameters})

    return predicted


@pytest.fixture(scope="module")
def mapped(predict: Any, crimes: QgsVectorLayer) -> Any:
    return predict(crimes, BLOCK_LEAST=20)


def test_training_needs_nothing_but_the_incidents(trained: Any) -> None:
    assert trained["KIND"] == "rate_location"
    assert 0.7 < trained["AUC"] < 1
    # Without what police find, which is an arrest from the first moment, less can be told.
    assert 0.5 < trained["AUC_VICTIMS"] < trained["AUC"]
    assert 0 < trained["LOG_LOSS"] < 0.69
    assert trained["MINUS_TABLE"] in (None, 0.0), "the table itself"
    assert trained["TESTED_ROWS"] == 900 // 5
    assert trained["ORIGIN"] == "2018-04-07", "the last 24 of 120 days"
    # A week before the test is not learned from, nor the last one by the model that is kept.
    assert trained["LEARNED"] == pytest.approx(900 * (96 - 7) / 120, abs=8)
    assert trained["ALL_LEARNED"] == pytest.approx(900 * (120 - 7) / 120, abs=8)
    assert trained["TRAINED_UNTIL"] == "2018-04-23"
    for said in ("arrest", "NARCOTICS", "CRIMINAL TRESPASS", "primary_type"):
        assert said in trained.log.text
    assert "outcome" in Path(trained["REPORT"]).read_text(encoding="utf-8")
    with Path(trained["TABLE"]).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    aucs = {row["reported"]: float(row["value"]) for row in rows if (row["name"], row["figure"], row["split"]) == (
        "rate_location", "auc", "forward"
    )}
    assert aucs["all"] == pytest.approx(trained["AUC"], abs=1e-5)
    assert aucs["victims"] == pytest.approx(trained["AUC_VICTIMS"], abs=1e-5)


def test_incidents_of_the_test_show_what_was_said_and_what_came(trained: Any, crimes: QgsVectorLayer) -> None:
    rows = read(trained["TESTED"])
    assert len(rows) == trained["TESTED_ROWS"]
    assert min(row["day"] for row in rows) == "2018-04-07"
    assert {row["observed"] for row in rows} == {0, 1}
    by_id = {each.id(): each for each in crimes.getFeatures()}
    for row in rows:
        own = by_id[row["feature_id"]]
        assert (row["category"], row["observed"]) == (own["primary_type"], int(own["arrest"] == "true"))
        assert row["found"] == int(own["primary_type"] in FOUND)
    layer = open_layer(trained["TESTED"])
    assert layer.renderer().type() == "categorizedSymbol"


def test_every_incident_stays_and_what_police_find_has_no_probability(mapped: Any, crimes: QgsVectorLayer) -> None:
    rows, own = read(mapped["OUTPUT"]), [*crimes.getFeatures()]
    assert len(rows) == len(own) == 900
    names = crimes.fields().names()
    assert list(rows[0])[1:] == [*names, *ADDED], "all fields are kept"
    assert [row["primary_type"] for row in rows] == [each["primary_type"] for each in own], "in their order"
    for row in rows:
        if row["primary_type"] in FOUND:
            assert [row[name] for name in ADDED] == [None, None, None, None, "found by police"]
        else:
            assert 0 < row["low"] < row["probability"] < row["high"] < 1
            wanted = "likely" if row["probability"] > 0.8 else "unlikely" if row["probability"] < 0.2 else "between"
            assert row["class"] == wanted
    rated = [row for row in rows if row["probability"] is not None]
    assert mapped["RATED"] == len(rated)
    assert mapped["LEFT_OUT"] == 900 - len(rated)
    assert mapped["EXPECTED"] == pytest.approx(sum(row["probability"] for row in rated), abs=0.06)
    counts = [mapped[f"{name}_COUNT"] for name in ("LIKELY", "BETWEEN", "UNLIKELY")]
    assert counts == [sum(row["class"] == name for row in rated) for name in ("likely", "between", "unlikely")]
    assert "not rated: found by police" in mapped.log.text
    # What it says of what it learned from is no test, and the layer itself says so.
    said = "of days that the model was trained on: of those it learned from it repeats in part what became of them"
    assert said in mapped.log.text
    assert said in open_layer(mapped["OUTPUT"]).metadata().abstract()
    assert "To rate these too, set ROWS to all incidents" in mapped.log.text


def test_all_can_be_rated_and_thresholds_moved(predict: Any, crimes: QgsVectorLayer) -> None:
    every = predict(crimes, ROWS="all", DEFINITIONS=True, LIKELY=0.5, UNLIKELY=0.1)
    rows = read(every["OUTPUT"])
    assert every["LEFT_OUT"] == 0
    assert {row["class"] for row in rows if row["primary_type"] == "NARCOTICS"} == {"likely"}
    assert all((row["class"] == "likely") == (row["probability"] > 0.5) for row in rows)
    layer = open_layer(every["OUTPUT"])
    labels = [each.label() for each in layer.renderer().categories()]
    assert labels == ["Likely: above 50 %", "Between: 10 % to 50 %", "Unlikely: below 10 %"]
    # Of possession nearly every incident is an arrest, by definition: left out unless it is asked for.
    without = predict(crimes, ROWS="all")
    notes = {row["note"] for row in read(without["OUTPUT"]) if row["primary_type"] == "NARCOTICS"}
    assert notes == {"outcome by definition"}


def test_a_map_is_red_above_and_blue_below_and_told_apart_in_grey_and_by_the_colour_blind(mapped: Any) -> None:
    layer = open_layer(mapped["OUTPUT"])
    renderer = layer.renderer()
    assert renderer.classAttribute() == "class"
    colours = {each.value(): each.symbol().color() for each in renderer.categories()}
    assert list(colours) == ["likely", "between", "unlikely"]
    red, blue = colours["likely"], colours["unlikely"]
    assert red.red() > 2 * red.blue()
    assert blue.blue() > 2 * blue.red()
    greys = sorted(0.2126 * each.redF() ** 2.2 + 0.7152 * each.greenF() ** 2.2 + 0.0722 * each.blueF() ** 2.2
                   for each in colours.values())
    contrasts = [(high + 0.05) / (low + 0.05) for low, high in itertools.pairwise(greys)]
    assert min(contrasts) > 2, "as far apart in grey as text and ground must be for large letters, nearly"
    # What the likely are drawn over: all the others.
    passes = {each.value(): each.symbol().symbolLayer(0).renderingPass() for each in renderer.categories()}
    assert passes["likely"] > passes["between"] > passes["unlikely"]
    assert renderer.usingSymbolLevels()
    assert "probability" in layer.mapTipTemplate()
    assert layer.metadata().abstract().startswith("Rate of category, description and location, of an arrest (arrest is")


def test_blocks_and_areas_are_points_in_the_middle_of_their_incidents(mapped: Any) -> None:
    blocks = read(mapped["BLOCKS"])
    assert blocks
    assert mapped["BLOCK_COUNT"] == len(blocks)
    assert all(row["n"] >= 20 and row["low"] <= row["probability"] <= row["high"] for row in blocks)
    assert {row["class"] for row in blocks} <= {"between", "unlikely", "likely"}
    layer = open_layer(mapped["BLOCKS"])
    assert layer.geometryType() == Qgis.GeometryType.Point
    assert layer.renderer().type() == "graduatedSymbol"
    labels = [each.label() for each in layer.renderer().ranges()]
    assert labels[0] == "Fifths of the blocks by their share"
    assert len(labels) == 6
    assert all(each.endswith("% expected") for each in labels[1:])
    assert all(layer.renderer().rangeForValue(row["probability"]) is not None for row in blocks)
    areas = read(mapped["BY_AREA"])
    assert sorted(row["id"] for row in areas) == ["1", "2", "3", "4"]
    rows = [row for row in read(mapped["OUTPUT"]) if row["community_area"] == "1" and row["probability"] is not None]
    first = next(row for row in areas if row["id"] == "1")
    assert first["n"] == len(rows)
    assert first["probability"] == pytest.approx(sum(row["probability"] for row in rows) / len(rows))


def test_polygons_of_areas_are_found_by_their_key_or_their_place(predict: Any, crimes: QgsVectorLayer) -> None:
    areas = make_area_layer()
    by_key = predict(crimes, AREAS=areas, AREA_ID="number", AREA_NAME="title")
    layer = open_layer(by_key["BY_AREA"])
    assert layer.geometryType() == Qgis.GeometryType.Polygon
    rows = {row["id"]: row for row in read(by_key["BY_AREA"])}
    assert {name: row["name"] for name, row in rows.items()} == {str(n): f"Area {n}" for n in range(1, 5)}
    placed = predict(crimes, AREAS=areas, AREA_NAME="title", AREA_FIELD="block")
    numbers = {row["name"]: row["n"] for row in rows.values()}
    assert {row["name"]: row["n"] for row in read(placed["BY_AREA"])} == numbers


def test_the_outlook_says_which_share_to_expect_of_each_area_and_category(mapped: Any) -> None:
    rows = read(mapped["OUTLOOK"])
    every = [row for row in rows if row["name"] == "all areas"]
    assert {row["category"] for row in every} == {"THEFT", "BATTERY", "ASSAULT"}
    assert rows[: len(every)] == every, "all areas first"
    theft = next(row for row in every if row["category"] == "THEFT")
    assert theft["probability"] < 0.2 < next(row for row in every if row["category"] == "BATTERY")["probability"]
    for row in rows:
        assert row["n"] >= 30
        assert row["outcomes"] == pytest.approx(row["n"] * row["probability"])
        assert 0 <= row["low"] <= row["probability"] <= row["high"] <= 1
        assert row["hidden"] == 0
    from crime_risk.bridge import styles

    layer = open_layer(mapped["OUTLOOK"])
    styles.apply("outcome_outlook", layer, {})
    titles = [layer.attributeDisplayName(layer.fields().lookupField(name)) for name in ("n", "outcomes")]
    assert titles == ["Incidents", "Outcomes to expect"]


def test_publishing_hides_shares_of_fewer_than_five_outcomes(predict: Any) -> None:
    published = predict(make_outcome_layer(400), PUBLISH=True, BLOCK_LEAST=5, AREA_LEAST=5)
    hidden = 0
    for name, key in (("BLOCKS", "n"), ("BY_AREA", "n"), ("OUTLOOK", "n")):
        for row in read(published[name]):
            gone = row["hidden"] == 1
            hidden += gone
            assert (row["probability"] is None) == (row["low"] is None) == (row["high"] is None) == gone
            assert row[key] >= 5, "incidents are no secret"
            if not gone:
                assert row["n"] * row["probability"] >= 5
    assert published["HIDDEN"] == hidden > 0
    assert "hidden for publishing" in published.log.text
    layer = open_layer(published["BLOCKS"])
    labels = [each.label() for each in layer.renderer().ranges()]
    assert labels[-1] == "Hidden for publishing"


def test_an_indicator_may_be_text_with_gaps_but_must_hold_numbers(run: Any, log_of: Any, tmp_path: Path) -> None:
    layer = make_outcome_layer(900)
    place, provider = layer.fields().lookupField("community_area"), layer.dataProvider()
    assert provider.changeAttributeValues({each.id(): {place: ""} for each in [*layer.getFeatures()][:20]})
    given = {**GIVEN, "INPUT": layer, "MODEL": str(tmp_path / "m.crimeoutcome"), "REPORT": str(tmp_path / "r.html")}
    run("trainoutcome", **given, INDICATOR="community_area")
    assert "community_area" in Path(given["REPORT"]).read_text(encoding="utf-8")
    log = log_of()
    fine, _ = run_in_background("trainoutcome", {**given, "INDICATOR": "primary_type"}, log)
    assert not fine
    assert any("The field primary_type holds no numbers" in each for each in log.errors), log.errors


def test_rows_of_one_incident_are_also_split_by_incident(
    run: Any, crimes: QgsVectorLayer, tmp_path: Path
) -> None:
    import processing

    calculated = {"FIELD_NAME": "case_number", "FIELD_TYPE": 1, "FORMULA": "floor($id / 2)", "OUTPUT": "memory:"}
    charges = processing.run("native:fieldcalculator", {"INPUT": crimes, **calculated})["OUTPUT"]
    QgsProject.instance().addMapLayer(charges, False)
    made = {"MODEL": str(tmp_path / "m.crimeoutcome"), "REPORT": str(tmp_path / "report.html")}
    trained = run("trainoutcome", INPUT=charges, SPLIT="random", **GIVEN, **made)
    assert "incidents with several rows each. Drawn at random row by row, such rows are on both" in trained.log.text
    assert "At random by incident, " in trained.log.text
    page = Path(made["REPORT"]).read_text(encoding="utf-8")
    assert "<h3>By incident</h3>" in page
    assert "the split by incident is the one to read" in page


def test_leaks_that_were_asked_for_are_on_the_map_and_everyone_says_so(
    run: Any, crimes: QgsVectorLayer, tmp_path: Path
) -> None:
    made = {"MODEL": str(tmp_path / "leaking.crimeoutcome"), "REPORT": str(tmp_path / "report.html")}
    trained = run("trainoutcome", INPUT=crimes, LEAKS=["by_definition", "found_by_police"], **GIVEN, **made)
    assert "the map has them, as was asked for" in trained.log.text
    assert Path(made["REPORT"]).read_text(encoding="utf-8").count("asked for</td>") == 2
    found = run("predictoutcome", INPUT=crimes, MODEL=made["MODEL"], OUTPUT=str(tmp_path / "outcomes.gpkg"))
    assert found["LEFT_OUT"] == 0
    assert "The model was trained with leaks, as was asked for" in found.log.text
    strict = run("predictoutcome", INPUT=crimes, MODEL=made["MODEL"], ROWS="strict", OUTPUT=str(tmp_path / "s.gpkg"))
    assert strict["LEFT_OUT"] > 0, "a choice of this run decides"


def test_a_layer_needs_no_outcome_and_what_was_never_seen_is_noted(predict: Any) -> None:
    new = make_outcome_layer(count=200, seed=7, outcome=False, unseen="PIRACY")
    found = predict(new)
    rows = read(found["OUTPUT"])
    assert rows[-1]["note"] == "category never seen: rate of all incidents"
    assert 0.15 < rows[-1]["probability"] < 0.45
    assert found["UNSEEN"] >= 1
    assert "that the training did not have" in found.log.text


def test_a_table_without_places_is_rated_without_a_map(predict: Any) -> None:
    table = make_outcome_layer(count=200, spatial=False)
    found = predict(table, AREA_LEAST=5)
    assert found["RATED"] > 100
    assert not open_layer(found["OUTPUT"]).isSpatial()
    assert found["BLOCK_COUNT"] == found["AREA_COUNT"] == 0
    assert "No blocks are written" in found.log.text
    assert {row["area"] for row in read(found["OUTLOOK"])} >= {"1", "2"}


def test_thresholds_the_wrong_way_round_are_refused(crimes: QgsVectorLayer, trained: Any, log_of: Any) -> None:
    log = log_of()
    given = {"INPUT": crimes, "MODEL": trained["MODEL"], "LIKELY": 0.2, "UNLIKELY": 0.8, "OUTPUT": "memory:"}
    fine, _ = run_in_background("predictoutcome", given, log)
    assert not fine
    assert any("UNLIKELY is 0.8, which is not below LIKELY" in each for each in log.errors)


def test_fields_of_weather_that_the_model_reads_must_be_joined_before(
    run: Any, crimes: QgsVectorLayer, log_of: Any, tmp_path: Path
) -> None:
    import processing

    warm = processing.run(
        "native:fieldcalculator",
        {"INPUT": crimes, "FIELD_NAME": "TMAX", "FIELD_TYPE": 0, "FORMULA": "day(\"occurred\")", "OUTPUT": "memory:"},
    )["OUTPUT"]
    QgsProject.instance().addMapLayer(warm, False)
    given = {**GIVEN, "MODEL_KIND": "boosting", "WEATHER_FIELDS": ["TMAX"], "MODEL": str(tmp_path / "m.crimeoutcome")}
    model = run("trainoutcome", INPUT=warm, **given)["MODEL"]
    log = log_of()
    fine, _ = run_in_background("predictoutcome", {"INPUT": crimes, "MODEL": model, "OUTPUT": "memory:"}, log)
    assert not fine
    assert any("TMAX" in each and "Join context" in each for each in log.errors), log.errors


def test_the_shipped_chain_joins_trains_and_maps(crimes: QgsVectorLayer, log_of: Any, tmp_path: Path) -> None:
    weather = tmp_path / "weather.csv"
    days = [f"2018-{month:02d}-{day:02d}" for month in range(1, 5) for day in range(1, 29 if month == 2 else 31)]
    rows = [f"{day},{number % 30}.5" for number, day in enumerate(days)]
    weather.write_text("\n".join(["DATE,TMAX", *rows]) + "\n", encoding="utf-8")
    made = {
        "incidents_with_context": str(tmp_path / "joined.gpkg"),
        "outcome_model": str(tmp_path / "model.crimeoutcome"),
        "outcomes": str(tmp_path / "outcomes.gpkg"),
        "outlook": str(tmp_path / "outlook.gpkg"),
    }
    given = {"incidents": crimes, "table_file": str(weather), "kind": 4, "maturity": 7, "ladder": False, **made}
    log = log_of()
    fine, _ = run_in_background("incidents_to_outcomes", given, log)
    assert fine, log.text
    names = open_layer(made["outcomes"]).fields().names()
    assert "TMAX" in names
    assert names[-5:] == ADDED
    assert len(read(made["outcomes"])) == 900
    assert "Weather found by its names: TMAX" in log.text
    assert read(made["outlook"])
