"""Every forecast of a test, rolled through the bins: the first half of every backtest."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ..contract.forecasters import title_of
from ..forecasters.base import Forecaster
from ..ground.context import JobContext
from ..maps.panel import Panel
from .entrants import find_record
from .folds import run_tasks
from .gathered import Gathered
from .judged import Judged
from .plan import Plan
from .scoring import ModelScore, score_model
from .task import make_tasks


def find_scored(panel: Panel, plan: Plan) -> NDArray[np.int64]:
    """Find the numbers of the maps whose forecasts are kept: the observed ones from `plan.begin` on."""
    return plan.begin + np.flatnonzero(panel.observed[plan.begin :])


def roll(
    panel: Panel,
    forecasters: Mapping[str, Forecaster],
    plan: Plan,
    threshold: int,
    context: JobContext,
    workers: int | None,
) -> Gathered:
    """Forecast every map from `plan.begin` on by every forecaster, each from what was known at its origin.

    Whatever stops a forecaster is warned of, and kept with the others' forecasts.
    """
    networks = {
        name for name, each in forecasters.items() if (entry := find_record(name, each)) is not None and entry.network
    }
    tasks = make_tasks(
        forecasters, len(panel), plan.first, plan.horizon, plan.refit, plan.seeds, networks, warm=plan.warm
    )
    gathered = Gathered(panel, find_scored(panel, plan), plan, threshold)
    for outcome in run_tasks(tasks, panel, context, workers):
        gathered.add(outcome)
        if outcome.failure:
            context.warn(f"{title_of(outcome.task.model)} could not be run: {outcome.failure}")
    return gathered


def score_again(
    judged: Judged, panel: Panel, forecasters: Mapping[str, Forecaster], context: JobContext, workers: int | None
) -> dict[str, ModelScore]:
    """Score forecasts of the very maps of a backtest once more, from a panel of which other things were known.

    Parameters
    ----------
    judged : Judged
    panel : Panel
        With the same counts of the same units.
    forecasters : mapping of str to Forecaster
        Those that cannot be run are left out.
    """
    with context.step(0.0, 0.85):
        gathered = roll(panel, forecasters, judged.plan, judged.threshold, context, workers)
    scores = {}
    for number, (name, risk) in enumerate(gathered.risks.items()):
        with context.step(0.85 + 0.15 * number / len(gathered.risks), 0.85 + 0.15 * (number + 1) / len(gathered.risks)):
            scores[name] = score_model(
                name,
                risk,
                judged.counts,
                panel.mask,
                units=judged.units,
                threshold=judged.threshold,
                block=judged.block,
                percentile=judged.percentile,
                over=judged.over,
                context=context,
            )
    return scores
