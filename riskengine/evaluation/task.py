"""A task of a backtest: one fit before an origin, and the maps that are forecast with it."""

from __future__ import annotations

import inspect
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..forecasters.base import Forecaster
from ..ground.context import JobContext
from ..ground.errors import Cancelled, DataError
from ..ground.failures import describe_failure
from ..maps.panel import Panel


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
    window : int
        Bins forecast as one, from `first` on; 0 where each bin is forecast by itself.
    warm : int
        Maps before `first`, of the span that was fitted on, which are forecast as well.
    """

    model: str
    seed: int
    forecaster: Forecaster
    first: int
    end: int
    horizon: int
    alone: bool
    window: int = 0
    warm: int = 0

    @property
    def begin(self) -> int:
        """The first map that is forecast."""
        return self.first - self.warm


@dataclass(frozen=True)
class Outcome:
    """What became of a task.

    Attributes
    ----------
    task : Task
    risk : ndarray of float32, shape (end - begin, ...), or None
        Of windows the expected incidents, one for each.
    seconds : float
    failure : str
        A sentence; empty when all went well.
    long_run : bool
        Whether what was fitted is a long-run mean.
    """

    task: Task
    risk: NDArray[np.float32] | None
    seconds: float
    failure: str = ""
    long_run: bool = False


def draws_random_numbers(forecaster: Forecaster) -> bool:
    """Say whether a seed changes what it forecasts."""
    return "seed" in inspect.signature(type(forecaster).__init__).parameters


def make_unfitted(forecaster: Forecaster, seed: int | None = None) -> Forecaster:
    """Make an unfitted one of the same settings, or with another seed."""
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
    window: int = 0,
    warm: int = 0,
) -> list[Task]:
    """Make every fit that a backtest needs, model by model, seed by seed, fold by fold.

    With a `window`, `refit` counts windows. The first fit forecasts `warm` maps before `first`, too.
    """
    starts = list(range(first, maps, refit * max(window, 1) or maps))
    tasks = []
    for name, forecaster in forecasters.items():
        wanted: Sequence[int | None] = seeds if draws_random_numbers(forecaster) else [None]
        tasks += [
            Task(
                name,
                position,
                make_unfitted(forecaster, seed),
                start,
                end,
                horizon,
                name in networks,
                window,
                warm if start == first else 0,
            )
            for position, seed in enumerate(wanted)
            for start, end in zip(starts, [*starts[1:], maps], strict=True)
        ]
    return tasks


def run_task(task: Task, heatmaps: Panel, context: JobContext) -> NDArray[np.float32]:
    """Fit on what was known at the fold's first origin, and forecast its maps.

    Raises
    ------
    DataError
        If the forecaster gives anything but a probability for some cell of the study area (of windows, but a number of
        incidents).
    """
    with context.step(0.0, 0.7):
        task.forecaster.fit(heatmaps.before(task.first - task.horizon + 1), context)
    with context.step(0.7, 1.0):
        # Nothing behind the fold exists for it: map t is forecast from what was known at t - horizon + 1.
        if task.window:
            risk = task.forecaster.predict_windows(heatmaps.cut(task.end), task.begin, task.window, context)
        else:
            risk = task.forecaster.forecast_known(heatmaps.cut(task.end), task.begin, task.horizon, context)
    inside = risk[:, heatmaps.mask]
    if not ((inside >= 0) & (inside <= (np.finfo(np.float32).max if task.window else 1))).all():
        what = "number of incidents" if task.window else "probability"
        raise DataError(
            f"{task.model} forecast something that is no {what} for some cells",
            parameter="models",
            value=task.model,
            remedy="Leave this model out",
        )
    risk = np.asarray(risk, dtype=np.float32)
    risk[:, ~heatmaps.mask] = np.nan
    return risk


def attempt(task: Task, heatmaps: Panel, context: JobContext) -> Outcome:
    """Run a task; whatever stops it but a cancel becomes a sentence, so that the other models go on."""
    began = time.monotonic()
    try:
        with nullcontext() if task.alone else one_core():
            risk = run_task(task, heatmaps, context)
    except Cancelled:
        raise
    except Exception as error:
        return Outcome(task, None, time.monotonic() - began, describe_failure(error))
    return Outcome(task, risk, time.monotonic() - began, long_run=task.forecaster.is_long_run)


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
