"""The outlook: of each area and category the share to expect, drawn towards the category's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .places import Groups, combine_codes, expect_shares, find_few, hide_groups, join_groups
from .publishing import find_derivable, list_lines
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
    areas : Groups
        The same of each area, of all categories.
    """

    area: NDArray[np.int64]
    category: NDArray[np.int64]
    groups: Groups
    areas: Groups

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
        Shares of too few outcomes, for publishing, and those from which such a share would follow.
    happened : ndarray of bool, shape (N,), optional
        Known outcomes, which count for what is hidden.
    """
    codes, many = category.codes.astype(np.int64), len(category.labels)
    own = np.full(len(codes), MISSING, dtype=np.int64) if area is None else area.astype(np.int64)
    both = combine_codes(own, codes, many)
    every, by_area = (expect_shares(each, probability, least, drift) for each in (codes, own))
    cells = expect_shares(both, probability, least, drift, _find_rates(codes, probability))
    if hide:
        unrated = np.isnan(probability)
        few = [
            find_few(groups, np.where(unrated, np.int64(MISSING), each), happened)
            for groups, each in ((every, codes), (by_area, own), (cells, both))
        ]
        outcomes = np.concatenate([every.outcomes, by_area.outcomes, cells.outcomes])
        hidden = find_derivable(outcomes, np.concatenate(few), list_lines(every, by_area, cells, many))
        masks = np.split(hidden, [len(every), len(every) + len(by_area)])
        every, by_area, cells = map(hide_groups, (every, by_area, cells), masks)
    areas = np.concatenate([np.full(len(every), MISSING, dtype=np.int64), cells.codes // many])
    categories, found = np.concatenate([every.codes, cells.codes % many]), join_groups((every, cells))
    expected = np.where(np.isnan(found.outcomes), -1.0, found.outcomes)
    order = np.lexsort((-found.number, -expected, areas))
    return Outlook(areas[order], categories[order], found.select(order), by_area)


def _find_rates(codes: NDArray[np.int64], probability: Floats) -> Floats:
    """The mean probability of each incident's category, of all areas."""
    used = (codes != MISSING) & ~np.isnan(probability)
    total, number = np.bincount(codes[used], probability[used]), np.bincount(codes[used])
    rates = np.append(total / np.maximum(number, 1), np.zeros(max(int(codes.max(initial=-1)) + 2 - len(total), 1)))
    return np.where(used, rates[codes], np.nan)

