"""The job of Check routes, in a town whose crime stays where it was."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely

from riskengine.ground.context import JobContext
from riskengine.ground.errors import CrimeRiskError
from riskengine.ground.tables import Chunk, write_table
from riskengine.ground.wholetables import read_whole_table
from riskengine.intake.incidents import Incidents, write_exchange
from riskengine.jobs import run_job

CRS, WEST, SOUTH, BLOCK, ACROSS = "EPSG:32618", 350_000.0, 4_350_000.0, 100.0, 21


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A lattice of streets of two kilometres, and two years of incidents, half of them around five corners."""
    folder = tmp_path_factory.mktemp("town")
    along = np.arange(ACROSS) * BLOCK
    lines = [
        shapely.linestrings([[(WEST + x, SOUTH + y), (WEST + x + dx, SOUTH + y + dy)]])[0]
        for x in along
        for y in along
        for dx, dy in ((BLOCK, 0), (0, BLOCK))
        if x + dx <= along[-1] and y + dy <= along[-1]
    ]
    streets = folder / "streets.gpkg"
    shapes = shapely.to_wkb(shapely.multilinestrings([[line] for line in lines])).tolist()
    big = ["primary" if number % 40 < 3 else "residential" for number in range(len(lines))]
    write_table(streets, {"highway": "text"}, [Chunk([big], shapes=shapes)], "multiline", CRS)
    random = np.random.default_rng(7)
    corners, count = random.uniform(300, 1700, (5, 2)), 6000
    places = random.uniform(0, along[-1], (count, 2))
    near = random.random(count) < 0.5
    places[near] = corners[random.integers(0, 5, near.sum())] + random.normal(0, 60, (near.sum(), 2))
    days = np.sort(random.integers(0, 730, count))
    when = (np.datetime64("2014-01-01") + days).astype("datetime64[s]")
    zero = np.zeros(count, dtype=np.int32)
    incidents = Incidents(WEST + places[:, 0], SOUTH + places[:, 1], when, zero, ["theft"], np.arange(count))
    write_exchange(folder / "incidents.npz", incidents)
    return {
        "incidents": str(folder / "incidents.npz"),
        "network": str(streets),
        "crs": CRS,
        "pairs": 30,
        "nearest": 700,
        "farthest": 1500,
        "controls": 2,
    }


@pytest.fixture(scope="module")
def checked(town: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder, said = tmp_path_factory.mktemp("made"), []
    context = JobContext(on_log=lambda message, _: said.append(message))
    made = {"csv": str(folder / "figures.csv"), "output": str(folder / "ways.gpkg")}
    return {**run_job("check_routes", {**town, **made}, context), **made, "said": said}


def test_where_crime_stays_less_exposed_ways_pass_less_of_it(checked: dict[str, Any]) -> None:
    assert checked["tested"] == ["2015-10", "2015-11", "2015-12"]
    assert checked["delivered"]["100"] < 0.85
    assert abs(checked["promised"] - checked["delivered"]["100"]) < 0.15
    assert checked["fewer"] > checked["more"]
    assert any("Oct 2014 – Sep 2015" in line for line in checked["said"])
    assert checked["verdict"] in [line.removesuffix(".") + "." for line in checked["said"]]


def test_controls_save_nothing(checked: dict[str, Any]) -> None:
    with Path(checked["csv"]).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    control = [row for row in rows if row["control"] == "1" and row["figure"] == "delivered" and row["metres"] == "100"]
    assert [row["risk"] for row in control] == ["random map 1", "random map 2", "small streets"]
    assert min(float(row["value"]) for row in control) > checked["delivered"]["100"] + 0.05
    one = next(row for row in rows if row["figure"] == "delivered")
    assert float(one["low"]) < float(one["value"]) < float(one["high"])


def test_both_ways_of_each_pair_and_month_are_written(checked: dict[str, Any]) -> None:
    table = read_whole_table(checked["output"], "output")
    kinds, months = table.column("kind").tolist(), table.column("month").tolist()
    assert kinds.count("shortest") == kinds.count("least exposed") == 30 * 3
    assert set(months) == set(checked["tested"])
    metres, kind = table.column("metres"), np.array(kinds)
    longer = metres[kind == "least exposed"] / metres[kind == "shortest"]
    assert longer.min() >= 1 - 1e-9
    assert longer.max() <= 1.25 + 1e-9
    near = table.column("within_100")
    ratio = near[kind == "least exposed"].sum() / near[kind == "shortest"].sum()
    assert ratio == pytest.approx(checked["delivered"]["100"])


def test_nothing_of_a_tested_month_or_after_it_makes_the_risk(town: dict[str, Any], tmp_path: Path) -> None:
    """Incidents of the tested month are moved elsewhere: the ways stay as they are."""
    with np.load(town["incidents"]) as file:
        arrays = dict(file)
    late = arrays["time"] >= np.datetime64("2015-06-01", "s").astype(np.int64)
    moved = tmp_path / "moved.npz"
    np.savez(moved, **arrays | {"x": np.where(late, arrays["x"][::-1], arrays["x"])})
    made = {}
    for name, incidents in (("as it was", town["incidents"]), ("moved", str(moved))):
        for kind in ("kernel", "counts", "forecast"):
            output = tmp_path / f"{kind} {name}.gpkg"
            asked = {"tested": ["2015-06"], "controls": 0, "risk_kind": kind, "output": str(output), "pairs": 10}
            run_job("check_routes", {**town, **asked, "incidents": incidents})
            made[kind, name] = read_whole_table(output, "output").column("exposure").tolist()
    for kind in ("kernel", "counts", "forecast"):
        assert made[kind, "moved"] == made[kind, "as it was"]
        assert max(made[kind, "moved"]) > 0


def test_own_pairs_are_tested_and_what_is_no_pair_is_said(town: dict[str, Any], tmp_path: Path) -> None:
    names = ["home", "home", "work", "work", "alone"]
    x = WEST + np.array([100.0, 1500, 0, 1200, 900])
    y = SOUTH + np.array([0.0, 900, 1800, 200, 900])
    write_table(tmp_path / "own.gpkg", {"trip": "text"}, [Chunk([names], x, y)], "point", CRS)
    said: list[str] = []
    context = JobContext(on_log=lambda message, _: said.append(message))
    own = {"own_pairs": str(tmp_path / "own.gpkg"), "pair_field": "trip", "controls": 0}
    assert run_job("check_routes", {**town, **own}, context)["pairs"] == 2
    assert any("1 of 3 values is not that of exactly two points" in line for line in said)
    with pytest.raises(CrimeRiskError, match="no field trap"):
        run_job("check_routes", {**town, **own, "pair_field": "trap"})


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"tested": ["2014-03"]}, "2014-03 cannot be tested"),
        ({"tested": ["soon"]}, "soon, which is no month"),
        ({"nearest": 5000, "farthest": 6000}, "Only 0 pairs of places"),
        ({"months": 60}, "No month can be tested"),
    ],
)
def test_what_cannot_be_checked_is_said(town: dict[str, Any], asked: dict[str, Any], said: str) -> None:
    with pytest.raises(CrimeRiskError, match=said):
        run_job("check_routes", {**town, **asked})
