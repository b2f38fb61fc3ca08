"""Pieces of a self-exciting process on binned counts: kernels integrated over cells and bins, and running states."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import convolve1d, gaussian_filter
from scipy.sparse import csr_array
from scipy.special import ndtr

from ...maps.grid import Grid
from ...maps.support import Support
from ..smoothing import UnitSmoother, find_pairs

Array = NDArray[np.float64]

#: A Gaussian is cut off where less than a ten-thousandth of it lies beyond.
_REACH = 4.0
#: Long-run rates of a cell that the background mixes.
PARTS = 5
#: Bandwidths of the surroundings among them, cells.
SURROUNDINGS = (0.6, 1.2)
#: Maps' worth of one half incident in the study area, so that no rate is 0.
_HALF = 0.5
#: Weight of the study area's mean in the rate that cells are drawn to.
_AREA = 0.02
#: Half-life of the study area's recent level, days.
LEVEL_DAYS = 28.0
#: Incidents' worth of "as usual" in the recent level.
_USUAL = 5.0


def compute_cell_shares(sigma: float, cell: float) -> Array:
    """Compute the share of the offspring that lie 0, 1, 2, … cells away along one axis, shape (2 R + 1,), summing to 1.

    The parent lies anywhere in its cell with equal probability, the offspring at a Gaussian distance from it.
    """
    scale = sigma / cell
    reach = int(np.ceil(_REACH * scale)) + 1
    shares = _compute_share(np.arange(-reach, reach + 1.0), np.asarray(scale))
    return np.asarray(shares / shares.sum())


def _compute_share(apart: Array, scale: Array) -> Array:
    """Compute the share of the offspring that lie so many cells away along one axis, for a spread in cells."""
    # Second difference of the integral of the normal distribution function.
    edges = [(apart + step) / scale for step in (-1, 0, 1)]
    low, middle, high = (edge * ndtr(edge) + np.exp(-(edge**2) / 2) / np.sqrt(2 * np.pi) for edge in edges)
    return np.asarray(scale * (low - 2 * middle + high))


class Mover:
    """Moves counts to where their offspring will be, with a Gaussian spread of `sigma` metres.

    Between units of other shapes than a grid's each is taken for a square of its size: on squares it gives, but for
    what lies beyond four spreads, what a grid gives.
    """

    def __init__(self, support: Support, sigma: float) -> None:
        self._shares: Array | csr_array
        if isinstance(support, Grid):
            self._shares = compute_cell_shares(sigma, support.cell)
            #: Share of the offspring in the unit of their parent.
            self.same: float | Array = float(self._shares.max()) ** 2
            return
        size = support.measure_sizes()
        one, other, apart_x, apart_y = find_pairs(
            support, np.ones(support.shape, dtype=bool), 2, local=True, metres=_REACH * sigma
        )
        side = np.sqrt(np.sqrt(size[one] * size[other]))
        share = _compute_share(apart_x, sigma / side) * _compute_share(apart_y, sigma / side) * size[other] / side**2
        self._shares = csr_array((share, (other, one)), shape=(len(size), len(size)))
        self.same = self._shares.diagonal()

    def __deepcopy__(self, memo: object) -> Mover:
        # It never changes.
        return self

    def move(self, maps: Array) -> Array:
        """Move counts, shape (..., H, W) or (..., N); what leaves the study area's surroundings is gone."""
        if isinstance(self._shares, np.ndarray):
            return spread(maps, self._shares)
        flat = maps.reshape(-1, maps.shape[-1])
        return np.asarray((self._shares @ flat.T).T).reshape(maps.shape)


def spread(maps: Array, shares: Array) -> Array:
    """Move counts to where their offspring will be, along the last two axes; what leaves the grid is gone."""
    # Most rows of a fine grid are empty, and stay so.
    occupied = maps.any(axis=-1)
    along = np.zeros(maps.shape)
    along[occupied] = convolve1d(maps[occupied], shares, axis=-1, mode="constant")
    across: Array = convolve1d(along, shares, axis=-2, mode="constant")
    return across


