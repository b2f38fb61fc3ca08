"""Measures of probability forecasts, over the cells of the study area.

All take predictions and outcomes of one shape; cells whose prediction is NaN (outside the study area) are left out.
Definitions: N incidents in the test window, n of them in flagged cells; A study area, a flagged area.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .concentration import FewCells, find_few_cells

Array = NDArray[np.float64]

#: Probabilities are kept this far from 0 and 1, so that one surprise does not cost infinitely much.
FLOOR = 1e-6


def _pairs(predicted: ArrayLike, observed: ArrayLike) -> tuple[Array, Array]:
    p = np.asarray(predicted, dtype=np.float64).ravel()
    o = np.asarray(observed, dtype=np.float64).ravel()
    if p.shape != o.shape:
        raise ValueError(f"{p.size} predictions for {o.size} outcomes")
    inside = ~np.isnan(p)
    return p[inside], o[inside]


def log_loss(predicted: ArrayLike, observed: ArrayLike) -> float:
    """Mean of -[o ln p + (1 - o) ln(1 - p)]; smaller is better.

    Parameters
    ----------
    predicted : array_like
        Probabilities of an event.
    observed : array_like of 0/1
    """
    p, o = _pairs(predicted, observed)
    return float(-np.mean(_surprise(p, o))) if p.size else float("nan")


def _surprise(p: Array, o: Array) -> Array:
    p = np.clip(p, FLOOR, 1 - FLOOR)
    return np.where(o > 0, np.log(p), np.log1p(-p))


def compute_losses(predicted: NDArray[Any], observed: NDArray[Any]) -> Array:
    """Compute the log-loss of each unit, in their shape; its mean is `log_loss`."""
    return -_surprise(predicted.astype(np.float64), observed)


def brier(predicted: ArrayLike, observed: ArrayLike) -> float:
    """Mean of (p - o) squared; smaller is better."""
    p, o = _pairs(predicted, observed)
    return float(np.mean((p - o) ** 2)) if p.size else float("nan")


def brier_skill(predicted: ArrayLike, observed: ArrayLike, reference: ArrayLike | float) -> float:
    """1 - BS / BS_ref: 0 is no better than `reference`, 1 is perfect.

    Parameters
    ----------
    reference : array_like or float
        Probabilities of the reference forecast.
    """
    # Over the same cells: a single number has no study area of its own.
    outside = np.isnan(np.asarray(predicted, dtype=np.float64))
    against = brier(np.where(outside, np.nan, np.asarray(reference, dtype=np.float64)), observed)
    return 1.0 - brier(predicted, observed) / against if against > 0 else float("nan")


def skill(loss: float, reference: float) -> float:
    """1 - loss / reference: 0 is no better than the reference, 1 is perfect; NaN for a perfect reference."""
    return 1.0 - loss / reference if reference > 0 else float("nan")


def _ranked(predicted: ArrayLike, observed: ArrayLike) -> tuple[NDArray[Any], NDArray[Any]]:
    """All predictions, and those of the events; each in rising order, in the type they came in to spare memory."""
    p = np.asarray(predicted)
    p = (p if p.dtype.kind == "f" else p.astype(np.float64)).ravel()
    happened = np.asarray(observed).ravel() > 0
    if p.shape != happened.shape:
        raise ValueError(f"{p.size} predictions for {happened.size} outcomes")
    inside = ~np.isnan(p)
    if not inside.all():
        p, happened = p[inside], happened[inside]
    return np.sort(p), np.sort(p[happened])


def auc(predicted: ArrayLike, observed: ArrayLike) -> float:
    """Chance that an event's probability exceeds a non-event's (ties count half); NaN without both."""
    everything, events = _ranked(predicted, observed)
    others = everything.size - events.size
    if not events.size or not others:
        return float("nan")
    # Non-events below an event are all cells below it less the events among them; of those at its level half.
    below = sum(np.searchsorted(everything, events, side).sum(dtype=np.float64) for side in ("left", "right"))
    own = sum(np.searchsorted(events, events, side).sum(dtype=np.float64) for side in ("left", "right"))
    return float((below - own) / 2 / (events.size * others))


def average_precision(predicted: ArrayLike, observed: ArrayLike) -> float:
    """Area under precision against recall as a sum of steps, one per distinct probability; NaN without events.

    Sum of (R_k - R_{k-1}) P_k with P_k and R_k the precision and recall of flagging all cells of at least the k-th
    highest probability; cells of equal probability enter together. A constant forecast gets the share of events.
    """
    everything, events = _ranked(predicted, observed)
    if not events.size:
        return float("nan")
    levels, number = np.unique(events, return_counts=True)
    caught = events.size - np.searchsorted(events, levels, "left")
    flagged = everything.size - np.searchsorted(everything, levels, "left")
    return float((number * (caught / flagged)).sum() / events.size)


@dataclass(frozen=True)
class Weights:
    """What was flagged by size, where units differ in it; over all maps: km² of areas, km of segments, or people.

    Attributes
    ----------
    total, flagged : float
    hit : float
        Of the flagged units with an event.
    """

    total: float
    flagged: float
    hit: float


@dataclass(frozen=True)
class AreaHits:
    """What flagging the riskiest share of the area caught.

    Attributes
    ----------
    share : float
        a / A as wanted; the number of cells is rounded down to a whole one per map, at least one.
    flagged : float
        Flagged cells, over all maps.
    cells : int
        Cells of the study area, over all maps.
    caught : float
        n, incidents in flagged cells.
    incidents : float
        N.
    hit_cells : float
        Flagged cells with an event.
    most : float
        n*, the most that any choice of as many cells per map could have caught.
    maps : int
        How many maps that is.
    few : FewCells, optional
        The few cells that hold most of the incidents, where that is so.
    weights : Weights, optional
        The same by size, where units differ in it: cells above are units then, flagged in part at the edge.
    """

    share: float
    flagged: float
    cells: int
    caught: float
    incidents: float
    hit_cells: float
    most: float
    maps: int = 1
    few: FewCells | None = None
    weights: Weights | None = None

    @property
    def flagged_share(self) -> float:
        """a / A as it was: of few cells whole ones may be far from the share that was wanted."""
        if self.weights is not None:
            return self.weights.flagged / self.weights.total if self.weights.total else float("nan")
        return self.flagged / self.cells if self.cells else float("nan")

    @property
    def hit_rate(self) -> float:
        """n / N."""
        return self.caught / self.incidents if self.incidents else float("nan")

    @property
    def pai(self) -> float:
        """(n / N) / (a / A)."""
        return self.hit_rate / self.flagged_share if self.flagged else float("nan")

    @property
    def pei(self) -> float:
        """n / n*."""
        return self.caught / self.most if self.most else float("nan")

    @property
    def precision(self) -> float:
        """Flagged cells that were hit; of units that differ in size, the share of the flagged area."""
        if self.weights is not None:
            return self.weights.hit / self.weights.flagged if self.weights.flagged else float("nan")
        return self.precision_by_count

    @property
    def precision_by_count(self) -> float:
        """Flagged units that were hit, each counted once whatever its size."""
        return self.hit_cells / self.flagged if self.flagged else float("nan")

    def ser(self, cell_km2: float) -> float:
        """n / a: incidents caught per flagged square kilometre and bin, a being summed over the maps.

        Where units differ in size theirs are taken, in km² (of segments km), instead of `cell_km2`.
        """
        if self.weights is not None:
            return self.caught / self.weights.flagged if self.weights.flagged else float("nan")
        return self.caught / (self.flagged * cell_km2) if self.flagged else float("nan")


@dataclass(frozen=True)
class MapWeights:
    """What flagging used by size on each map.

    Attributes
    ----------
    total : float
        Over all maps.
    flagged, hit : ndarray, shape (T,)
        As in `Weights`.
    """

    total: float
    flagged: Array
    hit: Array


@dataclass(frozen=True)
class MapHits:
    """What flagging caught on each map.

    Attributes
    ----------
    share : float
        As in `AreaHits`.
    cells : int
        Of the study area, over all maps.
    flagged, caught, incidents, hit_cells, most : ndarray, shape (T,)
        As in `AreaHits`, one per map.
    few : FewCells, optional
        As in `AreaHits`.
    weights : MapWeights, optional
        Where units differ in size.
    """

    share: float
    cells: int
    flagged: Array
    caught: Array
    incidents: Array
    hit_cells: Array
    most: Array
    few: FewCells | None = None
    weights: MapWeights | None = None

    def total(self, most: float | None = None) -> AreaHits:
        """Over all maps; `most` where the best choice is not one per map."""
        sums = (float(each.sum()) for each in (self.flagged, self.caught, self.incidents, self.hit_cells))
        flagged, caught, incidents, hit_cells = sums
        best = float(self.most.sum()) if most is None else most
        whole = (flagged, self.cells, caught, incidents, hit_cells, best, len(self.flagged))
        weights = None
        if self.weights is not None:
            weights = Weights(self.weights.total, float(self.weights.flagged.sum()), float(self.weights.hit.sum()))
        return AreaHits(self.share, *whole, self.few, weights)


def count_area_hits(predicted: NDArray[Any], counts: NDArray[Any], share: float = 0.05, threshold: int = 1) -> AreaHits:
    """Flag the riskiest `share` of the cells of each map and count what lies in them.

    Cells tied at the edge of the flagged area are each counted at the share of them that fits: the expectation over
    all ways to break the tie. A constant forecast thus gets PAI 1, and no cell order decides.

    Parameters
    ----------
    predicted : ndarray, shape (T, ...)
        Risk per map and cell; NaN outside the study area.
    counts : ndarray, same shape
        Incidents per map and cell.
    share : float
        a / A, in (0, 1].
    threshold : int
        Incidents that make a cell a hit.
    """
    return count_area_hits_by_map(predicted, counts, [share], threshold)[0].total()


def count_area_hits_by_map(
    predicted: NDArray[Any], counts: NDArray[Any], shares: Sequence[float], threshold: int = 1
) -> list[MapHits]:
    """Count as `count_area_hits` at several shares, one sort a map for all of them, and map by map."""
    figures = np.zeros((len(shares), 5, len(predicted)))
    cells, by_cell = 0, np.zeros(predicted.shape[1:])
    for number, (risk, count) in enumerate(zip(predicted, counts, strict=True)):
        inside = ~np.isnan(risk)
        p, c = risk[inside], count[inside].astype(np.float64)
        by_cell[inside] += c
        if not p.size:
            continue
        cells += p.size
        order = np.argsort(-p)
        ranked = -p[order]
        caught = np.r_[0.0, np.cumsum(c[order])]
        hits = np.r_[0.0, np.cumsum(c[order] >= threshold)]
        most = np.r_[0.0, np.cumsum(-np.sort(-c))]
        for row, share in enumerate(shares):
            wanted = max(int(share * p.size + 1e-9), 1)
            edge = ranked[wanted - 1]
            low, high = np.searchsorted(ranked, edge, "left"), np.searchsorted(ranked, edge, "right")
            part = (wanted - low) / (high - low)
            figures[row, :, number] = (
                wanted,
                caught[low] + part * (caught[high] - caught[low]),
                caught[-1],
                hits[low] + part * (hits[high] - hits[low]),
                most[wanted],
            )
    few = find_few_cells(by_cell)
    return [replace(MapHits(share, cells, *figures[row]), few=few) for row, share in enumerate(shares)]


@dataclass(frozen=True)
class Reliability:
    """Observed share against predicted probability, in bins of equal numbers of cells.

    Attributes
    ----------
    predicted, observed : ndarray
        Mean prediction and share of events per bin.
    count : ndarray
        Cells per bin.
    """

    predicted: Array
    observed: Array
    count: NDArray[np.int64]

    @property
    def error(self) -> float:
        """Expected calibration error: mean distance of the two over the bins, each weighed by its cells."""
        return (
            float(np.average(np.abs(self.predicted - self.observed), weights=self.count)) if self.count.size else np.nan
        )


def reliability(predicted: ArrayLike, observed: ArrayLike, bins: int = 10) -> Reliability:
    """Compare predicted probabilities with what happened, in bins of about equal numbers of cells.

    Equal predictions always share a bin, so there may be fewer than `bins`.
    """
    p, o = _pairs(predicted, observed)
    if not p.size:
        return Reliability(np.zeros(0), np.zeros(0), np.zeros(0, dtype=np.int64))
    inner = np.unique(np.quantile(p, np.linspace(0, 1, bins + 1)[1:-1]))
    group = np.searchsorted(inner, p, side="left")
    count = np.bincount(group)
    kept = count > 0
    return Reliability(
        np.bincount(group, p)[kept] / count[kept],
        np.bincount(group, o)[kept] / count[kept],
        count[kept].astype(np.int64),
    )
