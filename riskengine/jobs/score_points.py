"""Job: crime scores at given places, or on a grid of points."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import numpy as np
from pydantic import Field, model_validator

from ..artefacts import whole_file
from ..context import JobContext
from ..errors import DataError, ParameterError
from ..grid import MAX_CELLS, make_grid
from ..index import CrimeIndex, Floats
from ..score.definition import score_places
from . import JobParameters

#: A layer of more points than this helps nobody; a raster does (Predict score raster).
MAX_POINTS = 5_000_000


class Spacing(JobParameters):
    spacing: float = Field(gt=0)
    extent: tuple[float, float, float, float] | None = None
    polygons: list[dict[str, Any]] | None = None


class Parameters(JobParameters):
    index: str
    output: str
    points: str | None = None
    grid: Spacing | None = None
    radius: float = 200.0
    window_days: float = 365.0
    reference_time: datetime | None = None
    method: Literal["exact", "as_built"] = "exact"

    @model_validator(mode="after")
    def _one_of(self) -> Parameters:
        if (self.points is None) == (self.grid is None):
            raise ParameterError(
                "Neither points nor a spacing was given, or both",
                parameter="points",
                remedy="Give a point layer to score, or a spacing for a grid of points",
            )
        return self


def grid_points(index: CrimeIndex, spacing: Spacing, context: JobContext) -> tuple[Floats, Floats]:
    """Points at the centres of square cells over the extent (the incidents' own by default) and in the polygons."""
    incidents = index.incidents
    extent = spacing.extent or (
        float(incidents.x.min()),
        float(incidents.y.min()),
        float(incidents.x.max()),
        float(incidents.y.max()),
    )
    west, south, east, north = extent
    possible = ((east - west) / spacing.spacing + 1) * ((north - south) / spacing.spacing + 1)
    if possible > MAX_CELLS:
        raise _too_many(possible, spacing.spacing)
    grid = make_grid(extent, index.crs, cell=spacing.spacing)
    inside = grid.mask(spacing.polygons)
    if not inside.any():
        raise DataError(
            f"No point of a grid with {spacing.spacing:g} m spacing lies inside the polygons",
            parameter="spacing",
            value=spacing.spacing,
            remedy="Choose a smaller spacing, or polygons that overlap the extent",
        )
    if inside.sum() > MAX_POINTS:
        raise _too_many(int(inside.sum()), spacing.spacing)
    columns, rows = grid.centres()
    row, column = np.nonzero(inside)
    context.log(f"Grid of {len(row):,} points, {spacing.spacing:g} m apart")
    return columns[column], rows[row]


def _too_many(points: float, spacing: float) -> ParameterError:
    return ParameterError(
        f"A spacing of {spacing:g} m gives {points:,.0f} points; the limit is {MAX_POINTS:,}",
        parameter="spacing",
        value=spacing,
        remedy="Choose a larger spacing or a smaller extent",
    )


def run(parameters: Parameters, context: JobContext) -> dict[str, Any]:
    """Score the places and write x, y, score_abs, score, percentile as ``.npz``."""
    context.progress(0.0, "Reading the index")
    index = CrimeIndex.load(parameters.index, context)
    if parameters.method == "exact" and index.method == "annoy":
        index = CrimeIndex(index.incidents, index.crs)
    if parameters.grid is not None:
        x, y = grid_points(index, parameters.grid, context)
    else:
        with np.load(str(parameters.points), allow_pickle=False) as points:
            x, y = points["x"], points["y"]
    if not len(x):
        raise DataError(
            "There is no point to score", parameter="points", remedy="Give a layer with at least one point geometry"
        )
    reference: np.datetime64 | None = None
    if parameters.reference_time is not None:
        reference = np.datetime64(parameters.reference_time.replace(tzinfo=None), "s")
    with context.step(0.1, 0.95):
        s_abs, scale, used = score_places(index, x, y, parameters.radius, parameters.window_days, reference, context)
    score = scale.score(s_abs)
    if scale.counts[0] == scale.counts[-1]:
        context.warn(
            f"Every incident has {scale.counts[0]} incidents within {parameters.radius:g} m: the score has no scale,"
            " it is 1 at that count and 0 below"
        )
    with whole_file(parameters.output) as temporary:
        np.savez(temporary, x=x, y=y, score_abs=s_abs, score=score, percentile=scale.percentile(s_abs))
    return {
        "output": parameters.output,
        "crs": index.crs,
        "points": len(x),
        "reference_time": str(used),
        "incidents_in_window": len(scale.counts),
        "s_abs_low": int(scale.counts[0]),
        "s_abs_high": int(scale.counts[-1]),
        "score_low": int((score < 0.3).sum()),
        "score_high": int((score > 0.8).sum()),
        "method": index.method,
    }
