"""Sums of outcomes by key, of which a row that was learned from sees only those of other days."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....ground.damage import ArraySpec, Damaged, check_arrays
from ..rows import Floats

#: The days learned from are cut into so many spans: of its own span no row sees an outcome, as none will of the days
#: that a forecast is for.
FOLDS = 8
#: No key: nothing is known of such a row.
NOWHERE = -1
#: Metres from the origin of a projection: no place of the Earth lies farther.
_FARTHEST = 2e7


@dataclass(frozen=True, eq=False)
class FoldSums:
    """Rows and the sum of their values by key.

    Attributes
    ----------
    keys : ndarray of int64, shape (K,)
        In order.
    rows, values : ndarray of float64, shape (K,)
    """

    keys: NDArray[np.int64]
    rows: Floats
    values: Floats

    @classmethod
    def learn(
        cls, key: NDArray[np.int64], fold: NDArray[np.int64], values: Floats
    ) -> tuple[FoldSums, Floats, Floats]:
        """Learn from rows, and give each of them the sums of all folds but its own.

        Parameters
        ----------
        key : ndarray of int64, shape (N,)
            `NOWHERE` for none.
        fold : ndarray of int64, shape (N,)
        values : ndarray of float64, shape (N,)

        Returns
        -------
        sums : FoldSums
        rows, values : ndarray of float64, shape (N,)
        """
        keys, place = _number_keys(key)
        # Rows come mostly in the order of time: what lies side by side is of one fold.
        entry = fold * len(keys) + place
        totals, found = [], []
        for weights in (None, values):
            by_fold = np.bincount(entry, weights, minlength=len(keys) * FOLDS).astype(np.float64)
            # Of no key nothing is known.
            by_fold.reshape(FOLDS, -1)[:, keys == NOWHERE] = 0.0
            total = by_fold.reshape(FOLDS, -1).sum(axis=0)
            totals.append(total)
            found.append(total[place] - by_fold[entry])
        kept = totals[0] > 0
        return cls(keys[kept], totals[0][kept], totals[1][kept]), found[0], found[1]

    def find(self, key: NDArray[np.int64]) -> tuple[Floats, Floats]:
        """Find how many rows of each key were learned from, and the sum of their values."""
        place = np.searchsorted(self.keys, key)
        known = np.append(self.keys, NOWHERE)[place] == key
        place = np.where(known, place, len(self.keys))
        return np.append(self.rows, 0.0)[place], np.append(self.values, 0.0)[place]

    def state(self, name: str) -> dict[str, NDArray[Any]]:
        """Return the sums as arrays of a model file."""
        return {f"{name}_{part}": getattr(self, part) for part in ("keys", "rows", "values")}

    @classmethod
    def restore(cls, name: str, state: Mapping[str, NDArray[Any]]) -> FoldSums:
        """Take what `state` gave.

        Raises
        ------
        Damaged
        """
        specs = {
            f"{name}_keys": ArraySpec("i", ("keys",), 0),
            f"{name}_rows": ArraySpec("f", ("keys",), 0),
            f"{name}_values": ArraySpec("f", ("keys",), -1e12, 1e12),
        }
        check_arrays(specs, state)
        keys, rows, values = (np.asarray(state[f"{name}_{part}"]) for part in ("keys", "rows", "values"))
        if (np.diff(keys) <= 0).any():
            raise Damaged(f"{name}_keys are out of order")
        return cls(keys, rows, values)


def _number_keys(key: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Number keys: the keys in order, and where in them each row's stands; with keys that no row has if these are few.

    So nothing is sorted where keys are not much more than rows, as numpy's `unique` would.
    """
    if len(key) and key.max() > len(key):
        return np.unique(key, return_inverse=True)
    return np.arange(NOWHERE, key.max(initial=NOWHERE) + 1), key - NOWHERE


def deal_folds(day: NDArray[np.datetime64]) -> NDArray[np.int64]:
    """Deal days to folds that are spans of days, shape (N,); rows without a day are in one with the first."""
    known = ~np.isnat(day)
    number = np.where(known, day.astype("datetime64[D]").astype(np.int64), np.iinfo(np.int64).max)
    first = number.min(initial=np.iinfo(np.int64).max)
    passed = np.where(known, number - first, 0)
    return np.asarray(passed * FOLDS // (passed.max(initial=0) + 1))


def number_cells(x: Floats, y: Floats, size: float) -> NDArray[np.int64]:
    """Number the square of so many metres that each place lies in; `NOWHERE` without a place."""
    known = np.isfinite(x) & np.isfinite(y)
    side = int(_FARTHEST / size)
    column, row = (
        np.clip(np.floor(np.where(known, along, 0.0) / size), -side, side - 1).astype(np.int64) + side
        for along in (x, y)
    )
    return np.where(known, column * (2 * side) + row, NOWHERE)
