"""Curves of alarms: what every budget would have been worth, and whether probabilities mean what they say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .metrics import Reliability

Array = NDArray[np.float64]

#: Points of a curve at most, and bins of equal width that calibration is measured in.
_POINTS, BINS = 200, 10


@dataclass(frozen=True)
class AlarmCurve:
    """What the most likely windows were worth, as more and more are warned of; where windows tie, all of them.

    Attributes
    ----------
    share : ndarray, shape (P,)
        Of the windows that are warned of, rising to 1.
    recall_events : ndarray, shape (P,)
        Share of the events in them.
    recall : ndarray, shape (P,)
        Share of the windows with an event among them.
    precision : ndarray, shape (P,)
        Share of them that had an event.
    """

    share: Array
    recall_events: Array
    recall: Array
    precision: Array


def trace_alarms(risk: NDArray[Any], events: NDArray[Any], points: int = _POINTS) -> AlarmCurve:
    """Trace the curves of all budgets: share against events warned of, and precision against recall.

    Parameters
    ----------
    risk : ndarray, shape (F, N)
    events : ndarray of int, shape (F, N)
    points : int
        At most; those of the curve nearest to evenly spread shares.
    """
    p, number = risk.ravel(), np.asarray(events, dtype=np.float64).ravel()
    order = np.argsort(-p, kind="stable")
    # Windows of one probability are warned of together: a point of the curve is the last of each.
    ends = np.flatnonzero(np.r_[np.diff(p[order]) != 0, True]) if p.size else np.zeros(0, dtype=np.int64)
    if len(ends) > points:
        ends = ends[np.unique(np.searchsorted(ends, np.linspace(ends[0], ends[-1], points)))]
    raised, true = ends + 1.0, np.cumsum(number[order] > 0)[ends].astype(np.float64)
    warned, hit, every = np.cumsum(number[order])[ends], float((number > 0).sum()), float(number.sum())
    nothing = np.full(len(ends), np.nan)
    return AlarmCurve(
        raised / max(p.size, 1),
        warned / every if every else nothing,
        true / hit if hit else nothing,
        true / raised,
    )


def measure_reliability(predicted: ArrayLike, happened: ArrayLike, bins: int = BINS) -> Reliability:
    """Compare probabilities with what happened, in bins of equal width from 0 to 1; empty ones are left out.

    Parameters
    ----------
    predicted : array_like
    happened : array_like of 0/1
    """
    p = np.asarray(predicted, dtype=np.float64).ravel()
    o = np.asarray(happened, dtype=np.float64).ravel()
    group = np.minimum((p * bins).astype(np.int64), bins - 1)
    count = np.bincount(group, minlength=bins)
    kept = count > 0
    return Reliability(
        np.bincount(group, p, bins)[kept] / count[kept],
        np.bincount(group, o, bins)[kept] / count[kept],
        count[kept].astype(np.int64),
    )


def compute_calibration_error(predicted: ArrayLike, happened: ArrayLike) -> float:
    """Compute the expected calibration error: |predicted - observed| of 10 bins of equal width, weighed by number."""
    return measure_reliability(predicted, happened).error
