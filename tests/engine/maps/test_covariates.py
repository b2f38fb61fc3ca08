"""Covariates of areas: by bins, from the past only, by the delay, and dealt out at random; kept in a panel's file."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np
import pytest
import shapely
from kit.panels import make_panel

from riskengine.ground.errors import FormatError
from riskengine.maps.covariates import combine_dated, make_known_from, shuffle_covariates
from riskengine.maps.joining import Pairs, pair_by_area, pair_by_key
from riskengine.maps.panel import Covariate, CovariateSource, Extras
from riskengine.maps.panelfile import copy_with_covariates, read_panel, write_panel

NAN = np.nan


def pair(*areas: int) -> Pairs:
    """Rows 0, 1, … of these areas."""
    ones = np.ones(len(areas))
    return Pairs(np.arange(len(areas)), np.array(areas), ones, ones)


def days(*texts: str) -> np.ndarray:
    return np.array(texts, dtype="datetime64[s]")


#: January to April 2020.
EDGES = np.arange("2020-01", "2020-06", dtype="datetime64[M]").astype("datetime64[s]")


def test_daily_values_become_the_mean_of_their_month_and_yearly_ones_hold() -> None:
    when = days("2020-01-05", "2020-01-25", "2020-03-01", "2020-01-01")
    made = combine_dated(pair(0, 0, 0, 1), np.array([1.0, 3.0, 8.0, 5.0]), "mean", 2, when, EDGES, "1 months")
    assert made.values.tolist() == [[2, 5], [2, 5], [8, 5], [8, 5]]
    assert made.filled.tolist() == [[False, False], [True, True], [False, True], [True, True]]
    # In February and April nobody has a value; in March the second area has none.
    assert (made.held, made.gaps) == (2, 1)


def test_nothing_is_filled_from_later_values() -> None:
    when = days("2020-03-31", "2020-02-01")
    made = combine_dated(pair(0, 1), np.array([8.0, NAN]), "mean", 2, when, EDGES, "1 months")
    assert np.array_equal(made.values[:, 0], [NAN, NAN, 8, 8], equal_nan=True)
    assert np.isnan(made.values[:, 1]).all()
    assert not made.filled[:, 1].any()


def test_what_was_known_before_the_panel_begins_holds_until_there_is_more() -> None:
    when = days("2018-01-01", "2019-12-31", "2019-12-01", "2020-02-01")
    made = combine_dated(pair(0, 0, 0, 0), np.array([9.0, 1.0, 3.0, 4.0]), "mean", 1, when, EDGES, "1 months")
    # The mean of December, the last month before.
    assert made.values[:, 0].tolist() == [2, 4, 4, 4]
    assert made.filled[:, 0].tolist() == [True, False, True, True]


def test_weeks_hold_what_lies_in_them_and_values_after_the_panel_stay_behind_it() -> None:
    edges = days("2020-01-06", "2020-01-13", "2020-01-20")
    when = days("2020-01-12T23:00", "2020-01-13", "2020-01-27", "2020-01-05T23:00")
    made = combine_dated(pair(0, 0, 0, 0), np.array([1.0, 2.0, 3.0, 7.0]), "mean", 1, when, edges, "1 weeks")
    assert made.values[:, 0].tolist() == [1, 2, 2, 3]


def test_points_are_none_where_there_are_none_between_the_first_and_the_last() -> None:
    points = Pairs(np.arange(3), np.array([0, 0, 1]), np.ones(3), np.ones(3), points=True)
    when = days("2020-02-03", "2020-02-04", "2020-03-05")
    made = combine_dated(points, np.zeros(3), "count", 2, when, EDGES, "1 months")
    assert np.array_equal(made.values, [[NAN, NAN], [2, 0], [0, 1], [0, 1]], equal_nan=True)
    assert made.filled.tolist() == [[False] * 2, [False] * 2, [False] * 2, [True] * 2]


def test_values_are_known_from_the_day_they_were_published() -> None:
    made = make_known_from(np.array([7.0], dtype=np.float32), np.datetime64("2020-02-15"), EDGES)
    panel = make_panel(np.zeros((4, 1), dtype=np.uint8))
    panel.extras = Extras(covariates=(Covariate("score", made),))
    known = [panel.before(origin).extras.covariates[0].read_known(origin)[0] for origin in range(5)]
    # Whoever forecasts on 1 February does not know it yet, on 1 March they do.
    assert np.array_equal(known, [NAN, NAN, 7, 7, 7], equal_nan=True)


def test_a_forecast_knows_a_value_only_after_its_delay() -> None:
    panel = make_panel(np.zeros((4, 1), dtype=np.uint8))
    values = np.array([[1.0], [2.0], [3.0], [4.0]], dtype=np.float32)
    panel.extras = Extras(covariates=(Covariate("late", values, 2, values > 2),))
    known = panel.before(3).extras.covariates[0]
    assert known.values[:, 0].tolist() == [1]
    assert known.filled is not None
    assert known.filled[:, 0].tolist() == [False]


def test_shuffled_covariates_keep_what_they_hold_and_deal_all_the_same_way() -> None:
    number = 50
    panel = make_panel(np.arange(2 * number, dtype=np.uint8).reshape(2, number), ids=[f"A{n}" for n in range(number)])
    fixed = np.arange(number, dtype=np.float32)[None]
    dated = Covariate("mobility", np.stack([fixed[0], fixed[0] + 100]), 1, np.stack([fixed[0] < 9, fixed[0] < 3]))
    panel.extras = Extras(
        static=fixed, static_names=("score",), covariates=(dated,), sources={"score": CovariateSource("iod.csv")}
    )
    shuffled = shuffle_covariates(panel, seed=3)
    score, mobility = shuffled.extras.static[0], shuffled.extras.covariates[0]
    assert sorted(score) == sorted(fixed[0])
    assert (score != fixed[0]).sum() > 40
    assert np.array_equal(mobility.values, np.stack([score, score + 100]))
    assert mobility.filled is not None
    assert np.array_equal(mobility.filled[0], score < 9)
    assert mobility.delay == 1
    assert shuffled.extras.static_names == ("score (shuffled)",)
    assert mobility.name == "mobility (shuffled)"
    assert shuffled.extras.sources["score (shuffled)"] == CovariateSource("iod.csv", shuffled=True)
    assert np.array_equal(shuffled.counts, panel.counts)
    assert np.array_equal(panel.extras.static, fixed)
    assert not np.array_equal(shuffle_covariates(panel, seed=4).extras.static[0], score)
    assert np.array_equal(shuffle_covariates(panel, seed=3).extras.static[0], score)


def test_a_file_keeps_covariates_with_their_gaps_flags_and_sources(tmp_path: Path) -> None:
    panel = make_panel(np.array([[1, 0, 2], [0, 0, 1]], dtype=np.uint8), delay=1)
    values = np.array([[NAN, 1.5, 2], [NAN, 1.5, 3], [7, 1.5, 3]], dtype=np.float32)
    filled = np.array([[0, 0, 0], [0, 1, 0], [0, 1, 1]], dtype=bool)
    panel.extras = Extras(
        static=np.array([[0.25, NAN, -1]], dtype=np.float32),
        static_names=("score",),
        covariates=(Covariate("mobility", values, 2, filled),),
        sources={"score": CovariateSource("iod.csv", "by key"), "mobility": CovariateSource("m.csv", "by key", True)},
    )
    write_panel(tmp_path / "p.gpkg", panel)
    back = read_panel(tmp_path / "p.gpkg").extras
    assert np.array_equal(back.static, panel.extras.static, equal_nan=True)
    assert np.array_equal(back.covariates[0].values, values, equal_nan=True)
    assert back.covariates[0].filled is not None
    assert np.array_equal(back.covariates[0].filled, filled)
    assert back.covariates[0].delay == 2
    assert back.sources == panel.extras.sources
    # Written behind each other they stand together, and all else of the file stays.
    more = Extras(static=np.ones((1, 3), dtype=np.float32), static_names=("one",))
    copy_with_covariates(tmp_path / "p.gpkg", tmp_path / "q.gpkg", more)
    both = read_panel(tmp_path / "q.gpkg")
    assert both.extras.static_names == ("score", "one")
    assert [each.name for each in both.extras.covariates] == ["mobility"]
    assert np.array_equal(both.counts, panel.counts)
    assert read_panel(tmp_path / "p.gpkg").extras.static_names == ("score",)


def test_any_gis_reads_which_values_were_filled(tmp_path: Path) -> None:
    panel = make_panel(np.zeros((3, 1), dtype=np.uint8))
    covariate = Covariate("m", np.array([[2], [2], [2]], dtype=np.float32), 0, np.array([[False], [True], [True]]))
    panel.extras = Extras(covariates=(covariate,))
    write_panel(tmp_path / "p.gpkg", panel)
    with sqlite3.connect(tmp_path / "p.gpkg") as database:
        rows = database.execute("SELECT area, bin, bins, value, filled FROM covariate_values").fetchall()
        about = database.execute("SELECT name, kind, delay, bins, filled FROM covariates").fetchall()
        listed = {name for (name,) in database.execute("SELECT table_name FROM gpkg_contents")}
    assert rows == [(1, 0, 1, 2.0, 0), (1, 1, 2, 2.0, 1)]
    assert about == [("m", "dated", 0, 3, 2)]
    assert {"covariates", "covariate_values"} <= listed


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE covariate_values SET area = 99",
        "UPDATE covariate_values SET bins = 70000",
        "UPDATE covariate_values SET bin = -5",
        "UPDATE covariates SET bins = 999999999",
        "UPDATE covariate_values SET value = 'x'",
        "INSERT INTO covariates SELECT covariate + 1, name, kind, delay, bins, filled, '', '', 0 FROM covariates",
    ],
)
def test_damaged_covariates_are_refused(tmp_path: Path, damage: str) -> None:
    panel = make_panel(np.zeros((3, 1), dtype=np.uint8))
    panel.extras = Extras(covariates=(Covariate("m", np.ones((3, 1), dtype=np.float32)),))
    write_panel(tmp_path / "p.gpkg", panel)
    with sqlite3.connect(tmp_path / "p.gpkg") as database:
        database.execute(damage)
    with pytest.raises(FormatError, match="damaged"):
        read_panel(tmp_path / "p.gpkg")


def test_capitals_and_blanks_of_keys_count_only_where_they_tell_areas_apart() -> None:
    pairs, unknown = pair_by_key([" e01 ", "E02", "E9", "", "E9"], ["E01", "E02", "E03"])
    assert (pairs.row.tolist(), pairs.area.tolist(), unknown) == ([0, 1], [0, 1], ["E9"])
    pairs, unknown = pair_by_key(["a", "A"], ["A", "a"])
    assert (pairs.row.tolist(), pairs.area.tolist(), unknown) == ([0, 1], [1, 0], [])


def test_a_polygon_that_crosses_itself_is_mended_and_one_that_is_a_line_belongs_nowhere() -> None:
    areas = make_panel(np.zeros((1, 2), dtype=np.uint8)).support
    bow = shapely.Polygon([(0, 0), (1000, 1000), (1000, 0), (0, 1000)])
    line = shapely.Polygon([(0, 0), (500, 0), (0, 0)])
    pairs, cover = pair_by_area(np.array([line, bow, None, shapely.Point(5, 5)], dtype=object), areas)
    assert (pairs.row.tolist(), pairs.area.tolist()) == ([1], [0])
    assert pairs.weight.tolist() == [500_000]
    assert cover.covered.tolist() == [0.5, 0]
    assert np.array_equal(cover.inside, [NAN, 1, NAN, NAN], equal_nan=True)
