"""A self-exciting point process on gridded counts: background, and offspring of past incidents."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from ...ground.context import JobContext
from ...ground.damage import ArraySpec
from ...maps.bins import make_next_edges
from ...maps.panel import Panel
from ..base import LEAST, MOST, MOST_METRES, Forecaster, Maps, check_history, check_steps, counts_events
from ..cell_features import read_slot
from .etas_em import HALF_LIVES, choose_long_run
from .etas_history import measure_bins, read_counts, read_history
from .etas_kernel import PARTS, Kernel, Mover, State, share_same_bin
from .etas_search import estimate_covariance, fit_process

if TYPE_CHECKING:
    from typing_extensions import Self

Array = NDArray[np.float64]

#: A probability is never higher: no finite history justifies certainty.
_MOST = 0.9999
#: Two-sided 95 %.
_Z = 1.959964
#: With fewer incidents after the warm-up nothing but the background is fitted.
_LEAST_INCIDENTS = 30
#: Cells that a bandwidth of the long-run mean spans, at most.
_MOST_CELLS = 1000.0
#: Half a logarithmic interval that says nothing.
_ANYTHING = 10.0


class SelfExciting(Forecaster):
    """Self-exciting point process (ETAS; Mohler et al. 2011) on binned counts, fitted by expected branching.

    The intensity at time t and place s is ``mu(s) w(t) l(t) + sum over past incidents of g(t - ti, s - si)`` with
    ``g = theta omega exp(-omega dt) N(ds; sigma²)``: mu is the smoothed long-run mean of the maps so far, w the
    study area's weekday (or hour of the week), l mixes 1 and its recent level. Kernels are integrated over cells and
    bins, offspring that leave the study area or come after its last map are allowed for, and so are those that fall
    into their parent's bin. Every map costs the same however many incidents came before it: the past is kept as one
    exponentially decayed count per cell.

    What a bin and a cell hold counts as spread evenly over them. Where hot spots are narrower than a cell, sigma and
    theta therefore come out low; where cells hold only a handful of incidents, theta may come out high, as recent
    incidents then also speak of the background. The intervals hold the sampling error alone.

    Parameters
    ----------
    threshold : int
        Incidents in a cell and bin that count as an event. Above 1, and for binary maps, events are counted instead
        of incidents.

    Attributes
    ----------
    theta_ : float
        Branching ratio: offspring of an incident.
    omega_ : float
        Decay per day; 1 / omega_ is the mean time to an offspring.
    sigma_ : float
        Standard deviation of an offspring's place in x and in y, metres.
    background_share_ : float
        Share of the incidents that no earlier one triggered.
    theta_interval_, omega_interval_, sigma_interval_ : ndarray, shape (2,)
        95 % intervals: Huber's sandwich over blocks of time.
    weights_ : ndarray, shape (7,)
        Coefficients of five long-run rates, of the first times the recent level, and of the offspring.
    pace_ : ndarray
        How busy each time of the week is.
    long_run_ : ndarray, shape (3,)
        Bandwidth (cells), strength (incidents) and half-life (days) of the long-run mean.

    Examples
    --------
    >>> model = SelfExciting().fit(history)  # doctest: +SKIP
    >>> model.theta_, 1 / model.omega_, model.sigma_  # doctest: +SKIP
    """

    name = "etas"
    least_maps = 12
    #: Whether decay and spread are searched for finely, long-run means that forget tried, and intervals estimated.
    finer: ClassVar[bool] = True
    LEARNED: ClassVar[Mapping[str, ArraySpec]] = {
        "theta_": ArraySpec("f", (), 0.0, MOST),
        "omega_": ArraySpec("f", (), LEAST, MOST),
        "sigma_": ArraySpec("f", (), LEAST, MOST_METRES),
        "background_share_": ArraySpec("f", (), 0.0, 1.0),
        "theta_interval_": ArraySpec("f", (2,), missing=True),
        "omega_interval_": ArraySpec("f", (2,), missing=True),
        "sigma_interval_": ArraySpec("f", (2,), missing=True),
        "weights_": ArraySpec("f", (PARTS + 2,), 0.0, MOST),
        "pace_": ArraySpec("f", ((1, 7, 168),), 0.0, MOST),
        # Cells, incidents, days; a half-life without end weighs all maps alike.
        "long_run_": ArraySpec("f", (3,), (0.0, 0.0, LEAST), (_MOST_CELLS, MOST, np.inf)),
    }

    theta_: float
    omega_: float
    sigma_: float
    background_share_: float
    theta_interval_: Array
    omega_interval_: Array
    sigma_interval_: Array
    weights_: Array
    pace_: Array
    long_run_: Array

    def __init__(self, threshold: int = 1) -> None:
        self.threshold = threshold

    def fit(self, history: Panel, context: JobContext | None = None) -> Self:
        """Learn background settings, kernel and coefficients from `history`."""
        context = context or JobContext()
        check_history(history, self.least_maps)
        with context.step(0.0, 0.1):
            counted = read_history(history, self.threshold, context)
        with context.step(0.1, 0.2):
            choices = choose_long_run(counted, context, HALF_LIVES if self.finer else HALF_LIVES[:1])
        self.pace_ = counted.pace
        days = float(np.median(counted.days))
        if counted.count.sum() < _LEAST_INCIDENTS:
            self.long_run_ = np.array(choices[0])
            self._learned(Kernel(np.eye(PARTS + 2)[0], 1.0 / days, history.support.side), np.zeros((3, 3)), days)
            self.theta_interval_ = np.array([0.0, 1.0])
            return self
        with context.step(0.2, 0.9):
            settings, kernel, background = fit_process(counted, choices, context, self.finer)
        self.long_run_ = np.array(settings)
        with context.step(0.9, 1.0):
            doubt = estimate_covariance(counted, background, kernel, context) if self.finer else np.zeros((3, 3))
            self._learned(kernel, doubt, days)
        return self

    def _learned(self, kernel: Kernel, doubt: Array, days: float) -> None:
        self.weights_, self.omega_, self.sigma_ = kernel.weights, float(kernel.omega), float(kernel.sigma)
        # The coefficient of the offspring holds those that fall into the bin of their parent, and theirs.
        again = share_same_bin(self.omega_, days)
        raw = float(kernel.weights[-1])
        self.theta_ = raw / (1 + raw * again)
        self.background_share_ = float(np.clip(1 - self.theta_, 0.0, 1.0))
        error = _Z * np.sqrt(np.maximum(np.diag(doubt), 0.0))
        low, high = max(raw - error[0], 0.0), raw + error[0]
        self.theta_interval_ = np.array([low / (1 + low * again), high / (1 + high * again)])
        # Without offspring, their decay and spread may be anything.
        wide = np.minimum(error[1:], _ANYTHING) if raw > 0 else np.full(2, _ANYTHING)
        self.omega_interval_ = self.omega_ * np.exp(np.array([-wide[0], wide[0]]))
        self.sigma_interval_ = self.sigma_ * np.exp(np.array([-wide[1], wide[1]]))

    def predict(self, history: Panel, steps: int = 1, context: JobContext | None = None) -> Maps:
        """Forecast the bins after `history`; later bins with the expected counts of the earlier ones."""
        check_steps(steps)
        context = context or JobContext()
        running = Running(self, history)
        for number in range(len(history)):
            if number % 64 == 0:
                context.check_cancelled()
            running.show(number)
        return running.roll(make_next_edges(history.edges, history.bin, steps), context)

    def predict_each(self, heatmaps: Panel, first: int, context: JobContext | None = None) -> Maps:
        """Forecast every map from `first` on, one step ahead, in one pass over the stack."""
        context = context or JobContext()
        running = Running(self, heatmaps)
        risk = np.empty((len(heatmaps) - first, *heatmaps.mask.shape), dtype=np.float32)
        for number in range(len(heatmaps)):
            if number >= first:
                context.progress((number - first) / len(risk))
                days = float(running.days[number])
                risk[number - first] = running.risk(running.expected(heatmaps.edges[number], days), days)
            elif number % 64 == 0:
                context.check_cancelled()
            running.show(number)
        return risk

    def predict_ahead(self, heatmaps: Panel, first: int, horizon: int = 1, context: JobContext | None = None) -> Maps:
        """Forecast every map from `first` on, `horizon` bins ahead; the maps are read once for all origins."""
        check_steps(horizon)
        if horizon == 1:
            return self.predict_each(heatmaps, first, context)
        context = context or JobContext()
        running, known = Running(self, heatmaps), 0
        risk = np.empty((len(heatmaps) - first, *heatmaps.mask.shape), dtype=np.float32)
        for number, target in enumerate(range(first, len(heatmaps))):
            origin = max(target - horizon + 1, 0)
            while known < origin:
                if known % 64 == 0:
                    context.check_cancelled()
                running.show(known)
                known += 1
            edges = make_next_edges(heatmaps.edges[: origin + 1], heatmaps.bin, target - origin + 1)
            with context.step(number / len(risk), (number + 1) / len(risk)):
                risk[number] = running.copy().roll(edges, context)[-1]
        return risk

    def predict_after(self, heatmaps: Panel, known: Sequence[int], steps: int, context: JobContext) -> Iterator[Maps]:
        """Forecast the bins after each of several ascending numbers of maps, shape (steps, ...); maps are read once."""
        running, shown = Running(self, heatmaps), 0
        for number, origin in enumerate(known):
            context.progress(number / len(known))
            for each in range(shown, origin):
                running.show(each)
            shown = origin
            yield running.copy().roll(make_next_edges(heatmaps.edges[: origin + 1], heatmaps.bin, steps), JobContext())


class Coarse(SelfExciting):
    """The same process searched for coarsely, in a fraction of the time: for who wants its forecasts alone."""

    finer = False


class Running:
    """A fitted process on its way through a stack."""

    def __init__(self, model: SelfExciting, heatmaps: Panel) -> None:
        self.model, self.heatmaps = model, heatmaps
        self.days = measure_bins(heatmaps.edges)
        kernel = Kernel(model.weights_, model.omega_, model.sigma_)
        bandwidth, strength, half_life = map(float, model.long_run_)
        mover = Mover(heatmaps.support, model.sigma_)
        self.state = State(heatmaps.mask, heatmaps.support, (bandwidth, strength, half_life), kernel, mover)
        self.same_unit = mover.same

    def _pace(self, start: np.datetime64) -> float:
        return float(self.model.pace_[read_slot(start, len(self.model.pace_))])

    def expected(self, start: np.datetime64, days: float) -> Array:
        """Compute each cell's expected count in the bin of `days` that begins at `start`; 0 outside the study area."""
        return self.state.ahead(days, self._pace(start))

    def risk(self, expected: Array, days: float) -> Maps:
        """Compute the probability of at least one incident, or of an event where these were counted."""
        if counts_events(self.heatmaps, self.model.threshold):
            risk = np.minimum(expected, _MOST)
        else:
            # Offspring in the bin and cell of their parent make no further cell hit.
            again = self.model.theta_ * share_same_bin(self.model.omega_, days) * self.same_unit
            risk = np.minimum(-np.expm1(-expected * (1 - np.minimum(again, 0.9))), _MOST)
        return np.where(self.heatmaps.mask, risk, np.nan).astype(np.float32)

    def roll(self, edges: NDArray[np.datetime64], context: JobContext) -> Maps:
        """Forecast the bins between `edges`, each with the expected counts of the ones before it."""
        risk = np.empty((len(edges) - 1, *self.heatmaps.mask.shape), dtype=np.float32)
        for step, days in enumerate(measure_bins(edges)):
            context.progress(step / len(risk))
            expected = self.expected(edges[step], float(days))
            risk[step] = self.risk(expected, float(days))
            self.state.trigger(expected, float(days))
        return risk

    def copy(self) -> Running:
        """Make another one that goes its own way from here."""
        other = copy.copy(self)
        other.state = copy.deepcopy(self.state)
        return other

    def show(self, number: int) -> None:
        """Take in a map of the stack; its expected counts where it was not observed."""
        counts = None
        if self.heatmaps.observed[number]:
            counts = read_counts(self.heatmaps, self.model.threshold, number, number + 1)[0]
        self.state.show(counts, float(self.days[number]), self._pace(self.heatmaps.edges[number]))
