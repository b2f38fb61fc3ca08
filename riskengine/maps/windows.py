"""Windows: several bins of a panel that are forecast, and judged, as one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from . import bins as timebins
from .panel import Covariate, Extras, Panel

if TYPE_CHECKING:
    from collections.abc import Iterator

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
    bins. A covariate has its value of a window's last bin; other categories' counts are left out.

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
    number, unit = timebins.read_bin_text(panel.bin)
    seen = panel.observed[begin : begin + windows * length].reshape(windows, length)
    extras = replace(
        panel.extras,
        channels=Extras().channels,
        channel_names=(),
        covariates=tuple(_gather_covariate(each, begin, length) for each in panel.extras.covariates),
    )
    return replace(
        panel,
        counts=_stack(_add_up(panel, starts, length), windows, panel),
        edges=panel.edges[np.r_[starts, begin + windows * length]],
        observed=np.asarray(seen.any(axis=1), dtype=bool),
        bin=timebins.bin_text(unit, number * length),
        extras=extras,
        delay=_count_windows(panel.delay, length),
    )


def _add_up(panel: Panel, starts: NDArray[np.int64], length: int) -> Iterator[NDArray[Any]]:
    """Counts of the observed bins of each window: counts of all bins need never lie in memory at once."""
    for start in starts.tolist():
        which = start + np.flatnonzero(panel.observed[start : start + length])
        yield np.asarray(panel.counts[which].sum(axis=0, dtype=np.float64))


def _stack(sums: Iterator[NDArray[Any]], windows: int, panel: Panel) -> NDArray[Any]:
    """Windows in the smallest type that holds them and leaves its highest value free, as counts have it."""
    kind = np.dtype(panel.counts.dtype)
    stack = np.zeros((windows, *panel.mask.shape), dtype=kind)
    for number, each in enumerate(sums):
        if kind.kind == "u" and each.max(initial=0) >= np.iinfo(kind).max:
            kind = np.dtype(np.uint16 if each.max() < 65_535 else np.uint32)
            stack = stack.astype(kind)
        stack[number] = each
    return stack


def _gather_covariate(covariate: Covariate, begin: int, length: int) -> Covariate:
    last = slice(begin + length - 1, None, length)
    filled = None if covariate.filled is None else covariate.filled[last]
    delay = _count_windows(covariate.delay, length)
    return replace(covariate, values=covariate.values[last], filled=filled, delay=delay)


def _count_windows(bins: int, length: int) -> int:
    """Windows that a delay of so many bins takes, a begun one counting whole."""
    return -(-bins // length)
