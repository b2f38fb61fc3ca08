"""Rolling-origin backtest: every forecaster on the same folds, each of which knows nothing after its origin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..contract.forecasters import DEFAULT
from ..forecasters.base import Forecaster
from ..ground.context import JobContext
from ..ground.errors import DataError
from ..maps.heatmaps import Heatmaps
from ..measures.compare import Difference, bootstrap_interval, bootstrap_ratio
from ..measures.labels import Over, flag, label_maps, percentile_limits
from ..measures.metrics import skill
from ..report.claims import sentences, title
from .entrants import catalogued, check_plan, constant_brier, entrants, notes_on
from .exposure import AreaExposure
from .folds import make_tasks, run_tasks
from .gathered import Gathered
from .heldout import week_of
from .offsets import OffsetFigures
from .scoring import ModelScore, score_model


@dataclass(frozen=True)
class Plan:
    """How a backtest rolls.

    Attributes
    ----------
    first : int
        First map that is forecast.
    horizon : int
        Bins ahead: map t is forecast from the maps before t - horizon + 1.
    refit : int
        Maps between two fits; 0 for a single one, before `first`.
    seeds : tuple of int
        Forecasters that draw random numbers are fitted once with each.
    """

    first: int
    horizon: int = 1
    refit: int = 0
    seeds: tuple[int, ...] = (0,)


@dataclass
class Backtest:
    """What a backtest found.

    Attributes
    ----------
    heatmaps : Heatmaps
        All maps, history and test.
    plan : Plan
    maps : ndarray of int, shape (F,)
        Numbers of the scored maps: the observed ones from `plan.first` on.
    risks : dict of str to ndarray of float32, shape (F, H, W)
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
    notes : list of str
        Sentences a reader must know: artefacts in the data, maps that were filled looking ahead, ...
    offsets : dict of str to OffsetFigures
        Figures over further grid positions, by cheap model; empty when none were asked for.
    areas : list of AreaExposure
        Exposure by named area at `percentile`, of `model`; empty when no areas were given.
    """

    heatmaps: Heatmaps
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
    notes: list[str] = field(default_factory=list)
    offsets: dict[str, OffsetFigures] = field(default_factory=dict)
    areas: list[AreaExposure] = field(default_factory=list)

    @property
    def counts(self) -> NDArray[Any]:
        """Incidents on the scored maps, shape (F, H, W)."""
        return self.heatmaps.counts[self.maps]

    @property
    def edges(self) -> list[list[str]]:
        """[start, end) of each scored map, ISO times."""
        edges = self.heatmaps.edges
        return [[str(edges[number]), str(edges[number + 1])] for number in self.maps]

    @property
    def best_baseline(self) -> str:
        """The simple model with the smallest log-loss; empty where none was scored."""
        return min(self.baselines, key=lambda name: self.scores[name].log_loss, default="")

    def flagged(self, name: str | None = None) -> NDArray[np.bool_]:
        """Cells strictly above `percentile` in a model's forecasts (`model`), shape (F, H, W)."""
        risk = self.risks[name or self.model]
        return flag(risk, percentile_limits(risk[:, self.heatmaps.mask], [self.percentile], self.over)[0])

    def labels(self, name: str | None = None) -> NDArray[np.uint8]:
        """The six labels (`labels.LABELS`) of a model's forecasts (`model`) at `percentile`, shape (F, H, W)."""
        return label_maps(self.flagged(name), self.counts >= self.threshold, self.heatmaps.mask)

    def against(self, name: str, other: str | None = None) -> Difference:
        """Log-loss of `name` minus that of `other` (the best baseline), paired by map; 95 % interval over blocks."""
        first, second = self.scores[name], self.scores[other or self.best_baseline]
        return bootstrap_interval(first.fold_loss, second.fold_loss, self.block)

    def hits_against(self, name: str, other: str | None = None) -> Difference:
        """Hit rate at 5 % of the area of `name` minus that of `other` (the best baseline).

        Positive is better, so its `verdict`, which is about losses, reads the other way round.
        """
        first, second = self.scores[name], self.scores[other or self.best_baseline]
        return bootstrap_ratio(first.fold_caught - second.fold_caught, first.fold_incidents, self.block)

    def verdicts(self) -> list[str]:
        """In sentences: which models are distinguishable from the best baseline, which are not, what could not run."""
        return sentences(self)

    def to_dict(self) -> dict[str, Any]:
        """Every figure, JSON-able."""
        best = self.best_baseline
        others = [name for name in self.scores if name != best] if best else []
        return {
            "scores": {name: score.to_dict() for name, score in self.scores.items()},
            "against": {name: _difference(self.against(name)) for name in others},
            "hits_against": {name: _difference(self.hits_against(name), True) for name in others},
            "best_baseline": best,
            "model": self.model,
            "verdict": " ".join(self.verdicts()),
            "edges": self.edges,
            "seed_scores": {name: [round(loss, 6) for loss in each] for name, each in self.seed_scores.items()},
            "model_seconds": {name: round(value, 3) for name, value in self.seconds.items()},
            "failures": self.failures,
            "notes": self.notes,
            "offsets": {name: figures.to_dict() for name, figures in self.offsets.items()},
            "areas": [area.to_dict() for area in self.areas],
        }


