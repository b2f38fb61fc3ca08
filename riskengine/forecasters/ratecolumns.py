"""What is known of each unit at an origin, as columns of a table: weighted means of it and its neighbours, and more."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from ..maps.panel import Panel
from .pastcounts import YEAR, Array, PastCounts, find_middles, shrink

#: Half-lives of the weighted means, days, and the fewest bins of one: two, whichever month is the first.
HALF_LIVES = (61.0, 183.0, 548.0, 1826.0)
_LEAST_BINS = 1.9
#: That of the rate which the columns correct.
_BASE_LIFE = 365.0
#: That of the level at which it is, of bins shorter than a month; of longer ones each of the last 365 days is alike.
_LEVEL_LIFE, _MONTH = 30.0, 28.0
#: Share of the mean of all units in every mean: a logarithm needs more than nothing.
_MIX = 0.15
#: How often each unit is averaged with those that touch it: after 4 rounds its surroundings reach about two units far,
#: after 16 four.
WIDTHS = (4, 16)
#: Half-life of the channels' means, days.
_CHANNEL_LIFE = 183.0


class RateColumns:
    """Makes the tables of a panel's bins; what a table reads ends at its origin.

    All columns but the season are of the unit against the mean of all, so that they mean the same at any level of the
    city; the level is in the rate that they correct.

    Parameters
    ----------
    panel : Panel
    edges : ndarray of datetime64[s]
        Of its bins and those that follow.
    threshold : int
    seasons : bool
        Whether the time of the year is among the columns.

    Attributes
    ----------
    names : list of str
        Of the columns.
    past : PastCounts
    """

    def __init__(self, panel: Panel, edges: NDArray[np.datetime64], threshold: int = 1, seasons: bool = False) -> None:
        # Who forecasts where counts come late looks further ahead instead; covariates have their own delays.
        panel = panel.drop_delay()
        self.past = PastCounts(panel, threshold)
        self._edges, self._middles = edges, find_middles(edges)
        self._seasons = seasons
        self._level_life = _LEVEL_LIFE if self.past.bin_days < _MONTH else None
        mask = panel.mask
        self._surroundings = _Surroundings(panel)
        size = np.log(panel.support.measure_sizes()[mask])
        self._size = size - np.median(size)
        extras = panel.extras
        self._static = [layer[mask] for layer in extras.static]
        self._covariates, self._mask = extras.covariates, mask
        self._channels = [np.asarray(each[:, mask], dtype=np.float32) for each in extras.channels]
        least = _LEAST_BINS * self.past.bin_days
        self._lives = [days for days in HALF_LIVES if days >= least] or [least]
        rings = ("here", "who touch it", *(f"{rounds} rounds about" for rounds in WIDTHS))
        self.names = [
            *(f"half-life {days:g} d, {ring}" for ring in rings for days in self._lives),
            "long-run rate",
            "last bin",
            "a year ago",
            "size",
            "rate",
            *(("summer", "spring") if self._seasons else ()),
            *(f"channel {name}" for name in extras.channel_names),
            *extras.static_names,
            *(each.name for each in extras.covariates),
        ]

    def make_table(self, origin: int, target: int) -> tuple[NDArray[np.float32], Array]:
        """Compute the table of bin `target` from what was known before bin `origin`.

        Returns
        -------
        table : ndarray of float32, shape (N, columns)
            NaN where a covariate says nothing.
        rate : ndarray, shape (N,)
            The weighted mean, shrunk and at the city's level: what the columns correct.
        """
        past = self.past
        sums = np.stack([past.sum(self._decay(origin, days))[0] for days in self._lives], axis=1)
        columns = [_compare(each) for ring in (sums, *self._surroundings.average(sums)) for each in ring.T]
        columns.append(_compare(shrink(*past.sum(np.ones(origin)), past.events)))
        last = np.flatnonzero(past.observed[:origin])[-1:]
        columns.append(_compare(past.seen[last].sum(axis=0)))
        columns.append(self._read_year_ago(origin, target))
        rate = shrink(*past.sum(self._decay(origin, _BASE_LIFE)), past.events)
        rate *= past.compute_level(origin, self._edges[target], self._level_life) / rate.mean()
        logs = np.log(rate)
        columns += [self._size, logs - logs.mean()]
        if self._seasons:
            angle = 2 * np.pi * (self._middles[target] % YEAR) / YEAR
            columns += [np.full(past.units, turn) for turn in (-np.cos(angle), np.sin(angle))]
        for channel in self._channels:
            weights = (self._decay(origin, _CHANNEL_LIFE) * past.observed[:origin])[: len(channel)]
            columns.append(_compare(weights.astype(np.float32) @ channel[: len(weights)]))
        columns += self._static
        columns += [np.asarray(each.read_known(origin)[self._mask], dtype=np.float64) for each in self._covariates]
        table = np.empty((past.units, len(columns)), dtype=np.float32)
        for number, column in enumerate(columns):
            table[:, number] = column
        return table, rate

    def _decay(self, origin: int, days: float) -> Array:
        if not origin:
            return np.zeros(0)
        weights: Array = 0.5 ** ((self.past.middles[origin - 1] - self.past.middles[:origin]) / days)
        return weights

    def _read_year_ago(self, origin: int, target: int) -> Array:
        """Read how the unit differed from the mean in the bins of a month, a year before."""
        half = max(15.5, self.past.bin_days / 2)
        weights = np.asarray(abs(self.past.middles[:origin] - (self._middles[target] - YEAR)) < half, dtype=np.float64)
        return _compare(self.past.sum(weights)[0])


def _compare(values: NDArray[np.floating]) -> Array:
    """Logarithm of values against their mean, a little of which is mixed in."""
    values = np.asarray(values, dtype=np.float64)
    mean = float(values.mean())
    if not mean > 0:
        return np.zeros(len(values))
    logs = np.log(values / mean + _MIX)
    # Of few counts the logarithms are lower on average: that would tell the level of the city.
    return np.asarray(logs - logs.mean())


class _Surroundings:
    """Averages the units around each: those that touch it, and, by averaging again and again, ever more of them.

    Parameters
    ----------
    panel : Panel
    """

    def __init__(self, panel: Panel) -> None:
        inside = np.flatnonzero(panel.mask.ravel())
        touch = csr_array(panel.support.find_neighbours()[inside][:, inside].astype(np.float64))
        own = csr_array((np.ones(len(inside)), (np.arange(len(inside)),) * 2), shape=touch.shape)
        # A unit that nobody touches stands for those around it.
        alone = np.asarray(touch.sum(axis=1)).ravel() == 0
        self._touching = _share(csr_array(touch + own.multiply(alone[:, None].astype(np.float64))))
        self._around = _share(csr_array(touch + own))

    def average(self, values: Array) -> list[Array]:
        """Average values, shape (N, columns): over who touches each unit, then after each of `WIDTHS` rounds."""
        averages = [self._touching @ values]
        for rounds in np.diff([0, *WIDTHS]):
            for _ in range(rounds):
                values = self._around @ values
            averages.append(values)
        return averages


def _share(matrix: csr_array) -> csr_array:
    return csr_array(matrix.multiply(1 / np.asarray(matrix.sum(axis=1)).reshape(-1, 1)))
