"""What flagging catches where units differ in size: the densest first, until a share of the area (or people) is used.

Units rank by expected incidents per km² (per person), which is what a flagged km² can catch; ranked by probability,
large areas would win, and counted by unit, small ones flatter. The last unit is flagged in part, and its incidents
are counted by the same part, so that units of any size are compared at the same flagged area.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
    density: Array, counts: NDArray[Any], units: Units, shares: Sequence[float], threshold: int = 1
) -> list[MapHits]:
    """Flag the densest units of each map until each share of the size is used up, and count what lies in them.

    Units tied at the edge, of which a single one is the usual case, are each flagged by the part that fits.

    Parameters
    ----------
    density : ndarray, shape (T, N)
    counts : ndarray, shape (T, N)
    units : Units
        N of them.
    """
    wanted = np.asarray(shares, dtype=np.float64) * units.size.sum()
    rows: list[list[MapHits]] = [[] for _ in shares]
    for risk, count in zip(density, counts, strict=True):
        most = _find_most(count.astype(np.float64), units.size, wanted)
        # Map by map: what is flagged at each share of all of them does not fit in the memory.
        for row, share, part, best in zip(rows, shares, _flag_densest(risk, units.size, wanted), most, strict=True):
            row.append(_gather(share, part[None], count[None], units, best[None], threshold))
    few = find_few_cells(counts.sum(axis=0, dtype=np.float64))
    return [replace(_join(row), few=few) for row in rows]


def _flag_densest(density: Array, size: Array, wanted: Array) -> Iterator[Array]:
    """Yield the part of each unit that is flagged when so much of the size is, shape (N,), for each wanted size."""
    order = np.argsort(-density)
    ranked, used = -density[order], np.r_[0.0, np.cumsum(size[order])]
    for each in wanted:
        # The first unit with which the size is used up, and those as dense as it.
        edge = ranked[min(int(np.searchsorted(used[1:], each * (1 - _ROUNDING), "left")), len(ranked) - 1)]
        low, high = np.searchsorted(ranked, edge, "left"), np.searchsorted(ranked, edge, "right")
        tied = used[high] - used[low]
        part = np.zeros(len(size))
        part[order[:low]] = 1.0
        part[order[low:high]] = min((each - used[low]) / tied, 1.0) if tied else 0.0
        yield part


def _join(maps: Sequence[MapHits]) -> MapHits:
    """Join what was counted on single maps."""

    def together(name: str, of: Sequence[Any]) -> Array:
        return np.concatenate([getattr(each, name) for each in of])

    weights = [each.weights for each in maps if each.weights is not None]
    total = sum(each.total for each in weights)
    sizes = (together(name, weights) for name in ("flagged", "hit", "caught", "incidents"))
    flagged, caught, incidents, hits, most = (
        together(name, maps) for name in ("flagged", "caught", "incidents", "hit_cells", "most")
    )
    cells = sum(each.cells for each in maps)
    return MapHits(maps[0].share, cells, flagged, caught, incidents, hits, most, weights=MapWeights(total, *sizes))


def count_dense_flags(
    flagged: NDArray[np.bool_], counts: NDArray[Any], units: Units, share: float, threshold: int = 1
) -> tuple[MapHits, float]:
    """Count what given flags caught, and the most that flagging as much of the size on all maps could have caught.

    Parameters
    ----------
    flagged : ndarray of bool, shape (T, N)
    counts : ndarray, shape (T, N)
    units : Units
    share : float
        That was wanted.
    """
    incidents = counts.astype(np.float64)
    used = flagged @ units.size
    most = np.array([_find_most(row, units.size, size[None])[0] for row, size in zip(incidents, used, strict=True)])
    anywhere = _find_most(incidents.ravel(), np.tile(units.size, len(incidents)), used.sum()[None])[0]
    return _gather(share, flagged.astype(np.float64), counts, units, most, threshold), float(anywhere)


def _find_most(incidents: Array, size: Array, wanted: Array) -> Array:
    """Find the most incidents that units of so much size together could hold, the last one in part."""
    held = (incidents > 0) & (size > 0)
    incidents, size = incidents[held], size[held]
    order = np.argsort(-incidents / size)
    return np.interp(wanted, np.r_[0.0, np.cumsum(size[order])], np.r_[0.0, np.cumsum(incidents[order])])


def _gather(share: float, part: Array, counts: NDArray[Any], units: Units, most: Array, threshold: int) -> MapHits:
    """Put together what flagging each unit by its part, shape (T, N), caught."""
    incidents, hit = counts.astype(np.float64), part * (counts >= threshold)
    caught = part * incidents
    weights = MapWeights(
        total=float(units.size.sum()) * len(part),
        flagged=part @ units.size,
        hit=hit @ units.size,
        caught=units.sum_by_place(caught),
        incidents=units.sum_by_place(incidents),
    )
    by_unit = (part.sum(axis=1), caught.sum(axis=1), incidents.sum(axis=1), hit.sum(axis=1), most)
    return MapHits(share, part.size, *by_unit, weights=weights)
