"""Ways from place to place: where they begin on a street, what each is like, and why there is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from kit.smallstreets import Floats, SmallCase, draw_cases, expose, make_streets, try_all_ways

from riskengine.contract.routes import BETWEEN, LEAST, ONLY, SHORTEST
from riskengine.streets.network import Network
from riskengine.systems.routes.places import StreetFinder
from riskengine.systems.routes.results import PairOfPlaces, Ways
from riskengine.systems.routes.ways import WayPlan, find_ways

Place = tuple[float, float]


def ask(network: Network, cost: Sequence[float] | Floats, start: Place, end: Place, **plan: float | str) -> Ways:
    return find_ways(network, expose(network, cost), PairOfPlaces("1", start, end), WayPlan(**plan))  # type: ignore[arg-type]


def list_ways(ways: Ways) -> list[tuple[float, float]]:
    return [(round(way.metres, 4), round(way.cost, 4)) for way in ways.ways]


def make_block(**given: object) -> Network:
    """A square block: the south side is street 0, then east, north, west."""
    return make_streets([(0, 0), (100, 0), (100, 100), (0, 100)], [(0, 1), (1, 2), (2, 3), (3, 0)], **given)  # type: ignore[arg-type]


class TestPlacesOnStreets:
    def test_a_way_begins_and_ends_at_the_nearest_points_of_the_streets(self) -> None:
        ways = ask(make_block(), [4, 2, 1, 3], (30, -20), (60, 110), detour=100)
        assert list_ways(ways) == [(190, 0.3 * 4 + 3 + 0.6 * 1)]
        assert ways.moved == pytest.approx((20, 10))
        assert ways.ways[0].vertices.tolist() == [[30, 0], [0, 0], [0, 100], [60, 100]]
        assert ways.ways[0].edges.tolist() == [0, 3, 2]
        assert ways.ways[0].parts == pytest.approx([0.3, 1, 0.6])

    def test_ways_around_a_block_go_both_ways(self) -> None:
        ways = ask(make_block(), [4, 1, 1, 9], (40, 0), (40, 100), detour=25)
        assert list_ways(ways) == [(180, 11.0), (220, 4.0)]
        assert [way.kind for way in ways.ways] == [SHORTEST, LEAST]

    def test_both_places_on_one_street(self) -> None:
        way = ask(make_block(), [4, 1, 1, 9], (20, 5), (80, 5)).ways
        assert [(each.metres, each.exposure) for each in way] == [(pytest.approx(60), pytest.approx(2.4))]
        assert way[0].kind == ONLY
        assert way[0].vertices.tolist() == [[20, 0], [80, 0]]

    def test_a_dear_street_of_both_places_is_left_where_the_cap_allows(self) -> None:
        ways = ask(make_block(), [10, 0, 0, 0], (20, 5), (80, 5), detour=500)
        assert list_ways(ways) == [(60, 6.0), (340, 4.0)]

    def test_a_oneway_street_of_both_places_is_not_gone_against(self) -> None:
        network = make_block(backward=[False, True, True, True])
        assert list_ways(ask(network, [4, 1, 1, 9], (20, 0), (80, 0)))[0][0] == 60
        assert list_ways(ask(network, [4, 1, 1, 9], (80, 0), (20, 0)))[0][0] == 340

    def test_a_closed_street_is_neither_used_nor_begun_at(self) -> None:
        network = make_block()
        pair = PairOfPlaces("1", (40, 5), (40, 100))
        closed = np.array([True, False, False, False])
        ways = find_ways(network, expose(network, [4, 1, 1, 9]), pair, WayPlan(), closed=closed)
        assert ways.moved[0] == pytest.approx(40)
        assert 0 not in ways.ways[0].edges

    def test_places_amid_streets_have_the_front_of_streets_cut_there(self) -> None:
        random, asked, several = np.random.default_rng(2), 0, 0
        for case in draw_cases(420, seed=2):
            network = case.network
            if np.ptp(network.x) < 50 or not (network.usable & (network.tail != network.head)).any():
                continue
            start, end = (draw_place(network, random) for _ in range(2))
            if np.hypot(start[0] - end[0], start[1] - end[1]) < 2:
                continue
            found = ask(network, case.cost, start, end, detour=100 * case.detour)
            expected = try_from(case, start, end)
            assert len(found.ways) == len(expected), found.reason
            numbers = [number for way in expected for number in way]
            assert [number for way in list_ways(found) for number in way] == pytest.approx(numbers, abs=1e-3)
            asked += 1
            several += len(expected) > 1
        assert asked > 100
        assert several > 30


def draw_place(network: Network, random: np.random.Generator) -> Place:
    """A place on some street, and on no other one."""
    edge = int(random.choice(np.flatnonzero(network.usable & (network.tail != network.head))))
    one, other = network.trace(edge)
    place = one + random.uniform(0.2, 0.8) * (other - one)
    return float(place[0]), float(place[1])


def try_from(case: SmallCase, start: Place, end: Place) -> list[tuple[float, float]]:
    """All ways tried between two places: the streets that are nearest to them are cut there."""
    network, cost = case.network, case.cost
    finder = StreetFinder(network, network.usable)
    found = [finder.find(*place, 250.0) for place in (start, end)]
    cuts = sorted(((at.edge, at.share, place) for place, at in zip((0, 1), found, strict=True) if at), reverse=True)
    number = {}
    last = (-1, 1.0)
    for edge, share, place in cuts:
        # Of a street of both places the piece before the later one is cut again.
        network, cost = cut_street(network, cost, edge, share / last[1] if edge == last[0] else share)
        number[place], last = network.nodes - 1, (edge, share)
    return try_all_ways(SmallCase(network, cost, number[0], number[1], case.detour))


def cut_street(network: Network, cost: Floats, edge: int, share: float) -> tuple[Network, Floats]:
    """The streets with a node more, at a share of the street it cuts."""
    one, other = network.vertices[2 * edge : 2 * edge + 2]
    places = [*zip(network.x.tolist(), network.y.tolist(), strict=True), (one + share * (other - one)).tolist()]
    ends = list(zip(network.tail.tolist(), network.head.tolist(), strict=True))
    metres, forward, backward = network.metres.tolist(), network.forward.tolist(), network.backward.tolist()
    costs = cost.tolist()
    tail, head = ends[edge]
    new = len(places) - 1
    ends[edge] = (tail, new)
    ends.append((new, head))
    metres.append((1 - share) * metres[edge])
    costs.append((1 - share) * costs[edge])
    metres[edge], costs[edge] = share * metres[edge], share * costs[edge]
    forward.append(forward[edge])
    backward.append(backward[edge])
    return make_streets(places, ends, metres, forward, backward), np.array(costs)


class TestWhatAWayIsLike:
    def test_minutes_follow_from_length_and_speed_alone(self) -> None:
        network = make_block()
        slow = replace(network, speed=np.array([4.8, 4.8, 2.4, 4.8]))
        (way, *_), (slower, *_) = (ask(each, [9, 9, 9, 9], (40, 0), (40, 100)).ways for each in (network, slow))
        assert way.minutes == pytest.approx(180 / 80)
        assert slower.minutes == pytest.approx(140 / 80 + 40 / 40)

    def test_unlit_streets_add_to_the_cost_and_to_nothing_else(self) -> None:
        network = make_block(lit=[1, 1, 1, 0])
        plain, dark = (
            ask(network, [1, 1, 1, 1], (40, 0), (40, 100), unlit_factor=factor, detour=25) for factor in (1.0, 3.0)
        )
        assert [way.kind for way in plain.ways] == [ONLY]
        assert [way.metres for way in dark.ways] == pytest.approx([180, 220])
        assert [way.exposure for way in dark.ways] == pytest.approx([1.8, 2.2])
        assert [way.cost for way in dark.ways] == pytest.approx([3.8, 2.2])
        assert [way.unlit for way in dark.ways] == pytest.approx([100 / 180, 0])
        assert [way.minutes for way in dark.ways] == pytest.approx([180 / 80, 220 / 80])

    def test_where_nobody_knows_of_light_no_share_is_told(self) -> None:
        assert np.isnan(ask(make_block(), [1, 1, 1, 1], (40, 0), (40, 100)).ways[0].unlit)

    def test_shares_are_of_the_metres_of_the_way(self) -> None:
        network = make_block()
        exposure = replace(
            expose(network, [1, 1, 1, 1]), above=np.array([0, 0, 0, 0.5]), outside=np.array([1.0, 0, 0, 0])
        )
        way = find_ways(network, exposure, PairOfPlaces("1", (40, 0), (40, 100)), WayPlan()).ways[0]
        assert (way.above, way.outside) == (pytest.approx(50 / 180), pytest.approx(40 / 180))

    def test_of_many_ways_the_ends_can_be_asked_for(self) -> None:
        network = make_streets(
            [(0, 0), (100, 0), (100, 50), (100, -50), (200, 0)],
            [(0, 1), (1, 4), (0, 2), (2, 4), (0, 3), (3, 4)],
            [150, 150, 170, 170, 190, 180],
        )
        cost = [4, 5, 3, 3, 0.5, 0.5]
        every, ends = (ask(network, cost, (0, 0), (200, 0), wanted=wanted) for wanted in ("all", "ends"))
        assert [way.kind for way in every.ways] == [SHORTEST, BETWEEN, LEAST]
        assert list_ways(ends) == [(300, 9), (370, 1)]
        assert every.cap == pytest.approx(375)

    def test_a_bent_street_is_followed_in_both_directions(self) -> None:
        network = make_streets([(0, 0), (100, 0), (200, 0)], [(0, 1), (2, 1)])
        bent = replace(
            network,
            first=np.array([0, 3, 5]),
            vertices=np.array([[0, 0], [50, 50], [100, 0], [200, 0], [100, 0]], dtype=float),
            metres=np.array([2 * np.hypot(50, 50), 100.0]),
        )
        way = ask(bent, [1, 1], (0, 0), (200, 0)).ways[0]
        assert way.vertices.tolist() == [[0, 0], [50, 50], [100, 0], [200, 0]]
        back = ask(bent, [1, 1], (150, 0), (25, 26)).ways[0]
        assert back.vertices[:-1].tolist() == [[150, 0], [100, 0], [50, 50]]
        assert back.vertices[-1] == pytest.approx([25.5, 25.5])


class TestMaps:
    @pytest.mark.parametrize("scale", [0.6, 0.78, 1.3])
    def test_metres_of_the_map_need_not_be_metres_on_the_ground(self, scale: float) -> None:
        # In Web Mercator a street of Baltimore is drawn 1.28 times as long as it is. The shortest way winds, and the
        # least exposed leads straight to a place far aside and straight back: as far aside as the cap can reach.
        places = [(0, 0), (1000, 0), (500, 700), (-20, 0), (1020, 0)]
        network = make_streets(places, [(0, 1), (0, 2), (2, 1), (0, 3), (1, 4)], [1400, 861, 861, 20, 20])
        drawn = replace(network, x=network.x / scale, y=network.y / scale, vertices=network.vertices / scale)
        ways = ask(drawn, [5, 1, 1, 0, 0], (-20 / scale, 0), (1020 / scale, 0), detour=25)
        assert list_ways(ways) == [(1440, 5), (1762, 2)]


class TestNoLength:
    def test_streets_without_length_lead_nowhere_else(self) -> None:
        # The places in the middle are one to the eye, and three nodes in a circle.
        places = [(0, 0), (100, 0), (100, 0), (100, 0), (200, 0)]
        network = make_streets(places, [(1, 2), (2, 3), (3, 1), (0, 1), (3, 4), (0, 4)], [0, 0, 0, 100, 100, 220])
        for start, end in (((0, 0), (200, 0)), ((200, 0), (0, 0))):
            assert list_ways(ask(network, [0, 0, 0, 5, 5, 4], start, end)) == [(200, 10), (220, 4)]


class TestNoWay:
    def test_a_place_farther_from_every_street_than_the_limit(self) -> None:
        ways = ask(make_block(), [1, 1, 1, 1], (50, 50), (400, 0), farthest=100)
        assert not ways.ways
        assert ways.reason == "The end is more than 100 m from every street"

    def test_equal_places(self) -> None:
        assert ask(make_block(), [1, 1, 1, 1], (50, 0), (50, 0)).reason == "Start and end are the same place"

    def test_places_with_the_same_nearest_point(self) -> None:
        ways = ask(make_block(), [1, 1, 1, 1], (50, -10), (50, -60))
        assert ways.reason == "Start and end are nearest to the same place on a street"

    def test_parts_that_are_not_connected(self) -> None:
        network = make_streets([(0, 0), (100, 0), (500, 0), (600, 0)], [(0, 1), (2, 3)])
        ways = ask(network, [1, 1], (50, 0), (550, 0))
        assert not ways.ways
        assert ways.reason == "No way along the streets leads from start to end"
