"""What covariates are worth: the same model with those of other areas, dealt out at random."""

from __future__ import annotations

from collections.abc import Mapping

from ..contract.forecasters import COVARIATES
from ..forecasters.base import Forecaster
from ..ground.context import JobContext
from ..maps.covariates import shuffle_covariates
from .beside import Control
from .entrants import find_record
from .judged import Judged
from .rolling import score_again
from .scoring import compare_hits, compare_losses


def run_control(
    judged: Judged,
    forecasters: Mapping[str, Forecaster],
    context: JobContext | None = None,
    workers: int | None = None,
) -> list[Control]:
    """Backtest the models that read covariates again with shuffled ones; none where there are no covariates.

    Every area keeps its counts, and gets the covariates of another one, the same in all bins. The first seed of the
    plan deals them out.
    """
    extras = judged.panel.extras
    covariates = (*extras.static_names, *(each.name for each in extras.covariates))
    if not covariates:
        return []
    readers = {
        name: each
        for name, each in forecasters.items()
        if name in judged.scores and (entry := find_record(name, each)) is not None and COVARIATES in entry.needs
    }
    panel = shuffle_covariates(judged.panel, judged.plan.seeds[0])
    scores = score_again(judged, panel, readers, context or JobContext(), workers)
    made = []
    for name, score in scores.items():
        pair = judged.scores[name], score, judged.block
        made.append(Control(name, covariates, score, compare_losses(*pair), compare_hits(*pair)))
    return made
