"""Level × calendar × place: what forecasters of this form share.

λ(t, u) = usual × days(t) × level(t) × hour(t) × season(t) × place(u): how many events unit u will have in bin t. Hour
and season (`cityclock`) are learned by `fit`, where all units are one; place (`places`) is counted from the history
that is handed in, and so is the level, by which the forecasters differ.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from ...ground.context import JobContext
from ...ground.damage import ArraySpec
from ...learning.settings import check_positive
from ...maps.panel import Panel
from ..base import LEAST, MOST, Maps, check_history, check_steps, counts_events, mark_events
from ..pastcounts import make_edges_to
from ..rates import LARGEST, SMALLEST, OnceRead
from .cityclock import SLOTS, CityClock, fit_clock, measure_days
from .places import PlacesRead, choose_shrinkage, compute_shares, weigh_similar

if TYPE_CHECKING:
    from typing_extensions import Self

Array = NDArray[np.float64]
#: Number of the bin before which everything is known, and of the bin that is forecast.
Way = tuple[int, int]

#: A share of bins with an event is no higher, where events are marked instead of counted: none is certain.
_MOST_SHARE = 0.99
#: A logarithm of a factor that is larger is damage.
_FACTOR = 30.0
#: What every forecaster of this form has learned.
LEARNED_CLOCK: Mapping[str, ArraySpec] = {
    "usual_": ArraySpec("f", (), LEAST, MOST),
    "slots_": ArraySpec("f", (SLOTS,), -_FACTOR, _FACTOR),
    "holidays_": ArraySpec("f", (2,), -_FACTOR, _FACTOR),
    "season_": ArraySpec("f", (5,), -_FACTOR, _FACTOR),
}


@dataclass(frozen=True)
class Parts:
    """What an expected number of events is made of.

    Attributes
    ----------
    usual : float
        Events of all units on a day of the history that was learned from.
    days, level, hour, season : ndarray, shape (steps,)
        Of each bin: how long it is, and how many times as much as usual the level of late, the time of the week with
        its holidays, and the season make of it.
    place : ndarray, shape (N,)
        Share of each unit of the study area; they add up to 1.
    """

    usual: float
    days: Array
    level: Array
    hour: Array
    season: Array
    place: Array


class LevelForecaster(OnceRead):
    """A forecaster of the form level × calendar × place.

    Above a threshold of 1, and of binary counts, events are marks: a unit's usual share of bins with one takes the
    place of its rate, on the scale of −log(1 − share), so that no level makes a probability of more than 1.

    Parameters
    ----------
    shrinkage : float, optional
        Events' worth of the similar categories' shares (the channel `SIMILAR`; without it, of equal shares) in each
        unit's share of the events; by default the one with which past events were likeliest where they were.
    threshold : int

    Attributes
    ----------
    usual_ : float
        Events of all units on a day.
    slots_, holidays_, season_ : ndarray
        As `CityClock` has them.
    shrinkage_ : float
    """

    LEARNED: ClassVar[Mapping[str, ArraySpec]] = {**LEARNED_CLOCK, "shrinkage_": ArraySpec("f", (), LEAST, MOST)}
    #: Whether holidays and season are learned.
    CALENDAR: ClassVar[bool] = True

    usual_: float
    slots_: Array
    holidays_: Array
    season_: Array
    shrinkage_: float

    def __init__(self, shrinkage: float | None = None, threshold: int = 1) -> None:
        if shrinkage is not None:
            check_positive("Give a number of events, such as 100", shrinkage=shrinkage)
        self.shrinkage = shrinkage
        self.threshold = threshold

    def fit(self, history: Panel, context: JobContext | None = None) -> Self:
        """Learn when the city is busy, and how much similar categories say of where."""
        context = context or JobContext()
        check_history(history, self.least_maps)
        totals = count_totals(history, self.threshold)
        context.progress(0.1, "Learning when events happen")
        clock, self.usual_ = fit_clock(history.edges, totals, history.observed, self.CALENDAR)
        self.slots_, self.holidays_, self.season_ = clock.slots, clock.holidays, clock.season
        with context.step(0.5, 1.0):
            self._learn_places(history, totals, context)
        return self

    def _learn_places(self, history: Panel, totals: Array, context: JobContext) -> None:
        """Learn how much similar categories say of where events happen.

        Parameters
        ----------
        totals : ndarray, shape (T,)
            Events of all units.
        """
        self.shrinkage_ = (
            choose_shrinkage(PlacesRead(history, self.threshold), totals, history.delay, context)
            if self.shrinkage is None
            else float(self.shrinkage)
        )

    def compute_intensity(
        self,
        panel: Panel,
        edges: NDArray[np.datetime64],
        ways: Sequence[Way],
        context: JobContext | None = None,
    ) -> Array:
        """Compute the expected events λ of bins, shape (ways, N): the probability of one at least is 1 − e^(−λ).

        Parameters
        ----------
        panel : Panel
            Read up to the bins that each way knows, whatever its delay.
        edges : ndarray of datetime64[s]
            Of the panel's bins, and of those after them that are forecast.
        ways : sequence of (int, int)
            Bins before the first number are known, the second is forecast.
        """
        times = self._compute_times(panel, edges, ways)
        which, places = self._compute_places(panel, ways, context)
        return np.asarray(times[:, None] * places[which])

    def explain(self, history: Panel, steps: int = 1) -> Parts:
        """Take apart what `predict` forecasts for the bins that follow `history`."""
        check_steps(steps)
        edges, ways = self._follow(history, steps)
        following = edges[len(history) :]
        hour, season = self._clock.compute(following)
        level = self._compute_levels(history, edges, ways)
        ((past, similar),) = PlacesRead(history, self.threshold).sum_before(np.array([len(history)]))
        return Parts(self.usual_, measure_days(following), level, hour, season, self._share(past, similar))

    def predict_window(self, history: Panel, steps: int = 1, context: JobContext | None = None) -> NDArray[np.float32]:
        check_steps(steps)
        if counts_events(history, self.threshold):
            return super().predict_window(history, steps, context)
        edges, ways = self._follow(history, history.delay + steps)
        return self._spread(self.compute_intensity(history, edges, ways[history.delay :], context).sum(axis=0), history)

    def predict_windows(self, panel: Panel, first: int, length: int, context: JobContext | None = None) -> Maps:
        """Forecast windows one after the other; the counts are read once."""
        check_steps(length)
        if counts_events(panel, self.threshold):
            return super().predict_windows(panel, first, length, context)
        starts = range(first, len(panel) - length + 1, length)
        known = [(max(start - panel.delay, 0), start) for start in starts]
        times = self._compute_times(
            panel, panel.edges, [(way[0], way[1] + step) for way in known for step in range(length)]
        )
        # The bins of a window share what was known, and with it the places.
        which, places = self._compute_places(panel, known, context)
        return self._spread(times.reshape(len(known), length).sum(axis=1)[:, None] * places[which], panel)

    def _forecast(
        self, panel: Panel, edges: NDArray[np.datetime64], ways: list[Way], context: JobContext | None
    ) -> Maps:
        risk = -np.expm1(-self.compute_intensity(panel, edges, ways, context))
        return self._spread(np.clip(risk, SMALLEST, LARGEST), panel)

    def _read_city(self, panel: Panel) -> tuple[Array, Array]:
        """Read the events of all units by bin, and compute those at the usual level, each of shape (T,)."""
        hour, season = self._clock.compute(panel.edges)
        expected = self.usual_ * measure_days(panel.edges) * hour * season
        return count_totals(panel, self.threshold), np.where(panel.observed, expected, 0.0)

    @property
    def _clock(self) -> CityClock:
        return CityClock(self.slots_, self.holidays_, self.season_)

    def _follow(self, history: Panel, steps: int) -> tuple[NDArray[np.datetime64], list[Way]]:
        """Edges up to the `steps` bins that follow a history, and the ways to them."""
        return make_edges_to(history, steps), [(len(history), len(history) + step) for step in range(steps)]

    @abstractmethod
    def _compute_levels(self, panel: Panel, edges: NDArray[np.datetime64], ways: Sequence[Way]) -> Array:
        """Compute how many times as many events as usual there are, shape (ways,)."""

    def _compute_times(self, panel: Panel, edges: NDArray[np.datetime64], ways: Sequence[Way]) -> Array:
        """Compute what is the same for all units, shape (ways,): days × level × hour × season."""
        targets = np.array([target for _, target in ways], dtype=np.int64)
        hour, season = self._clock.compute(edges)
        times = measure_days(edges) * hour * season
        return np.asarray(times[targets] * self._compute_levels(panel, edges, ways))

    def _compute_places(
        self, panel: Panel, ways: Sequence[Way], context: JobContext | None
    ) -> tuple[NDArray[np.intp], Array]:
        """Compute the usual events of a day of each unit, shape (origins, N), and the number of each way's origin."""
        context = context or JobContext()
        origins, which = np.unique([origin for origin, _ in ways], return_inverse=True)
        places = np.empty((len(origins), int(panel.mask.sum())))
        bin_days = float(measure_days(panel.edges).mean())
        marks = counts_events(panel, self.threshold)
        read = PlacesRead(panel, self.threshold)
        for number, (past, similar) in enumerate(read.sum_before(origins)):
            context.progress(number / len(origins))
            usual = self.usual_ * self._share(past, similar)
            places[number] = -np.log1p(-np.minimum(usual * bin_days, _MOST_SHARE)) / bin_days if marks else usual
        return which, places

    def _share(self, past: Array, similar: Array) -> Array:
        """Compute each unit's share of the events, shape (N,), from its own past and that of similar categories."""
        return compute_shares(past, weigh_similar(similar), self.shrinkage_)

    def _spread(self, values: Array, panel: Panel) -> Maps:
        """Bring values of the study area, shape (..., N), into the shape of the units; NaN outside."""
        maps = np.full((*values.shape[:-1], *panel.mask.shape), np.nan, dtype=np.float32)
        maps[..., panel.mask] = values
        return maps


def count_totals(panel: Panel, threshold: int = 1) -> Array:
    """Count the events of all units by bin, shape (T,); 0 where nothing was observed."""
    counts = mark_events(panel, threshold) if counts_events(panel, threshold) else panel.counts
    if panel.mask.all():
        totals = counts.sum(axis=tuple(range(1, counts.ndim)), dtype=np.float64)
    else:
        totals = counts[:, panel.mask].sum(axis=1, dtype=np.float64)
    return np.where(panel.observed, totals, 0.0)
