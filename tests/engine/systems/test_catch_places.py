"""What is held out for the catch, how it is described, and which places are chosen."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyogrio
import pytest
import shapely
from kit.maps import make_stack
from kit.panels import make_panel, make_row

from riskengine.contract.aims import Catch, CatchUnit
from riskengine.contract.tools.aims import list_size_problems
from riskengine.contract.tools.base import fields_of
from riskengine.contract.tools.forecast import ForecastRisk
from riskengine.ground.errors import DataError, ParameterError
from riskengine.maps.heatmaps import Heatmaps
from riskengine.maps.panel import Panel
from riskengine.maps.segments import Segments
from riskengine.maps.sparsecounts import SparseCounts
from riskengine.systems.hotspots.aims import describe_catch, hold_out_windows, make_catch
from riskengine.systems.hotspots.chosen import Chosen, choose_places, count_before, write_chosen

START, END = np.datetime64("2024-06-01"), np.datetime64("2024-09-01")


def make_weeks(weeks: int) -> Heatmaps:
    return make_stack(np.ones((weeks, 4, 5), np.uint8), bin="1 weeks", cell=100.0)


def choose(expected: np.ndarray, history: Panel, catch: Catch) -> Chosen:
    return choose_places(expected, history, catch, START, END)


@pytest.mark.parametrize(
    ("weeks", "share", "window", "held"),
    [
        (60, 0.2, 4, 12),
        (60, 0.2, 5, 10),
        (60, 0.25, 4, 16),
        (60, 0.01, 4, 4),
        (60, 0.2, 30, 30),
        (60, 0.5, 13, 26),
        (61, 0.5, 30, 30),
        (60, 0.2, 1, 12),
        (60, 0.0, 40, 0),
    ],
)
def test_whole_windows_are_held_out(weeks: int, share: float, window: int, held: int) -> None:
    """As near to the share as whole windows come, one at least, and never more than half."""
    assert weeks - hold_out_windows(make_weeks(weeks), share, window) == held


def test_a_window_longer_than_half_of_the_history_cannot_be_held_out() -> None:
    sentence = r"horizon is 31: a window of 31 weeks .* hotspot grids hold 60 maps .* At most 30 maps can be one window"
    sentence += r" here\. Choose a shorter window, or use a longer period\.$"
    with pytest.raises(DataError, match=sentence):
        hold_out_windows(make_weeks(60), 0.2, 31)
    months = make_panel(np.ones((11, 3), np.uint8))
    with pytest.raises(DataError, match=r"of 6 months .* counts by area hold 11 months .* At most 5 months can be one"):
        hold_out_windows(months, 0.2, 6)


def test_a_catch_is_described_in_every_measure() -> None:
    weeks = make_weeks(26)
    said = "the catch of 2 cells (0.02 km², 10 % of the area) in each quarter as a whole"
    # Whole cells, rounded down.
    for size, unit in ((10, "share"), (0.0299, "km2"), (2, "units")):
        assert describe_catch(make_catch(size, unit, 13, weeks), weeks) == said
    assert "1 cell (0.01 km², 5 % of the area) in each week" in describe_catch(Catch(0.001), weeks)
    areas = make_panel(np.ones((12, 4), np.uint8))
    assert describe_catch(Catch(5, "share", 1), areas) == (
        "the catch of 0.2 km² (5 % of the area) in each month as a whole"
    )
    assert describe_catch(Catch(2, "units", 2), areas) == "the catch of 2 areas in each window of 2 months as a whole"
    with pytest.raises(ParameterError, match=r"catch_size is 5, but the whole study area is only 4 km²\. .*4 areas"):
        make_catch(5, "km2", 1, areas)
    with pytest.raises(ParameterError, match=r"catch_size is 5, but the whole study area is only 4 areas\. "):
        make_catch(5, "units", 1, areas)


@pytest.mark.parametrize("unit", ["share", "km2", "units"])
def test_nothing_can_be_chosen_from_nothing(unit: CatchUnit) -> None:
    weeks = make_weeks(8)
    weeks.mask[:] = False
    with pytest.raises(DataError, match=r"The study area holds no cell of any size.* Choose a study area"):
        make_catch(5, unit, 1, weeks)


@pytest.mark.parametrize("size", [math.inf, math.nan, 2.5])
def test_no_part_of_a_cell_is_a_number_of_cells(size: float) -> None:
    problem = next(list_size_problems({"catch_size": size, "catch_unit": "units"}))
    assert (problem.key, "give a whole number" in problem.text) == ("catch_size", True)
    assert not list(list_size_problems({"catch_size": 3, "catch_unit": "units"}))


def test_cells_are_chosen_in_order_and_shares_add_up() -> None:
    weeks = make_weeks(8)
    weeks.counts[:, 1, 2] = 9
    weeks.mask[0, 0] = False
    expected = np.full((4, 5), 0.1)
    expected[1, 2], expected[3, 4], expected[0, 0] = 4.0, 2.0, np.nan
    chosen = choose(expected, weeks, Catch(4, "units"))
    # Of equal ones those further north and west come first; what is no part of the study area never.
    assert chosen.units.tolist() == [7, 19, 1, 2]
    assert chosen.expected.tolist() == [4.0, 2.0, 0.1, 0.1]
    assert chosen.total == pytest.approx(7.7)
    assert chosen.expected_share == pytest.approx(np.array([4, 6, 6.1, 6.2]) / 7.7)
    assert chosen.share == pytest.approx(np.arange(1, 5) / 19)
    assert chosen.before.tolist() == [72, 8, 8, 8]


def test_nothing_expected_has_no_share() -> None:
    chosen = choose(np.zeros((4, 5)), make_weeks(8), Catch(10))
    assert chosen.units.tolist() == [0, 1]
    assert chosen.expected_share.tolist() == [0.0, 0.0]


def test_areas_are_chosen_by_what_is_expected_per_square_kilometre() -> None:
    """Of 6 km², 1 may be covered: the small one, and no more, for the next does not fit."""
    panel = make_panel(np.ones((12, 3), np.uint8), ["large", "middle", "small"], make_row([4500.0, 1000.0, 500.0]))
    expected = np.array([9.0, 3.0, 2.0])
    assert choose(expected, panel, Catch(1, "km2")).units.tolist() == [2]
    assert choose(expected, panel, Catch(1.5, "km2")).units.tolist() == [2, 1]
    assert choose(expected, panel, Catch(25, "share")).km2.tolist() == [0.5, 1.0]
    # One at least, though it is larger than what was asked for.
    assert choose(expected, panel, Catch(0.1, "km2")).units.tolist() == [2]
    # Of a number of areas those with the most.
    assert choose(expected, panel, Catch(2, "units")).units.tolist() == [0, 1]


def test_equal_areas_come_by_their_ids() -> None:
    panel = make_panel(np.ones((12, 4), np.uint8), ["b", "d", "a", "c"])
    assert choose(np.ones(4), panel, Catch(3, "units")).units.tolist() == [2, 0, 3]


def test_what_was_filled_in_was_no_incident() -> None:
    weeks = replace(make_weeks(8), observed=np.arange(8) < 6)
    assert count_before(weeks).tolist() == np.full((4, 5), 6).tolist()
    sparse = replace(weeks, counts=SparseCounts.place(np.arange(160), np.ones(160, np.uint8), (8, 4, 5)))
    assert count_before(sparse).tolist() == count_before(weeks).tolist()


def test_segments_are_listed_as_lines_with_no_area(tmp_path: Path) -> None:
    lines = np.array([shapely.LineString([(0, 0), (100, 0)]), shapely.LineString([(100, 0), (100, 400)])])
    streets = Segments(("short", "long"), lines, "EPSG:27700", ("Short Lane", "Long Road"))
    town = replace(make_panel(np.ones((12, 2), np.uint8)), support=streets)
    # Both hold as many; 100 of 500 m may be covered.
    chosen = choose(np.ones(2), town, Catch(20))
    write_chosen(str(tmp_path / "p.gpkg"), fields_of(ForecastRisk, "places"), [chosen], town)
    meta, _, shapes, columns = pyogrio.raw.read(tmp_path / "p.gpkg")
    row = dict(zip(meta["fields"], (column[0] for column in columns), strict=True))
    assert (row["id"], row["name"], row["rank"], row["before"]) == ("short", "Short Lane", 1, 12)
    assert (row["share"], row["expected_share"]) == (pytest.approx(0.2), 0.5)
    assert np.isnan(row["km2"])
    assert shapely.length(shapely.from_wkb(shapes)).tolist() == [100.0]
    assert describe_catch(Catch(20, "share", 3), town) == (
        "the catch of 0.1 km (20 % of the length) in each quarter as a whole"
    )
