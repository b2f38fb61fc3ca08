"""A look at incidents before anything is computed: how exact, how complete, how often the same."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..contract.placeholders import choose_wide_box
from ..contract.texts import show_names
from .exactness import find_exactness
from .findings import Places, measure_places, number_places
from .incidents import Incidents
from .patrols import find_patrol_group

#: What times of day are known to, where they are known.
CLOCK = ("minute", "hour")
_DAY = np.timedelta64(86_400, "s")
_SHORT, _LONG = 7.0, 30.0


@dataclass(frozen=True)
class Category:
    """A category as it is shown, how many incidents it has, and what patrols find in it (None: victims report it)."""

    name: str
    count: int
    patrols: str | None


@dataclass(frozen=True)
class Strays:
    """Incidents far from all others.

    Attributes
    ----------
    rows : ndarray of int64, shape (N,)
        Their positions among the incidents, farthest first.
    distance : ndarray of float64, shape (N,)
        From the median place, metres.
    """

    rows: NDArray[np.int64]
    distance: NDArray[np.float64]


@dataclass(frozen=True)
class Duplicates:
    """Incidents of the same time and place, to the second and the centimetre.

    Attributes
    ----------
    rows : int
        Incidents of the time, place and category of an earlier one.
    largest : int
        Most incidents of one time, place and category.
    shared : int
        Incidents of the time and place of an earlier one, whatever its category.
    """

    rows: int
    largest: int
    shared: int


@dataclass(frozen=True)
class Delay:
    """How long after it happened an incident was reported, days; of those reported later than they happened.

    Attributes
    ----------
    known, unknown, negative : int
        Incidents with a delay; without a time of report; reported before they happened, which is a mistake.
    by_day : bool
        Whether only whole days could be compared.
    median, ninety : float
        Half, and nine of ten, are reported within so many days. NaN where none is known.
    over_week, over_month : float
        Shares reported more than 7, and 30, days later.
    missing_week, missing_month : float
        Shares of the incidents of the last 7, and 30, days that are not reported yet, at any moment.
    """

    known: int
    unknown: int
    negative: int
    by_day: bool
    median: float
    ninety: float
    over_week: float
    over_month: float
    missing_week: float
    missing_month: float


@dataclass(frozen=True)
class Inspection:
    """What incidents look like.

    Attributes
    ----------
    first, last : datetime64[s]
    exactness : {"minute", "hour", "day", "month"}
    hours : ndarray of int64, shape (7, 24), or None
        Incidents by weekday, Mondays first, and hour; None where no time of day is known.
    midnight : float
        Share at exactly midnight.
    categories : list of Category
        Most frequent first.
    uncategorised : int
    places : Places
    strays : Strays
    duplicates : Duplicates
    delay : Delay or None
        None where no time of report was given, or months alone are known.
    """

    first: np.datetime64
    last: np.datetime64
    exactness: str
    hours: NDArray[np.int64] | None
    midnight: float
    categories: list[Category]
    uncategorised: int
    places: Places
    strays: Strays
    duplicates: Duplicates
    delay: Delay | None


def inspect_incidents(incidents: Incidents, reported: NDArray[np.datetime64] | None = None) -> Inspection:
    """Measure all that can be said of incidents without computing anything from them.

    Parameters
    ----------
    incidents : Incidents
        At least one.
    reported : ndarray of datetime64[s], shape (N,), optional
        When each was reported; NaT where that is unknown.
    """
    first, last = incidents.span
    exactness = incidents.exactness or find_exactness(incidents.time)
    categories, uncategorised = _categories(incidents)
    return Inspection(
        first=first,
        last=last,
        exactness=exactness,
        hours=count_by_hour(incidents.time) if exactness in CLOCK else None,
        midnight=float((incidents.time == incidents.time.astype("datetime64[D]")).mean()),
        categories=categories,
        uncategorised=uncategorised,
        places=measure_places(incidents),
        strays=find_strays(incidents.x, incidents.y),
        duplicates=count_duplicates(incidents),
        delay=None if reported is None or exactness == "month" else measure_delay(incidents.time, reported, exactness),
    )


def _categories(incidents: Incidents) -> tuple[list[Category], int]:
    known = incidents.category >= 0
    number = np.bincount(incidents.category[known], minlength=len(incidents.categories))
    shown = show_names(incidents.categories)
    order = np.argsort(-number, kind="stable")
    listed = [
        Category(shown[code], int(number[code]), find_patrol_group(shown[code])) for code in order if number[code]
    ]
    return listed, int((~known).sum())


def count_by_hour(time: NDArray[np.datetime64]) -> NDArray[np.int64]:
    """Count incidents by weekday, Mondays first, and hour of the day; shape (7, 24)."""
    # 1970-01-01 was a Thursday.
    weekday = (time.astype("datetime64[D]").astype(np.int64) + 3) % 7
    hour = time.astype("datetime64[h]").astype(np.int64) % 24
    return np.bincount(weekday * 24 + hour, minlength=7 * 24).reshape(7, 24).astype(np.int64)


def find_strays(x: NDArray[np.float64], y: NDArray[np.float64]) -> Strays:
    """Find the places that lie farther from the middle half of all than three times its width."""
    west, south, east, north = choose_wide_box(x, y, np.quantile)
    rows = np.flatnonzero((x < west) | (x > east) | (y < south) | (y > north))
    distance = np.hypot(x[rows] - np.median(x), y[rows] - np.median(y))
    order = np.argsort(-distance, kind="stable")
    return Strays(rows[order].astype(np.int64), distance[order])


def count_duplicates(incidents: Incidents) -> Duplicates:
    """Count incidents of the same time, place and category."""
    cents = number_places(incidents.x, incidents.y)
    order = np.lexsort((incidents.category, cents[:, 1], cents[:, 0], incidents.time))
    kind, when, place = incidents.category[order], incidents.time[order], cents[order]
    fresh = np.r_[True, (when[1:] != when[:-1]) | (place[1:] != place[:-1]).any(axis=1)]
    other = fresh | np.r_[True, kind[1:] != kind[:-1]]
    sizes = np.diff(np.r_[np.flatnonzero(other), len(other)])
    return Duplicates(int((~other).sum()), int(sizes.max()), int((~fresh).sum()))


def measure_delay(time: NDArray[np.datetime64], reported: NDArray[np.datetime64], exactness: str) -> Delay:
    """Measure how long after it happened each incident was reported.

    Parameters
    ----------
    time, reported : ndarray of datetime64[s], shape (N,)
        NaT in `reported` where that is unknown.
    exactness : {"minute", "hour", "day"}
        Of `time`. Where either of the two is known to the day only, whole days are compared.
    """
    there = ~np.isnat(reported)
    happened, told = time[there], reported[there]
    by_day = exactness not in CLOCK or (len(told) > 0 and find_exactness(told) not in CLOCK)
    if by_day:
        happened, told = happened.astype("datetime64[D]"), told.astype("datetime64[D]")
    days = (told - happened) / _DAY
    fine = days[days >= 0]
    some = len(fine) > 0
    # Half of them "within so many days" are so many that occur.
    median, ninety = np.quantile(fine, [0.5, 0.9], method="inverted_cdf") if some else (np.nan, np.nan)
    return Delay(
        known=len(fine),
        unknown=int((~there).sum()),
        negative=len(days) - len(fine),
        by_day=by_day,
        median=float(median),
        ninety=float(ninety),
        over_week=float((fine > _SHORT).mean()) if some else np.nan,
        over_month=float((fine > _LONG).mean()) if some else np.nan,
        # What happened u days ago, u even between 0 and 7, is not in the data if its delay is longer than u.
        missing_week=float(np.minimum(fine, _SHORT).mean() / _SHORT) if some else np.nan,
        missing_month=float(np.minimum(fine, _LONG).mean() / _LONG) if some else np.nan,
    )
