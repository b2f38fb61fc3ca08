"""What forecasting jobs read: hotspot grids with further layers, and moments in their time."""

from __future__ import annotations

from datetime import datetime

import numpy as np

from ..ground.errors import DataError, ParameterError
from .heatmaps import Heatmaps, read_heatmaps
from .panel import Panel
from .panelfile import is_panel_file, read_panel


def read_panel_or_heatmaps(path: str, extras: list[str]) -> Panel:
    """Read a panel of areas, or hotspot grids with the further layers a forecaster may read.

    Raises
    ------
    ParameterError
        For rasters beside a panel: its covariates stand in its file.
    """
    if not is_panel_file(path):
        return read_history(path, extras)
    if extras:
        raise ParameterError(
            f"extras is {', '.join(extras)}, and {path} is a panel of areas, which takes no rasters",
            parameter="extras",
            value=extras,
            remedy="Add them to the panel with Add covariates, or leave extras empty",
        )
    return read_panel(path)


def read_history(path: str, extras: list[str]) -> Heatmaps:
    """Hotspot grids with the further layers a forecaster may read.

    Raises
    ------
    DataError
        If the maps do not say how long their bins are.
    """
    heatmaps = read_heatmaps(path)
    if not heatmaps.bin:
        raise DataError(
            f"{path} does not say how long its bins are",
            parameter="heatmaps",
            value=path,
            remedy="Make it again with Rasterize hotspot grids",
        )
    if extras:
        from .extras import read_extras

        heatmaps.extras = read_extras(extras, heatmaps)
    return heatmaps


def to_local_moment(given: datetime, parameter: str) -> np.datetime64:
    """Bring a moment to the time of the maps, which is the local civil time of the incidents.

    Raises
    ------
    ParameterError
        If it has an offset from UTC: the maps do not say theirs, so it cannot be brought to their time.
    """
    if given.tzinfo is not None:
        raise ParameterError(
            f"{parameter} is {given.isoformat()}, with a time zone; the maps hold local times without one",
            parameter=parameter,
            value=given.isoformat(),
            remedy="Give the local time of the incidents without an offset, as 2024-03-01T00:00:00",
        )
    return np.datetime64(given, "s")
