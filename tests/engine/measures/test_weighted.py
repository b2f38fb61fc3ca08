"""Flagging where units differ in size: the densest first, the last one in part."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.sparse import csr_array

from riskengine.measures.labels import flag
from riskengine.measures.metrics import count_area_hits
from riskengine.measures.weighted import (
    Units,
    compute_density,
    compute_density_limits,
    count_caught_by_place,
    count_dense_flags,
    count_densest_hits,
    find_best,
)


def make_units(*sizes: float) -> Units:
    number = len(sizes)
    return Units(np.array(sizes), np.arange(number) // 2, csr_array((number, number), dtype=bool))


def test_density_is_expected_incidents_per_size() -> None:
    density = compute_density(np.array([[0.5, 0.5, 0.0, np.nan]], dtype=np.float32), np.array([1.0, 4.0, 2.0, 1.0]))
    assert density[0, :3] == pytest.approx([math.log(2), math.log(2) / 4, 0])
    assert math.isnan(density[0, 3])


def test_a_certain_incident_is_not_infinitely_dense_and_other_scores_are_taken_for_counts() -> None:
    certain = compute_density(np.array([[1.0, 1.0]]), np.array([1.0, 2.0]))
    assert np.isfinite(certain).all()
    assert certain[0, 0] == pytest.approx(2 * certain[0, 1])
    assert compute_density(np.array([[6.0, 1.0]]), np.array([2.0, 1.0])).tolist() == [[3.0, 1.0]]
    # Neither a probability nor a count: only the order is known.
    assert compute_density(np.array([[-2.0, -1.0]]), np.array([2.0, 9.0])).tolist() == [[-2.0, -1.0]]


def test_hits_of_unequal_units_by_hand() -> None:
    # Ten km2. By density the order is b (4 per km2, 1 km2), a (3, 2), d (2, 3), c (1, 4); a fifth is b and half of a.
    units = make_units(2, 1, 4, 3)
    density, counts = np.array([[3.0, 4.0, 1.0, 2.0]]), np.array([[4, 1, 3, 0]])
    (maps,) = count_densest_hits(density, counts, units.size, [0.2])
    total = maps.total()
    assert total.flagged_share == pytest.approx(0.2)
    assert (total.caught, total.incidents) == (pytest.approx(1 + 4 / 2), 8)
    assert total.hit_rate == pytest.approx(3 / 8)
    assert total.pai == pytest.approx((3 / 8) / 0.2)
    # The most that 2 km2 could have caught: all of a.
    assert total.pei == pytest.approx(3 / 4)
    assert total.ser(cell_km2=99.0) == pytest.approx(3 / 2)
    assert (total.precision, total.precision_by_count) == (pytest.approx(1), pytest.approx(1))
    # With 45 % d is flagged too, by half: 1.5 of the 4.5 km2 and .5 of the 2.5 units had no incident.
    (wider,) = count_densest_hits(density, counts, units.size, [0.45])
    assert wider.total().precision == pytest.approx(3 / 4.5)
    assert wider.total().precision_by_count == pytest.approx(2 / 2.5)


def test_tied_units_are_flagged_by_the_same_part() -> None:
    units = make_units(1, 2, 3, 4)
    (maps,) = count_densest_hits(np.full((1, 4), 0.5), np.array([[4, 0, 2, 1]]), units.size, [0.3])
    assert maps.total().caught == pytest.approx(0.3 * 7)
    assert maps.total().pai == pytest.approx(1)


def test_equal_units_give_the_figures_of_a_grid_wherever_whole_cells_fit() -> None:
    random = np.random.default_rng(2)
    risk, counts = random.integers(0, 30, (9, 40)) / 31, random.poisson(0.4, (9, 40))
    shares = [0.05, 0.1, 0.25, 1.0]
    for share, maps in zip(shares, count_densest_hits(risk, counts, np.full(40, 0.25), shares), strict=True):
        found, of_grid = maps.total(), count_area_hits(risk, counts, share)
        for name in ("caught", "incidents", "flagged", "hit_cells", "most", "few", "maps", "cells"):
            assert getattr(found, name) == pytest.approx(getattr(of_grid, name)), name
        assert found.ser(0.0) == pytest.approx(of_grid.ser(0.25))


def test_where_nobody_lives_nothing_is_flagged() -> None:
    people = make_units(100, 0, 300, 0)
    density = compute_density(np.array([[0.1, 0.9, 0.2, 0.9]]), people.size)
    (maps,) = count_densest_hits(density, np.array([[1, 5, 2, 0]]), people.size, [0.25])
    # By person the first is the denser; it is just a quarter of the people.
    assert (maps.total().caught, maps.total().incidents) == (pytest.approx(1), 8)


def test_percentiles_are_whole_units_that_fit_in_the_share_of_the_area() -> None:
    size = np.array([2.0, 1.0, 4.0, 3.0])
    density = np.array([[3.0, 4.0, 1.0, 2.0], [1.0, 2.0, 3.0, 3.0]])

    def flagged(percentile: float, over: str) -> list[list[bool]]:
        limits = compute_density_limits(density, size, [percentile], over)  # type: ignore[arg-type]
        return flag(density, limits[0]).tolist()

    # A fifth of each map is 2 km2: b fits, a no longer does. On the second c and d are tied, and do not fit together.
    assert flagged(80, "map") == [[False, True, False, False], [False, False, False, False]]
    assert flagged(30, "map") == [[True, True, False, True], [False, False, True, True]]
    # Half of both maps is 10 km2: b and a of the first, then c and d of the second, 10 km2 in all.
    assert flagged(50, "stack") == [[True, True, False, False], [False, False, True, True]]
    assert not np.any(flag(np.full((1, 4), 0.5), compute_density_limits(np.full((1, 4), 0.5), size, [95], "stack")[0]))


def test_hits_of_given_flags_by_hand() -> None:
    flagged = np.array([[True, False, False], [False, False, True]])
    counts = np.array([[0, 2, 1], [4, 0, 1]], dtype=np.uint8)
    size = np.array([1.0, 2.0, 4.0])
    maps = count_dense_flags(flagged, counts, size, [find_best(row, size) for row in counts], 0.5)
    assert maps.caught.tolist() == [0, 1]
    # The best km2 of the first map holds half of the 2; the best 4 of the second 4, and 3 / 4 of the 1.
    assert maps.most.tolist() == [1, 4.75]
    # Of the best 5 km2 of both maps 1 holds the 4, 2 the 2, and 2 a half of a 1.
    assert find_best(counts.ravel(), np.tile(size, 2)).find(5.0) == pytest.approx(4 + 2 + 0.5)
    assert maps.total().flagged_share == pytest.approx(5 / 14)
    assert maps.total().precision == pytest.approx(4 / 5)


def test_what_was_caught_adds_up_over_blocks_of_units() -> None:
    random = np.random.default_rng(3)
    units = make_units(*random.uniform(0.1, 5, 12))
    density, counts = random.random((5, 12)), random.poisson(1, (5, 12))
    caught = count_caught_by_place(density, counts, units, 0.3)
    (maps,) = count_densest_hits(density, counts, units.size, [0.3])
    assert caught.shape == (5, 6)
    assert caught.sum(axis=1) == pytest.approx(maps.caught)
    assert maps.weights is not None
    assert maps.weights.flagged == pytest.approx(np.full(5, 0.3 * units.size.sum()))
