"""Pairs of an event and a non-event: how often the event has the higher probability, also among rows of one group.

Rows of one group and probability are a *level*. What pairs need of rows is the number of events and of non-events at
each level, so that resamples of millions of rows cost no more than of thousands.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Levels:
    """Levels of N rows, those of a group beside each other, in rising order of the probability.

    Attributes
    ----------
    level : ndarray of int, shape (N,)
        Of each row, 0 to L - 1.
    start : ndarray of int, shape (L,)
        First level of the group that each is of.
    """

    level: Ints
    start: Ints

    def count(self, rows: NDArray[Any]) -> Array:
        """Count the rows of each level, or sum their weights, shape (L,)."""
        return np.bincount(self.level, rows, len(self.start)).astype(np.float64)


def find_levels(predicted: ArrayLike, group: ArrayLike | None = None, most: int | None = None) -> Levels:
    """Find the levels of probabilities, by group; of more than `most` together, those that lie beside each other join.

    Parameters
    ----------
    predicted : array_like, shape (N,)
    group : array_like of int, shape (N,), optional
    most : int, optional
        About so many; each group has an equal part of them, and its rows about equally many at each.
    """
    p = np.asarray(predicted, dtype=np.float64)
    g = np.zeros(len(p), np.int64) if group is None else np.unique(np.asarray(group), return_inverse=True)[1]
    order = np.lexsort((p, g))
    p, g = p[order], g[order]
    new_group = np.r_[True, g[1:] != g[:-1]][: len(p)]
    new = new_group | np.r_[True, p[1:] != p[:-1]][: len(p)]
    if most is not None:
        # Equal probabilities stay together: a level joins by the rank of its first row.
        number = np.bincount(g) if len(g) else np.zeros(0, np.int64)
        first = np.arange(len(p)) - np.flatnonzero(new_group)[g]
        parts = max(most // max(len(number), 1), 2)
        part = (first[np.flatnonzero(new)] * parts // number[g[new]])[np.cumsum(new) - 1]
        new = new_group | np.r_[True, part[1:] != part[:-1]][: len(p)]
    numbered = np.cumsum(new) - 1
    level = np.empty(len(p), np.int64)
    level[order] = numbered
    return Levels(level, numbered[new_group][g[new]] if len(p) else np.zeros(0, np.int64))


def find_mixed(group: ArrayLike, happened: ArrayLike) -> NDArray[np.bool_]:
    """Find the rows of groups that have events and non-events, shape (N,)."""
    number = np.unique(np.asarray(group), return_inverse=True)[1].reshape(-1)
    share = np.bincount(number, np.asarray(happened) > 0) / np.bincount(number)
    return np.asarray(((share > 0) & (share < 1))[number])


def share_ordered(events: Array, others: Array, start: Ints) -> Array:
    """Share of the pairs within groups in which the event is at the higher level; ties count half.

    Parameters
    ----------
    events, others : ndarray, shape (..., L)
        Numbers at each level.
    start : ndarray of int, shape (L,)
        As of `Levels`.

    Returns
    -------
    ndarray, shape (...)
        NaN where no group has both.
    """
    if not len(start):
        return np.full(events.shape[:-1], np.nan)
    before = np.cumsum(others, axis=-1) - others
    first = np.unique(start)
    below = before - before[..., start] + others / 2
    of_group = np.add.reduceat(events, first, axis=-1) * np.add.reduceat(others, first, axis=-1)
    pairs = of_group.sum(axis=-1)
    return np.asarray((events * below).sum(axis=-1) / np.where(pairs > 0, pairs, np.nan))


def auc_within(predicted: ArrayLike, happened: ArrayLike, group: ArrayLike) -> float:
    """Chance that an event's probability exceeds that of a non-event of its own group (ties count half).

    All such pairs count alike, so large groups count most; NaN where no group has both.

    Parameters
    ----------
    predicted : array_like, shape (N,)
    happened : array_like of 0/1, shape (N,)
    group : array_like, shape (N,)
    """
    levels, o = find_levels(predicted, group), np.asarray(happened) > 0
    return float(share_ordered(levels.count(o), levels.count(~o), levels.start))
