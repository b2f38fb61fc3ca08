"""Maps without observations: filled as the published work does, or from the past only; and binary maps.

As published, a map without any incident is a gap. That holds where most bins have incidents; elsewhere it is a quiet
bin, and marking it unobserved leaves a history in which something always happened: every rate learned from it is
conditional on that, and too high. `count_quiet_maps` tells how many such maps chance alone would give.
"""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from ..contract.choices import GapFilling, Gaps
from ..contract.texts import none_text
from ..contract.tools.grids import BinarizeHeatmaps
from ..ground.bigarrays import make_empty_stack
from ..ground.context import JobContext
from ..ground.errors import DataError, ParameterError
from .heatmaps import Heatmaps

#: Between no incident and one, halfway: the published threshold.
THRESHOLD = BinarizeHeatmaps.threshold


def mark_gaps(heatmaps: Heatmaps, gaps: Gaps = "empty") -> NDArray[np.bool_]:
    """Mark which maps are gaps, shape (T,): those marked unobserved and, with ``empty``, those without any incident."""
    gap = ~heatmaps.observed
    if gaps == "empty":
        gap = gap | np.array([not band.any() for band in heatmaps.counts], dtype=bool)
    return gap


def count_quiet_maps(heatmaps: Heatmaps) -> tuple[int, float]:
    """Count the observed maps without any incident, and those that would be if counts were Poisson with their mean.

    Returns
    -------
    empty : int
    expected : float
        T * exp(-mean) of the T observed maps.
    """
    seen = zip(heatmaps.counts, heatmaps.observed, strict=True)
    totals = [float(band.sum(dtype=np.float64)) for band, observed in seen if observed]
    if not totals:
        return 0, 0.0
    return sum(total == 0 for total in totals), len(totals) * float(np.exp(-np.mean(totals)))


def fill_gaps(
    heatmaps: Heatmaps, method: GapFilling = "forward", gaps: Gaps = "empty", context: JobContext | None = None
) -> Heatmaps:
    """Fill the maps of bins without observations, and mark them: ``observed`` is False, so they are never targets.

    Parameters
    ----------
    heatmaps : Heatmaps
    method : {'linear', 'forward', 'none'}
        ``linear`` (Omdena/Safecity 2020): on the straight line between the observed maps before and after, so a
        filled map knows the future; float32. ``forward``: the last observed map again. ``none``: only marked.
        What lies before the first observed map, and with ``linear`` after the last, stays as it is.
    gaps : {'empty', 'unobserved'}
        Maps without any incident, as published, or only those already marked unobserved. Where quiet bins are no
        rarity, ``empty`` makes every rate conditional on something having happened: use ``unobserved``.
    context : JobContext, optional

    Raises
    ------
    DataError
        If no map is observed.
    """
    context = context or JobContext()
    for name, value, known in (("method", method, get_args(GapFilling)), ("gaps", gaps, get_args(Gaps))):
        if value not in known:
            raise ParameterError(
                f"{name} is {value!r}",
                parameter=name,
                value=value,
                remedy=f"Use {', '.join(known[:-1])} or {known[-1]}",
            )
    missing = mark_gaps(heatmaps, gaps)
    if missing.all():
        raise DataError(
            f"{none_text(len(heatmaps), 'map', 'is', 'is not')} observed, so there is nothing to fill the gaps from",
            parameter="heatmaps",
            remedy="Check the period, the extent and the filters of Rasterize hotspot grids",
        )
    marked = replace(heatmaps, observed=~missing)
    observed = np.flatnonzero(~missing)
    within = missing[observed[0] : observed[-1] if method == "linear" else None]
    if method == "none" or not within.any():
        return marked
    counts = heatmaps.counts
    stack = make_empty_stack(counts.shape, np.dtype(np.float32) if method == "linear" else counts.dtype)
    for number in range(len(counts)):
        if number % 64 == 0:
            context.progress(number / len(counts), f"map {number + 1} of {len(counts)}")
        after = int(np.searchsorted(observed, number))
        outside = after == 0 or (after == len(observed) and method == "linear")
        if not missing[number] or outside:
            stack[number] = counts[number]
        elif method == "forward":
            stack[number] = counts[observed[after - 1]]
        else:
            first, last = int(observed[after - 1]), int(observed[after])
            # Whole numbers until one division: halfway between 0 and 1 is then exactly a half.
            total = counts[first] * float(last - number) + counts[last] * float(number - first)
            stack[number] = total / (last - first)
    return replace(marked, counts=stack, filled=method)


def binarize(heatmaps: Heatmaps, threshold: float = THRESHOLD, context: JobContext | None = None) -> Heatmaps:
    """1 where a map lies strictly above `threshold`, else 0; which maps are observed stays known.

    Strictly, as everywhere else that a value is held against a threshold: halfway between no incident and one
    does not make a hotspot.

    Raises
    ------
    ParameterError
        If the threshold is negative or not finite.
    """
    if not (np.isfinite(threshold) and threshold >= 0):
        raise ParameterError(
            f"threshold is {threshold:g}; it must be 0 or greater",
            parameter="threshold",
            value=threshold,
            remedy="The published one is 0.5: at least one incident",
        )
    stack = make_empty_stack(heatmaps.counts.shape, np.dtype(np.uint8))
    context = context or JobContext()
    for number, band in enumerate(heatmaps.counts):
        if number % 64 == 0:
            context.progress(number / len(heatmaps), f"map {number + 1} of {len(heatmaps)}")
        stack[number] = band > threshold
    return replace(heatmaps, counts=stack, binary=True)
