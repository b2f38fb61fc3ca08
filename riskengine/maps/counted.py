"""How many incidents maps were made from: the n that a map says beside what it shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..contract import tags as tagnames
from ..contract.dates import count_bins, format_bin_length, format_span
from ..contract.texts import count_text
from .heatmaps import Heatmaps
from .panel import Panel


def describe_counted(heatmaps: Panel, maps: NDArray[Any] | None = None) -> str:
    """Describe what was counted: ``n = 6,797 incidents in 32 maps of 1 week, Mon 1 Jan – Sun 12 Aug 2018``.

    Of areas ``n = 68,123 incidents in 4,835 areas and 12 months, Jan – Dec 2021``. Maps that were filled in count
    nothing; of binary maps nobody knows more than which cells are marked.

    Parameters
    ----------
    heatmaps : Panel
    maps : ndarray of int, shape (N,), optional
        Rising numbers of the maps that are meant; by default all.
    """
    numbers = np.arange(len(heatmaps)) if maps is None else maps
    observed = [number for number in numbers if heatmaps.observed[number]]
    total = round(sum(float(heatmaps.counts[number][heatmaps.mask].sum(dtype="float64")) for number in observed))
    what = f"marked {heatmaps.noun}" if heatmaps.binary else "incident"
    if isinstance(heatmaps, Heatmaps):
        length = f"{len(observed):,} {'map' if len(observed) == 1 else 'maps'} of {format_bin_length(heatmaps.bin)}"
    else:
        areas = count_text(int(heatmaps.mask.sum()), heatmaps.noun)
        length = f"{areas} and {count_bins(len(observed), heatmaps.bin)}"
    span = format_span(heatmaps.edges[numbers[0]], heatmaps.edges[numbers[-1] + 1])
    return f"n = {total:,} {what}{'' if total == 1 else 's'} in {length}, {span}"


def read_counted(tags: Mapping[str, str]) -> dict[str, object]:
    """Read what a raster's tags say of what was counted, as a job hands it to QGIS; another tool's raster says none."""
    categories = tags.get(tagnames.CATEGORIES, "")
    return {
        "counted_categories": categories.split("\n") if categories else [],
        "counted_text": tags.get(tagnames.COUNTED, ""),
        "card": tags.get(tagnames.CARD, ""),
    }


def tell_counted(count: int, span: str, covered: str | None = None) -> dict[str, str]:
    """Tell QGIS of which time a layer is, and how many incidents it holds or was made from.

    Parameters
    ----------
    count : int
    span : str
        Time that the layer is of, as people say it; empty where there is none.
    covered : str, optional
        Time of the incidents, where that may be less: records of 220 days do not fill a window of a year.
    """
    what = f"n = {count:,} {'incident' if count == 1 else 'incidents'}"
    when = span if covered is None else covered
    return {"span_text": span, "counted_text": f"{what}, {when}" if when else ""}
