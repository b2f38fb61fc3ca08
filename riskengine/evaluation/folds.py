"""The folds of a backtest, run here or side by side in processes."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..contract.dates import format_last
from ..contract.forecasters import FORECASTERS, title_of
from ..contract.owners import make_owner
from ..forecasters.base import Forecaster
from ..ground.context import JobContext
from ..maps.panel import Panel
from .processes import Pool, PoolBroken
from .task import Outcome, Task, attempt

#: More processes than this are not started: each may hold a training table of some hundred megabytes.
MOST_PROCESSES = 8
#: Cells times maps times fits below which processes take longer to start (4 s of a core each) than they save; a plain
#: count is this share of the work of a regression.
_WORTH, _PLAIN = 3_000_000, 0.02
#: Bytes of the machine's memory that a process is granted, and processes where its memory is not known (Windows).
_MEMORY, _UNKNOWN = 2 * 2**30, 2


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
    shared = [task for task in tasks if not task.alone and _importable(task.forecaster)]
    if workers is None:
        work = int(heatmaps.mask.sum()) * sum(task.end * (_PLAIN if _plain(task) else 1.0) for task in shared)
        workers = min(count_cores(), MOST_PROCESSES, _memory_for()) if work > _WORTH else 1
    # Windows waits for at most 61 processes at once.
    workers = min(workers, len(shared), 61)
    if workers < 2:
        yield from _here(tasks, heatmaps, context, 0, len(tasks), set())
        return
    rest = [task for task in tasks if task.alone or not _importable(task.forecaster)]
    failed: set[str] = set()
    for outcome in _side_by_side(shared, heatmaps, context, workers, len(tasks)):
        if outcome.failure:
            failed.add(outcome.task.model)
        yield outcome
    yield from _here(rest, heatmaps, context, len(shared), len(tasks), failed)


def _plain(task: Task) -> bool:
    entry = FORECASTERS.get(task.forecaster.name)
    return entry is not None and entry.simple


def _importable(forecaster: Forecaster) -> bool:
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
    return f"{title_of(task.model)}: fitted on the {heatmaps.bin_noun}s up to {format_last(origin, heatmaps.bin)}"


def _side_by_side(
    tasks: Sequence[Task], heatmaps: Panel, context: JobContext, workers: int, total: int
) -> Iterator[Outcome]:
    """Outcomes in the order of the tasks, from processes that all read one copy of the stack on disk.

    A process that is killed, as for its memory, takes all others of its pool with it. What was not finished is then
    done by one process at a time, so that it is known whose it was.
    """
    with tempfile.TemporaryDirectory(prefix=f"crimerisk_{make_owner()}_", ignore_cleanup_errors=True) as folder:
        failed: set[str] = set()
        number = 0
        while number < len(tasks):
            try:
                with Pool(workers, Path(folder), heatmaps, len(tasks)) as pool:
                    for outcome in pool.map(tasks, number, context, total):
                        number += 1
                        # One failure a model is enough.
                        if outcome.task.model not in failed:
                            yield outcome
                        if outcome.failure:
                            failed.add(outcome.task.model)
            except PoolBroken as broken:
                if not broken.began:
                    yield from _here(tasks[number:], heatmaps, context, number, total, failed)
                    return
                if workers > 1:
                    context.warn("A process of the backtest ended unexpectedly; the rest is done by one at a time")
                    workers = 1
                    continue
                task = tasks[number]
                number += 1
                if task.model not in failed:
                    failed.add(task.model)
                    sentence = "Its process was ended from outside, probably because memory ran out."
                    yield Outcome(task, None, 0.0, sentence)
