"""What is known of each cell just before a map, as columns of a table: lagged, smoothed and neighbouring counts.

`CellFeatures` is asked for the columns of map t before it is shown map t, so none can hold anything of the map it
forecasts.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..maps.bins import make_next_edges
from ..maps.panel import Panel
from .smoothing import make_smoother

Array = NDArray[np.float64]

#: Half-lives of the exponentially weighted means, days; none is shorter than a bin.
HALF_LIVES = (3.0, 7.0, 14.0, 30.0, 90.0, 365.0)
#: Standard deviations of the spatial smoothing, cells.
SMOOTHINGS = (0.0, 1.0, 2.5)
#: Of the long-run means.
LONG_SMOOTHINGS = (0.0, 0.7, 1.5, 3.0)
#: Of what is read in one way only: the time of the week, and the channels.
_NEAR = 1.0
#: Half-lives of the channels' means, days.
CHANNEL_LIVES = (3.0, 14.0, 90.0)
#: Bins' worth of the study area's mean rate in every cell's long-run rate.
SHRINKAGE = 2.0
#: Share of the cell itself in its long-run rate; the rest is of its smoothed surroundings.
_OWN = 0.75
#: Share of the long-run mean in every recent mean: a logarithm needs more than nothing.
_MIX = 0.15
_DAY = 86_400.0
#: A year ago is read through a window this wide, days to either side.
_SEASON = 14


class CellFeatures:
    """Running summaries of the maps seen so far, in the cells of the study area.

    Smoothing and summing may change places: each map is smoothed once, when it is shown, and not each sum for each
    table.

    Parameters
    ----------
    heatmaps : Panel
        For its study area, bins and static layers; its counts are not read.
    channels : int
        Further stacks whose maps `update` is shown.

    Attributes
    ----------
    names : list of str
        Of the columns.
    """

    def __init__(self, heatmaps: Panel, channels: int = 0) -> None:
        self.mask = mask = heatmaps.mask
        self.bin_days = measure_bin(heatmaps)
        self.slots = count_slots(heatmaps)
        cells = int(mask.sum())
        lives = sorted({max(days, self.bin_days) for days in HALF_LIVES})
        self._smoothers = {sigma: make_smoother(heatmaps, sigma) for sigma in {*SMOOTHINGS, *LONG_SMOOTHINGS, _NEAR}}
        self._decays = np.array([0.5 ** (self.bin_days / days) for days in lives])
        self.maps = 0
        # Sums of the maps, of their exponentially weighted means and of those of each time of the week, smoothed.
        self._total = np.zeros((len(LONG_SMOOTHINGS), cells))
        self._recent = np.zeros((len(lives), len(SMOOTHINGS), cells))
        self._weight = np.zeros(len(lives))
        self._by_slot = np.zeros((self.slots, cells))
        self._slot_total = np.zeros(self.slots)
        self._slot_maps = np.zeros(self.slots)
        # Of the whole study area: sum and number of the observed maps before each map.
        self._sums, self._observed = [0.0], [0]
        lives_of_channels = np.maximum(CHANNEL_LIVES, self.bin_days)
        self._channel_bins = lives_of_channels / self.bin_days
        self._channel_decays = 0.5 ** (1 / self._channel_bins)
        self._channels = np.zeros((channels, len(CHANNEL_LIVES), cells))
        self._channel_weight = np.zeros(len(CHANNEL_LIVES))
        self._static = np.stack([np.zeros(cells), *(layer[mask] for layer in heatmaps.extras.static)])[1:]
        self.names = [
            "long-run rate",
            *(f"mean, smoothed {sigma:g}" for sigma in LONG_SMOOTHINGS),
            *(f"half-life {days:g} d, smoothed {sigma:g}" for days in lives for sigma in SMOOTHINGS),
            "this time of week here",
            "this time of week",
            "recent trend, 7 d",
            "recent trend, 28 d",
            "a year ago",
            *(f"channel {each}, {days:g} d" for each in range(channels) for days in CHANNEL_LIVES),
            *heatmaps.extras.static_names,
        ]

    def copy(self) -> CellFeatures:
        """Make another one that goes its own way from here."""
        other = copy.copy(self)
        # The smoothers and the names stay what they are.
        for name, value in vars(self).items():
            if isinstance(value, (np.ndarray, list)):
                setattr(other, name, value.copy())
        return other

    def columns(self, start: np.datetime64) -> tuple[NDArray[np.float32], Array]:
        """Compute the table of the map that begins at `start`.

        Returns
        -------
        table : ndarray of float32, shape (cells, features)
        rate : ndarray, shape (cells,)
            Long-run rate times the time of week: what the other columns correct.
        """
        cells = self._total.shape[1]
        area = (self._sums[-1] + 0.5) / (max(self.maps, 1) * cells)
        means = (self._total + SHRINKAGE * area) / (self.maps + SHRINKAGE)
        base = _OWN * means[0] + (1 - _OWN) * means[1]
        table = np.empty((len(self.names), cells), dtype=np.float32)
        table[0] = np.log(base)
        row = 1 + len(means)
        table[1:row] = np.log(means / base)
        recent = self._recent.reshape(-1, cells)
        if self.maps:
            weight = np.repeat(self._weight, len(SMOOTHINGS))[:, None]
            table[row : row + len(recent)] = np.log((1 - _MIX) * recent / (weight * base) + _MIX)
        else:
            table[row : row + len(recent)] = 0.0
        row += len(recent)
        local, city = self._time_of_week(int(read_slot(start, self.slots)), base, area)
        table[row] = local
        for number, value in enumerate((city, *self._trend(), self._year_ago()), row + 1):
            table[number] = value
        row += 5
        # Incidents that each channel had around here within a half-life.
        sums = self._channels / np.maximum(self._channel_weight, 1e-9)[:, None] * self._channel_bins[:, None]
        others = sums.reshape(-1, cells)
        table[row : row + len(others)] = np.log1p(others)
        table[row + len(others) :] = self._static
        return np.ascontiguousarray(table.T), base * np.exp(city)

    def _time_of_week(self, slot: int, base: Array, area: float) -> tuple[Array, float]:
        """Logarithm of how much busier this time of the week is: in each cell against the study area's, and there."""
        if self.slots == 1:
            return np.zeros_like(base), 0.0
        seen = self._slot_maps[slot]
        city = (self._slot_total[slot] + 5.0) / ((seen * len(base) * area) + 5.0)
        local = (self._by_slot[slot] + 5.0) / (base * seen * city + 5.0)
        return np.log(local), float(np.log(city))

    def _trend(self) -> tuple[float, float]:
        """Logarithm of the study area's level in the last 7 and 28 days against its last year."""
        year = self._level(365)
        week, month = (float(np.log((self._level(days) + 0.01) / (year + 0.01))) for days in (7, 28))
        return week, month

    def _level(self, days: float) -> float:
        """Average the study area's observed maps of the last days; 0 if there is none."""
        return self._between(-max(round(days / self.bin_days), 1), 0)

    def _between(self, first: int, last: int) -> float:
        """Average the study area's observed maps from `first` to before `last`, counted from the next map."""
        maps = len(self._sums) - 1
        low, high = max(maps + first, 0), max(maps + last, 0)
        seen = self._observed[high] - self._observed[low]
        return (self._sums[high] - self._sums[low]) / seen if seen else 0.0

    def _year_ago(self) -> float:
        """Logarithm of how busy this season was a year ago, against the year that followed; 0 without a year."""
        year, half = round(365.25 / self.bin_days), max(round(_SEASON / self.bin_days), 1)
        if len(self._sums) - 1 < year + half or year <= half + 1:
            return 0.0
        season, around = self._between(-year - half, -year + half + 1), self._between(-year - half, 0)
        return float(np.log((season + 0.01) / (around + 0.01))) if season and around else 0.0

    def update(
        self, start: np.datetime64, seen: NDArray[np.generic] | None, others: Sequence[NDArray[np.generic]] = ()
    ) -> None:
        """Take in the map that begins at `start`.

        Parameters
        ----------
        start : datetime64
        seen : ndarray, shape (H, W)
            Counts or expected counts; None when it was not observed.
        others : sequence of ndarray, shape (H, W)
            The same of each channel; without them their level stays what it was.
        """
        if seen is None:
            self._sums.append(self._sums[-1])
            self._observed.append(self._observed[-1])
            return
        counts = np.where(self.mask, seen, 0).astype(np.float64)
        near = {sigma: smoother.mean(counts) for sigma, smoother in self._smoothers.items()}
        slot = int(read_slot(start, self.slots))
        total = float(counts.sum())
        for row, sigma in enumerate(LONG_SMOOTHINGS):
            self._total[row] += near[sigma]
        self._by_slot[slot] += near[_NEAR]
        self._slot_total[slot] += total
        self._slot_maps[slot] += 1
        self._recent *= self._decays[:, None, None]
        self._recent += (1 - self._decays)[:, None, None] * np.stack([near[sigma] for sigma in SMOOTHINGS])
        self._weight = self._decays * self._weight + (1 - self._decays)
        if len(others):
            self._channels *= self._channel_decays[:, None]
            self._channel_weight = self._channel_decays * self._channel_weight + 1.0
            for layers, each in zip(self._channels, others, strict=True):
                layers += self._smoothers[_NEAR].mean(np.where(self.mask, each, 0).astype(np.float64))
        self._sums.append(self._sums[-1] + total)
        self._observed.append(self._observed[-1] + 1)
        self.maps += 1


def measure_bin(heatmaps: Panel) -> float:
    """Measure the first bin, in days."""
    edges = heatmaps.edges if len(heatmaps.edges) > 1 else make_next_edges(heatmaps.edges, heatmaps.bin, 1)
    return float((edges[1] - edges[0]).astype("timedelta64[s]").astype(np.int64)) / _DAY


def count_slots(heatmaps: Panel) -> int:
    """Count the times of the week that bins fall into: 168 hours, 7 days, or 1 for longer bins."""
    days = measure_bin(heatmaps)
    return 168 if days < 0.99 else 7 if days < 1.01 else 1


def read_slots(starts: NDArray[np.datetime64], number: int) -> NDArray[np.int64]:
    """Read the time of the week of each bin, of `number`; Monday's first is 0."""
    hours = (starts.astype("datetime64[h]") - np.datetime64("1970-01-05T00", "h")).astype(np.int64)
    return np.asarray(hours % 168 if number == 168 else hours // 24 % 7 if number == 7 else hours * 0)


def read_slot(start: np.datetime64, number: int) -> int:
    """Read the time of the week of one bin."""
    return int(read_slots(np.asarray(start), number))
