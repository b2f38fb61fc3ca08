"""Panels that are continued: the same units, further bins, and bins counted anew."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rasterio.warp import transform
from scipy.sparse import csr_array

from ..contract import tags as tagnames
from ..contract.dates import format_bin_length, format_span
from ..contract.texts import count_text, list_names, show_name
from ..contract.units import noun_of
from ..ground.context import JobContext
from ..ground.errors import DataError, ParameterError
from ..intake.incidents import Incidents
from .bins import Times, make_next_edges
from .observed import find_observed
from .panel import Panel
from .panelfile import read_categories, read_panel, read_tags
from .shapes import Shapes

#: Units are others where their size differs by more than this part, or their middle by this part of a usual side.
_CHANGED = 0.01
#: A bin counted anew with less than this part of what it had lacks incidents.
_LACKING = 0.9
_NAMED = 3


@dataclass(frozen=True)
class Earlier:
    """A panel that is to be continued.

    Attributes
    ----------
    panel : Panel
    by_category : dict of str to csr_array, shape (T, N)
    made : dict of str to str
        What it was made from, by tag.
    """

    panel: Panel
    by_category: dict[str, csr_array]
    made: dict[str, str]

    @property
    def support(self) -> Shapes:
        """Its units."""
        assert isinstance(self.panel.support, Shapes)
        return self.panel.support


def read_earlier(path: str | Path) -> Earlier:
    """Read a panel that is to be continued.

    Raises
    ------
    FormatError
        If it is none.
    """
    panel = read_panel(path, "append_to")
    return Earlier(panel, read_categories(path, panel), read_tags(path))


def check_same_bins(asked: str, earlier: Panel) -> None:
    """Refuse bins of another length than the panel has; empty for whatever it has.

    Raises
    ------
    ParameterError
    """
    if asked and asked != earlier.bin:
        raise ParameterError(
            f"The bins asked for are of {format_bin_length(asked)}, and those of the panel of"
            f" {format_bin_length(earlier.bin)}",
            parameter="bin_unit",
            value=asked,
            remedy="Set BIN_UNIT to Automatic, which takes those of the panel",
        )


def check_same_tiles(asked: str, earlier: Earlier) -> None:
    """Refuse squares or hexagons, ``squares of 500 m``, that are not those of the panel.

    Raises
    ------
    ParameterError
    """
    made = earlier.made.get(tagnames.UNITS, "a layer")
    if asked != made:
        raise ParameterError(
            f"The areas asked for are {asked}, and those of the panel are {show_name(made)}",
            parameter="size",
            value=asked,
            remedy="Leave the size empty, so that those of the panel are taken",
        )


def check_same_units(given: Shapes, earlier: Shapes) -> None:
    """Refuse units that are not those of the panel.

    Raises
    ------
    DataError
        Naming the first that differ.
    """
    noun = noun_of(earlier.kind)
    number = {name: place for place, name in enumerate(given.ids)}
    lacking = [name for name in earlier.ids if name not in number]
    new = sorted(set(given.ids) - set(earlier.ids))
    if lacking or new:
        said = [
            f"{count_text(len(names), noun)} of the {where} alone: {list_names(names, _NAMED)}"
            for names, where in ((lacking, "panel"), (new, "layer"))
            if names
        ]
        raise _describe_others("; ".join(said))
    order = [number[name] for name in earlier.ids]
    size, before = given.measure_sizes()[order], earlier.measure_sizes()
    x, y = (each[order] for each in bring_to_crs(*given.find_centres(), given.crs, earlier.crs))
    far = np.hypot(*(one - other for one, other in zip((x, y), earlier.find_centres(), strict=True)))
    changed = np.flatnonzero((abs(size - before) > _CHANGED * before) | (far > _CHANGED * earlier.side))
    if len(changed):
        names = list_names([earlier.ids[place] for place in changed], _NAMED)
        raise _describe_others(f"{count_text(len(changed), noun)} of another shape or place: {names}")


def _describe_others(why: str) -> DataError:
    return DataError(
        f"The areas are not those of the panel: {why}",
        parameter="areas",
        remedy="Leave the areas empty, so that those of the panel are taken, or count everything anew without a panel",
    )


def bring_to_crs(
    x: NDArray[np.float64], y: NDArray[np.float64], source: str, target: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Bring coordinates to another CRS."""
    if source == target:
        return x, y
    moved = transform(source, target, x, y)
    return np.asarray(moved[0], dtype=np.float64), np.asarray(moved[1], dtype=np.float64)


