"""Add covariates from QGIS: tables without geometry, selections, layers in degrees, larger areas."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from kit.layers import EAST, METRES, NORTH, make_square
from qgis.core import (
    QgsFeature,
    QgsGeometry,
    QgsProcessingFeatureSourceDefinition,
    QgsProject,
    QgsVectorLayer,
)


@pytest.fixture(scope="module")
def panel(run: Any, town_layer: Any, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The town's incidents by day in four squares of 1500 m, called 1 to 4."""
    squares = make_layer(
        "Polygon", "name:string", [[str(n + 1)] for n in range(4)], [make_square(*at, 1500) for at in _CORNERS]
    )
    path = tmp_path_factory.mktemp("panel") / "panel.gpkg"
    asked = {"AREAS": squares, "AREA_ID": "name", "BIN_UNIT": "days", "OUTPUT": str(path)}
    return str(run("countareas", INPUT=town_layer, TIME_FIELD="occurred", **asked)["OUTPUT"])


_CORNERS = [(0.0, 0.0), (1500.0, 0.0), (0.0, 1500.0), (1500.0, 1500.0)]


def make_layer(
    geometry: str, fields: str, rows: list[list[Any]], shapes: list[str] | None = None, crs: str = METRES
) -> QgsVectorLayer:
    """A memory layer of rows; its fields as ``name:type&field=name:type``."""
    layer = QgsVectorLayer(f"{geometry}?crs={crs}&field={fields}", "values", "memory")
    for number, row in enumerate(rows):
        feature = QgsFeature(layer.fields())
        feature.setAttributes(row)
        if shapes is not None:
            feature.setGeometry(QgsGeometry.fromWkt(shapes[number]))
        assert layer.dataProvider().addFeature(feature)
    QgsProject.instance().addMapLayer(layer, False)
    return layer


def read(destination: str) -> dict[str, dict[str, float]]:
    """The values of each covariate by the ids of their areas; of dated ones the first."""
    path = destination.split("|")[0]
    rows: dict[str, dict[str, float]] = {}
    with sqlite3.connect(path) as database:
        query = (
            "SELECT c.name, a.id, v.value FROM covariate_values v JOIN covariates c USING (covariate) JOIN areas a"
            " ON a.fid = v.area ORDER BY v.fid DESC"
        )
        for name, area, value in database.execute(query):
            rows.setdefault(name, {})[area] = value
    return rows


def test_a_csv_of_texts_is_joined_by_key(run: Any, panel: str, tmp_path: Path) -> None:
    """As QGIS opens it, whatever it takes its columns for."""
    (tmp_path / "scores.csv").write_text('"area","fid","score"\n"1",7,"1,5"\n"2",7,NA\n"3",7,"3"\n"9",7,4\n')
    asked = {"INPUT": panel, "TABLE": str(tmp_path / "scores.csv"), "KEY_FIELD": "area", "FIELDS": ["score", "fid"]}
    ran = run("addcovariates", **asked, OUTPUT=str(tmp_path / "more.gpkg"))
    assert read(ran["OUTPUT"]) == {"score": {"1": 1.5, "3": 3}, "fid": {"1": 7, "2": 7, "3": 7}}
    assert (ran["COVARIATES"], ran["AREAS_WITH_VALUES"], ran["AREAS_WITHOUT"]) == (2, 3, 1)
    assert any("1 key is that of no area: 9" in line for line in ran.log.warnings)
    assert QgsVectorLayer(ran["OUTPUT"], "counts", "ogr").featureCount() > 0


def test_only_selected_rows_of_a_table_are_taken(run: Any, panel: str, tmp_path: Path) -> None:
    table = make_layer("None", "id:integer&field=score:double", [[1, 5.0], [2, 6.0], [3, 7.0]])
    table.select([2, 3])
    selected = QgsProcessingFeatureSourceDefinition(table.id(), True, -1)
    asked = {"TABLE": selected, "KEY_FIELD": "id", "FIELDS": "score", "OUTPUT": str(tmp_path / "more.gpkg")}
    ran = run("addcovariates", INPUT=panel, **asked)
    assert read(ran["OUTPUT"]) == {"score": {"2": 6, "3": 7}}


