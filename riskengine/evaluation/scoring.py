"""All figures of one forecaster on the scored maps."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..contract.choices import Over
from ..ground.context import JobContext
from ..measures import compare, twoway
from ..measures.clustered import Interval
from ..measures.compare import Difference, bootstrap_interval, bootstrap_ratio
from ..measures.flagging import compute_ratio_interval
from ..measures.labels import (
    PERCENTILES,
    Border,
    Tradeoff,
    compute_percentile_limits,
    compute_tradeoff,
    count_border_hits,
    flag,
)
from ..measures.metrics import (
    AreaHits,
    MapHits,
    Reliability,
    auc,
    average_precision,
    brier,
    compute_losses,
    log_loss,
    reliability,
    skill,
)
from ..measures.twoway import compare_sums
from ..measures.weighted import Units
from .flags import DenseFlagging, Flagging, choose_flagging

#: Share of the area of the headline figures.
AREA_SHARE = 0.05
#: Shares of the area of the hit-rate curve.
CURVE = (0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0)
#: Shares of the area of the headline table.
SHARES = (0.01, 0.02, 0.03, 0.05, 0.1, 0.15, 0.2)
#: The two readings of "above the percentile".
OVER: tuple[Over, ...] = ("stack", "map")


@dataclass(frozen=True)
class Hits:
    """What one way of flagging caught, with its intervals over blocks of time.

    Attributes
    ----------
    at : float
        Share of the area wanted (0.05), or the percentile (95).
    area : AreaHits
        n, N, a, A, n* and the figures made of them.
    hit_rate, pai : Interval
        Mean, low, high at 95 %; without limits (nan) where there were too few blocks of time.
    """

    at: float
    area: AreaHits
    hit_rate: Interval
    pai: Interval


@dataclass(frozen=True)
class PlaceSums:
    """What paired differences over areas are made of: sums by map and block of areas, each of shape (F, blocks).

    Attributes
    ----------
    loss : ndarray
        Log-loss, summed over `units`.
    units : ndarray
    caught, incidents : ndarray
        n and N with the densest 5 % of the area of each map flagged.
    """

    loss: NDArray[np.float64]
    units: NDArray[np.float64]
    caught: NDArray[np.float64]
    incidents: NDArray[np.float64]


@dataclass(frozen=True)
class ModelScore:
    """How one forecaster did on the scored maps.

    Attributes
    ----------
    name : str
    log_loss, brier, brier_skill, auc : float
        Over all cells of the study area and all scored maps; the skill is against a constant forecast.
    area : AreaHits
        With the riskiest 5 % of the cells of each map flagged, in whole cells and at least one; of areas the densest,
        as `riskengine.measures.weighted` has it.
    curve : list of AreaHits
        At `CURVE` of the area.
    reliability : Reliability
    fold_loss : ndarray, shape (F,)
        Log-loss per map, for paired comparisons.
    average_precision : float
    skill_best : float
        Brier skill against the best baseline instead of the constant; nan until it is known.
    shares : list of Hits
        At `SHARES` of the area.
    percentiles : dict of str to list of Hits
        At percentiles 85 to 99, by both readings: ``stack`` (over all scored maps) and ``map``.
    tradeoff : dict of str to list of Tradeoff
        The six labels' numbers and rates at the same percentiles, by both readings.
    border : Border
        How many incidents, and how many of those caught, lie in the outermost ring of the study area, at the chosen
        percentile and reading; None of areas, which may reach as far out as they like.
    fold_brier : ndarray, shape (F,)
        Brier score per map.
    fold_caught, fold_incidents : ndarray, shape (F,)
        n and N per map with the riskiest 5 % of each map flagged.
    sums : PlaceSums, optional
        Of areas, for intervals over areas and bins.
    """

    name: str
    log_loss: float
    brier: float
    brier_skill: float
    auc: float
    area: AreaHits
    curve: list[AreaHits]
    reliability: Reliability
    fold_loss: NDArray[np.float64]
    average_precision: float = float("nan")
    skill_best: float = float("nan")
    shares: list[Hits] = field(default_factory=list)
    percentiles: dict[str, list[Hits]] = field(default_factory=dict)
    tradeoff: dict[str, list[Tradeoff]] = field(default_factory=dict)
    border: Border | None = None
    fold_brier: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    fold_caught: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    fold_incidents: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    sums: PlaceSums | None = None

    def list_rows(self, cell_km2: float) -> list[dict[str, Any]]:
        """List every figure as a row: metric, at, value, and where there are any n, N, low, high."""
        rows: list[dict[str, Any]] = [
            {"metric": name, "value": getattr(self, name)}
            for name in ("log_loss", "brier", "brier_skill", "skill_best", "auc", "average_precision")
        ]
        for hits in self.shares:
            rows += _hit_rows(hits, f"{100 * hits.at:g} % of the area", cell_km2)
        for over, flagged in self.percentiles.items():
            for hits in flagged:
                rows += _hit_rows(hits, f"percentile {hits.at:g} of the {over}", cell_km2)
        for over, each in self.tradeoff.items():
            for row in each:
                rows += _tradeoff_rows(row, f"percentile {row.percentile:g} of the {over}")
        bins = zip(self.reliability.predicted, self.reliability.observed, self.reliability.count, strict=True)
        for predicted, observed, count in bins:
            at = f"predicted {predicted:.6g}"
            rows.append({"metric": "reliability", "at": at, "value": float(observed), "N": int(count)})
        if self.border is not None:
            border = self.border
            rows += [
                {
                    "metric": "incidents_in_outer_ring",
                    "value": border.incident_share,
                    "n": border.ring_incidents,
                    "N": border.incidents,
                },
                {
                    "metric": "caught_in_outer_ring",
                    "value": border.caught_share,
                    "n": border.ring_caught,
                    "N": border.caught,
                },
                {
                    "metric": "cells_in_outer_ring",
                    "value": border.cell_share,
                    "n": border.ring_cells,
                    "N": border.cells,
                },
            ]
        return rows

    def to_dict(self) -> dict[str, Any]:
        """The figures of a table row, JSON-able; a figure that does not exist is None."""
        figures = {
            "log_loss": self.log_loss,
            "brier": self.brier,
            "brier_skill": self.brier_skill,
            "auc": self.auc,
            "hit_rate_5": self.area.hit_rate,
            "pai_5": self.area.pai,
            "pei_5": self.area.pei,
            "precision_5": self.area.precision,
            "caught_5": self.area.caught,
            "flagged_share_5": self.area.flagged_share,
            "incidents": self.area.incidents,
            "average_precision": self.average_precision,
            "skill_best": self.skill_best,
        }
        for hits in self.shares:
            if hits.at == AREA_SHARE:
                figures |= {
                    "hit_rate_5_low": hits.hit_rate.low,
                    "hit_rate_5_high": hits.hit_rate.high,
                    "pai_5_low": hits.pai.low,
                    "pai_5_high": hits.pai.high,
                }
        return {name: round(value, 6) if np.isfinite(value) else None for name, value in figures.items()}


def _hit_rows(hits: Hits, at: str, cell_km2: float) -> list[dict[str, Any]]:
    area = hits.area
    caught = {"at": at, "n": area.caught, "N": area.incidents}
    if area.weights is not None:
        of_area = {"metric": "precision", "value": area.precision, "at": at}
        of_area |= {"n": area.weights.hit, "N": area.weights.flagged}
        of_units = {"metric": "precision_by_count", "value": area.precision_by_count, "at": at}
        precision = [of_area, of_units | {"n": area.hit_cells, "N": area.flagged}]
        flagged: dict[str, Any] = {"n": area.weights.flagged, "N": area.weights.total}
    else:
        precision = [{"metric": "precision", "value": area.precision, "at": at, "n": area.hit_cells, "N": area.flagged}]
        flagged = {"n": area.flagged, "N": area.cells}
    return [
        {"metric": "hit_rate", "value": area.hit_rate, **caught, "low": hits.hit_rate.low, "high": hits.hit_rate.high},
        {"metric": "pai", "value": area.pai, **caught, "low": hits.pai.low, "high": hits.pai.high},
        {"metric": "pei", "value": area.pei, "at": at, "n": area.caught, "N": area.most},
        *precision,
        {"metric": "ser_per_km2", "value": area.ser(cell_km2), "at": at, "n": area.caught},
        {"metric": "flagged_share", "value": area.flagged_share, "at": at, **flagged},
    ]


def _tradeoff_rows(row: Tradeoff, at: str) -> list[dict[str, Any]]:
    total = sum(row.cells)
    rows: list[dict[str, Any]] = [
        {"metric": f"label {name}", "at": at, "value": rate, "n": number, "N": total}
        for (name, rate), number in zip(row.rates.items(), row.cells, strict=True)
    ]
    crimes = {"at": at, "N": row.events}
    return [
        *rows,
        {"metric": "accuracy", "at": at, "value": row.accuracy, "n": row.cells[0] + row.cells[1], "N": total},
        {"metric": "correct_or_near", **crimes, "value": row.caught_or_near, "n": row.cells[1] + row.cells[3]},
        {"metric": "false_negative_rate", **crimes, "value": row.missed, "n": row.cells[2]},
    ]


def compare_losses(first: ModelScore, second: ModelScore, block: int) -> Difference:
    """Compare log-losses on the same maps: `first` minus `second`, with its interval over blocks of at most `block`.

    On a grid over blocks of time, of areas over blocks of areas and of time.
    """
    if first.sums is not None and second.sums is not None:
        return compare_sums(first.sums.loss - second.sums.loss, first.sums.units, block)
    return bootstrap_interval(first.fold_loss, second.fold_loss, block)


def compare_hits(first: ModelScore, second: ModelScore, block: int) -> Difference:
    """Compare hit rates at 5 % of the area, as `compare_losses` does log-losses; positive where `first` is better."""
    if first.sums is not None and second.sums is not None:
        return compare_sums(first.sums.caught - second.sums.caught, first.sums.incidents, block)
    return bootstrap_ratio(first.fold_caught - second.fold_caught, first.fold_incidents, block)


def score_model(
    name: str,
    risk: NDArray[np.float32],
    counts: NDArray[Any],
    mask: NDArray[np.bool_],
    *,
    units: Units | None = None,
    threshold: int = 1,
    block: int = 7,
    percentile: float = 95.0,
    over: Over = "stack",
    reference: float = float("nan"),
    context: JobContext | None = None,
) -> ModelScore:
    """Every figure of one forecaster, over all cells of the study area and all scored maps.

    Parameters
    ----------
    name : str
    risk : ndarray of float32, shape (F, ...)
        Probabilities; NaN outside the study area and nowhere else.
    counts : ndarray, shape (F, ...)
        Incidents.
    mask : ndarray of bool, shape (...)
    units : Units, optional
        Where units differ in size; None for the cells of a grid.
    threshold : int
        Incidents in a cell and bin that count as an event.
    block : int
        Maps in a block of time, for intervals.
    percentile, over : float, str
        Where a cell counts as flagged for the border's figures.
    reference : float
        Brier score that the skill is measured against.
    """
    context = context or JobContext()
    inside, incidents = risk[:, mask], counts[:, mask]
    events = incidents >= threshold
    fold_loss, fold_brier = np.zeros(len(risk)), np.zeros(len(risk))
    for number, (p, event) in enumerate(zip(inside, events, strict=True)):
        context.progress(0.2 * number / len(risk))
        fold_loss[number], fold_brier[number] = log_loss(p, event), brier(p, event)
    squares = float(fold_brier.mean())
    inner = None if units is None else units.select(mask)
    way = choose_flagging(inside, incidents, threshold, inner)
    # Both lists at once: each map is then sorted only once.
    wanted = list(dict.fromkeys((*SHARES, *CURVE)))
    areas = dict(zip(wanted, way.count_shares(wanted), strict=True))
    context.progress(0.4)
    shares = [make_hits(share, areas[share], areas[share].total(), block) for share in SHARES]
    # Labels look around, so they need every unit in its place.
    order = risk if inner is None else np.full(risk.shape, np.nan)
    if inner is not None:
        order[:, mask] = way.order
    neighbours = None if units is None else units.neighbours
    percentiles: dict[str, list[Hits]] = {}
    rates: dict[str, list[Tradeoff]] = {}
    for part, reading in enumerate(OVER):
        context.progress(0.4 + 0.3 * part)
        limits = way.find_limits(PERCENTILES, reading)
        percentiles[reading] = []
        for at, limit in zip(PERCENTILES, limits, strict=True):
            context.check_cancelled()
            maps, most = way.count_flags(flag(way.order, limit), 1 - at / 100)
            total = maps.total(most if reading == "stack" else None)
            percentiles[reading].append(make_hits(at, maps, total, block))
        rates[reading] = compute_tradeoff(order, counts >= threshold, mask, PERCENTILES, reading, limits, neighbours)
    border = None
    if inner is None:
        flagged = flag(risk, compute_percentile_limits(inside, [percentile], over)[0])
        border = count_border_hits(flagged, counts, mask)
    return ModelScore(
        name=name,
        log_loss=float(fold_loss.mean()),
        brier=squares,
        brier_skill=skill(squares, reference),
        auc=auc(inside, events),
        area=areas[AREA_SHARE].total(),
        curve=[areas[share].total() for share in CURVE],
        reliability=reliability(inside, events),
        fold_loss=fold_loss,
        average_precision=average_precision(inside, events),
        shares=shares,
        percentiles=percentiles,
        tradeoff=rates,
        border=border,
        fold_brier=fold_brier,
        fold_caught=areas[AREA_SHARE].caught,
        fold_incidents=areas[AREA_SHARE].incidents,
        sums=None if inner is None else _sum_by_place(inside, incidents, way, inner),
    )


def _sum_by_place(risk: NDArray[np.float32], incidents: NDArray[Any], way: Flagging, units: Units) -> PlaceSums:
    assert isinstance(way, DenseFlagging), "units differ in size"
    losses = units.sum_by_place(compute_losses(risk, incidents >= way.threshold))
    number = units.sum_by_place(np.ones((1, risk.shape[1])))
    return PlaceSums(
        losses,
        np.repeat(number, len(risk), axis=0),
        way.count_by_place(AREA_SHARE),
        units.sum_by_place(incidents),
    )


def make_hits(at: float, maps: MapHits, total: AreaHits, block: int) -> Hits:
    """Make what one way of flagging caught, with its intervals, of what it caught on each map."""
    # The city is what it is: what it would have caught in other months is the question, not in other places.
    shortest = compare.SHORTEST if maps.weights is None else twoway.SHORTEST
    rate = compute_ratio_interval(maps.caught, maps.incidents, block, shortest=shortest)
    # How much is flagged is chosen, not measured: the index is as uncertain as the hit rate.
    share = total.flagged_share if total.cells else 0.0
    pai = Interval(*(value / share for value in rate)) if share else Interval(*[float("nan")] * 3)
    return Hits(at, total, rate, pai)
