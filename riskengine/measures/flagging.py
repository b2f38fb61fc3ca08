"""What given flags caught, and how sure a hit rate is."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta
from scipy.stats import t as student

from .clustered import Interval
from .compare import LEAST_BLOCKS, SHORTEST, number_time_blocks
from .metrics import MapHits

#: Standard error of a ratio that rounding alone gives.
_NO_SPREAD = 1e-12


def count_flagged_hits(
    flagged: NDArray[np.bool_], counts: NDArray[Any], share: float, threshold: int = 1
) -> tuple[MapHits, float]:
    """Count what given flags caught, and the most that as many flags spread over all maps at will could have caught.

    Parameters
    ----------
    flagged : ndarray of bool, shape (T, cells)
        Of the study area alone.
    counts : ndarray, same shape
    share : float
        That was wanted.
    """
    number = flagged.sum(axis=1)
    most = np.array([_largest(row, wanted) for row, wanted in zip(counts, number.tolist(), strict=True)])
    caught = np.where(flagged, counts, 0).sum(axis=1, dtype=np.float64)
    hits = (flagged & (counts >= threshold)).sum(axis=1)
    incidents = counts.sum(axis=1, dtype=np.float64)
    each = MapHits(share, flagged.size, number.astype(np.float64), caught, incidents, hits.astype(np.float64), most)
    return each, _largest(counts.ravel(), int(number.sum()))


def _largest(counts: NDArray[Any], number: int) -> float:
    """Sum of the `number` largest counts."""
    if not number:
        return 0.0
    # Counts are small whole numbers: how many cells hold each is less work than sorting them.
    highest = int(counts.max())
    if counts.dtype.kind in "ui" and highest < 1_000_000:
        holders = np.bincount(counts.ravel())[::-1]
        taken = np.diff(np.minimum(np.cumsum(holders), number), prepend=0)
        return float(taken @ np.arange(highest, -1, -1))
    return float(np.partition(counts, counts.size - number)[counts.size - number :].sum(dtype=np.float64))


def compute_ratio_interval(
    part: NDArray[Any], whole: NDArray[Any], block: int, level: float = 0.95, shortest: int = SHORTEST
) -> Interval:
    """Compute a ratio of sums over maps, as the hit rate n / N, with its interval over blocks of time.

    Student's t on the linearised ratio (Cochran 1977, section 6.3) of blocks, held within [0, 1]; without limits (NaN)
    with fewer blocks than tell anything, or with nothing to divide by. Where the blocks have no spread, as with n = 0
    and n = N, the exact interval of n of N (Clopper & Pearson 1934), for none or all of few is no certainty. Blocks
    hold `shortest` maps at least.
    """
    total = float(whole.sum())
    if not total:
        return Interval(float("nan"), float("nan"), float("nan"))
    ratio = float(part.sum()) / total
    blocks = number_time_blocks(len(part), block, shortest)
    if len(blocks) < LEAST_BLOCKS:
        return Interval(ratio, float("nan"), float("nan"))
    departure = np.array([float((part[each] - ratio * whole[each]).sum()) for each in blocks])
    error = float(np.sqrt((departure**2).sum() * len(blocks) / (len(blocks) - 1))) / total
    # Fractions come of ties that are shared: what a constant catches is its share by definition, without any doubt.
    if error <= _NO_SPREAD and (part == np.round(part)).all():
        return Interval(ratio, *find_exact_limits(float(part.sum()), total, level))
    reach = float(student.ppf((1 + level) / 2, len(blocks) - 1)) * error
    return Interval(ratio, max(ratio - reach, 0.0), min(ratio + reach, 1.0))


def find_exact_limits(part: float, whole: float, level: float = 0.95) -> tuple[float, float]:
    """Find the limits of the probability behind `part` of `whole` (Clopper & Pearson 1934)."""
    rest, tail = max(whole - part, 0.0), (1 - level) / 2
    low = float(beta.ppf(tail, part, rest + 1)) if part > 0 else 0.0
    high = float(beta.ppf(1 - tail, part + 1, rest)) if rest > 0 else 1.0
    return low, high
