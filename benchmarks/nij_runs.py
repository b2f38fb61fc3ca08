"""Fits and forecasts of the NIJ benchmark: every spring at every position of the grid, in processes."""

from __future__ import annotations

import multiprocessing
import os
import resource
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from common import say
from nij_data import WEEKS, YEARS, make_catch, make_cells, make_panel, make_spring, read_incidents
from numpy.typing import NDArray

from riskengine.evaluation.catchcount import tally
from riskengine.evaluation.offsets import move_grid, sample_offsets
from riskengine.forecasters.catalogue import make_forecaster
from riskengine.maps.aims import find_flagged_share

Array = NDArray[np.float64]

_read = cache(read_incidents)
_make_cells = cache(make_cells)


@dataclass(frozen=True)
class Task:
    """One spring on one position of the grid; every model at every area and horizon.

    Attributes
    ----------
    data : Path
    kind : str
    feet : float
        Side of a cell.
    year : int
    offset : (float, float)
        Shares of a cell, east and north.
    miles : tuple of float
        Square miles that are flagged.
    horizons, models : tuple of str
    """

    data: Path
    kind: str
    feet: float
    year: int
    offset: tuple[float, float]
    miles: tuple[float, ...]
    horizons: tuple[str, ...]
    models: tuple[str, ...]


@dataclass(frozen=True)
class Answer:
    """What one model caught in one horizon of one spring.

    Attributes
    ----------
    caught, incidents : ndarray, shape (weeks,)
    most : float
        The most that as many cells could have caught.
    flagged : float
        Square kilometres.
    seconds : float
        To fit, to forecast and to count.
    """

    caught: Array
    incidents: Array
    most: float
    flagged: float
    seconds: float


Key = tuple[float, str, str]


def run_task(task: Task) -> dict[Key, Answer]:
    """Fit every model before 1 March and count what its cells caught; by square miles, horizon and model."""
    spring = make_spring(task.year)
    panel = make_panel(_read(task.data, task.kind), _make_cells(task.data, task.feet), spring)
    panel = move_grid(panel, _read(task.data, task.kind), *task.offset)
    history, weeks = panel.before(spring.first), spring.weeks
    answers: dict[Key, Answer] = {}
    for miles in task.miles:
        for horizon in task.horizons:
            catch = make_catch(miles, spring.windows[horizon])
            made_for = {"window": WEEKS[horizon], "flagged": find_flagged_share(catch, panel)}
            for name in task.models:
                began = time.perf_counter()
                model = make_forecaster(name, **made_for).fit(history)
                expected = model.predict_window(history, WEEKS[horizon])
                counted = tally(panel, np.array([spring.first]), expected[None], catch)
                by_week = [
                    np.bincount(weeks[: catch.window], each[0], minlength=WEEKS["3m"])
                    for each in (counted.caught, counted.incidents)
                ]
                seconds = time.perf_counter() - began
                answers[miles, horizon, name] = Answer(*by_week, float(counted.most[0]), counted.flagged, seconds)
    return answers


@dataclass(frozen=True)
class Found:
    """What one model caught in one horizon, over P positions and the springs.

    Attributes
    ----------
    caught, incidents : ndarray, shape (P, springs, weeks)
    most, flagged : ndarray, shape (P, springs)
    """

    caught: Array
    incidents: Array
    most: Array
    flagged: Array


def run_springs(
    data: Path,
    kind: str,
    feet: float,
    miles: Sequence[float],
    horizons: Sequence[str],
    models: Sequence[str],
    positions: int,
    seed: int = 0,
) -> dict[Key, Found]:
    """Run all springs at the given position and at further ones, on all cores; by square miles, horizon and model."""
    asked = tuple(miles), tuple(horizons), tuple(models)
    tasks = [
        Task(data, kind, feet, year, offset, *asked) for offset in sample_offsets(positions - 1, seed) for year in YEARS
    ]
    began = time.perf_counter()
    answers = []
    for answer in _map(tasks):
        answers.append(answer)
        if len(answers) % len(YEARS) == 0:
            done = f"{len(answers) // len(YEARS)} of {positions} positions"
            say(f"{kind}, {feet:g} ft, {done}, {time.perf_counter() - began:.0f} s")
    return {key: _gather([each[key] for each in answers], positions) for key in answers[0]}


def _gather(answers: list[Answer], positions: int) -> Found:
    def stack(name: str) -> Any:
        values = np.array([getattr(each, name) for each in answers])
        return values.reshape(positions, len(YEARS), *values.shape[1:])

    return Found(*(stack(name) for name in ("caught", "incidents", "most", "flagged")))


def _map(tasks: list[Task]) -> Iterator[dict[Key, Answer]]:
    """Run tasks in processes, each with one thread."""
    os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(count_cores(), mp_context=spawn) as pool:
        yield from pool.map(run_task, tasks)


def count_cores() -> int:
    """Count the cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def measure_speed(data: Path, kind: str, feet: float, miles: float, models: Sequence[str]) -> dict[str, Any]:
    """Measure one position of the spring of 2017 in a process of its own: seconds by model, and its peak memory."""
    task = Task(data, kind, feet, 2017, (0.0, 0.0), (miles,), ("3m",), tuple(models))
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_measure, task).result()


def _measure(task: Task) -> dict[str, Any]:
    began = time.perf_counter()
    answers = run_task(task)
    seconds = {name: answer.seconds for (_, _, name), answer in answers.items()}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform != "darwin" else 1024**2)
    return {"seconds": seconds, "whole_seconds": time.perf_counter() - began, "peak_mb": peak}
