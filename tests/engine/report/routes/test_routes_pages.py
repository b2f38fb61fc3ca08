"""The pages of routes: what a reader finds on them, and that hostile names stay names."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from kit.hostile import HOSTILE, find_faults_of_page
from kit.pages import Page, read_figure
from kit.routestudies import (
    CRS,
    make_check,
    make_delivery,
    make_districts,
    make_exposure,
    make_only,
    make_town,
    make_way,
    make_ways,
)
from kit.sentences import find_faults_of_report

from riskengine.contract.routes import LEAST, SHORTEST
from riskengine.report.routes.checkpage import write_check_page
from riskengine.report.routes.page import MOST_SHOWN, write_routes_page
from riskengine.systems.routes.results import DistrictShare, RouteCheck, Ways

GIVEN = {"network": "streets.gpkg", "travel": "foot", "detour": 25.0}


def write_ways(folder: Path, found: Sequence[Ways], **given: Any) -> Page:
    path = folder / "ways.html"
    write_routes_page(path, found, make_exposure(), GIVEN, crs=CRS, **given)
    assert find_faults_of_report(path) == []
    return Page(path)


def write_check(folder: Path, check: RouteCheck) -> Page:
    path = folder / "check.html"
    write_check_page(path, check, GIVEN, crs=CRS)
    assert find_faults_of_report(path) == []
    return Page(path)


def test_one_pair_has_its_figures_at_the_top_a_chart_a_map_and_all_its_ways(tmp_path: Path) -> None:
    page = write_ways(tmp_path, [make_ways(name="Home to work")], network=make_town(), districts=make_districts())
    assert page.open == []
    assert page.lead.startswith("The shortest way has 1,500 m (19 minutes).")
    assert [tile.replace("\N{NO-BREAK SPACE}", " ") for tile in page.tiles] == ["1,500 m", "+300 m", "50 %", "3"]
    assert ["Least exposed within the cap", "1,800", "22", "300", "20.0 %", "50.0 %", "10.0 %"] in page.rows
    assert ["Central", "40.0 %", "25.0 %", "−15.0"] in page.rows
    chart, drawn = [read_figure(link) for link in page.links if link.startswith("data:image/svg")]
    assert "exposure, % of the shortest" in chart
    for label in ("Shortest way", "In between", "Least exposed within the cap", "200\N{NO-BREAK SPACE}m"):
        assert label in drawn
    assert "nobody counts walkers" in page.text
    assert page.text.count("50 % less exposed to reported crime.") == 1


def test_what_nobody_knows_has_no_column(tmp_path: Path) -> None:
    plain = write_ways(tmp_path, [make_ways()])
    assert not any("Unlit" in row or "Risk not known" in row for row in plain.rows)
    dark = make_way(1000.0, 9.0, SHORTEST, (500.0,), unlit=0.25, outside=0.5)
    told = write_ways(tmp_path, [make_ways(dark, make_way(1100.0, 5.0, LEAST, (0.0,), unlit=0.0))])
    assert [row[-2:] for row in told.rows if row[0] == "Shortest way"] == [["25.0 %", "50.0 %"]]


def test_many_pairs_are_listed_and_those_without_a_way_have_a_reason(tmp_path: Path) -> None:
    found = [make_ways(name=f"Pair {number}") for number in range(MOST_SHOWN + 2)]
    page = write_ways(tmp_path, [*found, make_only(), make_ways(name="Island", reason="Start and end lie apart.")])
    assert page.lead.startswith("8 of 9 pairs have a way.")
    assert ["Pair 6", "1,500", "1,800", "20.0 %", "50.0 %", "3"] in page.rows
    assert ["Island", "Start and end lie apart."] in page.rows
    # A chart and a map of each of the first pairs, and of no other.
    assert sum(link.startswith("data:image/svg") for link in page.links) == 2 * MOST_SHOWN


def test_a_page_without_any_way_says_why(tmp_path: Path) -> None:
    page = write_ways(tmp_path, [make_ways(name="Island", reason="Start and end lie apart.")])
    assert page.lead == "Start and end lie apart."
    assert page.tiles == []


def test_a_way_that_runs_straight_and_one_of_no_length_are_drawn(tmp_path: Path) -> None:
    straight = make_way(1000.0, 0.0, SHORTEST)
    page = write_ways(tmp_path, [make_ways(straight, make_way(1000.2, 0.0, LEAST)), make_only(0.0, 0.0)])
    assert sum(link.startswith("data:image/svg") for link in page.links) == 3


def test_a_check_stands_beside_its_promise_and_its_controls(tmp_path: Path) -> None:
    page = write_check(tmp_path, make_check())
    assert page.open == []
    assert page.tiles[:4] == ["0.69", "0.75", "0.83", "0.70"]
    assert "Jun 2015, Nov 2015" in page.text
    control = next(row for row in page.rows if row[0].startswith("Small streets"))
    assert control[0].endswith("control")
    assert control[3].startswith("1.08")
    assert "2,160 ÷ 2,000" in control[3]
    bars, line = [read_figure(link) for link in page.links if link.startswith("data:image/svg")]
    assert "Random map 1 (control)" in bars
    assert "25 %" in line
    assert ("p", "verdict") in page.elements


@pytest.mark.parametrize(("delivered", "box"), [(1.2, "verdict worse"), (1.01, "verdict unsure")])
def test_a_check_without_a_gain_looks_like_one(tmp_path: Path, delivered: float, box: str) -> None:
    assert ("p", box) in write_check(tmp_path, make_check(make_delivery("A map", 0.7, delivered))).elements


def test_a_check_of_a_month_in_which_nothing_happened(tmp_path: Path) -> None:
    silent = make_delivery("A map", 0.7, 0.8, math.nan)
    page = write_check(tmp_path, make_check(silent, by_detour=(), districts=(), repeated=math.nan, notes=()))
    assert "interval:" not in page.text
    assert "Districts" not in page.text


def test_no_page_calls_a_way_safe(tmp_path: Path) -> None:
    for page in (write_ways(tmp_path, [make_ways()]), write_check(tmp_path, make_check())):
        assert "safe" not in page.text.lower()


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE)
def test_hostile_names_stay_names(tmp_path: Path, name: str) -> None:
    districts = (DistrictShare(name, 0.5, 0.2), DistrictShare("B", 0.1, 0.4))
    found = [make_ways(name=name), make_ways(name=name, reason="No street.")]
    path = tmp_path / "hostile.html"
    write_routes_page(path, found, make_exposure(), GIVEN, districts)
    assert find_faults_of_page(Page(path)) == []
    write_check_page(path, make_check(make_delivery(name, 0.7, 0.8), districts=districts), GIVEN)
    assert find_faults_of_page(Page(path)) == []