def test_points_in_degrees_are_counted_where_they_lie(run: Any, panel: str, points: Any, tmp_path: Path) -> None:
    where = [(EAST + 10, NORTH + 10), (EAST + 20, NORTH + 20), (EAST + 1600, NORTH + 1600), (EAST - 9e4, NORTH)]
    layer = points([(*at, None, "pub") for at in where], "EPSG:4326")
    asked = {"TABLE": layer, "JOIN": "location", "VALUES": "count", "OUTPUT": str(tmp_path / "more.gpkg")}
    ran = run("addcovariates", INPUT=panel, PREFIX="pub ", **asked)
    assert read(ran["OUTPUT"]) == {"pub points": {"1": 2, "2": 0, "3": 0, "4": 1}}


def test_dated_values_of_larger_areas_reach_those_within(run: Any, panel: str, tmp_path: Path) -> None:
    # Over the middles of the southern squares, not of the northern ones.
    larger = make_layer("Polygon", "district:string", [["South"]], [make_square(-9, -1600, 3100)])
    table = make_layer(
        "None",
        "day:string&field=district:string&field=value:string",
        [["02/01/2024", "south", "8"], ["13/01/2024", "South", "9"], ["13/01/2024", "North", "1"]],
    )
    asked = {"AREAS": larger, "AREA_NAME": "district", "KEY_FIELD": "district", "DATE_FIELD": "day", "DELAY": 3}
    ran = run("addcovariates", INPUT=panel, TABLE=table, FIELDS="value", **asked, OUTPUT=str(tmp_path / "more.gpkg"))
    assert read(ran["OUTPUT"]) == {"value": {"1": 8, "2": 8}}
    with sqlite3.connect(tmp_path / "more.gpkg") as database:
        rows = database.execute("SELECT bin, bins, value, filled FROM covariate_values WHERE area = 1").fetchall()
        about = database.execute("SELECT kind, delay, source, joined FROM covariates").fetchall()
    assert rows[:3] == [(1, 1, 8.0, 0), (2, 10, 8.0, 1), (12, 1, 9.0, 0)]
    assert about == [("dated", 3, "values", "by key: district = name of the larger area")]


def test_what_is_wrong_is_said_before_any_work(refusal: Any, panel: str, tmp_path: Path) -> None:
    table = make_layer("None", "id:integer&field=score:double", [[1, 5.0]])
    asked = {"INPUT": panel, "TABLE": table, "KEY_FIELD": "id", "OUTPUT": str(tmp_path / "more.gpkg")}
    assert "FIELDS is empty. Choose the fields that hold the values." in refusal("addcovariates", **asked)
    said = refusal("addcovariates", **asked, FIELDS=["score", "skore"])
    assert "FIELDS: the layer has no field skore. It has: id, score." in said
    asked["FIELDS"] = "score"
    assert "KEY_FIELD is empty" in refusal("addcovariates", **{**asked, "KEY_FIELD": None})
    said = refusal("addcovariates", **{**asked, "OUTPUT": panel.split("|")[0]})
    assert "is also an input and would be overwritten" in said
    assert "KNOWN_FROM is" in refusal("addcovariates", **asked, DATE_FIELD="id", KNOWN_FROM="2024-01-02T00:00:00")
    assert list(tmp_path.iterdir()) == []


def test_a_layer_with_an_invalid_polygon_is_mended(run: Any, panel: str, tmp_path: Path) -> None:
    """Processing would refuse it; the engine takes what it covers."""
    x, y = EAST, NORTH
    bow = f"Polygon(({x} {y},{x + 1500} {y + 1500},{x + 1500} {y},{x} {y + 1500},{x} {y}))"
    layer = make_layer("Polygon", "rate:double", [[4.0]], [bow])
    asked = {"TABLE": layer, "JOIN": "area", "FIELDS": "rate", "OUTPUT": str(tmp_path / "more.gpkg")}
    ran = run("addcovariates", INPUT=panel, **asked)
    assert read(ran["OUTPUT"]) == {"rate": {"1": 4}}
    assert any("1 of 1 row has an invalid geometry" in line for line in ran.log.warnings)
