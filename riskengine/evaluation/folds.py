"""The folds of a backtest: fit before each origin, forecast up to the next; side by side in processes."""

from __future__ import annotations

import inspect
import os
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..contract.forecasters import FORECASTERS
from ..forecasters.base import Forecaster
from ..ground.context import JobContext
from ..ground.errors import Cancelled, CrimeRiskError, DataError
from ..maps.heatmaps import Heatmaps
from .processes import Pool, PoolBroken

#: More processes than this are not started: each may hold a training table of some hundred megabytes.
MOST_PROCESSES = 8
#: Cells times maps times fits below which processes take longer to start (4 s of a core each) than they save; a plain
#: count is this share of the work of a regression.
_WORTH, _PLAIN = 3_000_000, 0.02
#: Bytes of the machine's memory that a process is granted, and processes where its memory is not known (Windows).
_MEMORY, _UNKNOWN = 2 * 2**30, 2


@dataclass(frozen=True)
class Task:
    """One fit, and the maps forecast with it.

    Attributes
    ----------
    model : str
    seed : int
        Position among the plan's seeds; 0 for a forecaster that draws no random numbers.
    forecaster : Forecaster
        Not fitted.
    first, end : int
        The maps forecast: first <= t < end.
    horizon : int
    alone : bool
        Uses all cores by itself (networks): runs in this process, one after the other.
    """

    model: str
    seed: int
    forecaster: Forecaster
    first: int
    end: int
    horizon: int
    alone: bool


@dataclass(frozen=True)
class Outcome:
    """What became of a task.

    Attributes
    ----------
    task : Task
    risk : ndarray of float32, shape (end - first, H, W), or None
    seconds : float
    failure : str
        A sentence; empty when all went well.
    """

    task: Task
    risk: NDArray[np.float32] | None
    seconds: float
    failure: str = ""


def draws_random_numbers(forecaster: Forecaster) -> bool:
    """Whether a seed changes what it forecasts."""
    return "seed" in inspect.signature(type(forecaster).__init__).parameters


def fresh(forecaster: Forecaster, seed: int | None = None) -> Forecaster:
    """An unfitted one of the same settings, or with another seed."""
    settings = forecaster.settings()
    if seed is not None:
        settings["seed"] = seed
    return type(forecaster)(**settings)


def make_tasks(
    forecasters: Mapping[str, Forecaster],
    maps: int,
    first: int,
    horizon: int,
    refit: int,
    seeds: Sequence[int],
    networks: set[str],
) -> list[Task]:
    """Every fit that a backtest needs, model by model, seed by seed, fold by fold."""
    starts = list(range(first, maps, refit or maps))
    tasks = []
    for name, forecaster in forecasters.items():
        wanted: Sequence[int | None] = seeds if draws_random_numbers(forecaster) else [None]
        tasks += [
            Task(name, position, fresh(forecaster, seed), start, end, horizon, name in networks)
            for position, seed in enumerate(wanted)
            for start, end in zip(starts, [*starts[1:], maps], strict=True)
        ]
    return tasks


def run_task(task: Task, heatmaps: Heatmaps, context: JobContext) -> NDArray[np.float32]:
    """Fit on what was known at the fold's first origin, and forecast its maps.

    Raises
    ------
    DataError
        If the forecaster gives anything but a probability for some cell of the study area.
    """
    with context.step(0.0, 0.7):
        task.forecaster.fit(heatmaps.before(task.first - task.horizon + 1), context)
    with context.step(0.7, 1.0):
        # Nothing behind the fold exists for it: map t is forecast from the maps before t - horizon + 1.
        history = heatmaps.before(task.end)
        risk = task.forecaster.predict_ahead(history, task.first, task.horizon, context)
    inside = risk[:, heatmaps.mask]
    if not ((inside >= 0) & (inside <= 1)).all():
        raise DataError(
            f"{task.model} forecast something that is no probability for some cells",
            parameter="models",
            value=task.model,
            remedy="Leave this model out",
        )
    risk = np.asarray(risk, dtype=np.float32)
    risk[:, ~heatmaps.mask] = np.nan
    return risk


def attempt(task: Task, heatmaps: Heatmaps, context: JobContext) -> Outcome:
    """Run a task; whatever stops it but a cancel becomes a sentence, so that the other models go on."""
    began = time.monotonic()
    try:
        with nullcontext() if task.alone else one_core():
            risk = run_task(task, heatmaps, context)
    except Cancelled:
        raise
    except Exception as error:
        return Outcome(task, None, time.monotonic() - began, _sentence(error))
    return Outcome(task, risk, time.monotonic() - began)


def one_core() -> AbstractContextManager[Any]:
    """Keep linear algebra to one thread.

    Processes share the cores between them; and sums that are split over threads differ in their last digits, so that a
    forecast would depend on how many processes made it.
    """
    try:
        from threadpoolctl import threadpool_limits
    except ImportError:
        return nullcontext()
    limits: AbstractContextManager[Any] = threadpool_limits(1)
    return limits


def _sentence(error: Exception) -> str:
    if isinstance(error, CrimeRiskError):
        return error.sentence()
    if isinstance(error, MemoryError):
        return "It needs more memory than there is."
    text = " ".join(str(error).split())
    return f"It failed unexpectedly ({type(error).__name__}{': ' + text if text else ''})."


def available_cores() -> int:
    """Cores this process may use; the same as in `riskengine.learning.threads`, which waits for torch."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _memory_for() -> int:
    """Processes that the machine's memory suffices for."""
    try:
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return _UNKNOWN
    return max(memory // _MEMORY, 1)


def run_tasks(tasks: Sequence[Task], heatmaps: Heatmaps, context: JobContext, workers: int | None) -> Iterator[Outcome]:
    """Outcomes in the order of the tasks; those of networks last.

    Parameters
    ----------
    tasks : sequence of Task
    heatmaps : Heatmaps
    context : JobContext
        Progress 0 to 1 over all tasks.
    workers : int, optional
        Processes; 1 for none but this one. By default one per core where the work is worth it.
    """
    tasks = [*(task for task in tasks if not task.alone), *(task for task in tasks if task.alone)]
    shared = [task for task in tasks if not task.alone and _importable(task.forecaster)]
    if workers is None:
        work = int(heatmaps.mask.sum()) * sum(task.end * (_PLAIN if _plain(task) else 1.0) for task in shared)
        workers = min(available_cores(), MOST_PROCESSES, _memory_for()) if work > _WORTH else 1
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
    tasks: Sequence[Task], heatmaps: Heatmaps, context: JobContext, done: int, total: int, failed: set[str]
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


def _what(task: Task, heatmaps: Heatmaps) -> str:
    return f"{task.model}: fitted before {heatmaps.edges[task.first - task.horizon + 1]}"


def _side_by_side(
    tasks: Sequence[Task], heatmaps: Heatmaps, context: JobContext, workers: int, total: int
) -> Iterator[Outcome]:
    """Outcomes in the order of the tasks, from processes that all read one copy of the stack on disk.

    A process that is killed, as for its memory, takes all others of its pool with it. What was not finished is then
    done by one process at a time, so that it is known whose it was.
    """
    with tempfile.TemporaryDirectory(prefix="crimerisk_", ignore_cleanup_errors=True) as folder:
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
