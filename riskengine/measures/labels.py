"""The six labels of a flagged map against what happened (Omdena/Safecity 2020 after Holm & Plynning 2018).

A neighbour is one of the eight cells around, or an area that touches; cells outside the study area do not exist,
neither as neighbours nor as cells. The published article gives no exact table; this is our reading of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from ..contract.choices import Over
from ..maps.risk import compute_thresholds

Bools = NDArray[np.bool_]
#: The two readings of "above the percentile": of all maps together, or of each map.

#: By code.
LABELS = (
    "true negative",
    "correct",
    "false negative",
    "false negative, neighbour",
    "false positive",
    "false positive, neighbour",
)
LABEL_NODATA = 255
#: Percentiles of the published trade-off.
PERCENTILES = tuple(float(value) for value in range(85, 100))
#: Cells that are labelled at a time.
_CHUNK = 4_000_000


def flag(risk: NDArray[Any], limits: NDArray[np.float64]) -> Bools:
    """Cells strictly above a limit, as in `riskengine.maps.risk.classify`: where all cells are equal none is flagged.

    Parameters
    ----------
    risk : ndarray, shape (T, ...)
        NaN outside the study area.
    limits : ndarray, shape () or (T,)
        One for all maps, or one each.
    """
    # In double precision, in which the limits were found; NaN lies above nothing.
    one_each = np.asarray(limits, dtype=np.float64).reshape(-1, *[1] * (risk.ndim - 1))
    return np.asarray(risk > one_each)


def compute_percentile_limits(risk: NDArray[Any], percentiles: Sequence[float], over: Over) -> NDArray[np.float64]:
    """Compute the risk at each percentile, shape (P,) over the whole test prediction or (P, T) over each map.

    Parameters
    ----------
    risk : ndarray, shape (T, ...)
    """
    if over == "stack":
        return np.asarray(compute_thresholds(risk, percentiles), dtype=np.float64)
    limits = [compute_thresholds(band, percentiles) for band in risk]
    return np.asarray(limits, dtype=np.float64).reshape(len(risk), len(percentiles)).T


def mark_near(cells: Bools, neighbours: csr_array | None = None) -> Bools:
    """Mark cells that are set or have one of their eight neighbours set, shape (T, H, W).

    Units of shape (T, N) have the `neighbours` that are given, booleans of shape (N, N).
    """
    if neighbours is not None:
        near = neighbours.astype(np.int32) @ cells.T.astype(np.int32)
        return np.asarray(cells | (near.T > 0))
    rows = cells.copy()
    rows[:, 1:] |= cells[:, :-1]
    rows[:, :-1] |= cells[:, 1:]
    block = rows.copy()
    block[:, :, 1:] |= rows[:, :, :-1]
    block[:, :, :-1] |= rows[:, :, 1:]
    return block


def label_maps(
    flagged: Bools, events: NDArray[Any], mask: Bools, neighbours: csr_array | None = None
) -> NDArray[np.uint8]:
    """Label every cell of every map.

    Parameters
    ----------
    flagged : ndarray of bool, shape (T, ...)
        (T, H, W) of a grid, (T, N) of areas.
    events : ndarray of bool or 0/1, shape (T, ...)
        Where a crime happened.
    mask : ndarray of bool, shape (...)
        Study area.
    neighbours : csr_array of bool, shape (N, N), optional
        Which areas touch; of a grid none.

    Returns
    -------
    ndarray of uint8, shape (T, ...)
        Codes of `LABELS`; 255 outside the study area.
    """
    hit = np.asarray(events, dtype=bool) & mask
    alarm = flagged & mask
    # That a cell is its own neighbour here changes nothing: it is asked only where the cell itself is not set.
    return _label(alarm, hit, mark_near(hit, neighbours), mask, neighbours)


def _label(alarm: Bools, hit: Bools, hit_near: Bools, mask: Bools, neighbours: csr_array | None) -> NDArray[np.uint8]:
    labels = np.zeros(alarm.shape, dtype=np.uint8)
    labels[alarm & hit] = 1
    missed = hit & ~alarm
    labels[missed] = 2
    labels[missed & mark_near(alarm, neighbours)] = 3
    labels[alarm & ~hit] = 4
    labels[alarm & ~hit & hit_near] = 5
    labels[:, ~mask] = LABEL_NODATA
    return labels


@dataclass(frozen=True)
class Tradeoff:
    """How often each label was given at one percentile.

    Attributes
    ----------
    percentile : float
    over : str
        ``stack`` or ``map``.
    cells : tuple of int
        Cells and bins by label, in the order of `LABELS`.
    """

    percentile: float
    over: str
    cells: tuple[int, ...]

    @property
    def rates(self) -> dict[str, float]:
        """Share of all cells and bins by label."""
        total = sum(self.cells)
        return {name: _share(number, total) for name, number in zip(LABELS, self.cells, strict=True)}

    @property
    def flagged(self) -> int:
        """Flagged cells and bins."""
        return self.cells[1] + self.cells[4] + self.cells[5]

    @property
    def events(self) -> int:
        """Cells and bins with a crime."""
        return self.cells[1] + self.cells[2] + self.cells[3]

    @property
    def accuracy(self) -> float:
        """(correct + true negatives) / all. Mostly true negatives: it rises as less is flagged."""
        return _share(self.cells[0] + self.cells[1], sum(self.cells))

    @property
    def caught_or_near(self) -> float:
        """(correct + false negative with a flagged neighbour) / cells with a crime."""
        return _share(self.cells[1] + self.cells[3], self.events)

    @property
    def missed(self) -> float:
        """False negatives / cells with a crime; 1 - `caught_or_near`."""
        return _share(self.cells[2], self.events)

    @property
    def caught(self) -> float:
        """Correct / cells with a crime."""
        return _share(self.cells[1], self.events)

    @property
    def precision(self) -> float:
        """Correct / flagged."""
        return _share(self.cells[1], self.flagged)


def _share(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")


def compute_tradeoff(
    risk: NDArray[Any],
    events: NDArray[Any],
    mask: Bools,
    percentiles: Sequence[float] = PERCENTILES,
    over: Over = "stack",
    limits: NDArray[np.float64] | None = None,
    neighbours: csr_array | None = None,
) -> list[Tradeoff]:
    """Compute the labels' numbers at each percentile: the published plot of accuracy against false negatives.

    Parameters
    ----------
    risk : ndarray, shape (T, ...)
        NaN outside the study area.
    events : ndarray of bool or 0/1, shape (T, ...)
    mask : ndarray of bool, shape (...)
    limits : ndarray, optional
        The value of `risk` at each percentile; by default that of `compute_percentile_limits`.
    neighbours : csr_array of bool, shape (N, N), optional
        As in `label_maps`.
    """
    if limits is None:
        limits = compute_percentile_limits(risk[:, mask], percentiles, over)
    numbers = np.zeros((len(percentiles), len(LABELS)), dtype=np.int64)
    step = max(_CHUNK // mask.size, 1)
    for start in range(0, len(risk), step):
        part = slice(start, start + step)
        hit = np.asarray(events[part], dtype=bool) & mask
        hit_near = mark_near(hit, neighbours)
        for row, limit in enumerate(limits):
            alarm = flag(risk[part], limit[part] if over == "map" else limit) & mask
            labels = _label(alarm, hit, hit_near, mask, neighbours)
            numbers[row] += np.bincount(labels[:, mask].ravel(), minlength=len(LABELS))
    return [
        Tradeoff(float(percentile), over, tuple(row.tolist()))
        for percentile, row in zip(percentiles, numbers, strict=True)
    ]


@dataclass(frozen=True)
class Border:
    """How much of what was caught lies in the outermost ring of cells, whose neighbours are partly unknown.

    Attributes
    ----------
    cells, ring_cells : int
        Of the study area, and of its outermost ring.
    incidents, ring_incidents : int
    caught, ring_caught : int
        Incidents in flagged cells.
    """

    cells: int
    ring_cells: int
    incidents: int
    ring_incidents: int
    caught: int
    ring_caught: int

    @property
    def cell_share(self) -> float:
        """Share of the study area that the ring is."""
        return _share(self.ring_cells, self.cells)

    @property
    def incident_share(self) -> float:
        """Share of the incidents that lie in the ring."""
        return _share(self.ring_incidents, self.incidents)

    @property
    def caught_share(self) -> float:
        """Share of the caught incidents that lie in the ring."""
        return _share(self.ring_caught, self.caught)


def mark_outer_ring(mask: Bools) -> Bools:
    """Mark cells of the study area with one of the eight neighbours outside it or outside the grid."""
    outside = np.pad(~mask, 1, constant_values=True)
    return np.asarray(mask & mark_near(outside[None])[0, 1:-1, 1:-1])


def count_border_hits(flagged: Bools, counts: NDArray[Any], mask: Bools) -> Border:
    """Count incidents and caught incidents in the outermost ring.

    Parameters
    ----------
    flagged : ndarray of bool, shape (T, H, W)
    counts : ndarray, shape (T, H, W)
    mask : ndarray of bool, shape (H, W)
    """
    ring = mark_outer_ring(mask)
    # Counts of a stack with filled maps are real numbers, whole ones on the maps that are scored.
    total = np.where(mask, counts.sum(axis=0, dtype=np.float64), 0)
    caught = np.where(mask, np.where(flagged, counts, 0).sum(axis=0, dtype=np.float64), 0)
    return Border(
        int(mask.sum()),
        int(ring.sum()),
        int(total.sum()),
        int(total[ring].sum()),
        int(caught.sum()),
        int(caught[ring].sum()),
    )
