"""What is known at an origin beside the level, as columns: how recent numbers compare with what was expected.

All are logarithms of ratios to an expectation, so that they mean the same at any level of the city; those of units say
how a unit differs from the others, and leave the sum of all units as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from ...contract.texts import show_name
from ...maps.panel import Panel
from ..cell_features import measure_bin
from ..pastcounts import YEAR, PastCounts, find_middles
from .base import Array, Way
from .cityclock import CityClock, measure_days
from .recentsums import LEAST_BINS, sum_recent

#: Half-lives, days, of the city, of a unit with those that touch it, and of other categories.
_CITY, _UNIT, _OTHERS = (0.25, 1.0, 3.0, 7.0, 14.0, 30.0), (1.0, 3.0, 7.0, 30.0, 90.0), (1.0, 7.0, 30.0, 90.0)
#: Events' worth of what was expected in each ratio, of a unit, of several and of other categories.
_PRIOR, _PRIOR_OF_SEVERAL = 1.0, 3.0
_DAY = 86_400.0
#: 1970 began on this day of the week; Monday is 0.
_THURSDAY = 3
#: What it is named in a log, by group.
GROUPS = {
    "hours": "hours by season",
    "clocks": "when other categories happen",
    "places": "where other categories happen, and what lies around",
    "city": "recent events of all units",
    "own": "recent events of each unit",
    "near": "recent events around each unit",
}


@dataclass(frozen=True)
class OtherClock:
    """When another category happens: its clock, and its events of a day."""

    clock: CityClock
    usual: float


class TermColumns:
    """Makes the columns of any ways of a panel; what a way reads ends at its origin, whatever the panel's delay.

    Parameters
    ----------
    panel : Panel
    edges : ndarray of datetime64[s]
        Of its bins and those that follow.
    threshold : int
    clock : CityClock
        Of the events.
    others : sequence of OtherClock
        Of the panel's channels.
    usual : ndarray, shape (T,)
        Events of all units that were expected in each bin of the panel when it began.

    Attributes
    ----------
    groups : list of str
        Of each column: a key of `GROUPS`, or the number of a channel.
    """

    def __init__(
        self,
        panel: Panel,
        edges: NDArray[np.datetime64],
        threshold: int,
        clock: CityClock,
        others: Sequence[OtherClock],
        usual: Array,
    ) -> None:
        self._past = PastCounts(panel, threshold)
        self._edges, self._usual = edges, usual
        self._clock, self._others = clock, others
        self._names = panel.extras.channel_names
        self._bin_days = measure_bin(panel)
        self._units = self._past.units
        self._channels = []
        for channel in panel.extras.channels:
            seen = np.asarray(channel[: len(panel), panel.mask], dtype=np.float32)
            seen[~panel.observed] = 0.0
            self._channels.append(seen)
        inside = np.flatnonzero(panel.mask.ravel())
        self._touch = csr_array(panel.support.find_neighbours()[inside][:, inside].astype(np.float64))
        self._waves = [wave for wave in (1, 2) if self._bin_days * 2 * wave <= 1.0]
        self._lives = {
            name: [days for days in lives if days >= LEAST_BINS * self._bin_days]
            for name, lives in (("city", _CITY), ("unit", _UNIT), ("others", _OTHERS))
        }
        several = self._units > 1
        self.groups = [
            *("hours" for _ in range(4 * len(self._waves))),
            *("clocks" for _ in range(2 * len(others))),
            *("places" for _ in range((len(others) + 1) * several)),
            *("city" for _ in self._lives["city"]),
            *("own" for _ in self._lives["unit"] * several),
            *("near" for _ in self._lives["unit"] * several),
            *(str(channel) for channel in range(len(others)) for _ in self._lives["others"] * (1 + several)),
        ]

    def describe(self, group: str) -> str:
        """Say what a group of columns holds."""
        return GROUPS[group] if group in GROUPS else f"recent events of {show_name(self._names[int(group)])}"

    def make(self, ways: Sequence[Way], expected: Array) -> NDArray[np.float32]:
        """Make the columns, shape (ways, N, columns).

        Parameters
        ----------
        expected : ndarray, shape (ways, N)
            What the level forecasts.
        """
        share = expected / expected.sum(axis=1, keepdims=True)
        origins, which = np.unique([origin for origin, _ in ways], return_inverse=True)
        targets = np.array([target for _, target in ways], dtype=np.int64)
        columns = np.zeros((len(ways), self._units, len(self.groups)), dtype=np.float32)
        for number, (column, of_units) in enumerate(self._list(origins, which, targets, share)):
            if of_units:
                column = column - (share * column).sum(axis=1, keepdims=True)
            columns[:, :, number] = column
        return columns

    def make_with_times(self, ways: Sequence[Way], expected: Array) -> NDArray[np.float32]:
        """Make the columns, and behind them the hour, the day of the week and the time of the year of each way."""
        targets = np.array([target for _, target in ways], dtype=np.int64)
        days = self._edges[targets].astype("datetime64[s]").astype(np.int64) / _DAY
        times = np.stack([days % 1, (days + _THURSDAY) // 1 % 7, find_middles(self._edges)[targets] % YEAR], axis=1)
        repeated = np.broadcast_to(times[:, None, :].astype(np.float32), (len(ways), self._units, 3))
        return np.concatenate([self.make(ways, expected), repeated], axis=2)

    def _list(
        self, origins: NDArray[np.int64], which: NDArray[np.intp], targets: NDArray[np.int64], share: Array
    ) -> Iterator[tuple[Array, bool]]:
        """Give the columns in order, shape (ways, N or 1), and whether each says how units differ."""
        yield from ((column[:, None], False) for column in self._list_times(targets))
        lives = sorted({*self._lives["city"], *self._lives["unit"]})
        bins = np.array([*lives, np.inf]) / self._bin_days
        happened = sum_recent(self._past.seen, origins, bins)[which]
        expected = sum_recent(self._usual[:, None], origins, bins)[which]
        place = dict(zip(lives, range(len(lives)), strict=True))
        others = np.array([*self._lives["others"], YEAR, np.inf]) / self._bin_days
        sums = [sum_recent(each, origins, others)[which] for each in self._channels]
        if self._units > 1:
            for each in sums:
                seen = each[:, -1] + 0.5
                yield np.log(seen / seen.sum(axis=1, keepdims=True) / share), True
            total = happened[:, -1].sum(axis=1, keepdims=True)
            yield _compare(self._around(happened[:, -1]), self._around(share * total), _PRIOR_OF_SEVERAL), True
        for days in self._lives["city"]:
            of_city = happened[:, place[days]].sum(axis=1, keepdims=True)
            yield _compare(of_city, expected[:, place[days]], _PRIOR_OF_SEVERAL), False
        if self._units > 1:
            for around in (False, True):
                for days in self._lives["unit"]:
                    pair = happened[:, place[days]], expected[:, place[days]] * share
                    if around:
                        pair = self._around(pair[0]), self._around(pair[1])
                    yield _compare(*pair, _PRIOR_OF_SEVERAL if around else _PRIOR), True
        for each, other in zip(sums, self._others, strict=True):
            yield from self._list_recent(each, other, origins, which, others)

    def _list_recent(
        self, sums: Array, other: OtherClock, origins: NDArray[np.int64], which: NDArray[np.intp], bins: Array
    ) -> Iterator[tuple[Array, bool]]:
        """Of another category: all units against the last year, then each unit against all."""
        hour, season = other.clock.compute(self._edges)
        usual = (other.usual * measure_days(self._edges) * hour * season)[: len(self._past)] * self._past.observed
        expected = sum_recent(usual[:, None], origins, bins)[which]
        of_city = sums.sum(axis=2)[:, :, None]
        level = (of_city[:, -2] + _PRIOR) / (expected[:, -2] + _PRIOR)
        for number in range(len(self._lives["others"])):
            yield _compare(of_city[:, number], expected[:, number] * level, _PRIOR_OF_SEVERAL), False
        if self._units > 1:
            seen = sums[:, -1] + 0.5
            share = seen / seen.sum(axis=1, keepdims=True)
            for number in range(len(self._lives["others"])):
                yield _compare(sums[:, number], of_city[:, number] * share, _PRIOR_OF_SEVERAL), True

    def _list_times(self, targets: NDArray[np.int64]) -> Iterator[Array]:
        """Hours by season, and how the clocks of other categories differ from that of the events."""
        middles = find_middles(self._edges)[targets]
        year = 2 * np.pi * middles / YEAR
        for wave in self._waves:
            day = 2 * np.pi * wave * middles
            for of_day in (np.sin(day), np.cos(day)):
                for of_year in (np.sin(year), np.cos(year)):
                    yield of_day * of_year
        own = [np.log(each) for each in self._clock.compute(self._edges)]
        for other in self._others:
            for part, of_own in zip(other.clock.compute(self._edges), own, strict=True):
                yield (np.log(part) - of_own)[targets]

    def _around(self, values: Array) -> Array:
        return np.asarray((self._touch @ values.T).T)


def _compare(happened: Array, expected: Array, prior: float) -> Array:
    return np.asarray(np.log((happened + prior) / (expected + prior)))
