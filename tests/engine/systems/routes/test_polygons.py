"""Streets that are to be avoided, and the districts that ways go through."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import shapely
from kit.contexts import Recorder
from kit.routestudies import BLOCK, CRS, STREETS, make_town, make_way

from riskengine.ground.errors import DataError, ParameterError
from riskengine.ground.tables import Chunk, write_table
from riskengine.systems.routes.polygons import ELSEWHERE, Districts, find_avoided


def write_boxes(path: Path, boxes: Sequence[tuple[float, ...]], names: Sequence[str]) -> str:
    shapes = [shapely.to_wkb(shapely.box(*box)) for box in boxes]
    write_table(path, {"name": "text"}, [Chunk([list(names)], shapes=shapes)], "polygon", CRS, "output")
    return str(path)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "areas.gpkg"


def test_streets_through_a_polygon_are_avoided_and_those_along_its_outline_are_not(path: Path) -> None:
    town, context = make_town(), Recorder()
    # Streets lie at y = -300, -200, …; the outline runs along two of them, and one goes through.
    avoided = find_avoided(write_boxes(path, [(-1000, -300, 5000, -100)], ["x"]), town, context)
    level = town.y[town.tail] == town.y[town.head]
    assert town.y[town.tail[avoided & level]].tolist() == [-200]
    assert avoided[~level].all()
    length = (1 + STREETS) * (STREETS - 1) * BLOCK / 1000
    assert any(f"13 streets avoided, {length:,.1f} km" in text for _, text in context.entries)


def test_districts_share_out_all_ways(path: Path) -> None:
    # Ways from (0, 0) to (1000, 500), 1,500 m: up at x = 500, or at x = 0.
    boxes = [(-10, -10, 250, 600), (250, -10, 750, 600)]
    districts = Districts(write_boxes(path, boxes, ["West", "Middle"]), "NAME", CRS)
    shares = districts.share_out([make_way(1500, 1, corners=(500,))], [make_way(1500, 1, corners=(0,))])
    found = {share.name: (share.shortest, share.least) for share in shares}
    assert found["West"] == pytest.approx((250 / 1500, 750 / 1500))
    assert found["Middle"] == pytest.approx((1000 / 1500, 500 / 1500))
    assert found[ELSEWHERE] == pytest.approx((250 / 1500, 250 / 1500))
    assert len(shares) == 3


def test_districts_that_no_way_enters_are_not_told(path: Path) -> None:
    boxes = [(-10, -10, 2000, 2000), (5000, 5000, 6000, 6000)]
    districts = Districts(write_boxes(path, boxes, ["Here", "Far"]), "name", CRS)
    way = make_way(1500, 1, corners=(500,))
    assert [share.name for share in districts.share_out([way], [way])] == ["Here"]


def test_what_is_no_polygon_is_a_sentence(path: Path) -> None:
    write_table(path, {"name": "text"}, [Chunk([["a"]], np.array([0.0]), np.array([0.0]))], "point", CRS, "output")
    with pytest.raises(DataError, match="The layer of what to avoid has no polygon"):
        find_avoided(str(path), make_town(), Recorder())
    with pytest.raises(ParameterError, match="no field"):
        Districts(write_boxes(path.with_name("boxes.gpkg"), [(0, 0, 1, 1)], ["a"]), "nome", CRS)
