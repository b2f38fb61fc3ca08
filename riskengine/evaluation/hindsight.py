"""Whether a risk was made from the very incidents that it is judged by, or of others, as far as its raster says."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..contract import tags as tagnames
from ..contract.dates import format_last, format_moment, format_span
from ..contract.texts import count_text, list_names, replace_controls
from ..contract.units import COUNTS
from ..intake.findings import Finding
from ..maps.bins import read_moment
from ..maps.panel import Panel
from ..maps.risk import RiskStack
from .riskmap import AnyRisk, find_first, match_maps

#: These are made of what happened in their own bins.
_OF_OUTCOMES = (tagnames.HEATMAPS_KIND, tagnames.LABELS_KIND)
_UNKNOWN = (
    "Whether the risk was made from the very incidents that it is judged by could not be checked, since {it} does"
    " not say until when its makers knew what happened. On the past that it was made from any map is good: judge it by"
    " a time that they did not know."
)


def find_known_until(stack: AnyRisk) -> NDArray[np.datetime64]:
    """Find until when the makers of each band knew what happened, shape (S,); NaT where the raster does not say."""
    spans: NDArray[np.datetime64] = stack.spans
    if stack.tags.get(tagnames.KIND) in _OF_OUTCOMES:
        return spans[:, 1]
    told = [read_moment(stack.tags.get(name, "")) for name in (tagnames.TRAINED_UNTIL, tagnames.ORIGIN)]
    # The reference time is that of the last incident, which counts.
    told.append(read_moment(stack.tags.get(tagnames.REFERENCE, "")) + np.timedelta64(1, "s"))
    known = [moment for moment in told if not np.isnat(moment)]
    if known:
        return np.full(len(spans), max(known))
    # A backtest forecasts every map from those before it.
    return spans[:, 0] if tagnames.HORIZON in stack.tags else np.full(len(spans), np.datetime64("NaT", "s"))


def find_hindsight(stack: AnyRisk, heatmaps: Panel, start: np.datetime64 | None = None) -> Finding | None:
    """Find what the makers of a risk knew of the maps that it is judged by; None where they knew nothing.

    Parameters
    ----------
    stack : RiskStack or AreaRisk
    heatmaps : Panel
        What happened.
    start : datetime64, optional
        Maps that begin before it are not judged.
    """
    band = match_maps(stack, heatmaps, lambda sentence: None, find_first(heatmaps, start))
    maps = np.flatnonzero(band >= 0)
    until = find_known_until(stack)[band[maps]]
    if np.isnat(until).any():
        it = "the raster" if isinstance(stack, RiskStack) else "its file"
        return Finding("hindsight unknown", _UNKNOWN.format(it=it))
    known = maps[heatmaps.edges[maps] < until]
    if not len(known) or _have_other_categories(stack, heatmaps):
        return None
    return Finding("hindsight", _describe(stack, heatmaps, maps, known, until.max()), {"maps": float(len(known))})


def _describe(
    stack: AnyRisk, heatmaps: Panel, maps: NDArray[np.int64], known: NDArray[np.int64], until: np.datetime64
) -> str:
    edges, last = heatmaps.edges, format_last(until, heatmaps.bin)
    risk, grids, noun = stack.tags.get(tagnames.SOURCE, ""), heatmaps.source, heatmaps.bin_noun
    span = format_span(edges[known[0]], edges[known[-1] + 1])
    were = "was" if len(known) == 1 else "were"
    which = f"{len(known)} of the {count_text(len(maps), noun)} judged ({span}) {were}"
    if len(known) == len(maps):
        every = f"the only {noun}" if len(maps) == 1 else f"all {count_text(len(maps), noun)}"
        which = f"{every} judged ({span}) {were}"
    told = f"{which} known to it, which makes it look better than it is."
    if risk and grids and risk != grids:
        said = f"The risk was made from {risk} up to {last}, and is judged by {grids}. If both hold the same incidents,"
    else:
        of = f"of {risk} " if risk else ""
        said = f"The risk was made from the very incidents {of}that it is judged by, those up to {last}:"
    later = maps[edges[maps] >= until]
    remedy = (
        f"Judge it from {format_moment(edges[later[0]], heatmaps.bin)} on (First map judged)."
        if len(later)
        else f"Give {COUNTS[heatmaps.support.kind]} of a later time."
    )
    return f"{said} {told} {remedy}"


def find_other_categories(stack: AnyRisk, heatmaps: Panel) -> Finding | None:
    """Find whether a risk is of other categories than the maps it is judged by; None where it is not, or not known."""
    own, judged = _read_categories(stack, heatmaps)
    if not own or not judged or own.keys() == judged.keys():
        return None
    said = (
        f"The risk is of {list_names(list(own.values()))}, and the {heatmaps.bin_noun}s judged are of"
        f" {list_names(list(judged.values()))}: the figures say how well one foretells the other. Give"
        f" {COUNTS[heatmaps.support.kind]} of the same categories."
    )
    return Finding("other categories", said)


def _have_other_categories(stack: AnyRisk, heatmaps: Panel) -> bool:
    """Whether both say which categories they are of, and share none."""
    own, judged = _read_categories(stack, heatmaps)
    return bool(own and judged) and own.keys().isdisjoint(judged)


def _read_categories(stack: AnyRisk, heatmaps: Panel) -> tuple[dict[str, str], dict[str, str]]:
    """Names of the categories of a risk, and of maps, by what is compared; none where that was not recorded."""
    names = stack.tags.get(tagnames.CATEGORIES, "").split("\n"), heatmaps.categories
    own, judged = ({replace_controls(name).casefold(): name for name in each if name} for each in names)
    return own, judged
