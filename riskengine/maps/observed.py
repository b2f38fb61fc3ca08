"""Bins of which there are no data: not quiet ones, but ones that nobody recorded."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..contract.dates import format_span
from ..contract.texts import count_text
from . import bins as timebins
from .bins import Times

#: Bins one after the other without any incident have no data where so many would be expected: chance alone leaves out
#: 20 once in five hundred million times.
EXPECTED = 20.0
#: Bins of a week, by their unit: those of one place in it are compared.
_CYCLE = {"hours": 168, "days": 7}
_NAMED = 3


def find_observed(counts: NDArray[np.int64], bin_length: str) -> NDArray[np.bool_]:
    """Find the bins of which there are data, shape (T,).

    All are taken for observed but runs without any incident in which, by the mean of the bins of the same hour or
    weekday, at least `EXPECTED` would have happened.

    Parameters
    ----------
    counts : ndarray of int64, shape (T,)
        Incidents of each bin, of whatever category.
    bin_length : str
        As in files: ``1 months``.
    """
    number, unit = timebins.read_bin_text(bin_length)
    cycle = _CYCLE.get(unit, 1)
    phase = np.arange(len(counts)) % (cycle // number if cycle % number == 0 else 1)
    usual = (np.bincount(phase, counts) / np.bincount(phase))[phase]
    # Runs of empty bins, by their first and that after their last.
    change = np.flatnonzero(np.diff(np.r_[True, counts > 0, True].astype(np.int8)))
    observed = np.ones(len(counts), dtype=bool)
    for first, after in zip(change[::2], change[1::2], strict=True):
        if usual[first:after].sum() >= EXPECTED:
            observed[first:after] = False
    return observed


def count_bins_of(time: Times, edges: Times) -> NDArray[np.int64]:
    """Count the incidents of each bin, shape (T,)."""
    when = timebins.locate(time, edges)
    return np.bincount(when[when >= 0], minlength=len(edges) - 1).astype(np.int64)


def describe_unobserved(observed: NDArray[np.bool_], edges: Times) -> str:
    """Describe the bins without data in a sentence without its full stop; empty if there are none."""
    change = np.flatnonzero(np.diff(np.r_[True, observed, True].astype(np.int8)))
    if not len(change):
        return ""
    spans = [format_span(edges[first], edges[after]) for first, after in zip(change[::2], change[1::2], strict=True)]
    number = int((~observed).sum())
    them = "it is marked as not observed" if number == 1 else "they are marked as not observed"
    more = f" and {count_text(len(spans) - _NAMED, 'more span')}" if len(spans) > _NAMED else ""
    return (
        f"{count_text(number, 'bin has', 'bins have')} no incident at all, where others have many:"
        f" {', '.join(spans[:_NAMED])}{more}. No data is no quiet: {them}, and no forecast learns from"
        f" {'it' if number == 1 else 'them'}"
    )
