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
from nij_data import TYPES, WEEKS, YEARS, Spring, make_catch, make_cells, make_panel, make_spring, read_incidents
from numpy.typing import NDArray

from riskengine.evaluation.catchcount import tally
from riskengine.evaluation.offsets import sample_offsets
from riskengine.evaluation.positions import Placed, Position, run_positions
from riskengine.evaluation.task import one_core
from riskengine.forecasters.base import Forecaster
from riskengine.forecasters.catalogue import make_forecaster
from riskengine.forecasters.catching.pastwindows import choose_window
from riskengine.ground.context import JobContext
from riskengine.intake.incidents import Incidents
from riskengine.maps.aims import find_flagged_share
from riskengine.maps.heatmaps import Heatmaps
from riskengine.maps.panel import Extras, count_incidents

Array = NDArray[np.float64]

_read = cache(read_incidents)


@dataclass(frozen=True)
class Asked:
    """What is asked of one spring at every position: all models at all areas and horizons.

    Attributes
    ----------
    data : Path
    kind : str
    year : int
    miles : tuple of float
        Square miles that are flagged.
    horizons, models : tuple of str
    """

    data: Path
    kind: str
    year: int
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


def count_spring(asked: Asked, panel: Heatmaps, context: JobContext) -> dict[Key, Answer]:
    """Fit every model before 1 March and count what its cells caught; by square miles, horizon and model."""
    spring = make_spring(asked.year)
    panel = replace(panel, extras=_count_other(asked, panel))
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


def _count_other(asked: Asked, panel: Heatmaps) -> Extras:
    """The other type as a further channel, as *Train forecast model* takes it: both are known on 1 March."""
    (other,) = (kind for kind in TYPES if kind != asked.kind)
    counts, _ = count_incidents(_read(asked.data, other), panel.grid, panel.edges, panel.mask)
    return Extras(channels=counts[None], channel_names=(other,))


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
    cells, incidents = make_cells(data, feet), _read(data, kind)
    positions = [Position(east, north) for east, north in sample_offsets(number - 1, seed)]
    springs = []
    for year in YEARS:
        began, spring = time.perf_counter(), make_spring(year)
        work = partial(count_spring, Asked(data, kind, year, tuple(miles), tuple(horizons), tuple(models)))
        panel = make_panel(incidents, cells, spring)
        done = list(run_positions(panel, incidents, positions, work, workers=count_cores()))
        for each in done:
            _check(each, spring, incidents, horizons)
        springs.append([each.result for each in done])
        say(f"{kind}, {feet:g} ft, spring of {year}: {number} positions, {time.perf_counter() - began:.0f} s")
    return {key: _gather([[each[key] for each in spring] for spring in springs]) for key in springs[0][0]}


def _check(placed: Placed[dict[Key, Answer]], spring: Spring, incidents: Incidents, horizons: Sequence[str]) -> None:
    """Refuse a position that failed, and one at which an incident of the window lies in no cell of the study area."""
    if placed.result is None:
        raise SystemExit(f"{placed.position}: {placed.failure}")
    start = spring.edges[spring.first]
    for (_, horizon, _), answer in placed.result.items():
        end = spring.edges[spring.first + spring.windows[horizon]]
        number = int(((incidents.time >= start) & (incidents.time < end)).sum())
        if answer.incidents.sum() != number:
            raise SystemExit(f"{placed.position}: {answer.incidents.sum():g} incidents were counted of {number}.")


def _gather(springs: list[list[Answer]]) -> Found:
    def stack(name: str) -> Array:
        return np.stack([np.array([getattr(each, name) for each in spring]) for spring in springs], axis=1)

    return Found(*(stack(name) for name in ("caught", "incidents", "most", "flagged")))


def count_cores() -> int:
    """Count the cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def measure_speed(data: Path, kind: str, feet: float, miles: float, models: Sequence[str]) -> dict[str, Any]:
    """Measure the spring of 2017 at the given position in a process of its own: seconds by model, and peak memory."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_measure, Asked(data, kind, 2017, (miles,), ("3m",), tuple(models)), feet).result()


def _measure(asked: Asked, feet: float) -> dict[str, Any]:
    began, incidents = time.perf_counter(), _read(asked.data, asked.kind)
    panel = make_panel(incidents, make_cells(asked.data, feet), make_spring(asked.year))
    counted = time.perf_counter()
    with one_core():
        answers = count_spring(asked, panel, JobContext())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform != "darwin" else 1024**2)
    return {
        "count_seconds": counted - began,
        "model_seconds": {name: answer.seconds for (_, _, name), answer in answers.items()},
        "peak_mb": peak,
    }
