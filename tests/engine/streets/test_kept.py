"""Networks kept beside their layer: used again while nothing has changed, and built again after anything else."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kit.contexts import Recorder
from kit.streets import ask_for, write_streets

from riskengine.ground.context import JobContext
from riskengine.streets.kept import OpenNetwork, find_kept_path, open_network

LINES = ["500000 4350000, 500100 4350000", "500100 4350000, 500100 4350200"]
FIELDS = {"highway": ["footway", "motorway"]}


@pytest.fixture
def layer(tmp_path: Path) -> str:
    return write_streets(tmp_path / "town.gpkg", LINES, fields=FIELDS)


def open_again(layer: str, **asked: Any) -> OpenNetwork:
    open_network(ask_for(layer), JobContext())
    return open_network(ask_for(layer, **asked), JobContext())


def test_the_second_time_it_is_the_same_network_and_the_same_is_said(layer: str) -> None:
    first, second = Recorder(), Recorder()
    built, kept = open_network(ask_for(layer), first), open_network(ask_for(layer), second)
    assert (built.kept, kept.kept) == (False, True)
    for name, value in vars(built.network).items():
        assert np.array_equal(value, getattr(kept.network, name)), name
    assert second.entries[: len(first.entries)] == first.entries
    assert any("motorway" in text for _, text in second.entries)
    assert kept.streets.row.tolist() == built.streets.row.tolist() == [0, 1]
    assert kept.streets.crs == built.streets.crs


def test_another_risk_uses_it_again_and_other_streets_do_not(layer: str) -> None:
    assert open_again(layer, kernel=50.0).kept
    assert not open_again(layer, travel="vehicle").kept
    assert not open_again(layer, tolerance=1.0).kept
    assert not open_network(ask_for(layer), JobContext(), "EPSG:32617").kept


def test_a_changed_layer_is_built_again(layer: str, tmp_path: Path) -> None:
    open_network(ask_for(layer), JobContext())
    (tmp_path / "town.gpkg").unlink()
    write_streets(tmp_path / "town.gpkg", LINES[:1])
    found = open_network(ask_for(layer), JobContext())
    assert not found.kept
    assert found.network.edges == 1


def test_changes_that_sqlite_has_not_moved_into_the_file_count(layer: str, tmp_path: Path) -> None:
    open_network(ask_for(layer), JobContext())
    (tmp_path / "town.gpkg-wal").write_bytes(bytes(32))
    assert not open_network(ask_for(layer), JobContext()).kept


@pytest.mark.parametrize("part", ["head", "middle", "end"])
def test_a_damaged_one_is_built_again_and_replaced(layer: str, part: str) -> None:
    built = open_network(ask_for(layer), JobContext())
    path = find_kept_path(layer)
    assert path is not None
    content = bytearray(path.read_bytes())
    where = {"head": slice(0, 4), "middle": slice(len(content) // 2, len(content) // 2 + 64), "end": slice(-40, None)}
    content[where[part]] = b"?" * len(content[where[part]])
    path.write_bytes(content)
    again = open_network(ask_for(layer), JobContext())
    assert not again.kept
    assert np.array_equal(again.network.metres, built.network.metres)
    assert open_network(ask_for(layer), JobContext()).kept


def test_a_folder_that_cannot_be_written_is_no_trouble(layer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # Root may write anywhere: what the system would refuse is refused here.
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "replace", refuse)
    monkeypatch.setattr(Path, "replace", refuse)
    assert open_network(ask_for(layer), JobContext()).network.edges == 2
    path = find_kept_path(layer)
    assert path is not None
    assert not path.exists()
    assert [each.name for each in path.parent.iterdir()] == ["town.gpkg"]


def test_it_lies_beside_geopackages_alone_under_the_name_of_the_layer() -> None:
    assert find_kept_path("/a/town.gpkg|layername=main streets/1") == Path("/a/town.main_streets_1.crimenet")
    assert find_kept_path("/a/town.shp") is None
