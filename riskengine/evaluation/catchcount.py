"""What expected incidents catch: the places chosen in each window, and what fell there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..contract.aims import Catch
from ..forecasters.base import Forecaster
from ..ground.context import JobContext
from ..maps.aims import find_flagged_share, measure_costs
from ..maps.panel import Panel
from ..maps.windows import list_windows
from ..measures.places import count_most, flag_places
from .entrants import find_record
from .folds import run_tasks
from .plan import Plan
from .task import Outcome, draws_random_numbers, make_tasks

Array = NDArray[np.float64]


@dataclass
class Forecasts:
    """Expected incidents of each window, by model.

    Attributes
    ----------
    starts : ndarray of int, shape (F,)
        First bins of the windows of which something was observed.
    expected : dict of str to ndarray of float32, shape (F, ...)
        The mean over the seeds; NaN outside the study area.
    seconds, failures, recent
        As in `riskengine.evaluation.judged.Judged`.
    """

    starts: NDArray[np.int64]
    expected: dict[str, NDArray[np.float32]]
    seconds: dict[str, float]
    failures: dict[str, str]
    recent: set[str]


@dataclass(frozen=True)
class Tally:
    """What one model's places caught on one grid; F windows of B bins.

    Attributes
    ----------
    caught, incidents : ndarray, shape (F, B)
    most : ndarray, shape (F,)
    flagged, cells : float
        km² (of segments km): of the flagged units of a window, on average, and of the study area.
    parts : ndarray of float32, shape (F, N)
        Of the units of the study area.
    """

    caught: Array
    incidents: Array
    most: Array
    flagged: float
    cells: float
    parts: NDArray[np.float32]


def forecast_windows(
    panel: Panel,
    forecasters: Mapping[str, Forecaster],
    plan: Plan,
    length: int,
    context: JobContext,
    workers: int | None,
) -> Forecasts:
    """Forecast all windows of a test by every forecaster, each from what was known when it began.

    Parameters
    ----------
    plan : Plan
        `first` is a bin, `refit` counts windows.
    length : int
        Bins of a window.
    """
    networks = {
        name for name, each in forecasters.items() if (entry := find_record(name, each)) is not None and entry.network
    }
    starts = list_windows(panel, plan.begin, length)
    end = plan.first + (len(panel) - plan.first) // length * length
    tasks = make_tasks(forecasters, end, plan.first, 1, plan.refit, plan.seeds, networks, length, plan.warm)
    made = Forecasts(starts, {}, {}, {}, set())
    for outcome in run_tasks(tasks, panel, context, workers):
        _take(made, outcome, panel, len(plan.seeds))
    return made


def _take(made: Forecasts, outcome: Outcome, panel: Panel, seeds: int) -> None:
    task, name = outcome.task, outcome.task.model
    if outcome.failure:
        made.failures.setdefault(name, outcome.failure)
        made.expected.pop(name, None)
    if name in made.failures or outcome.risk is None:
        return
    if not outcome.long_run:
        made.recent.add(name)
    made.seconds[name] = made.seconds.get(name, 0.0) + outcome.seconds
    number = seeds if draws_random_numbers(task.forecaster) else 1
    if name not in made.expected:
        made.expected[name] = np.zeros((len(made.starts), *panel.mask.shape), dtype=np.float32)
    of_task = (made.starts >= task.begin) & (made.starts < task.end)
    made.expected[name][of_task] += outcome.risk[(made.starts[of_task] - task.begin) // task.window] / number


def tally(panel: Panel, starts: NDArray[np.int64], expected: NDArray[np.float32], catch: Catch) -> Tally:
    """Choose the places of each window, and count what fell there."""
    costs, share = measure_costs(catch, panel), find_flagged_share(catch, panel)
    shape = len(starts), catch.window
    caught, incidents, most = np.zeros(shape), np.zeros(shape), np.zeros(len(starts))
    parts = np.zeros((len(starts), len(costs.size)), dtype=np.float32)
    for number, start in enumerate(starts.tolist()):
        counts = np.asarray(panel.counts[start : start + catch.window][:, panel.mask], dtype=np.float64)
        counts[~panel.observed[start : start + catch.window]] = 0.0
        part = flag_places(expected[number][panel.mask], costs.each, share, costs.whole)
        caught[number], incidents[number] = counts @ part, counts.sum(axis=1)
        most[number] = count_most(counts.sum(axis=0), costs.each, float(part @ costs.each))
        parts[number] = part
    flagged = float((parts @ costs.size).mean()) if len(starts) else 0.0
    return Tally(caught, incidents, most, flagged, float(costs.size.sum()), parts)
