"""Areas as units: where incidents lie, which areas touch, and what is wrong with a layer of them."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from riskengine.ground.errors import DataError
from riskengine.intake.incidents import Incidents
from riskengine.maps.areas import Areas, make_areas
from riskengine.maps.grid import Grid
from riskengine.maps.panel import count_incidents

CRS = "EPSG:32614"
EDGES = np.array(["2024-01-01", "2024-02-01", "2024-03-01"], dtype="datetime64[s]")


def make(**shapes: shapely.Geometry) -> Areas:
    return make_areas(list(shapes), np.array(list(shapes.values()), dtype=object), CRS)[0]


def at(*places: tuple[float, float], month: str = "2024-01-15") -> Incidents:
    x, y = (np.array(each, dtype=float) for each in zip(*places, strict=True))
    times = np.full(len(x), np.datetime64(month, "s"))
    return Incidents(x, y, times, np.full(len(x), -1, dtype=np.int32), [], np.arange(len(x)))


def test_incidents_are_counted_where_they_lie() -> None:
    areas = make(west=shapely.box(0, 0, 100, 100), east=shapely.box(100, 0, 200, 100))
    counts, left_out = count_incidents(at((50, 50), (60, 50), (150, 50), (500, 50)), areas, EDGES)
    assert counts.tolist() == [[2, 1], [0, 0]]
    assert left_out == 1


def test_an_incident_on_a_border_counts_once() -> None:
    areas = make(west=shapely.box(0, 0, 100, 100), east=shapely.box(100, 0, 200, 100))
    assert areas.locate(np.array([100.0]), np.array([50.0])).tolist() == [0]
    counts, left_out = count_incidents(at((100, 50)), areas, EDGES)
    assert (counts.sum(), left_out) == (1, 0)


@given(st.lists(st.tuples(st.floats(-20, 320), st.floats(-20, 220)), min_size=1, max_size=40))
def test_no_incident_is_lost_or_counted_twice(places: list[tuple[float, float]]) -> None:
    areas = make(**{f"{x} {y}": shapely.box(x, y, x + 100, y + 100) for x in (0, 100, 200) for y in (0, 100)})
    incidents = at(*places)
    counts, left_out = count_incidents(incidents, areas, EDGES)
    assert counts.sum() + left_out == len(incidents)
    outside = [not (0 <= x <= 300 and 0 <= y <= 200) for x, y in places]
    assert left_out == sum(outside)


def test_areas_touch_also_at_a_corner_and_over_a_gap_of_a_drawn_border() -> None:
    areas = make(
        a=shapely.box(0, 0, 100, 100),
        corner=shapely.box(100, 100, 200, 200),
        gap=shapely.box(0, 100.3, 100, 200),
        far=shapely.box(300, 0, 400, 100),
    )
    touch = areas.find_neighbours().toarray()
    assert touch.tolist() == [
        [False, True, True, False],
        [True, False, True, False],
        [True, True, False, False],
        [False, False, False, False],
    ]


def test_cells_touch_as_the_areas_of_the_same_squares() -> None:
    grid = Grid(0.0, 300.0, 100.0, 4, 3, CRS)
    x, y = grid.find_centres()
    boxes = shapely.box(x - 50, y - 50, x + 50, y + 50).ravel()
    areas = Areas(tuple(map(str, range(12))), boxes, CRS)
    assert (grid.find_neighbours().toarray() == areas.find_neighbours().toarray()).all()
    assert grid.find_neighbours().sum(axis=1).tolist() == [3, 5, 5, 3, 5, 8, 8, 5, 3, 5, 5, 3]


def test_the_middle_of_a_horseshoe_lies_on_it() -> None:
    horseshoe = shapely.box(0, 0, 300, 300) - shapely.box(100, 0, 200, 290)
    (x,), (y,) = make(horseshoe=horseshoe).find_centres()
    assert horseshoe.contains(shapely.Point(x, y))


def test_faults_are_named_and_nothing_is_lost() -> None:
    bow_tie = shapely.Polygon([(0, 0), (100, 100), (100, 0), (0, 100)])
    rows = [
        ("bow tie", bow_tie),
        ("twice", shapely.box(200, 0, 300, 100)),
        ("twice", shapely.box(300, 0, 400, 100)),
        ("nothing", None),
        ("line", shapely.LineString([(0, 0), (5, 5)])),
        ("over", shapely.box(350, 0, 450, 100)),
        ("sliver", shapely.box(500, 0, 500.01, 90)),
    ]
    areas, faults = make_areas([name for name, _ in rows], np.array([shape for _, shape in rows], dtype=object), CRS)
    assert areas.ids == ("bow tie", "twice", "over", "sliver")
    assert areas.measure_sizes() == pytest.approx([5000, 20_000, 10_000, 0.9])
    assert faults.repaired == ["bow tie"]
    assert faults.empty == ["line", "nothing"]
    assert faults.joined == ["twice"]
    assert faults.overlapping == [("twice", "over")]
    assert faults.slivers == ["sliver"]


def test_a_point_in_two_areas_counts_in_the_first() -> None:
    areas = make(first=shapely.box(0, 0, 100, 100), second=shapely.box(50, 0, 150, 100))
    x, y = np.array([75.0, 125.0, 500.0]), np.array([50.0, 50.0, 50.0])
    assert areas.locate(x, y).tolist() == [0, 1, -1]
    point, area = areas.match(x, y)
    assert sorted(zip(point.tolist(), area.tolist(), strict=True)) == [(0, 0), (0, 1), (1, 1)]


def test_a_layer_without_polygons_is_refused() -> None:
    with pytest.raises(DataError, match=r"no polygon.*Choose a layer of polygons"):
        make_areas(["a"], np.array([shapely.Point(0, 0)], dtype=object), CRS)


def test_overlaps_are_those_that_share_more_than_a_hundredth_of_the_smaller() -> None:
    """Against cutting every pair: triangles and boxes thrown at random, with slivers of every width among them."""
    random = np.random.default_rng(5)
    corners = random.uniform(0, 400, (60, 1, 2)) + random.uniform(0, 120, (60, 3, 2))
    shapes = [
        *shapely.polygons(corners),
        *(shapely.box(x, 0, x + 50 * (1 + 0.5**n), 40) for n, x in enumerate(range(0, 500, 50))),
    ]
    areas, faults = make_areas([str(number) for number in range(len(shapes))], np.array(shapes, dtype=object), CRS)
    wanted = {
        (areas.ids[one], areas.ids[other])
        for one in range(len(shapes))
        for other in range(one + 1, len(shapes))
        if areas.geometries[one].intersection(areas.geometries[other]).area
        > 0.01 * min(areas.geometries[one].area, areas.geometries[other].area)
    }
    assert set(faults.overlapping) == wanted
    assert len(wanted) > 60


def test_many_points_at_one_place_have_all_its_areas() -> None:
    areas = make(first=shapely.box(0, 0, 100, 100), second=shapely.box(50, 0, 150, 100))
    point, area = areas.match(np.array([75.0, 25.0, 75.0, 999.0]), np.array([50.0, 50.0, 50.0, 0.0]))
    assert sorted(zip(point.tolist(), area.tolist(), strict=True)) == [(0, 0), (0, 1), (1, 0), (2, 0), (2, 1)]
