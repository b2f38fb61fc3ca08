"""Pictures: counts on a coarse raster by bin, that networks look at beside a panel whose units are no raster."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..intake.incidents import Incidents
from .bins import locate

#: Rows and columns of a picture.
SIDE = 32
#: Where no borders are given, a picture reaches from this quantile of the places to that, in steps of so many metres:
#: it stays where it is when more incidents come.
_QUANTILES, _STEP = (0.005, 0.995), 1000.0
_MOST = np.iinfo(np.uint8).max


def choose_extent(incidents: Incidents) -> tuple[float, float, float, float]:
    """Choose what pictures of incidents show, west, south, east and north: all but a few."""
    (west, east), (south, north) = (np.nanquantile(each, _QUANTILES) for each in (incidents.x, incidents.y))
    low, high = np.floor([west / _STEP, south / _STEP]) * _STEP, np.ceil([east / _STEP, north / _STEP]) * _STEP
    return float(low[0]), float(low[1]), float(max(high[0], low[0] + _STEP)), float(max(high[1], low[1] + _STEP))


def make_pictures(
    incidents: Incidents,
    edges: NDArray[np.datetime64],
    kinds: Sequence[NDArray[np.bool_]],
    extent: tuple[float, float, float, float],
    side: int = SIDE,
) -> NDArray[np.uint8]:
    """Draw the incidents of each bin as counts on a raster, a layer for each kind.

    Parameters
    ----------
    incidents : Incidents
    edges : ndarray of datetime64[s], shape (T + 1,)
    kinds : sequence of ndarray of bool, shape (R,)
        Which incidents each layer counts.
    extent : (west, south, east, north)
        What lies outside, or has no place, is not drawn.
    side : int
        Rows and columns.

    Returns
    -------
    ndarray of uint8, shape (T, len(kinds), side, side)
        The first row is the northernmost; counts above 255 are 255.
    """
    west, south, east, north = extent
    # A place outside the range of whole numbers, or none, stays outside the picture.
    column, row = (
        np.floor(np.nan_to_num(side * share, nan=-1.0).clip(-1, side)).astype(np.int64)
        for share in ((incidents.x - west) / (east - west), (north - incidents.y) / (north - south))
    )
    column[incidents.x == east] = side - 1
    row[incidents.y == south] = side - 1
    bin_ = locate(incidents.time, edges)
    drawn = (bin_ >= 0) & (column >= 0) & (column < side) & (row >= 0) & (row < side)
    pictures = np.zeros((len(edges) - 1, len(kinds), side, side), dtype=np.uint8)
    for number, kind in enumerate(kinds):
        which = drawn & kind
        places, counts = np.unique(
            np.ravel_multi_index((bin_[which], row[which], column[which]), (len(edges) - 1, side, side)),
            return_counts=True,
        )
        where = np.unravel_index(places, (len(edges) - 1, side, side))
        pictures[where[0], number, where[1], where[2]] = np.minimum(counts, _MOST)
    return pictures