def _difference(difference: Difference, more_is_better: bool = False) -> dict[str, Any]:
    verdict = difference.verdict
    if more_is_better:
        verdict = {"better": "worse", "worse": "better"}.get(verdict, verdict)
    figures = {"mean": difference.mean, "low": difference.low, "high": difference.high}
    shown = {name: round(value, 8) if np.isfinite(value) else None for name, value in figures.items()}
    return {**shown, "level": difference.level, "blocks": difference.blocks, "verdict": verdict}


def run_backtest(
    heatmaps: Heatmaps,
    models: Sequence[str] | Mapping[str, Forecaster],
    plan: Plan,
    threshold: int = 1,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    context: JobContext | None = None,
    workers: int | None = None,
    percentile: float = 95.0,
    over: Over = "stack",
) -> Backtest:
    """Forecast every map from `plan.first` on by every model, each from what was known at its origin, and score them.

    Parameters
    ----------
    heatmaps : Heatmaps
    models : sequence of str, or mapping of str to Forecaster
        Names of `riskengine.contract.forecasters`, or forecasters whose settings are taken; they are fitted anew. A
        constant, the reference of the Brier skill, joins them where there is none.
    plan : Plan
    threshold : int
        Incidents in a cell and bin that count as an event.
    settings : mapping of str to mapping, optional
        Arguments by model, for `models` given by name.
    context : JobContext, optional
    workers : int, optional
        Processes; 1 for none but this one. By default one per core where the work is worth it.
    percentile, over : float, str
        Where a cell counts as flagged in labels, border and exposure.

    Raises
    ------
    ParameterError, DataError
        For a plan that does not fit the maps, or when no model could be run.
    """
    context = context or JobContext()
    check_plan(heatmaps, plan)
    forecasters, failures = entrants(models, threshold, settings or {})
    names = {name: catalogued(name, each) for name, each in forecasters.items()}
    networks = {name for name, entry in names.items() if entry is not None and entry.network}
    maps = plan.first + np.flatnonzero(heatmaps.observed[plan.first :])
    tasks = make_tasks(forecasters, len(heatmaps), plan.first, plan.horizon, plan.refit, plan.seeds, networks)
    gathered = Gathered(heatmaps, maps, plan, threshold)
    with context.step(0.0, 0.85):
        for outcome in run_tasks(tasks, heatmaps, context, workers):
            gathered.add(outcome)
            if outcome.failure:
                context.warn(f"{title(outcome.task.model)} could not be run: {outcome.failure}")
    risks = {name: gathered.risks[name] for name in forecasters if name in gathered.risks}
    baselines = [name for name in risks if (entry := names[name]) is not None and entry.simple]
    if not baselines:
        raise DataError(
            "No simple baseline could be run: " + " ".join(gathered.failures.values()),
            parameter="heatmaps",
            remedy="Use a longer history, or test fewer maps",
        )
    chosen = DEFAULT if DEFAULT in risks else next((name for name in risks if name not in baselines), next(iter(risks)))
    block = week_of(heatmaps)
    counts = heatmaps.counts[maps]
    reference = constant_brier(risks, counts >= threshold, heatmaps.mask)
    scores: dict[str, ModelScore] = {}
    for number, name in enumerate([chosen, *(name for name in risks if name != chosen)]):
        with context.step(0.85 + 0.15 * number / len(risks), 0.85 + 0.15 * (number + 1) / len(risks)):
            context.progress(0.0, f"Scoring {title(name)} on {len(maps)} maps")
            scores[name] = score_model(
                name,
                risks[name],
                counts,
                heatmaps.mask,
                threshold=threshold,
                block=block,
                percentile=percentile,
                over=over,
                reference=reference,
                context=context,
            )
    best = min((scores[name] for name in baselines), key=lambda score: score.log_loss)
    scores = {name: replace(score, skill_best=skill(score.brier, best.brier)) for name, score in scores.items()}
    return Backtest(
        heatmaps,
        plan,
        maps,
        risks,
        scores,
        block,
        baselines,
        chosen,
        seconds={name: gathered.seconds[name] for name in scores},
        seed_scores={name: losses for name in scores if len(losses := gathered.seed_losses(name)) > 1},
        failures=failures | gathered.failures,
        threshold=threshold,
        percentile=percentile,
        over=over,
        notes=notes_on(heatmaps),
    )