def move_incidents(incidents: Incidents, crs: str, earlier: Earlier) -> Incidents:
    """Bring incidents to the CRS of the panel."""
    x, y = bring_to_crs(incidents.x, incidents.y, crs, earlier.support.crs)
    return replace(incidents, x=x, y=y)


def continue_edges(earlier: Panel, first: np.datetime64, last: np.datetime64) -> Times:
    """Continue the bins of a panel until one holds the moment `last`.

    Raises
    ------
    DataError
        If all incidents, of which `first` is the first, are older than the panel.
    """
    if last < earlier.edges[0]:
        raise DataError(
            f"The incidents, {format_span(first, last)}, are older than the panel, which begins on {earlier.edges[0]}",
            parameter="append_to",
            remedy="Count all months together, without a panel to continue",
        )
    edges = earlier.edges
    while edges[-1] <= last:
        # A few too many are cut off: months differ in length.
        missing = int((last - edges[-1]) / (edges[-1] - edges[-2])) + 2
        edges = np.r_[edges, make_next_edges(edges, earlier.bin, missing)[1:]]
    held = int(np.searchsorted(edges, last, side="right")) + 1
    return edges[: max(held, len(earlier.edges))]


def join_panels(
    earlier: Earlier,
    later: Panel,
    by_category: dict[str, csr_array],
    there: NDArray[np.bool_],
    context: JobContext,
) -> tuple[Panel, dict[str, csr_array]]:
    """Join a panel and what was counted now; what that changes is said.

    Parameters
    ----------
    earlier : Earlier
    later : Panel
        Of the bins of `earlier` and those after them.
    by_category : dict of str to csr_array, shape (T, N)
        Of the same bins.
    there : ndarray of bool, shape (T,)
        Bins of which there are incidents now: of the others the earlier panel keeps what it had.
    context : JobContext

    Returns
    -------
    Panel
        With covariates and what else the earlier one held.
    dict of str to csr_array
    """
    old = earlier.panel
    kept = np.flatnonzero(~there[: len(old)])
    _report_new(old, later, context)
    _report_anew(old, later, np.flatnonzero(there[: len(old)]), context)
    counts = np.array(later.counts, dtype=np.promote_types(old.counts.dtype, later.counts.dtype))
    counts[kept] = old.counts[kept]
    observed = find_observed(counts.sum(axis=1, dtype=np.int64), old.bin)
    observed[kept] = old.observed[kept]
    stays = np.zeros((len(later), 1), dtype=np.int64)
    stays[kept] = 1
    nothing = csr_array(counts.shape, dtype=np.int64)
    joined = {}
    for name in dict.fromkeys([*earlier.by_category, *by_category]):
        before = earlier.by_category.get(name, nothing).copy()
        before.resize(counts.shape)
        now = by_category.get(name, nothing)
        joined[name] = csr_array(before.multiply(stays) + now.multiply(1 - stays))
    categories = sorted({*old.categories, *later.categories}) if old.categories and later.categories else []
    panel = replace(later, counts=counts, observed=observed, categories=categories, extras=old.extras)
    return panel, joined


def _report_new(old: Panel, later: Panel, context: JobContext) -> None:
    new = len(later) - len(old)
    if new:
        incidents = count_text(int(later.counts[len(old) :].sum()), "incident")
        span = format_span(old.edges[-1], later.edges[-1])
        context.log(f"The panel goes on with {count_text(new, later.bin_noun)}, {span}: {incidents}.")


def _report_anew(old: Panel, later: Panel, anew: NDArray[np.int64], context: JobContext) -> None:
    before, now = (each.counts[anew].sum(axis=1, dtype=np.int64) for each in (old, later))
    if not len(anew):
        return
    said = [
        f"{format_span(*later.edges[each : each + 2])} {new:,} instead of {was:,}"
        for each, was, new in zip(anew.tolist(), before, now, strict=True)
        if was != new
    ]
    lacking = bool((now < _LACKING * before).any())
    text = f"{count_text(len(anew), 'bin is', 'bins are')} counted anew"
    changes = f": {'; '.join(said[:_NAMED])}{' and others' if len(said) > _NAMED else ''}" if said else ", as before"
    lost = ". Incidents are missing in this layer that the panel had: set START to leave such bins as they are"
    (context.warn if lacking else context.log)(f"{text}{changes}{lost if lacking else ''}")
