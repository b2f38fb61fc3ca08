"""Squares and hexagons as areas: laid on multiples of their size, so that the same size gives the same ones again."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

from ..contract.texts import format_amount
from ..ground.errors import DataError, ParameterError
from .areas import Areas
from .shapes import Geometries

#: More are refused: a layer of so many draws slowly, and counts on them are nearly all nothing.
MOST_TILES = 1_000_000
#: A tile that shares less than this part of its size with a study area only touches it.
_TOUCHING = 1e-6

Numbers = NDArray[np.float64]


def make_squares(size: float, study_area: Geometries, crs: str) -> Areas:
    """Make the squares that share ground with a study area.

    Parameters
    ----------
    size : float
        Side, metres.
    study_area : ndarray of shapely polygons
        Metres.
    crs : str

    Returns
    -------
    Areas
        Their ids name column and row, ``x12y345``, counted from the origin of the CRS.
    """
    column, row = _list_numbers(size, size, study_area, size)
    corner = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * (size / 2)
    return _keep_inside(column, row, (column + 0.5) * size, (row + 0.5) * size, corner, study_area, crs)


def make_hexagons(size: float, study_area: Geometries, crs: str) -> Areas:
    """Make the hexagons that share ground with a study area, a corner to the north; see `make_squares`.

    Parameters
    ----------
    size : float
        Between opposite sides, metres.
    """
    outer = size / np.sqrt(3.0)
    column, row = _list_numbers(size, 1.5 * outer, study_area, size)
    # Every other row is moved by half a hexagon.
    x = (column + 0.5 * (row % 2)) * size
    turn = np.deg2rad(np.arange(30, 390, 60))
    corner = outer * np.column_stack([np.cos(turn), np.sin(turn)])
    return _keep_inside(column, row, x, row * 1.5 * outer, corner, study_area, crs)


def _list_numbers(width: float, height: float, study_area: Geometries, size: float) -> tuple[Numbers, Numbers]:
    """List the columns and rows that may hold a part of the study area."""
    west, south, east, north = shapely.total_bounds(study_area)
    columns = np.arange(np.floor(west / width) - 1, np.ceil(east / width) + 1)
    rows = np.arange(np.floor(south / height) - 1, np.ceil(north / height) + 1)
    if len(columns) * len(rows) > 4 * MOST_TILES:
        raise _describe_too_many(size, f"{len(columns) * len(rows):,} would cover the study area's rectangle")
    column, row = np.meshgrid(columns, rows)
    return column.ravel(), row.ravel()


def _keep_inside(
    column: Numbers, row: Numbers, x: Numbers, y: Numbers, corner: Numbers, study_area: Geometries, crs: str
) -> Areas:
    middle = np.stack([x, y], axis=-1)[:, None, :]
    inner = shapely.polygons(middle + corner * (1 - _TOUCHING))
    kept = np.unique(shapely.STRtree(inner).query(study_area, predicate="intersects")[1])
    if not len(kept):
        raise DataError(
            "The study area has no ground",
            parameter="study_area",
            remedy="Choose polygons that have an area, or leave the study area empty",
        )
    if len(kept) > MOST_TILES:
        raise _describe_too_many(float(np.ptp(corner[:, 0])), f"{len(kept):,} would cover the study area")
    ids = tuple(f"x{each:.0f}y{other:.0f}" for each, other in zip(column[kept], row[kept], strict=True))
    return Areas(ids, shapely.polygons(middle[kept] + corner), crs)


def _describe_too_many(size: float, how_many: str) -> ParameterError:
    return ParameterError(
        f"size is {format_amount(size)} m: {how_many}, and {MOST_TILES:,} are the most",
        parameter="size",
        value=size,
        remedy="Choose a larger size",
    )
