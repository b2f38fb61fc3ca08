"""Which earlier maps ST-ResNet reads: the latest, those of the same time of day, week or year, and the trend."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..maps.panel import Panel
from .cell_features import measure_bin

#: Lags of the first and the last of the maps whose mean is one input, both included.
Span = tuple[int, int]


def choose_spans(heatmaps: Panel, closeness: int, period: int, trend: int, averaged: bool) -> list[list[Span]]:
    """Choose the spans of the three branches, those without room in the history left out.

    ========== ======================== =====================================
    bins       period                   trend
    ========== ======================== =====================================
    below 1 d  same hour, past days     28, 56, … days
    of 1 d     same weekday, past weeks 28, 56, … days
    longer     same season, past years  a quarter, two quarters, …
    ========== ======================== =====================================

    Bins of less than a day read the same hour a week ago, too.

    Parameters
    ----------
    heatmaps : Panel
        The training span: a lag of more than half of it would leave too few targets that know such a map.
    closeness, period, trend : int
        Maps (or means of maps) of each branch.
    averaged : bool
        The trend branch is shown the mean of all maps of each stretch instead of the one map at its far end: a single
        map of a month ago says next to nothing.

    Returns
    -------
    list of list of (nearest lag, farthest lag)
        Closeness, period, trend; a branch may be empty.
    """
    days = measure_bin(heatmaps)
    cycle = 1.0 if days < 0.99 else 7.0 if days < 1.01 else 365.25
    stretch = 28.0 if days < 1.01 else 91.3
    near = [(lag, lag) for lag in range(1, closeness + 1)]
    same = [max(round(number * cycle / days), 1) for number in range(1, period + 1)]
    if days < 0.99 and period:
        same.append(round(7 / days))
    ends = [max(round(number * stretch / days), 1) for number in range(1, trend + 1)]
    far = [(low + 1 if averaged else high, high) for low, high in zip([0, *ends], ends, strict=False)]
    most = len(heatmaps) // 2
    return [
        [each for each in branch if each[1] <= most]
        for branch in (near, [(lag, lag) for lag in sorted(set(same) - set(range(1, closeness + 1)))], far)
    ]


def average_spans(
    seen: NDArray[np.floating], mean: NDArray[np.floating], start: int, target: int, wanted: list[Span]
) -> NDArray[np.float32]:
    """Compute the inputs of one map: means of earlier maps, shape (spans, H, W).

    Parameters
    ----------
    seen : ndarray, shape (N, H, W)
        Entry i is the map before map start + i: what a `Sequence` holds as its first channel.
    mean : ndarray, shape (H, W)
        Shown in place of maps before the first one.
    start : int
    target : int
    wanted : list of (nearest lag, farthest lag)
    """
    means = np.empty((len(wanted), *mean.shape), dtype=np.float32)
    for number, (near, far) in enumerate(wanted):
        # The map of lag k is target - k, held by the entry of the map after it. Map 0 is the first there is.
        low, high = max(target - far, 0) + 1 - start, target - near + 1 - start
        means[number] = seen[low : high + 1].mean(axis=0, dtype=np.float32) if high >= low else mean
    return means
