"""Windows: several bins of a panel that are forecast, and judged, as one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from . import bins as timebins
from .panel import Covariate, Extras, Panel
from .sparsecounts import SparseCounts

P = TypeVar("P", bound=Panel)


def list_windows(panel: Panel, first: int, length: int) -> NDArray[np.int64]:
    """List the first bins of the windows from bin `first` on, one after the other, of which something was observed.

    A window with some unobserved bins is judged on what was observed; bins that do not fill a last window are left out.
    """
    starts = range(first, len(panel) - length + 1, length)
    return np.array([start for start in starts if panel.observed[start : start + length].any()], dtype=np.int64)


def gather_windows(panel: P, first: int, length: int) -> P:
    """Gather a panel whose bins are windows of `length` bins each, one of which begins with bin `first`.

    Counts of observed bins are added up; a window of which none was observed is not observed. What is known late is
    known a whole window late at least, so that nobody who forecasts a window knows more than from the panel's own
    bins. A covariate has its value of a window's last bin; other categories' counts and pictures are left
    out.

    Parameters
    ----------
    panel : Panel
    first : int
        Bins before it that do not fill a window, and bins at the end that do not, are left out.
    length : int

    Returns
    -------
    Panel
        Its window number ``first // length`` begins with bin `first`.
    """
    if length == 1:
        return panel
    begin = min(first % length, len(panel))
    windows = (len(panel) - begin) // length
    starts = begin + length * np.arange(windows)
    seen = panel.observed[begin : begin + windows * length].reshape(windows, length)
    extras = replace(
        panel.extras,
        channels=Extras().channels,
        channel_names=(),
        pictures=Extras().pictures,
        covariates=tuple(_gather_covariate(each, begin, length) for each in panel.extras.covariates),
    )
    return replace(
        panel,
        counts=_add_up(panel, begin, seen),
        edges=panel.edges[np.r_[starts, begin + windows * length]],
        observed=np.asarray(seen.any(axis=1), dtype=bool),
        bin=timebins.multiply_bin(panel.bin, length),
        extras=extras,
        delay=_count_windows(panel.delay, length),
    )


def _add_up(panel: Panel, begin: int, seen: NDArray[np.bool_]) -> NDArray[Any]:
    """Add up the observed bins of each window; sparse counts stay so.

    Parameters
    ----------
    begin : int
        First bin of the first window.
    seen : ndarray of bool, shape (windows, length)
    """
    windows, length = seen.shape
    bins = begin + np.flatnonzero(seen)
    counts: Any = panel.counts
    if isinstance(counts, SparseCounts):
        of_window = np.repeat(np.arange(windows), length)[seen.ravel()]
        join = csr_array((np.ones(len(bins), np.uint32), (of_window, bins)), shape=(windows, len(panel)))
        rows = join @ counts.rows
        rows.sort_indices()
        kind = _choose_type(counts.dtype, rows.data.max(initial=0))
        return cast("NDArray[Any]", SparseCounts(rows.astype(kind), counts.space))
    sums = np.zeros((windows, *panel.mask.shape), dtype=np.float64 if counts.dtype.kind == "f" else np.uint32)
    # A window at a time: what lies in a file is never read as a whole.
    for number, row in enumerate(seen):
        sums[number] = counts[begin + number * length + np.flatnonzero(row)].sum(axis=0, dtype=sums.dtype)
    return sums.astype(_choose_type(counts.dtype, sums.max(initial=0)))


def _choose_type(kind: np.dtype[Any], highest: float) -> np.dtype[Any]:
    """Choose the type of sums: that of the counts, or the smallest that leaves its highest value free."""
    if kind.kind != "u" or highest < np.iinfo(kind).max:
        return kind
    return np.dtype(np.uint16 if highest < np.iinfo(np.uint16).max else np.uint32)


def _gather_covariate(covariate: Covariate, begin: int, length: int) -> Covariate:
    last = slice(begin + length - 1, None, length)
    filled = None if covariate.filled is None else covariate.filled[last]
    delay = _count_windows(covariate.delay, length)
    return replace(covariate, values=covariate.values[last], filled=filled, delay=delay)


def _count_windows(bins: int, length: int) -> int:
    """Windows that a delay of so many bins takes, a begun one counting whole."""
    return -(-bins // length)
