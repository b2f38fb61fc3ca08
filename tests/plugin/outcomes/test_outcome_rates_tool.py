"""Outcome rates from QGIS: layers in degrees and areas as polygons, a table of a file, styles, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from kit.layers import EAST, METRES, NORTH, make_square
from qgis.core import QgsFeature, QgsGeometry, QgsProject, QgsVectorLayer
from qgis.PyQt.QtCore import QDate


def make_layer(geometry: str, fields: str, rows: list[tuple[list[Any], str]], crs: str) -> QgsVectorLayer:
    layer = QgsVectorLayer(f"{geometry}?crs={crs}&{fields}", "crimes", "memory")
    for values, shape in rows:
        feature = QgsFeature(layer.fields())
        feature.setAttributes(values)
        feature.setGeometry(QgsGeometry.fromWkt(shape))
        assert layer.dataProvider().addFeature(feature)
    QgsProject.instance().addMapLayer(layer, False)
    return layer


@pytest.fixture(scope="module")
def incidents(plugin: Any) -> QgsVectorLayer:
    """Of each of four squares 120 thefts, of which one in ten is an arrest, in the last one in two; and drugs."""
    rows = []
    for number in range(4 * 120):
        square, turn = divmod(number, 120)
        x, y = EAST + 1000 * square + 100 + turn, NORTH + 500
        arrest = turn % 2 == 0 if square == 3 else turn % 10 == 0
        day = QDate(2024, 1, 1).addDays(turn)
        rows.append((["THEFT", day, "true" if arrest else "false"], f"POINT({x} {y})"))
    rows += [(["NARCOTICS", QDate(2024, 1, 1), "true"], f"POINT({EAST + 10} {NORTH + 10})")] * 5
    return make_layer("Point", "field=kind:string&field=day:date&field=Arrest:string", rows, METRES)


@pytest.fixture(scope="module")
def squares(plugin: Any) -> QgsVectorLayer:
    rows = [([f"Q{number + 1}"], make_square(1000.0 * number, 0.0, 1000)) for number in range(4)]
    return make_layer("Polygon", "field=title:string", rows, METRES)


def test_areas_are_drawn_by_what_victims_reported(
    run: Any, incidents: QgsVectorLayer, squares: QgsVectorLayer, tmp_path: Path
) -> None:
    asked = {"CATEGORY_FIELD": "kind", "AREAS": squares, "AREA_NAME": "title", "BY_AREA": str(tmp_path / "areas.gpkg")}
    ran = run("outcomerates", INPUT=incidents, **asked)
    layer = QgsVectorLayer(ran["BY_AREA"], "areas", "ogr")
    found = {feature["name"]: feature for feature in layer.getFeatures()}
    assert [found[f"Q{number}"]["victims_incidents"] for number in range(1, 5)] == [120] * 4
    assert [found[f"Q{number}"]["victims_outcomes"] for number in range(1, 5)] == [12, 12, 12, 60]
    assert found["Q1"]["incidents"] == 125
    assert [found[name]["victims_label"] for name in ("Q1", "Q4")] == ["below", "above"]
    assert layer.loadDefaultStyle()[1]
    renderer = layer.renderer()
    assert renderer.classAttribute() == "victims_label"
    colours = {each.value(): each.symbol().color().name() for each in renderer.categories()}
    assert (colours["above"], colours["below"]) == ("#d55e00", "#0072b2")
    assert layer.attributeDisplayName(layer.fields().lookupField("victims_rate")) == "Victims: Rate"
    assert ran["RATE_VICTIMS"] == pytest.approx(96 / 480)
    assert ran["COUNT"] == 485
    assert any("4 of 4 areas differ" in line for line in ran.log.lines)


def test_rates_are_a_table_with_titles(run: Any, incidents: QgsVectorLayer, tmp_path: Path) -> None:
    asked = {"CATEGORY_FIELD": "kind", "RATES": f"ogr:dbname='{tmp_path / 'out.gpkg'}' table=\"rates\""}
    ran = run("outcomerates", INPUT=incidents, **asked)
    layer = QgsVectorLayer(ran["RATES"], "rates", "ogr")
    thefts = [row for row in layer.getFeatures() if row["value"] == "THEFT"]
    assert [(row["rows"], row["incidents"], row["outcomes"]) for row in thefts] == [
        ("all", 480, 96),
        ("victims", 480, 96),
    ]
    assert thefts[0]["share"] == pytest.approx(480 / 485)
    assert not layer.isSpatial()


def test_fields_of_areas_without_areas_are_refused(refusal: Any, incidents: QgsVectorLayer) -> None:
    said = refusal("outcomerates", INPUT=incidents, AREA_ID="title")
    assert "AREA_ID is title, but AREAS is empty. Choose the layer that has this field, or neither." in said


def test_a_field_that_is_not_there_is_refused_with_those_that_are(refusal: Any, incidents: QgsVectorLayer) -> None:
    said = refusal("outcomerates", INPUT=incidents, OUTCOME_FIELD="Resolution")
    assert "OUTCOME_FIELD" in said
    assert "Resolution" in said
