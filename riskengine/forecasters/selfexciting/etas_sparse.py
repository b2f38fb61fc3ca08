"""What past incidents trigger, on grids that are nearly empty: reckoned in the cells that ever had an incident."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array
from scipy.spatial import cKDTree

from ...ground.context import JobContext
from ...maps.grid import Grid
from ...maps.sparsecounts import SparseCounts, read_csr
from ..base import counts_events
from .etas_history import Column, Counted
from .etas_kernel import average_survival, compute_cell_shares, decay, spread

Array = NDArray[np.float64]

#: Grids of fewer cells are as quick with whole maps.
_FINE = 20_000
#: Pairs of cells that are held at most, and values of maps at once.
_MOST_PAIRS, _CHUNK = 2 * 10**7, 4_000_000


def find_occupied(counted: Counted, sigma: float) -> NDArray[np.int64] | None:
    """Find the flat cells that ever had an incident, ascending; None where whole maps are as quick."""
    history = counted.heatmaps
    if not isinstance(history.support, Grid) or not isinstance(history.counts, SparseCounts):
        return None
    if history.mask.size < _FINE:
        return None
    inside = np.flatnonzero(history.mask.ravel())
    occupied: NDArray[np.int64] = inside[np.unique(read_csr(history).indices)]
    pairs = len(occupied) * min(len(compute_cell_shares(sigma, history.support.cell)) ** 2, len(occupied))
    return occupied if pairs <= _MOST_PAIRS else None


def fill_triggered(
    counted: Counted,
    sigma: float,
    omegas: Sequence[float],
    occupied: NDArray[np.int64],
    columns: Sequence[Column],
    context: JobContext,
) -> None:
    """Fill the columns of `etas_em.build_triggered`: the same but for rounding."""
    history, maps = counted.heatmaps, len(counted.days)
    assert isinstance(history.support, Grid)
    shares = compute_cell_shares(sigma, history.support.cell)
    between = _share_between(occupied, history.mask.shape[1], shares)
    # What an incident of a cell triggers inside the study area: the kernel is the same in both directions.
    caught = spread(history.mask.astype(np.float64), shares)
    counts = read_csr(history)
    if counts_events(history, counted.threshold):
        counts = csr_array(counts >= counted.threshold)
    rank = np.cumsum(history.mask.ravel()) - 1
    events = csr_array(counts[:, rank[occupied]], dtype=np.float64)
    places = np.searchsorted(occupied, counted.cell)
    bounds = np.searchsorted(counted.when, np.arange(maps + 1))
    states, totals = [np.zeros(len(occupied)) for _ in omegas], np.zeros(len(omegas))
    step = max(_CHUNK // len(occupied), 1)
    for low in range(0, maps, step):
        context.check_cancelled()
        high = min(low + step, maps)
        moved = (events[low:high] @ between).toarray()
        sums = events[low:high] @ caught.ravel()[occupied]
        for number in range(low, high):
            days, rows = counted.days[number], slice(bounds[number], bounds[number + 1])
            if not history.observed[number]:
                standin = counted.standin.get(number, np.zeros(history.mask.shape))
                moved[number - low] = spread(standin, shares).ravel()[occupied]
                sums[number - low] = float((standin * caught).sum())
            for each, (omega, column) in enumerate(zip(omegas, columns, strict=True)):
                if counted.scored[number]:
                    share = -np.expm1(-omega * days)
                    column.at[rows] = share * states[each][places[rows]]
                    column.total[number] = share * totals[each]
                kept, left = decay(omega, days), average_survival(omega, days)
                states[each] = states[each] * kept + left * moved[number - low]
                totals[each] = totals[each] * kept + left * sums[number - low]


def _share_between(occupied: NDArray[np.int64], width: int, shares: Array) -> csr_array:
    """Compute the share of one cell's offspring that lies in another, of some cells, shape (M, M)."""
    reach = len(shares) // 2
    places = np.stack(np.divmod(occupied, width), axis=1)
    pairs = cKDTree(places).query_pairs(reach + 0.5, p=np.inf, output_type="ndarray")
    apart = np.abs(places[pairs[:, 0]] - places[pairs[:, 1]])
    share = shares[reach + apart[:, 0]] * shares[reach + apart[:, 1]]
    itself = np.arange(len(occupied))
    one = np.concatenate([pairs[:, 0], pairs[:, 1], itself])
    other = np.concatenate([pairs[:, 1], pairs[:, 0], itself])
    shared = np.concatenate([share, share, np.full(len(occupied), shares[reach] ** 2)])
    return csr_array(coo_array((shared, (one, other)), shape=(len(occupied), len(occupied))))
