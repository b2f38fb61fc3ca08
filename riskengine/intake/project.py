"""Places of a file in metres."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..contract.utm import find_utm_code
from ..ground.tables import read_rows
from .incidents import Incidents


def project_places(
    x: NDArray[np.float64], y: NDArray[np.float64], crs: str
) -> tuple[NDArray[np.float64], NDArray[np.float64], str]:
    """Bring places in any CRS to the UTM zone of their median place; x, y and the zone's code."""
    from rasterio.warp import transform

    middle, degrees = ([float(np.median(x))], [float(np.median(y))]), "EPSG:4326"
    (longitude,), (latitude,) = transform(crs, degrees, *middle)
    zone = find_utm_code(longitude, latitude)
    return *move_places(x, y, crs, zone), zone


def move_places(
    x: NDArray[np.float64], y: NDArray[np.float64], crs: str, wanted: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Bring places in one CRS to another; x and y."""
    from rasterio.warp import transform

    moved_x, moved_y = transform(crs, wanted, x.tolist(), y.tolist())
    return np.array(moved_x, dtype=np.float64), np.array(moved_y, dtype=np.float64)


def read_imported(path: str | Path, crs: str) -> tuple[Incidents, str]:
    """Read the incidents that an import has written, in metres; them and their CRS."""
    fid, x, y, (occurred, category) = read_rows(path, ["occurred", "category"])
    codes, names = pd.factorize(category)
    x, y, zone = project_places(x, y, crs)
    time = occurred.astype("datetime64[s]")
    return Incidents(x, y, time, codes.astype(np.int32), [str(name) for name in names], fid), zone
