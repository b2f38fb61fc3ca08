"""The same work at other positions of the grid, and on cells of other sizes, side by side in processes."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

import numpy as np

from ..contract.owners import make_owner
from ..contract.texts import format_amount
from ..ground.context import JobContext
from ..ground.errors import Cancelled
from ..ground.failures import describe_failure
from ..intake.incidents import Incidents
from ..maps.heatmaps import Heatmaps
from ..maps.panel import Extras
from .folds import choose_workers
from .offsets import move_grid
from .processes import LOST, PoolBroken, Work, run_apart
from .task import one_core

R = TypeVar("R")

#: What is counted of incidents.
_READ = ("x", "y", "time")


class Position(NamedTuple):
    """Where a grid lies beside the given one.

    Attributes
    ----------
    east, north : float
        Shift, as a share of its own cell.
    times : float
        Its cells are so many times as wide.
    """

    east: float = 0.0
    north: float = 0.0
    times: float = 1.0


@dataclass(frozen=True)
class Placed(Generic[R]):
    """What became of the work at one position.

    Attributes
    ----------
    position : Position
    result : object or None
        What the work returned.
    seconds : float
    failure : str
        A sentence; empty when all went well.
    """

    position: Position
    result: R | None
    seconds: float
    failure: str = ""


def run_positions(
    heatmaps: Heatmaps,
    incidents: Incidents,
    positions: Sequence[Position],
    work: Callable[[Heatmaps, JobContext], R],
    context: JobContext | None = None,
    workers: int | None = None,
) -> Generator[Placed[R], None, None]:
    """Count the incidents on each grid, sparsely, and do the work on it; in the order of the positions.

    Parameters
    ----------
    heatmaps : Heatmaps
        The given grid; its counts are not read.
    incidents : Incidents
        Those that it was counted from (`riskengine.evaluation.offsets.choose_counted`).
    positions : sequence of Position
    work : callable
        Takes the panel of a position, and a context that knows of a cancel and takes progress; gives something small.
        Another process must be able to import it: a function of a module, or a `functools.partial` of one.
    context : JobContext, optional
        Progress 0 to 1 over all positions.
    workers : int, optional
        Processes; 1 for none but this one. By default one per core where the work is worth it.

    Yields
    ------
    Placed

    Raises
    ------
    Cancelled
    """
    context = context or JobContext()
    shell = replace(heatmaps, counts=heatmaps.counts[:0], extras=Extras())
    workers = choose_workers(_measure_work(heatmaps, positions), len(positions), workers)
    done = 0
    if workers > 1:
        with tempfile.TemporaryDirectory(prefix=f"crimerisk_{make_owner()}_", ignore_cleanup_errors=True) as folder:
            for name in _READ:
                np.save(Path(folder) / f"{name}.npy", getattr(incidents, name), allow_pickle=False)
            apart = Work(_open, shell, partial(_do_apart, work), partial(_describe, heatmaps.grid.cell, positions))
            try:
                with closing(run_apart(apart, positions, Path(folder), context, workers)) as answers:
                    for answer in answers:
                        placed = Placed(positions[done], None, 0.0, LOST) if answer is None else answer
                        done += 1
                        yield placed
            except PoolBroken:
                pass
    for number in range(done, len(positions)):
        with context.step(number / len(positions), (number + 1) / len(positions)):
            context.progress(0.0, _describe(heatmaps.grid.cell, positions, number))
            yield _do(work, shell, incidents, positions[number], context)


def _measure_work(heatmaps: Heatmaps, positions: Sequence[Position]) -> float:
    """Cells times maps, of all positions."""
    return int(heatmaps.mask.sum()) * len(heatmaps.edges) * sum(each.times**-2 for each in positions)


def _describe(cell: float, positions: Sequence[Position], number: int) -> str:
    times = positions[number].times
    side = f", cells of {format_amount(cell * times)} m" if times != 1 else ""
    return f"Grid position {number + 1} of {len(positions)}{side}"


def _open(folder: Path, shell: Heatmaps) -> tuple[Heatmaps, Incidents]:
    """In another process: the incidents, as files seen as arrays."""
    x, y, moment = (np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False) for name in _READ)
    nothing = np.zeros(0, dtype=np.int32)
    return shell, Incidents(x, y, moment, nothing, [], nothing.astype(np.int64))


def _do_apart(
    work: Callable[[Heatmaps, JobContext], R],
    opened: tuple[Heatmaps, Incidents],
    number: int,
    position: Position,
    context: JobContext,
) -> Placed[R]:
    return _do(work, *opened, position, context)


def _do(
    work: Callable[[Heatmaps, JobContext], R],
    shell: Heatmaps,
    incidents: Incidents,
    position: Position,
    context: JobContext,
) -> Placed[R]:
    """Whatever stops it but a cancel becomes a sentence, so that the other positions go on."""
    began = time.monotonic()
    try:
        with one_core():
            result = work(move_grid(shell, incidents, *position), context)
    except Cancelled:
        raise
    except Exception as error:
        return Placed(position, None, time.monotonic() - began, describe_failure(error))
    return Placed(position, result, time.monotonic() - began)
