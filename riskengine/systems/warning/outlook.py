"""The next windows: how likely an event is in each unit, what that is made of, and which are warned of."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.stats import gamma

from ...contract.texts import count_text
from ...contract.warnings import Budget, Timing
from ...forecasters.base import Forecaster
from ...forecasters.ensemble import Ensemble
from ...forecasters.levels.base import LevelForecaster, count_totals
from ...forecasters.levels.learned import LearnedLevel
from ...forecasters.levels.models import Level
from ...forecasters.levels.places import PlacesRead, compute_shares, weigh_similar
from ...ground.context import JobContext
from ...maps.panel import Panel
from ...measures.thresholds import count_trailing, find_threshold

Values = NDArray[np.float64]

#: Two-sided level of the intervals.
LEVEL = 0.95
#: What the expected number of a probability is the product of, in the order of its columns: factors, the last of them
#: what recent crime makes of the level's forecast, and the usual number that they are factors on.
PARTS = ("hour", "season", "place", "level", "recent", "usual")
#: Events' worth of the similar categories in a place, where a model has no such number of its own.
_SHRINKAGE = 100.0


@dataclass(frozen=True)
class Outlook:
    """The windows that follow each other after warnings were made, K of them, and N units.

    Attributes
    ----------
    made, known : datetime64[s]
        When the warnings were made, and up to when incidents were known then.
    edges : ndarray of datetime64[s], shape (K + 1,)
    probability, low, high : ndarray, shape (K, N)
        Of at least one event, with its interval: how well the level and the place are known from the events there were.
    rank : ndarray of int, shape (K, N)
        1 for the most likely of all; of equal ones the earlier window comes first, then the first unit.
    warned : ndarray of bool, shape (K, N)
    threshold : float
        Windows above it are warned of; infinite where none is.
    followed : int
        Past windows that the threshold follows; 0 for a ratio of costs, which needs none.
    parts : mapping of str to ndarray, shape (K, N)
        By `PARTS`: their product is the expected number of events, −log(1 − probability). Without any where the model
        is not made of them.
    """

    made: np.datetime64
    known: np.datetime64
    edges: NDArray[np.datetime64]
    probability: Values
    low: Values
    high: Values
    rank: NDArray[np.int64]
    warned: NDArray[np.bool_]
    threshold: float
    followed: int
    parts: Mapping[str, Values] = field(default_factory=dict)

    @property
    def windows(self) -> int:
        """How many windows."""
        return len(self.probability)


def make_outlook(
    model: Forecaster,
    panel: Panel,
    known: int,
    timing: Timing,
    budget: Budget,
    made: np.datetime64,
    windows: int,
    context: JobContext,
) -> Outlook:
    """Warn of the windows that follow a panel.

    Parameters
    ----------
    model : Forecaster
        Fitted; its delay is that of the panel.
    panel : Panel
        Its bins are the steps of `timing`; the first window begins where it ends.
    known : int
        Bins of which everything is known; later ones are read by nobody.
    timing : Timing
    budget : Budget
    made : datetime64[s]
        When the warnings are made.
    windows : int
        How many windows follow each other.
    context : JobContext
    """
    history = replace(panel.cut(known), delay=len(panel) - known)
    context.progress(0.0, f"Forecasting {count_text(windows, 'window')}")
    with context.step(0.0, 0.5):
        probability = forecast_following(model, history, timing.bins, windows, context)
    with context.step(0.5, 0.9):
        past = forecast_trailing(model, panel, known, timing, context)
    threshold = find_threshold(past, budget, timing.window, len(panel.mask))
    low, high = bound(probability, measure_spread(model, history))
    rank = np.empty(probability.size, dtype=np.int64)
    rank[np.argsort(-probability.ravel(), kind="stable")] = np.arange(1, probability.size + 1)
    return Outlook(
        made,
        panel.edges[known],
        panel.edges[-1] + np.arange(windows + 1) * np.timedelta64(timing.window * 3600, "s"),
        probability,
        low,
        high,
        rank.reshape(probability.shape),
        probability > threshold,
        threshold,
        0 if budget.kind == "cost" else len(past),
        explain(model, history, timing.bins, probability),
    )


def bound(probability: Values, spread: Values) -> tuple[Values, Values]:
    """Bound probabilities whose rates are known as well as from so many events: the exact interval of a Poisson count.

    Parameters
    ----------
    probability : ndarray, shape (K, N)
    spread : ndarray, shape (N,)
        Relative variance of the rates: one over the number of events that they rest on.
    """
    expected, events = -np.log1p(-np.minimum(probability, 1 - 1e-12)), 1.0 / spread
    low = gamma.ppf((1 - LEVEL) / 2, events) / events
    high = gamma.ppf((1 + LEVEL) / 2, events + 1) / events
    return -np.expm1(-expected * low), -np.expm1(-expected * high)


def forecast_following(model: Forecaster, history: Panel, bins: int, windows: int, context: JobContext) -> Values:
    """Forecast the probability of at least one event in each of the windows after a history and its delay.

    Returns
    -------
    ndarray, shape (windows, N)
    """
    late = history.delay
    if bins == 1:
        return np.asarray(model.predict(history, late + windows, context)[late:], dtype=np.float64)
    expected = []
    for number in range(windows):
        with context.step(number / windows, (number + 1) / windows):
            ahead = replace(history, delay=late + number * bins)
            expected.append(model.predict_window(ahead, bins, context))
    return -np.expm1(-np.asarray(expected, dtype=np.float64))


def forecast_trailing(model: Forecaster, panel: Panel, known: int, timing: Timing, context: JobContext) -> Values:
    """Forecast the windows of the 28 days before the first that is warned of, each as it would have been then.

    Returns
    -------
    ndarray, shape (windows, N)
        Without those of which was known less than they need, where counts end long before the panel does.
    """
    bins, last = timing.bins, min(known + panel.delay, len(panel))
    end = len(panel) - -(-(len(panel) - last) // timing.bins) * timing.bins
    # Half of a short history is left to forecast the first of them from.
    least = -(-((known // 2) + panel.delay) // bins) * bins
    first = max(end - count_trailing(timing.window) * bins, least)
    if first >= end:
        return np.zeros((0, len(panel.mask)))
    counted = panel.cut(end)
    if bins == 1:
        return np.asarray(model.forecast_known(counted, first, context=context), dtype=np.float64)
    return -np.expm1(-np.asarray(model.predict_windows(counted, first, bins, context), dtype=np.float64))


def explain(model: Forecaster, history: Panel, bins: int, probability: Values) -> dict[str, Values]:
    """Take the probability of each window apart, by `PARTS`.

    Parameters
    ----------
    model : Forecaster
    history : Panel
    bins : int
        In a window.
    probability : ndarray, shape (windows, N)
        What the model forecast.

    Returns
    -------
    dict of str to ndarray, shape (windows, N)
        Their product is the expected number of events. Empty where the model is not made of such parts.
    """
    base = _find_level(model)
    if base is None:
        return {}
    (windows, units), late = probability.shape, history.delay
    made = base.explain(history, late + windows * bins)
    days, level, hour, season = (
        each[late:].reshape(windows, bins) for each in (made.days, made.level, made.hour, made.season)
    )
    # Of a window of several bins: each weighed by what the former ones make of it, so that the product stays the same.
    sums = [days.sum(axis=1)]
    for factor in (hour, season, level):
        days = days * factor
        sums.append(days.sum(axis=1))
    hours, seasons, levels = (later / earlier for earlier, later in pairwise(sums))
    usual = made.usual * sums[0][:, None] / units
    known = (hours[:, None], seasons[:, None], made.place[None] * units, levels[:, None])
    recent = np.ones(1)
    if base is not model or (isinstance(model, LearnedLevel) and model.corrects):
        recent = -np.log1p(-np.minimum(probability, 1 - 1e-12)) / (usual * math.prod(known))
    columns = (*known, recent, usual)
    return {name: np.broadcast_to(each, probability.shape) for name, each in zip(PARTS, columns, strict=True)}


def _find_level(model: Forecaster) -> LevelForecaster | None:
    """The level × calendar × place that a model is, corrects, or pools with others."""
    members = model.members_.values() if isinstance(model, Ensemble) else [model]
    return next((each for each in members if isinstance(each, LevelForecaster)), None)


def measure_spread(model: Forecaster, history: Panel) -> Values:
    """Measure how well level and place are known from the events there were: relative variance of the rate, shape (N,).

    The level rests on the events of late, of which the later count more, and each unit's share on its own events and
    what similar categories say. Whatever the model, it knows them no better than that.
    """
    # What others call so is something else.
    base = _find_level(model)
    half_life = float(getattr(base, "half_life", Level().half_life))
    age = (history.edges[-1] - history.edges[1:]) / np.timedelta64(1, "D")
    weights, events = 0.5 ** (age / half_life), count_totals(history)
    level = (weights**2 @ events) / max(weights @ events, 1e-9) ** 2 if events.any() else 1.0
    shrinkage = float(getattr(base, "shrinkage_", _SHRINKAGE))
    ((past, similar),) = PlacesRead(history).sum_before(np.array([len(history)]))
    shares = compute_shares(past, weigh_similar(similar), shrinkage)
    # A share is known as after so many events of its own and of similar categories, whose shares are counts as well.
    number = past.sum() + shrinkage
    place = (1 - shares) / shares * (1 / number + shrinkage**2 / (max(similar.sum(), 1.0) * number**2))
    return np.asarray(np.maximum(level + place, 1e-9))