def decay(omega: float, days: float) -> float:
    """Compute exp(-omega days)."""
    return float(np.exp(-omega * days))


def average_survival(omega: float, days: float) -> float:
    """Average exp(-omega age) at the end of a bin over incidents anywhere in it."""
    return float(-np.expm1(-omega * days) / (omega * days))


def share_same_bin(omega: float, days: float) -> float:
    """Compute the share of an incident's offspring, anywhere in a bin, that fall into the same bin."""
    return 1.0 - average_survival(omega, days)


class Excitation:
    """Exponentially decayed past incidents per cell: all that the triggering kernel needs of the past.

    Parameters
    ----------
    shape : (H, W)
    omega : float
        Decay per day.
    """

    def __init__(self, shape: tuple[int, ...], omega: float) -> None:
        self.omega = omega
        self.level: Array = np.zeros(shape)

    def ahead(self, days: float) -> Array:
        """Compute past incidents' offspring, per unit of the branching ratio, in the bin of `days` from now."""
        return np.asarray(-np.expm1(-self.omega * days) * self.level)

    def update(self, counts: Array, days: float) -> None:
        """Let a bin of `days` with these incidents pass."""
        self.level = self.level * decay(self.omega, days) + counts * average_survival(self.omega, days)


class LongRun:
    """Long-run mean of each cell from the maps so far: the shape of the background.

    Parameters
    ----------
    mask : ndarray of bool, shape (H, W)
        Study area.
    bandwidth : float
        Standard deviation in cells of the surroundings that a cell's rate is drawn to.
    strength : float
        Incidents' worth of the surroundings in each cell.
    half_life : float
        Days in which the weight of a map halves; inf weighs all alike.
    support : Support, optional
        The units, where they are no grid's.
    """

    def __init__(
        self,
        mask: NDArray[np.bool_],
        bandwidth: float,
        strength: float,
        half_life: float,
        support: Support | None = None,
    ) -> None:
        self.mask = mask
        self.strength = strength
        self.bandwidth = bandwidth
        self.half_life = half_life
        self.total: Array = np.zeros(mask.shape)
        self.days = 0.0
        self._cells = max(int(mask.sum()), 1)
        self._near, *self._surroundings = (_Surroundings(mask, each, support) for each in (bandwidth, *SURROUNDINGS))
        self._seen = 0.0
        self._expected = 0.0

    def area(self) -> float:
        """Compute incidents per day and cell in the study area."""
        return (float(self.total.sum()) + _HALF) / (self._cells * max(self.days, 1e-9)) if self.days else 0.0

    def rates(self) -> Array:
        """Compute incidents per day in each cell, shape (`PARTS`, H, W); 0 outside the study area.

        Drawn to the surroundings, the cell's own, two surroundings', and the study area's. A mixture of them leaves
        no imperfection of the first to be mended by the offspring.
        """
        rates = np.zeros((PARTS, *self.mask.shape))
        if self.days:
            own = self.total / self.days
            rates[0] = self.drawn()
            rates[1] = own
            for number, surroundings in enumerate(self._surroundings, 2):
                rates[number] = surroundings.mean(own)
            rates[-1] = self.area()
            rates *= self.mask
        return rates

    def near(self) -> Array:
        """Compute what each cell's rate is drawn to, whatever the strength; it means nothing outside the area."""
        near = self._near.mean(self.total / max(self.days, 1e-9))
        return np.asarray((1 - _AREA) * near + _AREA * self.area())

    def drawn(self, near: Array | None = None) -> Array:
        """Compute the first of `rates` alone, from `near` where that is known."""
        if not self.days:
            return np.zeros(self.mask.shape)
        near = self.near() if near is None else near
        return np.where(self.mask, (self.total + self.strength) / (self.days + self.strength / near), 0.0)

    def level(self) -> float:
        """Say how much busier than its long-run mean the study area was in the last weeks; 1 is as usual."""
        return (self._seen + _USUAL) / (self._expected + _USUAL)

    def update(self, counts: Array, days: float, pace: float) -> None:
        """Take in an observed map of `days` whose time of the week is `pace` times as busy as the mean."""
        if self.days:
            fade = 0.5 ** (days / LEVEL_DAYS)
            self._seen = fade * self._seen + float(counts.sum())
            self._expected = fade * self._expected + float(self.total.sum()) / self.days * days * pace
        keep = 0.5 ** (days / self.half_life)
        self.total = keep * self.total + counts
        self.days = keep * self.days + days


