"""What alarms were worth: how many were true, what they warned of, and whether those of another model did better."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..contract.warnings import HOURS_OF_WEEK
from .compare import Difference, bootstrap_ratio

Array = NDArray[np.float64]
#: Of intervals.
LEVEL = 0.95


@dataclass(frozen=True)
class Alarms:
    """What alarms were worth: windows of units, and the events in them. Fractions come of ties that were shared.

    Attributes
    ----------
    raised, windows : float
        Alarms, and windows of units there were.
    true : float
        Alarms in whose window there was an event; the others are false.
    hit : float
        Windows of units with an event.
    warned_events, events : float
        Events in windows that were warned of, and all.
    """

    raised: float
    windows: float
    true: float
    hit: float
    warned_events: float
    events: float

    @property
    def share(self) -> float:
        """Share of the windows that were warned of."""
        return self.raised / self.windows if self.windows else float("nan")

    @property
    def base_rate(self) -> float:
        """Share of the windows with an event."""
        return self.hit / self.windows if self.windows else float("nan")

    @property
    def precision(self) -> float:
        """Share of the alarms that were true."""
        return self.true / self.raised if self.raised else float("nan")

    @property
    def recall(self) -> float:
        """Share of the windows with an event that were warned of."""
        return self.true / self.hit if self.hit else float("nan")

    @property
    def recall_events(self) -> float:
        """Share of the events that were warned of."""
        return self.warned_events / self.events if self.events else float("nan")

    @property
    def false_per_true(self) -> float:
        """False alarms for each true one."""
        return (self.raised - self.true) / self.true if self.true else float("inf")


@dataclass(frozen=True)
class AlarmSums:
    """The same by window, summed over units: arrays of shape (F,), as intervals over weeks are made of."""

    raised: Array
    windows: Array
    true: Array
    hit: Array
    warned_events: Array
    events: Array

    def total(self) -> Alarms:
        """Add up all windows."""
        return Alarms(*(float(each.sum()) for each in vars(self).values()))


def sum_alarms(raised: NDArray[Any], events: NDArray[Any]) -> AlarmSums:
    """Sum up, window by window, what alarms were worth.

    Parameters
    ----------
    raised : ndarray, shape (F, N)
        Alarms: true and false, or parts of one.
    events : ndarray of int, shape (F, N)
    """
    parts, happened = np.asarray(raised, dtype=np.float64), events > 0
    return AlarmSums(
        parts.sum(axis=1),
        np.full(len(parts), float(parts.shape[1])),
        (parts * happened).sum(axis=1),
        happened.sum(axis=1, dtype=np.float64),
        (parts * events).sum(axis=1),
        events.sum(axis=1, dtype=np.float64),
    )


def count_week(window: int) -> int:
    """Count the windows in a block of about a week, over which intervals are taken.

    `compare` has no block of fewer than three: so come windows of a week, which resemble the one before (in Baltimore
    the weekly differences between two levels correlate by .46).
    """
    return max(round(HOURS_OF_WEEK / window), 1)


def bound_by_weeks(part: Array, whole: Array, window: int, level: float = LEVEL) -> Difference:
    """Bound sum(part) / sum(whole), over blocks of about a week.

    Parameters
    ----------
    part, whole : ndarray, shape (F,)
    window : int
        Hours of a window.
    level : float
        Of the interval.
    """
    return bootstrap_ratio(part, whole, count_week(window), level)


def bound_losses(first: Array, second: Array, window: int, level: float = LEVEL) -> Difference:
    """Bound the mean difference of two losses by window, over blocks of about a week; negative: the first is better.

    Parameters
    ----------
    first, second : ndarray, shape (F,)
    window : int
        Hours of a window.
    level : float
        Of the interval.
    """
    return bound_by_weeks(first - second, np.ones(len(first)), window, level)


def compare_recall(one: AlarmSums, other: AlarmSums, window: int) -> Difference:
    """Compare the shares of events warned of by weeks: that of `one` minus that of `other`; positive is better."""
    return bound_by_weeks(one.warned_events - other.warned_events, one.events, window)


def compare_precision(one: AlarmSums, other: AlarmSums, window: int) -> Difference:
    """Compare precisions by weeks: that of `one` minus that of `other`, which raised as many alarms.

    Raises
    ------
    ValueError
        If they did not raise as many.
    """
    _check_budget(one, other)
    return bound_by_weeks(one.true - other.true, (one.raised + other.raised) / 2, window)


def compute_lift(one: AlarmSums, other: AlarmSums, window: int) -> Difference:
    """Compute how many times as many alarms of `one` were true, with its interval; both raised as many.

    Raises
    ------
    ValueError
        If they did not raise as many.
    """
    _check_budget(one, other)
    return bound_by_weeks(one.true, other.true, window)


def _check_budget(one: AlarmSums, other: AlarmSums) -> None:
    if not np.isclose(one.raised.sum(), other.raised.sum(), rtol=1e-6):
        raise ValueError(f"{one.raised.sum():g} alarms are not compared with {other.raised.sum():g}")


@dataclass(frozen=True)
class Group:
    """What the alarms of a month, or of a unit, were worth, and whether as much happened as was expected.

    Attributes
    ----------
    label : str
    expected : float
        Windows with an event, as forecast; `alarms.hit` of them had one.
    alarms : Alarms
    """

    label: str
    expected: float
    alarms: Alarms


def group_alarms(risk: NDArray[Any], raised: NDArray[Any], events: NDArray[Any], labels: Sequence[str]) -> list[Group]:
    """Group alarms by the label of each window, in the order in which labels first appear.

    Parameters
    ----------
    risk, raised, events : ndarray, shape (F, N)
        Transposed, those of each unit are grouped.
    labels : sequence of str, length F
    """
    names = list(dict.fromkeys(labels))
    place = {name: number for number, name in enumerate(names)}
    group = np.array([place[label] for label in labels], dtype=np.int64)
    sums = sum_alarms(raised, events)
    totals = [np.bincount(group, each, len(names)) for each in vars(sums).values()]
    expected = np.bincount(group, np.asarray(risk, dtype=np.float64).sum(axis=1), len(names))
    return [
        Group(name, float(expected[number]), Alarms(*(float(each[number]) for each in totals)))
        for number, name in enumerate(names)
    ]
