"""Pictures: counts on a coarse raster by bin, that networks look at beside a panel whose units are no raster."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..intake.incidents import Incidents
from .bins import locate

#: Rows and columns of a picture.
SIDE = 32
_MOST = np.iinfo(np.uint8).max


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
