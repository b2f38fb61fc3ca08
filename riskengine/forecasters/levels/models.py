"""Clock, calendar × place with a fixed level or one that is reset each quarter, and level × calendar × place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from ...ground.context import JobContext
from ...ground.damage import ArraySpec
from ...learning.settings import check_positive
from ...maps.panel import Panel
from ..pastcounts import YEAR
from .base import LEARNED_CLOCK, Array, LevelForecaster, Way
from .cityclock import measure_days

#: Events' worth of the usual level in every level: no history makes it zero.
_LEVEL_PRIOR = 1.0


class Calendar(LevelForecaster):
    """Calendar × place, at the level of the history that was learned from, for ever.

    Examples
    --------
    >>> Calendar().fit(history).predict(history, steps=7)  # doctest: +SKIP
    """

    name = "calendar"

    def _compute_levels(self, panel: Panel, edges: NDArray[np.datetime64], ways: Sequence[Way]) -> Array:
        return np.ones(len(ways))


class Clock(LevelForecaster):
    """Hour and weekday: no place, no season, at the level of all history.

    Parameters
    ----------
    threshold : int
    """

    name = "clock"
    CALENDAR = False
    LEARNED: ClassVar[Mapping[str, ArraySpec]] = LEARNED_CLOCK

    def __init__(self, threshold: int = 1) -> None:
        super().__init__(threshold=threshold)

    def _learn_places(self, history: Panel, totals: Array, context: JobContext) -> None:
        """All units are alike."""

    def _share(self, past: Array, similar: Array) -> Array:
        return np.full(len(past), 1 / len(past))

    def _compute_levels(self, panel: Panel, edges: NDArray[np.datetime64], ways: Sequence[Way]) -> Array:
        happened, expected = (np.r_[0.0, np.cumsum(each)] for each in self._read_city(panel))
        origins = [origin for origin, _ in ways]
        return _compare(happened[origins], expected[origins])


class CalendarReset(LevelForecaster):
    """Calendar × place, at the level of the 365 days before the quarter of the year that is forecast began."""

    name = "calendar_reset"

    def _compute_levels(self, panel: Panel, edges: NDArray[np.datetime64], ways: Sequence[Way]) -> Array:
        origins, targets = np.array(ways, dtype=np.int64).reshape(-1, 2).T
        happened, expected = (np.r_[0.0, np.cumsum(each)] for each in self._read_city(panel))
        months = edges[targets].astype("datetime64[M]").astype(np.int64)
        quarters = (months - months % 3).astype("datetime64[M]").astype(edges.dtype)
        ends = np.minimum(np.searchsorted(edges[:-1], quarters), origins)
        begins = np.searchsorted(edges[:-1], edges[ends] - np.timedelta64(round(YEAR * 24), "h"))
        return _compare(happened[ends] - happened[begins], expected[ends] - expected[begins])


class Level(LevelForecaster):
    """Level × calendar × place: the level is that of the last weeks, of which the later count more.

    It is the weighted events of the study area over those that the calendar alone would have had, the weights halving
    every half-life, from nothing but bins that were known at the origin. Its weight is 1: coefficients that are learned
    in years in which the level hardly moves lose when it does.

    Parameters
    ----------
    half_life : float
        Days.
    shrinkage : float, optional
    threshold : int
    """

    name = "level"

    def __init__(self, half_life: float = 60.0, shrinkage: float | None = None, threshold: int = 1) -> None:
        check_positive("Give a number of days, such as 60", half_life=half_life)
        super().__init__(shrinkage, threshold)
        self.half_life = half_life

    def _compute_levels(self, panel: Panel, edges: NDArray[np.datetime64], ways: Sequence[Way]) -> Array:
        kept = 0.5 ** (measure_days(edges).mean() / self.half_life)
        happened, expected = (np.r_[0.0, lfilter([1.0], [1.0, -kept], each)] for each in self._read_city(panel))
        origins = [origin for origin, _ in ways]
        return _compare(happened[origins], expected[origins])


def _compare(happened: Array, expected: Array) -> Array:
    return np.asarray((happened + _LEVEL_PRIOR) / (expected + _LEVEL_PRIOR))
