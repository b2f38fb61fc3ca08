"""Where lines meet without a common vertex."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from riskengine.streets.meetings import CROSSING, GAP, TOUCH, Meetings, find_meetings, list_shared_vertices


def find(*texts: str, near: float = 0.0) -> Meetings:
    return find_meetings(read(*texts), near)


def read(*texts: str) -> np.ndarray:
    return np.array(shapely.from_wkt([f"LINESTRING({text})" for text in texts]), dtype=object)


def list_all(found: Meetings) -> list[tuple[int, int, int, float, float]]:
    columns = (found.kind, found.one, found.other, found.x, found.y)
    return sorted(zip(*(each.tolist() for each in columns), strict=True))


def test_lines_that_share_a_vertex_do_not_meet_otherwise() -> None:
    assert len(find("0 0, 5 0, 10 0", "5 -5, 5 0, 5 5")) == 0


def test_a_crossing_is_told_once() -> None:
    assert list_all(find("0 0, 10 0", "5 -5, 5 5")) == [(CROSSING, 0, 1, 5, 0)]


def test_two_lines_may_cross_twice() -> None:
    assert [each[3:] for each in list_all(find("0 0, 10 0", "2 -1, 2 1, 8 1, 8 -1"))] == [(2, 0), (8, 0)]


@pytest.mark.parametrize("turned", [False, True])
def test_the_line_that_touches_comes_first(turned: bool) -> None:
    lines = ("0 0, 10 0", "4 0, 4 5")[:: -1 if turned else 1]
    touching = lines.index("4 0, 4 5")
    assert list_all(find(*lines)) == [(TOUCH, touching, 1 - touching, 4, 0)]


def test_ends_of_a_common_stretch_are_touches() -> None:
    found = find("0 0, 10 0", "6 0, 20 0")
    assert {each[0] for each in list_all(found)} == {TOUCH}
    assert sorted(found.x.tolist()) == [6, 10]


def test_three_streets_through_one_point_cross_in_one_place() -> None:
    found = find("0 0, 3 1", "0 1, 3 0", "1.5 -1, 1.5 2")
    assert len(found) == 3
    assert len({*zip(found.x.tolist(), found.y.tolist(), strict=True)}) == 1


def test_a_gap_is_told_within_the_distance_with_its_place_on_the_other_line() -> None:
    lines = ("0 0, 10 0", "4 1.5, 4 5")
    assert len(find(*lines, near=1.4)) == 0
    found = find(*lines, near=1.6)
    assert list_all(found) == [(GAP, 1, 0, 4, 0)]
    assert (found.from_x.tolist(), found.from_y.tolist(), found.apart.tolist()) == ([4], [1.5], [1.5])


def test_a_gap_between_two_free_ends_is_told_once() -> None:
    found = find("0 0, 10 0", "11 0, 20 0", near=2)
    assert found.kind.tolist() == [GAP]


def test_an_end_of_two_lines_is_not_free() -> None:
    assert len(find("0 0, 10 0", "4 1, 4 5", "4 1, 8 5", near=2)) == 0


def test_vertices_of_several_lines_are_known() -> None:
    shared = list_shared_vertices(read("0 0, 5 0, 10 0", "5 0, 5 5", "20 0, 21 1, 22 0, 20 0"))
    assert shared.tolist() == [False, True, False, True, False, True, False, False, True]
