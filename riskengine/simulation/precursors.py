"""Events that follow others: shootings of which a known share comes after violence in the same place.

Every violent incident brings a shooting to its own place with probability κ (a Poisson number of mean κ), evenly at any
moment of the hours after it; the other shootings happen where and when violence usually does. So the intensity of
shootings in any area is known, and with it what share of them the best possible warnings could catch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..ground.errors import ParameterError
from ..intake.incidents import Incidents
from .cityplan import CATEGORIES, hour_of_week
from .simulate import SimulatedCity

#: What is warned of, and what comes before it.
TARGET, PRECURSOR = "shooting", "violence"
_CODE = CATEGORIES.index(PRECURSOR)
_HOUR = np.timedelta64(3600, "s")
Locate = Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.int64]]
#: Places drawn to measure which share of the violence an area has.
_DRAWN = 200_000


@dataclass(frozen=True)
class Targets:
    """Shootings of a simulated city, in order of time.

    Attributes
    ----------
    x, y : ndarray of float64, shape (E,)
    time : ndarray of datetime64[s], shape (E,)
    precursor : ndarray of int64, shape (E,)
        Row of the city's incident that each follows; -1 for none.
    strength : float
        κ: shootings that one violent incident brings, in the mean.
    hours : float
        Within which they come.
    rate : float
        Shootings an hour that follow nothing, in the mean.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    time: NDArray[np.datetime64]
    precursor: NDArray[np.int64]
    strength: float
    hours: float
    rate: float

    def __len__(self) -> int:
        return len(self.x)


def draw_targets(city: SimulatedCity, number: int, share: float = 0.0, hours: float = 48.0) -> Targets:
    """Draw shootings of a city.

    Parameters
    ----------
    city : SimulatedCity
    number : int
        How many are expected.
    share : float
        How many of them follow violence, from 0 to 1.
    hours : float
        Within which they do.

    Examples
    --------
    >>> city = simulate_city(1000, days=100)  # doctest: +SKIP
    >>> targets = draw_targets(city, 200, share=0.5)  # doctest: +SKIP
    """
    for name, value, fine, wish in (
        ("number", number, number >= 0, "0 or more"),
        ("share", share, 0 <= share <= 1, "from 0 to 1"),
        ("hours", hours, hours > 0, "more than 0"),
    ):
        if not fine:
            raise ParameterError(
                f"Parameter {name!r} is {value}", parameter=name, value=value, remedy=f"Give a value that is {wish}"
            )
    # A stream of its own: the city is the same with and without shootings.
    random = np.random.default_rng([city.parameters["seed"], 2])
    begin = np.datetime64(city.parameters["start"], "s")
    whole = city.parameters["days"] * 24
    before = np.flatnonzero(city.category == _CODE)
    strength = share * number / max(len(before), 1)
    rate = number * (1 - share if len(before) else 1) / whole
    window = hour_of_week(begin + np.arange(whole) * _HOUR)
    hour = np.repeat(np.arange(whole), random.poisson(rate * city.background.week[_CODE][window]))
    x, y = city.background.sample_places(len(hour), _CODE, random)
    usual = begin + ((hour + random.random(len(hour))) * 3600).astype("timedelta64[s]")
    precursor = np.repeat(before, random.poisson(strength, len(before)))
    follow = city.time[precursor] + (random.random(len(precursor)) * hours * 3600).astype("timedelta64[s]")
    time = np.r_[usual, follow]
    order = np.argsort(time, kind="stable")
    order = order[time[order] < begin + whole * _HOUR]
    return Targets(
        np.r_[x, city.x[precursor]][order],
        np.r_[y, city.y[precursor]][order],
        time[order],
        np.r_[np.full(len(x), -1), precursor][order].astype(np.int64),
        strength,
        hours,
        rate,
    )


def add_targets(city: SimulatedCity, targets: Targets) -> Incidents:
    """Make incidents of a city and its shootings, in order of time; those of one moment as they were drawn."""
    time = np.r_[city.time, targets.time]
    order = np.argsort(time, kind="stable")
    code = np.r_[city.category, np.full(len(targets), len(city.categories), dtype=np.int32)]
    x, y = (np.r_[mine, theirs][order] for mine, theirs in ((city.x, targets.x), (city.y, targets.y)))
    return Incidents(x, y, time[order], code[order], [*city.categories, TARGET], np.arange(len(order)))


def compute_expected(
    city: SimulatedCity,
    targets: Targets,
    unit: NDArray[np.int64],
    share: NDArray[np.float64],
    begins: NDArray[np.datetime64],
    window: int,
    late: int = 0,
) -> NDArray[np.float64]:
    """Compute how many shootings are to be expected in windows, by who knows the true intensity and the past violence.

    Exact where violence does not excite itself (a branching ratio of 0); else violence that is not known yet counts at
    its mean rate.

    Parameters
    ----------
    city : SimulatedCity
    targets : Targets
    unit : ndarray of int64, shape (R,)
        Area of each of the city's incidents, -1 for none.
    share : ndarray, shape (N,)
        Of the violence, by area (`measure_shares`).
    begins : ndarray of datetime64[s], shape (F,)
        Of the windows; full hours.
    window : int
        Their length, hours.
    late : int
        Hours before a window of which nothing is known.

    Returns
    -------
    ndarray, shape (F, N)
    """
    violent = (city.category == _CODE) & (unit >= 0)
    when, where = city.time[violent], unit[violent]
    start = np.datetime64(city.parameters["start"], "s")
    mean = int((city.category == _CODE).sum()) / (city.parameters["days"] * 24)
    week, expected = city.background.week[_CODE], np.zeros((len(begins), len(share)))

    def follow(since: NDArray[Any]) -> NDArray[np.float64]:
        """How many come in the window after violence at these moments, hours after its begin (mostly below 0)."""
        first, last = np.maximum(since, 0.0), np.minimum(since + targets.hours, float(window))
        return np.asarray(targets.strength / targets.hours * np.maximum(last - first, 0.0))

    for row, begin in enumerate(begins):
        known = begin - late * _HOUR
        first, after = np.searchsorted(when, (begin - np.timedelta64(int(targets.hours * 3600), "s"), known))
        since = (when[first:after] - begin) / _HOUR
        np.add.at(expected[row], where[first:after], follow(since))
        unknown = np.arange(-late, window)
        hours = week[hour_of_week(begin + unknown * _HOUR)] * (begin + unknown * _HOUR >= start)
        usual = targets.rate * hours[late:].sum()
        # Within an hour violence comes at its middle.
        expected[row] += share * (usual + mean * (hours * follow(unknown + 0.5)).sum())
    return expected


def measure_shares(city: SimulatedCity, locate: Locate, units: int) -> NDArray[np.float64]:
    """Measure which share of the violence each of so many areas has, shape (units,).

    Parameters
    ----------
    locate : callable
        Gives the number of the area of places x and y, -1 for none.
    """
    x, y = city.background.sample_places(_DRAWN, _CODE, np.random.default_rng(0))
    unit = locate(x, y)
    return np.bincount(unit[unit >= 0], minlength=units) / _DRAWN


def compute_recall(expected: NDArray[np.float64], share: float) -> float:
    """Compute the share of the events that warnings catch, in the mean, if the best `share` of all windows is chosen.

    Parameters
    ----------
    expected : ndarray, shape (F, N)
        Events to be expected, by the true intensity.
    """
    ranked = np.sort(expected.ravel())[::-1]
    chosen = round(share * ranked.size)
    return float(ranked[:chosen].sum() / ranked.sum()) if ranked.sum() else float("nan")
