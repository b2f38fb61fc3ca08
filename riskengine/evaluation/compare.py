"""Is one forecast better than another, or is it chance?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike


@dataclass(frozen=True)
class Difference:
    """Mean paired difference of two forecasts' losses, and the interval it lies in.

    Attributes
    ----------
    mean, low, high : float
        Negative when the first is better.
    level : float
        Of the interval.
    """

    mean: float
    low: float
    high: float
    level: float

    @property
    def verdict(self) -> str:
        """``better``, ``worse`` or ``indistinguishable``."""
        if self.high < 0:
            return "better"
        return "worse" if self.low > 0 else "indistinguishable"


def paired_interval(
    first: ArrayLike, second: ArrayLike, block: int = 7, level: float = 0.95, draws: int = 2000, seed: int = 0
) -> Difference:
    """Moving-block bootstrap interval of the mean difference of two losses per fold.

    Folds that follow each other resemble each other; whole blocks of them are drawn together so that the interval is
    not too narrow.

    Parameters
    ----------
    first, second : array_like, shape (folds,)
        Losses of the two forecasts on the same folds, in time order.
    block : int
        Folds in a block; at most a third of all.
    level : float
    draws : int
    seed : int
    """
    difference = np.asarray(first, dtype=np.float64) - np.asarray(second, dtype=np.float64)
    difference = difference[np.isfinite(difference)]
    folds = len(difference)
    if folds < 2:
        mean = float(difference.mean()) if folds else float("nan")
        return Difference(mean, float("-inf"), float("inf"), level)
    block = max(min(block, folds // 3), 1)
    random = np.random.default_rng(seed)
    starts = random.integers(folds - block + 1, size=(draws, -(-folds // block)))
    drawn = (starts[:, :, None] + np.arange(block)).reshape(draws, -1)[:, :folds]
    means = difference[drawn].mean(axis=1)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Difference(float(difference.mean()), float(low), float(high), level)
