"""Cutting lines where they meet: pieces, whose they are, and that nothing is lost."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as some
from numpy.typing import NDArray

from riskengine.streets.crossings import SplitLines, split_lines


def read(*texts: str) -> NDArray[np.object_]:
    return np.array(shapely.from_wkt([f"LINESTRING({text})" for text in texts]), dtype=object)


def split(lines: NDArray[np.object_], tolerance: float = 0.0, levels: list[int] | None = None) -> SplitLines:
    def stay(places: NDArray[np.complex128]) -> NDArray[np.complex128]:
        return places

    return split_lines(lines, np.array(levels or [0] * len(lines)), stay, stay, tolerance)


def texts(made: SplitLines) -> list[tuple[int, str]]:
    return sorted((int(line), piece.wkt[12:-1]) for line, piece in zip(made.line, made.pieces, strict=True))


def test_two_streets_that_cross_become_four_pieces_with_one_node() -> None:
    made = split(read("0 0, 10 0", "5 -5, 5 5"))
    assert texts(made) == [(0, "0 0, 5 0"), (0, "5 0, 10 0"), (1, "5 -5, 5 0"), (1, "5 0, 5 5")]
    assert (made.crossings, made.touches, made.snapped) == (1, 0, 0)


def test_an_end_that_touches_a_street_cuts_that_street_alone() -> None:
    made = split(read("0 0, 10 0", "8 0, 8 5"))
    assert texts(made) == [(0, "0 0, 8 0"), (0, "8 0, 10 0"), (1, "8 0, 8 5")]
    assert (made.crossings, made.touches) == (0, 1)


def test_a_vertex_in_the_middle_that_lies_on_a_street_cuts_both() -> None:
    made = split(read("0 0, 10 0", "2 5, 5 0, 8 5"))
    assert texts(made) == [(0, "0 0, 5 0"), (0, "5 0, 10 0"), (1, "2 5, 5 0"), (1, "5 0, 8 5")]


def test_lines_that_share_a_vertex_are_cut_there_also_on_two_levels() -> None:
    made = split(read("0 0, 5 0, 10 0", "5 0, 5 5"), levels=[0, 1])
    assert texts(made) == [(0, "0 0, 5 0"), (0, "5 0, 10 0"), (1, "5 0, 5 5")]


def test_a_bridge_is_kept_apart_from_the_street_below() -> None:
    made = split(read("0 0, 10 0", "5 -5, 5 5"), levels=[0, 1])
    assert len(made.pieces) == 2
    assert (made.crossings, made.kept_apart) == (0, 1)


def test_an_end_is_moved_within_the_tolerance_alone() -> None:
    lines = read("0 0, 10 0", "8 0.9, 8 5", "3 1.5, 3 5")
    made = split(lines, 1.0)
    assert texts(made) == [(0, "0 0, 8 0"), (0, "8 0, 10 0"), (1, "8 0, 8 5"), (2, "3 1.5, 3 5")]
    assert made.snapped == 1


def test_an_end_under_a_bridge_is_moved_to_the_street_of_its_own_level() -> None:
    made = split(read("0 0, 10 0", "8 0.9, 8 5", "0 0.6, 10 0.6"), 1.0, levels=[0, 0, 1])
    assert texts(made) == [(0, "0 0, 8 0"), (0, "8 0, 10 0"), (1, "8 0, 8 5"), (2, "0 0.6, 10 0.6")]


def test_two_free_ends_near_each_other_meet_once() -> None:
    made = split(read("0 0, 10 0", "10.5 0, 20 0"), 1.0)
    ends = {*(piece.coords[0] for piece in made.pieces), *(piece.coords[-1] for piece in made.pieces)}
    assert made.snapped == 1
    assert len(ends) == 3


def test_an_end_prefers_the_corner_to_a_new_node_beside_it() -> None:
    made = split(read("0 0, 10 0", "9.5 0.4, 9.5 5"), 1.0)
    assert texts(made) == [(0, "0 0, 10 0"), (1, "10 0, 9.5 5")]


def test_a_short_line_is_not_drawn_together_to_a_point() -> None:
    made = split(read("0 0, 10 0", "5 0.4, 5 0.8"), 1.0)
    assert sorted(made.line.tolist()) == [0, 1]


def test_three_streets_through_one_point_have_one_node() -> None:
    made = split(read("0 0, 9 3", "0 3, 9 0", "3 0, 6 3"))
    nodes = {end for piece in made.pieces for end in (piece.coords[0], piece.coords[-1])}
    assert len(made.pieces) == 6
    assert len(nodes) == 7


def test_a_street_that_crosses_itself_is_cut_there() -> None:
    made = split(read("0 0, 10 0, 10 5, 5 5, 5 -5"))
    assert [len(piece.coords) for piece in made.pieces] == [2, 5, 2]


def test_a_street_that_goes_there_and_back_loses_nothing() -> None:
    made = split(read("0 0, 10 0, 10 5, 10 0, 20 0", "15 -5, 15 5"))
    assert shapely.length(made.pieces[made.line == 0]).sum() == pytest.approx(30)
    assert "10 5" in " ".join(text for _, text in texts(made))
    assert (0, "10 0, 15 0") in texts(made)


def test_a_street_that_crosses_itself_keeps_its_direction() -> None:
    made = split(read("0 0, 10 0, 10 5, 5 5, 5 -5"))
    assert {text for _, text in texts(made)} == {"0 0, 5 0", "5 0, 10 0, 10 5, 5 5, 5 0", "5 0, 5 -5"}


def test_where_ends_alone_are_joined_no_street_is_cut_where_it_crosses_itself() -> None:
    lines = read("0 0, 10 0, 10 5, 5 5, 5 -5")
    made = split_lines(lines, np.zeros(1, dtype=np.int64), lambda at: at, lambda at: at, 1.0, crossings=False)
    assert texts(made) == [(0, "0 0, 10 0, 10 5, 5 5, 5 -5")]


def test_parallel_stretches_are_cut_where_they_begin_and_end() -> None:
    made = split(read("0 0, 10 0", "4 0, 6 0, 6 4"))
    assert texts(made) == [(0, "0 0, 4 0"), (0, "4 0, 6 0"), (0, "6 0, 10 0"), (1, "4 0, 6 0"), (1, "6 0, 6 4")]


@given(some.lists(some.tuples(*[some.integers(0, 12)] * 4), min_size=1, max_size=9))
def test_no_metre_is_lost_and_no_crossing_left(ends: list[tuple[int, int, int, int]]) -> None:
    lines = read(*(f"{a} {b}, {c} {d}" for a, b, c, d in ends if (a, b) != (c, d)))
    if not len(lines):
        return
    made = split(lines)
    for row in range(len(lines)):
        total = shapely.length(made.pieces[made.line == row]).sum()
        assert total == pytest.approx(shapely.length(lines[row]), abs=1e-6)
    again = split(made.pieces)
    assert (again.crossings, again.touches) == (0, 0)
    assert len(again.pieces) == len(made.pieces)


def test_a_splinter_shorter_than_a_millimetre_touches_nothing_beside_the_node_it_shares() -> None:
    made = split(read("-50 30, 0 0", "0 0, -0.0003 0.00018", "-0.0003 0.00018, 4 9"))
    assert (made.crossings, made.touches) == (0, 0)
    assert len(made.pieces) == 3
