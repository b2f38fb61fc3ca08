"""Which areas a forecast flags, and which ones the incidents come from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.features import geometry_mask

from ..contract.texts import make_writable
from ..ground.context import JobContext
from ..ground.errors import DataError, FormatError
from ..maps.grid import Grid

#: Cells that lie in none of the areas.
NOWHERE = "(in no area)"
_REMEDY = "Choose a polygon layer with a name field"


@dataclass(frozen=True)
class AreaExposure:
    """One named area.

    Attributes
    ----------
    name : str
    cells : int
        Cells of the study area whose centre lies in it.
    area_share : float
        Of the study area's cells.
    mean_risk : float
        Over its cells and all scored maps.
    flagged_share : float
        Of all flagged cells and bins; nan when nothing was flagged.
    incident_share : float
        Of all incidents on the scored maps; nan without any.
    flagged : int
        Flagged cells and bins in it.
    incidents : int
        On the scored maps.
    """

    name: str
    cells: int
    area_share: float
    mean_risk: float
    flagged_share: float
    incident_share: float
    flagged: int = 0
    incidents: int = 0

    @property
    def ratio(self) -> float:
        """Share of the flagged cells over share of the incidents: above 1 it is flagged more than reported on."""
        return self.flagged_share / self.incident_share if self.incident_share else float("nan")

    def to_dict(self) -> dict[str, Any]:
        """The figures, JSON-able."""
        figures = {
            name: getattr(self, name)
            for name in ("area_share", "mean_risk", "flagged_share", "incident_share", "ratio")
        }
        shown = {name: round(value, 6) if np.isfinite(value) else None for name, value in figures.items()}
        return {"name": self.name, "cells": self.cells, "flagged": self.flagged, "incidents": self.incidents, **shown}


def read_areas(path: str | Path, parameter: str = "areas") -> dict[str, list[dict[str, Any]]]:
    """Read GeoJSON polygons by their property ``name``; parts of one name belong together.

    Raises
    ------
    FormatError
        If it is no GeoJSON of polygons.
    DataError
        If it has no named polygon.
    """
    try:
        features = json.loads(Path(path).read_text(encoding="utf-8"))["features"]
        areas: dict[str, list[dict[str, Any]]] = {}
        for feature in features:
            shape = feature.get("geometry")
            name = make_writable(str((feature.get("properties") or {}).get("name") or "")).strip()
            if shape and name:
                if shape["type"] not in ("Polygon", "MultiPolygon"):
                    raise ValueError(f"it holds a {shape['type']}")
                areas.setdefault(name, []).append(shape)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise FormatError(
            f"{path} cannot be read as GeoJSON of polygons", parameter=parameter, value=path, remedy=_REMEDY
        ) from error
    if not areas:
        raise DataError(f"{path} holds no polygon with a name", parameter=parameter, value=path, remedy=_REMEDY)
    return areas


def compute_exposure(
    areas: Mapping[str, list[dict[str, Any]]],
    grid: Grid,
    mask: NDArray[np.bool_],
    risk: NDArray[Any],
    flagged: NDArray[np.bool_],
    counts: NDArray[Any],
    context: JobContext | None = None,
) -> list[AreaExposure]:
    """Compute risk, flags and incidents of each area, the most flagged first; a last row for cells in none of them.

    A cell belongs to every area that its centre lies in. Areas without a cell are left out.

    Parameters
    ----------
    areas : mapping of str to list of dict
        GeoJSON polygons in the grid's CRS.
    grid : Grid
    mask : ndarray of bool, shape (H, W)
    risk, flagged, counts : ndarray, shape (F, H, W)
    """
    context = context or JobContext()
    mean = np.where(mask, risk.mean(axis=0, dtype=np.float64), 0.0)
    alarms = np.where(mask, (flagged & mask).sum(axis=0), 0)
    incidents = np.where(mask, counts.sum(axis=0, dtype=np.float64), 0)
    rows, nowhere = [], mask.copy()

    def add(name: str, inside: NDArray[np.bool_]) -> None:
        cells, alarmed, happened = int(inside.sum()), int(alarms[inside].sum()), int(incidents[inside].sum())
        if cells:
            rows.append(
                AreaExposure(
                    name,
                    cells,
                    cells / int(mask.sum()),
                    float(mean[inside].mean()),
                    _share(alarmed, int(alarms.sum())),
                    _share(happened, int(incidents.sum())),
                    alarmed,
                    happened,
                )
            )

    for number, (name, shapes) in enumerate(areas.items()):
        context.progress(number / len(areas))
        inside = geometry_mask(shapes, grid.shape, grid.transform, invert=True) & mask
        nowhere &= ~inside
        add(name, inside)
    rows.sort(key=lambda row: (-row.flagged, row.name))
    add(NOWHERE, nowhere)
    return rows


def _share(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")
