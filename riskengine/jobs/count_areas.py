"""Job: count incidents per time bin and area into one panel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import shape

from ..contract import tags
from ..contract.choices import BinUnit
from ..contract.dates import count_bins, format_moment, format_span
from ..contract.texts import count_text, format_amount, list_names, part_text
from ..contract.tools.areas import CountAreas
from ..contract.units import noun_of
from ..ground.context import JobContext
from ..ground.errors import DataError, ParameterError
from ..intake.incidents import Incidents, NamedAreas, Refusal, count_reasons, read_exchange, read_named_areas
from ..maps.appending import (
    Earlier,
    check_same_bins,
    check_same_tiles,
    check_same_units,
    continue_edges,
    join_panels,
    move_incidents,
    read_earlier,
)
from ..maps.area import choose_area
from ..maps.assigning import Assigned, assign_by_column, assign_by_place
from ..maps.bins import Times, bin_text, make_bin_edges, read_bin_text
from ..maps.categories import count_by_category, find_chosen, list_recorded, name_missing
from ..maps.counted import describe_counted
from ..maps.observed import count_bins_of, describe_unobserved, find_observed
from ..maps.panel import MOST_COUNTS, Panel, count_located
from ..maps.panelfile import write_panel
from ..maps.shapes import Shapes
from ..maps.span import choose_span, choose_unit, find_covered, warn_of_incomplete
from ..maps.tiling import make_hexagons, make_squares
from ..maps.unitlayer import make_units, read_units

#: Days of incidents from which on bins are months where nobody says: two years are two Januaries.
_LONG = np.timedelta64(730, "D")
_TILINGS = {"squares": make_squares, "hexagons": make_hexagons}


@dataclass
class Rows:
    """The incidents that are left, each with the area it names and the unit it was given."""

    incidents: Incidents
    named: NamedAreas | None

    def select(self, mask: NDArray[np.bool_]) -> Rows:
        """Those where `mask` holds."""
        return Rows(self.incidents.select(mask), None if self.named is None else self.named.select(mask))


def run(parameters: CountAreas, context: JobContext) -> dict[str, Any]:
    """Read, choose what was left empty, count, write."""
    context.progress(0.0, "Reading incidents")
    everything, refusals = read_exchange(parameters.incidents, context, order=parameters.date_order)
    named = read_named_areas(parameters.incidents, everything)
    earlier = read_earlier(parameters.append_to) if parameters.append_to else None
    if earlier is not None:
        everything = move_incidents(everything, parameters.crs, earlier)
    rows = Rows(name_missing(everything, context), named)
    rows = rows.select(find_chosen(rows.incidents, parameters.categories, context))
    unit, number = _choose_bins(parameters, everything, earlier, context)
    length = bin_text(unit, number)
    rows, edges, there = _choose_period(rows, everything, (unit, number), parameters, earlier, context)
    context.progress(0.1, "Making areas")
    support, made, area = _make_support(parameters, everything, edges, earlier, context)
    _check_size(support, edges, length)
    context.progress(0.4, "Counting")
    assigned = _assign(rows, support, context)
    outside = assigned.unit < 0
    refusals += [
        Refusal(int(fid), str(why))
        for fid, why in zip(rows.incidents.fid[outside], assigned.reason[outside], strict=True)
    ]
    counts, _ = count_located(assigned.unit, rows.incidents.time, support, edges)
    by_category = count_by_category(rows.incidents, assigned.unit, counts.shape, edges, context)
    panel = Panel(
        counts,
        edges,
        np.ones(len(support.ids), dtype=bool),
        support,
        length,
        find_observed(count_bins_of(everything.time, edges), length),
        parameters.categories or list_recorded(rows.incidents),
        exactness=everything.exactness,
        area=area,
        source=parameters.source,
        delay=parameters.delay if parameters.delay is not None else earlier.panel.delay if earlier is not None else 0,
    )
    if earlier is not None:
        panel, by_category = join_panels(earlier, panel, by_category, there, context)
    never = _report(panel, made.get(tags.UNITS, "a layer"), context)
    context.progress(0.7, "Writing the panel")
    write_panel(parameters.output, panel, by_category, made)
    return {
        "areas": len(support.ids),
        "support": support.kind,
        "bins": len(panel),
        "bin": panel.bin,
        "exactness": panel.exactness,
        "edges": [str(edge) for edge in edges],
        "counted": int((~outside).sum()),
        "without_area": int(outside.sum()),
        "left_out": len(everything) - len(rows.incidents),
        "disagreeing": 100 * assigned.disagreeing,
        "never": never,
        "unobserved": int((~panel.observed).sum()),
        "highest": int(panel.counts.max(initial=0)),
        "counted_categories": panel.categories,
        "counted_text": describe_counted(panel),
        "category_columns": list(by_category),
        "refused": len(refusals),
        "reasons": count_reasons(refusals),
        "refusals": [[refusal.fid, refusal.reason] for refusal in refusals],
    }


def _choose_bins(
    parameters: CountAreas, incidents: Incidents, earlier: Earlier | None, context: JobContext
) -> tuple[BinUnit, int]:
    """The unit of the bins, and how many units one has."""
    unit, length = parameters.bin_unit, parameters.bin_length
    if earlier is not None:
        check_same_bins("" if unit == "auto" else bin_text(unit, length), earlier.panel)
        length, word = read_bin_text(earlier.panel.bin)
        unit = cast(BinUnit, word)
    elif unit == "auto":
        first, last = find_covered(incidents)
        unit = "months" if last - first >= _LONG or incidents.exactness == "month" else "weeks"
        context.log(f"Time bin: {unit}, chosen automatically since the incidents are of {format_span(first, last)}")
    return choose_unit(unit, length, incidents, context), length


def _choose_period(
    rows: Rows,
    everything: Incidents,
    bins: tuple[BinUnit, int],
    parameters: CountAreas,
    earlier: Earlier | None,
    context: JobContext,
) -> tuple[Rows, Times, NDArray[np.bool_]]:
    """The incidents that count, the edges of all bins, and the bins of which there are incidents, of any category."""
    kept, first, last = choose_span(rows.incidents, parameters.start, parameters.end, context)
    apart = len(rows.incidents) - len(kept)
    if apart and (parameters.start or parameters.end):
        said = part_text(apart, len(rows.incidents), "incident", "lies", "lie")
        context.log(f"{said} before START or from END on, and {'is' if apart == 1 else 'are'} not counted.")
    if earlier is None:
        edges = make_bin_edges(first, last, *bins, "bin", "a panel holds")
    else:
        edges = continue_edges(earlier.panel, first, last)
        first = _leave_out_older(rows.incidents.time, first, edges[0], context)
    for name, given in (("start", parameters.start), ("end", parameters.end)):
        if given is not None and np.datetime64(given.replace(tzinfo=None), "s") not in edges:
            context.warn(
                f"{name.upper()}, {format_moment(given)}, is not where a bin ends: the bin it falls in is incomplete"
            )
    begin = int(np.searchsorted(edges, first, side="right")) - 1
    covered, exactness = find_covered(everything), everything.exactness
    warn_of_incomplete(parameters.start, parameters.end, covered, edges[begin:], context, "bin", exactness)
    there = count_bins_of(everything.between(first, last + np.timedelta64(1, "s")).time, edges) > 0
    time = rows.incidents.time
    return rows.select((time >= first) & (time <= last)), edges, there


def _leave_out_older(time: Times, first: np.datetime64, begin: np.datetime64, context: JobContext) -> np.datetime64:
    older = int(((time >= first) & (time < begin)).sum())
    if older:
        context.warn(
            f"{count_text(older, 'incident is', 'incidents are')} older than the panel, which begins on"
            f" {format_moment(begin)}, and {'is' if older == 1 else 'are'} not counted"
        )
    return max(first, begin)


def _make_support(
    parameters: CountAreas, incidents: Incidents, edges: Times, earlier: Earlier | None, context: JobContext
) -> tuple[Shapes, dict[str, str], str]:
    """The units, what they are in words by tag, and the tag of their study area."""
    layer = read_units(parameters.areas) if parameters.areas and parameters.units == "layer" else None
    if layer is not None:
        support = make_units(layer, parameters.crs, parameters.tolerance, context)
        if earlier is None:
            return support, {tags.UNITS: layer.source or "a layer"}, "polygons"
        check_same_units(support, earlier.support)
    tiles = f"{parameters.units} of {format_amount(parameters.size)} m" if parameters.size else ""
    if earlier is not None:
        if tiles and parameters.units != "layer":
            check_same_tiles(tiles, earlier)
        return earlier.support, earlier.made, earlier.panel.area
    assert parameters.size, "refused by the declaration"
    known = incidents.select(incidents.time < edges[-1])
    area = choose_area(known.x, known.y, known.fid, None, parameters.polygons, "hull", context)
    assert area.polygons is not None
    study_area = np.array([shape(each) for each in area.polygons], dtype=object)
    support = _TILINGS[parameters.units](parameters.size, shapely.make_valid(study_area), parameters.crs)
    return support, {tags.UNITS: tiles}, area.tag


def _check_size(support: Shapes, edges: Times, length: str) -> None:
    number, bins = len(support.ids), len(edges) - 1
    if number * bins > MOST_COUNTS:
        raise ParameterError(
            f"{count_text(number, noun_of(support.kind))} in {count_bins(bins, length)} are"
            f" {count_text(number * bins, 'count')}; {MOST_COUNTS:,} are the most",
            parameter="bin_unit",
            value=length,
            remedy="Choose longer bins, a shorter period, or fewer areas",
        )


def _assign(rows: Rows, support: Shapes, context: JobContext) -> Assigned:
    incidents = rows.incidents
    if rows.named is not None:
        assigned = assign_by_column(incidents, rows.named, support, context)
    else:
        assigned = assign_by_place(incidents, support, context)
    if (assigned.unit < 0).all():
        noun = noun_of(support.kind)
        if rows.named is not None:
            raise DataError(
                f"No incident names one of the {count_text(len(support.ids), noun)}: incidents name"
                f" {list_names(rows.named.names)}, and the ids are {list_names(support.ids)}",
                parameter="area_column",
                remedy="Choose the field of the incidents, and that of the areas' ids, that hold the same codes",
            )
        raise DataError(
            f"None of the {count_text(len(incidents), 'incident')} belongs to one of the"
            f" {count_text(len(support.ids), noun)}",
            parameter="areas",
            remedy="Choose areas of the same city, and check the CRS of both layers",
        )
    return assigned


def _report(panel: Panel, kind: str, context: JobContext) -> int:
    """Say what was counted and what was not; returns how many units never had an incident."""
    support = panel.support
    assert isinstance(support, Shapes)
    noun = noun_of(support.kind)
    size = support.measure_sizes().sum()
    how_large = f"{size / 1e6:,.1f} km²" if support.kind == "areas" else f"{size / 1e3:,.1f} km"
    context.log(
        f"{count_text(len(support.ids), noun)} ({kind}; {how_large}), {count_bins(len(panel), panel.bin)}:"
        f" {format_span(panel.edges[0], panel.edges[-1])}"
    )
    if silent := describe_unobserved(panel.observed, panel.edges):
        context.warn(silent)
    never = np.flatnonzero(~(panel.counts > 0).any(axis=0))
    if len(never):
        names = [support.ids[number] for number in never]
        context.log(f"{part_text(len(never), len(support.ids), noun)} never had an incident: {list_names(names)}")
    return len(never)
