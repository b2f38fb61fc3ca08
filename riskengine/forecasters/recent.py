"""Counts of a window of the last maps: what was busy lately stays busy."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..ground.context import JobContext
from ..ground.errors import ParameterError
from ..maps.bins import make_next_edges
from ..maps.panel import Panel
from .base import Forecaster, Maps, check_history, check_steps, counts_events, mark_events
from .cell_features import measure_bin

if TYPE_CHECKING:
    from typing_extensions import Self

Array = NDArray[np.float64]

#: Days that `RecentCounts` goes back by default, and the fewest maps.
RECENT_DAYS, RECENT_LEAST = 90.0, 8
#: The largest float32 below 1 is 1 - 6e-8: no history makes an event certain, or impossible.
_SMALLEST, _LARGEST = 1e-7, 1 - 1e-7


class Windowed(Forecaster):
    """Learns nothing that outlives the call: its forecast is a statistic of the last observed maps."""

    shrinkage: float
    threshold: int

    def fit(self, history: Panel, context: JobContext | None = None) -> Self:
        """Check `history`; the counting is done by `predict`."""
        check_history(history, self.least_maps)
        mark_events(history, self.threshold, slice(0))
        self.maps_ = len(history)
        return self

    def predict(self, history: Panel, steps: int = 1, context: JobContext | None = None) -> Maps:
        check_steps(steps)
        starts = make_next_edges(history.edges, history.bin, steps)[:-1]
        ((total, window),) = self._windows(history, [len(history)])
        levels = self._levels(history, window)
        return np.stack([self._masked(total, levels, window, start, history) for start in starts])

    def predict_each(self, heatmaps: Panel, first: int, context: JobContext | None = None) -> Maps:
        """Forecast every map from `first` on, one step ahead, in one pass over the stack."""
        return self.predict_ahead(heatmaps, first, 1, context)

    def predict_ahead(self, heatmaps: Panel, first: int, horizon: int = 1, context: JobContext | None = None) -> Maps:
        """Forecast every map from `first` on, `horizon` bins ahead, in one pass over the stack."""
        check_steps(horizon)
        context = context or JobContext()
        risk = np.empty((len(heatmaps) - first, *heatmaps.mask.shape), dtype=np.float32)
        targets = range(first, len(heatmaps))
        windows = self._windows(heatmaps, (target - horizon + 1 for target in targets))
        levels = self._levels(heatmaps, np.flatnonzero(heatmaps.observed))
        for number, (target, (total, window)) in enumerate(zip(targets, windows, strict=True)):
            context.progress(number / len(risk))
            risk[number] = self._masked(total, levels, window, heatmaps.edges[target], heatmaps)
        return risk

    def _windows(self, heatmaps: Panel, origins: Iterable[int]) -> Iterator[tuple[Array, NDArray[np.intp]]]:
        """Yield for each of ascending `origins` the sum, shape (H, W), of the last maps before it, and which."""
        observed = np.flatnonzero(heatmaps.observed)
        size = self._size(heatmaps)
        total: Array | None = None
        low = high = 0
        for origin in origins:
            end = int(np.searchsorted(observed, max(origin, 0)))
            start = max(end - size, 0)
            if total is None or start >= high:
                total = self._seen(heatmaps, observed[start:end]).sum(axis=0, dtype=np.float64)
            else:
                for index in observed[high:end]:
                    total = total + self._seen(heatmaps, slice(index, index + 1))[0]
                for index in observed[low:start]:
                    total = total - self._seen(heatmaps, slice(index, index + 1))[0]
            low, high = start, end
            yield total, observed[start:end]

    def _seen(self, heatmaps: Panel, which: slice | NDArray[Any]) -> NDArray[Any]:
        """Return what is summed, shape (T, H, W): the counts, or the events where these are what is forecast."""
        if counts_events(heatmaps, self.threshold):
            return mark_events(heatmaps, self.threshold, which)
        counts: NDArray[Any] = heatmaps.counts[which]
        return counts

    def _levels(self, heatmaps: Panel, which: NDArray[np.intp]) -> Array:
        """Collect what `_factor` wants to know of each map; of its counts only of the maps `which`."""
        return np.zeros(0)

    def _masked(
        self, total: Array, levels: Array, window: NDArray[np.intp], start: np.datetime64, heatmaps: Panel
    ) -> Maps:
        mask = heatmaps.mask
        maps = len(window)
        # Half an incident, as in the constant forecast: no history makes a study area's rate zero.
        area = (total[mask].sum() + 0.5) / (maps * int(mask.sum()) + 1.0)
        rate = (total + self.shrinkage * area) / max(maps + self.shrinkage, 1e-9)
        factor = self._factor(levels, window, start, heatmaps)
        if counts_events(heatmaps, self.threshold):
            # Of shares, not of rates: twice as busy is twice as many chances to happen.
            rate = -np.log1p(-np.minimum(rate, _LARGEST))
        p = np.clip(-np.expm1(-rate * factor), _SMALLEST, _LARGEST)
        return np.where(mask, p, np.nan).astype(np.float32)

    @abstractmethod
    def _size(self, heatmaps: Panel) -> int:
        """Return how many maps the window holds."""

    @abstractmethod
    def _factor(self, levels: Array, window: NDArray[np.intp], start: np.datetime64, heatmaps: Panel) -> float:
        """Say how much busier than the window's mean the bin from `start` is in the whole study area."""


class RecentCounts(Windowed):
    """Each cell's mean count of the last maps as the rate of a Poisson process: p = 1 - exp(-rate).

    Parameters
    ----------
    bins : int, optional
        Maps to go back; those not observed do not count. By default as many as cover about 90 days, at least 8.
    shrinkage : float
        Bins' worth of the study area's mean rate mixed into every cell.
    threshold : int
        Incidents in a cell and bin that count as an event. Above 1, and for binary maps, the share of maps with an
        event is the probability.

    Examples
    --------
    >>> RecentCounts(bins=28).fit(history).predict(history, steps=7)  # doctest: +SKIP
    """

    name = "recent_counts"

    def __init__(self, bins: int | None = None, shrinkage: float = 1.0, threshold: int = 1) -> None:
        if bins is not None and bins < 1:
            raise ParameterError(
                f"bins is {bins}; it must be at least 1",
                parameter="bins",
                value=bins,
                remedy="Give a whole number from 1, or leave it out for about 90 days",
            )
        self.bins = bins
        self.shrinkage = shrinkage
        self.threshold = threshold

    def _size(self, heatmaps: Panel) -> int:
        return self.bins or max(round(RECENT_DAYS / measure_bin(heatmaps)), RECENT_LEAST)

    def _factor(self, levels: Array, window: NDArray[np.intp], start: np.datetime64, heatmaps: Panel) -> float:
        return 1.0
