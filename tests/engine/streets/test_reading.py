"""Reading of streets: lines, CRS, fields found by their names, levels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from kit.contexts import Recorder
from kit.streets import ask_for, write_streets

from riskengine.ground.context import JobContext
from riskengine.ground.errors import DataError, ParameterError
from riskengine.streets.building import build_network
from riskengine.streets.reading import read_streets


def test_parts_belong_to_their_row_and_lines_without_length_are_told(tmp_path: Path) -> None:
    layer = write_streets(tmp_path / "a.gpkg", ["0 0, 9 0;20 0, 30 0", "5 5, 5 5", "0 9, 9 9"])
    streets = read_streets(ask_for(layer), JobContext())
    assert streets.row.tolist() == [0, 0, 2]
    assert (streets.empty.tolist(), streets.parted.tolist()) == ([1], [0])


def test_degrees_get_the_zone_of_their_middle_and_another_crs_where_it_is_asked_for(tmp_path: Path) -> None:
    layer = write_streets(tmp_path / "a.gpkg", ["-111.84 33.4, -111.83 33.4"], "EPSG:4326")
    context = Recorder()
    streets = read_streets(ask_for(layer), context)
    assert streets.crs == "EPSG:32612"
    assert any("EPSG:32612" in text for _, text in context.entries)
    assert read_streets(ask_for(layer), JobContext(), "EPSG:26912").crs == "EPSG:26912"


def test_a_layer_without_a_crs_is_taken_for_degrees_or_refused(tmp_path: Path) -> None:
    degrees = write_streets(tmp_path / "a.gpkg", ["-111.84 33.4, -111.83 33.4"], "")
    assert read_streets(ask_for(degrees), JobContext()).crs == "EPSG:32612"
    feet = write_streets(tmp_path / "b.gpkg", ["650000 880000, 650100 880000"], "")
    with pytest.raises(DataError, match="no known CRS"):
        read_streets(ask_for(feet), JobContext())


def test_fields_are_found_by_their_names_and_a_named_one_comes_first(tmp_path: Path) -> None:
    fields = {"OneWay": ["no"], "Max_Speed": ["50"], "highway": ["residential"], "way": ["yes"], "LIT": ["no"]}
    layer = write_streets(tmp_path / "a.gpkg", ["0 0, 9 0"], fields=fields)
    context = Recorder()
    found = read_streets(ask_for(layer), context).fields
    assert any("OneWay (one-way)" in text and "LIT (lighting)" in text for _, text in context.entries)
    assert found == {"direction": "OneWay", "speed": "Max_Speed", "class": "highway", "lit": "LIT"}
    assert read_streets(ask_for(layer, direction_field="way"), JobContext()).fields["direction"] == "way"


def test_a_field_that_is_none_is_refused_with_those_there_are(tmp_path: Path) -> None:
    layer = write_streets(tmp_path / "a.gpkg", ["0 0, 9 0"], fields={"lamp": ["no"]})
    with pytest.raises(ParameterError, match=r"no field lit_by.*lamp"):
        read_streets(ask_for(layer, lit_field="lit_by"), JobContext())


def test_levels_tell_bridges_from_streets_and_layers_from_each_other(tmp_path: Path) -> None:
    fields = {"bridge": ["", "no", "yes", "yes", "F"], "layer": ["0", "", "1", "2", "0"]}
    layer = write_streets(tmp_path / "a.gpkg", ["0 0, 9 0"] * 5, fields=fields)
    levels = read_streets(ask_for(layer), JobContext()).levels
    assert levels[0] == levels[1] == levels[4]
    assert len(np.unique(levels)) == 3


def test_a_layer_without_lines_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no line"):
        read_streets(ask_for(write_streets(tmp_path / "a.gpkg", ["5 5, 5 5"])), JobContext())


@pytest.mark.parametrize("lines", [["500000 4350000, 500100 4350000"], ["-76 39, -76 39.01", "-76 95, -76 39"]])
def test_coordinates_that_the_crs_has_not_are_a_sentence(tmp_path: Path, lines: list[str]) -> None:
    layer = write_streets(tmp_path / "a.gpkg", lines, "EPSG:4326")
    with pytest.raises(DataError, match=r"does not lie on the earth.*EPSG:4326"):
        build_network(read_streets(ask_for(layer), JobContext()), ask_for(layer), JobContext())
