"""Kernel density of past incidents in space and time, with bandwidths that the past itself chooses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..contract.texts import count_text
from ..ground.context import JobContext
from ..ground.damage import ArraySpec
from ..ground.errors import ParameterError
from ..maps.panel import Panel
from .base import LEAST, MOST, MOST_METRES, Forecaster, Maps, check_history, check_steps, counts_events, mark_events
from .cell_features import measure_bin
from .smoothing import AnySmoother, make_smoother

if TYPE_CHECKING:
    from typing_extensions import Self

Array = NDArray[np.float64]

#: Bandwidths tried, standard deviations in cells; 0 leaves each incident in its cell.
BANDWIDTHS = (0.0, 0.35, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0)
#: Half-lives tried, days; none shorter than a bin.
HALF_LIVES = (7.0, 14.0, 30.0, 60.0, 120.0, 365.0)
#: Weights of the recent density tried.
WEIGHTS = (0.0, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0)
#: The last share of the history whose maps the likelihood is held out on, and how many forecast values at most.
_HELD_OUT, _VALUES = 0.25, 200_000
#: The log-likelihood that a recent density must add: it brings three numbers of its own (Akaike 1974).
_GAIN = 3.0
#: No history makes an event certain, or impossible.
_SMALLEST, _LARGEST = 1e-7, 1 - 1e-7


class SpaceTimeKDE(Forecaster):
    """Kernel density estimate: a long-run density plus a recent one that forgets exponentially.

    The rate of a cell is ``(1 - weight) * long + weight * recent``. Both spread each past incident by a Gaussian,
    `long` with equal weights over all maps, `recent` with weights that halve every half-life, and both are means per
    map, so that forecasts add up to what the past counts add up to. What a kernel would put outside the study area
    is given back to the cells inside (each incident is divided by its kernel's share inside). The probability is
    1 - exp(-rate).

    Bandwidths, half-life and weight are those of the largest likelihood of the last quarter of the history, each map
    of it forecast from the maps before. The weight is 0 unless a recent density is clearly of use there.

    Parameters
    ----------
    bandwidth : float, optional
        Standard deviation of both kernels, metres; by default chosen by likelihood, one for each.
    half_life : float, optional
        Of the recent density, days; by default chosen by likelihood.
    shrinkage : float
        Bins' worth of the study area's mean rate mixed into every cell.
    threshold : int
        Incidents in a cell and bin that count as an event. Above 1, and for binary maps, the density of events takes
        the place of that of incidents, and is the probability.

    Attributes
    ----------
    long_bandwidth_, recent_bandwidth_ : float
        Metres.
    half_life_ : float
        Days.
    weight_ : float
        Of the recent density.

    Examples
    --------
    >>> SpaceTimeKDE().fit(history).predict(history, steps=7)  # doctest: +SKIP
    """

    name = "kde"
    least_maps = 4
    LEARNED: ClassVar[Mapping[str, ArraySpec]] = {
        "long_bandwidth_": ArraySpec("f", (), 0.0, MOST_METRES),
        "recent_bandwidth_": ArraySpec("f", (), 0.0, MOST_METRES),
        "half_life_": ArraySpec("f", (), LEAST, MOST),
        "weight_": ArraySpec("f", (), 0.0, 1.0),
    }

    long_bandwidth_: float
    recent_bandwidth_: float
    half_life_: float
    weight_: float

    def __init__(
        self,
        bandwidth: float | None = None,
        half_life: float | None = None,
        shrinkage: float = 0.5,
        threshold: int = 1,
    ) -> None:
        for name, value, least in (("bandwidth", bandwidth, 0.0), ("half_life", half_life, 1e-9)):
            if value is not None and not value >= least:
                raise ParameterError(
                    f"{name} is {value:g}; it must be greater than 0",
                    parameter=name,
                    value=value,
                    remedy="Give a positive number, or leave it out to have it chosen by likelihood",
                )
        self.bandwidth = bandwidth
        self.half_life = half_life
        self.shrinkage = shrinkage
        self.threshold = threshold

    @property
    def is_long_run(self) -> bool:
        """Whether no recent density was of use."""
        return self.weight_ == 0

    def fit(self, history: Panel, context: JobContext | None = None) -> Self:
        """Choose bandwidths, half-life and weight by the likelihood of the last quarter of `history`."""
        context = context or JobContext()
        check_history(history, self.least_maps)
        mark_events(history, self.threshold, slice(0))
        cell, days = history.support.side, measure_bin(history)
        widths = BANDWIDTHS if self.bandwidth is None else (self.bandwidth / cell,)
        tried = HALF_LIVES if self.half_life is None else (self.half_life,)
        lives = tuple(sorted({max(life, days) for life in tried}))
        long, recent, events = self._held_out(history, widths, lives, context)
        context.progress(0.8, "Space-time KDE: choosing bandwidths")
        # First the long-run density alone, then what a recent one adds to it.
        wide = int(np.argmin([self._cost(layer, events, history) for layer in long]))
        alone = self._cost(long[wide], events, history)
        best = (alone - _GAIN / events.size, 0.0, wide, 0)
        for life, layers in enumerate(recent):
            context.check_cancelled()
            for width, layer in enumerate(layers):
                for weight in WEIGHTS[1:]:
                    cost = self._cost((1 - weight) * long[wide] + weight * layer, events, history)
                    if cost < best[0]:
                        best = (cost, weight, width, life)
        self.long_bandwidth_ = widths[wide] * cell
        self.weight_, self.recent_bandwidth_, self.half_life_ = best[1], widths[best[2]] * cell, lives[best[3]]
        lately = "nothing recent is of use"
        if self.weight_:
            lately = (
                f"{self.weight_:.0%} of it comes from what happened lately {_say_where(self.recent_bandwidth_)}, with a"
                f" half-life of {count_text(self.half_life_, 'day')}"
            )
        where = _say_where(self.long_bandwidth_)
        context.log(f"Space-time KDE: a place's rate is what happened {where} in the long run; {lately}")
        return self

    def predict(self, history: Panel, steps: int = 1, context: JobContext | None = None) -> Maps:
        """Forecast the bins after `history`: the same for each, for nothing in it depends on the calendar."""
        check_steps(steps)
        state = self._state(history, len(history), context or JobContext())
        return np.repeat(self._risk(state, self._smoothers(history), history)[None], steps, axis=0)

    def predict_each(self, heatmaps: Panel, first: int, context: JobContext | None = None) -> Maps:
        """Forecast every map from `first` on, one step ahead, in one pass over the stack."""
        return self.predict_ahead(heatmaps, first, 1, context)

    def predict_ahead(self, heatmaps: Panel, first: int, horizon: int = 1, context: JobContext | None = None) -> Maps:
        """Forecast every map from `first` on, `horizon` bins ahead, in one pass over the stack."""
        check_steps(horizon)
        context = context or JobContext()
        risk = np.empty((len(heatmaps) - first, *heatmaps.mask.shape), dtype=np.float32)
        known = max(first - horizon + 1, 0)
        state, smoothers = self._state(heatmaps, known, context), self._smoothers(heatmaps)
        for number in range(len(risk)):
            context.progress(number / len(risk))
            origin = max(first + number - horizon + 1, 0)
            while known < origin:
                state.update(self._seen(heatmaps, known))
                known += 1
            risk[number] = self._risk(state, smoothers, heatmaps)
        return risk

    def _held_out(
        self, history: Panel, widths: tuple[float, ...], lives: tuple[float, ...], context: JobContext
    ) -> tuple[Array, Array, NDArray[np.bool_]]:
        """Compute long-run rates (widths, N), recent ones (lives, widths, N), events (N) of held-out maps' cells."""
        mask, maps = history.mask, len(history)
        observed = np.flatnonzero(history.observed)
        held = observed[-max(round(len(observed) * _HELD_OUT), 1) :]
        # Evenly spread, and few enough for the time there is.
        most = max(_VALUES // int(mask.sum()), 8)
        wanted = set(held[np.unique(np.linspace(0, len(held) - 1, min(most, len(held))).round().astype(int))].tolist())
        decays = 0.5 ** (measure_bin(history) / np.array(lives))
        state = _Densities(mask, decays)
        smoothers = [make_smoother(history, width, local=False) for width in widths]
        long, recent, events = [], [], []
        for number in range(maps):
            if number % 32 == 0:
                context.progress(0.8 * number / maps, f"Space-time KDE: reading map {number + 1} of {maps}")
            if number in wanted:
                layers = np.concatenate([state.total[None], state.recent])
                rates = np.stack([smoother.spread(layers) for smoother in smoothers], axis=1)
                long.append(rates[0] / max(state.maps, 1))
                recent.append(rates[1:] / np.maximum(state.weight, 1e-12)[:, None, None])
                events.append(mark_events(history, self.threshold, slice(number, number + 1))[0][mask] > 0)
            state.update(self._seen(history, number))
        return np.concatenate(long, axis=-1), np.concatenate(recent, axis=-1), np.concatenate(events)

    def _cost(self, rate: Array, events: NDArray[np.bool_], heatmaps: Panel) -> float:
        """Compute minus the mean log-likelihood; a little of the mean rate for the cells that had nothing yet."""
        p = self._probability(rate + 1e-3 * rate.mean(), heatmaps)
        return float(-np.log(np.where(events, p, 1 - p)).mean())

    def _probability(self, rate: Array, heatmaps: Panel) -> Array:
        p = rate if counts_events(heatmaps, self.threshold) else -np.expm1(-rate)
        return np.asarray(np.clip(p, _SMALLEST, _LARGEST))

    def _smoothers(self, heatmaps: Panel) -> tuple[AnySmoother, AnySmoother]:
        cell = heatmaps.support.side
        return (
            make_smoother(heatmaps, self.long_bandwidth_ / cell, local=False),
            make_smoother(heatmaps, self.recent_bandwidth_ / cell, local=False),
        )

    def _risk(
        self, state: _Densities, smoothers: tuple[AnySmoother, AnySmoother], heatmaps: Panel
    ) -> NDArray[np.float32]:
        mask = heatmaps.mask
        area = (state.total[mask].sum() + 0.5) / (state.maps * int(mask.sum()) + 1.0)
        rate = smoothers[0].spread(state.total) / max(state.maps, 1)
        # A recent density of nothing but maps long past would be noise.
        if self.weight_ and state.weight[0] > 1e-6:
            recent = smoothers[1].spread(state.recent[0]) / state.weight[0]
            rate = (1 - self.weight_) * rate + self.weight_ * recent
        rate = (rate * state.maps + self.shrinkage * area) / max(state.maps + self.shrinkage, 1e-9)
        risk = np.full(mask.shape, np.nan, dtype=np.float32)
        risk[mask] = self._probability(rate, heatmaps)
        return risk

    def _state(self, heatmaps: Panel, until: int, context: JobContext) -> _Densities:
        state = _Densities(heatmaps.mask, 0.5 ** (measure_bin(heatmaps) / np.array([self.half_life_])))
        for number in range(until):
            if number % 64 == 0:
                context.check_cancelled()
            state.update(self._seen(heatmaps, number))
        return state

    def _seen(self, heatmaps: Panel, number: int) -> NDArray[Any] | None:
        if not heatmaps.observed[number]:
            return None
        if counts_events(heatmaps, self.threshold):
            return np.asarray(mark_events(heatmaps, self.threshold, slice(number, number + 1))[0])
        return np.asarray(heatmaps.counts[number])


def _say_where(bandwidth: float) -> str:
    return f"around it (bandwidth {bandwidth:,.0f} m)" if bandwidth else "there"


class _Densities:
    """Sums of the maps seen so far: with equal weights, and with weights that fall with age."""

    def __init__(self, mask: NDArray[np.bool_], decays: Array) -> None:
        self.mask, self.decays = mask, decays
        self.total = np.zeros(mask.shape)
        self.recent = np.zeros((len(decays), *mask.shape))
        self.weight = np.zeros(len(decays))
        self.maps = 0

    def update(self, seen: NDArray[Any] | None) -> None:
        """Take in the next map; None where it was not observed, which only makes the others older."""
        self.recent *= self.decays.reshape(-1, *[1] * self.mask.ndim)
        self.weight *= self.decays
        if seen is not None:
            counts = np.where(self.mask, seen, 0)
            self.total += counts
            self.recent += counts
            self.weight += 1.0
            self.maps += 1
