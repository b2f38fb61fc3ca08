"""What is known about each cell just before a map: the inputs of a sequence model, strictly from the past.

`CausalState` is the only place where maps become inputs. It is asked for the inputs of map t *before* it is shown
map t, so no input can hold anything of the map it forecasts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

Array = NDArray[np.float32]

#: Channels of `CausalState.inputs`: the last map, the logit of the running mean, the recent surprise, the study area.
CHANNELS = 4
#: Numbers of `CausalState.surroundings` and `read_calendar` together.
CONTEXT = 13
#: Logits of the running mean are scaled by this on their way in, so that channels have like sizes.
LOGIT_SCALE = 4.0
_FLOOR = 1e-6


class CausalState:
    """Running summary of the maps seen so far.

    Parameters
    ----------
    mask : ndarray of bool, shape (H, W)
        Study area.
    shrinkage : float
        Maps' worth of the surroundings' mean mixed into each cell's running mean.
    decay : float
        Memory of the recent surprise: the weight of a map falls by this factor with every map that follows.
    """

    def __init__(self, mask: NDArray[np.bool_], shrinkage: float = 2.0, decay: float = 0.9) -> None:
        self.mask = mask.astype(np.float32)
        self.shrinkage = shrinkage
        self.decay = decay
        self.maps = 0
        self.total = np.zeros(mask.shape, dtype=np.float64)
        self.surprise = np.zeros(mask.shape, dtype=np.float32)
        self.last = np.zeros(mask.shape, dtype=np.float32)
        self.city_last = 0.0
        self.city_recent = 0.0
        self._cells = max(float(self.mask.sum()), 1.0)
        # Smoothing must not leak out of the study area: normalised by the share of the kernel inside it.
        self._inside = np.maximum(gaussian_filter(self.mask, 1.0, mode="constant"), 1e-6)
        self._prior: Array | None = None

    def prior(self) -> Array:
        """Compute the running mean: the probability of an event in the next map by place alone, shape (H, W).

        The share of maps with an event, shrunk towards the surroundings (Gaussian of one cell) and a little towards
        the whole study area; one half an event is assumed before the first map, so it is never 0 or 1.
        """
        if self._prior is None:
            self._prior = self._mean()
        return self._prior

    def _mean(self) -> Array:
        area = (self.total.sum() + 0.5) / (self.maps * self._cells + 1.0)
        near = gaussian_filter(self.total, 1.0, mode="constant") / self._inside / max(self.maps, 1)
        target = 0.9 * near + 0.1 * area if self.maps else np.full(self.mask.shape, area)
        mean = (self.total + self.shrinkage * target) / (self.maps + self.shrinkage)
        return np.asarray(np.clip(mean, _FLOOR, 1 - _FLOOR), dtype=np.float32)

    def inputs(self) -> Array:
        """Compute the input maps for the next map, shape (CHANNELS, H, W); 0 outside the study area.

        The recent surprise is the exponentially weighted sum of (event - running mean), in units of its standard
        deviation if nothing but place mattered.
        """
        prior = self.prior()
        spread = np.sqrt(prior * (1 - prior) * (1 - self.decay) / (1 + self.decay))
        surprise = np.clip(self.surprise / spread, -4.0, 4.0)
        return np.stack([self.last, logit(prior) / LOGIT_SCALE, surprise, np.ones_like(prior)]) * self.mask

    def surroundings(self) -> Array:
        """Compute how much busier than its mean the study area was in the last map and recently, shape (2,)."""
        busier = np.array([self.city_last, self.city_recent]) * 4.0
        return np.asarray(np.clip(busier, -4.0, 4.0), dtype=np.float32)

    def update(self, seen: NDArray[np.generic] | None) -> None:
        """Take in the next map: events (0/1) or probabilities; None when it was not observed.

        A map that was not observed counts for nothing; in its place the model is shown the running mean, whatever the
        file holds there (a gap filled by interpolation knows the map that follows it).
        """
        prior = self.prior()
        if seen is None:
            self.last = prior * self.mask
            self.city_last = 0.0
            return
        events = seen.astype(np.float32) * self.mask
        expected = float((prior * self.mask).sum())
        self.city_last = float(events.sum()) / max(expected, 1e-6) - 1.0 if self.maps else 0.0
        self.city_recent = self.decay * self.city_recent + (1 - self.decay) * self.city_last
        self.surprise = self.decay * self.surprise + (1 - self.decay) * (events - prior) * self.mask
        if not self.maps:
            self.surprise[:] = 0.0
        self.last = events
        self.total += events
        self.maps += 1
        self._prior = None


def logit(probability: Array) -> Array:
    """Compute ln(p / (1 - p))."""
    odds: Array = np.log(probability) - np.log1p(-probability)
    return odds


def read_calendar(edges: NDArray[np.datetime64], maps: int) -> Array:
    """Read what the calendar says of each bin, known long before it, shape (maps, CONTEXT - 2).

    Weekday (seven indicators) for bins of up to a day, hour of day (two harmonics) for shorter ones; 0 otherwise.
    """
    start = edges[:maps].astype("datetime64[s]").astype(np.int64)
    hours = (edges[1 : maps + 1] - edges[:maps]).astype("timedelta64[s]").astype(np.int64) / 3600.0
    table = np.zeros((maps, CONTEXT - 2), dtype=np.float32)
    weekday = (start // 86400 + 3) % 7
    daily = hours <= 25
    table[np.arange(maps), weekday] = daily
    angle = 2 * np.pi * ((start % 86400) / 86400 + hours / 48)
    for column, wave in enumerate((np.sin(angle), np.cos(angle), np.sin(2 * angle), np.cos(2 * angle)), 7):
        table[:, column] = np.where(hours < 24, wave, 0.0)
    return table


@dataclass
class Sequence:
    """Inputs of a run of maps: entry t holds what is known before map t.

    Attributes
    ----------
    inputs : ndarray, shape (T, CHANNELS, H, W)
    context : ndarray, shape (T, CONTEXT)
    """

    inputs: NDArray[np.floating]
    context: Array


def build_sequence(
    events: NDArray[np.uint8],
    observed: NDArray[np.bool_],
    mask: NDArray[np.bool_],
    edges: NDArray[np.datetime64],
    first: int = 0,
    dtype: type[np.floating] = np.float32,
) -> tuple[Sequence, CausalState]:
    """Build the inputs for maps `first` to T - 1, and the state after the last map.

    Parameters
    ----------
    events : ndarray of 0/1, shape (T, H, W)
    observed : ndarray of bool, shape (T,)
    mask : ndarray of bool, shape (H, W)
    edges : ndarray of datetime64[s], shape (T + 1,) or more
    first : int
        First map whose inputs are wanted; the state is built from all maps before it.
    dtype : numpy type
        float16 halves the memory of a training stack.
    """
    maps = len(events)
    inputs = np.empty((maps - first, CHANNELS, *mask.shape), dtype=dtype)
    context = np.zeros((maps - first, CONTEXT), dtype=np.float32)
    days = read_calendar(edges, maps)
    state = CausalState(mask)
    for number in range(maps):
        if number >= first:
            inputs[number - first] = state.inputs()
            context[number - first] = np.concatenate([state.surroundings(), days[number]])
        state.update(events[number] if observed[number] else None)
    return Sequence(inputs, context), state
