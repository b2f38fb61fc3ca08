"""Open cases: how rates fall toward a file's end, because outcomes come after the incident, and how long that takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...measures.clustered import Interval, compute_clustered_ratio
from .rates import expect_outcomes
from .rows import MISSING, Floats, Rows

#: Days of a step of the chart; beyond so many steps one has four times as many.
WEEK, _MOST_STEPS = 7, 105
#: "The last weeks", and the span whose rate must be as expected for its begin to be a maturity, days.
RECENT = 28
#: A file of fewer days cannot show how its cases mature: the older half must be longer than outcomes mostly take.
LEAST_DAYS = 84
#: Ages at which the table of rates by age begins a new line, days.
AGES = (0, 7, 14, 28, 56, 84, 112, 182, 365)
#: So much of what is expected is enough: of millions of cases the least shortfall can be told from chance.
_ENOUGH = 0.99
#: A category is compared where so many incidents are mature, and so many outcomes were expected of late.
_MATURE_LEAST, _EXPECTED_LEAST = 100, 5.0


@dataclass(frozen=True, eq=False)
class Ratios:
    """Outcomes observed and expected in S spans of days.

    Attributes
    ----------
    begins : ndarray of int64, shape (S,)
        Age of the youngest case of each, days before the last day of the file.
    ends : ndarray of int64, shape (S,)
        Age of its oldest case.
    incidents, outcomes : ndarray of int64, shape (S,)
    expected : ndarray of float64, shape (S,)
    ratio : sequence of Interval, length S
        Observed ÷ expected, its interval over days.
    """

    begins: NDArray[np.int64]
    ends: NDArray[np.int64]
    incidents: NDArray[np.int64]
    outcomes: NDArray[np.int64]
    expected: Floats
    ratio: Sequence[Interval]


@dataclass(frozen=True, eq=False)
class LateCategories:
    """Rates of C categories among mature cases and among those of the last weeks, those that miss most first.

    Attributes
    ----------
    names : sequence of str, length C
    mature, mature_outcomes, recent, recent_outcomes : ndarray of int64, shape (C,)
        Incidents, and how many of them have the outcome.
    """

    names: Sequence[str]
    mature: NDArray[np.int64]
    mature_outcomes: NDArray[np.int64]
    recent: NDArray[np.int64]
    recent_outcomes: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class OpenCases:
    """What the end of a file shows.

    Attributes
    ----------
    last : datetime64[D]
        The last day: ages count from it.
    days : int
        From the first day to the last.
    mature : int
        Cases at least so old, the older half of the days, say what is expected of the others.
    steps : Ratios
        Weeks, or four of them, the oldest first.
    ages : Ratios
        By `AGES`, the youngest first.
    recent : Interval
        Observed ÷ expected of the last `RECENT` days.
    maturity : int or None
        Days; None where the file is too short, or rates fall through more than half of it.
    late : LateCategories
    """

    last: np.datetime64
    days: int
    mature: int
    steps: Ratios
    ages: Ratios
    recent: Interval
    maturity: int | None
    late: LateCategories

    @property
    def comparable(self) -> bool:
        """Whether the last weeks can be compared with others before them."""
        return self.days >= 2 * RECENT

    @property
    def long_enough(self) -> bool:
        """Whether the file has days enough to show how cases mature."""
        return self.days >= LEAST_DAYS


def study_cases(rows: Rows) -> OpenCases | None:
    """Compare what became of incidents with what is expected of their categories, by age.

    Returns
    -------
    OpenCases or None
        None where no incident has a date, or none has the outcome.
    """
    rows = rows.select(~np.isnat(rows.day))
    if not len(rows) or not rows.outcomes.any():
        return None
    last = rows.day.max()
    age = (last - rows.day).astype(np.int64)
    days = int(age.max()) + 1
    mature = days // 2
    expected = expect_outcomes(rows, age >= mature)
    daily = _Daily(age, rows.outcomes, expected)
    step = WEEK if days <= WEEK * _MOST_STEPS else 4 * WEEK
    # An incomplete step at the begin would be a point of few days.
    steps = [(begin, begin + step - 1) for begin in range(0, max(days - step, 0) + 1, step)][::-1]
    ages = [begin for begin in AGES if begin < days]
    bands = [(begin, after - 1) for begin, after in zip(ages, [*ages[1:], days], strict=True)]
    return OpenCases(
        last,
        days,
        mature,
        daily.compare(steps),
        daily.compare(bands),
        daily.divide(0, RECENT - 1),
        _propose_maturity(daily, mature) if days >= LEAST_DAYS else None,
        _find_late(rows, age, mature),
    )


class _Daily:
    """Incidents, outcomes and what was expected, by age in days."""

    def __init__(self, age: NDArray[np.int64], happened: NDArray[np.bool_], expected: Floats) -> None:
        self.incidents = np.bincount(age)
        self.outcomes = np.bincount(age, happened)
        self.expected = np.bincount(age, expected)

    def divide(self, begin: int, end: int) -> Interval:
        """Observed ÷ expected of cases of an age, `end` included; NaN where nothing was expected."""
        span = slice(begin, end + 1)
        there = self.incidents[span] > 0
        outcomes, expected = self.outcomes[span][there], self.expected[span][there]
        if not expected.sum() > 0:
            return Interval(np.nan, np.nan, np.nan)
        return compute_clustered_ratio(outcomes, expected)

    def compare(self, spans: Sequence[tuple[int, int]]) -> Ratios:
        """Count and divide in each span of ages, the ends included."""
        begins, ends = np.array(spans, dtype=np.int64).reshape(-1, 2).T
        sums = [
            np.array([values[begin : end + 1].sum() for begin, end in spans])
            for values in (self.incidents, self.outcomes, self.expected)
        ]
        ratio = [self.divide(begin, end) for begin, end in spans]
        return Ratios(begins, ends, sums[0].astype(np.int64), sums[1].astype(np.int64), sums[2], ratio)


def _propose_maturity(daily: _Daily, mature: int) -> int | None:
    """The youngest age, in whole weeks, from which on four weeks no longer fall short of what is expected."""
    for begin in range(0, mature - RECENT + 1, WEEK):
        ratio = daily.divide(begin, begin + RECENT - 1)
        if np.isnan(ratio.high) or ratio.high >= _ENOUGH:
            return begin
    return None


def _find_late(rows: Rows, age: NDArray[np.int64], mature: int) -> LateCategories:
    nothing = np.zeros(0, dtype=np.int64)
    category = rows.texts.get("category")
    if category is None or mature <= RECENT:
        return LateCategories([], nothing, nothing, nothing, nothing)
    size = len(category.labels)

    def count(chosen: NDArray[np.bool_]) -> NDArray[np.int64]:
        return np.bincount(category.codes[chosen & (category.codes != MISSING)], minlength=size).astype(np.int64)

    old, young = age >= mature, age < RECENT
    before, late = count(old), count(young)
    before_outcomes, late_outcomes = count(old & rows.outcomes), count(young & rows.outcomes)
    with np.errstate(divide="ignore", invalid="ignore"):
        expected = np.where(before >= _MATURE_LEAST, late * before_outcomes / before, 0.0)
    missing = expected - late_outcomes
    order = np.argsort(-missing, kind="stable")
    kept = order[(expected[order] >= _EXPECTED_LEAST) & (missing[order] > 0)]
    names = [category.labels[code] for code in kept.tolist()]
    return LateCategories(names, before[kept], before_outcomes[kept], late[kept], late_outcomes[kept])
