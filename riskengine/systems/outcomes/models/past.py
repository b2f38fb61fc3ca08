"""Sums over earlier days: what became of incidents of the same kind or nearby before the day of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....ground.damage import ArraySpec, Damaged, check_arrays
from ..rows import Floats

#: Cells are numbered by their column and row; so many fit on either side of the origin.
_MOST_CELLS = 2**20
#: Numbers up to so many times their count are counted in a table.
_DENSE = 4
#: No key and no day: nothing is known of such a row.
NOWHERE = -1
_NO_DAY = np.iinfo(np.int64).min


@dataclass(frozen=True, eq=False)
class PastSums:
    """Running sums by key and day, of which a row may read those that end before its own day.

    Attributes
    ----------
    entries : ndarray of int64, shape (E,)
        ``key * span + day`` of each key and day with incidents, in order; days count from `first`.
    first : int
        First day, as numpy counts them.
    span : int
        Days from it to the day after the last one.
    rows, values : ndarray of float64, shape (E + 1,)
        Sums over all entries before.
    """

    entries: NDArray[np.int64]
    first: int
    span: int
    rows: Floats
    values: Floats

    @classmethod
    def learn(
        cls, key: NDArray[np.int64], day: NDArray[np.datetime64], values: NDArray[Any]
    ) -> tuple[PastSums, Floats, Floats]:
        """Learn from rows, and give each of them the sums before its own day.

        Parameters
        ----------
        key : ndarray of int64, shape (N,)
            `NOWHERE` for none.
        day : ndarray of datetime64[D], shape (N,)
        values : ndarray, shape (N,)

        Returns
        -------
        sums : PastSums
        rows, values : ndarray of float64, shape (N,)
        """
        number = _number_days(day)
        known = (key != NOWHERE) & (number != _NO_DAY)
        all_known = bool(known.all())
        days = number if all_known else number[known]
        first = int(days.min()) if len(days) else 0
        span = int(days.max()) - first + 2 if len(days) else 1
        entry = (key if all_known else key[known]) * span + (days - first)
        entries, inverse, counts = number_values(entry)
        sums = np.bincount(inverse, values if all_known else values[known], len(entries))
        learned = cls(entries, first, span, _run(counts), _run(sums))
        # Where each entry's key begins: its own rows need no search.
        groups = entries // span
        begins = np.flatnonzero(np.diff(groups, prepend=NOWHERE - 1))
        begin = begins[np.cumsum(np.diff(groups, prepend=NOWHERE - 1) != 0) - 1] if len(entries) else begins
        found = []
        for running in (learned.rows, learned.values):
            own = (running[:-1] - running[begin])[inverse]
            if not all_known:
                own, part = np.zeros(len(key)), own
                own[known] = part
            found.append(own)
        return learned, found[0], found[1]

    def find(self, key: NDArray[np.int64], day: NDArray[np.datetime64]) -> tuple[Floats, Floats]:
        """Find how many incidents of its key were before the day of each row, and the sum of their values."""
        number = _number_days(day)
        known = (key != NOWHERE) & (number != _NO_DAY)
        key = np.where(known, key, 0)
        begin = np.searchsorted(self.entries, key * self.span)
        end = np.searchsorted(self.entries, key * self.span + np.clip(number - self.first, 0, self.span - 1))
        end = np.where(known, end, begin)
        return self.rows[end] - self.rows[begin], self.values[end] - self.values[begin]

    def state(self, name: str) -> dict[str, NDArray[Any]]:
        """Return the sums as arrays of a model file."""
        days = np.asarray([self.first, self.span], dtype=np.int64)
        return {
            f"{name}_entries": self.entries,
            f"{name}_days": days,
            f"{name}_rows": self.rows,
            f"{name}_values": self.values,
        }

    @classmethod
    def restore(cls, name: str, state: Mapping[str, NDArray[Any]]) -> PastSums:
        """Take what `state` gave.

        Raises
        ------
        Damaged
        """
        specs = {
            f"{name}_entries": ArraySpec("i", ("entries",), 0),
            f"{name}_days": ArraySpec("i", (2,), -(2.0**22), 2.0**22),
            f"{name}_rows": ArraySpec("f", ("sums",), 0),
            f"{name}_values": ArraySpec("f", ("sums",), -1e12, 1e12),
        }
        check_arrays(specs, state)
        entries, rows, values = (np.asarray(state[f"{name}_{part}"]) for part in ("entries", "rows", "values"))
        first, span = np.asarray(state[f"{name}_days"]).tolist()
        if span < 1 or len(rows) != len(entries) + 1 or (np.diff(entries) <= 0).any() or (np.diff(rows) < 0).any():
            raise Damaged(f"{name}_entries are out of order")
        return cls(entries, first, span, rows, values)


def number_values(values: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Number whole numbers from 0 on: what occurs, in order, where in it each stands, and how often it occurs.

    As numpy's `unique`, and several times faster where they are not large.
    """
    if not len(values) or values.max() > _DENSE * len(values):
        return np.unique(values, return_inverse=True, return_counts=True)
    counts = np.bincount(values)
    there = counts > 0
    return np.flatnonzero(there), (np.cumsum(there) - 1)[values], counts[there]


def number_cells(x: Floats, y: Floats, size: float) -> NDArray[np.int64]:
    """Number the square of so many metres that each place lies in; `NOWHERE` without a place."""
    known = np.isfinite(x) & np.isfinite(y)
    column, row = (
        np.clip(np.floor(np.where(known, side, 0.0) / size), 1 - _MOST_CELLS, _MOST_CELLS - 1).astype(np.int64)
        + _MOST_CELLS
        for side in (x, y)
    )
    return np.where(known, column * (2 * _MOST_CELLS) + row, NOWHERE)


def _number_days(day: NDArray[np.datetime64]) -> NDArray[np.int64]:
    return day.astype("datetime64[D]").astype(np.int64)


def _run(values: NDArray[Any]) -> Floats:
    return np.concatenate([[0.0], np.cumsum(values, dtype=np.float64)])
