"""Any risk of cells or areas, ours or another tool's, scored by what happened, beside baselines that knew no more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.transform import array_bounds
from rasterio.warp import calculate_default_transform, reproject

from ..contract import tags as tagnames
from ..contract.choices import Over
from ..contract.dates import format_moment, format_span
from ..contract.forecasters import QUICK_BASELINES, list_baselines
from ..contract.texts import count_text, part_text
from ..contract.units import COUNTS
from ..forecasters.base import check_history
from ..forecasters.catalogue import make_forecaster
from ..ground.context import JobContext
from ..ground.errors import CrimeRiskError, DataError, ParameterError
from ..maps.area import narrow_to_past
from ..maps.area_risk import AreaRisk
from ..maps.bins import read_moment
from ..maps.grid import Grid
from ..maps.heatmaps import Heatmaps
from ..maps.panel import Panel
from ..maps.risk import RiskStack
from ..measures.metrics import reliability
from .judged import Judged
from .judging import judge
from .plan import Plan
from .scoring import ModelScore

AnyRisk = RiskStack | AreaRisk


def bring_to_grid(stack: RiskStack, heatmaps: Heatmaps, warn: Callable[[str], None]) -> NDArray[np.float32]:
    """Bring the bands to the grid of `heatmaps`: as they are, or averaged (finer ones) or looked up (coarser ones).

    Raises
    ------
    DataError
        If the raster lies elsewhere, or nobody knows where.
    """
    grid = heatmaps.grid
    same_shape = stack.risk.shape[1:] == grid.shape
    if same_shape and np.allclose(stack.transform[:6], grid.transform[:6], rtol=0, atol=1e-3 * grid.cell):
        return stack.risk.astype(np.float32)
    if stack.crs is None or not grid.crs:
        raise DataError(
            "The risk raster lies on another grid than the maps, and without a CRS it cannot be brought onto theirs",
            parameter="risk",
            remedy="Give the raster its CRS, or one on the grid of the maps",
        )
    finer = _is_finer(stack, grid)
    risk = np.full((len(stack.risk), *grid.shape), np.nan, dtype=np.float32)
    for source, target in zip(stack.risk.astype(np.float32), risk, strict=True):
        reproject(
            source,
            target,
            src_transform=stack.transform,
            src_crs=stack.crs,
            src_nodata=np.nan,
            dst_transform=grid.transform,
            dst_crs=rasterio.CRS.from_user_input(grid.crs),
            dst_nodata=np.nan,
            resampling=Resampling.average if finer else Resampling.nearest,
        )
    if np.isnan(risk[:, heatmaps.mask]).all():
        raise DataError(
            "The risk raster does not overlap the study area of the maps",
            parameter="risk",
            remedy="Choose hotspot grids of the same area",
        )
    how = "averaged over its cells" if finer else "looked up at the centres of its cells"
    warn(f"The risk raster lies on another grid than the maps; it was {how}")
    return risk


def _is_finer(stack: RiskStack, grid: Grid) -> bool:
    """Whether the raster's cells, brought to the CRS of `grid`, are smaller than its own."""
    height, width = stack.risk.shape[1:]
    bounds = array_bounds(height, width, stack.transform)
    transform, _, _ = calculate_default_transform(stack.crs, grid.crs, width, height, *bounds)
    return bool(abs(transform.a) < grid.cell)


def bring_to_areas(stack: AreaRisk, panel: Panel) -> NDArray[np.float32]:
    """Bring the risk of each map to the areas of a panel by their ids, shape (S, N); NaN where there is none.

    Raises
    ------
    DataError
        If no id is the same, or the units are no areas.
    """
    places = {name: number for number, name in enumerate(stack.areas.ids)}
    place = np.array([places.get(name, -1) for name in panel.support.ids], dtype=np.int64)
    if (place < 0).all():
        raise DataError(
            f"None of the {count_text(len(places), 'area')} of the risk has the id of one of the counts",
            parameter="risk",
            value=stack.areas.ids[0],
            remedy="Give each area of the risk, in a field id, the id that it has in the counts",
        )
    return np.where(place >= 0, stack.risk[:, place], np.nan).astype(np.float32)


def _bring(stack: AnyRisk, panel: Panel, warn: Callable[[str], None]) -> NDArray[np.float32]:
    if isinstance(stack, RiskStack):
        assert isinstance(panel, Heatmaps), "a raster is judged by a raster"
        return bring_to_grid(stack, panel, warn)
    return bring_to_areas(stack, panel)


