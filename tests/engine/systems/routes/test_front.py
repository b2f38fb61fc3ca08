"""The exact front of length and exposure: equal to trying all ways, whatever the streets are like."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from kit.smallstreets import SmallCase, draw_cases, make_streets, try_all_ways
from kit.tempe import GOLDEN, is_golden, read_tempe

from riskengine.ground.context import JobContext
from riskengine.ground.errors import Cancelled
from riskengine.streets.graph import make_graph
from riskengine.systems.routes import front as front_module
from riskengine.systems.routes import labels
from riskengine.systems.routes.corridor import Terminal, weigh_graph
from riskengine.systems.routes.front import Front, find_front


def find(case: SmallCase, time_limit: float = np.inf, context: JobContext | None = None) -> Front:
    """The front of a case, from node to node."""
    network = case.network
    graph = make_graph(network)
    weighed = weigh_graph(graph, case.cost[graph.edge], network.x, network.y)
    start, end = (Terminal([node], [0.0], [0.0]) for node in (case.start, case.end))
    return find_front(weighed, start, end, case.detour, time_limit=time_limit, context=context)


def list_front(front: Front) -> list[tuple[float, float]]:
    return [(round(metres, 6), round(cost, 6)) for metres, cost in zip(front.metres, front.cost, strict=True)]


def check_ways(case: SmallCase, front: Front) -> None:
    """Each way leads from start to end, street by street in their directions, and is as long and dear as is said."""
    graph = make_graph(case.network)
    for metres, cost, arcs in zip(front.metres, front.cost, front.arcs, strict=True):
        nodes = [*graph.tail[arcs].tolist(), int(graph.head[arcs[-1]])]
        assert nodes[0] == case.start
        assert nodes[-1] == case.end
        assert nodes[1:] == graph.head[arcs].tolist()
        assert graph.metres[arcs].sum() == pytest.approx(metres, abs=1e-6)
        assert case.cost[graph.edge[arcs]].sum() == pytest.approx(cost, abs=1e-6)


def make_lattice(side: int, seed: int, spread: int = 10) -> SmallCase:
    """A city of square blocks with costs drawn by chance, asked from one corner to the other."""
    random = np.random.default_rng(seed)
    places = [(100.0 * column, 100.0 * row) for row in range(side) for column in range(side)]
    ends = [(n, n + 1) for n in range(side * side) if (n + 1) % side]
    ends += [(n, n + side) for n in range(side * (side - 1))]
    cost = random.integers(0, spread, len(ends)).astype(float)
    metres = 100.0 + random.integers(0, 40, len(ends))
    return SmallCase(make_streets(places, ends, metres), cost, 0, side * side - 1, 0.25)


class TestTryingAll:
    @pytest.mark.parametrize("small", [front_module._SMALL, 0], ids=["labels alone", "triangles"])
    def test_fronts_of_six_hundred_networks_are_those_of_all_ways(
        self, small: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(front_module, "_SMALL", small)
        several = without = 0
        for case in draw_cases(600):
            expected, found = try_all_ways(case), find(case)
            assert list_front(found) == expected
            assert found.exact
            check_ways(case, found)
            several += len(expected) > 2
            without += not expected
        # The networks are worth asking: many fronts, and places that are not connected.
        assert several > 60
        assert without > 20

    def test_labels_and_triangles_agree_on_a_city(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for seed in range(3):
            case = make_lattice(14, seed)
            labels = list_front(find(case))
            monkeypatch.setattr(front_module, "_SMALL", 0)
            assert list_front(find(case)) == labels
            monkeypatch.undo()
            assert len(labels) > 8


class TestByHand:
    def three_ways(self) -> SmallCase:
        # Of two streets each: (300 m, 9), (340 m, 6), (375 m, 1).
        network = make_streets(
            [(0, 0), (100, 0), (100, 50), (100, -50), (200, 0)],
            [(0, 1), (1, 4), (0, 2), (2, 4), (0, 3), (3, 4)],
            [150, 150, 170, 170, 200, 175],
        )
        return SmallCase(network, np.array([4.0, 5.0, 3.0, 3.0, 0.5, 0.5]), 0, 4, 0.2)

    def test_a_way_that_no_weights_find_is_found(self) -> None:
        assert list_front(find(self.three_ways())) == [(300, 9), (340, 6)]

    def test_a_way_as_long_as_the_cap_is_within_it(self) -> None:
        case = self.three_ways()
        assert list_front(find(SmallCase(case.network, case.cost, 0, 4, 0.25))) == [(300, 9), (340, 6), (375, 1)]

    def test_without_a_detour_the_least_exposed_of_the_shortest_is_left(self) -> None:
        network = make_streets([(0, 0), (100, 0)], [(0, 1), (0, 1), (1, 0)], [100, 100, 100])
        assert list_front(find(SmallCase(network, np.array([5.0, 2.0, 3.0]), 0, 1, 0.0))) == [(100, 2)]

    def test_parallel_streets_are_not_added_up(self) -> None:
        network = make_streets([(0, 0), (100, 0)], [(0, 1), (0, 1)], [100, 120])
        assert list_front(find(SmallCase(network, np.array([5.0, 2.0]), 0, 1, 0.25))) == [(100, 5), (120, 2)]

    def test_a_oneway_street_is_not_gone_against(self) -> None:
        network = make_streets([(0, 0), (100, 0)], [(0, 1), (0, 1)], [100, 120], backward=[False, True])
        cost = np.array([1.0, 2.0])
        assert list_front(find(SmallCase(network, cost, 1, 0, 0.25))) == [(120, 2)]
        assert list_front(find(SmallCase(network, cost, 0, 1, 0.25))) == [(100, 1)]

    def test_streets_without_any_exposure_leave_the_shortest_way(self) -> None:
        case = self.three_ways()
        assert list_front(find(SmallCase(case.network, np.zeros(6), 0, 4, 0.25))) == [(300, 0)]

    def test_places_that_are_not_connected_have_no_way(self) -> None:
        network = make_streets([(0, 0), (100, 0), (200, 0), (300, 0)], [(0, 1), (2, 3)])
        found = find(SmallCase(network, np.ones(2), 0, 3, 0.25))
        assert not found.arcs
        assert np.isinf(found.shortest)

    def test_a_river_is_gone_round_however_far_the_bridge_is(self) -> None:
        network = make_streets([(0, 0), (0, 50), (9000, 0), (9000, 50)], [(0, 2), (2, 3), (3, 1)])
        assert list_front(find(SmallCase(network, np.ones(3), 0, 1, 0.25))) == [(18050, 3)]


class TestTime:
    @pytest.mark.parametrize("small", [front_module._SMALL, 0], ids=["labels alone", "triangles"])
    def test_after_the_time_limit_weights_are_what_is_left_and_it_is_said(
        self, small: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(front_module, "_SMALL", small)
        monkeypatch.setattr(labels, "_LABELS", 1)
        case = make_lattice(14, 1)
        whole, cut = find(case), find(case, time_limit=0.0)
        assert whole.exact
        assert not cut.exact
        assert 2 <= len(cut.arcs) < len(whole.arcs)
        # What weights find is of the front, with both of its ends.
        assert set(list_front(cut)) <= set(list_front(whole))
        assert list_front(cut)[0] == list_front(whole)[0]

    def test_a_search_stops_when_it_is_cancelled(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(labels, "_LABELS", 1)
        context = JobContext()
        context.cancelled.set()
        with pytest.raises(Cancelled):
            find(make_lattice(14, 1), context=context)


@pytest.mark.parametrize("pair", GOLDEN, ids="-".join)
def test_fronts_of_tempe_are_those_that_are_known(pair: tuple[str, str], data_folder: Path) -> None:
    case = read_tempe(data_folder)[pair]
    found = find(case)
    assert is_golden(pair, list_front(found)), list_front(found)
    check_ways(case, found)
