"""The same catch at further positions of the grid, and on cells half and twice as wide: as many km² each time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import cast

import numpy as np

from ..contract.aims import Catch
from ..contract.forecasters import CATCH_BASELINE, COVARIATES, title_of
from ..contract.texts import format_amount, list_names
from ..forecasters.base import Forecaster
from ..ground.context import JobContext
from ..intake.incidents import Incidents
from ..maps.aims import find_flagged_share
from ..maps.heatmaps import Heatmaps, merge_cells
from ..maps.panel import Extras
from .catchcount import Tally, forecast_windows, tally
from .caught import CatchJudged, Caught, CellSize
from .entrants import find_record
from .folds import is_importable
from .offsets import sample_offsets
from .plan import Plan
from .positions import Placed, Position, run_positions

#: Cells of other sizes are tried at so many positions at most: at half the width there are four times as many.
MOST_SIZED = 5
#: Cells are so many times as wide.
TIMES = (0.5, 2.0)
_NO_PARTS = np.zeros((0, 0), dtype=np.float32)

#: What the models caught at one position, by name, and why others could not be run.
Found = tuple[dict[str, Tally], dict[str, str]]


def count_at(
    forecasters: Mapping[str, Forecaster], plan: Plan, catch: Catch, panel: Heatmaps, context: JobContext
) -> Found:
    """Count what every model catches on one grid, in this process; with the first seed of the plan."""
    made = forecast_windows(panel, forecasters, replace(plan, seeds=plan.seeds[:1]), catch.window, context, 1)
    found = {name: tally(panel, made.starts, each, catch) for name, each in made.expected.items()}
    return {name: replace(each, parts=_NO_PARTS) for name, each in found.items()}, made.failures


def count_without_extras(
    judged: CatchJudged, forecasters: Mapping[str, Forecaster], plan: Plan, moved: bool, context: JobContext
) -> dict[str, Caught]:
    """Count what models that read layers beside the counts catch without them, on the given grid.

    Other grids have no such layers: with them it would be another model that other positions and sizes are mixed with.
    Where the grid is not moved, only those whose sizes are compared are run.
    """
    panel = _read_grid(judged)
    if not list_extras(judged):
        return {}
    asked = forecasters if moved else _list_compared(judged)
    records = {name: find_record(name, each) for name, each in forecasters.items() if name in asked}
    readers = [name for name, entry in records.items() if entry is None or COVARIATES in entry.needs]
    able = {name: forecasters[name] for name in readers}
    found, failures = count_at(able, plan, judged.catch, replace(panel, extras=Extras()), context)
    _warn_of(failures, "without its further layers", context)
    judged.failures |= failures
    return {name: _replace_counted(judged.models[name], [each]) for name, each in found.items()}


def list_extras(judged: CatchJudged) -> list[str]:
    """List the names of what is known beside the counts."""
    extras = judged.panel.extras
    return [*extras.channel_names, *extras.static_names, *(each.name for each in extras.covariates)]


def describe_without_extras(judged: CatchJudged, names: Sequence[str], moved: bool) -> str:
    """Describe that models were judged without the layers that other grids lack.

    Parameters
    ----------
    names : sequence of str
        Of the models that read layers.
    moved : bool
        Whether the grid was moved.
    """
    models, layers = list_names([title_of(name) for name in names]), list_names(list_extras(judged))
    if moved:
        return (
            f"Moved grids and cells of other sizes hold no {layers}: what the places of {models} caught is told for"
            " forecasts without, at every position. The places and risks shown are of forecasts with; set offsets to 0"
            " for what these caught."
        )
    return (
        f"Cells of other sizes hold no {layers}: what the places of {models} caught on them is told for forecasts"
        " without, and so it is on the given cells beside them."
    )


def add_positions(
    judged: CatchJudged,
    incidents: Incidents,
    forecasters: Mapping[str, Forecaster],
    plan: Plan,
    number: int,
    context: JobContext,
    workers: int | None,
) -> None:
    """Run all models at `number` further positions of the grid, and add what they caught.

    A model that cannot be run at one of them keeps its figures at the given one alone, and is named among the failures.
    """
    offsets = sample_offsets(number, plan.seeds[0])
    positions = [Position(east, north) for east, north in offsets[1:]]
    done = list(_run(judged, incidents, forecasters, plan, positions, context, workers))
    judged.offsets = (offsets[0], *((each.position.east, each.position.north) for each in done))
    for each in done:
        judged.failures |= each.result[1] if each.result else {}
    for name, one in judged.models.items():
        if name in forecasters and name not in judged.failures:
            judged.models[name] = _extend(one, [each.result[0][name] for each in done if each.result])


def add_sizes(
    judged: CatchJudged,
    given: Mapping[str, Caught],
    incidents: Incidents,
    forecasters: Mapping[str, Forecaster],
    plan: Plan,
    context: JobContext,
    workers: int | None,
) -> None:
    """Run the model that is compared first, and prior counts, on cells half and twice as wide, and add the figures.

    `given` is what the models caught on the given cells, of which as many positions are compared.
    """
    names = _list_compared(judged)
    able = {name: each for name, each in forecasters.items() if name in names}
    offsets = judged.offsets[:MOST_SIZED]
    positions = [Position(east, north, times) for times in TIMES for east, north in offsets]
    done = list(_run(judged, incidents, able, plan, positions, context, workers))
    side = _read_grid(judged).grid.cell
    for times in TIMES:
        found = [each.result[0] for each in done if each.result and each.position.times == times]
        _add_size(judged, side * times, found, names)
    judged.sizes = sorted([*judged.sizes, _describe_given(given, side, names)], key=lambda each: each.side)


def add_merged(
    judged: CatchJudged,
    given: Mapping[str, Caught],
    forecasters: Mapping[str, Forecaster],
    plan: Plan,
    context: JobContext,
) -> None:
    """Add cells twice as wide, made of four each: all that can be had without the incidents."""
    names, panel = _list_compared(judged), _read_grid(judged)
    able = {name: each for name, each in forecasters.items() if name in names}
    found, failures = count_at(able, plan, _keep_area(judged), merge_cells(panel), context)
    _warn_of(failures, f"on cells of {format_amount(2 * panel.grid.cell)} m", context)
    judged.missing = (
        f"Cells of {format_amount(panel.grid.cell / 2)} m could not be tried: that takes the incidents that the hotspot"
        " grids were made from (INCIDENTS)."
    )
    _add_size(judged, 2 * panel.grid.cell, [found], names)
    judged.sizes = [_describe_given(given, panel.grid.cell, names), *judged.sizes]


def _run(
    judged: CatchJudged,
    incidents: Incidents,
    forecasters: Mapping[str, Forecaster],
    plan: Plan,
    positions: Sequence[Position],
    context: JobContext,
    workers: int | None,
) -> list[Placed[Found]]:
    """What could be done; a position that could not is warned of."""
    if not all(is_importable(each) for each in forecasters.values()):
        workers = 1
    work = partial(count_at, dict(forecasters), plan, _keep_area(judged))
    done = []
    for each in run_positions(_read_grid(judged), incidents, positions, work, context, workers):
        if each.failure:
            where = f"{format_amount(_read_grid(judged).grid.cell * each.position.times)} m"
            context.warn(f"A grid of cells of {where} could not be tried: {each.failure}")
            continue
        _warn_of(each.result[1] if each.result else {}, "at another position of the grid", context)
        done.append(each)
    return done


def _warn_of(failures: Mapping[str, str], where: str, context: JobContext) -> None:
    for name, failure in failures.items():
        context.warn(f"{title_of(name)} could not be run {where}: {failure}")


def _keep_area(judged: CatchJudged) -> Catch:
    """The catch in km², so that other grids flag as much, whatever it was given in."""
    whole = float(next(iter(judged.models.values())).cells[0])
    return Catch(find_flagged_share(judged.catch, judged.panel) * whole, "km2", judged.catch.window)


def _list_compared(judged: CatchJudged) -> list[str]:
    """Name the model that is compared first, and prior counts."""
    first = next(iter(judged.models))
    return [first, *(name for name in judged.models if name == CATCH_BASELINE and name != first)]


def _read_grid(judged: CatchJudged) -> Heatmaps:
    return cast(Heatmaps, judged.panel)


def _extend(one: Caught, further: Sequence[Tally]) -> Caught:
    """Add what was caught at further positions."""
    given = Tally(one.caught[0], one.incidents[0], one.most[0], one.flagged[0], one.cells[0], _NO_PARTS)
    return _replace_counted(one, [given, *further])


def _replace_counted(one: Caught, tallies: Sequence[Tally]) -> Caught:
    """Put what was caught at these positions in the place of what is there."""
    return replace(
        one,
        caught=np.stack([each.caught for each in tallies]),
        incidents=np.stack([each.incidents for each in tallies]),
        most=np.stack([each.most for each in tallies]),
        flagged=np.array([each.flagged for each in tallies]),
        cells=np.array([each.cells for each in tallies]),
    )


def _add_size(judged: CatchJudged, side: float, found: Sequence[Mapping[str, Tally]], names: Sequence[str]) -> None:
    """Add what was caught on cells of another size; where a model could not be run on them, that it is missing."""
    failed = [name for name in names if not found or not all(name in each for each in found)]
    if failed:
        told = (
            f"Cells of {format_amount(side)} m could not be compared: {list_names([title_of(each) for each in failed])}"
            " could not be run on them."
        )
        judged.missing = f"{judged.missing} {told}".strip()
        return
    judged.sizes.append(_describe_size(side, {name: _gather(name, [each[name] for each in found]) for name in names}))


def _gather(name: str, tallies: Sequence[Tally]) -> Caught:
    nothing = np.zeros(0)
    return _replace_counted(Caught(name, *5 * (nothing,), _NO_PARTS, _NO_PARTS, nothing), tallies)


def _describe_given(given: Mapping[str, Caught], side: float, names: Sequence[str]) -> CellSize:
    """Describe the given cells, over no more positions than the others."""
    return _describe_size(side, {name: _keep_first(given[name]) for name in names})


def _keep_first(one: Caught) -> Caught:
    counted = ("caught", "incidents", "most", "flagged", "cells")
    return replace(one, **{each: getattr(one, each)[:MOST_SIZED] for each in counted})


def _describe_size(side: float, found: Mapping[str, Caught]) -> CellSize:
    first = next(iter(found.values()))
    return CellSize(
        side,
        {name: each.n for name, each in found.items()},
        {name: each.total for name, each in found.items()},
        {name: float(each.most.sum(axis=1).mean()) for name, each in found.items()},
        {name: float(each.pai.mean()) for name, each in found.items()},
        float(first.flagged.mean()),
        len(first.caught),
    )
