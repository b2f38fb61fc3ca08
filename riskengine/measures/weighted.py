"""What flagging catches where units differ in size: the densest first, until a share of the area (or people) is used.

Units rank by expected incidents per km² (per person), which is what a flagged km² can catch; ranked by probability,
large areas would win, and counted by unit, small ones flatter. The last unit is flagged in part, and its incidents
are counted by the same part, so that units of any size are compared at the same flagged area.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from ..contract.choices import Over
from .concentration import find_few_cells
from .metrics import FLOOR, Array, MapHits, MapWeights

#: Sums of sizes that differ by rounding alone are equal.
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Units:
    """Units that differ in size.

    Attributes
    ----------
    size : ndarray, shape (N,)
        What flagging a unit costs: km² of areas, km of segments, or people. Units of no size are never flagged.
    place : ndarray of int, shape (N,)
        Number of the block of units that lie together, 0, 1, …
    neighbours : csr_array of bool, shape (N, N)
    """

    size: Array
    place: NDArray[np.int64]
    neighbours: csr_array

    def select(self, inside: NDArray[np.bool_]) -> Units:
        """Select some of them, as those of the study area; blocks are numbered anew."""
        _, place = np.unique(self.place[inside], return_inverse=True)
        return Units(self.size[inside], place, self.neighbours[inside][:, inside])

    def sum_by_place(self, values: NDArray[Any]) -> Array:
        """Sum values of shape (T, N) over the units of each block, shape (T, blocks)."""
        blocks = int(self.place.max(initial=-1)) + 1
        return np.array([np.bincount(self.place, row, minlength=blocks) for row in values]).reshape(-1, blocks)


def compute_density(risk: NDArray[Any], size: Array) -> Array:
    """Compute the expected incidents per km² (or whatever `size` is in), by which units rank; NaN stays.

    Of a probability p it is -ln(1 - p) divided by the size. Values above 1 are taken for expected counts. Where some
    are below 0 they are neither, and rank as they are.

    Parameters
    ----------
    risk : ndarray, shape (T, N)
    size : ndarray, shape (N,)
    """
    expected = risk.astype(np.float64)
    lowest, highest = np.nanmin(expected, initial=0.0), np.nanmax(expected, initial=0.0)
    if lowest < 0:
        return np.where(size > 0, expected, np.where(np.isnan(expected), np.nan, -np.inf))
    if highest <= 1:
        expected = -np.log1p(-np.minimum(expected, 1 - FLOOR))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(size > 0, expected / size, np.where(np.isnan(expected), np.nan, -np.inf))


def compute_density_limits(density: Array, size: Array, percentiles: Sequence[float], over: Over) -> Array:
    """Compute the density above which units are flagged at each percentile: whole ones, as many as fit in the share.

    At percentile 95 they make up at most 5 % of the area: of all maps together (``stack``, shape (P,)), or of each
    (``map``, shape (P, T)). Units of equal density are flagged together or not at all.

    Parameters
    ----------
    density : ndarray, shape (T, N)
    size : ndarray, shape (N,)
    """
    shares = 1 - np.asarray(percentiles, dtype=np.float64) / 100
    if over == "stack":
        return _find_limits(density.ravel(), np.tile(size, len(density)), shares)
    return np.array([_find_limits(row, size, shares) for row in density]).reshape(len(density), len(shares)).T


def _find_limits(density: Array, size: Array, shares: Array) -> Array:
    order = np.argsort(-density)
    used = np.cumsum(size[order])
    last = np.searchsorted(used, shares * used[-1] * (1 + _ROUNDING), "right")
    limits: Array = density[order[np.minimum(last, len(order) - 1)]]
    return limits


def count_densest_hits(
    density: Array, counts: NDArray[Any], size: Array, shares: Sequence[float], threshold: int = 1
) -> list[MapHits]:
    """Flag the densest units of each map until each share of the size is used up, and count what lies in them.

    Units tied at the edge, of which a single one is the usual case, are each flagged by the part that fits.

    Parameters
    ----------
    density : ndarray, shape (T, N)
    counts : ndarray, shape (T, N)
    size : ndarray, shape (N,)
    """
    figures = np.zeros((len(shares), 7, len(density)))
    wanted = np.asarray(shares, dtype=np.float64) * size.sum()
    for number, (risk, count) in enumerate(zip(density, counts, strict=True)):
        order = np.argsort(-risk)
        hit = count[order] >= threshold
        # Used size, caught incidents, hits, and their size, down to each unit: one sort serves all shares.
        sums = np.stack([size[order], count[order], hit, hit * size[order]]).astype(np.float64)
        used, caught, hits, hit_size = np.cumsum(np.concatenate([np.zeros((4, 1)), sums], axis=1), axis=1)
        most = find_best(count, size).find(wanted)
        for row, edge in enumerate(_find_edges(-risk[order], used, wanted)):
            figures[row, :, number] = (
                edge.low + edge.part * (edge.high - edge.low),
                edge.cut(caught),
                caught[-1],
                edge.cut(hits),
                most[row],
                edge.cut(used),
                edge.cut(hit_size),
            )
    few, total = find_few_cells(counts.sum(axis=0, dtype=np.float64)), float(size.sum()) * len(density)
    return [
        replace(MapHits(share, density.size, *by_unit), few=few, weights=MapWeights(total, *by_size))
        for share, by_unit, by_size in zip(shares, figures[:, :5], figures[:, 5:], strict=True)
    ]


@dataclass(frozen=True)
class _Edge:
    """Where flagging stops among units in falling order: those before `low` whole, those before `high` by a part."""

    low: int
    high: int
    part: float

    def cut(self, sums: Array) -> float:
        """Cut a running sum that begins with 0."""
        return float(sums[self.low] + self.part * (sums[self.high] - sums[self.low]))


def _find_edges(ranked: Array, used: Array, wanted: Array) -> list[_Edge]:
    """Find where so much of the size is used up, for each wanted size.

    Parameters
    ----------
    ranked : ndarray, shape (N,)
        Densities times -1, rising.
    used : ndarray, shape (N + 1,)
        Running sum of the sizes.
    """
    # The first unit with which the size is used up, and those as dense as it.
    last = np.searchsorted(used[1:], wanted * (1 - _ROUNDING), "left")
    edge = ranked[np.minimum(last, len(ranked) - 1)]
    low, high = np.searchsorted(ranked, edge, "left"), np.searchsorted(ranked, edge, "right")
    tied = used[high] - used[low]
    part = np.clip((wanted - used[low]) / np.where(tied > 0, tied, np.inf), 0, 1)
    return [_Edge(*each) for each in zip(low.tolist(), high.tolist(), part.tolist(), strict=True)]


def count_caught_by_place(density: Array, counts: NDArray[Any], units: Units, share: float) -> Array:
    """Count what `count_densest_hits` catches at a share in each block of units, shape (T, blocks)."""
    wanted = np.array([share * units.size.sum()])
    caught = counts.astype(np.float64)
    for risk, row in zip(density, caught, strict=True):
        order = np.argsort(-risk)
        (edge,) = _find_edges(-risk[order], np.r_[0.0, np.cumsum(units.size[order])], wanted)
        row[order[edge.low : edge.high]] *= edge.part
        row[order[edge.high :]] = 0.0
    return units.sum_by_place(caught)


@dataclass(frozen=True)
class Best:
    """The most incidents that units of so much size together could hold, the last one in part.

    Attributes
    ----------
    used, held : ndarray
        Running sums of size and incidents, those with most incidents per size first; both begin with 0.
    """

    used: Array
    held: Array

    def find(self, size: Array) -> Array:
        """Find how many that is, in the shape of `size`."""
        return np.asarray(np.interp(size, self.used, self.held), dtype=np.float64)


def find_best(counts: NDArray[Any], size: Array) -> Best:
    """Find the best choice of units, of counts and sizes of shape (N,)."""
    held = (counts > 0) & (size > 0)
    incidents, size = counts[held].astype(np.float64), size[held]
    order = np.argsort(-incidents / size)
    return Best(np.r_[0.0, np.cumsum(size[order])], np.r_[0.0, np.cumsum(incidents[order])])


def count_dense_flags(
    flagged: NDArray[np.bool_],
    counts: NDArray[Any],
    size: Array,
    best: Sequence[Best],
    share: float,
    threshold: int = 1,
) -> MapHits:
    """Count what given flags caught.

    Parameters
    ----------
    flagged : ndarray of bool, shape (T, N)
    counts : ndarray, shape (T, N)
    size : ndarray, shape (N,)
    best : sequence of Best, length T
        Of each map.
    share : float
        That was wanted.
    """
    hit = flagged & (counts >= threshold)
    used = flagged @ size
    return MapHits(
        share,
        flagged.size,
        flagged.sum(axis=1, dtype=np.float64),
        np.where(flagged, counts, 0).sum(axis=1, dtype=np.float64),
        counts.sum(axis=1, dtype=np.float64),
        hit.sum(axis=1, dtype=np.float64),
        np.array([each.find(part) for each, part in zip(best, used, strict=True)]),
        weights=MapWeights(float(size.sum()) * len(flagged), used, hit @ size),
    )
