"""From a place to the street where ways begin: the nearest point on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from ...streets.network import Network


@dataclass(frozen=True, eq=False)
class OnStreet:
    """The point of a street that is nearest to a place.

    Attributes
    ----------
    edge : int
        Of the network.
    share : float
        Where along the edge, from 0 at its tail to 1 at its head.
    x, y : float
        Metres.
    apart : float
        Metres from the place.
    """

    edge: int
    share: float
    x: float
    y: float
    apart: float


class StreetFinder:
    """Finds the nearest street that may be used; made once for many places.

    Parameters
    ----------
    network : Network
    open_edges : ndarray of bool, shape (E,)
    """

    def __init__(self, network: Network, open_edges: NDArray[np.bool_]) -> None:
        self._edges = np.flatnonzero(open_edges)
        self._shapes = network.shapes[self._edges]
        self._tree = shapely.STRtree(self._shapes)

    def find(self, x: float, y: float, farthest: float) -> OnStreet | None:
        """Find the nearest street within so many metres; None where there is none."""
        point = shapely.Point(x, y)
        near = self._tree.query_nearest(point, max_distance=farthest, all_matches=True)
        if not len(near):
            return None
        row = int(near.min())
        shape = self._shapes[row]
        share = float(shapely.line_locate_point(shape, point, normalized=True))
        at = shapely.line_interpolate_point(shape, share, normalized=True)
        return OnStreet(int(self._edges[row]), share, at.x, at.y, float(shapely.distance(point, at)))
