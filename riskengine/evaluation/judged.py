"""The result of every evaluation: scores of all models on the same maps, their differences, failures and notes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from ..contract.choices import Over
from ..contract.forecasters import LONG_RUN
from ..maps.heatmaps import Heatmaps
from ..maps.panel import Panel
from ..measures.compare import Difference
from ..measures.labels import flag, label_maps
from ..measures.weighted import Units
from .beside import Control, DelayCost, UnitsJudged, Weighed, describe_difference
from .caught import CatchJudged
from .exposure import AreaExposure
from .flags import choose_flagging
from .offsets import OffsetFigures
from .plan import Plan
from .scoring import ModelScore, compare_hits, compare_losses


@dataclass
class Judged:
    """Forecasts of the same maps by several models, and how good each was.

    Attributes
    ----------
    panel : Panel
        All counts, history and test, with their delay. Maps are its bins, cells its units.
    plan : Plan
    maps : ndarray of int, shape (F,)
        Numbers of the scored maps: the observed ones from `plan.first` on.
    risks : dict of str to ndarray of float32, shape (F, ...)
        Forecasts by model, the mean over its seeds; NaN outside the study area.
    scores : dict of str to ModelScore
        By model, `model` first. See `riskengine.evaluation.scoring.ModelScore` for the figures in it.
    block : int
        Maps in a block of the paired intervals.
    baselines : list of str
        Names of the simple models among `scores`; ``constant`` is always there.
    model : str
        The model that is compared first: the default one where it took part.
    seconds : dict of str to float
        Fitting and forecasting.
    seed_scores : dict of str to list of float
        Log-loss with each seed, for models that draw random numbers and more than one seed.
    failures : dict of str to str
        Models that could not be run, and why: a sentence.
    threshold : int
        Incidents in a cell and bin that count as an event.
    percentile, over : float, str
        Where a cell counts as flagged in labels, border and exposure: strictly above this percentile of all scored
        maps (``stack``) or of each map (``map``).
    recent : set of str
        Models that are no long-run means here, whatever they may be elsewhere: something recent went into a fit.
    notes : list of str
        Sentences a reader must know: artefacts in the data, maps that were filled looking ahead, ...
    offsets : dict of str to OffsetFigures
        Figures over further grid positions, by cheap model; empty when none were asked for.
    areas : list of AreaExposure
        Exposure by named area at `percentile`, of `model`; empty when no areas were given.
    units : Units, optional
        How units are judged where they differ in size; None of a grid.
    late : DelayCost, optional
        What it costs that counts are known late; None where they are known at once.
    controls : list of Control
        Models that read covariates beside themselves with shuffled ones; empty where that was not asked for.
    weighed : Weighed, optional
        The same flags by share of a covariate, as the population, instead of area.
    compared : list of UnitsJudged
        Units of the same place at the same flagged km², the panel's own first; empty where no others were given.
    catch : CatchJudged, optional
        What the places chosen caught, where the forecast was made for the catch: maps are windows of bins then, and
        hit rates are compared at the catch's size instead of 5 % of the area.
    """

    panel: Panel
    plan: Plan
    maps: NDArray[np.int64]
    risks: dict[str, NDArray[np.float32]]
    scores: dict[str, ModelScore]
    block: int
    baselines: list[str]
    model: str
    seconds: dict[str, float] = field(default_factory=dict)
    seed_scores: dict[str, list[float]] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    threshold: int = 1
    percentile: float = 95.0
    over: Over = "stack"
    recent: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)
    offsets: dict[str, OffsetFigures] = field(default_factory=dict)
    areas: list[AreaExposure] = field(default_factory=list)
    units: Units | None = None
    late: DelayCost | None = None
    controls: list[Control] = field(default_factory=list)
    weighed: Weighed | None = None
    compared: list[UnitsJudged] = field(default_factory=list)
    catch: CatchJudged | None = None

    @property
    def heatmaps(self) -> Heatmaps:
        """The panel, where it is that of a grid."""
        return cast(Heatmaps, self.panel)

    @property
    def counts(self) -> NDArray[Any]:
        """Incidents on the scored maps, shape (F, ...)."""
        return self.panel.counts[self.maps]

    @property
    def edges(self) -> list[list[str]]:
        """[start, end) of each scored map, ISO times."""
        edges = self.panel.edges
        return [[str(edges[number]), str(edges[number + 1])] for number in self.maps]

    @property
    def best_baseline(self) -> str:
        """The simple model that caught most; without a catch that of the least log-loss; empty where none has any."""
        if self.catch is not None:
            return self.catch.find_best(self.baselines)
        able = [name for name in self.baselines if name in self.scores and np.isfinite(self.scores[name].log_loss)]
        return min(able, key=lambda name: self.scores[name].log_loss, default="")

    @property
    def long_run(self) -> list[str]:
        """The scored models that know nothing recent: long-run means of each cell, or of all."""
        return [name for name in self.scores if name in LONG_RUN and name not in self.recent]

    def flag_cells(self, name: str | None = None) -> NDArray[np.bool_]:
        """Flag the cells strictly above `percentile` in a model's forecasts (`model`), shape (F, ...).

        Of areas those whose incidents per km² are, so that they make up the rest of the area at most. Of a catch those
        that the layer of places holds: whole ones, and of equal ones the first.
        """
        if self.catch is not None:
            return self.catch.flag_chosen(name or self.model)
        risk, mask = self.risks[name or self.model], self.panel.mask
        inner = None if self.units is None else self.units.select(mask)
        way = choose_flagging(risk[:, mask], self.counts[:, mask], self.threshold, inner)
        flagged = np.zeros(risk.shape, dtype=bool)
        flagged[:, mask] = flag(way.order, way.find_limits([self.percentile], self.over)[0])
        return flagged

    def label_cells(self, name: str | None = None) -> NDArray[np.uint8]:
        """Label a model's forecasts (`model`) at `percentile` with the six `labels.LABELS`, shape (F, ...)."""
        neighbours = None if self.units is None else self.units.neighbours
        return label_maps(self.flag_cells(name), self.counts >= self.threshold, self.panel.mask, neighbours)

    def compare_losses(self, name: str, other: str | None = None) -> Difference:
        """Compare log-losses by map: `name` minus `other` (the best baseline); 95 % interval over blocks."""
        return compare_losses(self.scores[name], self.scores[other or self.best_baseline], self.block)

    def compare_hits(self, name: str, other: str | None = None) -> Difference:
        """Compare hit rates at 5 % of the area (of a catch at its size): `name` minus `other` (the best baseline).

        Positive is better: `Difference.verdict_of_more` is its verdict.
        """
        if self.catch is not None:
            return self.catch.compare(name, other or self.best_baseline)
        return compare_hits(self.scores[name], self.scores[other or self.best_baseline], self.block)

    def compute_loss_ratio(self, name: str) -> float:
        """Compute the log-loss of `model` divided by that of `name`; below 1 the model is better."""
        return self.scores[self.model].log_loss / self.scores[name].log_loss

    def to_dict(self) -> dict[str, Any]:
        """Every figure, JSON-able."""
        best = self.best_baseline
        others = [name for name in self.scores if name != best] if best else []
        return {
            "scores": {name: score.to_dict() for name, score in self.scores.items()},
            "against": {name: describe_difference(self.compare_losses(name)) for name in others},
            "hits_against": {name: describe_difference(self.compare_hits(name), True) for name in others},
            "best_baseline": best,
            "model": self.model,
            "edges": self.edges,
            "seed_scores": {name: [round(loss, 6) for loss in each] for name, each in self.seed_scores.items()},
            "model_seconds": {name: round(value, 3) for name, value in self.seconds.items()},
            "failures": self.failures,
            "notes": self.notes,
            "offsets": {name: figures.to_dict() for name, figures in self.offsets.items()},
            "areas": [area.to_dict() for area in self.areas],
            **self._describe_beside(),
        }

    def _describe_beside(self) -> dict[str, Any]:
        """What stands beside the figures, where there is any."""
        beside = {
            "catch": self.catch and self.catch.to_dict(),
            "delay_cost": self.late and self.late.to_dict(),
            "controls": [each.to_dict() for each in self.controls],
            "weighed": self.weighed and self.weighed.to_dict(),
            "compared": [each.to_dict() for each in self.compared],
        }
        return {name: each for name, each in beside.items() if each}