def match_maps(stack: AnyRisk, heatmaps: Panel, warn: Callable[[str], None], first: int = 0) -> NDArray[np.int64]:
    """For each map the band that is meant for it, -1 for none; only observed maps have one.

    A band that says when it applies is meant for the map of the same bin. In a raster that does not say, band i is
    the i-th map from `first` on, and a single band is meant for each of these. Maps before `first` have none.

    Raises
    ------
    DataError
        If no band is meant for any observed map.
    """
    bands, maps, noun = len(stack.risk), len(heatmaps), heatmaps.bin_noun
    one = "band" if isinstance(stack, RiskStack) else noun
    band = np.full(maps, -1, dtype=np.int64)
    if stack.edges:
        at = {tuple(edge.tolist()): number for number, edge in enumerate(_spans(heatmaps))}
        spans = np.array([[start, end] for start, end in stack.edges], dtype="datetime64[s]")
        places = [at.get(tuple(edge.tolist()), -1) for edge in spans]
        for number, place in enumerate(places):
            if place >= 0:
                band[place] = number
        lost = sum(place < 0 for place in places)
        if 0 < lost < bands:
            warn(f"{part_text(lost, bands, one, 'is', 'are')} left out: there is no {noun} of just their bin")
    elif bands == 1:
        band[:] = 0
    else:
        if bands > maps - first:
            lost, there = bands - maps + first, count_text(maps - first, noun)
            are = "is" if maps - first == 1 else "are"
            warn(f"{part_text(lost, bands, one, 'is', 'are')} left out: there {are} only {there}")
        matched = min(bands, maps - first)
        band[first : first + matched] = np.arange(matched)
    band[:first] = -1
    band[~heatmaps.observed] = -1
    if (band < 0).all():
        the_risk = "a band" if one == "band" else "the risk"
        raise DataError(
            f"No observed {noun} covers the time of {the_risk};"
            f" the {noun}s span {format_span(*heatmaps.edges[[0, -1]])}",
            parameter="heatmaps",
            value=f"{stack.starts[0]} to {stack.ends[-1]}",
            remedy=f"Make {COUNTS[heatmaps.support.kind]} of the time the risk is meant for, with the same bins",
        )
    return band


def _spans(heatmaps: Panel) -> NDArray[np.datetime64]:
    return np.stack([heatmaps.edges[:-1], heatmaps.edges[1:]], axis=1)


def judge_risk(
    stack: AnyRisk,
    heatmaps: Panel,
    *,
    threshold: int = 1,
    percentile: float = 95.0,
    over: Over = "stack",
    start: np.datetime64 | None = None,
    warn: Callable[[str], None],
    context: JobContext | None = None,
) -> Judged:
    """Score a given risk as a backtest scores a model; where the maps begin early enough, beside baselines.

    Values that are no probabilities are judged by their order alone: what needs probabilities is NaN.

    Parameters
    ----------
    stack : RiskStack or AreaRisk
    heatmaps : Panel
        Of cells or areas as those of the risk. What happened, and before it the history that the baselines learn from.
    threshold : int
        Incidents in a cell and bin that count as an event.
    percentile, over : float, str
        Where a cell counts as flagged.
    start : datetime64, optional
        Maps that begin before it are not judged: they are the baselines' history.
    warn : callable
        Told what a reader must know.
    """
    context = context or JobContext()
    bands, band = _bring(stack, heatmaps, warn), match_maps(stack, heatmaps, warn, find_first(heatmaps, start))
    maps = np.flatnonzero(band >= 0)
    told = stack.tags.get(tagnames.DELAY, "")
    # Baselines know no more than its makers did.
    heatmaps = replace(heatmaps, delay=max(heatmaps.delay, int(told) if told.isdecimal() else 0))
    noun = heatmaps.noun
    risk = bands[band[maps]]
    heatmaps = narrow_to_past(heatmaps, int(maps[0]) - _horizon(stack) + 1, warn)
    mask = heatmaps.mask & ~np.isnan(risk).any(axis=0)
    if not mask.any():
        raise DataError(
            f"No {noun} of the study area has a risk on every {heatmaps.bin_noun}",
            parameter="risk",
            remedy=f"Choose {COUNTS[heatmaps.support.kind]} of the area that the risk covers",
        )
    if (lost := int((heatmaps.mask & ~mask).sum())) > 0:
        have = "has no risk and is" if lost == 1 else "have no risk and are"
        warn(f"{part_text(lost, int(heatmaps.mask.sum()), noun)} of the study area {have} left out")
    heatmaps = replace(heatmaps, mask=mask)
    risk[:, ~mask] = np.nan
    name = stack.tags.get(tagnames.MODEL) or "risk"
    name = "risk" if name in _list_beside(heatmaps) else name
    with context.step(0.0, 0.4):
        risks = {name: risk, **_beside(stack, heatmaps, maps, threshold, warn, context)}
    reference = None
    if "constant" not in risks:
        # The share of events in the test itself: no constant could have done better.
        share = float((heatmaps.counts[maps] >= threshold)[:, mask].mean())
        reference = share * (1 - share)
    with context.step(0.4, 1.0):
        judged = judge(
            heatmaps,
            Plan(int(maps[0]), _horizon(stack)),
            maps,
            risks,
            [each for each in risks if each != name],
            name,
            threshold=threshold,
            percentile=percentile,
            over=over,
            reference=reference,
            context=context,
        )
    # Nobody knows what went into it, whatever it is called.
    judged.recent = {name}
    inside = risk[:, mask]
    if not ((inside >= 0) & (inside <= 1)).all():
        what = "risk raster" if isinstance(stack, RiskStack) else "risk"
        warn(f"The values of the {what} are no probabilities: they are judged by their order alone")
        judged.scores[name] = _by_order(judged.scores[name])
    return judged


