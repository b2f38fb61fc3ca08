"""One shift of the logit, so that as many outcomes are expected as there are of late.

A model learns a mean of all its days, and what it is asked about comes after them. How far the level has moved by then
is seen on the last days that it may know: the same model, fitted without them, forecasts them, and the shift is what
would have made as many outcomes as there were. The test is never looked at; what it would give itself is an oracle,
and is only shown.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from ...ground.context import JobContext
from ...ground.errors import DataError
from ...learning.calibration import Calibration
from .models.base import Predictor, limit_probabilities
from .rows import Floats, Rows
from .splits import TESTED_SHARE, Parts, find_span, split_rows

#: Days that the shift is learned on, at most a fifth of those learned from: with one or two weeks, what earlier days
#: of Chicago would have given was worse as often as not.
SHIFT_DAYS = 28
#: Fewer rows, or outcomes among them, tell no level.
LEAST_ROWS, _LEAST_OUTCOMES = 200, 20
_STEPS, _FARTHEST = 50, 5.0


@dataclass(frozen=True)
class Shift:
    """A shift of the logit, and what it was learned on.

    Attributes
    ----------
    value : float
        Added to the logit; 0 where nothing could be learned.
    rows : int
        Held out to learn it.
    first, last : str
        ISO dates of these; empty where nothing was held out.
    """

    value: float = 0.0
    rows: int = 0
    first: str = ""
    last: str = ""

    def __call__(self, probability: Floats) -> Floats:
        """Shift probabilities."""
        return shift_probabilities(probability, self.value)


def shift_probabilities(probability: Floats, shift: float) -> Floats:
    """Add to the logit of probabilities."""
    if not shift:
        return probability
    return limit_probabilities(Calibration(shift=shift)(probability))


def fit_shift(probability: Floats, happened: NDArray[np.bool_]) -> float:
    """Fit the shift with which as many outcomes are expected as there were: that of the least log-loss.

    0 where there are too few rows, or outcomes or their absence among them, to tell.
    """
    events = int(happened.sum())
    if len(happened) < LEAST_ROWS or min(events, len(happened) - events) < _LEAST_OUTCOMES:
        return 0.0
    odds, shift = logit(limit_probabilities(probability)), 0.0
    for _ in range(_STEPS):
        expected = expit(odds + shift)
        step = float((events - expected.sum()) / (expected * (1 - expected)).sum())
        # Far from the answer the slope is flat: a step of more than 1 would leap over it.
        shift += min(max(step, -1.0), 1.0)
        if abs(step) < 1e-10 or abs(shift) > _FARTHEST:
            break
    return min(max(shift, -_FARTHEST), _FARTHEST)


def learn_shift(
    make: Callable[[], Predictor],
    rows: Rows,
    maturity: int = 0,
    days: int = SHIFT_DAYS,
    context: JobContext | None = None,
) -> Shift:
    """Learn the shift of a model on the last days of the rows that it learns from.

    Parameters
    ----------
    make : callable
        Makes the model, not fitted.
    rows : Rows
        Only what may be known: before the origin, less the days whose outcomes are not known yet.
    maturity : int
        So many days lie between what a model learns from and what it is asked about; as many are left out here, at
        most a third, so that the level has as long to move.
    days : int
        Held out, at most a fifth.
    """
    number = _count_days(rows)
    try:
        held = max(min(days, number * TESTED_SHARE), 1)
        parts = split_rows(rows, "forward", held, min(maturity, number // 3))
    except DataError:
        return Shift()
    return _learn(make, rows, parts, context)


def learn_shift_alike(
    make: Callable[[], Predictor],
    rows: Rows,
    parts: Parts,
    maturity: int = 0,
    seed: int = 0,
    context: JobContext | None = None,
) -> Shift:
    """Learn the shift on rows that are held out as the test is: where that is not forward, the shift is hardly one."""
    learned = rows.select(parts.learned)
    if parts.split == "forward":
        return learn_shift(make, learned, maturity, context=context)
    return _learn(make, learned, split_rows(learned, parts.split, seed=seed + 1), context)


def _count_days(rows: Rows) -> int:
    first, last = find_span(rows.day)
    return int((last - first) / np.timedelta64(1, "D")) + 1 if not np.isnat(first) else 0


def _learn(make: Callable[[], Predictor], rows: Rows, parts: Parts, context: JobContext | None) -> Shift:
    held = rows.select(parts.tested)
    predicted = make().fit(rows.select(parts.learned), context).predict(held)
    first, last = find_span(held.day)
    return Shift(fit_shift(predicted, held.outcomes), len(held), str(first), str(last))
