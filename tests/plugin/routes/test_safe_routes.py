"""Less exposed routes in QGIS: a small town whose main street has all the crime."""

from __future__ import annotations

import csv
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from kit.layers import METRES, make_points
from qgis.core import QgsFeature, QgsField, QgsGeometry, QgsVectorLayer
from qgis.PyQt.QtCore import QMetaType

#: The corner of the town; its blocks are 200 m wide, and its main street is the third of five.
X, Y = 550_000, 4_180_000
BLOCK, STREETS = 200, 5
WEST, EAST = (X, Y + 2 * BLOCK), (X + 4 * BLOCK, Y + 2 * BLOCK)


def make_layer(shapes: list[str], kind: str, names: list[str] | None = None) -> QgsVectorLayer:
    """A memory layer of shapes, with a field of names."""
    layer = QgsVectorLayer(f"{kind}?crs={METRES}", kind.lower(), "memory")
    layer.dataProvider().addAttributes([QgsField("who", QMetaType.Type.QString)])
    layer.updateFields()
    for number, shape in enumerate(shapes):
        feature = QgsFeature(layer.fields())
        feature.setGeometry(QgsGeometry.fromWkt(shape))
        feature.setAttributes([names[number] if names else str(number)])
        layer.dataProvider().addFeature(feature)
    return layer


def at(place: tuple[float, float]) -> str:
    return f"{place[0]},{place[1]} [{METRES}]"


def point(place: tuple[float, float]) -> str:
    return f"POINT({place[0]} {place[1]})"


@pytest.fixture(scope="module")
def town(plugin: Any) -> dict[str, Any]:
    """Streets and incidents, as parameters of the tool."""
    lines = []
    for one in range(STREETS):
        for step in range(STREETS - 1):
            low, high, other = step * BLOCK, (step + 1) * BLOCK, one * BLOCK
            lines.append(f"LINESTRING({X + low} {Y + other}, {X + high} {Y + other})")
            lines.append(f"LINESTRING({X + other} {Y + low}, {X + other} {Y + high})")
    begin = datetime(2024, 1, 1)
    rows = [
        (X + 300 + 4 * (number % 50), Y + 400 + number % 7, begin + timedelta(hours=40 * number), "Robbery")
        for number in range(200)
    ]
    # The risk is known where incidents lie around: a few lie everywhere.
    rows += [(X + 100 * east, Y + 100 * north, begin, "Theft") for east in range(9) for north in range(9)]
    return {"INPUT": make_layer(lines, "LineString"), "INCIDENTS": make_points(rows, METRES), "KERNEL": 60}


