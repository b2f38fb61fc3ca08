"""Graphs: arcs, parallel ones, loops, directions, and distances with limits."""

from __future__ import annotations

import numpy as np
import pytest

from riskengine.streets.graph import MICRO, make_graph
from riskengine.streets.network import Network


def join(*edges: tuple[int, int, float], forward: object = True, backward: object = True) -> Network:
    """A network of edges between numbered nodes, all in one place."""
    tail, head, metres = (np.array(each) for each in zip(*edges, strict=True))
    size, nodes = len(edges), int(max(tail.max(), head.max())) + 1
    return Network(
        np.zeros(nodes),
        np.zeros(nodes),
        tail.astype(np.int32),
        head.astype(np.int32),
        metres.astype(float),
        np.broadcast_to(np.asarray(forward, dtype=bool), size),
        np.broadcast_to(np.asarray(backward, dtype=bool), size),
        np.full(size, 4.8),
        np.full(size, -1, dtype=np.int8),
        np.arange(size),
        np.arange(size + 1) * 2,
        np.zeros((2 * size, 2)),
        "EPSG:32618",
        size,
    )


def test_of_parallel_edges_the_shortest_counts_and_all_are_arcs() -> None:
    graph = make_graph(join((0, 1, 30), (0, 1, 10), (1, 0, 20)))
    assert graph.measure_from(0).tolist() == [0, 10]
    assert sorted(graph.edge.tolist()) == [0, 0, 1, 1, 2, 2]


def test_arcs_say_which_edge_they_are_of_and_in_which_direction() -> None:
    graph = make_graph(join((2, 0, 5), (0, 1, 7), backward=[True, False]))
    found = {
        (int(tail), int(head)): (int(edge), bool(back))
        for tail, head, edge, back in zip(graph.tail, graph.head, graph.edge, graph.reverse, strict=True)
    }
    assert found == {(2, 0): (0, False), (0, 2): (0, True), (0, 1): (1, False)}
    assert (np.diff(graph.tail) >= 0).all()


def test_a_one_way_edge_is_gone_along_one_way() -> None:
    graph = make_graph(join((0, 1, 10), (1, 2, 10), (2, 0, 50), backward=[False, True, True]))
    assert graph.measure_from(0).tolist() == [0, 10, 20]
    assert graph.measure_from(1).tolist() == [60, 0, 10]
    assert graph.measure_from(0, back=True).tolist() == [0, 60, 50]


def test_edges_without_length_lead_on_and_loops_nowhere() -> None:
    graph = make_graph(join((0, 1, 0), (1, 2, 4), (1, 1, 100)))
    assert graph.measure_from(0) == pytest.approx([0, 0, 4], abs=1e-12)
    assert 2 not in graph.edge


def test_nothing_is_known_beyond_the_limit() -> None:
    graph = make_graph(join((0, 1, 10), (1, 2, 10)))
    assert graph.measure_from(0, limit=10).tolist() == [0, 10, np.inf]


def test_lengths_are_whole_micrometres_whose_sums_are_alike_in_any_order() -> None:
    chance = np.random.default_rng(3)
    graph = make_graph(join(*((row, row + 1, metres) for row, metres in enumerate(chance.uniform(1, 900, 300)))))
    whole = np.rint(graph.metres / MICRO)
    assert np.abs(whole * MICRO - graph.metres).max() < 1e-9
    assert np.cumsum(whole)[-1] == np.cumsum(whole[::-1])[-1]


def test_directions_can_be_others_than_those_of_the_network() -> None:
    network = join((0, 1, 10), (1, 2, 10))
    graph = make_graph(network, np.array([True, False]), np.array([False, False]))
    assert graph.measure_from(0).tolist() == [0, 10, np.inf]
    assert graph.nodes == 3
