"""The outlook: of each area and category the share to expect, drawn towards the category's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .places import Groups, combine_codes, expect_shares, hide_few, join_groups
from .rows import MISSING, Coded, Floats

#: Where the areas of a row are all of them.
ALL_AREAS = "all areas"


@dataclass(frozen=True, eq=False)
class Outlook:
    """R areas and categories: first all areas together, then each; within them the most outcomes first.

    Attributes
    ----------
    area, category : ndarray of int64, shape (R,)
        Their codes; the area is `MISSING` for all areas together.
    groups : Groups
        What is expected, in the same order; its codes mean nothing.
    """

    area: NDArray[np.int64]
    category: NDArray[np.int64]
    groups: Groups

    def __len__(self) -> int:
        return len(self.area)


def make_outlook(
    category: Coded,
    area: NDArray[np.integer] | None,
    probability: Floats,
    least: int,
    drift: float,
    hide: bool,
    happened: NDArray[np.bool_] | None = None,
) -> Outlook:
    """Say which shares are to be expected.

    Parameters
    ----------
    category : Coded, of N incidents
    area : ndarray of int, shape (N,), or None
        -1 for none.
    probability : ndarray of float64, shape (N,)
        NaN for an incident that is not rated.
    least : int
        Incidents of an area and category; others are left out.
    drift : float
        By how much the level of the test was off, of the logit.
    hide : bool
        Shares of too few outcomes, for publishing.
    happened : ndarray of bool, shape (N,), optional
        Known outcomes, which count for what is hidden.
    """
    codes = category.codes.astype(np.int64)
    every = _hide(expect_shares(codes, probability, least, drift), codes, probability, happened, hide)
    parts = [(np.full(len(every), MISSING, dtype=np.int64), every.codes, every)]
    if area is not None:
        many = len(category.labels)
        both = combine_codes(area, codes, many)
        each = expect_shares(both, probability, least, drift, _find_rates(codes, probability))
        parts.append((each.codes // many, each.codes % many, _hide(each, both, probability, happened, hide)))
    areas, categories, groups = zip(*parts, strict=True)
    found = Outlook(np.concatenate(areas), np.concatenate(categories), join_groups(groups))
    expected = np.where(np.isnan(found.groups.outcomes), -1.0, found.groups.outcomes)
    order = np.lexsort((-found.groups.number, -expected, found.area))
    return Outlook(found.area[order], found.category[order], found.groups.select(order))


def _find_rates(codes: NDArray[np.int64], probability: Floats) -> Floats:
    """The mean probability of each incident's category, of all areas."""
    used = (codes != MISSING) & ~np.isnan(probability)
    total, number = np.bincount(codes[used], probability[used]), np.bincount(codes[used])
    rates = np.append(total / np.maximum(number, 1), np.zeros(max(int(codes.max(initial=-1)) + 2 - len(total), 1)))
    return np.where(used, rates[codes], np.nan)


def _hide(
    groups: Groups, codes: NDArray[np.int64], probability: Floats, happened: NDArray[np.bool_] | None, hide: bool
) -> Groups:
    if not hide:
        return groups
    return hide_few(groups, np.where(np.isnan(probability), np.int64(MISSING), codes), happened)

