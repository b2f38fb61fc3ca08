"""Forecasts of all folds, put together."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..ground.bigarrays import make_empty_stack
from ..maps.panel import Panel
from ..measures.metrics import log_loss
from .plan import Plan
from .task import Outcome, draws_random_numbers


class Gathered:
    """Forecasts put together from the outcomes of tasks: the mean over the seeds of each model.

    Parameters
    ----------
    heatmaps : Panel
    maps : ndarray of int, shape (F,)
        Those that are scored; forecasts of others are not kept.
    plan : Plan
    threshold : int

    Attributes
    ----------
    maps : ndarray of int, shape (F,)
    risks : dict of str to ndarray of float32, shape (F, ...)
    seconds : dict of str to float
    failures : dict of str to str
    recent : set of str
        Models of which a fit is no long-run mean.
    """

    def __init__(self, heatmaps: Panel, maps: NDArray[np.int64], plan: Plan, threshold: int) -> None:
        self.maps = maps
        self._heatmaps, self._seeds, self._threshold = heatmaps, len(plan.seeds), threshold
        self.risks: dict[str, NDArray[np.float32]] = {}
        self.seconds: dict[str, float] = {}
        self.failures: dict[str, str] = {}
        self.recent: set[str] = set()
        self._losses: dict[str, dict[int, list[float]]] = {}

    def add(self, outcome: Outcome) -> None:
        """Take one outcome in; a model that failed once is out."""
        task, name = outcome.task, outcome.task.model
        if outcome.failure:
            self.failures.setdefault(name, outcome.failure)
            self.risks.pop(name, None)
        if name in self.failures or outcome.risk is None:
            return
        if not outcome.long_run:
            self.recent.add(name)
        self.seconds[name] = self.seconds.get(name, 0.0) + outcome.seconds
        seeds = self._seeds if draws_random_numbers(task.forecaster) else 1
        if name not in self.risks:
            shape = (len(self.maps), *self._heatmaps.mask.shape)
            self.risks[name] = make_empty_stack(shape, np.dtype(np.float32))
        losses = self._losses.setdefault(name, {}).setdefault(task.seed, [])
        mask = self._heatmaps.mask
        for place in np.flatnonzero((self.maps >= task.begin) & (self.maps < task.end)):
            number = int(self.maps[place])
            risk = outcome.risk[number - task.begin]
            self.risks[name][place] += risk / seeds
            if seeds > 1:
                events = self._heatmaps.counts[number][mask] >= self._threshold
                losses.append(log_loss(risk[mask], events))

    def compute_seed_losses(self, name: str) -> list[float]:
        """Compute the log-loss over all maps with each seed; a single or no number for a forecaster without seeds."""
        return [float(np.mean(losses)) for _, losses in sorted(self._losses[name].items()) if losses]
