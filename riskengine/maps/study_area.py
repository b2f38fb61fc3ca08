"""The study area: the box, or the polygons, that keep the places where incidents are dense."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..contract.texts import count_text, format_amount, none_text, part_text
from ..contract.tools.grids import SelectStudyArea
from ..ground.context import JobContext
from ..ground.errors import DataError, ParameterError
from .grid import Grid, make_grid, round_cell

#: Published grid division (32 x 32) and the share of incidents that is "minimum loss" in our reading.
DIVISIONS = 32
SHARE = SelectStudyArea.share
#: Published is a threshold of events for a row or column, not its value.
EVENTS = SelectStudyArea.events
#: More rows or columns than this are refused: nobody chooses a study area by the metre.
MOST_ROWS = 1000

Extent = tuple[float, float, float, float]
#: First row, last row, first column, last column; all included.
Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class StudyArea:
    """A chosen box.

    Attributes
    ----------
    extent : (west, south, east, north)
        Metres.
    inside : ndarray of bool, shape (N,)
        Which incidents lie in it.
    cell : float
        Side of the cells that were looked at, metres.
    """

    extent: Extent
    inside: NDArray[np.bool_]
    cell: float


def trim_by_events(counts: NDArray[np.int64], least: int) -> Box:
    """Take off outer rows and columns while they hold fewer than `least` incidents (Omdena/Safecity 2020).

    The emptiest of the four sides goes first (of equals north, south, west, east): what remains of the others is
    counted anew, so that the order of the sides does not decide.

    Raises
    ------
    DataError
        If nothing remains.
    """
    top, bottom, left, right = 0, counts.shape[0] - 1, 0, counts.shape[1] - 1
    while top <= bottom and left <= right:
        rows = counts[top : bottom + 1, left : right + 1].sum(axis=1)
        columns = counts[top : bottom + 1, left : right + 1].sum(axis=0)
        sides = [int(rows[0]), int(rows[-1]), int(columns[0]), int(columns[-1])]
        side = int(np.argmin(sides))
        if sides[side] >= least:
            return top, bottom, left, right
        top, bottom = top + (side == 0), bottom - (side == 1)
        left, right = left + (side == 2), right - (side == 3)
    raise DataError(
        f"No row or column of the grid holds {count_text(least, 'incident')}; the fullest cell holds"
        f" {int(counts.max()):,}",
        parameter="events",
        value=least,
        remedy="Choose a lower threshold, or larger cells",
    )


def choose_smallest_box(counts: NDArray[np.int64], share: float, total: int, context: JobContext | None = None) -> Box:
    """Choose the box of fewest cells that holds at least `share` of `total`; of equals the fullest.

    Every pair of a first and a last row is tried; for each the columns follow from their running sums.
    """
    context = context or JobContext()
    needed = int(np.ceil(share * total - 1e-9))
    if counts.shape[0] > counts.shape[1]:
        left, right, top, bottom = choose_smallest_box(np.ascontiguousarray(counts.T), share, total, context)
        return top, bottom, left, right
    rows = np.vstack([np.zeros(counts.shape[1], dtype=np.int64), np.cumsum(counts, axis=0)])
    held = rows.sum(axis=1)
    best: tuple[tuple[int, int], Box] | None = None
    for top in range(len(counts)):
        context.progress(top / len(counts), "Looking for the smallest box")
        # Bands of fewer rows do not hold enough, whatever their columns.
        first_enough = int(np.searchsorted(held, held[top] + needed)) - 1
        for bottom in range(first_enough, len(counts)):
            height = bottom - top + 1
            if best is not None and height > best[0][0]:
                break
            running = np.r_[0, np.cumsum(rows[bottom + 1] - rows[top])]
            # For each first column the nearest last one that reaches the number.
            right = np.searchsorted(running, running[:-1] + needed)
            width = np.where(right < len(running), right - np.arange(len(right)), len(running) * 2)
            width = np.maximum(width, 1)
            inside = running[np.minimum(np.arange(len(right)) + width, len(running) - 1)] - running[:-1]
            fewest = int(width.min())
            first = int(np.argmax(np.where(width == fewest, inside, -1)))
            rank = (fewest * height, -int(inside[first]))
            if best is None or rank < best[0]:
                best = rank, (top, bottom, first, first + fewest - 1)
    assert best is not None, "the whole grid holds them all"
    return best[1]


def choose_dense_box(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    crs: str,
    *,
    events: int | None = None,
    share: float = SHARE,
    cell: float | None = None,
    context: JobContext | None = None,
) -> StudyArea:
    """Choose the box that keeps the dense part of the incidents.

    Parameters
    ----------
    x, y : ndarray of float64
        Metres.
    crs : str
    events : int, optional
        Trim outer rows and columns with fewer incidents than this; see `trim_by_events`.
    share : float
        Without `events`: keep at least this share in the smallest box.
    cell : float, optional
        Side of a cell in metres. By default a 32nd of the longer side, rounded; the grid is then laid anew over what
        remains as long as that is less than a quarter of it, so that a few far places do not make the cells coarse.
    context : JobContext, optional

    Raises
    ------
    ParameterError
        For a threshold, share or cell size that cannot work.
    DataError
        If no row or column reaches `events`.
    """
    context = context or JobContext()
    if events is not None and events < 1:
        raise ParameterError(
            f"events is {events}; it must be at least 1", parameter="events", value=events, remedy="Give a whole number"
        )
    if cell is not None and not cell > 0:
        raise ParameterError(
            f"cell_size is {cell:g}; it must be greater than 0",
            parameter="cell_size",
            value=cell,
            remedy="Give a positive number, or leave it empty for an automatic choice",
        )
    if not 0 < share <= 1:
        raise ParameterError(
            f"share is {share:g}; it must be above 0 and at most 1",
            parameter="share",
            value=share,
            remedy="For example 0.95 keeps at least 95 % of the incidents",
        )
    extent: Extent = float(x.min()), float(y.min()), float(x.max()), float(y.max())
    for _ in range(10):
        side = max(extent[2] - extent[0], extent[3] - extent[1])
        size = cell or max(round_cell(side / DIVISIONS), 1.0) if side else cell or 100.0
        grid = make_grid(extent, crs, size)
        if max(grid.shape) > MOST_ROWS:
            raise ParameterError(
                f"Cells of {format_amount(size)} m make a grid of {count_text(grid.columns, 'column')} x"
                f" {count_text(grid.rows, 'row')}; the limit is "
                f"{MOST_ROWS:,}",
                parameter="cell_size",
                value=size,
                remedy="Choose a larger cell size, or leave it empty",
            )
        number = grid.locate(x, y)
        counts = np.bincount(number[number >= 0], minlength=grid.rows * grid.columns).reshape(grid.shape)
        box = choose_smallest_box(counts, share, len(x), context) if events is None else trim_by_events(counts, events)
        top, bottom, left, right = box
        extent = (
            grid.west + left * size,
            grid.north - (bottom + 1) * size,
            grid.west + (right + 1) * size,
            grid.north - top * size,
        )
        row, column = np.divmod(number, grid.columns)
        inside = (number >= 0) & (row >= top) & (row <= bottom) & (column >= left) & (column <= right)
        kept = (bottom - top + 1) * (right - left + 1)
        if cell is not None or 4 * kept >= counts.size or size <= 1.0:
            break
        context.log(
            f"Only {part_text(kept, counts.size, 'cell')} of {format_amount(size)} m remain: the grid is laid anew"
            f" over them"
        )
    return StudyArea(extent, inside, size)


def in_polygons(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    polygons: Sequence[dict[str, Any]],
    context: JobContext | None = None,
) -> NDArray[np.bool_]:
    """Say which points lie in any of the GeoJSON polygons or multipolygons (even-odd rule, so holes are left out)."""
    inside = np.zeros(len(x), dtype=bool)
    order = np.argsort(y, kind="stable")
    sorted_x, sorted_y = x[order], y[order]
    context = context or JobContext()
    parts = list(_polygons(polygons))
    for number, rings in enumerate(parts):
        context.progress(number / len(parts), f"polygon {number + 1} of {len(parts)}")
        odd = np.zeros(len(x), dtype=bool)
        for ring in rings:
            corners = np.asarray(ring, dtype=np.float64)[:, :2]
            low, high = np.sort(np.stack([corners[:-1, 1], corners[1:, 1]]), axis=0)
            # Only the points between an edge's ends can lie beside it.
            begin, end = np.searchsorted(sorted_y, low), np.searchsorted(sorted_y, high)
            for edge in np.flatnonzero(begin < end):
                (x1, y1), (x2, y2) = corners[edge], corners[edge + 1]
                part = slice(begin[edge], end[edge])
                odd[part] ^= sorted_x[part] < x1 + (sorted_y[part] - y1) * (x2 - x1) / (y2 - y1)
        inside[order[odd]] = True
    return inside


def describe_empty_area(total: int, area: Literal["polygons", "extent"], reach: float = 0.0) -> DataError:
    """Describe that no incident lies in what was chosen, nor within `reach` metres of it."""
    near = f" or within {reach / 1000:g} km of {'them' if area == 'polygons' else 'it'}" if reach else ""
    choose = "polygons that overlap the incidents" if area == "polygons" else "an extent that overlaps the incidents"
    return DataError(
        f"{none_text(total, 'incident', 'lies', 'does not lie')} inside the {area}{near}",
        parameter=area,
        remedy=f"Choose {choose}, and check the CRS of both",
    )


def require_incidents(
    grid: Grid,
    mask: NDArray[np.bool_],
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    polygons: Sequence[dict[str, Any]] | None,
    reach: float = 0.0,
) -> None:
    """Refuse a grid that lies elsewhere than the incidents: its zeros would look like places without crime.

    Parameters
    ----------
    grid : Grid
    mask : ndarray of bool, shape (rows, columns)
        Its cells in the study area; at least one.
    x, y : ndarray of float64
        All incidents, whatever is counted of them: a quiet week in the right place is an answer.
    polygons : sequence of dict or None
        The study area.
    reach : float
        Incidents so near, metres, are enough: a score is of a park without any incident, too.

    Raises
    ------
    DataError
        If no incident lies in the study area or, without one, in the extent.
    """
    number = grid.locate(x, y)
    if mask.ravel()[number[number >= 0]].any():
        return
    if reach:
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        west, east = grid.west + columns[0] * grid.cell, grid.west + (columns[-1] + 1) * grid.cell
        north, south = grid.north - rows[0] * grid.cell, grid.north - (rows[-1] + 1) * grid.cell
        aside = np.maximum(np.maximum(west - x, x - east), 0.0), np.maximum(np.maximum(south - y, y - north), 0.0)
        if (np.hypot(*aside) <= reach).any():
            return
    if polygons is not None and not in_polygons(x, y, polygons).any():
        raise describe_empty_area(len(x), "polygons", reach)
    if not (number >= 0).any():
        raise describe_empty_area(len(x), "extent", reach)


def _polygons(shapes: Sequence[dict[str, Any]]) -> Iterator[list[Any]]:
    for shape in shapes:
        if shape["type"] == "Polygon":
            yield shape["coordinates"]
        elif shape["type"] == "MultiPolygon":
            yield from shape["coordinates"]
