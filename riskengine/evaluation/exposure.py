"""Which areas a forecast flags, and which ones the incidents come from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from rasterio.features import geometry_mask
from shapely.geometry import shape as read_shape

from ..contract.texts import make_writable
from ..ground.context import JobContext
from ..ground.errors import DataError, FormatError
from ..maps.grid import Grid
from ..maps.support import Support

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
        Cells of the study area whose centre lies in it; or areas of a panel whose middle does.
    area_share : float
        Of the study area's cells; of a panel by size.
    mean_risk : float
        Over its cells and all scored maps.
    flagged_share : float
        Of all flagged cells and bins, of a panel by size; nan when nothing was flagged.
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
    support: Support,
    mask: NDArray[np.bool_],
    risk: NDArray[Any],
    flagged: NDArray[np.bool_],
    counts: NDArray[Any],
    context: JobContext | None = None,
) -> list[AreaExposure]:
    """Compute risk, flags and incidents of each area, the most flagged first; a last row for cells in none of them.

    A cell belongs to every area that its centre lies in, an area of a panel by its middle. Areas without a cell are
    left out.

    Parameters
    ----------
    areas : mapping of str to list of dict
        GeoJSON polygons in the CRS of the units.
    support : Support
        The units.
    mask : ndarray of bool, shape (...)
    risk, flagged, counts : ndarray, shape (F, ...)
    """
    context = context or JobContext()
    mean = np.where(mask, risk.mean(axis=0, dtype=np.float64), 0.0)
    alarms = np.where(mask, (flagged & mask).sum(axis=0), 0)
    incidents = np.where(mask, counts.sum(axis=0, dtype=np.float64), 0)
    # Cells are all alike: counting them is exact.
    size = np.ones(mask.shape) if isinstance(support, Grid) else support.measure_km()
    whole, alarmed_size = float(size[mask].sum()), float((alarms * size).sum())
    rows, nowhere = [], mask.copy()

    def add(name: str, inside: NDArray[np.bool_]) -> None:
        cells, alarmed, happened = int(inside.sum()), int(alarms[inside].sum()), int(incidents[inside].sum())
        if cells:
            rows.append(
                AreaExposure(
                    name,
                    cells,
                    float(size[inside].sum()) / whole,
                    float(mean[inside].mean()),
                    _share(float((alarms * size)[inside].sum()), alarmed_size),
                    _share(happened, int(incidents.sum())),
                    alarmed,
                    happened,
                )
            )

    for number, (name, shapes) in enumerate(areas.items()):
        context.progress(number / len(areas))
        inside = _mark_inside(shapes, support) & mask
        nowhere &= ~inside
        add(name, inside)
    rows.sort(key=lambda row: (-row.flagged, row.name))
    add(NOWHERE, nowhere)
    return rows


def _mark_inside(shapes: list[dict[str, Any]], support: Support) -> NDArray[np.bool_]:
    if isinstance(support, Grid):
        return np.asarray(geometry_mask(shapes, support.shape, support.transform, invert=True))
    polygons = shapely.union_all([shapely.make_valid(read_shape(each)) for each in shapes])
    shapely.prepare(polygons)
    return np.asarray(shapely.intersects_xy(polygons, *support.find_centres()))


def _share(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")
