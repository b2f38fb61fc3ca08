"""Is one forecast better than another, or is it chance?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import t as student

#: Fewer blocks than this tell nothing.
LEAST_BLOCKS = 6
#: With fewer folds the blocks are shortened to have this many of them, ...
_GOOD_BLOCKS = 8
#: ... but never below this, or neighbouring blocks would resemble each other.
_SHORTEST = 3


@dataclass(frozen=True)
class Difference:
    """Mean paired difference of two forecasts' losses, and the interval it lies in.

    Attributes
    ----------
    mean, low, high : float
        Negative when the first is better.
        Without limits when there were too few blocks to tell.
    level : float
        Of the interval.
    blocks : int
        Blocks of folds it rests on.
    """

    mean: float
    low: float
    high: float
    level: float
    blocks: int

    @property
    def too_few(self) -> bool:
        """Whether there were too few folds to tell anything."""
        return self.blocks < LEAST_BLOCKS

    @property
    def verdict(self) -> str:
        """``better``, ``worse`` or ``indistinguishable``."""
        if self.high < 0:
            return "better"
        return "worse" if self.low > 0 else "indistinguishable"


def paired_interval(first: ArrayLike, second: ArrayLike, block: int = 7, level: float = 0.95) -> Difference:
    """Interval of the mean difference of two losses per fold, from Student's t on the means of blocks of folds.

    Folds that follow each other resemble each other; the means of whole blocks of them hardly do. Where the
    differences of neighbouring folds correlate by 0.3, an interval of 95 % misses the truth in 6 to 8 % of cases.

    Parameters
    ----------
    first, second : array_like, shape (folds,)
        Losses of the two forecasts on the same folds, in time order.
    block : int
        Folds in a block; fewer (at least 3) where there are not enough folds for 8 such blocks.
    level : float
    """
    difference = np.asarray(first, dtype=np.float64) - np.asarray(second, dtype=np.float64)
    difference = difference[np.isfinite(difference)]
    folds = len(difference)
    blocks = folds // max(min(block, folds // _GOOD_BLOCKS), _SHORTEST)
    mean = float(difference.mean()) if folds else float("nan")
    if blocks < LEAST_BLOCKS:
        return Difference(mean, float("-inf"), float("inf"), level, blocks)
    means = [part.mean() for part in np.array_split(difference, blocks)]
    half = float(student.ppf((1 + level) / 2, blocks - 1) * np.std(means, ddof=1) / np.sqrt(blocks))
    return Difference(mean, mean - half, mean + half, level, blocks)
