"""Which places are to be scored: given ones, or a regular grid of points."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from shapely.geometry import shape

from ...contract.texts import count_text
from ...contract.tools.refusals import describe_too_many_points, round_spacing_up
from ...contract.tools.score import CrimeScoreLayer, PredictScore, PredictScoreRaster
from ...contract.tools.shared import Spacing
from ...ground.context import JobContext
from ...ground.errors import DataError, ParameterError
from ...ground.tables import CHUNK_ROWS, Chunk, extend_table, has_arrow, write_table
from ...maps.area import Area, choose_area, mask_cells, warn_of_rectangle
from ...maps.grid import MAX_CELLS, Grid, make_grid
from .index import CrimeIndex, Floats
from .query import OUTSIDE_METRES


def choose_index_area(index: CrimeIndex, given: Spacing | PredictScoreRaster, context: JobContext) -> Area:
    """Choose the area in which a grid of scores lies, from the index's incidents where none was given."""
    if given.extent and given.polygons is None:
        # Whoever names a box means all of it; what is unknown there is found by its distance from all incidents.
        return Area("extent", given.extent, None)
    at = index.incidents
    return choose_area(at.x, at.y, at.fid, given.extent, given.polygons, given.no_area, context)


def make_grid_points(
    index: CrimeIndex, spacing: Spacing, context: JobContext, reach: float = OUTSIDE_METRES
) -> tuple[Floats, Floats]:
    """Make points at square cells' centres over the extent (the incidents' own by default) and in the polygons.

    Raises
    ------
    DataError
        If there is none, or no incident within `reach` metres of them.
    ParameterError
        If there are more than the spacing's own limit.
    """
    area = choose_index_area(index, spacing, context)
    at = index.incidents
    cells = _make_cells(area, index, spacing.spacing, reach)
    if cells is None or cells[1].sum() > spacing.most_points:
        raise _refuse_points(area, index, spacing, reach, None if cells is None else int(cells[1].sum()))
    grid, inside = cells
    warn_of_rectangle(area, grid, at.x, at.y, context)
    columns, rows = grid.centres()
    row, column = np.nonzero(inside)
    context.log(f"Grid of {count_text(len(row), 'point')}, {spacing.spacing:g} m apart")
    return columns[column], rows[row]


def _make_cells(area: Area, index: CrimeIndex, spacing: float, reach: float) -> tuple[Grid, NDArray[np.bool_]] | None:
    """Make a grid and say which of its cells lie in the area; None where they are too many to look at."""
    west, south, east, north = area.extent
    if ((east - west) / spacing + 1) * ((north - south) / spacing + 1) > MAX_CELLS:
        return None
    grid = make_grid(area.extent, index.crs, cell=spacing)
    return grid, mask_cells(area, grid, index.incidents.x, index.incidents.y, reach)


def _refuse_points(
    area: Area, index: CrimeIndex, spacing: Spacing, reach: float, counted: int | None
) -> ParameterError:
    """Refuse a grid, and find a spacing that is allowed; without a count, by the ground that the area covers."""
    west, south, east, north = area.extent
    ground = sum(shape(polygon).area for polygon in area.polygons or ()) or (east - west) * (north - south)
    if counted is not None:
        ground = counted * spacing.spacing**2
    wider, cells = (ground / spacing.most_points) ** 0.5, None
    while cells is None or cells[1].sum() > spacing.most_points:
        wider = round_spacing_up(wider * 1.001)
        cells = _make_cells(area, index, wider, reach)
    allowed = wider, int(cells[1].sum())
    said = describe_too_many_points(
        spacing.spacing, ground / spacing.spacing / spacing.spacing, spacing.most_points, allowed, counted is not None
    )
    return ParameterError(said[0], parameter="spacing", value=spacing.spacing, remedy=said[1])


def read_places(
    index: CrimeIndex, points: str | None, grid: Spacing | None, context: JobContext, reach: float = OUTSIDE_METRES
) -> tuple[Floats, Floats]:
    """Read x and y of the places to score from the exchange file `points`, or make them on a grid.

    Of a grid farther than `reach` metres from every incident nothing is known.

    Raises
    ------
    DataError
        If there is none, or the grid lies elsewhere than the incidents.
    """
    if grid is not None:
        return make_grid_points(index, grid, context, reach)
    with np.load(str(points), allow_pickle=False) as file:
        x, y = file["x"], file["y"]
    if not len(x):
        raise DataError(
            "There is no point to score", parameter="points", remedy="Give a layer with at least one point geometry"
        )
    return x, y


def write_scores(
    parameters: CrimeScoreLayer | PredictScore,
    fields: Mapping[str, str],
    x: Floats,
    y: Floats,
    scores: Mapping[str, NDArray[Any]],
    crs: str,
    context: JobContext,
) -> str | None:
    """Write the layer of scores; returns its file, None where the scores are to be joined by whoever asked.

    Parameters
    ----------
    parameters : CrimeScoreLayer or PredictScore
        Their ``layer`` is the destination; with ``attributes`` it is that table with the scores, else points.
    fields : mapping of str to type
        Those of ``layer`` in its declaration.
    scores : mapping of str to ndarray
        By field.
    """
    path = parameters.layer
    if path is None:
        return None
    columns = [scores[name] for name in fields]
    if parameters.points is None:

        def chunks() -> Iterator[Chunk]:
            for start in range(0, len(x), CHUNK_ROWS):
                context.progress(start / len(x), "Writing")
                rows = slice(start, start + CHUNK_ROWS)
                yield Chunk([column[rows] for column in columns], x[rows], y[rows])

        write_table(path, fields, chunks(), "point", crs, "layer")
        return path
    if parameters.attributes is None or not has_arrow():
        return None
    with np.load(parameters.points, allow_pickle=False) as file:
        fids = file["fid"]
    named = dict(zip(parameters.score_fields or fields, fields.values(), strict=True))
    table = str(parameters.attributes_table)
    written = extend_table(path, parameters.attributes, table, fids, named, columns, "layer")
    return None if written is None else path


def to_wall_clock(given: datetime | None) -> np.datetime64 | None:
    """Bring a parameter's time to what the engine computes with: the wall clock, whatever zone it carries."""
    return None if given is None else np.datetime64(given.replace(tzinfo=None), "s")
