"""Joining by location: the polygon that an incident lies in."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

from ....contract.texts import part_text
from ....ground.context import JobContext
from ....ground.errors import DataError
from ....maps.joining import is_polygonal
from ....maps.shapes import move_shapes
from .choosing import name_first_text
from .matching import match_places
from .tables import AnyTable
from .way import INCIDENTS, TABLE, Way, say_idle, say_joined, say_without


def holds_polygons(table: AnyTable) -> bool:
    """Whether most of the geometries of a table are polygons."""
    return is_polygonal(shapely.from_wkb(table.shapes(), on_invalid="ignore"))


def join_by_place(incidents: AnyTable, table: AnyTable, context: JobContext) -> Way:
    """Join the polygon that each incident lies in.

    Raises
    ------
    DataError
        If the one has no polygons, the other no points, or one of them no CRS.
    """
    x, y = _read_points(incidents)
    polygons = _read_polygons(table, incidents.crs, context)
    match, several = match_places(x, y, polygons, context)
    said = "by location: the polygon that an incident lies in"
    say_joined(match, said, context)
    placeless = ~np.isfinite(x)
    say_without(int(placeless.sum()), len(x), "has no place", "have no place", context)
    outside = int(((match.incident < 0) & ~placeless).sum())
    say_without(outside, len(x), "lies in no polygon", "lie in no polygon", context)
    if several:
        lies = "lies on a border or in several polygons, and has", "lie on borders or in several polygons, and have"
        context.log(f"{part_text(several, len(x), 'incident', *lies)} the values of the first")
    called = name_first_text(table, list(range(len(table))), [])
    say_idle(match, called, "polygon", context)
    return Way(match, (), said, "polygon", called)


def _read_points(incidents: AnyTable) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    x, y = incidents.points()
    if not np.isfinite(x).any():
        raise DataError(
            f"{INCIDENTS} have no places",
            parameter="incidents",
            remedy="Choose a point layer, such as one made by Import incidents, or join by key",
        )
    if not incidents.crs:
        raise _make_crs_error(f"{INCIDENTS} have", "incidents")
    return x, y


def _read_polygons(table: AnyTable, crs: str, context: JobContext) -> NDArray[np.object_]:
    """The polygons of a table in the CRS of the incidents, invalid ones repaired."""
    written = table.shapes()
    if not table.crs and any(shape is not None for shape in written):
        raise _make_crs_error(f"{TABLE} has", "table")
    polygons = move_shapes(written, table.crs or crs, crs)
    if not is_polygonal(polygons):
        raise DataError(
            f"{TABLE} has no polygons for incidents to lie in",
            parameter="table",
            remedy="Choose a layer of polygons, or join by key or date",
        )
    invalid = ~shapely.is_valid(polygons) & ~shapely.is_missing(polygons)
    if invalid.any():
        polygons[invalid] = shapely.make_valid(polygons[invalid])
        has = "has an invalid polygon, which is", "have invalid polygons, which are"
        context.warn(f"{part_text(int(invalid.sum()), len(table), 'row', *has)} repaired")
    return polygons


def _make_crs_error(whose: str, parameter: str) -> DataError:
    return DataError(
        f"{whose} no CRS",
        parameter=parameter,
        remedy="Set it with Layer ▸ Set CRS of Layer(s), or run Assign projection",
    )