def find_first(heatmaps: Panel, start: np.datetime64 | None) -> int:
    """Find the first map that begins at `start` or later.

    Raises
    ------
    ParameterError
        If none does.
    """
    if start is None:
        return 0
    first, noun = int(np.searchsorted(heatmaps.edges[:-1], start)), heatmaps.bin_noun
    if first == len(heatmaps):
        raise ParameterError(
            f"start is {format_moment(start)}, but the last {noun} begins on {format_moment(heatmaps.edges[-2])}",
            parameter="start",
            value=str(start),
            remedy=f"Choose an earlier time, or leave it empty to judge all {noun}s",
        )
    return first


def _by_order(score: ModelScore) -> ModelScore:
    nothing: dict[str, Any] = dict.fromkeys(("log_loss", "brier", "brier_skill", "skill_best"), float("nan"))
    return replace(
        score,
        **nothing,
        reliability=reliability([], []),
        fold_loss=np.full_like(score.fold_loss, np.nan),
        fold_brier=np.full_like(score.fold_brier, np.nan),
        sums=score.sums and replace(score.sums, loss=np.full_like(score.sums.loss, np.nan)),
    )


def _horizon(stack: AnyRisk) -> int:
    given = stack.tags.get(tagnames.HORIZON, "")
    return max(int(given), 1) if given.isdecimal() else 1


def _beside(
    stack: AnyRisk,
    heatmaps: Panel,
    maps: NDArray[np.int64],
    threshold: int,
    warn: Callable[[str], None],
    context: JobContext,
) -> dict[str, NDArray[np.float32]]:
    """Forecasts of baselines (of a grid the quick ones) for the same maps, from no more than its makers could know."""
    noun = heatmaps.bin_noun
    first, horizon = int(maps[0]), _horizon(stack)
    origin = first - horizon + 1
    made = read_moment(stack.tags.get(tagnames.ORIGIN, ""))
    # A single band that does not say when it applies was made at one moment too: before the first map judged.
    at_once = not np.isnat(made) or (len(stack.risk) == 1 and not stack.edges)
    if not np.isnat(made):
        origin = min(origin, int(np.searchsorted(heatmaps.edges[1:], made, side="right")))
    try:
        check_history(heatmaps.before(max(origin, 0)), 1)
    except CrimeRiskError:
        warn(
            f"No baseline stands beside it, since the {noun}s hold no history before the first one judged; a skill is"
            f" measured against the share of events in these very {noun}s. Give {COUNTS[heatmaps.support.kind]} that"
            " begin earlier, or a later start"
        )
        return {}
    risks = {}
    for name in _list_beside(heatmaps):
        context.check_cancelled()
        history = heatmaps.before(origin)
        forecaster = make_forecaster(name, threshold=threshold).fit(history)
        last = int(maps[-1])
        if at_once:
            risk = forecaster.predict(history, last - len(history) + 1, context)[maps - len(history)]
        else:
            risk = forecaster.forecast_known(heatmaps.cut(last + 1), first, horizon, context)[maps - first]
        risks[name] = np.asarray(risk, dtype=np.float32)
    return risks


def _list_beside(panel: Panel) -> tuple[str, ...]:
    return QUICK_BASELINES if isinstance(panel, Heatmaps) else list_baselines(panel.support.kind)
