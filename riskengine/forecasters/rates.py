"""Rates of each unit: weighted means of its past, shrunk, brought to the city's level, calibrated on past bins."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..ground.context import JobContext
from ..ground.damage import ArraySpec
from ..learning.calibration import Calibration, fit_calibration
from ..learning.settings import check_positive
from ..maps.panel import Panel
from .base import LEAST, MOST, Forecaster, Maps, check_history, check_steps, mark_events
from .cell_features import measure_bin
from .pastcounts import YEAR, Array, PastCounts, find_middles, make_edges_to, shrink

if TYPE_CHECKING:
    from typing_extensions import Self

#: Half-lives that `WeightedMean` chooses from, days.
HALF_LIVES = (30.0, 91.0, 183.0, 365.0, 730.0, 1461.0)
#: A season is read through a window this wide, days to either side of a year before.
_SEASON = 15.5
#: Past bins that calibration learns from, and units times bins, at most; the fewest events and others.
_MOST_TARGETS, MOST_ROWS, LEAST_EVENTS = 60, 500_000, 20
#: Share of a history at its start that no past forecast is made for, days that it is at least, and share at most.
_WARM_SHARE, _WARM_DAYS, _WARM_MOST = 0.25, 183.0, 0.5
#: The largest float32 below 1 is 1 - 6e-8: no history makes an event certain, or impossible.
SMALLEST, LARGEST = 1e-7, 1 - 1e-7


class OnceRead(Forecaster):
    """A forecaster that reads the counts of a panel once, and forecasts all bins that are asked for from them."""

    def predict(self, history: Panel, steps: int = 1, context: JobContext | None = None) -> Maps:
        check_steps(steps)
        edges = make_edges_to(history, steps)
        return self._forecast(history, edges, [(len(history), len(history) + step) for step in range(steps)], context)

    def predict_each(self, heatmaps: Panel, first: int, context: JobContext | None = None) -> Maps:
        """Forecast each bin from `first` on, one ahead; the counts are read once."""
        return self.predict_ahead(heatmaps, first, 1, context)

    def predict_ahead(self, heatmaps: Panel, first: int, horizon: int = 1, context: JobContext | None = None) -> Maps:
        """Forecast each bin from `first` on, `horizon` bins ahead; the counts are read once."""
        check_steps(horizon)
        ways = [(max(target - horizon + 1, 0), target) for target in range(first, len(heatmaps))]
        return self._forecast(heatmaps, heatmaps.edges, ways, context)

    @abstractmethod
    def _forecast(
        self, panel: Panel, edges: NDArray[np.datetime64], ways: list[tuple[int, int]], context: JobContext | None
    ) -> Maps:
        """Forecast bins (the second of each of `ways`) from what was known before another (the first).

        Parameters
        ----------
        edges : ndarray of datetime64[s]
            Of the panel's bins, and of those after them that are forecast.
        """


class Rate(OnceRead):
    """What the rates have in common: each is a weighting of the past bins.

    The weighted mean of each unit is shrunk towards that of all (`shrink`), and all are brought to the level of the
    last 365 days (`PastCounts.compute_level`). The probability of at least one incident is that of a Poisson process,
    stretched and shifted on the scale of the logit as past forecasts of the same kind would have needed: counts vary
    more than a Poisson process has them. Past forecasts look as far ahead as the history's delay makes it.

    Parameters
    ----------
    threshold : int
        Incidents in a unit and bin that count as an event. Above 1, and for binary counts, the share of bins with an
        event takes the place of the rate.

    Attributes
    ----------
    slope_, shift_ : float
        Of the calibration.
    """

    LEARNED: ClassVar[Mapping[str, ArraySpec]] = {
        "slope_": ArraySpec("f", (), 0.0, 5.0),
        "shift_": ArraySpec("f", (), -5.0, 5.0),
    }

    threshold: int

    def __init__(self, threshold: int = 1) -> None:
        self.threshold = threshold

    def fit(self, history: Panel, context: JobContext | None = None) -> Self:
        """Learn the calibration from what would have been forecast for past bins."""
        context = context or JobContext()
        check_history(history, self.least_maps)
        past = PastCounts(history, self.threshold)
        targets = choose_targets(history)
        events = mark_events(history, self.threshold, targets)[:, history.mask]
        self._learn(past, history, targets, events, context)
        return self

    def _learn(
        self,
        past: PastCounts,
        history: Panel,
        targets: NDArray[np.intp],
        events: NDArray[np.uint8],
        context: JobContext,
    ) -> None:
        """Learn from past `targets`, whose `events` have shape (targets, N)."""
        calibration, _ = self._calibrate(past, history, targets, events, context)
        self.slope_, self.shift_ = calibration.slope, calibration.shift

    def _calibrate(
        self,
        past: PastCounts,
        history: Panel,
        targets: NDArray[np.intp],
        events: NDArray[np.uint8],
        context: JobContext,
    ) -> tuple[Calibration, float]:
        """Find the calibration of the forecasts for past `targets`, and their log-loss with it."""
        if min(events.sum(), events.size - events.sum()) < LEAST_EVENTS:
            return Calibration(), np.inf
        raw = np.empty(events.shape)
        middles = find_middles(history.edges)
        for row, target in enumerate(targets):
            context.progress(row / len(targets))
            origin = int(target) - history.delay
            raw[row] = to_probability(
                self._compute_rates(past, origin, middles[target], history.edges[target]), past.events
            )
        calibration = fit_calibration(raw, events, gathered=True)
        risk = np.clip(calibration(raw).astype(np.float64), SMALLEST, LARGEST)
        return calibration, -float(np.where(events, np.log(risk), np.log1p(-risk)).mean())

    def _forecast(
        self, panel: Panel, edges: NDArray[np.datetime64], ways: list[tuple[int, int]], context: JobContext | None
    ) -> Maps:
        """Forecast bins (the second of each of `ways`) from the counts before another (the first)."""
        context = context or JobContext()
        past, middles = PastCounts(panel, self.threshold), find_middles(edges)
        calibration = Calibration(float(self.slope_), float(self.shift_))
        risk = np.full((len(ways), *panel.mask.shape), np.nan, dtype=np.float32)
        for number, (origin, target) in enumerate(ways):
            context.progress(number / len(ways))
            rates = self._compute_rates(past, origin, middles[target], edges[target])
            calibrated = calibration(to_probability(rates, past.events))
            risk[number][panel.mask] = np.clip(calibrated, SMALLEST, LARGEST)
        return risk

    def _compute_rates(self, past: PastCounts, origin: int, middle: float, start: np.datetime64) -> Array:
        """Compute the rate of each unit, shape (N,), in a bin from the counts before `origin`."""
        weights = self._weigh(past, origin, middle)
        if not (weights * past.observed[:origin]).any():
            weights = np.ones(origin)
        rates = shrink(*past.sum(weights), past.events)
        at_level: Array = rates * (past.compute_level(origin, start) / rates.mean())
        return at_level

    @abstractmethod
    def _weigh(self, past: PastCounts, origin: int, middle: float) -> Array:
        """Weigh the bins before `origin`, shape (origin,), for one whose middle is `middle` (days)."""


class LongRun(Rate):
    """The mean of all history, every bin of which weighs alike.

    Examples
    --------
    >>> LongRun().fit(history).predict(history, steps=2)  # doctest: +SKIP
    """

    name = "long_run"

    def _weigh(self, past: PastCounts, origin: int, middle: float) -> Array:
        return np.ones(origin)


class LastYear(Rate):
    """The mean of the last 365 days."""

    name = "last_year"

    def _weigh(self, past: PastCounts, origin: int, middle: float) -> Array:
        return np.asarray(np.arange(origin) >= origin - past.count_bins(YEAR), dtype=np.float64)


class SameSeason(Rate):
    """The mean of the same season a year before: of months the same month, of shorter bins those of 31 days.

    Where the history does not reach back to it, all of the history.
    """

    name = "same_season"

    def _weigh(self, past: PastCounts, origin: int, middle: float) -> Array:
        half = max(_SEASON, past.bin_days / 2)
        known = past.middles[origin - 1] if origin else -np.inf
        # Whoever looks ahead by more than a year reads the latest such season that is over.
        years = max(int(np.ceil((middle + half - 1 - known) / YEAR)), 1)
        return np.asarray(abs(past.middles[:origin] - (middle - years * YEAR)) < half, dtype=np.float64)


class WeightedMean(Rate):
    """A mean of all history in which a bin weighs half as much after every half-life.

    Parameters
    ----------
    half_life : float, optional
        Days; by default that of `HALF_LIVES` whose past forecasts had the smallest log-loss.
    threshold : int

    Attributes
    ----------
    half_life_ : float
        Days.

    Examples
    --------
    >>> WeightedMean(half_life=365).fit(history).predict(history)  # doctest: +SKIP
    """

    name = "ewma"
    LEARNED: ClassVar[Mapping[str, ArraySpec]] = {**Rate.LEARNED, "half_life_": ArraySpec("f", (), LEAST, MOST)}

    half_life_: float

    def __init__(self, half_life: float | None = None, threshold: int = 1) -> None:
        if half_life is not None:
            check_positive("Give a number of days, such as 365", half_life=half_life)
        super().__init__(threshold)
        self.half_life = half_life

    def _learn(
        self,
        past: PastCounts,
        history: Panel,
        targets: NDArray[np.intp],
        events: NDArray[np.uint8],
        context: JobContext,
    ) -> None:
        lives = [self.half_life] if self.half_life else [days for days in HALF_LIVES if days >= past.bin_days]
        best = np.inf
        for number, days in enumerate(lives):
            self.half_life_, chosen = float(days), getattr(self, "half_life_", float(days)) if number else float(days)
            with context.step(number / len(lives), (number + 1) / len(lives)):
                calibration, loss = self._calibrate(past, history, targets, events, context)
            if number and loss >= best:
                self.half_life_ = chosen
                continue
            best, self.slope_, self.shift_ = loss, calibration.slope, calibration.shift

    def _weigh(self, past: PastCounts, origin: int, middle: float) -> Array:
        if not origin:
            return np.zeros(0)
        weights: Array = 0.5 ** ((past.middles[origin - 1] - past.middles[:origin]) / self.half_life_)
        return weights


def choose_targets(history: Panel, most: int = _MOST_TARGETS) -> NDArray[np.intp]:
    """Choose the past bins that are forecast to learn from: observed, after a warm-up, evenly thinned to `most`."""
    least = history.delay + 1
    warm = min(round(_WARM_DAYS / measure_bin(history)), int(len(history) * _WARM_MOST))
    first = max(int(len(history) * _WARM_SHARE), warm, least)
    known = np.flatnonzero(history.observed[first:]) + first
    most = max(min(most, MOST_ROWS // max(int(history.mask.sum()), 1)), 12)
    if len(known) > most:
        known = known[np.unique(np.linspace(0, len(known) - 1, most).round().astype(np.intp))]
    return known


def to_probability(rates: Array, events: bool) -> NDArray[Any]:
    """Of at least one incident, were the incidents a Poisson process; the share of bins is one already."""
    return np.clip(rates if events else -np.expm1(-rates), SMALLEST, LARGEST)
