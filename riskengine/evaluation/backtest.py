"""Rolling-origin backtest: every forecaster on the same folds, each of which knows nothing after its origin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..contract.choices import Over
from ..contract.forecasters import DEFAULT
from ..forecasters.base import Forecaster
from ..ground.context import JobContext
from ..ground.errors import DataError
from ..maps.area import narrow_to_past
from ..maps.panel import Panel
from .entrants import find_record, make_entrants
from .judged import Judged
from .judging import judge
from .plan import Plan, check_plan
from .rolling import find_scored, roll


def run_backtest(
    heatmaps: Panel,
    models: Sequence[str] | Mapping[str, Forecaster],
    plan: Plan,
    threshold: int = 1,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    context: JobContext | None = None,
    workers: int | None = None,
    percentile: float = 95.0,
    over: Over = "stack",
) -> Judged:
    """Forecast every map from `plan.first` on by every model, each from what was known at its origin, and score them.

    Parameters
    ----------
    heatmaps : Panel
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
    notes: list[str] = []
    heatmaps = narrow_to_past(heatmaps, plan.first - plan.horizon + 1, notes.append)
    for note in notes:
        context.log(note)
    forecasters, failures = make_entrants(models, threshold, settings or {})
    maps = find_scored(heatmaps, plan)
    with context.step(0.0, 0.85):
        gathered = roll(heatmaps, forecasters, plan, threshold, context, workers)
    risks = {name: gathered.risks[name] for name in forecasters if name in gathered.risks}
    records = {name: find_record(name, forecasters[name]) for name in risks}
    baselines = [name for name, entry in records.items() if entry is not None and entry.simple]
    if not baselines:
        raise DataError(
            "No simple baseline could be run: " + " ".join(gathered.failures.values()),
            parameter="heatmaps",
            remedy="Use a longer history, or test fewer maps",
        )
    chosen = DEFAULT if DEFAULT in risks else next((name for name in risks if name not in baselines), next(iter(risks)))
    with context.step(0.85, 1.0):
        judged = judge(
            heatmaps,
            plan,
            maps,
            risks,
            baselines,
            chosen,
            threshold=threshold,
            percentile=percentile,
            over=over,
            context=context,
        )
    judged.seconds = {name: gathered.seconds[name] for name in judged.scores}
    judged.seed_scores = {
        name: losses for name in judged.scores if len(losses := gathered.compute_seed_losses(name)) > 1
    }
    judged.failures = failures | gathered.failures
    judged.recent = gathered.recent
    judged.notes += notes
    return judged
