"""The same backtest on shifted grids: how much of a hit rate is the position of the grid."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..contract.forecasters import FORECASTERS
from ..contract.texts import count_text, replace_controls
from ..forecasters.base import Forecaster
from ..ground.context import JobContext
from ..ground.errors import DataError
from ..intake.incidents import Incidents
from ..maps.grid import Grid
from ..maps.heatmaps import Heatmaps
from ..maps.panel import Extras, count_incidents
from ..maps.sparsecounts import SparseCounts
from ..measures.metrics import count_area_hits, log_loss
from .beside import round_finite
from .folds import run_tasks
from .plan import Plan
from .scoring import AREA_SHARE
from .task import make_tasks

#: A stack may differ from what its incidents give by this share before they are taken for others.
_TOLERANCE = 0.01


@dataclass(frozen=True)
class OffsetFigures:
    """Figures at 5 % of the area over several positions of the grid, the given one first.

    Attributes
    ----------
    offsets : tuple of (float, float)
        Shift east and north, as shares of a cell.
    hit_rate, pai, log_loss : tuple of float
        One per position.
    """

    offsets: tuple[tuple[float, float], ...]
    hit_rate: tuple[float, ...]
    pai: tuple[float, ...]
    log_loss: tuple[float, ...]

    def compute_mean(self, figure: str) -> float:
        """Compute the mean of ``hit_rate``, ``pai`` or ``log_loss`` over the positions."""
        return float(np.mean(getattr(self, figure)))

    def compute_deviation(self, figure: str) -> float:
        """Compute the standard deviation over the positions; nan for a single one."""
        values = getattr(self, figure)
        return float(np.std(values, ddof=1)) if len(values) > 1 else float("nan")

    def to_dict(self) -> dict[str, Any]:
        """Mean, standard deviation and every value, JSON-able."""
        figures: dict[str, Any] = {"offsets": [list(each) for each in self.offsets]}
        for figure in ("hit_rate", "pai", "log_loss"):
            figures[figure] = [round_finite(value) for value in getattr(self, figure)]
            figures[f"{figure}_mean"] = round_finite(self.compute_mean(figure))
            figures[f"{figure}_sd"] = round_finite(self.compute_deviation(figure))
        return figures


def list_cheap_models(names: Sequence[str]) -> list[str]:
    """List the models that are run again at every position: the simple ones, but the constant, which knows no place."""
    return [name for name in names if name != "constant" and name in FORECASTERS and FORECASTERS[name].simple]


def sample_offsets(number: int, seed: int) -> list[tuple[float, float]]:
    """Sample shifts east and north in [0, 1) of a cell: none, then `number` random ones."""
    drawn = np.random.default_rng(seed).random((number, 2))
    return [(0.0, 0.0), *((float(east), float(north)) for east, north in drawn)]


def move_grid(heatmaps: Heatmaps, incidents: Incidents, east: float, north: float, times: float = 1.0) -> Heatmaps:
    """Move the grid by these shares of a cell, and make its cells so many times as wide; bins and study area stay.

    The moved grid has a row and a column more, to cover what the first one did; a cell belongs to the study area where
    its centre lies in a cell of the first one's. Further channels are not counted anew and left out, as are layers.
    Counts are sparse where that is smaller; those of the given maps are not read.
    """
    old, side = heatmaps.grid, heatmaps.grid.cell * times
    grid = Grid(
        old.west + (east - bool(east)) * side,
        old.north + north * side,
        side,
        math.ceil(old.columns / times) + bool(east),
        math.ceil(old.rows / times) + bool(north),
        old.crs,
    )
    x, y = np.meshgrid(*grid.centres())
    cell = old.locate(x.ravel(), y.ravel())
    mask: NDArray[np.bool_] = ((cell >= 0) & heatmaps.mask.ravel()[cell]).reshape(grid.shape)
    counts, _ = count_incidents(incidents, grid, heatmaps.edges, mask, heatmaps.binary, sparse=True)
    return replace(heatmaps, counts=counts, mask=mask, support=grid, extras=Extras())


def choose_counted(incidents: Incidents, heatmaps: Heatmaps) -> Incidents:
    """Choose those of the incidents that the stack was counted from.

    Raises
    ------
    DataError
        If they are not the ones it was counted from.
    """
    if heatmaps.categories:
        wanted = {replace_controls(name).casefold() for name in heatmaps.categories}
        codes = [code for code, name in enumerate(incidents.categories) if replace_controls(name).casefold() in wanted]
        incidents = incidents.select(np.isin(incidents.category, codes))
    counts, _ = count_incidents(incidents, heatmaps.grid, heatmaps.edges, heatmaps.mask, heatmaps.binary, sparse=True)
    seen = heatmaps.observed
    have, given = int(counts[seen].sum(dtype=np.int64)), int(heatmaps.counts[seen].sum(dtype=np.float64))
    if abs(have - given) > _TOLERANCE * given:
        if heatmaps.binary and have > given and (least := _binarized_at(incidents, heatmaps, given)):
            raise DataError(
                f"The hotspot grids are binary maps of cells with {count_text(least, 'incident')} or more; moved grids"
                " would be of those with 1 or more",
                parameter="offsets",
                remedy=f"Give the hotspot grids from before they were made binary, with a threshold of {least}, or set"
                " offsets to 0",
            )
        raise DataError(
            f"On the grid the incidents count {have:,}, but the hotspot grids hold {given:,}",
            parameter="incidents",
            value=have,
            remedy="Give the incidents that the hotspot grids were made from, or set offsets to 0",
        )
    return incidents


def _binarized_at(incidents: Incidents, heatmaps: Heatmaps, given: int) -> int:
    """The number of incidents from which on a cell is a 1, if just `given` cells are then; 0 if there is no such."""
    counts, _ = count_incidents(incidents, heatmaps.grid, heatmaps.edges, heatmaps.mask, sparse=True)
    counts = counts[heatmaps.observed]
    # An empty cell is none of those that are counted below.
    counts = counts.rows.data if isinstance(counts, SparseCounts) else counts
    for least in range(2, int(counts.max(initial=0)) + 1):
        have = int((counts >= least).sum())
        if abs(have - given) <= _TOLERANCE * given:
            return least
        if have < given:
            break
    return 0


def run_offsets(
    heatmaps: Heatmaps,
    incidents: Incidents,
    forecasters: Mapping[str, Forecaster],
    plan: Plan,
    number: int,
    threshold: int = 1,
    context: JobContext | None = None,
    workers: int | None = None,
) -> dict[str, OffsetFigures]:
    """Backtest cheap models at the given position of the grid and at `number` random others.

    Parameters
    ----------
    heatmaps : Heatmaps
    incidents : Incidents
        Those that `heatmaps` was counted from, in its CRS.
    forecasters : mapping of str to Forecaster
        Those of `list_cheap_models` are run.
    plan : Plan
        Its first seed draws the positions.
    number : int
        Further positions.
    """
    context = context or JobContext()
    incidents = choose_counted(incidents, heatmaps)
    names = list_cheap_models(list(forecasters))
    offsets = sample_offsets(number, plan.seeds[0])
    rows: dict[str, list[tuple[float, float, float]]] = {name: [] for name in names}
    for position, (east, north) in enumerate(offsets):
        with context.step(position / len(offsets), (position + 1) / len(offsets)):
            moved = move_grid(heatmaps, incidents, east, north)
            scored = plan.first + np.flatnonzero(moved.observed[plan.first :])
            chosen = {name: forecasters[name] for name in names}
            tasks = make_tasks(chosen, len(moved), plan.first, plan.horizon, plan.refit, plan.seeds[:1], set())
            risks: dict[str, list[NDArray[np.float32]]] = {name: [] for name in names}
            for outcome in run_tasks(tasks, moved, context, workers):
                if outcome.risk is not None:
                    risks[outcome.task.model].append(outcome.risk)
                else:
                    names = [name for name in names if name != outcome.task.model]
            counts = moved.counts[scored][:, moved.mask]
            for name in names:
                risk = np.concatenate(risks[name])[scored - plan.first][:, moved.mask]
                hits = count_area_hits(risk, counts, AREA_SHARE, threshold)
                rows[name].append((hits.hit_rate, hits.pai, log_loss(risk, counts >= threshold)))
    return {
        name: OffsetFigures(tuple(offsets), *(tuple(column) for column in zip(*rows[name], strict=True)))
        for name in names
    }
