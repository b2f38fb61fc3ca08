"""Train a warning model, warn, and backtest warnings in QGIS: layers that play and say how they were made, refusals."""

from __future__ import annotations

import csv
import datetime
import math
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kit.algorithms import run_in_background
from kit.layers import EAST, METRES, NORTH, Row, make_square
from qgis.core import (
    Qgis,
    QgsFeature,
    QgsGeometry,
    QgsProject,
    QgsVectorLayer,
)

#: The square of the city with most shootings, and how many squares there are.
BUSY, SQUARES = 4, 6
FIELDS = ["id", "name", "start", "end", "probability", "low", "high", "rank", "warned"]
PARTS = ["hour_part", "season_part", "place_part", "level_part", "recent_part", "usual_part"]


def make_city(days: int = 500) -> list[Row]:
    """Shootings by night, most in one square of six, half of them with two victims; assaults in the same places."""
    chance = random.Random(15)
    rows: list[Row] = []
    for day in range(days):
        for kind, often in (("SHOOTING", 0.8), ("ASSAULT", 2.0)):
            for _ in range(sum(chance.random() < often / 4 for _ in range(4))):
                square = BUSY if chance.random() < 0.5 else chance.randrange(SQUARES)
                when = datetime.datetime(2023, 1, 1) + datetime.timedelta(
                    days=day, hours=(20 + chance.randrange(8)) % 24, minutes=chance.randrange(60)
                )
                x = EAST + 1000 * (square % 3) + chance.randrange(50, 950)
                y = NORTH + 1000 * (square // 3) + chance.randrange(50, 950)
                rows += [(x, y, when, kind)] * (2 if kind == "SHOOTING" and chance.random() < 0.5 else 1)
    return rows


def make_squares(number: int = SQUARES) -> QgsVectorLayer:
    layer = QgsVectorLayer(f"Polygon?crs={METRES}&field=code:string&field=title:string", "beats", "memory")
    for square in range(number):
        feature = QgsFeature(layer.fields())
        feature.setAttributes([f"B{square}", f"Beat {square}"])
        feature.setGeometry(QgsGeometry.fromWkt(make_square(1000 * (square % 3), 1000 * (square // 3), 1000)))
        layer.dataProvider().addFeature(feature)
    QgsProject.instance().addMapLayer(layer, False)
    return layer


def read(destination: str) -> list[dict[str, Any]]:
    layer = QgsVectorLayer(destination, "rows", "ogr")
    assert layer.isValid(), destination
    return [dict(zip(layer.fields().names(), each.attributes(), strict=True)) for each in layer.getFeatures()]


@pytest.fixture(scope="module")
def city(points: Callable[..., QgsVectorLayer]) -> QgsVectorLayer:
    return points(make_city(), METRES)


@pytest.fixture(scope="module")
def given(city: QgsVectorLayer) -> dict[str, Any]:
    """What every tool is given: incidents as *Import incidents* makes them, and the areas."""
    return {"INPUT": city, "AREAS": make_squares(), "AREA_ID": "code", "AREA_NAME": "title"}


@pytest.fixture(scope="module")
def trained(run: Any, given: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("warning")
    made = {"MODEL": str(folder / "w.crimemodel"), "REPORT": str(folder / "report.html")}
    return run("trainwarning", **given, TARGETS="SHOOTING", MODEL_KIND="level", BUDGET=20, **made)


@pytest.fixture(scope="module")
def warned(run: Any, given: dict[str, Any], trained: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("warned")
    made = {"WARNINGS": str(folder / "warnings.gpkg"), "NEXT_WINDOWS": str(folder / "next.gpkg")}
    return run("warn", **given, MODEL=trained["MODEL"], **made)


def test_training_needs_nothing_but_incidents_targets_and_areas(trained: Any) -> None:
    assert trained["KIND"] == "level"
    assert trained["EVENTS"] > 30
    assert 0.1 < trained["LOG_LOSS"] < 0.69
    assert 0.5 < trained["AUC"] < 1
    assert 0 < trained["PRECISION"] < 1
    assert trained["VERDICT"].endswith(".")
    # Two victims are one event.
    assert f"are {trained['ALL_EVENTS']:,} events" in trained.log.text
    assert "Of 100 area-days warned of" in trained.log.text
    assert "100 picked by calendar and place" in trained.log.text
    assert "it is no ground to stop, search or judge anyone" in trained.log.text
    assert "no ground to stop" in Path(trained["REPORT"]).read_text(encoding="utf-8")


def test_the_week_is_warned_of_area_by_area(warned: Any) -> None:
    rows = read(warned["WARNINGS"])
    assert list(rows[0])[1:] == [*FIELDS, *PARTS]
    assert len(rows) == 7 * SQUARES, "left empty, the windows of seven days"
    assert sorted(row["rank"] for row in rows) == list(range(1, len(rows) + 1))
    assert all(0 < row["low"] < row["probability"] < row["high"] < 1 for row in rows)
    assert sum(row["warned"] for row in rows) == warned["WARNED"] > 0
    least = min(row["probability"] for row in rows if row["warned"])
    assert all(row["probability"] < least for row in rows if not row["warned"])
    assert least > warned["THRESHOLD"]
    # Half of all shootings are in one of six squares.
    assert {row["name"] for row in rows if row["rank"] <= 7} == {f"Beat {BUSY}"}
    assert {row["place_part"] > 1.5 for row in rows if row["id"] == f"B{BUSY}"} == {True}
    for row in rows:
        assert math.prod(row[part] for part in PARTS) == pytest.approx(-math.log1p(-row["probability"]), rel=1e-4)


def test_windows_follow_the_moment_and_are_listed_in_a_table(warned: Any) -> None:
    rows = read(warned["NEXT_WINDOWS"])
    starts = [row["start"].toString("yyyy-MM-dd HH:mm") for row in rows]
    assert starts[0] == warned["MADE_AT"].replace("T", " ")[:16], "no lead"
    assert len(rows) == warned["WINDOWS"] == 7
    polygons = read(warned["WARNINGS"])
    for row in rows:
        own = [each for each in polygons if each["start"] == row["start"]]
        assert row["warned"] == sum(each["warned"] for each in own)
        assert {name for name in row["areas"].split(", ") if name} == {each["name"] for each in own if each["warned"]}
        assert row["first"] == f"Beat {BUSY}"
        quiet = math.prod(1 - each["probability"] for each in own)
        assert row["anywhere"] == pytest.approx(1 - quiet, rel=1e-6)


def test_the_layer_plays_is_hatched_and_says_what_was_known(warned: Any) -> None:
    layer = QgsVectorLayer(warned["WARNINGS"], "warnings", "ogr")
    layer.loadDefaultStyle()
    properties = layer.temporalProperties()
    assert properties.isActive()
    assert properties.mode() == Qgis.VectorTemporalMode.FeatureDateTimeStartAndEndFromExpressions
    rules = layer.renderer().rootRule().children()
    assert [rule.label() for rule in rules][-1] == "Warned of"
    assert len(rules) == 6
    kinds = [rules[-1].symbol().symbolLayer(number).layerType() for number in range(2)]
    assert kinds == ["LinePatternFill", "SimpleLine"], "seen without colours, too"
    layer = QgsVectorLayer(warned["WARNINGS"].split("|")[0] + "|layername=warnings", "warnings", "ogr")
    layer.loadDefaultMetadata()
    abstract = layer.metadata().abstract()
    assert abstract == warned["CARD"]
    assert "Made on" in abstract
    assert "it is no ground to stop, search or judge anyone" in abstract


def test_what_happened_after_the_moment_is_not_read(
    run: Any, given: dict[str, Any], trained: Any, points: Any, tmp_path: Path
) -> None:
    """The same warnings, whether or not the file goes on after what was known."""
    moment = datetime.datetime(2024, 3, 1, 6)
    known = [row for row in make_city() if row[2] < moment - datetime.timedelta(hours=24)]
    asked = {**given, "MODEL": trained["MODEL"], "MADE": moment.isoformat(), "NEXT": 3}
    whole = run("warn", **asked, WARNINGS=str(tmp_path / "whole.gpkg"))
    part = run("warn", **{**asked, "INPUT": points(known, METRES)}, WARNINGS=str(tmp_path / "part.gpkg"))
    rows = [read(each["WARNINGS"]) for each in (whole, part)]
    assert [[row[name] for name in FIELDS] for row in rows[0]] == [[row[name] for name in FIELDS] for row in rows[1]]
    assert rows[0][0]["start"].toString("yyyy-MM-dd HH:mm") == "2024-03-02 00:00", "the first that begins later"
    assert "after the moment at which these warnings are made" in whole.log.text


def test_old_incidents_are_said_to_be_old(run: Any, given: dict[str, Any], trained: Any) -> None:
    ran = run("warn", **given, MODEL=trained["MODEL"], MADE="2024-08-01T00:00:00", NEXT=1)
    assert "what happened between is not known" in ran.log.text


def test_the_whole_city_is_one_area(
    run: Any, city: Any, given: Any, trained: Any, refusal: Any, tmp_path: Path
) -> None:
    made = {"MODEL": str(tmp_path / "c.crimemodel"), "MODEL_KIND": "level", "WINDOW": 12, "BEGIN": 6}
    run("trainwarning", INPUT=city, TARGETS="SHOOTING", BUDGET_KIND="week", BUDGET=2, **made)
    ran = run("warn", INPUT=city, MODEL=made["MODEL"], NEXT=4, WARNINGS=str(tmp_path / "c.gpkg"))
    rows = read(ran["WARNINGS"])
    assert [row["start"].toString("HH:mm") for row in rows[1:3]] in (["06:00", "18:00"], ["18:00", "06:00"])
    assert {row["id"] for row in rows} == {"city"}
    assert "2 alarms a week" in ran.log.text
    text = refusal("warn", **given, MODEL=made["MODEL"])
    assert text.startswith("The model warns of the whole city, but areas are given. Leave the areas empty")
    text = refusal("warn", INPUT=city, MODEL=trained["MODEL"])
    assert text.startswith("The model warns of 6 areas, but none are given. Choose the layer of areas")


def test_a_backtest_counts_hits_and_false_alarms(run: Any, given: dict[str, Any], tmp_path: Path) -> None:
    made = {"WARNINGS": str(tmp_path / "t.gpkg"), "TABLE": str(tmp_path / "t.csv"), "REPORT": str(tmp_path / "t.html")}
    asked = {"TARGETS": "SHOOTING", "START": "2024-03-01T00:00:00", "BUDGET": 20, "MODELS": "level"}
    ran = run("backtestwarnings", **given, **asked, **made)
    rows = read(ran["WARNINGS"])
    assert min(row["start"].toString("yyyy-MM-dd") for row in rows) == "2024-03-01"
    assert len(rows) == ran["WINDOWS"] * SQUARES
    assert sum(row["events"] for row in rows) == ran["EVENTS"]
    assert sum(row["warned"] for row in rows) == ran["ALARMS"]
    labels = {("hit", 1, True), ("false alarm", 1, False), ("missed", 0, True), ("quiet", 0, False)}
    assert {(row["label"], row["warned"], row["events"] > 0) for row in rows} == labels
    hits = sum(row["label"] == "hit" for row in rows)
    assert ran["PRECISION"] == pytest.approx(hits / ran["ALARMS"])
    with Path(ran["TABLE"]).open(encoding="utf-8") as file:
        figures = {(row["model"], row["metric"], row["at"]): row["value"] for row in csv.DictReader(file)}
    assert float(figures["level", "log_loss", ""]) == pytest.approx(ran["LOG_LOSS"], abs=1e-6)
    assert {name for name, _, _ in figures} == {"level", "constant", "clock", "calendar", "calendar_reset"}
    assert "SHOOTING" in Path(ran["REPORT"]).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"TARGETS": ""}, "TARGETS is empty"),
        ({"WINDOW": 5}, "WINDOW is 5, which is no part of a day and no number of whole days. Give 1, 2, 3, 4,"),
        ({"WINDOW": 36}, "WINDOW is 36, which is no part of a day"),
        ({"BUDGET": 120}, "BUDGET is 120 per cent of all windows; give at most 100, or another BUDGET_KIND."),
        ({"BUDGET": 0}, "BUDGET is 0; it must be greater than 0"),
        (
            {"SIMILAR": "ASSAULT; shooting"},
            "SIMILAR is ASSAULT; shooting, and shooting stands in TARGETS too. Leave it out of SIMILAR.",
        ),
        ({"AREAS": None}, "AREA_ID is code, but AREAS is empty. Choose the layer that has this field, or neither."),
        ({"CATEGORY_FIELD": "kind"}, "CATEGORY_FIELD: the layer has no field kind. It has: occurred, category."),
        ({"PLACE_FIELD": "street"}, "PLACE_FIELD: the layer has no field street."),
        ({"TARGETS": "SHOTING"}, "No incident has category SHOTING. Perhaps SHOOTING is meant."),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(
    refusal: Any, given: dict[str, Any], wrong: dict[str, Any], sentence: str, tmp_path: Path
) -> None:
    asked = {**given, "TARGETS": "SHOOTING", **wrong}
    for tool, made in (("trainwarning", {"MODEL": str(tmp_path / "w.crimemodel")}), ("backtestwarnings", {})):
        assert sentence in refusal(tool, **asked, **made)
    assert not list(tmp_path.iterdir())


def test_models_of_risk_and_of_warnings_are_told_apart(
    run: Any, refusal: Any, given: dict[str, Any], trained: Any, grids_file: Path, tmp_path: Path
) -> None:
    risk = str(tmp_path / "risk.crimemodel")
    run("trainforecastmodel", INPUT=str(grids_file), MODEL_KIND="prior_counts", MODEL=risk)
    text = refusal("warn", **given, MODEL=risk)
    assert text.startswith(
        "The model forecasts risk and warns of nothing: it was made with Train forecast model. Give it"
    )
    assert "Give it to Forecast risk" in text
    text = refusal("forecastrisk", MODEL=trained["MODEL"], INPUT=str(grids_file), OUTPUT=str(tmp_path / "r.tif"))
    assert text.startswith(
        "The model warns of windows of 24 hours: it was made with Train warning model. Give it to Warn"
    )
    assert not (tmp_path / "r.tif").exists()


def test_other_areas_than_the_models_are_refused(refusal: Any, given: dict[str, Any], trained: Any) -> None:
    text = refusal("warn", **{**given, "AREAS": make_squares(5)}, MODEL=trained["MODEL"])
    assert text.startswith("The model was trained on 6 areas: 1 of them is not in this panel (B5).")


def test_the_shipped_chain_trains_and_warns(log_of: Any, given: dict[str, Any], tmp_path: Path) -> None:
    log = log_of()
    asked = {"incidents": given["INPUT"], "areas": given["AREAS"], "area_id": "code", "targets": "SHOOTING"}
    files = {"warning_model": "w.crimemodel", "warnings": "w.gpkg", "report": "r.html", "next_windows": "n.gpkg"}
    made = {key: str(tmp_path / file) for key, file in files.items()}
    fine, _ = run_in_background("incidents_to_warnings", {**asked, **made, "windows": 2}, log)
    assert fine, log.errors
    assert len(read(made["warnings"])) == 2 * SQUARES
    assert Path(made["warning_model"]).stat().st_size > 1000
    assert "it is no ground to stop" in Path(made["report"]).read_text(encoding="utf-8")
