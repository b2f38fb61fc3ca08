"""Squares and hexagons as areas: where they lie, how large they are, and that the same size gives the same again."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from riskengine.ground.errors import DataError, ParameterError
from riskengine.maps.tiling import make_hexagons, make_squares

CRS = "EPSG:32614"


def of(*shapes: shapely.Geometry) -> np.ndarray:
    return np.array(shapes, dtype=object)


def test_squares_lie_on_multiples_of_their_size_and_are_named_by_column_and_row() -> None:
    squares = make_squares(500.0, of(shapely.box(10_100, 20_100, 10_900, 20_400)), CRS)
    assert squares.ids == ("x20y40", "x21y40")
    assert shapely.bounds(squares.geometries).tolist() == [
        [10_000, 20_000, 10_500, 20_500],
        [10_500, 20_000, 11_000, 20_500],
    ]


def test_squares_that_only_touch_the_study_area_are_none() -> None:
    squares = make_squares(500.0, of(shapely.box(1000, 1000, 2000, 2000)), CRS)
    assert sorted(squares.ids) == ["x2y2", "x2y3", "x3y2", "x3y3"]


def test_a_hexagon_measures_its_size_from_side_to_side() -> None:
    hexagons = make_hexagons(500.0, of(shapely.box(0, 0, 5000, 5000)), CRS)
    assert hexagons.measure_sizes() == pytest.approx(500**2 * np.sqrt(3) / 2)
    west, south, east, north = shapely.bounds(hexagons.geometries[0])
    assert east - west == pytest.approx(500)
    assert north - south == pytest.approx(1000 / np.sqrt(3))


def test_hexagons_cover_a_study_area_without_overlap_and_have_six_neighbours() -> None:
    city = shapely.Point(3000, -2000).buffer(2500)
    hexagons = make_hexagons(400.0, of(city), CRS)
    union = shapely.union_all(hexagons.geometries)
    assert union.contains(city.buffer(-0.01))
    assert union.area == pytest.approx(hexagons.measure_sizes().sum())
    x, y = hexagons.find_centres()
    inner = np.hypot(x - 3000, y + 2000) < 1500
    assert (hexagons.find_neighbours().sum(axis=1)[inner] == 6).all()
    assert len(set(hexagons.ids)) == len(hexagons.ids)


@pytest.mark.parametrize("make", [make_squares, make_hexagons])
def test_another_study_area_gives_the_same_tiles_where_both_lie(make: object) -> None:
    """Ids and places follow from the size alone, so months counted apart can be put together."""
    small = make(250.0, of(shapely.box(-1300, 700, 400, 1900)), CRS)
    large = make(250.0, of(shapely.box(-3000, -3000, 5000, 5000)), CRS)
    number = {name: place for place, name in enumerate(large.ids)}
    same = large.geometries[[number[name] for name in small.ids]]
    assert shapely.equals_exact(small.geometries, same, 1e-6).all()


def test_a_hole_in_the_study_area_has_no_tiles() -> None:
    lake = shapely.box(0, 0, 3000, 3000) - shapely.box(500, 500, 2500, 2500)
    squares = make_squares(500.0, of(lake), CRS)
    assert len(squares.ids) == 36 - 16


def test_too_many_tiles_are_refused_before_they_are_made() -> None:
    with pytest.raises(ParameterError, match=r"size is 1 m.*1,000,000 are the most\. Choose a larger size"):
        make_squares(1.0, of(shapely.box(0, 0, 50_000, 50_000)), CRS)


def test_a_study_area_without_ground_is_refused() -> None:
    with pytest.raises(DataError, match="no ground"):
        make_squares(100.0, of(shapely.Polygon([(0, 0), (1, 0), (0, 0)])), CRS)
