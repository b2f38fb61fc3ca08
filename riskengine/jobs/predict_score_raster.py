"""Job: predicted crime scores of a whole area as a GeoTIFF."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from ..contract import tags as tagnames
from ..contract.texts import count_text, format_amount, part_text
from ..contract.tools.score import PredictScoreRaster
from ..ground.artefacts import check_folder
from ..ground.context import JobContext
from ..ground.errors import DataError
from ..maps.area import mask_cells, warn_of_rectangle
from ..maps.geotiff import make_grid_profile, write_geotiff
from ..maps.grid import Grid, make_grid, round_cell
from ..maps.study_area import Extent
from ..systems.score.applied import AppliedModel
from ..systems.score.counted import tell_window
from ..systems.score.index import read_index_head
from ..systems.score.places import choose_index_area, to_wall_clock
from ..systems.score.query import OUTSIDE_METRES

BANDS = ("score", "lower", "upper", "percentile")
#: Rows and columns of cells predicted at once; a multiple of the file's own blocks, so that each is written once.
TILE = 512
#: Left empty, the cell size gives no more cells than this.
USUAL_CELLS = 1_000_000


def choose_cell(extent: Extent, radius: float) -> float:
    """Choose the cell size in metres: half the radius, within which a score hardly changes; larger for a large area."""
    west, south, east, north = extent
    cell = round_cell(radius / 2)
    while (math.ceil((east - west) / cell) + 1) * (math.ceil((north - south) / cell) + 1) > USUAL_CELLS:
        cell = round_cell(cell * 1.8)
    return cell


def choose_grid(parameters: PredictScoreRaster, extent: Extent, applied: AppliedModel, context: JobContext) -> Grid:
    """Choose the grid that was asked for, or the usual one, which is reported."""
    cell = parameters.cell_size
    automatic = cell is None and parameters.columns is None and parameters.rows is None
    if automatic:
        cell = choose_cell(extent, applied.model.card.radius)
    grid = make_grid(extent, applied.index.crs, cell, parameters.columns, parameters.rows, len(BANDS))
    why = f", half the radius of {applied.model.card.radius:g} m or what the area allows" if automatic else ""
    context.log(
        f"Grid of {count_text(grid.columns, 'column')} x {count_text(grid.rows, 'row')}, cell size"
        f" {format_amount(grid.cell)} m{why}"
    )
    return grid


def list_tiles(grid: Grid) -> Iterator[Window]:
    """List windows of at most `TILE` by `TILE` cells, row by row."""
    for row in range(0, grid.rows, TILE):
        for column in range(0, grid.columns, TILE):
            yield Window(column, row, min(TILE, grid.columns - column), min(TILE, grid.rows - row))


def predict_tile(
    applied: AppliedModel, grid: Grid, mask: NDArray[np.bool_], window: Window, asked: int, context: JobContext
) -> NDArray[np.float32]:
    """Predict the bands of one tile, shape (bands, rows, columns); NaN outside the study area and outside the data.

    `asked` cells are predicted in all tiles together.
    """
    rows, columns = window.toslices()
    x, y = grid.centres()
    row, column = np.nonzero(mask[rows, columns])
    out = np.full((len(BANDS), window.height, window.width), np.nan, dtype=np.float32)
    if len(row):
        scores = applied.predict(x[columns][column], y[rows][row], context, asked)
        for band, name in zip(out, BANDS, strict=True):
            band[row, column] = scores[name]
    return out


def run(parameters: PredictScoreRaster, context: JobContext) -> dict[str, Any]:
    """Predict tile by tile into one file; whole or not at all."""
    check_folder(parameters.output)
    applied = AppliedModel.load(
        parameters.index, parameters.model, to_wall_clock(parameters.reference_time), parameters.elsewhere, context
    )
    area = choose_index_area(applied.index, parameters, context)
    grid = choose_grid(parameters, area.extent, applied, context)
    where = applied.index.incidents
    mask = mask_cells(area, grid, where.x, where.y, OUTSIDE_METRES)
    inside = int(mask.sum())
    warn_of_rectangle(area, grid, where.x, where.y, context)
    windows = list(list_tiles(grid))
    asked = inside if len(windows) > 1 else 0
    predicted = 0
    profile = make_grid_profile(grid, len(BANDS), "float32", float("nan"))
    with write_geotiff(parameters.output, profile, _tags(applied, parameters.index)) as target:
        for number, name in enumerate(BANDS, 1):
            target.set_band_description(number, name)
        for number, window in enumerate(windows):
            with context.step(0.05 + 0.9 * number / len(windows), 0.05 + 0.9 * (number + 1) / len(windows)):
                context.progress(0.0, f"tile {number + 1} of {len(windows)}")
                out = predict_tile(applied, grid, mask, window, asked, context)
            target.write(out, window=window)
            predicted += int(np.isfinite(out[0]).sum())
        _check_some(predicted)
    if predicted < inside:
        context.warn(
            f"{part_text(inside - predicted, inside, 'cell', 'lies', 'lie')} more than {OUTSIDE_METRES / 1000:g} km"
            f" from every"
            " incident: they are no data, which does not mean that nothing happens there"
        )
    card = applied.model.card
    return {
        "output": parameters.output,
        "crs": applied.index.crs,
        "cell_size": grid.cell,
        "columns": grid.columns,
        "rows": grid.rows,
        "cells": predicted,
        "unknown": inside - predicted,
        "tiles": len(windows),
        "reference_time": str(applied.recent.reference),
        "recent_incidents": len(applied.recent),
        "recent_days": card.recent_days,
        **tell_window(applied.recent.incidents, card.recent_days, applied.recent.reference),
        "model": card.name,
        "classes": applied.classes,
    }


def _check_some(predicted: int) -> None:
    if not predicted:
        raise DataError(
            f"All cells lie outside the data, more than {OUTSIDE_METRES / 1000:g} km from every incident",
            parameter="extent",
            remedy="Choose an extent in the city that the index covers",
        )


def _tags(applied: AppliedModel, index: str) -> dict[str, str]:
    """What the file says about itself."""
    return {
        tagnames.FORMAT: str(tagnames.FORMAT_NUMBER),
        tagnames.KIND: tagnames.PREDICTED_SCORE_KIND,
        tagnames.SOURCE: str(read_index_head(index).get("source", "")),
        tagnames.REFERENCE: str(applied.recent.reference),
        tagnames.TRAINED_UNTIL: applied.model.card.reference_time,
        tagnames.CLASSES: json.dumps(applied.classes),
        tagnames.MODEL_CARD: applied.model.card.model_dump_json(),
    }
