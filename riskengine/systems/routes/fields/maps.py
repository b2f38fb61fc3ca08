"""Rasters, areas and scored places as risks that can be looked up anywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from ....contract.texts import list_names, show_name
from ....ground.errors import DataError, ParameterError
from ....ground.wholetables import WholeTable
from ....intake.project import move_places
from ....maps.area_risk import is_area_risk, read_area_risk
from ....maps.joining import is_polygonal
from ....maps.risk import RiskStack, read_risk
from ....maps.shapes import Shapes

Floats = NDArray[np.float64]

#: A look at areas at least so often, metres: they are larger than streets are long.
_STEP = 25.0
#: A place farther from every scored one than so many times what they lie apart has no score.
_SPACINGS = 1.5
#: Names of a field of scores, the usual ones first.
_SCORES = ("predicted_score", "score", "risk", "probability")


class RasterField:
    """A raster: the value of the cell in which a place lies."""

    unit, notes = "", ()

    def __init__(self, stack: RiskStack, crs: str, band: int | None, title: str) -> None:
        maps = len(stack.risk)
        _check_band(band, maps)
        self.title = title if maps == 1 else f"{title}, {'mean of all maps' if band is None else f'map {band}'}"
        self._values = np.asarray(stack.risk[band - 1] if band else _average(stack.risk), dtype=np.float64)
        self._inverse, self._crs, self._own = ~stack.transform, crs, stack.crs.to_wkt() if stack.crs else crs
        side = (abs(stack.transform.a), abs(stack.transform.e))
        degrees = stack.crs is not None and stack.crs.is_geographic
        self.step = float(np.clip(min(side) * (111_000 if degrees else 1.0) / 2, 1.0, 250.0))

    def look_up(self, x: Floats, y: Floats) -> Floats:
        """The value of cells, shape (n,); NaN outside."""
        if self._own != self._crs:
            x, y = move_places(x, y, self._crs, self._own)
        at = self._inverse
        column, row = np.floor(at.a * x + at.b * y + at.c), np.floor(at.d * x + at.e * y + at.f)
        rows, columns = self._values.shape
        inside = (column >= 0) & (row >= 0) & (column < columns) & (row < rows)
        found = np.full(len(x), np.nan)
        found[inside] = self._values[row[inside].astype(np.int64), column[inside].astype(np.int64)]
        return found


class AreaField:
    """Areas: the value of that in which a place lies."""

    unit, notes, step = "", (), _STEP

    def __init__(self, areas: Shapes, values: Floats, crs: str, title: str) -> None:
        self.title, self._areas, self._values, self._crs = title, areas, values, crs

    def look_up(self, x: Floats, y: Floats) -> Floats:
        """The value of areas, shape (n,); NaN outside of all."""
        if self._areas.crs != self._crs:
            x, y = move_places(x, y, self._crs, self._areas.crs)
        unit = self._areas.locate(x, y)
        return np.where(unit >= 0, self._values[unit], np.nan)


class PointField:
    """Scored places: the value of the nearest, no farther away than they lie apart."""

    unit, notes = "", ()

    def __init__(self, x: Floats, y: Floats, values: Floats, title: str) -> None:
        self.title, self._values = title, values
        self._tree = cKDTree(np.c_[x, y])
        apart = self._tree.query(np.c_[x, y], k=2)[0][:, 1] if len(x) > 1 else np.full(1, 250.0)
        spacing = float(np.median(apart[apart > 0])) if (apart > 0).any() else 250.0
        self.step = float(np.clip(spacing / 2, 1.0, 250.0))
        self._reach = spacing * _SPACINGS

    def look_up(self, x: Floats, y: Floats) -> Floats:
        """The value of the nearest place, shape (n,); NaN where none is near."""
        _, nearest = self._tree.query(np.c_[x, y], distance_upper_bound=self._reach)
        return np.asarray(np.append(self._values, np.nan)[nearest])


class PolygonField:
    """Scored polygons: the value of the first in which a place lies."""

    unit, notes, step = "", (), _STEP

    def __init__(self, shapes: NDArray[np.object_], values: Floats, title: str) -> None:
        self.title, self._values, self._tree = title, values, shapely.STRtree(shapes)

    def look_up(self, x: Floats, y: Floats) -> Floats:
        """The value of polygons, shape (n,); NaN outside of all."""
        place, shape = self._tree.query(shapely.points(x, y), predicate="intersects")
        found = np.full(len(x), np.nan)
        # The first of several stays.
        found[place[::-1]] = self._values[shape[::-1]]
        return found


def read_map_field(path: str, crs: str, band: int | None) -> RasterField | AreaField:
    """Read a risk raster, or areas with a risk."""
    name = show_name(Path(path).stem)
    if not is_area_risk(path):
        return RasterField(read_risk(path), crs, band, f"risk raster {name}")
    risk = read_area_risk(path)
    _check_band(band, len(risk.risk))
    values = np.asarray(risk.risk[band - 1] if band else _average(risk.risk))
    return AreaField(risk.areas, values, crs, "risk of areas")


def read_score_field(table: WholeTable, field: str | None, crs: str) -> PointField | PolygonField:
    """Make a risk of scored points or polygons.

    Raises
    ------
    ParameterError
        If the field is missing.
    DataError
        If nothing has a place and a score.
    """
    name = field or next((each for each in _SCORES if each in table.fields), "")
    if name not in table.fields:
        raise ParameterError(
            f"The layer of scores has no field {show_name(name) or 'of scores'}",
            parameter="score_field",
            value=field,
            remedy=f"Choose from: {list_names(list(table.fields), 40)}",
        )
    values = np.asarray(table.column(name), dtype=np.float64)
    shapes: Any = np.asarray(shapely.from_wkb(table.shapes(), on_invalid="ignore"), dtype=object)
    there = np.isfinite(values) & ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    if not there.any() or not table.crs:
        raise DataError(
            "No scored place has a geometry, a CRS and a score",
            parameter="scores",
            value=name,
            remedy="Choose a layer that Predict crime score has made",
        )
    shapes, values = shapes[there], values[there]
    places = shapely.get_coordinates(shapes)
    x, y = move_places(places[:, 0], places[:, 1], table.crs, crs)
    shapes = shapely.set_coordinates(shapely.force_2d(shapes), np.c_[x, y])
    title = f"scores in {show_name(name)}"
    if is_polygonal(shapes):
        return PolygonField(shapes, values, title)
    return PointField(shapely.get_x(shapes), shapely.get_y(shapes), values, title)


def _check_band(band: int | None, maps: int) -> None:
    if band is not None and band > maps:
        raise ParameterError(
            f"band is {band}, but the risk has {maps}",
            parameter="band",
            value=band,
            remedy=f"Give a number from 1 to {maps}, or leave it empty",
        )


def _average(risk: NDArray[Any]) -> Floats:
    """The mean over all maps; NaN where no map has a value."""
    known = np.zeros(risk.shape[1:])
    total = np.zeros(risk.shape[1:])
    for each in risk:
        there = ~np.isnan(each)
        known += there
        total += np.where(there, each, 0.0)
    with np.errstate(invalid="ignore"):
        return np.where(known > 0, total / known, np.nan)
