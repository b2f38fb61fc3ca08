"""Measures of probability forecasts, over the cells of the study area.

All take predictions and outcomes of one shape; cells whose prediction is NaN (outside the study area) are left out.
Definitions: N incidents in the test window, n of them in flagged cells; A study area, a flagged area.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

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
    p = np.clip(p, FLOOR, 1 - FLOOR)
    return float(-np.mean(np.where(o > 0, np.log(p), np.log1p(-p)))) if p.size else float("nan")


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
    against = brier(np.broadcast_to(np.asarray(reference, dtype=np.float64), np.shape(predicted)), observed)
    return 1.0 - brier(predicted, observed) / against if against > 0 else float("nan")


def auc(predicted: ArrayLike, observed: ArrayLike) -> float:
    """Chance that an event's probability exceeds a non-event's (ties count half); NaN without both."""
    p, o = _pairs(predicted, observed)
    events = float(np.count_nonzero(o > 0))
    others = o.size - events
    if not events or not others:
        return float("nan")
    _, group, sizes = np.unique(p, return_inverse=True, return_counts=True)
    # Mean rank within a group of ties.
    ranks = np.cumsum(sizes) - (sizes - 1) / 2
    return float((ranks[group][o > 0].sum() - events * (events + 1) / 2) / (events * others))


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
    """

    share: float
    flagged: float
    cells: int
    caught: float
    incidents: float
    hit_cells: float
    most: float

    @property
    def hit_rate(self) -> float:
        """n / N."""
        return self.caught / self.incidents if self.incidents else float("nan")

    @property
    def pai(self) -> float:
        """(n / N) / (a / A)."""
        return self.hit_rate / (self.flagged / self.cells) if self.flagged else float("nan")

    @property
    def pei(self) -> float:
        """n / n*."""
        return self.caught / self.most if self.most else float("nan")

    @property
    def precision(self) -> float:
        """Flagged cells that were hit."""
        return self.hit_cells / self.flagged if self.flagged else float("nan")


def area_hits(predicted: NDArray[Any], counts: NDArray[Any], share: float = 0.05, threshold: int = 1) -> AreaHits:
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
    flagged = caught = incidents = hits = most = 0.0
    cells = 0
    for risk, count in zip(predicted, counts, strict=True):
        inside = ~np.isnan(risk)
        p, c = risk[inside], count[inside].astype(np.float64)
        if not p.size:
            continue
        wanted = max(int(share * p.size + 1e-9), 1)
        edge = np.partition(p, p.size - wanted)[p.size - wanted]
        above, level = p > edge, p == edge
        part = (wanted - np.count_nonzero(above)) / np.count_nonzero(level)
        flag = above + level * part
        flagged += wanted
        cells += p.size
        caught += float(flag @ c)
        incidents += float(c.sum())
        hits += float(flag @ (c >= threshold))
        most += float(np.partition(c, p.size - wanted)[p.size - wanted :].sum())
    return AreaHits(share, flagged, cells, caught, incidents, hits, most)


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
