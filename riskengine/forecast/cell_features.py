"""What is known of each cell just before a map, as columns of a table: lagged, smoothed and neighbouring counts.

`CellFeatures` is asked for the columns of map t before it is shown map t, so none can hold anything of the map it
forecasts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from ..heatmaps import Heatmaps

Array = NDArray[np.float64]

#: Half-lives of the exponentially weighted means, days; none is shorter than a bin.
HALF_LIVES = (3.0, 7.0, 14.0, 30.0, 90.0, 365.0)
#: Standard deviations of the spatial smoothing, cells.
SMOOTHINGS = (0.0, 1.0, 2.5)
#: Of the long-run means.
LONG_SMOOTHINGS = (0.0, 0.7, 1.5, 3.0)
#: Bins' worth of the study area's mean rate in every cell's long-run rate.
SHRINKAGE = 2.0
#: Share of the long-run mean in every recent mean: a logarithm needs more than nothing.
_MIX = 0.15
_DAY = 86_400.0
#: A year ago is looked at through a window this wide, days to either side.
_SEASON = 14


@dataclass
class CellFeatures:
    """Running summaries of the maps seen so far, in the cells of the study area.

    Parameters
    ----------
    heatmaps : Heatmaps
        For its study area, bins and static layers; its counts are not read.
    channels : int
        Further stacks whose maps `update` is shown.
    """

    heatmaps: Heatmaps
    channels: int = 0
    maps: int = 0
    names: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        mask = self.heatmaps.mask
        self.mask = mask
        self.bin_days = bin_days(self.heatmaps)
        lives = sorted({max(days, self.bin_days) for days in HALF_LIVES})
        self.decays = np.array([0.5 ** (self.bin_days / days) for days in lives])
        self.slots = slots(self.heatmaps)
        self.total = np.zeros(mask.shape)
        self.recent = np.zeros((len(lives), *mask.shape))
        self.weight = np.zeros(len(lives))
        self.by_slot = np.zeros((self.slots, *mask.shape))
        self.maps_by_slot = np.zeros(self.slots)
        self.city: list[float] = []
        self.others = np.zeros((self.channels, 2, *mask.shape))
        self.inside = {sigma: smooth(mask.astype(np.float64), sigma) for sigma in {*SMOOTHINGS, *LONG_SMOOTHINGS}}
        rows, columns = np.nonzero(mask)
        self.place = np.column_stack([rows / max(mask.shape[0], 1), columns / max(mask.shape[1], 1)])
        self.names = [
            *(f"mean, smoothed {sigma:g}" for sigma in LONG_SMOOTHINGS),
            *(f"half-life {days:g} d, smoothed {sigma:g}" for days in lives for sigma in SMOOTHINGS),
            "this time of week here",
            "this time of week",
            "recent trend, 7 d",
            "recent trend, 28 d",
            "a year ago",
            *(name for each in range(self.channels) for name in (f"channel {each}, 14 d", f"channel {each}, 90 d")),
            *self.heatmaps.extras.static_names,
        ]

    def _near(self, layer: Array, sigma: float) -> Array:
        """Smoothed, not leaking out of the study area."""
        return smooth(layer, sigma) / np.maximum(self.inside[sigma], 1e-9)

    def columns(self, start: np.datetime64) -> tuple[NDArray[np.float32], Array]:
        """The table of the map that begins at `start`.

        Returns
        -------
        table : ndarray of float32, shape (cells, features)
        rate : ndarray, shape (cells,)
            Long-run rate times the time of week: what the other columns correct.
        """
        mask, maps = self.mask, max(self.maps, 1)
        area = (self.total[mask].sum() + 0.5) / (maps * int(mask.sum()))
        found: list[Array] = []
        means = {}
        for sigma in LONG_SMOOTHINGS:
            means[sigma] = (self._near(self.total, sigma)[mask] + SHRINKAGE * area) / (self.maps + SHRINKAGE)
        base = 0.5 * means[0.0] + 0.5 * means[0.7]
        found += [np.log(means[sigma] / base) for sigma in LONG_SMOOTHINGS[:-1]]
        found.append(np.log(base))
        for number, weight in enumerate(self.weight):
            for sigma in SMOOTHINGS:
                mean = self._near(self.recent[number], sigma)[mask] / weight if weight else base
                found.append(np.log(((1 - _MIX) * mean + _MIX * base) / base))
        slot = slot_of(start, self.slots)
        local, city = self._slot(slot, base, area)
        found += [local, np.full_like(base, city)]
        for value in (*self._trend(), self._year_ago()):
            found.append(np.full_like(base, value))
        for pair in self.others:
            found += [np.log1p(self._near(layer, 1.0)[mask]) for layer in pair]
        found += [layer[mask].astype(np.float64) for layer in self.heatmaps.extras.static]
        return np.stack(found, axis=1).astype(np.float32), base * np.exp(city)

    def _slot(self, slot: int, base: Array, area: float) -> tuple[Array, float]:
        """Logarithm of how much busier this time of the week is: in each cell against the study area's, and there."""
        if self.slots == 1:
            return np.zeros_like(base), 0.0
        seen = self.maps_by_slot[slot]
        cells = len(base)
        city = (self.by_slot[slot][self.mask].sum() + 5.0) / ((seen * cells * area) + 5.0)
        near = self._near(self.by_slot[slot], 1.0)[self.mask]
        expected = base * seen * city
        local = (near + 5.0) / (expected + 5.0)
        return np.log(local), float(np.log(city))

    def _trend(self) -> tuple[float, float]:
        """Logarithm of the study area's level in the last 7 and 28 days against its last year."""
        year = self._level(365)
        return tuple(float(np.log((self._level(days) + 0.01) / (year + 0.01))) for days in (7, 28))  # type: ignore[return-value]

    def _level(self, days: float) -> float:
        bins = max(round(days / self.bin_days), 1)
        recent = [value for value in self.city[-bins:] if value == value]
        return float(np.mean(recent)) if recent else 0.0

    def _year_ago(self) -> float:
        """Logarithm of how busy this season was a year ago, against the year that followed; 0 without a year."""
        year, half = round(365.25 / self.bin_days), max(round(_SEASON / self.bin_days), 1)
        if len(self.city) < year + half:
            return 0.0
        season = np.array(self.city[-year - half : -year + half + 1])
        around = np.array(self.city[-year - half :])
        with np.errstate(invalid="ignore"):
            return float(np.log((np.nanmean(season) + 0.01) / (np.nanmean(around) + 0.01)))

    def update(self, start: np.datetime64, seen: NDArray[np.generic] | None, others: Sequence[Array] = ()) -> None:
        """Take in the map that begins at `start`: counts or expected counts; None when it was not observed."""
        if seen is None:
            self.city.append(float("nan"))
            return
        counts = np.where(self.mask, seen, 0).astype(np.float64)
        slot = slot_of(start, self.slots)
        self.total += counts
        self.by_slot[slot] += counts
        self.maps_by_slot[slot] += 1
        decays = self.decays[:, None, None]
        self.recent = decays * self.recent + (1 - decays) * counts
        self.weight = self.decays * self.weight + (1 - self.decays)
        for layers, each in zip(self.others, others, strict=False):
            for layer, days in zip(layers, (14.0, 90.0), strict=True):
                decay = 0.5 ** (self.bin_days / max(days, self.bin_days))
                layer *= decay
                layer += np.where(self.mask, each, 0)
        self.city.append(float(counts[self.mask].sum()))
        self.maps += 1


def smooth(layer: Array, sigma: float) -> Array:
    """Gaussian smoothing; nothing lies beyond the grid."""
    return gaussian_filter(layer, sigma, mode="constant", truncate=3.0) if sigma else layer


def bin_days(heatmaps: Heatmaps) -> float:
    """Length of the first bin in days."""
    return float((heatmaps.edges[1] - heatmaps.edges[0]).astype("timedelta64[s]").astype(np.int64)) / _DAY


def slots(heatmaps: Heatmaps) -> int:
    """Times of the week that bins fall into: 168 hours, 7 days, or 1 for longer bins."""
    days = bin_days(heatmaps)
    return 168 if days < 0.99 else 7 if days < 1.01 else 1


def slot_of(start: np.datetime64, number: int) -> int:
    """Time of the week of a bin, of `number`; Monday's first is 0."""
    if number == 1:
        return 0
    hours = int((start.astype("datetime64[h]") - np.datetime64("1970-01-05T00", "h")).astype(np.int64))
    return hours % 168 if number == 168 else hours // 24 % 7
