"""The graph of a network: arcs in both directions, and shortest distances in it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from .network import Network

Floats = NDArray[np.float64]
Ints = NDArray[np.signedinteger[Any]]

#: Lengths are rounded to whole micrometres: as such, sums of them are exact in whatever order they are added.
MICRO = 1e-6


@dataclass(frozen=True, eq=False)
class Graph:
    """A arcs between N nodes, ordered by the node that they leave.

    Attributes
    ----------
    first : ndarray of int64, shape (N + 1,)
        Where the arcs of each node begin.
    head : ndarray of int32, shape (A,)
        The node that each leads to.
    edge : ndarray of int64, shape (A,)
        Of the network.
    reverse : ndarray of bool, shape (A,)
        Whether the arc leads from the edge's head to its tail.
    metres : ndarray of float64, shape (A,)
        Metres, rounded to whole micrometres: divided by `MICRO` and rounded again, they are whole numbers.
    """

    first: NDArray[np.int64]
    head: NDArray[np.int32]
    edge: NDArray[np.int64]
    reverse: NDArray[np.bool_]
    metres: NDArray[np.float64]

    @property
    def nodes(self) -> int:
        """How many nodes there are."""
        return len(self.first) - 1

    @cached_property
    def tail(self) -> NDArray[np.int32]:
        """The node that each arc leaves, shape (A,)."""
        return np.repeat(np.arange(self.nodes, dtype=np.int32), np.diff(self.first))

    @cached_property
    def lengths(self) -> csr_array:
        """The matrix of metres."""
        return make_matrix(self.tail, self.head, self.metres, self.nodes)

    @cached_property
    def lengths_back(self) -> csr_array:
        """The same with all arcs turned round."""
        return make_matrix(self.tail, self.head, self.metres, self.nodes, turned=True)

    def measure_from(self, node: int, limit: float = np.inf, back: bool = False) -> NDArray[np.float64]:
        """Metres of the shortest ways from a node, or to it, shape (N,); infinite beyond the limit."""
        matrix = self.lengths_back if back else self.lengths
        return np.asarray(dijkstra(matrix, indices=node, limit=limit))


def make_matrix(tail: Ints, head: Ints, weights: Floats, size: int, turned: bool = False) -> csr_array:
    """Make the matrix of arcs that are ordered by their tails, or of the same turned round.

    It is made of its parts, since SciPy adds parallel arcs up where it makes one of triples; its Dijkstra's algorithm
    takes the least of them, and a zero for an arc without length.

    Parameters
    ----------
    tail, head : ndarray of int, shape (A,)
    weights : ndarray, shape (A,)
    size : int
        How many nodes there are.
    turned : bool
    """
    if turned:
        order = np.argsort(head, kind="stable")
        tail, head, weights = head[order], tail[order], weights[order]
    first = np.searchsorted(tail, np.arange(size + 1, dtype=tail.dtype)).astype(np.int32)
    return csr_array((weights, head, first), shape=(size, size))


def make_graph(
    network: Network, forward: NDArray[np.bool_] | None = None, backward: NDArray[np.bool_] | None = None
) -> Graph:
    """Make the graph of the edges that may be used; in other directions than the network's where they are given."""
    forward = network.forward if forward is None else forward
    backward = network.backward if backward is None else backward
    edge = np.r_[np.flatnonzero(forward), np.flatnonzero(backward)]
    reverse = np.arange(len(edge)) >= int(forward.sum())
    tail = np.where(reverse, network.head[edge], network.tail[edge])
    head = np.where(reverse, network.tail[edge], network.head[edge])
    # A loop leads nowhere.
    keep = np.flatnonzero(tail != head)
    keep = keep[np.argsort(tail[keep], kind="stable")]
    edge, reverse, tail, head = edge[keep], reverse[keep], tail[keep], head[keep]
    first = np.searchsorted(tail, np.arange(network.nodes + 1))
    metres = np.round(network.metres[edge] / MICRO) * MICRO
    return Graph(first, head.astype(np.int32), edge, reverse, metres)
