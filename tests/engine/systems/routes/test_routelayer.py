"""The layer of routes and the table of pairs without one."""

from __future__ import annotations

from pathlib import Path

import pytest
from kit.routestudies import CRS, make_way, make_ways
from kit.tables import read_table

from riskengine.contract.routes import ONLY
from riskengine.contract.tools.saferoutes import ROUTE_FIELDS
from riskengine.ground.wholetables import read_whole_table
from riskengine.systems.routes.routelayer import write_routes, write_unserved


def test_each_way_is_a_line_with_its_gain_against_the_shortest(tmp_path: Path) -> None:
    path = tmp_path / "routes.gpkg"
    found = [make_ways(name="home"), make_ways(reason="why not", name="none")]
    assert write_routes(path, found, CRS, lambda way, shortest: f"+{way.metres - shortest.metres:.0f}") == 3
    rows, table = read_table(path), read_whole_table(path)
    assert list(table.fields) == list(ROUTE_FIELDS)
    assert (table.crs, table.geometry) == (CRS, "LineString")
    assert rows["pair"] == ["home"] * 3
    assert rows["rank"] == [1, 2, 3]
    assert rows["added_m"] == [0, 100, 300]
    assert rows["added"] == pytest.approx([0, 1 / 15, 0.2])
    assert rows["saved"] == pytest.approx([0, 0.2, 0.5])
    assert rows["label"] == ["+0", "+100", "+300"]
    assert rows["exact"] == [1, 1, 1]
    # Nothing says which streets are lit.
    assert rows["unlit"] == [None] * 3


def test_a_way_without_exposure_saves_nothing_that_could_be_told(tmp_path: Path) -> None:
    path = tmp_path / "routes.gpkg"
    write_routes(path, [make_ways(make_way(900, 0.0, ONLY, (500,)), exact=False)], CRS, lambda *_: "")
    rows = read_table(path)
    assert rows["saved"] == [None]
    assert rows["exact"] == [0]


def test_pairs_without_a_way_have_a_reason(tmp_path: Path) -> None:
    path = tmp_path / "without.gpkg"
    write_unserved(path, [make_ways(name="served"), make_ways(reason="No end has this value", name="x")])
    table = read_whole_table(path)
    assert {name: table.column(name).tolist() for name in table.fields} == {
        "pair": ["x"],
        "reason": ["No end has this value"],
    }
    write_unserved(tmp_path / "none.gpkg", [make_ways()])
    none = read_whole_table(tmp_path / "none.gpkg")
    assert (len(none), list(none.fields)) == (0, ["pair", "reason"])
