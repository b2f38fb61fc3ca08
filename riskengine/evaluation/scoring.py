"""All figures of one forecaster on the scored maps."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..contract.choices import Over
from ..ground.context import JobContext
from ..measures.clustered import Interval
from ..measures.flagging import compute_ratio_interval, count_flagged_hits
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
    count_area_hits_by_map,
    log_loss,
    reliability,
    skill,
)

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
class ModelScore:
    """How one forecaster did on the scored maps.

    Attributes
    ----------
    name : str
    log_loss, brier, brier_skill, auc : float
        Over all cells of the study area and all scored maps; the skill is against a constant forecast.
    area : AreaHits
        With the riskiest 5 % of the cells of each map flagged, in whole cells and at least one.
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
        percentile and reading.
    fold_brier : ndarray, shape (F,)
        Brier score per map.
    fold_caught, fold_incidents : ndarray, shape (F,)
        n and N per map with the riskiest 5 % of each map flagged.
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
    return [
        {"metric": "hit_rate", "value": area.hit_rate, **caught, "low": hits.hit_rate.low, "high": hits.hit_rate.high},
        {"metric": "pai", "value": area.pai, **caught, "low": hits.pai.low, "high": hits.pai.high},
        {"metric": "pei", "value": area.pei, "at": at, "n": area.caught, "N": area.most},
        {"metric": "precision", "value": area.precision, "at": at, "n": area.hit_cells, "N": area.flagged},
        {"metric": "ser_per_km2", "value": area.ser(cell_km2), "at": at, "n": area.caught},
        {"metric": "flagged_share", "value": area.flagged_share, "at": at, "n": area.flagged, "N": area.cells},
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


def score_model(
    name: str,
    risk: NDArray[np.float32],
    counts: NDArray[Any],
    mask: NDArray[np.bool_],
    *,
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
    risk : ndarray of float32, shape (F, H, W)
        Probabilities; NaN outside the study area and nowhere else.
    counts : ndarray, shape (F, H, W)
        Incidents.
    mask : ndarray of bool, shape (H, W)
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
    # Both lists at once: each map is then sorted only once.
    wanted = list(dict.fromkeys((*SHARES, *CURVE)))
    areas = dict(zip(wanted, count_area_hits_by_map(inside, incidents, wanted, threshold), strict=True))
    context.progress(0.4)
    shares = [_with_intervals(share, areas[share], areas[share].total(), block) for share in SHARES]
    percentiles: dict[str, list[Hits]] = {}
    rates: dict[str, list[Tradeoff]] = {}
    for part, reading in enumerate(OVER):
        context.progress(0.4 + 0.3 * part)
        limits = compute_percentile_limits(inside, PERCENTILES, reading)
        percentiles[reading] = []
        for at, limit in zip(PERCENTILES, limits, strict=True):
            context.check_cancelled()
            maps, most = count_flagged_hits(flag(inside, limit), incidents, 1 - at / 100, threshold)
            total = maps.total(most if reading == "stack" else None)
            percentiles[reading].append(_with_intervals(at, maps, total, block))
        rates[reading] = compute_tradeoff(risk, counts >= threshold, mask, PERCENTILES, reading)
    flagged = flag(risk, compute_percentile_limits(inside, [percentile], over)[0])
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
        border=count_border_hits(flagged, counts, mask),
        fold_brier=fold_brier,
        fold_caught=areas[AREA_SHARE].caught,
        fold_incidents=areas[AREA_SHARE].incidents,
    )


def _with_intervals(at: float, maps: MapHits, total: AreaHits, block: int) -> Hits:
    rate = compute_ratio_interval(maps.caught, maps.incidents, block)
    # How much is flagged is chosen, not measured: the index is as uncertain as the hit rate.
    share = total.flagged_share if total.cells else 0.0
    pai = Interval(*(value / share for value in rate)) if share else Interval(*[float("nan")] * 3)
    return Hits(at, total, rate, pai)