@dataclass(frozen=True)
class Kernel:
    """What was learned of the parts of the intensity.

    Attributes
    ----------
    weights : ndarray, shape (PARTS + 2,)
        Coefficients of the long-run rates, of the first times the recent level, and of the offspring.
    omega : float
        Decay per day.
    sigma : float
        Spread, metres.
    """

    weights: Array
    omega: float
    sigma: float


class State:
    """The intensity of the next map, from the maps shown so far.

    Parameters
    ----------
    mask : ndarray of bool, shape (H, W)
    support : Support
    settings : (float, float, float)
        Bandwidth, strength and half-life of the long-run mean.
    kernel, mover : optional
        Without them there are no offspring, and the first long-run rate is all.
    """

    def __init__(
        self,
        mask: NDArray[np.bool_],
        support: Support,
        settings: tuple[float, float, float],
        kernel: Kernel | None = None,
        mover: Mover | None = None,
    ) -> None:
        self.mask, self.kernel = mask, kernel
        self.mean = LongRun(mask, *settings, support)
        self._excitation = Excitation(mask.shape, kernel.omega if kernel else 1.0)
        self.mover = mover

    def ahead(self, days: float, pace: float) -> Array:
        """Compute expected counts in the bin of `days` that begins now, shape (H, W)."""
        if self.kernel is None or self.mover is None:
            return self.mean.drawn() * (days * pace)
        *steady, level, triggered = self.kernel.weights
        steady[0] += level * self.mean.level()
        background = np.tensordot(steady, self.mean.rates(), axes=1) * (days * pace)
        offspring = triggered * self.mover.move(self._excitation.ahead(days))
        return np.where(self.mask, background + offspring, 0.0)

    def show(self, counts: Array | None, days: float, pace: float) -> Array:
        """Take in the next map, or its expected counts where it was not observed (None); returns what was taken."""
        if counts is None:
            counts = self.ahead(days, pace)
        else:
            self.mean.update(counts, days, pace)
        self.trigger(counts, days)
        return counts

    def trigger(self, counts: Array, days: float) -> None:
        """Let a bin with these counts pass, without learning the background from them."""
        if self.kernel is not None:
            self._excitation.update(counts, days)


class _Surroundings:
    """Means of what lies around each unit, `bandwidth` sides wide; nothing leaks out of the study area."""

    def __init__(self, mask: NDArray[np.bool_], bandwidth: float, support: Support | None) -> None:
        self._mask, self._bandwidth = mask, bandwidth
        self._units = None
        if support is not None and not isinstance(support, Grid):
            self._units = UnitSmoother(support, mask, bandwidth)
            return
        # Divided by the share of the kernel inside.
        self._inside = np.maximum(_smooth(mask.astype(np.float64), bandwidth), 1e-9)

    def mean(self, layer: Array) -> Array:
        """Average, shape (H, W) or (N,); outside the study area it means nothing."""
        if self._units is None:
            return _smooth(layer, self._bandwidth) / self._inside
        means = np.ones(self._mask.shape)
        means[self._mask] = self._units.mean(layer)
        return means


def _smooth(layer: Array, bandwidth: float) -> Array:
    smooth: Array = gaussian_filter(layer, bandwidth, mode="constant", truncate=3.0)
    return smooth
