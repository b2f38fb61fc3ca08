"""When a city is busy: hour and weekday, holidays, season; one curve for all units, learned from the past."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..cell_features import read_slots

Array = NDArray[np.float64]

#: Strength of the ridge, as scikit-learn's PoissonRegressor has it.
_ALPHA = 2e-3
_HOURS, _DAYS = 24, 7
#: Times of the week that have a factor of their own; bins of a week or more have none.
SLOTS = _HOURS * _DAYS
#: Holidays in most countries, as (month, day). Which others there are depends on the country, which nobody knows here;
#: on Baltimore's training years all federal holidays forecast no better than these two, or none.
HOLIDAYS = ((1, 1), (12, 25))
#: Pairs of sine and cosine of the year, and the years that a history must have for a season to be told from a trend.
_PAIRS, LEAST_YEARS = 2, 2.0
_YEAR, _DAY = 365.25, 86_400.0
#: Days before a holiday that have a factor of their own: the holiday itself, and its eve.
_CALENDAR_DAYS = (0, 1)
_ROUNDS = 100


@dataclass(frozen=True)
class CityClock:
    """How much busier than usual each time is.

    Attributes
    ----------
    slots : ndarray, shape (168,)
        Logarithm of the factor of each hour of the week, Monday's first before all.
    holidays : ndarray, shape (2,)
        The same of a whole holiday, and of a whole day before one.
    season : ndarray, shape (5,)
        The same: a constant, then sine and cosine of the year and of half a year.
    """

    slots: Array
    holidays: Array
    season: Array

    def compute(self, edges: NDArray[np.datetime64]) -> tuple[Array, Array]:
        """Compute the factors of bins, each of shape (T,): of the time of the week with holidays, and of the season."""
        hour = self.slots[read_slots(edges[:-1], SLOTS)] + measure_holidays(edges) @ self.holidays
        season = self.season[0] + read_season(edges) @ self.season[1:]
        return np.exp(hour), np.exp(season)


def fit_clock(
    edges: NDArray[np.datetime64], totals: Array, observed: NDArray[np.bool_], calendar: bool
) -> tuple[CityClock, float]:
    """Learn from the events of a city when it is busy: a Poisson regression with a ridge.

    One column for each hour, each weekday and each hour of each weekday that bins begin in (bins of a week or more have
    none), one for holidays and one for the days before them, and two pairs of the year. What is the same in all bins
    gets no weight from a ridge.

    Parameters
    ----------
    edges : ndarray of datetime64[s], shape (T + 1,)
    totals : ndarray, shape (T,)
    observed : ndarray of bool, shape (T,)
        Others teach nothing.
    calendar : bool
        Whether to learn holidays and season, too. A season takes two years: in one it is a trend as well.

    Returns
    -------
    clock : CityClock
        Whose factors have the mean 1 over the observed bins.
    usual : float
        Events of a day.
    """
    from sklearn.linear_model import PoissonRegressor

    days = measure_days(edges)[observed]
    holidays, season = measure_holidays(edges)[observed], read_season(edges)[observed]
    slots = read_slots(edges[:-1], SLOTS)[observed]
    groups = (slots % _HOURS, slots // _HOURS, slots) if days.mean() < _DAYS else ()
    marks = [group[:, None] == np.unique(group) for group in groups]
    if not calendar:
        holidays, season = holidays[:, :0], season[:, :0]
    elif days.sum() < LEAST_YEARS * _YEAR:
        season = season[:, :0]
    columns = np.column_stack([*marks, holidays, season]).astype(np.float64)
    weights, happened = np.zeros(columns.shape[1]), totals[observed]
    if columns.any() and happened.any():
        model = PoissonRegressor(alpha=_ALPHA, solver="newton-cholesky", tol=1e-8, max_iter=_ROUNDS)
        # Of months, whose lengths differ, the events of one of mean length.
        lengths = days / days.mean()
        model.fit(columns, happened / lengths, sample_weight=lengths)
        weights = model.coef_
    clock = _take_apart(weights, groups, holidays.shape[1], season.shape[1])
    # The season has the mean 1 by itself, and all factors together.
    hour, of_season = clock.compute(edges)
    hour, of_season = hour[observed], of_season[observed]
    constant = np.log(np.average(of_season, weights=days))
    clock.season[0] -= constant
    clock.slots[:] -= np.log(np.average(hour * of_season, weights=days)) - constant
    # Half an event at least: what was never seen is not impossible.
    return clock, float(max(happened.sum(), 0.5) / days.sum())


def _take_apart(weights: Array, groups: tuple[NDArray[np.int64], ...], holidays: int, season: int) -> CityClock:
    """Make a clock of the weights of the columns: those of the `groups`, of `holidays` and of the `season`."""
    clock = CityClock(np.zeros(SLOTS), np.zeros(len(_CALENDAR_DAYS)), np.zeros(1 + 2 * _PAIRS))
    every, first = np.arange(SLOTS), 0
    for group, of_all in zip(groups, (every % _HOURS, every // _HOURS, every), strict=False):
        values = np.unique(group)
        known = np.isin(of_all, values)
        clock.slots[known] += weights[first + np.searchsorted(values, of_all[known])]
        first += len(values)
    clock.holidays[:holidays] = weights[first : first + holidays]
    clock.season[1 : 1 + season] = weights[first + holidays :]
    return clock


def measure_days(edges: NDArray[np.datetime64]) -> Array:
    """Measure bins, days, shape (T,)."""
    return np.asarray(np.diff(edges.astype("datetime64[s]").astype(np.int64)) / _DAY)


def measure_holidays(edges: NDArray[np.datetime64]) -> Array:
    """Measure which share of each bin is a holiday, and which a day before one, shape (T, 2)."""
    first, last = edges[[0, -1]].astype("datetime64[Y]")
    januaries = np.arange(first - 1, last + 2).astype("datetime64[M]")
    begins = np.sort(
        [(januaries + (month - 1)).astype("datetime64[D]") + (day - 1) for month, day in HOLIDAYS], axis=None
    )
    seconds = edges.astype("datetime64[s]").astype(np.int64)
    shares = []
    for before in _CALENDAR_DAYS:
        start = (begins - before).astype("datetime64[s]").astype(np.int64)
        # Seconds of such days before each edge; the first of them is over by all means.
        number = np.searchsorted(start, seconds, side="right") - 1
        passed = _DAY * number + np.minimum(seconds - start[number], _DAY)
        shares.append(np.diff(passed) / np.diff(seconds))
    return np.column_stack(shares)


def read_season(edges: NDArray[np.datetime64]) -> Array:
    """Read the time of the year of the middle of each bin, as sine and cosine of it and of its double, shape (T, 4)."""
    days = edges.astype("datetime64[s]").astype(np.int64) / _DAY
    angle = np.pi * (days[1:] + days[:-1]) / _YEAR
    return np.column_stack([turn(pair * angle) for pair in range(1, _PAIRS + 1) for turn in (np.sin, np.cos)])
