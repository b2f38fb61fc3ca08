"""Incidents near a way: whoever goes along it passes them, wherever geocoding has put them within a street or two."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely
from numpy.typing import NDArray

from ...contract.routes import NEAR
from .results import Floats


class NearbyIncidents:
    """The incidents of a month, to be counted near any number of ways.

    Parameters
    ----------
    x, y : ndarray, shape (N,)
        Metres in the working CRS.
    distances : sequence of int
        Metres, the largest last.
    """

    def __init__(self, x: Floats, y: Floats, distances: Sequence[int] = NEAR) -> None:
        self.distances = tuple(distances)
        self._points = shapely.points(x, y)
        self._tree = shapely.STRtree(self._points)

    def count(self, ways: Sequence[Floats]) -> NDArray[np.int64]:
        """Count the incidents within each distance of ways, shape (ways, distances); each counts once a way.

        Parameters
        ----------
        ways : sequence of ndarray, shape (n, 2)
            Their vertices, two at least.
        """
        lines = np.array([shapely.linestrings(way) for way in ways], dtype=object)
        way, incident = self._tree.query(lines, predicate="dwithin", distance=float(self.distances[-1]))
        apart = shapely.distance(lines[way], self._points[incident])
        counts = [np.bincount(way[apart <= distance], minlength=len(ways)) for distance in self.distances]
        return np.stack(counts, axis=1).astype(np.int64)


def measure_repeated(x: Floats, y: Floats, earlier_x: Floats, earlier_y: Floats) -> float:
    """Measure which share of incidents lies exactly where an earlier one does, to the centimetre; NaN of none."""
    if not len(x):
        return float("nan")
    earlier = np.unique(np.round(earlier_x, 2) + 1j * np.round(earlier_y, 2))
    return float(np.isin(np.round(x, 2) + 1j * np.round(y, 2), earlier).mean())
