"""The last year of each cell, times the weekday, times where the study area is heading."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..learning.settings import check_positive
from ..maps.panel import Panel
from .cell_features import count_slots, measure_bin, read_slot, read_slots
from .recent import Array, Windowed

#: Incidents' worth of "every time of the week is alike" in the factor of each.
_EVEN = 10.0


class WeekdayTrend(Windowed):
    """Mean of the last 365 days per cell, times weekday and hour, times the trend of the study area.

    The weekday factor (for bins of a day), or that of each hour of the week (for shorter bins), is the study area's
    mean at that time of the week against its mean; longer bins have none. The trend is what was counted in the last
    days against what the year and the weekdays would have had there.

    Parameters
    ----------
    days : float
        The window of the cells' means.
    trend_days : float
        The window of the trend; at least three maps.
    trend_shrinkage : float
        Incidents' worth of "no trend" mixed into the trend.
    shrinkage : float
        Bins' worth of the study area's mean rate mixed into every cell.
    threshold : int
        Incidents in a cell and bin that count as an event. Above 1, and for binary maps, events are counted instead
        of incidents.

    Examples
    --------
    >>> WeekdayTrend().fit(history).predict(history, steps=7)  # doctest: +SKIP
    """

    name = "weekday_trend"

    def __init__(
        self,
        days: float = 365.0,
        trend_days: float = 28.0,
        trend_shrinkage: float = 100.0,
        shrinkage: float = 0.5,
        threshold: int = 1,
    ) -> None:
        check_positive("Give a number of days; 365 and 28 are usual", days=days, trend_days=trend_days)
        self.days = days
        self.trend_days = trend_days
        self.trend_shrinkage = trend_shrinkage
        self.shrinkage = shrinkage
        self.threshold = threshold

    def _size(self, heatmaps: Panel) -> int:
        return max(round(self.days / measure_bin(heatmaps)), 1)

    def _levels(self, heatmaps: Panel, which: NDArray[np.intp]) -> Array:
        """Collect incidents in the study area and time of the week of each map, shape (2, T)."""
        levels = np.full((2, len(heatmaps)), np.nan)
        for index in which:
            levels[0, index] = self._seen(heatmaps, slice(index, index + 1))[0][heatmaps.mask].sum(dtype=np.float64)
        levels[1] = read_slots(heatmaps.edges[:-1], count_slots(heatmaps))
        return levels

    def _factor(self, levels: Array, window: NDArray[np.intp], start: np.datetime64, heatmaps: Panel) -> float:
        if not len(window):
            return 1.0
        number = count_slots(heatmaps)
        seen, when = levels[0, window], levels[1, window].astype(np.intp)
        weekly = weigh_times_of_week(seen, when, number)
        recent = max(round(self.trend_days / measure_bin(heatmaps)), 3)
        expected = seen.mean() * weekly[when[-recent:]].sum()
        trend = (seen[-recent:].sum() + self.trend_shrinkage) / (expected + self.trend_shrinkage)
        return float(weekly[read_slot(start, number)] * trend)


def weigh_times_of_week(seen: Array, when: NDArray[np.intp], number: int) -> Array:
    """Compute how much busier than the mean each time of the week is, shape (number,), shrunk towards 1.

    An hour of the week is held near the product of its weekday and its hour of the day, which 7 and 24 times as many
    bins show.
    """
    mean = max(float(seen.mean()), 1e-9)

    def factors(group: NDArray[np.intp], prior: Array) -> Array:
        total = np.bincount(group, seen, len(prior))
        expected = np.bincount(group, minlength=len(prior)) * mean
        return np.asarray((total + _EVEN * prior) / (expected + _EVEN))

    if number == 1:
        return np.ones(1)
    if number == 7:
        return factors(when, np.ones(7))
    product = np.outer(factors(when // 24, np.ones(7)), factors(when % 24, np.ones(24)))
    return factors(when, product.ravel())
