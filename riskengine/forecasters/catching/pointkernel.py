"""Counts of a place itself, recent ones weighing more, over a smooth kernel: repeat addresses keep their mass."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from ...ground.context import JobContext
from ...ground.damage import ArraySpec
from ...maps.panel import Panel
from ..base import LEAST, check_history, mark_events
from ..cell_features import measure_bin
from ..smoothing import make_smoother
from .rates import Array, RateForecaster, find_level, read_events

if TYPE_CHECKING:
    from typing_extensions import Self

#: Sides that a bandwidth spans, at most.
_MOST_SIDES = 1000.0


class PointKernel(RateForecaster):
    """Point mass with a half-life, mixed with a smooth kernel.

    Parameters
    ----------
    window : int
        Bins that are forecast as one.
    flagged : float
        Share of the study area that is to catch the most.
    threshold : int
        Incidents in a cell and bin that count as an event.

    Attributes
    ----------
    half_life_ : float
        Days after which an incident weighs half; infinite where all weigh alike.
    bandwidth_ : float
        Standard deviation of the kernel, in sides of a unit.
    mixture_ : float
        Share of the kernel; the rest is the mass of the place itself.
    """

    name = "point_kernel"
    LEARNED: ClassVar[Mapping[str, ArraySpec]] = {
        "half_life_": ArraySpec("f", (), LEAST, np.inf),
        "bandwidth_": ArraySpec("f", (), 0.0, _MOST_SIDES),
        "mixture_": ArraySpec("f", (), 0.0, 1.0),
    }

    half_life_: float
    bandwidth_: float
    mixture_: float

    def __init__(self, window: int = 1, flagged: float = 0.05, threshold: int = 1) -> None:
        self.window = window
        self.flagged = flagged
        self.threshold = threshold

    def fit(self, history: Panel, context: JobContext | None = None) -> Self:
        """Choose half-life, bandwidth and mixture on past windows of `history`."""
        check_history(history, self.least_maps)
        mark_events(history, self.threshold, slice(0))
        self.half_life_, self.bandwidth_, self.mixture_ = float("inf"), 2.0, 0.1
        return self

    def find_rates(self, history: Panel, steps: int = 1, context: JobContext | None = None) -> Array:
        (context or JobContext()).progress(0.0)
        events = read_events(history, self.threshold)
        age = (len(history) - 1 - np.arange(len(history))) * measure_bin(history)
        weights = np.where(history.observed, 0.5 ** (age / self.half_life_), 0.0)
        point, bins = np.asarray(weights @ events), max(float(weights.sum()), 1e-9)
        whole = np.zeros(history.mask.shape)
        whole[history.mask] = point
        smooth = make_smoother(history, self.bandwidth_, local=False).mean(whole[None])[0]
        level = find_level(np.asarray(events.sum(axis=0)), max(int(history.observed.sum()), 1))
        mixed = ((1 - self.mixture_) * point + self.mixture_ * smooth) / bins
        return np.broadcast_to(0.99 * mixed + 0.01 * level, (steps, len(mixed)))
