"""A street network: nodes, and edges between them that follow the lines of a layer."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import shapely
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Network:
    """N nodes and E edges; a line of the layer is cut into edges wherever it shares a vertex with another one.

    Attributes
    ----------
    x, y : ndarray, shape (N,)
        Nodes, metres in `crs`.
    tail, head : ndarray of int32, shape (E,)
        Nodes at the first and at the last vertex of each edge.
    metres : ndarray, shape (E,)
        Length on the ellipsoid WGS 84.
    forward, backward : ndarray of bool, shape (E,)
        Whether it may be used from tail to head, and from head to tail.
    speed : ndarray, shape (E,)
        Km/h.
    lit : ndarray of int8, shape (E,)
        1 lit, 0 unlit, -1 unknown.
    line : ndarray of int64, shape (E,)
        Which row of the layer it belongs to, by position.
    first : ndarray of int64, shape (E + 1,)
        Where the vertices of each edge begin in `vertices`.
    vertices : ndarray, shape (V, 2)
        Metres in `crs`.
    crs : str
        Projected, metres.
    rows : int
        How many rows the layer has.
    """

    x: Floats
    y: Floats
    tail: NDArray[np.int32]
    head: NDArray[np.int32]
    metres: Floats
    forward: NDArray[np.bool_]
    backward: NDArray[np.bool_]
    speed: Floats
    lit: NDArray[np.int8]
    line: NDArray[np.int64]
    first: NDArray[np.int64]
    vertices: Floats
    crs: str
    rows: int

    @property
    def nodes(self) -> int:
        """How many nodes there are."""
        return len(self.x)

    @property
    def edges(self) -> int:
        """How many edges there are."""
        return len(self.tail)

    @cached_property
    def usable(self) -> NDArray[np.bool_]:
        """Edges that may be used in some direction, shape (E,)."""
        return self.forward | self.backward

    @cached_property
    def shapes(self) -> NDArray[np.object_]:
        """Edges as lines, shape (E,)."""
        owner = np.repeat(np.arange(self.edges), np.diff(self.first))
        return np.asarray(shapely.linestrings(self.vertices, indices=owner), dtype=object)

    def trace(self, edge: int) -> Floats:
        """Vertices of an edge from tail to head, shape (n, 2)."""
        return self.vertices[self.first[edge] : self.first[edge + 1]]
