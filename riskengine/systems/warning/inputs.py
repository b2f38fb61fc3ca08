"""What a tool of warnings reads: incidents and areas, made into the panel that warnings are learned from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...contract.forecasters import WARNING_PICTURED
from ...contract.texts import part_text
from ...contract.tools.warning import ReadsEvents
from ...contract.units import noun_of
from ...contract.warnings import Timing
from ...ground.context import JobContext
from ...ground.errors import DataError, ParameterError
from ...intake.incidents import (
    Incidents,
    Refusal,
    count_refused,
    describe_reasons,
    read_addresses,
    read_ends,
    read_exchange,
)
from ...maps.assigning import assign_by_place
from ...maps.categories import find_named, name_missing
from ...maps.shapes import Shapes
from ...maps.unitlayer import make_units, read_units
from ...maps.warningpanel import WarningPanel, make_city, make_warning_panel
from .moments import Moment
from .traps import describe_clock_changes, list_traps

#: Of lines, which are refused: any distance, metres.
_NEAR = 1.0


@dataclass(frozen=True)
class WarningInputs:
    """What was read.

    Attributes
    ----------
    warning : WarningPanel
    incidents : Incidents
        Of all categories, those in no area among them.
    refusals : list of Refusal
        Rows that cannot be used, and why.
    notes : list of str
        Sentences a reader of results must know; those of the panel among them.
    moment : Moment or None
        When warnings are made; None where the past is looked at.
    """

    warning: WarningPanel
    incidents: Incidents
    refusals: list[Refusal]
    notes: list[str]
    moment: Moment | None = None


def look_at_pictures(models: Iterable[str]) -> bool:
    """Whether any of these models looks at maps of all incidents."""
    return any(name in WARNING_PICTURED for name in models)


def read_warning_inputs(
    parameters: ReadsEvents,
    targets: Sequence[str],
    similar: Sequence[str],
    timing: Timing,
    context: JobContext,
    find_moment: Callable[[Incidents], Moment] | None = None,
    pictures: bool = False,
) -> WarningInputs:
    """Read incidents and areas, count events, and say what of them limits warnings.

    Parameters
    ----------
    parameters : ReadsEvents
        Where incidents and areas lie; without areas the whole city is one.
    targets, similar : sequence of str
        Categories; see `make_warning_panel`.
    timing : Timing
    context : JobContext
        Told everything, once.
    find_moment : callable, optional
        Of the incidents: when warnings are made. Nothing is read that is not known then, and the panel ends where the
        first window begins that is warned of. By default all that is recorded is read.
    pictures : bool
        Whether the panel comes with maps of all incidents, for networks that look at them.

    Raises
    ------
    ParameterError, DataError
        If the windows are finer than the times, a category is not there, or nothing is left to count.
    """
    context.progress(0.0, "Reading incidents")
    everything, refusals = read_exchange(parameters.incidents, context, order=parameters.date_order)
    place = read_addresses(parameters.incidents, everything)
    ends = read_ends(parameters.incidents, everything, parameters.date_order)
    incidents = name_missing(everything, context)
    chosen = find_named(incidents, targets, "targets")
    if reasons := count_refused(parameters.incidents, refusals, targets):
        lost = sum(reasons.values())
        context.warn(
            f"{part_text(lost, lost + int(chosen.sum()), 'row', 'is', 'are')} left out of those to warn of"
            f" ({describe_reasons(reasons)}): there are more events than are counted"
        )
    context.progress(0.3, "Making areas")
    support: Shapes = make_city(incidents, parameters.crs)
    unit: NDArray[np.int64] | None = None
    if parameters.areas:
        support = make_units(read_units(parameters.areas), parameters.crs, _NEAR, context)
        if support.kind != "areas":
            raise ParameterError(
                f"areas holds {noun_of(support.kind)}s, and warnings are for areas or the whole city",
                parameter="areas",
                value=support.kind,
                remedy="Choose a layer of polygons, or leave it empty",
            )
        unit, outside = _assign(incidents, chosen, support, context)
        refusals = [*refusals, *outside]
    context.progress(0.6, "Counting events")
    moment = None if find_moment is None else find_moment(incidents)
    begin, known = (None, None) if moment is None else (moment.begin, moment.known)
    made = make_warning_panel(
        incidents, targets, similar, support, timing, context, unit, begin, place, known, pictures
    )
    if changes := describe_clock_changes(incidents, made):
        context.log(changes)
    seen = np.ones(len(incidents), dtype=bool) if known is None else incidents.time < known
    traps = list_traps(incidents.select(seen), made, chosen[seen], None if ends is None else ends[seen])
    for note in traps:
        context.warn(note)
    return WarningInputs(made, incidents, refusals, [*made.notes, *traps], moment)


def _assign(
    incidents: Incidents, chosen: NDArray[np.bool_], support: Shapes, context: JobContext
) -> tuple[NDArray[np.int64], list[Refusal]]:
    """The area of each incident, and those that lie in none.

    Raises
    ------
    DataError
        If none of the targets lies in an area.
    """
    assigned = assign_by_place(incidents, support, context)
    none = assigned.unit < 0
    lost, noun = int((none & chosen).sum()), noun_of(support.kind)
    if lost == int(chosen.sum()):
        raise DataError(
            f"None of the incidents of the categories to warn of lies in one of the {noun}s",
            parameter="areas",
            remedy="Choose areas of the same city, and check the CRS of both layers",
        )
    if lost:
        context.warn(
            f"{part_text(lost, int(chosen.sum()), 'row', 'lies', 'lie')} in no {noun}, and"
            f" {'is' if lost == 1 else 'are'} not counted: no warning is made for where"
            f" {'it' if lost == 1 else 'they'} happened"
        )
    outside = [Refusal(int(fid), str(assigned.reason[row])) for row, fid in enumerate(incidents.fid) if none[row]]
    return assigned.unit, outside
