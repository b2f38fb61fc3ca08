"""What is known of each unit before a window, as logarithms: its own incidents, those around it, other categories'."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, vstack

from ...contract.texts import count_text, show_name
from ...maps.panel import Panel
from ..cell_features import measure_bin
from ..smoothing import AnySmoother, make_smoother
from .rates import read_events

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Look:
    """One way to look at the incidents of the past.

    Attributes
    ----------
    half_life : float
        Days after which an incident weighs half; infinite where all weigh alike.
    reach : float
        Standard deviation of the kernel, in `find_reach`; 0 for the unit's own incidents alone.
    least : float
        Incidents in the place of none: a logarithm needs more than nothing.
    """

    half_life: float
    reach: float
    least: float

    def describe(self, metres: float, of: str = "") -> str:
        """Describe it in a few words; `metres` is what a reach of one is."""
        what = f"within {self.reach * metres:,.0f} m" if self.reach else "here"
        when = f" (half-life {count_text(round(self.half_life), 'day')})" if np.isfinite(self.half_life) else ""
        return f"{of}{what}{when}"


#: Ways to look at what is forecast, the first being prior counts, and at each other category.
COUNTS = Look(np.inf, 0.0, 0.5)
AROUND = Look(np.inf, 1.0, 0.01)
OWN = (COUNTS, Look(365.0, 0.0, 0.1), Look(90.0, 0.0, 0.1), AROUND, Look(90.0, 2.0, 0.003))
OTHER = (COUNTS, AROUND)
#: How far incidents speak of their surroundings, metres, and in sides of a unit at least.
_REACH, _LEAST_SIDES = 122.0, 0.7


def find_reach(side: float) -> float:
    """Find how far incidents speak of their surroundings, in sides of a unit of so many metres."""
    return max(_REACH / side, _LEAST_SIDES)


class PlaceColumns:
    """Columns of the units inside, at any time of a history.

    Parameters
    ----------
    history : Panel
    threshold : int
    others : bool
        Whether other categories are looked at, too.

    Attributes
    ----------
    events : csr_array, shape (T, N)
        What is forecast.
    size : ndarray, shape (N,)
        Sizes of the units, of which the typical one is 1.
    names : list of str
        Of the columns, in words.
    """

    def __init__(self, history: Panel, threshold: int = 1, others: bool = True) -> None:
        self._history = history
        self.events = read_events(history, threshold)
        size = history.support.measure_km()[history.mask]
        self.size = size / np.median(size)
        self._reach = find_reach(history.support.side)
        metres = self._reach * history.support.side
        self.names = [look.describe(metres) for look in OWN]
        self._looked: list[tuple[csr_array, Look]] = [(self.events, look) for look in OWN]
        for number, name in enumerate(history.extras.channel_names if others else ()):
            channel = read_channel(history, number)
            self._looked += [(channel, look) for look in OTHER]
            self.names += [look.describe(metres, f"{show_name(name)} ") for look in OTHER]
        self._smoothers: dict[float, AnySmoother] = {}

    def find(self, known: int) -> Array:
        """Find the columns after the first `known` bins, shape (K, N)."""
        return np.stack([np.log(self._look(known, events, look) + look.least) for events, look in self._looked])

    def count(self, known: int, half_life: float) -> tuple[Array, float]:
        """Count what is forecast in each unit, shape (N,), and the bins, in the first `known` bins: by a half-life."""
        weights = self._weigh(known, half_life)
        return np.asarray(weights @ self.events[:known]), float(weights.sum())

    def _weigh(self, known: int, half_life: float) -> Array:
        age = np.arange(known - 1, -1, -1) * measure_bin(self._history)
        return np.where(self._history.observed[:known], 0.5 ** (age / half_life), 0.0)

    def _look(self, known: int, events: csr_array, look: Look) -> Array:
        seen = np.asarray(self._weigh(known, look.half_life) @ events[:known]) / self.size
        return self._smooth(seen, self._reach * look.reach) if look.reach else seen

    def _smooth(self, seen: Array, sigma: float) -> Array:
        if sigma not in self._smoothers:
            self._smoothers[sigma] = make_smoother(self._history, sigma)
        whole = np.zeros(self._history.mask.shape)
        whole[self._history.mask] = seen
        return np.asarray(self._smoothers[sigma].mean(whole[None])[0])


def read_channel(history: Panel, number: int) -> csr_array:
    """Read the counts of another category, shape (T, N), map by map."""
    maps = history.extras.channels[number]
    rows = [csr_array(np.asarray(band)[history.mask][None], dtype=np.float64) for band in maps]
    return vstack(rows, format="csr")
