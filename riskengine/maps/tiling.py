"""Squares and hexagons as areas: laid on multiples of their size, so that the same size gives the same ones again."""

from __future__ import annotations

from collections.abc import Sequence

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

#: Corners, in steps from where a tile is counted from: its lower left corner, or the middle of a hexagon.
_SQUARE = ((0, 0), (1, 0), (1, 1), (0, 1))
_HEXAGON = ((1, 1), (0, 2), (-1, 1), (-1, -1), (0, -2), (1, -1))

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
    column, row = _list_numbers(size, size, study_area)
    return _keep_inside(column, row, (column, row), _SQUARE, (size, size), study_area, crs)


def make_hexagons(size: float, study_area: Geometries, crs: str) -> Areas:
    """Make the hexagons that share ground with a study area, a corner to the north; see `make_squares`.

    Parameters
    ----------
    size : float
        Between opposite sides, metres.
    """
    half, quarter = size / 2, size / np.sqrt(12.0)
    column, row = _list_numbers(size, 3 * quarter, study_area)
    # Every other row is moved by half a hexagon.
    return _keep_inside(column, row, (2 * column + row % 2, 3 * row), _HEXAGON, (half, quarter), study_area, crs)


def _list_numbers(width: float, height: float, study_area: Geometries) -> tuple[Numbers, Numbers]:
    """List the columns and rows that may hold a part of the study area."""
    west, south, east, north = shapely.total_bounds(study_area)
    columns = np.arange(np.floor(west / width) - 1, np.ceil(east / width) + 1)
    rows = np.arange(np.floor(south / height) - 1, np.ceil(north / height) + 1)
    if len(columns) * len(rows) > 4 * MOST_TILES:
        raise _describe_too_many(width, f"{len(columns) * len(rows):,} would cover the study area's rectangle")
    column, row = np.meshgrid(columns, rows)
    return column.ravel(), row.ravel()


def _keep_inside(
    column: Numbers,
    row: Numbers,
    middle: tuple[Numbers, Numbers],
    corners: Sequence[tuple[int, int]],
    step: tuple[float, float],
    study_area: Geometries,
    crs: str,
) -> Areas:
    """Make tiles of their middles and corners, whole numbers of steps: so neighbours have the very same corners."""
    whole = np.stack(middle, axis=-1)[:, None, :] + np.array(corners, dtype=float)
    tiles = shapely.polygons(whole * step)
    centre = whole.mean(axis=1, keepdims=True)
    inner = shapely.polygons((centre + (whole - centre) * (1 - _TOUCHING)) * step)
    kept = np.unique(shapely.STRtree(inner).query(study_area, predicate="intersects")[1])
    if not len(kept):
        raise DataError(
            "The study area has no ground",
            parameter="study_area",
            remedy="Choose polygons that have an area, or leave the study area empty",
        )
    if len(kept) > MOST_TILES:
        raise _describe_too_many(float(np.ptp(whole[0, :, 0]) * step[0]), f"{len(kept):,} would cover the study area")
    ids = tuple(f"x{each:.0f}y{other:.0f}" for each, other in zip(column[kept], row[kept], strict=True))
    return Areas(ids, tiles[kept], crs)


def _describe_too_many(size: float, how_many: str) -> ParameterError:
    return ParameterError(
        f"size is {format_amount(size)} m: {how_many}, and {MOST_TILES:,} are the most",
        parameter="size",
        value=size,
        remedy="Choose a larger size",
    )
