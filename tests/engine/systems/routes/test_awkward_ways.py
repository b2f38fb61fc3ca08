"""Ways from places and along streets that are awkward: on a node of one-way streets, of streets without a length."""

from __future__ import annotations

import pytest
from kit.smallstreets import expose, make_streets

from riskengine.systems.routes import labels
from riskengine.systems.routes.results import PairOfPlaces, Ways
from riskengine.systems.routes.ways import WayPlan, find_ways

#: Where all begins; the street that is first of the layer leads away from it or to it, one way only.
NODE, EAST, NORTH = (0.0, 0.0), (100.0, 0.0), (0.0, 100.0)


def measure(ways: Ways) -> list[float]:
    return [round(way.metres, 3) for way in ways.ways]


@pytest.mark.parametrize(("forward", "backward"), [(True, False), (False, True)])
@pytest.mark.parametrize("turned", [False, True])
def test_a_place_on_a_node_is_not_bound_by_a_oneway_street_that_meets_there(
    forward: bool, backward: bool, turned: bool
) -> None:
    streets = make_streets([NODE, EAST, NORTH], [(0, 1), (0, 2)], forward=[forward, True], backward=[backward, True])
    start, end = (NORTH, NODE) if turned else (NODE, NORTH)
    ways = find_ways(streets, expose(streets, [1, 1]), PairOfPlaces("1", start, end), WayPlan())
    assert measure(ways) == [100]
    assert ways.ways[0].edges.tolist() == [1]


def test_a_place_nearest_to_a_node_leaves_it_by_any_street() -> None:
    streets = make_streets([NODE, EAST, NORTH], [(1, 0), (0, 2)], forward=[True, True], backward=[False, True])
    ways = find_ways(streets, expose(streets, [1, 1]), PairOfPlaces("1", (-10, -10), (-10, 90)), WayPlan())
    assert measure(ways) == [90]


def test_a_street_shorter_than_is_counted_does_not_lead_in_a_circle() -> None:
    streets = make_streets([(0, 0), (100, 0), (100 + 1e-8, 0), (200, 0)], [(0, 1), (1, 2), (2, 3)])
    for start, end in (((10, 0), (190, 0)), ((190, 0), (10, 0))):
        ways = find_ways(streets, expose(streets, [1, 0, 1]), PairOfPlaces("1", start, end), WayPlan())
        assert measure(ways) == [180]


def test_after_the_time_limit_ways_near_one_another_are_found_by_weights_too(monkeypatch: pytest.MonkeyPatch) -> None:
    # A ladder of blocks: its upper side is longer and free, but going all along it is beyond the cap.
    across = 12
    nodes = [(100.0 * column, row * 100.0) for row in (0, 1) for column in range(across)]
    ends = [(n, n + 1) for n in range(across - 1)] + [(n + across, n + across + 1) for n in range(across - 1)]
    metres = [100.0] * (across - 1) + [160.0] * (across - 1) + [1.0] * across
    cost = [1.0 + n for n in range(across - 1)] + [0.0] * (across - 1) + [0.0] * across
    ends += [(n, n + across) for n in range(across)]
    streets = make_streets(nodes, ends, metres)
    pair = PairOfPlaces("1", nodes[0], nodes[across - 1])
    exact = find_ways(streets, expose(streets, cost), pair, WayPlan())
    monkeypatch.setattr(labels, "_LABELS", 1)
    late = find_ways(streets, expose(streets, cost), pair, WayPlan(time_limit=-1.0))
    assert exact.exact
    assert not late.exact
    assert late.ways[0].metres == pytest.approx(exact.ways[0].metres)
    assert late.ways[-1].cost <= 1.1 * exact.ways[-1].cost
    assert late.ways[-1].metres <= late.cap
