"""Rolling-origin backtest: every forecaster on the same folds, each of which knows nothing after its origin."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..heatmaps import Heatmaps
from .compare import Difference
from .heldout import Score


@dataclass(frozen=True)
class Plan:
    """How a backtest rolls.

    Attributes
    ----------
    first : int
        First map that is forecast.
    horizon : int
        Bins ahead: map t is forecast from the maps before t - horizon + 1.
    refit : int
        Maps between two fits; 0 for a single one, before `first`.
    seeds : tuple of int
        Forecasters that draw random numbers are fitted once with each.
    """

    first: int
    horizon: int = 1
    refit: int = 0
    seeds: tuple[int, ...] = (0,)


@dataclass
class Backtest:
    """What a backtest found.

    Attributes
    ----------
    heatmaps : Heatmaps
        All maps, history and test.
    plan : Plan
    maps : ndarray of int, shape (F,)
        Numbers of the scored maps: the observed ones from `plan.first` on.
    risks : dict of str to ndarray of float32, shape (F, H, W)
        Forecasts by model, the mean over its seeds; NaN outside the study area.
    scores : dict of str to Score
    block : int
        Maps in a block of the paired intervals.
    baselines : list of str
        Names of the simple models among `scores`.
    model : str
        The model that is compared first: the default one where it took part.
    seconds : dict of str to float
        Fitting and forecasting.
    seed_scores : dict of str to list of float
        Log-loss with each seed, for models that draw random numbers and more than one seed.
    failures : dict of str to str
        Models that could not be run, and why.
    """

    heatmaps: Heatmaps
    plan: Plan
    maps: NDArray[np.int64]
    risks: dict[str, NDArray[np.float32]]
    scores: dict[str, Score]
    block: int
    baselines: list[str]
    model: str
    seconds: dict[str, float] = field(default_factory=dict)
    seed_scores: dict[str, list[float]] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)

    @property
    def best_baseline(self) -> str:
        """The simple model with the smallest log-loss."""
        return min(self.baselines, key=lambda name: self.scores[name].log_loss)

    def against(self, name: str, other: str | None = None) -> Difference:
        """Log-loss of `name` minus that of `other` (the best baseline), paired by map."""
        raise NotImplementedError

    def to_dict(self) -> dict[str, Any]:
        """Every figure, JSON-able."""
        raise NotImplementedError
