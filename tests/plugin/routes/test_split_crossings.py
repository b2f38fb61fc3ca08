"""Split at crossings in QGIS: pieces with the fields of their lines, bridges kept apart, faults."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from kit.streetlayers import make_streets
from qgis.core import Qgis, QgsVectorLayer

#: A street, one across it, and one that ends half a metre before it.
LINES = (((0, 0), (300, 0)), ((100, -50), (100, 50)), ((200, 0.5), (200, 80)))


def read(path: Path) -> QgsVectorLayer:
    layer = QgsVectorLayer(str(path), "made", "ogr")
    assert layer.isValid()
    return layer


def test_lines_are_cut_where_they_cross_and_keep_their_fields(run: Any, tmp_path: Path) -> None:
    streets = make_streets(LINES)
    ran = run("splitcrossings", INPUT=streets, OUTPUT=str(tmp_path / "made.gpkg"))
    made = read(tmp_path / "made.gpkg")
    assert (ran["PIECES"], ran["CROSSINGS"], ran["SNAPPED"], ran["COMPONENTS"]) == (5, 1, 0, 2)
    assert made.geometryType() == Qgis.GeometryType.Line
    assert made.crs() == streets.crs()
    assert {*streets.fields().names(), "line"} <= {*made.fields().names()}
    assert sorted(piece["name"] for piece in made.getFeatures()) == ["0 Street"] * 2 + ["1 Street"] * 2 + ["2 Street"]
    by_number = {street["number"]: street.id() for street in streets.getFeatures()}
    assert all(piece["line"] == by_number[piece["number"]] for piece in made.getFeatures())


def test_a_tolerance_moves_the_end_that_misses_the_street(run: Any, tmp_path: Path) -> None:
    ran = run("splitcrossings", INPUT=make_streets(LINES), TOLERANCE=1, OUTPUT=str(tmp_path / "made.gpkg"))
    assert (ran["PIECES"], ran["SNAPPED"], ran["COMPONENTS"]) == (6, 1, 1)


def test_the_faults_that_are_left_have_words_and_a_style(run: Any, tmp_path: Path) -> None:
    made = {"OUTPUT": str(tmp_path / "made.gpkg"), "FAULTS": str(tmp_path / "faults.gpkg")}
    run("splitcrossings", INPUT=make_streets(LINES), **made)
    layer = read(tmp_path / "faults.gpkg")
    told = [fault["fault"] for fault in layer.getFeatures()]
    assert told.count("End that nearly meets another street") == 1
    assert "Crossing without a node" not in told
    assert layer.renderer().type() == "categorizedSymbol"


def test_a_layer_without_lines_is_refused(refusal: Any) -> None:
    empty = QgsVectorLayer("LineString?crs=EPSG:4326", "none", "memory")
    assert "The layer of streets has no line" in refusal("splitcrossings", INPUT=empty, OUTPUT="TEMPORARY_OUTPUT")


@pytest.mark.parametrize("crs", ["EPSG:26918", "EPSG:3857"])
def test_pieces_stay_in_the_crs_of_the_layer(run: Any, tmp_path: Path, crs: str) -> None:
    run("splitcrossings", INPUT=make_streets(LINES, crs), OUTPUT=str(tmp_path / "made.gpkg"))
    assert read(tmp_path / "made.gpkg").crs().authid() == crs
