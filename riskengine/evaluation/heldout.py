"""Score several forecasters on the same held-out maps, one step ahead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..forecasters.base import Forecaster, incident_maps
from ..ground.context import JobContext
from ..maps.heatmaps import Heatmaps
from ..measures.compare import Difference, paired_interval
from ..measures.metrics import AreaHits, Reliability, area_hits, auc, brier, brier_skill, log_loss, reliability

#: Shares of the area of the hit-rate curve; the headline figures are at `AREA_SHARE`.
CURVE = (0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0)
AREA_SHARE = 0.05


@dataclass(frozen=True)
class Score:
    """How one forecaster did on the held-out maps.

    Attributes
    ----------
    name : str
    log_loss, brier, brier_skill, auc : float
        Over all cells of the study area and all held-out maps; the skill is against the reference forecaster.
    area : AreaHits
        With the riskiest 5 % of the cells of each map flagged.
    curve : list of AreaHits
    reliability : Reliability
    fold_loss : ndarray, shape (maps,)
        Log-loss per map, for paired comparisons.
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
            "incidents": self.area.incidents,
        }
        return {name: round(value, 6) if np.isfinite(value) else None for name, value in figures.items()}


@dataclass(frozen=True)
class HeldOut:
    """Scores of all forecasters on the same maps.

    Attributes
    ----------
    scores : dict of str to Score
        By forecaster name, the model first.
    first : int
        First held-out map.
    maps : int
        Held-out maps that were observed, hence scored.
    model : str
        The forecaster that is compared with the others.
    block : int
        Maps in a block of `paired_interval`, where there are enough of them.
    """

    scores: dict[str, Score]
    first: int
    maps: int
    model: str
    block: int

    def against(self, name: str) -> Difference:
        """The model's log-loss minus that of `name`, paired by map."""
        return paired_interval(self.scores[self.model].fold_loss, self.scores[name].fold_loss, self.block)

    def ratio(self, name: str) -> float:
        """The model's log-loss divided by that of `name`; below 1 the model is better."""
        return self.scores[self.model].log_loss / self.scores[name].log_loss

    @property
    def best_baseline(self) -> str:
        """The baseline with the smallest log-loss."""
        return min((name for name in self.scores if name != self.model), key=lambda name: self.scores[name].log_loss)


def evaluate(
    heatmaps: Heatmaps,
    forecasters: Sequence[Forecaster],
    first: int,
    threshold: int = 1,
    reference: str = "constant",
    context: JobContext | None = None,
) -> HeldOut:
    """Forecast each map from `first` on, one step ahead, by each forecaster, and score it.

    Parameters
    ----------
    heatmaps : Heatmaps
    forecasters : sequence of Forecaster
        Already fitted, on maps before `first`; the first one is compared with the others.
    first : int
    threshold : int
        Incidents in a cell and bin that count as an event.
    reference : str
        Forecaster that the Brier skill is measured against.
    """
    context = context or JobContext()
    scored = np.flatnonzero(heatmaps.observed[first:])
    events = incident_maps(heatmaps, threshold)[first:][scored][:, heatmaps.mask]
    counts = heatmaps.counts[first:][scored][:, heatmaps.mask]
    risks: dict[str, NDArray[np.float32]] = {}
    for number, forecaster in enumerate(forecasters):
        with context.step(number / len(forecasters), (number + 1) / len(forecasters)):
            context.progress(0.0, f"Scoring {forecaster.name} on {len(scored)} held-out maps")
            risks[forecaster.name] = forecaster.predict_each(heatmaps, first, context)[scored][:, heatmaps.mask]
    scores = {}
    for name, risk in risks.items():
        context.check_cancelled()
        scores[name] = Score(
            name,
            log_loss(risk, events),
            brier(risk, events),
            brier_skill(risk, events, risks[reference]),
            auc(risk, events),
            area_hits(risk, counts, AREA_SHARE, threshold),
            [area_hits(risk, counts, share, threshold) for share in CURVE],
            reliability(risk, events),
            np.array([log_loss(each, event) for each, event in zip(risk, events, strict=True)]),
        )
    return HeldOut(scores, first, len(scored), forecasters[0].name, week_of(heatmaps))


def week_of(heatmaps: Heatmaps) -> int:
    """Maps in a week, since incidents keep a weekly rhythm; at least 7."""
    length = (heatmaps.edges[1] - heatmaps.edges[0]) / np.timedelta64(1, "D")
    return max(round(7 / float(length)), 7)