@pytest.fixture(scope="module")
def routes(run: Any, town: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("routes")
    made = {"OUTPUT": str(folder / "routes.gpkg"), "REPORT": str(folder / "routes.html")}
    return run("saferoutes", **town, START=at(WEST), END=at(EAST), DETOUR=60, **made)


def read(source: str) -> list[QgsFeature]:
    layer = QgsVectorLayer(source, "routes", "ogr")
    assert layer.isValid()
    return list(layer.getFeatures())


def test_the_way_around_the_main_street_is_longer_and_less_exposed(routes: Any) -> None:
    ways = sorted(read(routes["OUTPUT"]), key=lambda way: way["rank"])
    assert [ways[0]["kind"], ways[-1]["kind"]] == ["shortest", "least exposed"]
    assert ways[0]["metres"] == pytest.approx(800, abs=1)
    assert ways[-1]["metres"] == pytest.approx(1200, abs=1)
    assert ways[-1]["added_m"] == pytest.approx(400, abs=1)
    assert ways[0]["minutes"] == pytest.approx(10, abs=0.02)
    assert ways[-1]["saved"] > 0.5
    assert ways[0]["saved"] == 0
    middle = QgsGeometry.fromWkt(point((X + 2 * BLOCK, Y + 2 * BLOCK)))
    assert ways[0].geometry().distance(middle) < 1
    assert ways[-1].geometry().distance(middle) > BLOCK - 1


def test_the_log_and_the_results_say_what_it_costs(routes: Any) -> None:
    assert routes["PAIRS_COUNT"] == 1
    assert routes["BY_WEIGHTS"] == 0
    said = routes["SENTENCE"].replace("\N{NO-BREAK SPACE}", " ")
    assert "400 m (50 %) longer than the shortest way" in said
    assert "less exposed to reported crime" in said
    assert routes["SENTENCE"] in Path(routes["REPORT"]).read_text(encoding="utf-8").replace("\n", " ")


def test_the_layer_tells_the_ways_apart(routes: Any) -> None:
    layer = QgsVectorLayer(routes["OUTPUT"], "routes", "ogr")
    # Symbols belong to their categories, which have to live as long.
    renderer = layer.renderer()
    categories = renderer.categories()
    tops = {each.value(): each.symbol().symbolLayers()[-1] for each in categories}
    looks = {kind: (top.color().lightnessF(), top.width()) for kind, top in tops.items()}
    (dark, broad), (light, narrow) = looks["least exposed"], looks["shortest"]
    assert light - dark > 0.15
    assert broad > narrow > looks["between"][1]
    assert layer.labelsEnabled()


def test_no_way_goes_through_what_is_to_be_avoided(run: Any, town: Any) -> None:
    low, high = Y + 2 * BLOCK - 20, Y + 5 * BLOCK
    left, right = X + 2 * BLOCK - 20, X + 2 * BLOCK + 20
    wall = f"POLYGON(({left} {low}, {right} {low}, {right} {high}, {left} {high}, {left} {low}))"
    closed = make_layer([wall], "Polygon")
    made = run("saferoutes", **town, START=at(WEST), END=at(EAST), AVOID=closed, OUTPUT="TEMPORARY_OUTPUT")
    ways = list(made["OUTPUT"].getFeatures())
    assert ways
    assert min(way["metres"] for way in ways) == pytest.approx(1200, abs=1)
    assert not any(way.geometry().intersects(QgsGeometry.fromWkt(wall)) for way in ways)


def test_places_are_paired_and_what_has_no_way_is_listed(run: Any, town: Any, tmp_path: Path) -> None:
    corner = (X, Y)
    starts = make_layer([point(WEST), point(corner), point(corner)], "Point", ["a", "b", "alone"])
    ends = make_layer([point(EAST), point((X + 9_000, Y))], "Point", ["a", "b"])
    layers = {"STARTS": starts, "STARTS_FIELD": "who", "ENDS": ends, "ENDS_FIELD": "who"}
    made = {"OUTPUT": "TEMPORARY_OUTPUT", "UNSERVED": str(tmp_path / "without.csv")}
    results = run("saferoutes", **town, **layers, ROUTES=1, **made)
    assert {way["pair"] for way in results["OUTPUT"].getFeatures()} == {"a"}
    with Path(results["UNSERVED"]).open(encoding="utf-8", newline="") as file:
        why = {row["pair"]: row["reason"] for row in csv.DictReader(file)}
    assert why == {"b": "The end is more than 250 m from every street", "alone": "No end has this value"}


def test_districts_that_ways_avoid_are_named(run: Any, town: Any, log_of: Any) -> None:
    def strip(low: float, high: float) -> str:
        left, right = X - 50, X + 4 * BLOCK + 50
        return f"POLYGON(({left} {low}, {right} {low}, {right} {high}, {left} {high}, {left} {low}))"

    areas = make_layer([strip(Y + 390, Y + 410), strip(Y + 410, Y + 900)], "Polygon", ["Main Street", "North"])
    log = log_of()
    place = {"START": at(WEST), "END": at(EAST), "DETOUR": 60}
    run("saferoutes", log, **town, **place, AREAS=areas, AREA_NAME="who", OUTPUT="TEMPORARY_OUTPUT")
    assert "Less exposed ways avoid Main Street (from 100 %" in log.text.replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(
    ("end", "why"),
    [
        (WEST, "Start and end are the same place. Choose two places that are farther from each other"),
        ((X + 9_000, Y), "The end is more than 250 m from every street. Choose a place nearer to a street"),
    ],
)
def test_a_pair_without_a_way_is_a_sentence(refusal: Any, town: Any, end: tuple[float, float], why: str) -> None:
    assert why in refusal("saferoutes", **town, START=at(WEST), END=at(end), OUTPUT="TEMPORARY_OUTPUT")


def test_places_that_are_missing_or_given_twice_are_refused(refusal: Any, town: Any) -> None:
    starts = make_layer([point(WEST)], "Point")
    assert "START is empty, and so is STARTS" in refusal("saferoutes", **town, END=at(EAST))
    assert "STARTS is given, too" in refusal("saferoutes", **town, START=at(WEST), STARTS=starts, END=at(EAST))
