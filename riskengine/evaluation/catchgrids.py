"""The same catch at further positions of the grid, and on cells half and twice as wide: as many km² each time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import cast

import numpy as np

from ..contract.aims import Catch
from ..contract.forecasters import CATCH_BASELINE, title_of
from ..contract.texts import format_amount
from ..forecasters.base import Forecaster
from ..ground.context import JobContext
from ..intake.incidents import Incidents
from ..maps.aims import find_flagged_share
from ..maps.heatmaps import Heatmaps
from ..maps.merging import merge_cells
from .catchcount import Tally, forecast_windows, tally
from .caught import CatchJudged, Caught, CellSize
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
    incidents: Incidents,
    forecasters: Mapping[str, Forecaster],
    plan: Plan,
    context: JobContext,
    workers: int | None,
) -> None:
    """Run the model that is compared first, and prior counts, on cells half and twice as wide, and add the figures."""
    names = _list_compared(judged)
    able = {name: each for name, each in forecasters.items() if name in names}
    offsets = judged.offsets[:MOST_SIZED]
    positions = [Position(east, north, times) for times in TIMES for east, north in offsets]
    done = list(_run(judged, incidents, able, plan, positions, context, workers))
    side = _read_grid(judged).grid.cell
    for times in TIMES:
        found = [each.result[0] for each in done if each.result and each.position.times == times]
        _add_size(judged, side * times, found, names)
    judged.sizes = sorted([*judged.sizes, _describe_given(judged, side, names)], key=lambda each: each.side)


def add_merged(
    judged: CatchJudged, forecasters: Mapping[str, Forecaster], plan: Plan, context: JobContext
) -> None:
    """Add cells twice as wide, made of four each: all that can be had without the incidents."""
    names, panel = _list_compared(judged), _read_grid(judged)
    able = {name: each for name, each in forecasters.items() if name in names}
    found, _ = count_at(able, plan, _keep_area(judged), merge_cells(panel), context)
    _add_size(judged, 2 * panel.grid.cell, [found], names)
    judged.sizes = [_describe_given(judged, panel.grid.cell, names), *judged.sizes]
    judged.missing = (
        f"Cells of {format_amount(panel.grid.cell / 2)} m could not be tried: that takes the incidents that the hotspot"
        " grids were made from (INCIDENTS)."
    )


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
        for name, failure in each.result[1].items() if each.result else ():
            context.warn(f"{title_of(name)} could not be run at another position of the grid: {failure}")
        done.append(each)
    return done


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
    return replace(
        one,
        caught=np.stack([one.caught[0], *(each.caught for each in further)]),
        incidents=np.stack([one.incidents[0], *(each.incidents for each in further)]),
        most=np.stack([one.most[0], *(each.most for each in further)]),
        flagged=np.array([one.flagged[0], *(each.flagged for each in further)]),
        cells=np.array([one.cells[0], *(each.cells for each in further)]),
    )


def _add_size(judged: CatchJudged, side: float, found: Sequence[Mapping[str, Tally]], names: Sequence[str]) -> None:
    """Add what was caught on cells of another size, where there is any."""
    able = [name for name in names if found and all(name in each for each in found)]
    if able:
        tallies = {name: [each[name] for each in found] for name in able}
        judged.sizes.append(_describe_size(side, {name: _gather(name, each) for name, each in tallies.items()}))


def _gather(name: str, tallies: Sequence[Tally]) -> Caught:
    first, nothing = tallies[0], np.zeros((0, 0), dtype=np.float32)
    one = Caught(
        name,
        first.caught[None],
        first.incidents[None],
        first.most[None],
        np.array([first.flagged]),
        np.array([first.cells]),
        nothing,
        nothing,
        np.zeros(0),
    )
    return _extend(one, tallies[1:])


def _describe_given(judged: CatchJudged, side: float, names: Sequence[str]) -> CellSize:
    return _describe_size(side, {name: judged.models[name] for name in names})


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
