"""What is expected of groups of incidents, such as street blocks, areas, and the categories of an area."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...contract.outcomes import HIDDEN_BELOW, SMOOTHING
from ...measures.grouped import compute_medians
from .expected import compute_share_range
from .rows import MISSING, Floats, Rows

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Groups:
    """G groups of incidents, in the order of their codes.

    Attributes
    ----------
    codes : ndarray of int64, shape (G,)
        Of each, as the incidents have them.
    number : ndarray of int64, shape (G,)
        Incidents.
    share : ndarray of float64, shape (G,)
        Expected with the outcome; NaN where it is hidden.
    low, high : ndarray of float64, shape (G,)
        In which the share will lie, 95 of 100.
    outcomes : ndarray of float64, shape (G,)
        Expected number.
    hidden : ndarray of bool, shape (G,)
    """

    codes: Ints
    number: Ints
    share: Floats
    low: Floats
    high: Floats
    outcomes: Floats
    hidden: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.codes)

    def select(self, groups: NDArray[Any]) -> Groups:
        """Select groups by mask or position."""
        return Groups(*(getattr(self, each.name)[groups] for each in fields(self)))


def join_groups(parts: Sequence[Groups]) -> Groups:
    """Put groups after each other."""
    return Groups(*(np.concatenate([getattr(part, each.name) for part in parts]) for each in fields(Groups)))


def expect_shares(
    codes: NDArray[np.integer],
    probability: Floats,
    least: int,
    drift: float = 0.0,
    towards: Floats | None = None,
) -> Groups:
    """Say what is expected of each group with so many incidents at least.

    Parameters
    ----------
    codes : ndarray of int, shape (N,)
        The group of each incident; below 0 for none.
    probability : ndarray of float64, shape (N,)
        NaN for an incident that is not rated, and counts for nothing.
    least : int
        Incidents of a group.
    drift : float
        By how much the level of the test was off, of the logit.
    towards : ndarray of float64, shape (N,), optional
        A share towards which that of the incident's group is drawn, as if by `SMOOTHING` incidents more; the same for
        all of a group.
    """
    used = (codes >= 0) & ~np.isnan(probability)
    found, first, inverse, number = np.unique(
        codes[used].astype(np.int64), return_index=True, return_inverse=True, return_counts=True
    )
    p = probability[used]
    total, spread = (np.bincount(inverse, values, len(found)) for values in (p, p * (1 - p)))
    share = total / np.maximum(number, 1)
    if towards is not None:
        share = (total + SMOOTHING * towards[used][first]) / (number + SMOOTHING)
    low, high = compute_share_range(share, number, spread / number, drift)
    hidden = np.zeros(len(found), dtype=np.bool_)
    groups = Groups(found, number.astype(np.int64), share, low, high, share * number, hidden)
    return groups.select(number >= least)


def hide_few(groups: Groups, codes: NDArray[np.integer], happened: NDArray[np.bool_] | None) -> Groups:
    """Hide the shares that `find_few` finds."""
    return hide_groups(groups, find_few(groups, codes, happened))


def find_few(
    groups: Groups, codes: NDArray[np.integer], happened: NDArray[np.bool_] | None
) -> NDArray[np.bool_]:
    """Find groups of fewer than `HIDDEN_BELOW` outcomes, expected, or known where outcomes are; shape (G,).

    Parameters
    ----------
    groups : Groups
    codes : ndarray of int, shape (N,)
        The group of each incident that was rated; below 0 for none.
    happened : ndarray of bool, shape (N,), or None
    """
    few = groups.outcomes < HIDDEN_BELOW
    if happened is not None and len(groups):
        place = np.minimum(np.searchsorted(groups.codes, codes), len(groups) - 1)
        inside = groups.codes[place] == codes
        few |= np.bincount(place[inside], happened[inside], len(groups)) < HIDDEN_BELOW
    return few


def hide_groups(groups: Groups, hidden: NDArray[np.bool_]) -> Groups:
    """Hide the shares of groups, beside those that are hidden already; mask of shape (G,)."""
    columns = (groups.share, groups.low, groups.high, groups.outcomes)
    share, low, high, outcomes = (np.where(hidden, np.nan, column) for column in columns)
    return replace(groups, share=share, low=low, high=high, outcomes=outcomes, hidden=groups.hidden | hidden)


def find_middles(groups: Groups, codes: NDArray[np.integer], rows: Rows) -> tuple[Floats, Floats]:
    """Find the middle of each group's incidents: the median of x and of y, which one far away does not move.

    Returns
    -------
    x, y : ndarray, shape (G,)
        Metres in the CRS of the rows; NaN for a group without places.
    """
    placed = np.isfinite(rows.x) & np.isfinite(rows.y)
    place = np.searchsorted(groups.codes, codes)
    inside = placed & (np.append(groups.codes, MISSING)[place] == codes)
    place = np.where(inside & (codes >= 0), place, MISSING)
    return compute_medians(place, rows.x, len(groups)), compute_medians(place, rows.y, len(groups))


def combine_codes(first: NDArray[np.integer], second: NDArray[np.integer], many: int) -> Ints:
    """Make one code of two, below 0 where either is missing; `many` is more than any of the second."""
    code = first.astype(np.int64) * many + second
    return np.where((first == MISSING) | (second == MISSING), np.int64(MISSING), code)
