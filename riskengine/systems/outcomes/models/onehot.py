"""Levels as columns of their own, one of which is 1, and numbers on a common scale: what sums and networks read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, hstack

from ....ground.damage import ArraySpec, check_arrays
from .columns import ColumnMaker, Columns, Numbers

#: Numbers are drawn in to so many standard deviations.
_MOST_DEVIATIONS = 10.0


class OneHot:
    """Encodes the table of a `ColumnMaker`; what it learned is in attributes that end in ``_``.

    Parameters
    ----------
    maker : ColumnMaker
        Which has learned.

    Attributes
    ----------
    middle_, scale_ : ndarray of float64, shape (numbers,)
        A number that is not known counts as the middle.
    """

    def __init__(self, maker: ColumnMaker) -> None:
        self.categories = maker.categories
        self.numbers = maker.width - maker.categories
        counts = [levels.count for levels in maker.levels_.values()]
        #: Number of a text's first level, and of all levels together.
        self.first = np.cumsum([0, *counts])[:-1]
        self.levels = sum(counts)

    @property
    def width(self) -> int:
        """Columns that it makes."""
        return self.levels + self.numbers

    def learn(self, table: Columns) -> Self:
        """Learn where the numbers lie."""
        numbers = table[:, self.categories :].astype(np.float64)
        self.middle_ = np.nanmean(numbers, axis=0) if len(numbers) else np.zeros(self.numbers)
        self.scale_ = np.nanstd(numbers, axis=0) if len(numbers) else np.ones(self.numbers)
        self.scale_[self.scale_ <= 1e-9 * np.maximum(1, np.abs(self.middle_))] = 1.0
        return self

    def split(self, table: Columns) -> tuple[Numbers, NDArray[np.float32]]:
        """Split a table into the numbers of its levels, -1 for none, and its scaled numbers."""
        levels = table[:, : self.categories]
        known = np.isfinite(levels)
        numbered = np.where(known, np.where(known, levels, 0).astype(np.int64) + self.first, -1)
        scaled = np.nan_to_num((table[:, self.categories :] - self.middle_) / self.scale_, nan=0.0)
        return numbered, np.clip(scaled, -_MOST_DEVIATIONS, _MOST_DEVIATIONS).astype(np.float32)

    def encode(self, table: Columns) -> csr_array:
        """Make the sparse table, shape (N, width)."""
        numbered, scaled = self.split(table)
        known = numbered >= 0
        ends = np.concatenate([[0], np.cumsum(known.sum(axis=1))])
        ones = csr_array((np.ones(int(ends[-1])), numbered[known], ends), shape=(len(table), self.levels))
        return csr_array(hstack([ones, csr_array(scaled.astype(np.float64))], format="csr"))

    def state(self) -> dict[str, NDArray[Any]]:
        """Return what it learned as arrays of a model file."""
        return {"middle": self.middle_, "scale": self.scale_}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> Self:
        """Take what `state` gave; raises `Damaged`."""
        spec = {"middle": ArraySpec("f", (self.numbers,)), "scale": ArraySpec("f", (self.numbers,), 1e-300)}
        check_arrays(spec, state)
        self.middle_, self.scale_ = np.asarray(state["middle"]), np.asarray(state["scale"])
        return self
