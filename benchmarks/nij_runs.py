"""Fits and forecasts of the NIJ benchmark: every spring at every position of the grid, in processes."""

from __future__ import annotations

import multiprocessing
import os
import resource
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from common import say
from nij_data import (
    TYPES,
    WEEKS,
    YEARS,
    Cells,
    Spring,
    make_catch,
    make_cells,
    make_panel,
    make_spring,
    read_incidents,
)
from numpy.typing import NDArray

from riskengine.evaluation.catchcount import tally
from riskengine.evaluation.offsets import sample_offsets
from riskengine.evaluation.positions import Position, run_positions
from riskengine.evaluation.task import one_core
from riskengine.forecasters.base import Forecaster
from riskengine.forecasters.catalogue import make_forecaster
from riskengine.forecasters.catching.pastwindows import choose_window
from riskengine.ground.context import JobContext
from riskengine.intake.incidents import Incidents
from riskengine.maps.aims import find_flagged_share
from riskengine.maps.heatmaps import Heatmaps
from riskengine.maps.panel import Extras

Array = NDArray[np.float64]

_read = cache(read_incidents)


@dataclass(frozen=True)
class Asked:
    """What is asked at every position: all models at all areas and horizons.

    Attributes
    ----------
    data : Path
    kind : str
    miles : tuple of float
        Square miles that are flagged.
    horizons, models : tuple of str
    """

    data: Path
    kind: str
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


#: Square miles, horizon and model.
Key = tuple[float, str, str]


def count_springs(asked: Asked, panel: Heatmaps, context: JobContext) -> list[dict[Key, Answer]]:
    """Count what was caught in every spring on the cells of one panel."""
    answers = []
    for number, year in enumerate(YEARS):
        with context.step(number / len(YEARS), (number + 1) / len(YEARS)):
            answers.append(count_spring(asked, make_spring(year), (panel.grid, panel.mask), context))
    return answers


def count_spring(asked: Asked, spring: Spring, cells: Cells, context: JobContext) -> dict[Key, Answer]:
    """Fit every model before 1 March and count what its cells caught; by square miles, horizon and model.

    The other type is a further channel: both are known on 1 March.
    """
    (other,) = (kind for kind in TYPES if kind != asked.kind)
    panel, beside = (make_panel(_read(asked.data, kind), cells, spring) for kind in (asked.kind, other))
    panel = replace(panel, extras=Extras(channels=np.asarray(beside.counts)[None], channel_names=(other,)))
    history, weeks = panel.before(spring.first), spring.weeks
    answers: dict[Key, Answer] = {}
    for miles, name in product(asked.miles, asked.models):
        fitted: dict[int, Forecaster] = {}
        for horizon in asked.horizons:
            began, catch = time.perf_counter(), make_catch(miles, spring.windows[horizon])
            # What is learned depends on how long the past windows are, and short ones are learned from longer ones.
            learned = choose_window(history, WEEKS[horizon])
            if learned not in fitted:
                made_for = {"window": WEEKS[horizon], "flagged": find_flagged_share(catch, panel)}
                fitted[learned] = make_forecaster(name, **made_for).fit(history, context)
            expected = fitted[learned].predict_window(history, WEEKS[horizon], context)
            counted = tally(panel, np.array([spring.first]), expected[None], catch)
            caught, incidents = (
                np.bincount(weeks[: catch.window], each[0], minlength=WEEKS["3m"])
                for each in (counted.caught, counted.incidents)
            )
            seconds = time.perf_counter() - began
            answers[miles, horizon, name] = Answer(caught, incidents, float(counted.most[0]), counted.flagged, seconds)
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

    def cut(self, positions: int) -> Found:
        """The same of the first positions."""
        arrays = (self.caught, self.incidents, self.most, self.flagged)
        return Found(*(each[:positions] for each in arrays))


def run_springs(
    data: Path,
    kind: str,
    feet: float,
    miles: Sequence[float],
    horizons: Sequence[str],
    models: Sequence[str],
    number: int,
    seed: int = 0,
) -> dict[Key, Found]:
    """Run all springs at `number` positions, the given one first, on all cores; by square miles, horizon and model."""
    incidents, began = _read(data, kind), time.perf_counter()
    panel = make_panel(incidents, make_cells(data, feet), make_spring(YEARS[0]))
    positions = [Position(east, north) for east, north in sample_offsets(number - 1, seed)]
    work = partial(count_springs, Asked(data, kind, tuple(miles), tuple(horizons), tuple(models)))
    done: list[list[dict[Key, Answer]]] = []
    for placed in run_positions(panel, incidents, positions, work, workers=count_cores()):
        if placed.result is None:
            raise SystemExit(f"{placed.position}: {placed.failure}")
        _check(placed.result, incidents)
        done.append(placed.result)
        where = f"position {len(done)} of {number}, {time.perf_counter() - began:.0f} s"
        say(f"{kind}, {feet:g} ft, {', '.join(models)}: {where}")
    return {key: _gather([[each[key] for each in springs] for springs in done]) for key in done[0][0]}


def _check(answers: list[dict[Key, Answer]], incidents: Incidents) -> None:
    """Refuse a position at which an incident of a window lies in no cell of the study area."""
    for year, answer in zip(YEARS, answers, strict=True):
        spring = make_spring(year)
        for (_, horizon, _), each in answer.items():
            start, end = spring.edges[[spring.first, spring.first + spring.windows[horizon]]]
            number = int(((incidents.time >= start) & (incidents.time < end)).sum())
            if each.incidents.sum() != number:
                raise SystemExit(f"Of {number} incidents from {start} on {each.incidents.sum():g} lie in a cell.")


def _gather(positions: list[list[Answer]]) -> Found:
    def stack(name: str) -> Array:
        return np.array([[getattr(each, name) for each in springs] for springs in positions])

    return Found(*(stack(name) for name in ("caught", "incidents", "most", "flagged")))


def count_cores() -> int:
    """Count the cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def measure_speed(data: Path, kind: str, feet: float, miles: float, models: Sequence[str]) -> dict[str, Any]:
    """Measure the spring of 2017 at the given position in a process of its own: seconds by model, and peak memory."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_measure, Asked(data, kind, (miles,), ("3m",), tuple(models)), feet).result()


def _measure(asked: Asked, feet: float) -> dict[str, Any]:
    cells, began = make_cells(asked.data, feet), time.perf_counter()
    with one_core():
        answers = count_spring(asked, make_spring(YEARS[-1]), cells, JobContext())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform != "darwin" else 1024**2)
    return {
        "seconds": time.perf_counter() - began,
        "model_seconds": {name: answer.seconds for (_, _, name), answer in answers.items()},
        "peak_mb": peak,
    }
