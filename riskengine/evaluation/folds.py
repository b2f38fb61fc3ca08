"""The folds of a backtest, run here or side by side in processes."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from ..contract.dates import format_moment
from ..contract.forecasters import FORECASTERS, title_of
from ..contract.owners import make_owner
from ..contract.texts import count_text
from ..forecasters.base import Forecaster
from ..ground.context import JobContext
from ..maps.panel import Extras, Panel
from ..maps.sparsecounts import SparseCounts
from .processes import LOST, PoolBroken, Work, run_apart
from .task import Outcome, Task, attempt

#: More processes than this are not started: each may hold a training table of some hundred megabytes.
MOST_PROCESSES = 8
#: Cells times maps times fits below which processes take longer to start (4 s of a core each) than they save; a plain
#: count is this share of the work of a regression.
_WORTH, _PLAIN = 3_000_000, 0.02
#: Bytes of the machine's memory that a process is granted, and processes where its memory is not known (Windows).
_MEMORY, _UNKNOWN = 2 * 2**30, 2
#: What sparse counts are made of.
_PARTS = ("data", "indices", "indptr")


def count_cores() -> int:
    """Count the cores this process may use; the same as in `riskengine.learning.threads`, which waits for torch."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _memory_for() -> int:
    """Processes that the machine's memory suffices for."""
    try:
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return _UNKNOWN
    return max(memory // _MEMORY, 1)


def choose_workers(work: float, items: int, wished: int | None) -> int:
    """Choose how many processes do the items, 1 for none but this one.

    Parameters
    ----------
    work : float
        Cells times maps times fits of all items.
    items : int
    wished : int, optional
        By default one per core where the work is worth it.
    """
    if wished is None:
        wished = min(count_cores(), MOST_PROCESSES, _memory_for()) if work > _WORTH else 1
    # Windows waits for at most 61 processes at once.
    return min(wished, items, 61)


def run_tasks(tasks: Sequence[Task], heatmaps: Panel, context: JobContext, workers: int | None) -> Iterator[Outcome]:
    """Outcomes in the order of the tasks; those of networks last.

    Parameters
    ----------
    tasks : sequence of Task
    heatmaps : Panel
    context : JobContext
        Progress 0 to 1 over all tasks.
    workers : int, optional
        Processes; 1 for none but this one. By default one per core where the work is worth it.
    """
    tasks = [*(task for task in tasks if not task.alone), *(task for task in tasks if task.alone)]
    shared = [task for task in tasks if not task.alone and is_importable(task.forecaster)]
    work = int(heatmaps.mask.sum()) * sum(task.end * (_PLAIN if _plain(task) else 1.0) for task in shared)
    workers = choose_workers(work, len(shared), workers)
    if workers < 2:
        yield from _here(tasks, heatmaps, context, 0, len(tasks), set())
        return
    rest = [task for task in tasks if task.alone or not is_importable(task.forecaster)]
    failed: set[str] = set()
    for outcome in _side_by_side(shared, heatmaps, context, workers, len(tasks)):
        if outcome.failure:
            failed.add(outcome.task.model)
        yield outcome
    yield from _here(rest, heatmaps, context, len(shared), len(tasks), failed)


def _plain(task: Task) -> bool:
    entry = FORECASTERS.get(task.forecaster.name)
    return entry is not None and entry.simple


def is_importable(forecaster: Forecaster) -> bool:
    """Whether another process finds its class: one of a script or a test may exist only here."""
    return type(forecaster).__module__.startswith(f"{__package__.partition('.')[0]}.")


def _here(
    tasks: Sequence[Task], heatmaps: Panel, context: JobContext, done: int, total: int, failed: set[str]
) -> Iterator[Outcome]:
    for number, task in enumerate(tasks, done):
        if task.model in failed:
            continue
        context.progress(number / total, _what(task, heatmaps))
        with context.step(number / total, (number + 1) / total):
            outcome = attempt(task, heatmaps, context)
        if outcome.failure:
            failed.add(task.model)
        yield outcome


def _what(task: Task, heatmaps: Panel) -> str:
    origin = heatmaps.edges[task.first - task.horizon + 1]
    return f"{title_of(task.model)}: fitted on what was known by {format_moment(origin, heatmaps.bin)}"


def _side_by_side(
    tasks: Sequence[Task], heatmaps: Panel, context: JobContext, workers: int, total: int
) -> Iterator[Outcome]:
    """Outcomes in the order of the tasks, from processes that all read one copy of the stack on disk."""
    with tempfile.TemporaryDirectory(prefix=f"crimerisk_{make_owner()}_", ignore_cleanup_errors=True) as folder:
        failed: set[str] = set()
        number = 0
        shell = save_stack(Path(folder), heatmaps)
        work = Work(open_stack, shell, _attempt_apart, lambda each: _tell(tasks, each, total))
        try:
            with closing(run_apart(work, tasks, Path(folder), context, workers, total)) as answers:
                for answer in answers:
                    outcome = _read(Path(folder), number, tasks[number], answer)
                    number += 1
                    # One failure a model is enough.
                    if outcome.task.model not in failed:
                        yield outcome
                    if outcome.failure:
                        failed.add(outcome.task.model)
        except PoolBroken:
            yield from _here(tasks[number:], heatmaps, context, number, total, failed)


def _tell(tasks: Sequence[Task], number: int, total: int) -> str:
    return f"{title_of(tasks[number].model)}: {number + 1} of {count_text(total, 'fit')}"


def _attempt_apart(opened: tuple[Path, Panel], number: int, task: Task, context: JobContext) -> dict[str, Any]:
    """In another process: run one task and leave its forecast in a file."""
    folder, heatmaps = opened
    outcome = attempt(task, heatmaps, context)
    if outcome.risk is not None:
        np.save(folder / f"risk{number}.npy", outcome.risk, allow_pickle=False)
    return {"failure": outcome.failure, "seconds": outcome.seconds, "long_run": outcome.long_run}


def _read(folder: Path, number: int, task: Task, answer: dict[str, Any] | None) -> Outcome:
    if answer is None:
        return Outcome(task, None, 0.0, LOST)
    if answer["failure"]:
        return Outcome(task, None, answer["seconds"], answer["failure"])
    path = folder / f"risk{number}.npy"
    risk = np.load(path, allow_pickle=False)
    path.unlink()
    return Outcome(task, risk, answer["seconds"], long_run=answer["long_run"])


def save_stack(folder: Path, panel: Panel) -> Panel:
    """Save what is large of a panel in a folder; returns the rest, which `open_stack` reads it with."""
    counts = panel.counts
    parts = {"counts": counts}
    if isinstance(counts, SparseCounts):
        parts = {name: getattr(counts.rows, name) for name in _PARTS}
    for name, part in {**parts, "channels": panel.extras.channels}.items():
        np.save(folder / f"{name}.npy", part, allow_pickle=False)
    return replace(panel, counts=counts[:0], extras=replace(panel.extras, channels=Extras().channels))


def open_stack(folder: Path, shell: Panel) -> tuple[Path, Panel]:
    """Open what `save_stack` saved, as files seen as arrays, and remember the folder."""

    counts: Any = shell.counts
    if isinstance(counts, SparseCounts):
        rows = csr_array(
            tuple(_map_file(folder / f"{name}.npy") for name in _PARTS),
            shape=(len(shell.edges) - 1, counts.rows.shape[1]),
        )
        counts = SparseCounts(rows, counts.space)
    else:
        counts = _map_file(folder / "counts.npy")
    channels = _map_file(folder / "channels.npy")
    return folder, replace(shell, counts=counts, extras=replace(shell.extras, channels=channels))


def _map_file(path: Path) -> NDArray[Any]:
    """See a file as an array; one of nothing cannot be, and is read."""
    try:
        mapped: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except ValueError:
        mapped = np.load(path, allow_pickle=False)
    return mapped
