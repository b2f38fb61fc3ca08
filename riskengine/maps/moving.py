"""Geometries of a file brought to the CRS of the areas."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.warp import transform


def move_shapes(written: NDArray[np.object_], source: str, target: str) -> NDArray[np.object_]:
    """Read well-known binary and bring it to another CRS.

    Parameters
    ----------
    written : ndarray of bytes or None, shape (R,)
    source, target : str
        WKT or authority codes.

    Returns
    -------
    ndarray of shapely geometries, shape (R,)
        None where there is none, or where it has no place in the target.
    """
    shapes = np.asarray(shapely.force_2d(shapely.from_wkb(written, on_invalid="ignore")), dtype=object)
    if CRS.from_user_input(source) == CRS.from_user_input(target):
        return shapes

    def move(places: NDArray[np.float64]) -> NDArray[Any]:
        if not len(places):
            return places
        return np.stack(transform(source, target, *places.T.tolist()), axis=1)

    moved = np.asarray(shapely.transform(shapes, move), dtype=object)
    lost = ~np.isfinite(shapely.bounds(moved)).all(axis=1)
    moved[lost] = None
    return moved
